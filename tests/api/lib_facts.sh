# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: what the controller finds out about the cluster's networks, and tells the nodes.
[ -z "${pid_controller:-}" ] || stop "$pid_controller"
CLUSTER=(configmap -n kube-system tandem-cluster)
facts() { k get "${CLUSTER[@]}" -o json | jq -c .data; }
facts_are() { [ "$(facts)" = "$1" ]; }
# told NAME DATA: in time
told() { check "$1" wait_for 20 facts_are "$2" || echo "    $(facts)"; }
# node NAME PODCIDR...
node() {
	local name=$1
	shift
	k apply -f - >/dev/null <<-YAML
		apiVersion: v1
		kind: Node
		metadata: {name: $name}
		spec: {podCIDR: $1, podCIDRs: [$(
			IFS=,
			echo "$*"
		)]}
	YAML
}
settings() { k create configmap -n kube-system tandem-settings --dry-run=client -o yaml "$@" | k apply -f - >/dev/null; }

# ---------------------------------------------------------------- found
controller_up
told "the Services' network is what the API server names" '{"serviceCIDR":"10.43.0.0/16"}'
# ServiceCIDRs and answers to a dry run are later versions': controller/facts/facts_test.c.
same "no Service was made for it" "kubernetes" "$(k get svc -A -o json | jq -r '.items[].metadata.name')"
node n2 10.42.0.0/24
told "a node's pods" '{"clusterCIDR":"10.42.0.0/24","serviceCIDR":"10.43.0.0/16"}'
node n3 10.42.1.0/24
told "two halves are one" '{"clusterCIDR":"10.42.0.0/23","serviceCIDR":"10.43.0.0/16"}'
node n4 10.42.3.0/24
told "nothing is said that no node has" '{"clusterCIDR":"10.42.0.0/23,10.42.3.0/24","serviceCIDR":"10.43.0.0/16"}'
k delete node n3 n4 >/dev/null
told "nodes that are gone" '{"clusterCIDR":"10.42.0.0/24","serviceCIDR":"10.43.0.0/16"}'
dns() { # dns NAME ADDRESS [LABELS]
	k apply -f - >/dev/null <<-YAML
		apiVersion: v1
		kind: Service
		metadata: {name: $1, namespace: kube-system, labels: {${3:-}}}
		spec: {clusterIP: $2, ports: [{port: 53, protocol: UDP}]}
	YAML
}
dns rke2-coredns 10.43.0.11 'k8s-app: kube-dns'
told "DNS by its label" '{"clusterCIDR":"10.42.0.0/24","clusterDNS":"10.43.0.11","serviceCIDR":"10.43.0.0/16"}'
dns kube-dns 10.43.0.10
told "and by its name before" '{"clusterCIDR":"10.42.0.0/24","clusterDNS":"10.43.0.10","serviceCIDR":"10.43.0.0/16"}'

# ---------------------------------------------------------------- settings
FOUND='{"clusterCIDR":"10.42.0.0/24","clusterDNS":"10.43.0.10","serviceCIDR":"10.43.0.0/16"}'
settings --from-literal='clusterCIDR=10.42.0.0/16, fd00:42::/56' --from-literal=logLevel=debug --from-literal=deadlineSeconds=20 \
	--from-literal=viaPrimary=10.50.0.0/16
told "settings win" '{"clusterCIDR":"10.42.0.0/16,fd00:42::/56","clusterDNS":"10.43.0.10","deadlineSeconds":"20","logLevel":"debug","serviceCIDR":"10.43.0.0/16","viaPrimary":"10.50.0.0/16"}'
settings --from-literal=clusterCIDR=10.42.0.0/99 --from-literal=logLevel=warn
told "a bad one does not, and the others do" '{"clusterCIDR":"10.42.0.0/24","clusterDNS":"10.43.0.10","logLevel":"warn","serviceCIDR":"10.43.0.0/16"}'
setting_event() { k get events -n kube-system --field-selector involvedObject.name=tandem-settings,reason=InvalidSetting -o json | jq -re '.items[-1].message'; }
check "an event says so" wait_for 20 setting_event
same "which one" 'clusterCIDR: "10.42.0.0/99" is not a CIDR; it does not count, and what was found stays' "$(setting_event)"
check "and the log" grep -q 'msg="setting does not count".*error="clusterCIDR: ' "$DIR/controller.log"
k delete configmap -n kube-system tandem-settings >/dev/null
told "without settings" "$FOUND"

# ---------------------------------------------------------------- a hand
k patch "${CLUSTER[@]}" --type merge -p '{"data":{"serviceCIDR":"10.96.0.0/12","more":"x","uninstall":"no"}}' >/dev/null
told "what a hand writes is put back" "$FOUND"
k delete "${CLUSTER[@]}" >/dev/null
told "what a hand deletes is made again" "$FOUND"
version() { k get "${CLUSTER[@]}" -o jsonpath='{.metadata.resourceVersion}'; }
before=$(version)
k label node n2 more=labels >/dev/null
k patch svc -n kube-system kube-dns --type merge -p '{"metadata":{"labels":{"more":"labels"}}}' >/dev/null
nap 1
same "nothing is written when nothing has changed" "$before" "$(version)"

# ---------------------------------------------------------------- what subnets have of it
condition() { k get macvlansubnet -n kube-system "$1" -o json | jq -r --arg t "$2" '.status.conditions[] | select(.type == $t) | "\(.status) \(.reason) \(.message)"'; }
condition_is() { [ "$(condition "$1" "$2")" = "$3" ]; }
# says SUBNET TYPE TEXT
says() { check "$1: $3" wait_for 20 condition_is "$1" "$2" "$3" || echo "    $(condition "$1" "$2")"; }
subnet learns 10.77.0.0/24 'podDefaultGateway: {enable: true}' 'ranges: [{rangeStart: 10.77.0.10, rangeEnd: 10.77.0.13}]' | k apply -f - >/dev/null
pods 1961 1961 learns | k create -f - >/dev/null
check "a pod in gateway mode is served" wait_for 20 served_is 1
same "the record has the cluster's Service network" '{"enable":true,"serviceCidr":"10.43.0.0/16"}' \
	"$(k get macvlanip p1961 -o json | jq -c .spec.podDefaultGateway)"
same "the subnet has not" '{"enable":true}' "$(k get macvlansubnet -n kube-system learns -o json | jq -c .spec.podDefaultGateway)"
says learns ServicesOnLAN "False ByEth0 Services are reached by eth0: 10.43.0.0/16"
settings --from-literal=serviceCIDR=10.43.0.0/16,10.99.0.0/24
pods 1962 1962 learns | k create -f - >/dev/null
check "another" wait_for 20 served_is 2
same "gets what it is by then" 10.43.0.0/16,10.99.0.0/24 "$(k get macvlanip p1962 -o jsonpath='{.spec.podDefaultGateway.serviceCidr}')"
same "and the first keeps what it had" 10.43.0.0/16 "$(k get macvlanip p1961 -o jsonpath='{.spec.podDefaultGateway.serviceCidr}')"
k delete configmap -n kube-system tandem-settings >/dev/null
subnet wrong 10.78.0.0/24 'podDefaultGateway: {enable: true, serviceCidr: 10.96.0.0/12}' | k apply -f - >/dev/null
says wrong ServicesOnLAN 'True KubernetesOutside the service network 10.96.0.0/12 does not contain 10.43.0.1, the address of the Service kubernetes: new pods look for it on the LAN; set spec.podDefaultGateway.serviceCidr to 10.43.0.0/16, or leave it out'
subnet inpods 10.42.0.0/24 'gateway: 10.42.0.1' 'ranges: [{rangeStart: 10.42.0.50, rangeEnd: 10.42.0.59}]' | k apply -f - >/dev/null
says inpods ClusterOverlap "True Allocatable 10.42.0.50 can be given, and is in the pod network 10.42.0.0/24: what has it would not be reached, or hide a pod; set ranges outside of it"
pods 1963 1963 inpods | k create -f - >/dev/null
check "nothing is taken away from what is there" wait_for 20 served_is 3
subnet wide 10.0.0.0/8 'ranges: [{rangeStart: 10.200.0.10, rangeEnd: 10.200.0.13}]' | k apply -f - >/dev/null
says wide ClusterOverlap "False CidrOnly the cidr meets the service network 10.43.0.0/16, which stays on eth0; no address of it is given"
says learns ClusterOverlap "False OwnNetwork it meets no pod or service network that is known"
finish 1961 1963
check "all go" wait_for 30 no_records
k delete macvlansubnet -n kube-system learns wrong inpods wide --timeout=20s >/dev/null

# ---------------------------------------------------------------- another way
stop "$pid_controller"
# What the account may not create, it is not told about.
k get clusterrole tandem-controller -o json | jq '(.rules[] | select(.resources | index("services")).verbs) -= ["create"]' |
	k replace -f - >/dev/null
controller_up
told "the Service kubernetes, where nobody says more" '{"clusterCIDR":"10.42.0.0/24","clusterDNS":"10.43.0.10","serviceCIDR":"10.43.0.1/32"}'
k replace -f "$ROOT/manifests/base/rbac.yaml" >/dev/null
stop "$pid_controller"

# ---------------------------------------------------------------- who
k delete "${CLUSTER[@]}" >/dev/null
candidate lead
check "one leads" wait_for 20 leads lead
told "who leads writes" "$FOUND"
candidate standby
check "one stands by" wait_for 20 grep -q 'msg="standing by"' "$DIR/standby.log"
check "it reads them" wait_for 20 grep -q "msg=\"the cluster's networks\" services=10.43.0.0/16" "$DIR/standby.log"
same "and does not write" "" "$(grep 'facts are written' "$DIR/standby.log")"
stop "$pid_lead"
stop "$pid_standby"
k delete lease -n kube-system tandem-controller >/dev/null
can() { k auth can-i --as "$USER_CTL" --as-group system:serviceaccounts "$@" 2>/dev/null || :; }
same "rights over ConfigMaps" "yes no no yes no no yes yes no no" "$(
	for one in 'patch configmap/tandem-cluster' 'patch configmap/tandem-settings' 'patch configmap/coredns' 'list configmap/tandem-settings' \
		'list configmaps' 'delete configmap/tandem-cluster' 'update configmap/tandem-journal-0' 'delete configmap/tandem-journal-15' \
		'get configmap/tandem-journal-16' 'list configmap/tandem-journal-0'; do
		# shellcheck disable=SC2086
		can $one -n kube-system
	done | xargs
)"
same "nor elsewhere" no "$(can create configmaps -n default)"
k delete node n2 >/dev/null
k delete svc -n kube-system kube-dns rke2-coredns >/dev/null
controller_up
