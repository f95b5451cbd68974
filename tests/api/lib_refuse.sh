# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: what is refused, by the schema, in the status, and in events on pods.

# Each line: a name, then the lines of spec after master and cidr (or instead: "cidr: X").
bad_specs() {
	cat <<-'LINES'
		vlan too large|cidr: 10.1.0.0/24|vlan: 4095
		vlan negative|cidr: 10.1.0.0/24|vlan: -1
		vlan a word|cidr: 10.1.0.0/24|vlan: abc
		cidr without prefix|cidr: 10.1.0.0
		cidr with an octet of 300|cidr: 10.1.300.0/24
		cidr with prefix 33|cidr: 10.1.0.0/33
		cidr a word|cidr: lan
		no cidr|vlan: 1
		unknown mode|cidr: 10.1.0.0/24|mode: l4
		unknown link type|cidr: 10.1.0.0/24|linkType: vxlan
		gateway a word|cidr: 10.1.0.0/24|gateway: router
		range without end|cidr: 10.1.0.0/24|ranges: [{rangeStart: 10.1.0.5}]
		range start a word|cidr: 10.1.0.0/24|ranges: [{rangeStart: a, rangeEnd: 10.1.0.9}]
		route without dst|cidr: 10.1.0.0/24|routes: [{gw: 10.1.0.1}]
		route on eth2|cidr: 10.1.0.0/24|routes: [{dst: 10.9.0.0/16, iface: eth2}]
		delay too long|cidr: 10.1.0.0/24|ipDelayReuse: 216001
		delay negative|cidr: 10.1.0.0/24|ipDelayReuse: -1
		mtu too large|cidr: 10.1.0.0/24|mtu: 65536
		exclude a word|cidr: 10.1.0.0/24|exclude: [printer]
		service CIDR a word|cidr: 10.1.0.0/24|podDefaultGateway: {enable: true, serviceCidr: x}
		operator unknown|cidr: 10.1.0.0/24|allowedNamespaces: {matchExpressions: [{key: a, operator: Is}]}
	LINES
}

# spec_yaml NAME LINES: a subnet with these lines of spec, separated by bars
spec_yaml() {
	printf 'apiVersion: tandem-cni.io/v1\nkind: MacvlanSubnet\n'
	printf 'metadata: {name: %s, namespace: kube-system}\nspec:\n  master: ens4\n' "$1"
	tr '|' '\n' <<<"$2" | sed 's/^/  /'
}

while IFS='|' read -r name lines; do
	check_fails "schema: $name" k apply -f <(spec_yaml bad "$lines")
done < <(bad_specs)
check_fails "schema: no master" k apply -f - <<-YAML
	apiVersion: tandem-cni.io/v1
	kind: MacvlanSubnet
	metadata: {name: bad, namespace: kube-system}
	spec: {cidr: 10.1.0.0/24}
YAML
same "nothing of it was stored" "" "$(k get macvlansubnets -A -o name)"

# invalid NAME LINES MESSAGE: what a schema cannot say stands in the condition
message_is() {
	[ "$(k get macvlansubnet -n kube-system bad \
		-o jsonpath='{.status.conditions[?(@.type=="Ready")].message}')" = "$1" ]
}
invalid() {
	k apply -f <(spec_yaml bad "$2") >/dev/null
	wait_for 5 message_is "$3" || k get macvlansubnet -n kube-system bad -o yaml | sed 's/^/    /'
	check "condition: $1" message_is "$3"
	k delete macvlansubnet -n kube-system bad >/dev/null
}

controller_alive || controller_up
invalid "gateway outside" 'cidr: 10.1.0.0/24|gateway: "fd00::1"' \
	'spec.gateway: "fd00::1" is of another family than the cidr'
invalid "range outside" 'cidr: 10.1.0.0/24|ranges: [{rangeStart: 10.1.0.9, rangeEnd: 10.1.1.9}]' \
	'spec.ranges[0].rangeEnd: "10.1.1.9" lies outside the cidr'
invalid "range backwards" 'cidr: 10.1.0.0/24|ranges: [{rangeStart: 10.1.0.9, rangeEnd: 10.1.0.5}]' \
	'spec.ranges[0]: rangeEnd 10.1.0.5 is below rangeStart'
invalid "ranges overlap" \
	'cidr: 10.1.0.0/24|ranges: [{rangeStart: 10.1.0.5, rangeEnd: 10.1.0.9}, {rangeStart: 10.1.0.9, rangeEnd: 10.1.0.9}]' \
	'spec.ranges[1]: overlaps with ranges[0]'
invalid "a /8 without ranges" 'cidr: 10.0.0.0/8' \
	'spec.cidr: /8 is larger than a /16; set ranges'
invalid "mode of the other kind" 'cidr: 10.1.0.0/24|mode: l2' \
	'spec.mode: "l2" must be bridge, private, vepa or passthru'
invalid "no IPv6 after all" "cidr: '::::/64'" 'spec.cidr: "::::/64" is not a CIDR'

# pod NAME YAML-of-metadata YAML-of-spec
pod() {
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: default, %s}\n' "$1" "$2"
	printf 'spec: {nodeName: n1, containers: [{name: c, image: none}]%s}\n' "${3:+, $3}"
}

# refused NAME REASON MESSAGE YAML-of-metadata [YAML-of-spec]
refused() {
	local name=$1 reason=$2 message=$3
	shift 3
	k apply -f <(pod "$name" "$@") >/dev/null
	wait_for 5 event_is "$name" "$reason"
	same "event: $reason" "$message" "$(event_is "$name" "$reason")"
	same "no record: $reason" "" "$(k get macvlanip "$name" -o jsonpath='{.spec.cidr}' 2>/dev/null)"
	k delete pod "$name" --force --grace-period=0 >/dev/null 2>&1
}

subnet ok 10.60.0.0/24 'ipDelayReuse: 0' | k apply -f - >/dev/null
subnet picky 10.61.0.0/24 'nodeSelector: {matchLabels: {lan: "no"}}' \
	'allowedNamespaces: {}' | k apply -f - >/dev/null
subnet private 10.62.0.0/24 'allowedNamespaces: {matchLabels: {team: a}}' | k apply -f - >/dev/null
check "three subnets are ready" wait_for 10 ready_is private True

refused nosuch SubnetNotFound "MacvlanSubnet nosuch does not exist in namespace kube-system; create it, or correct annotation tandem-cni.io/subnet" \
	'annotations: {tandem-cni.io/subnet: nosuch}'
refused badip InvalidAnnotation \
	'annotation tandem-cni.io/ip: "10.60.0.x": must be "auto", an address, or addresses joined by hyphens' \
	'annotations: {tandem-cni.io/subnet: ok, tandem-cni.io/ip: 10.60.0.x}'
refused badmac InvalidAnnotation \
	'annotation tandem-cni.io/mac: "01:00:00:00:00:01": a card cannot have a multicast or zero MAC' \
	'annotations: {tandem-cni.io/subnet: ok, tandem-cni.io/mac: "01:00:00:00:00:01"}'
refused makers MACNotAllowed \
	"annotation tandem-cni.io/mac: 00:1c:42:00:00:05 is not locally administered (2, 6, a or e as its second digit), and MacvlanSubnet ok has no allowAnyMAC" \
	'annotations: {tandem-cni.io/subnet: ok, tandem-cni.io/mac: "00:1c:42:00:00:05"}'
refused alone InvalidAnnotation "annotation tandem-cni.io/ip also needs annotation tandem-cni.io/subnet" \
	'annotations: {tandem-cni.io/ip: auto}'
refused outside AddressNotInSubnet \
	'annotation tandem-cni.io/ip: "10.9.9.9": MacvlanSubnet ok does not give that address; choose one of its ranges' \
	'annotations: {tandem-cni.io/subnet: ok, tandem-cni.io/ip: 10.9.9.9}'
refused gateway AddressNotInSubnet \
	'annotation tandem-cni.io/ip: "10.60.0.1": MacvlanSubnet ok does not give that address; choose one of its ranges' \
	'annotations: {tandem-cni.io/subnet: ok, tandem-cni.io/ip: 10.60.0.1}'
refused host HostNetworkPod \
	"a pod with hostNetwork gets no card; remove the tandem-cni.io annotations" \
	'annotations: {tandem-cni.io/subnet: ok}' 'hostNetwork: true'
refused picky NodeNotSelected \
	"node n1 does not reach MacvlanSubnet picky, which is for nodes with lan=no; set such a nodeSelector in the pod" \
	'annotations: {tandem-cni.io/subnet: picky}'
refused private NamespaceNotAllowed \
	"MacvlanSubnet private is for namespaces with team=a, which default does not have; choose another subnet, or label the namespace" \
	'annotations: {tandem-cni.io/subnet: private}'

# A quota of one pod is enough for a whole subnet where nodes need not exist: each pod that is deleted by force holds
# its address for as long as nobody has seen its card go.
for i in 1 2 3; do
	k apply -f <(pod "ghost$i" 'annotations: {tandem-cni.io/subnet: ok}' | sed 's/nodeName: n1/nodeName: n404/') >/dev/null
	check "event: no such node" wait_for 5 event_is "ghost$i" NodeUnknown
	[ "$i" = 3 ] || k delete pod "ghost$i" --force --grace-period=0 >/dev/null 2>&1
done
same "which names it" "the pod is bound to node n404, which does not exist; it gets an address when the Node does" \
	"$(event_is ghost3 NodeUnknown)"
same "nothing is used or held" "0 0" \
	"$(k get macvlansubnet -n kube-system ok -o jsonpath='{.status.used} {.status.reserved}')"
printf 'apiVersion: v1\nkind: Node\nmetadata: {name: n404}\n' | k apply -f - >/dev/null
check "a node that appears: its pod is served" wait_for 5 served_is 1
finish_one() {
	curls PATCH application/merge-patch+json "$TERMINATED" "/api/v1/namespaces/default/pods/$1/status"
	curls DELETE application/json '{"gracePeriodSeconds":0}' "/api/v1/namespaces/default/pods/$1"
}
k delete pod ghost3 --wait=false >/dev/null
finish_one ghost3
check "and freed as any other" wait_for 10 no_records
k delete node n404 >/dev/null

# A MAC as makers give them to machines may be a machine's: one on the LAN gets another's frames.
k apply -f <(pod made 'annotations: {tandem-cni.io/subnet: ok, tandem-cni.io/mac: "00:1c:42:00:00:05"}') >/dev/null
check "event: a MAC that the subnet does not allow" wait_for 5 event_is made MACNotAllowed
k patch macvlansubnet -n kube-system ok --type merge -p '{"spec":{"allowAnyMAC":true}}' >/dev/null
check "once it does, the pod is served" wait_for 5 served_is 1
same "with that MAC" "00:1c:42:00:00:05" "$(k get macvlanip made -o jsonpath='{.spec.mac}')"
k patch macvlansubnet -n kube-system ok --type merge -p '{"spec":{"allowAnyMAC":null}}' >/dev/null
k delete pod made --wait=false >/dev/null
finish_one made
check "and freed" wait_for 10 no_records

k apply -f <(pod late 'labels: {a: b}') >/dev/null
curls PATCH application/merge-patch+json '{"status":{"phase":"Running","podIP":"10.42.0.9"}}' \
	/api/v1/namespaces/default/pods/late/status
k annotate pod late tandem-cni.io/subnet=ok >/dev/null
check "event: annotated after its network was made" wait_for 5 event_is late AnnotatedTooLate

# Once the reason is gone, the pod is served without a hand.
k apply -f <(pod wish 'annotations: {tandem-cni.io/subnet: private}') >/dev/null
wait_for 5 event_is wish NamespaceNotAllowed
k label namespace default team=a >/dev/null
check "a namespace that gets the label is served" wait_for 5 served_is 1
k annotate pod wish --overwrite tandem-cni.io/subnet=ok >/dev/null
check "event: annotations changed when it had its address" wait_for 5 event_is wish AnnotatedTooLate
same "which says what counts" "the pod's annotations were changed after it was scheduled and have no effect: its card stays in MacvlanSubnet private with 10.62.0.2/24; recreate the pod" \
	"$(event_is wish AnnotatedTooLate)"
same "and nothing else changes" "wish 10.62.0.2/24" "$(records | cut -d' ' -f1,2)"
k annotate pod wish --overwrite tandem-cni.io/subnet=private >/dev/null

k apply -f <(pod fixed 'annotations: {tandem-cni.io/subnet: ok, tandem-cni.io/ip: 10.60.0.77-10.60.0.78, tandem-cni.io/mac: "0a:00:00:00:00:77-0a:00:00:00:00:78"}') >/dev/null
k apply -f <(pod fixed2 'annotations: {tandem-cni.io/subnet: ok, tandem-cni.io/ip: 10.60.0.77-10.60.0.78, tandem-cni.io/mac: "0a:00:00:00:00:77-0a:00:00:00:00:78"}') >/dev/null
k apply -f <(pod fixed3 'annotations: {tandem-cni.io/subnet: ok, tandem-cni.io/ip: 10.60.0.77-10.60.0.78}') >/dev/null
check "two of three have an address of the list" wait_for 5 served_is 3
check "event: the third waits" wait_for 5 event_is fixed3 AddressInUse
same "addresses and MACs go together" "10.60.0.77/24 0a:00:00:00:00:77
10.60.0.78/24 0a:00:00:00:00:78" "$(records | grep ^fixed | cut -d' ' -f2- | sort)"

subnet twin 10.60.0.0/24 'ranges: [{rangeStart: 10.60.0.100, rangeEnd: 10.60.0.109}]' |
	k apply -f - >/dev/null
check "overlapping subnets: the later gives none of what is shared" wait_for 5 status_is twin total 0
check "nor the earlier" wait_for 5 status_is ok total 243

# No namespace gets more than its share, however many of its pods wait; what is held counts, and another's is its own.
subnet share 10.63.0.0/24 'ipDelayReuse: 0' 'maxPerNamespace: 2' | k apply -f - >/dev/null
check "a subnet with a limit is ready" wait_for 10 ready_is share True
in_share() { [ "$(k get macvlanips -A -o json | jq '[.items[] | select(.spec.subnet == "share" and .spec.cidr)] | length')" -eq "$1" ]; }
for i in 1 2 3; do
	k apply -f <(pod "share$i" 'annotations: {tandem-cni.io/subnet: share}') >/dev/null
	[ "$i" = 3 ] || check "two of a namespace are served: $i" wait_for 5 in_share "$i"
done
check "event: the third is one too many" wait_for 5 event_is share3 NamespaceLimit
same "with the numbers" "MacvlanSubnet share gives a namespace 2 addresses at most (maxPerNamespace), and default has 2; the pod gets one as soon as one of them is given back; largest holders: namespace default (2)" \
	"$(event_is share3 NamespaceLimit)"
k create namespace other >/dev/null
k apply -f <(pod share4 'annotations: {tandem-cni.io/subnet: share}' | sed 's/namespace: default/namespace: other/') >/dev/null
check "another namespace has its own share" wait_for 5 in_share 3
k delete pod share1 --force --grace-period=0 >/dev/null 2>&1
check "deleted by force: its address is held" wait_for 5 status_is share reserved 1
same "and still counts" "" "$(k get macvlanip share3 -o jsonpath='{.spec.cidr}')"
share3_is_served() { [ -n "$(k get macvlanip share3 -o jsonpath='{.spec.cidr}')" ]; }
check "given back: the third is served" wait_for 20 share3_is_served
k apply -f <(pod share5 'annotations: {tandem-cni.io/subnet: share}') >/dev/null
check "event: again one too many" wait_for 5 event_is share5 NamespaceLimit
k patch macvlansubnet -n kube-system share --type merge -p '{"spec":{"maxPerNamespace":3}}' >/dev/null
check "a higher limit serves it" wait_for 5 in_share 4
k delete pod -n other share4 --force --grace-period=0 >/dev/null 2>&1
k delete pod share2 share3 share5 --force --grace-period=0 >/dev/null 2>&1
check "all of them are held, then free" wait_for 20 in_share 0

# A second controller takes over: the first one sees its term and exits at once.
first=$pid_controller
controller_up
exits() { ! kill -0 "$first" 2>/dev/null; }
check "the former controller exits" wait_for 10 exits
wait "$first"
same "with its own status" 3 $?
check "the new one has the next term" wait_for 5 status_is ok allocation.term 2

# A status wiped by hand: the controller exits, and its successor adopts what the records say.
first=$pid_controller
curls PATCH application/merge-patch+json '{"status":{"allocation":null}}' \
	/apis/tandem-cni.io/v1/namespaces/kube-system/macvlansubnets/ok/status
check "its record wiped by hand, it exits" wait_for 10 exits
controller_up
check "its successor adopts the records" wait_for 10 status_is ok used 2

# More than a commit takes, who all name what is never given: they are not in the way of one who names nothing.
subnet vain 10.63.0.0/24 'vlan: 63' | k apply -f - >/dev/null
pods 3001 3420 vain 'tandem-cni.io/ip: 10.63.0.1' | k create -f - >/dev/null
check "420 pods name the gateway" wait_for 60 event_is p3420 AddressNotInSubnet
pods 3421 3421 vain | k create -f - >/dev/null
has_address() { [ -n "$(k get macvlanip "$1" -o jsonpath='{.spec.cidr}')" ]; }
check "the next one is served" wait_for 20 has_address p3421
same "and none of them" 1 "$(records | grep -c p3)"

k delete macvlansubnet -n kube-system twin >/dev/null
k delete pods --all --force --grace-period=0 >/dev/null 2>&1
check "held, then free" wait_for 20 no_records
k delete macvlansubnets -n kube-system --all --timeout=20s >/dev/null
kill "$pid_controller"
wait "$pid_controller"
same "SIGTERM ends it cleanly" 0 $?
bad_options() { "$TANDEM_CONTROLLER_BIN" --kubeconfig "$DIR/controller.conf" "$@" 2>&1 | sed 's/.*error=//'; }
same "options that exclude each other are refused" \
	'"--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline"' \
	"$(bad_options --leader-elect-lease-duration 10s)"
same "and a retry period that is too long" \
	'"--leader-elect-renew-deadline must be longer than 1.2 times --leader-elect-retry-period"' \
	"$(bad_options --leader-elect-retry-period=9s)"
