# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: a pod that names several subnets gets one that reaches its node and has an address; a namespace's
# annotation is its pods' default; the record says which and why.

controller_alive || controller_up
for i in 1 2; do
	printf 'apiVersion: v1\nkind: Node\nmetadata: {name: r%s, labels: {rack: "%s"}}\n' "$i" "$i" | k apply -f - >/dev/null
	subnet "rack$i" "10.83.$i.0/24" 'ipDelayReuse: 0' "nodeSelector: {matchLabels: {rack: \"$i\"}}" \
		"ranges: [{rangeStart: 10.83.$i.10, rangeEnd: 10.83.$i.19}]" | k apply -f - >/dev/null
	subnet "any$i" "10.84.$i.0/24" 'ipDelayReuse: 0' \
		"ranges: [{rangeStart: 10.84.$i.10, rangeEnd: 10.84.$i.1$((i - 1))}]" | k apply -f - >/dev/null
done
for name in rack1 rack2 any1 any2; do check "subnet $name is ready" wait_for 10 ready_is $name True; done

# place_pod NAME NODE ANNOTATIONS [NAMESPACE [SPEC]]
place_pod() {
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: %s, annotations: {%s}}\n' "$1" "${4:-default}" "$3"
	printf 'spec: {nodeName: %s, containers: [{name: c, image: none}]%s}\n' "$2" "${5:+, $5}"
}
of_record() { k get macvlanip "$1" -n "${3:-default}" -o json 2>/dev/null | jq -r "$2"; }
SAID='"\(.spec.subnet) \(.spec.cidr) \(.metadata.annotations["tandem-cni.io/subnet-choice"])"'
said() { [ "$(of_record "$1" "$SAID" "${3:-default}")" = "$2" ]; }
# because POD SUBNET TEXT: in namespace tenants
because() { [ "$(of_record "$1" 'select(.spec.cidr) | "\(.spec.subnet) \(.metadata.annotations["tandem-cni.io/subnet-choice"])"' tenants)" = "$2 $3" ]; }
place_end() { # place_end NAME [NAMESPACE]
	local ns=${2:-default}
	k delete pod "$1" -n "$ns" --wait=false >/dev/null
	curls PATCH application/merge-patch+json "$TERMINATED" "/api/v1/namespaces/$ns/pods/$1/status"
	curls DELETE application/json '{"gracePeriodSeconds":0}' "/api/v1/namespaces/$ns/pods/$1"
	wait_for 10 gone macvlanip "$1" -n "$ns"
}

BOTH='tandem-cni.io/subnet: "rack1,rack2"'
place_pod in1 r1 "$BOTH" | k apply -f - >/dev/null
place_pod in2 r2 "$BOTH" | k apply -f - >/dev/null
check "the first that reaches the node" wait_for 5 said in1 "rack1 10.83.1.10/24 rack1"
check "on another node the second, and why" wait_for 5 said in2 "rack2 10.83.2.10/24 rack2; not rack1: NodeNotSelected"
same "the event says so, too" "; chosen: rack2; not rack1: NodeNotSelected" "$(event_is in2 AddressAllocated | grep -o '; chosen.*')"
place_pod nowhere n1 "$BOTH" | k apply -f - >/dev/null
check "on a node that none reaches: an event" wait_for 5 event_is nowhere NodeNotSelected
place_pod fixed2 r2 "$BOTH, tandem-cni.io/ip: 10.83.1.15-10.83.2.15" | k apply -f - >/dev/null
check "of fixed addresses the one of that subnet" wait_for 5 said fixed2 "rack2 10.83.2.15/24 rack2; not rack1: NodeNotSelected"
place_pod twice r1 'tandem-cni.io/subnet: "rack1,rack1"' | k apply -f - >/dev/null
check "a subnet twice is a mistake" wait_for 5 event_is twice InvalidAnnotation

# One address in any1, two in any2.
ANY='tandem-cni.io/subnet: "any1,any2"'
for i in 1 2 3 4; do place_pod "e$i" n1 "$ANY"; echo ---; done | k apply -f - >/dev/null
any_is() { [ "$(k get macvlanips -o json | jq -r '[.items[] | select(.spec.cidr and (.spec.subnet | startswith("any"))) | .spec.subnet] | sort | join(" ")')" = "$1" ]; }
check "what is exhausted is passed over" wait_for 15 any_is "any1 any2 any2"
same "and the record says so" "any2; not any1: SubnetExhausted" \
	"$(k get macvlanips -o json | jq -r '.items[] | select(.spec.cidr and .spec.subnet == "any2") | .metadata.annotations["tandem-cni.io/subnet-choice"]' | sort -u)"
waiting() { k get macvlanips -o json | jq -r '.items[] | select((.spec.cidr | not) and (.spec.subnet | startswith("any"))) | .metadata.name'; }
late=$(waiting)
first=$(k get macvlanips -o json | jq -r '.items[] | select(.spec.cidr and .spec.subnet == "any1") | .metadata.name')
place_end "$first"
check "an address that becomes free in any of them goes to who waits" wait_for 10 said "$late" "any1 10.84.1.10/24 any1"
for i in 1 2 3 4; do k get pod "e$i" >/dev/null 2>&1 && place_end "e$i"; done

# A rolling update with as many replicas as addresses: the new pod's event says how it ends.
k apply -f - >/dev/null <<-YAML
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: roll, namespace: default}
	spec:
	  replicas: 1
	  selector: {matchLabels: {app: roll}}
	  template:
	    metadata: {labels: {app: roll}, annotations: {tandem-cni.io/subnet: any2, tandem-cni.io/ip: 10.84.2.10}}
	    spec: {containers: [{name: c, image: none}]}
YAML
for i in 1 2; do
	echo ---
	place_pod "roll-$i" n1 'tandem-cni.io/subnet: any2, tandem-cni.io/ip: 10.84.2.10' | sed "s/annotations:/labels: {app: roll, pod-template-hash: h$i}, ownerReferences: [{apiVersion: apps\/v1, kind: ReplicaSet, name: roll-h$i, uid: u$i, controller: true}], &/"
done | k apply -f - >/dev/null
one_waits() { event_is roll-1 AddressInUse || event_is roll-2 AddressInUse; }
check "a new pod waits for the old one's address" wait_for 10 one_waits
same "the event names the two ways out" "; its Deployment makes new pods before it ends old ones: set spec.strategy.rollingUpdate.maxSurge to 0, or spec.strategy.type to Recreate" \
	"$(one_waits | grep -o '; its Deployment.*')"
curls DELETE application/json '{"propagationPolicy":"Background"}' /apis/apps/v1/namespaces/default/deployments/roll
for i in 1 2; do place_end "roll-$i"; done

# A namespace's default, also for a pod that was there before, and without events for those that cannot have one.
k create namespace tenants >/dev/null
place_pod early n1 '' tenants | k apply -f - >/dev/null
place_pod hosty n1 '' tenants 'hostNetwork: true' | k apply -f - >/dev/null
k annotate namespace tenants tandem-cni.io/subnet=any2 >/dev/null
check "the default of its namespace" wait_for 10 because early any2 "any2, the default of namespace tenants"
place_pod plain n1 '' tenants | k apply -f - >/dev/null
place_pod not n1 'tandem-cni.io/subnet: none' tenants | k apply -f - >/dev/null
place_pod own n1 'tandem-cni.io/subnet: any1' tenants | k apply -f - >/dev/null
has_address() { of_record "$1" .spec.cidr tenants | grep -q '^10'; }
check "of a pod that comes later, too" wait_for 5 has_address plain
check "its own subnet goes before" wait_for 5 said own "any1 10.84.1.10/24 null" tenants
same "'none' refuses it" "" "$(k get macvlanip not -n tenants -o name 2>/dev/null)"
same "a pod with hostNetwork has none, and no event" " 0" \
	"$(k get macvlanip hosty -n tenants -o name 2>/dev/null) $(k get events -n tenants -o json | jq '[.items[] | select(.involvedObject.name == "hosty" or .involvedObject.name == "not")] | length')"
controller_bounce
check "a new leader keeps them" wait_for 20 because plain any2 "any2, the default of namespace tenants"
place_end plain tenants
place_pod after n1 '' tenants | k apply -f - >/dev/null
check "and serves the next" wait_for 10 has_address after
for p in early own after; do place_end $p tenants; done
k delete pod hosty not -n tenants --force --grace-period=0 >/dev/null 2>&1
for p in in1 in2 fixed2; do place_end $p; done
k delete pod nowhere twice --force --grace-period=0 >/dev/null 2>&1
check "nothing is left" wait_for 20 no_records
k delete namespace tenants --wait=false >/dev/null
k delete macvlansubnet -n kube-system rack1 rack2 any1 any2 >/dev/null
k delete node r1 r2 >/dev/null
