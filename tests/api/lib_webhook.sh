# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: the admission webhook. The API server calls the controller by a URL on loopback; what
# is held against is the whole text that kubectl shows. SHOW=1 prints what was applied and what was said.
HOOK=127.0.0.1:$((PORT + 5))

# hook_up [ARG...]
hook_up() {
	candidate controller --leader-elect=false --webhook-url "https://$HOOK" \
		--webhook-bind-address "$HOOK" "$@"
}
conf() { k get validatingwebhookconfiguration tandem-controller "$@"; }
# Its own answer, not only its configuration: whoever asks now is answered.
hook_answers() { curl -skf --max-time 2 -o /dev/null "https://$HOOK/readyz" && conf; }

# told NAME EXPECTED COMMAND...: what kubectl says, word for word; its input is passed on
told() {
	local name=$1 expected=$2 out
	shift 2
	out=$("$@" 2>&1)
	same "$name" "$expected" "$out"
	[ -z "${SHOW:-}" ] || printf '    %s\n    -> %s\n' "$name" "$out"
}

# denied HOOK TEXT [CREATING]
denied() {
	printf 'Error from server (Forbidden): %sadmission webhook "%s.tandem-cni.io" denied the request: %s' \
		"${3:+error when creating \"STDIN\": }" "$1" "$2"
}

[ -z "${pid_controller:-}" ] || stop "$pid_controller"
hook_up
check "the configuration appears" wait_for 30 hook_answers
same "what is asked for, and what happens without an answer" \
	'pods Ignore 2 "" v1 pods CREATE
status Ignore 2 tandem-cni.io v1 macvlanips/status UPDATE
subnets Fail 5 tandem-cni.io v1 macvlansubnets CREATE,UPDATE,DELETE
workloads Ignore 2 apps v1 deployments,statefulsets,daemonsets CREATE,UPDATE
workloads Ignore 2 batch v1,v1beta1 jobs,cronjobs CREATE,UPDATE' \
	"$(conf -o json | jq -r '.webhooks[] | . as $w | .rules[] |
		"\($w.name | split(".")[0]) \($w.failurePolicy) \($w.timeoutSeconds) \(
		.apiGroups[0] | if . == "" then "\"\"" else . end) \(.apiVersions | join(",")) \(
		.resources | join(",")) \(.operations | join(","))"' | sort)"
same "the certificate is kept in a Secret" 'kubernetes.io/tls ["ca.crt","ca.key","tls.crt","tls.key"]' \
	"$(k get secret -n kube-system tandem-webhook-cert -o json | jq -rc '"\(.type) \(.data | keys)"')"
check "it is good for the service's name and the URL's host" eval \
	"k get secret -n kube-system tandem-webhook-cert -o json | jq -r '.data[\"tls.crt\"]' | base64 -d |
	openssl x509 -noout -ext subjectAltName | tail -n 1 | tr -d ' ' | grep -qx \
	DNS:tandem-controller-webhook.kube-system.svc,DNS:tandem-controller-webhook.kube-system.svc.cluster.local,IPAddress:127.0.0.1"

# ---------------------------------------------------------------- subnets
# spec_yaml and bad specs are lib_refuse.sh's way of writing them: lines of spec, separated by bars
hook_spec() {
	printf 'apiVersion: tandem-cni.io/v1\nkind: MacvlanSubnet\n'
	printf 'metadata: {name: %s, namespace: kube-system}\nspec:\n' "$1"
	tr '|' '\n' <<<"$2" | sed 's/^/  /'
}

# refused_subnet LINES TEXT
refused_subnet() {
	told "subnet: $1" "$(denied subnets "$2" creating)" k apply -f - < <(hook_spec new "$1")
}
N='master: ens8|cidr: 10.1.0.0/24'
refused_subnet "$N|gateway: 224.0.0.5" "spec.gateway: \"224.0.0.5\" is not a router's address"
refused_subnet "$N|gateway: 10.1.0.0" 'spec.gateway: "10.1.0.0" is the network address'
refused_subnet "$N|gateway: 10.1.0.255" 'spec.gateway: "10.1.0.255" is the broadcast address'
refused_subnet "$N|ranges: [{rangeStart: 10.1.0.9, rangeEnd: 10.1.1.9}]" \
	'spec.ranges[0].rangeEnd: "10.1.1.9" lies outside the cidr'
refused_subnet "$N|ranges: [{rangeStart: 10.1.0.9, rangeEnd: 10.1.0.5}]" \
	'spec.ranges[0]: rangeEnd 10.1.0.5 is below rangeStart'
refused_subnet "$N|ranges: [{rangeStart: 10.1.0.5, rangeEnd: 10.1.0.9}, {rangeStart: 10.1.0.9, rangeEnd: 10.1.0.9}]" \
	'spec.ranges[1]: overlaps with ranges[0]'
refused_subnet "$N|exclude: [10.2.0.1]" 'spec.exclude[0]: "10.2.0.1" lies outside the cidr'
refused_subnet "$N|routes: [{dst: 10.9.0.0/16, gw: 239.0.0.1}]" \
	"spec.routes[0].gw: \"239.0.0.1\" is not a router's address"
refused_subnet "$N|mode: l2" 'spec.mode: "l2" must be bridge, private, vepa or passthru'
refused_subnet 'master: ens8|cidr: 10.0.0.0/8' 'spec.cidr: /8 is larger than a /16; set ranges'
refused_subnet 'master: ens8|cidr: 10.0.0.0/8|ranges: [{rangeStart: 10.0.0.1, rangeEnd: 10.2.0.0}]' \
	'spec.ranges: more than 65536 addresses'
refused_subnet 'master: ens8|cidr: 224.0.0.0/24' 'spec.cidr: "224.0.0.0/24" is not a network that hosts can have'
refused_subnet "master: ens8|cidr: 'fe80::/64'" 'spec.cidr: "fe80::/64" is link-local'
refused_subnet "master: ens8|cidr: '::::/64'" 'spec.cidr: "::::/64" is not a CIDR'
refused_subnet 'master: ens8|cidr: 10.1.0.1/32|podDefaultGateway: {enable: true}' \
	'spec.podDefaultGateway.enable: the subnet has no gateway'

hook_spec low 'master: ens4|vlan: 7|cidr: 10.71.0.0/24|gateway: 10.71.0.254|ranges: [{rangeStart: 10.71.0.10, rangeEnd: 10.71.0.19}]' |
	k apply -f - >/dev/null
hook_spec high 'master: ens4|vlan: 7|cidr: 10.71.0.0/24|gateway: 10.71.0.254|ranges: [{rangeStart: 10.71.0.30, rangeEnd: 10.71.0.39}]' |
	k apply -f - >/dev/null
hook_spec solo 'master: ens9|cidr: 10.73.0.0/24|mode: passthru' | k apply -f - >/dev/null
check "three subnets" wait_for 20 ready_is solo True

S='spec.%s: shares %s, from %s on, with MacvlanSubnet %s on the same master ens4, VLAN 7; set ranges that do not overlap'
W='master: ens4|vlan: 7|cidr: 10.71.0.0/24'
# shellcheck disable=SC2059 # the texts are made of one
shares() { printf "$S" "$@"; }
refused_subnet "$W" "$(shares cidr '10 addresses' 10.71.0.30 'high (10.71.0.0/24)')"
refused_subnet "$W|ranges: [{rangeStart: 10.71.0.19, rangeEnd: 10.71.0.29}]" \
	"$(shares ranges '1 address' 10.71.0.19 'low (10.71.0.0/24)')"
refused_subnet "$W|ranges: [{rangeStart: 10.71.0.20, rangeEnd: 10.71.0.30}]" \
	"$(shares ranges '1 address' 10.71.0.30 'high (10.71.0.0/24)')"
refused_subnet "$W|gateway: 10.71.0.15|ranges: [{rangeStart: 10.71.0.40, rangeEnd: 10.71.0.49}]" \
	'spec.gateway: "10.71.0.15" is in the ranges of MacvlanSubnet low on the same master and VLAN; exclude it there, or set another gateway'
refused_subnet 'master: ens4|vlan: 7|cidr: 10.72.0.0/24|linkType: ipvlan' \
	'spec.linkType: "ipvlan" cannot be on master ens4, VLAN 7, where MacvlanSubnet high is macvlan: a NIC carries links of one type only'
refused_subnet 'master: ens4|vlan: 7|cidr: 10.72.0.0/24|mode: passthru' \
	'spec.mode: "passthru" needs master ens4, VLAN 7 for itself, where MacvlanSubnet high is already'
refused_subnet 'master: ens9|cidr: 10.72.0.0/24' \
	'spec.master: "ens9", untagged belongs to MacvlanSubnet solo alone (mode passthru); choose another master or VLAN'

# A NIC by what it is: the schema refuses two ways and none, the webhook what may be one LAN.
SCHEMA='The MacvlanSubnet "new" is invalid: '
# invalid LINES PATTERN: the API server itself refuses it
invalid() {
	local out
	out=$(hook_spec new "$1" | k apply -f - 2>&1)
	[ -z "${SHOW:-}" ] || printf '    %s\n    -> %s\n' "$1" "$out"
	if [[ $out == "$SCHEMA"*"$2"* ]]; then
		pass "schema: $1"
	else
		fail "schema: $1" "$out"
	fi
}
invalid 'cidr: 10.1.0.0/24' 'must validate one and only one schema (oneOf)'
invalid 'master: ens8|masterSelector: {driver: igb}|cidr: 10.1.0.0/24' 'must validate one and only one schema (oneOf)'
invalid 'masterSelector: {}|cidr: 10.1.0.0/24' 'spec.masterSelector in body should have at least 1 properties'
invalid 'masterSelector: {driver: igb, namePattern: ens*}|cidr: 10.1.0.0/24' 'spec.masterSelector in body should have at most 1 properties'
invalid 'masterSelector: {addressIn: 10.1.0.0}|cidr: 10.1.0.0/24' 'spec.masterSelector.addressIn'
refused_subnet 'masterSelector: {mac: "01:00:5e:00:00:01"}|cidr: 10.1.0.0/24' \
	'spec.masterSelector.mac: "01:00:5e:00:00:01" is not the MAC of a network card'
refused_subnet 'masterSelector: {driver: igb}|cidr: 10.71.0.0/24|gateway: 10.71.0.254' \
	'spec.cidr: shares 10 addresses, from 10.71.0.30 on, with MacvlanSubnet high (10.71.0.0/24) on what may be the same LAN (masterSelector driver=igb here, master ens4 there); set ranges that do not overlap'
hook_spec chosen 'masterSelector: {addressIn: 10.79.0.0/24}|cidr: 10.79.0.0/24' | k apply -f - >/dev/null
check "a subnet with a masterSelector" wait_for 20 ready_is chosen True
refused_subnet 'masterSelector: {namePattern: ens*}|vlan: 7|cidr: 10.79.0.0/24' \
	'spec.cidr: shares 253 addresses, from 10.79.0.2 on, with MacvlanSubnet chosen (10.79.0.0/24) on what may be the same LAN (masterSelector namePattern=ens* here, masterSelector addressIn=10.79.0.0/24 there); set ranges that do not overlap'
same "kubectl shows by what" "chosen $(printf '{"addressIn":"10.79.0.0/24"}')" \
	"$(k get macvlansubnet -n kube-system chosen -o wide | awk 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "SELECTOR") n = NF - i } NR == 2 { print $1, $(NF - n) }')"
k delete macvlansubnet -n kube-system chosen >/dev/null

# ---------------------------------------------------------------- subnets in use
hook_spec used 'master: ens5|cidr: 10.74.0.0/24|ipDelayReuse: 0|exclude: [10.74.0.200-10.74.0.209]' |
	k apply -f - >/dev/null
pods 1 2 used 'tandem-cni.io/ip: 10.74.0.5-10.74.0.6, tandem-cni.io/mac: "0a:00:00:00:00:05-0a:00:00:00:00:06"' |
	k apply -f - >/dev/null
check "two pods have addresses" wait_for 20 served_is 2
# pod_of ADDRESS
pod_of() { records | awk -v a="$1/24" '$2 == a { print $1 }'; }
users=$(records | sort | awk '{ sub("/24", "", $2); print "default/" $1 " (" $2 ")" }' | paste -sd, | sed 's/,/, /')

# edited PATCH TEXT: a change that is refused
edited() {
	told "edit in use: $1" "$(denied subnets "$2")" \
		k patch macvlansubnet -n kube-system used --type merge -p "{\"spec\":$1}"
}
Y="while pods have addresses of this subnet: $users"
edited '{"cidr":"10.75.0.0/24","exclude":null}' \
	"spec.cidr: cannot change from \"10.74.0.0/24\" to \"10.75.0.0/24\" $Y"
edited '{"vlan":7}' "spec.vlan: cannot change from \"0\" to \"7\" $Y"
edited '{"master":"ens6"}' "spec.master: cannot change from \"ens5\" to \"ens6\" $Y"
edited '{"linkType":"ipvlan"}' "spec.linkType: cannot change from \"macvlan\" to \"ipvlan\" $Y"
edited '{"mode":"passthru"}' "spec.mode: cannot change from \"bridge\" to \"passthru\" $Y"
edited '{"gateway":"10.74.0.5"}' \
	"spec.gateway: \"10.74.0.5\" is the address of pod default/$(pod_of 10.74.0.5)"
told "delete in use" "$(denied subnets "MacvlanSubnet used is in use by pods $users; delete the pods first, then the subnet once their addresses are free")" \
	k delete macvlansubnet -n kube-system used
# Nor as one of a collection.
check_fails "delete in use, with all others" k delete macvlansubnets -n kube-system --all --wait=false
same "it is not being deleted" "" \
	"$(k get macvlansubnet -n kube-system used -o jsonpath='{.metadata.deletionTimestamp}')"
LOW='master: ens4|vlan: 7|cidr: 10.71.0.0/24|gateway: 10.71.0.254|ranges: [{rangeStart: 10.71.0.10, rangeEnd: 10.71.0.19}]'
hook_spec low "$LOW" | k apply -f - >/dev/null
told "ranges that shrink are told of" "Warning: pods keep addresses that the subnet no longer gives, until they end: $users
macvlansubnet.tandem-cni.io/used patched" k patch macvlansubnet -n kube-system used --type merge \
	-p '{"spec":{"ranges":[{"rangeStart":"10.74.0.50","rangeEnd":"10.74.0.99"}]}}'
k patch macvlansubnet -n kube-system used --type merge -p '{"spec":{"ranges":null}}' >/dev/null
told "what touches no pod may change" "macvlansubnet.tandem-cni.io/used patched" \
	k patch macvlansubnet -n kube-system used --type merge \
	-p '{"spec":{"mode":"private","mtu":1400,"routes":[{"dst":"10.99.0.0/16"}]}}'
told "a subnet elsewhere is told of" "Warning: MacvlanSubnets are read in namespace kube-system only; default/stray has no effect
macvlansubnet.tandem-cni.io/stray created" k apply -f - < <(hook_spec stray "$N" | sed 's/kube-system/default/')
told "two masters of one VLAN are told of" "Warning: 10.74.0.2 is also in the ranges of MacvlanSubnet used on master ens5; if that and bond0 are one network, set ranges that do not overlap
macvlansubnet.tandem-cni.io/bond created" k apply -f - < <(hook_spec bond 'master: bond0|cidr: 10.74.0.0/24')
k delete macvlansubnet -n kube-system bond >/dev/null
k delete macvlansubnet -n default stray >/dev/null

# ---------------------------------------------------------------- workloads
# template ANNOTATIONS: the rest of a workload that has a pod template
template() {
	printf '  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}, annotations: {%s}}\n' "$1"
	printf '    spec: {containers: [{name: c, image: none}]}\n'
}
# deployment NAME ANNOTATIONS [REPLICAS]
deployment() {
	printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s, namespace: default}\nspec:\n' "$1"
	printf '  strategy: {type: Recreate}\n  replicas: %s\n' "${3:-1}"
	template "$2"
}
# refused_workload ANNOTATIONS TEXT
refused_workload() {
	told "annotations: $1" "$(denied workloads "annotation tandem-cni.io/$2" creating)" \
		k apply -f - < <(deployment new "$1")
}
on() { printf 'tandem-cni.io/subnet: %s, tandem-cni.io/ip: "%s"' "$1" "$2"; }
mac() { printf '%s, tandem-cni.io/mac: "%s"' "$1" "$2"; }
M1=0a:00:00:00:00:11 M2=0a:00:00:00:00:12

refused_workload "$(on used 10.74.0.x)" \
	'ip: "10.74.0.x": must be "auto", an address, or addresses joined by hyphens'
refused_workload "$(on used 10.74.0.7-10.74.0.7)" 'ip: "10.74.0.7-10.74.0.7": names an address twice'
refused_workload 'tandem-cni.io/ip: auto' 'ip also needs annotation tandem-cni.io/subnet'
# A string that is no C string, in an annotation of somebody else's, hides nothing.
refused_workload 'example.com/note: "a\0b", tandem-cni.io/ip: auto' 'ip also needs annotation tandem-cni.io/subnet'
refused_workload 'tandem-cni.io/subnet: Vlan_100' 'subnet: "Vlan_100": is not a name of a MacvlanSubnet'
refused_workload 'tandem-cni.io/subnet: used, tandem-cni.io/interface: eth2' 'interface: "eth2": must be eth1 or eth0'
refused_workload "$(mac "$(on used 10.74.0.7)" 0a:00:00)" \
	'mac: "0a:00:00": must be "auto", a MAC like 0a:00:00:00:00:01, or MACs joined by hyphens'
refused_workload "$(mac "$(on used 10.74.0.7)" 01:00:00:00:00:01)" \
	'mac: "01:00:00:00:00:01": a card cannot have a multicast or zero MAC'
refused_workload "$(mac "$(on used 10.74.0.7)" 00:1c:42:00:00:05)" \
	'mac: 00:1c:42:00:00:05 is not locally administered (2, 6, a or e as its second digit), and MacvlanSubnet used has no allowAnyMAC'
refused_workload "$(mac "$(on used 10.74.0.7)" $M1-$M2)" \
	"mac: \"$M1-$M2\": a list of MACs needs a list of as many addresses in tandem-cni.io/ip"
refused_workload "$(mac "$(on used 10.74.0.7-10.74.0.8)" $M1-$M1)" "mac: \"$M1-$M1\": names a MAC twice"
refused_workload "$(on used 10.9.9.9)" 'ip: 10.9.9.9 is outside the cidr 10.74.0.0/24 of MacvlanSubnet used'
refused_workload "$(on low 10.71.0.20)" 'ip: 10.71.0.20 is outside the ranges of MacvlanSubnet low'
refused_workload "$(on used 10.74.0.1)" 'ip: 10.74.0.1 is the gateway of MacvlanSubnet used'
refused_workload "$(on used 10.74.0.0)" 'ip: 10.74.0.0 is the network address of MacvlanSubnet used'
refused_workload "$(on used 10.74.0.255)" 'ip: 10.74.0.255 is the broadcast address of MacvlanSubnet used'
refused_workload "$(on used 10.74.0.10-10.74.0.201)" 'ip: 10.74.0.201 is an excluded address of MacvlanSubnet used'
refused_workload "$(on used 10.74.0.5)" "ip: 10.74.0.5 is in use by pod default/$(pod_of 10.74.0.5)"
refused_workload "$(mac "$(on used 10.74.0.7)" 0a:00:00:00:00:05)" \
	"mac: 0a:00:00:00:00:05 is in use by pod default/$(pod_of 10.74.0.5)"
hook_spec nodes 'master: ens3|cidr: 192.168.100.0/24' | k apply -f - >/dev/null
hook_spec team 'master: ens2|cidr: 10.76.0.0/24|allowedNamespaces: {matchLabels: {for: team}}' | k apply -f - >/dev/null
check "two more subnets" wait_for 20 ready_is team True
refused_workload "$(on nodes 192.168.100.11)" 'ip: 192.168.100.11 is the address of node n1'
refused_workload 'tandem-cni.io/subnet: team' \
	'subnet: MacvlanSubnet team is for namespaces with for=team, which default does not have'

# What a workload names is kept for it, also without pods.
deployment holder "$(on used 10.74.0.20)" 0 | k apply -f - >/dev/null
kept() { denied workloads 'annotation tandem-cni.io/ip: 10.74.0.20 is reserved by the pod template of Deployment default/holder; choose another address or remove it there' creating; }
wait_kept() { [ "$(deployment new "$(on used 10.74.0.20)" | k apply --dry-run=server -f - 2>&1)" = "$(kept)" ]; }
check "the workload is known" wait_for 10 wait_kept
# as_kind KIND: a Deployment as another kind
as_kind() {
	case $1 in
	StatefulSet) sed "s/kind: Deployment/kind: $1/; /strategy:/d; s/replicas:/serviceName: x\n  &/" ;;
	DaemonSet) sed "s/kind: Deployment/kind: $1/; /strategy:/d; /replicas:/d" ;;
	*) cat ;;
	esac
}
for kind in Deployment StatefulSet DaemonSet; do
	told "kept for another: $kind" "$(kept)" \
		k apply -f - < <(deployment new "$(on used 10.74.0.20)" | as_kind "$kind")
done
told "kept for another: Job" "$(kept)" k apply -f - < <(
	printf 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: new, namespace: default}\nspec:\n'
	template "$(on used 10.74.0.20)" | sed '/selector/d; s/labels: {a: b}, //; s/containers/restartPolicy: Never, &/'
)
told "kept for another: CronJob" "$(kept)" k apply -f - < <(
	printf 'apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: new, namespace: default}\n'
	printf 'spec:\n  schedule: "0 0 1 1 *"\n  jobTemplate:\n    spec:\n'
	template "$(on used 10.74.0.20)" | sed '/selector/d; s/labels: {a: b}, //; s/containers/restartPolicy: Never, &/; s/^/    /'
)
told "kept for another: bare pod" "$(kept | sed 's/"workloads/"pods/')" \
	k apply -f - < <(pods 30 30 used 'tandem-cni.io/ip: 10.74.0.20' | sed 1d)

# A Deployment's own pods never count, and others are told whose they are. The controller manager's part is
# played by hand: a ReplicaSet, and its pod.
k apply -f - >/dev/null < <(
	deployment web "$(on used 10.74.0.40)"
	printf -- '---\napiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web-5d9c, namespace: default, labels: {pod-template-hash: 5d9c}}\n'
	printf 'spec:\n  replicas: 0\n'
	template "$(on used 10.74.0.40)"
)
rs_uid=$(k get replicaset web-5d9c -o jsonpath='{.metadata.uid}')
k apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Pod
	metadata:
	  name: web-5d9c-x
	  namespace: default
	  labels: {pod-template-hash: 5d9c}
	  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-5d9c, uid: $rs_uid, controller: true}]
	  annotations: {$(on used 10.74.0.40)}
	spec: {nodeName: n1, containers: [{name: c, image: none}]}
YAML
check "its pod has the address" wait_for 20 served_is 3
told "its own pod does not count" "deployment.apps/web configured" \
	k apply -f - < <(deployment web "$(on used 10.74.0.40-10.74.0.41)")
k scale deployment web --replicas=0 >/dev/null
told "another's pod is named with its owner" \
	"$(denied workloads 'annotation tandem-cni.io/mac: MAC is in use by pod default/web-5d9c-x of Deployment default/web' creating)" \
	eval "deployment new '$(mac "$(on used 10.74.0.50)" "$(k get macvlanip web-5d9c-x -o jsonpath='{.spec.mac}')")' |
		k apply -f - 2>&1 | sed 's/mac: [0-9a-f:]\{17\} /mac: MAC /'"

# What was so before does not stand in the way of other changes.
told "a scale, with annotations that would be refused now" "deployment.apps/holder scaled" \
	k scale deployment holder --replicas=3

told "warning: a subnet that may come in the same file" "Warning: MacvlanSubnet later does not exist in namespace kube-system yet; pods wait for it
deployment.apps/later created" k apply -f - < <(deployment later 'tandem-cni.io/subnet: later')
told "warning: more pods than addresses" "Warning: 3 pods and 1 addresses in tandem-cni.io/ip: the others wait until one is free
deployment.apps/many created" k apply -f - < <(deployment many "$(on used 10.74.0.60)" 3)
told "warning: an annotation nobody knows" "Warning: annotation tandem-cni.io/adress is unknown; known are subnet, ip, mac and interface
deployment.apps/typo created" k apply -f - < <(deployment typo 'tandem-cni.io/subnet: used, tandem-cni.io/adress: x')
told "warning: annotations in the wrong place" "Warning: annotation tandem-cni.io/subnet has no effect on a Deployment; set it in spec.template.metadata.annotations
deployment.apps/wrong created" k apply -f - < <(deployment wrong '' |
	sed 's,namespace: default,&\, annotations: {tandem-cni.io/subnet: used},')
told "warning: hostNetwork" "Warning: pods with hostNetwork get no card; the tandem-cni.io annotations have no effect
deployment.apps/host created" k apply -f - < <(deployment host 'tandem-cni.io/subnet: used' |
	sed 's/spec: {containers/spec: {hostNetwork: true, containers/')
told "the system namespace is left alone" "deployment.apps/new created" \
	k apply -f - < <(deployment new "$(on used 10.74.0.1)" | sed 's/namespace: default/namespace: kube-system/')
k delete deployments --all -A >/dev/null
k delete replicasets --all >/dev/null

# ---------------------------------------------------------------- two at once
# Whether both pass or one is refused: no address is ever given by two subnets. Where both passed, neither
# gives what is shared.
exists() { k get macvlansubnet -n kube-system "$1" >/dev/null 2>&1; }
settled() {
	if exists "$1a" && exists "$1b"; then
		status_is "$1a" total 128 && status_is "$1b" total 0
	elif exists "$1a"; then
		status_is "$1a" total 253
	else
		exists "$1b" && status_is "$1b" total 125
	fi
}
half() { hook_spec "$1" "master: ens1|vlan: $2|cidr: 10.80.$2.0/$3" | k apply -f - 2>&1; }
for i in 1 2 3; do
	half "both${i}a" "$i" 24 >/dev/null &
	first=$!
	half "both${i}b" "$i" 25 >/dev/null
	wait "$first"
	check "overlapping subnets made at the same time, $i" wait_for 20 settled "both$i"
done
# Both for certain: nobody is asked.
kill -STOP "$pid_controller"
k delete validatingwebhookconfiguration tandem-controller >/dev/null
half both4a 4 24 >/dev/null
half both4b 4 25 >/dev/null
half both5a 5 24 >/dev/null
hook_spec both5b 'masterSelector: {driver: igb}|vlan: 5|cidr: 10.80.5.0/25' | k apply -f - >/dev/null
kill -CONT "$pid_controller"
check "overlapping subnets that nobody was asked about" wait_for 20 settled both4
check "both are there" eval 'exists both4a && exists both4b'
overlap_is() {
	[ "$(k get macvlansubnet -n kube-system "$1" \
		-o jsonpath='{.status.conditions[?(@.type=="Overlap")].status}')" = True ]
}
check "and say so" wait_for 10 overlap_is both4a
check "a selector may find the other's NIC: neither gives what is shared" wait_for 20 settled both5
check "and says so" wait_for 10 overlap_is both5b
same "in these words" \
	"addresses shared on what may be the same LAN, given by neither: 125 with MacvlanSubnet both5a (from 10.80.5.2); set ranges that do not overlap" \
	"$(k get macvlansubnet -n kube-system both5b -o jsonpath='{.status.conditions[?(@.type=="Overlap")].message}')"
check "a configuration deleted by hand comes back" wait_for 20 conf
told "what was so before is no obstacle" "Warning: spec.cidr: shares 125 addresses, from 10.80.4.2 on, with MacvlanSubnet both4b (10.80.4.0/25) on the same master ens1, VLAN 4; set ranges that do not overlap
macvlansubnet.tandem-cni.io/both4a patched" \
	k patch macvlansubnet -n kube-system both4a --type merge -p '{"spec":{"mtu":1400}}'

# ---------------------------------------------------------------- nobody answers
# millis VAR COMMAND...: how long it takes
millis() {
	local name=$1 start end
	shift
	tests_now_ms start
	"$@" >"$DIR/millis" 2>&1
	tests_now_ms end
	printf -v "$name" '%s' $((end - start))
}
unanswered='Error from server (InternalError): error when creating "STDIN": Internal error occurred: failed calling webhook "subnets.tandem-cni.io": '
apply_one() { k apply -f "$DIR/one.yaml" 2>&1; }
fresh() { hook_spec "$1" "master: ens0|vlan: $2|cidr: 10.81.$2.0/24|ipDelayReuse: 0"; }
fresh fresh1 1 | k apply -f - >/dev/null
fresh fresh2 2 | k apply -f - >/dev/null
check "subnets without a finalizer" wait_for 20 ready_is fresh2 True
same "yet" "" "$(k get macvlansubnet -n kube-system fresh1 -o jsonpath='{.metadata.finalizers}')"

kill -STOP "$pid_controller"
same "no answer: a subnet is refused" "$unanswered" \
	"$(fresh fresh3 3 | k apply -f - 2>&1 | grep -o "^${unanswered//./\\.}")"
deployment silent "$(on fresh1 1.2.3.4)" >"$DIR/one.yaml"
millis took apply_one
same "no answer: a Deployment passes" "deployment.apps/silent created" "$(cat "$DIR/millis")"
echo "    after $took ms"
pods 40 40 fresh1 | sed 1d >"$DIR/one.yaml"
millis took apply_one
same "no answer: a pod passes" "pod/p40 created" "$(cat "$DIR/millis")"
echo "    after $took ms"
kill -CONT "$pid_controller"
finalizer_of() { [ "$(k get macvlansubnet -n kube-system "$1" -o jsonpath='{.metadata.finalizers}')" = '["tandem-cni.io/in-use"]' ]; }
check "back: its own finalizer passes" wait_for 20 finalizer_of fresh1
check "and the pod is served" wait_for 20 k get macvlanip p40
k delete deployment silent >/dev/null

stop "$pid_controller"
refused="dial tcp $HOOK: connect: connection refused"
told "nobody there: a subnet is refused" "${unanswered}Post \"https://$HOOK/admit?timeout=5s\": $refused" \
	k apply -f - < <(fresh fresh3 3)
told "nobody there: not even deleted" \
	"Error from server (InternalError): Internal error occurred: failed calling webhook \"subnets.tandem-cni.io\": Post \"https://$HOOK/admit?timeout=5s\": $refused" \
	k delete macvlansubnet -n kube-system fresh2
told "nobody there: a Deployment passes" "deployment.apps/silent created" \
	k apply -f - < <(deployment silent "$(on fresh1 1.2.3.4)")
told "nobody there: a pod passes" "pod/p41 created" k apply -f - < <(pods 41 41 fresh2 | sed 1d)
k delete deployment silent >/dev/null

# The configuration leads to where nobody is: the controller writes a finalizer all the same, and so serves.
HOOK=127.0.0.1:$((PORT + 6))
hook_up
leads_there() { [ "$(conf -o jsonpath='{.webhooks[0].clientConfig.url}')" = "https://$HOOK/admit" ]; }
check "elsewhere, it leads the API server there" wait_for 30 leads_there
check "its own finalizer passes" wait_for 30 finalizer_of fresh2
check "and the pod is served" wait_for 30 k get macvlanip p41
told "it answers" "$(denied subnets 'spec.gateway: "10.1.0.0" is the network address' creating)" \
	k apply -f - < <(hook_spec new "$N|gateway: 10.1.0.0")

# ---------------------------------------------------------------- certificates
# The API server asks all the time, and so does a client that trusts what the configuration says, with a new
# handshake each time. All of it must be answered while certificates and authorities follow each other; but not
# who comes three seconds after he has read whom to trust, since here an authority is past in some ten.
stop "$pid_controller"
k delete secret -n kube-system tandem-webhook-cert >/dev/null
hook_up --webhook-cert-duration 12s --webhook-authority-duration 30s
rotated() { [ "$(grep -c "msg=\"webhook: certificate is written\".*what=\"\?$1" "$DIR/controller.log")" -ge "$2" ]; }
check "what is deleted is made again" wait_for 30 rotated 'all new' 2
check "and trusted" wait_for 30 hook_answers
ask_all_the_time() {
	local asked said
	hook_spec dry "$N" | "$KUBE_BIN/kubectl" create --dry-run=client -o json -f - \
		--kubeconfig "$DIR/admin.conf" --cache-dir "$DIR/cache" >"$DIR/dry.json"
	while :; do
		curl -s -o "$DIR/dry.out" -w 'api %{http_code}\n' --max-time 30 --cacert "$DIR/tls.crt" \
			-H 'Authorization: Bearer admin' -H 'Content-Type: application/json' \
			--data-binary "@$DIR/dry.json" \
			"$API/apis/tandem-cni.io/v1/namespaces/kube-system/macvlansubnets?dryRun=All" || echo "api failed"
		grep -q 'failed calling' "$DIR/dry.out" && cat "$DIR/dry.out"
		asked=$SECONDS
		curl -sf --max-time 30 --cacert "$DIR/tls.crt" -H 'Authorization: Bearer admin' \
			"$API/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/tandem-controller" |
			jq -r '.webhooks[0].clientConfig.caBundle' | base64 -d >"$DIR/trusted.pem"
		said=$(curl -s -o /dev/null -w 'tls %{http_code}' --max-time 30 --cacert "$DIR/trusted.pem" \
			"https://$HOOK/healthz")
		[ "$said" != "tls 200" ] && [ $((SECONDS - asked)) -ge 3 ] || echo "$said"
	done
}
start asking ask_all_the_time
before_renewed=$(grep -c 'what=renewed' "$DIR/controller.log")
check "two authorities follow" wait_for 180 rotated 'next authority' 2
check "and certificates of theirs" wait_for 60 rotated renewed $((before_renewed + 3))
many() { [ "$(grep -c "$1" "$DIR/asking.log")" -ge 20 ]; }
check "it was asked by the API server all along" wait_for 60 many 'api 201'
check "and by others" wait_for 60 many 'tls 200'
stop "$pid_asking"
same "every call was answered" "" "$(grep -v '^api 201$\|^tls 200$' "$DIR/asking.log")"
echo "    $(grep -c 'api 201' "$DIR/asking.log") calls, $(grep -c 'what=renewed' "$DIR/controller.log") renewals, $(grep -c 'next authority' "$DIR/controller.log") authorities"

# ---------------------------------------------------------------- while it starts
# Without the right to read nodes the caches do not fill: subnets are put off, which kubectl waits for by itself,
# workloads pass.
stop "$pid_controller"
k get clusterrole tandem-controller -o json |
	jq '(.rules[] | select(.resources | index("nodes"))).resources -= ["nodes"]' | k replace -f - >/dev/null
# Not one of the certificates of 12 s, which would run out in the middle of this.
k delete secret -n kube-system tandem-webhook-cert >/dev/null
hook_up
starting="tandem-controller has just started and is still reading the cluster; try again"
not_ready() { [ "$(curl -sk -o /dev/null -w '%{http_code}' --max-time 5 "https://$HOOK/readyz")" = 503 ]; }
check "it answers, but is not ready" wait_for 30 not_ready
trusted() { k annotate macvlansubnet -n kube-system used note=w --overwrite; }
check "its new certificate is trusted" wait_for 30 trusted
told "meanwhile a workload passes" "deployment.apps/silent created" \
	k apply -f - < <(deployment silent "$(on used 1.2.3.4)")
told "a change of metadata passes" "macvlansubnet.tandem-cni.io/used annotated" \
	k annotate macvlansubnet -n kube-system used note=x --overwrite
put_off=$(grep -c "$starting" "$DIR/controller.log")
fresh fresh4 4 >"$DIR/one.yaml"
apply_one >"$DIR/put-off" &
waiting=$!
tried() { [ "$(grep -c "$starting" "$DIR/controller.log")" -ge $((put_off + 3)) ]; }
check "kubectl tries again by itself" wait_for 60 tried
k apply -f "$ROOT/manifests/base/rbac.yaml" >/dev/null
wait "$waiting"
passes() { apply_one | grep -q 'fresh4 \(created\|unchanged\)'; }
check "in the end it passes" wait_for 60 passes
k delete deployment silent >/dev/null

# ---------------------------------------------------------------- two replicas
# The standby shows the same certificate and gives the same answers; only the leader writes.
shown_by() { openssl s_client -connect "$1" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint 2>/dev/null; }
ask_directly() {
	curl -sk --max-time 10 -H 'Content-Type: application/json' --data-binary @- "https://$1/admit" <<-JSON
		{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","operation":"DELETE",
		"resource":{"group":"tandem-cni.io","resource":"macvlansubnets"},"namespace":"kube-system",
		"oldObject":{"metadata":{"name":"fresh1"}}}}
	JSON
}
stop "$pid_controller"
hook_up --leader-elect=true
check "a leader" wait_for 60 grep -q msg=leading "$DIR/controller.log"
other=127.0.0.1:$((PORT + 7))
candidate standby --leader-elect=true --webhook-url "https://$other" --webhook-bind-address "$other"
check "a standby that is ready" wait_for 60 curl -skf --max-time 5 -o /dev/null "https://$other/readyz"
check "the leader is" wait_for 60 hook_answers
same "one certificate" "$(shown_by "$HOOK")" "$(shown_by "$other")"
same "one answer" "$(ask_directly "$HOOK")" "$(ask_directly "$other")"
same "it is a refusal" 'false 403 MacvlanSubnet fresh1 is in use by pods default/p40 (10.81.1.2); delete the pods first, then the subnet once their addresses are free' \
	"$(ask_directly "$other" | jq -r '.response | "\(.allowed) \(.status.code) \(.status.message)"')"
check "the configuration is the leader's" leads_there
stop "$pid_controller"
HOOK=$other
check "when it is gone, the other's" wait_for 60 leads_there
stop "$pid_standby"

# ---------------------------------------------------------------- the end
gone_conf() { gone validatingwebhookconfiguration tandem-controller; }
controller_up
check "a controller without webhook takes the configuration away" wait_for 30 gone_conf
told "and subnets are not refused for want of it" "macvlansubnet.tandem-cni.io/fresh3 created" \
	k apply -f - < <(fresh fresh3 3)
k delete pods --all --force --grace-period=0 >/dev/null 2>&1
check "held, then free" wait_for 30 no_records
k delete macvlansubnets -n kube-system --all --timeout=30s >/dev/null
stop "$pid_controller"
# By a Service, as in a cluster: not before there is one, since all changes of subnets would be refused.
candidate controller --leader-elect=false --webhook-bind-address "$HOOK"
check "no Service yet" wait_for 60 grep -q 'services.*tandem-controller-webhook.*not found' "$DIR/controller.log"
check "no configuration yet" gone_conf
k apply -f "$DIR/tandem.yaml" >/dev/null
check "with a Service it appears" wait_for 60 conf
same "and leads to it" '{"name":"tandem-controller-webhook","namespace":"kube-system","path":"/admit","port":443}' \
	"$(conf -o json | jq -cS '.webhooks[0].clientConfig.service')"
k delete deployments,daemonsets,services,poddisruptionbudgets -n kube-system -l app.kubernetes.io/name=tandem >/dev/null
stop "$pid_controller"
same "uninstalled" 0 "$("$TANDEM_CONTROLLER_BIN" --kubeconfig "$DIR/controller.conf" --uninstall-webhook >&2; echo $?)"
check "no configuration" gone_conf
check "no Secret" gone secret -n kube-system tandem-webhook-cert
same "uninstalled twice" 0 "$("$TANDEM_CONTROLLER_BIN" --kubeconfig "$DIR/controller.conf" --uninstall-webhook >&2; echo $?)"
