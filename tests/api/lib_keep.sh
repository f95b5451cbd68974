# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: what workloads keep that have no pods. No other controllers: pods of a Deployment are made by hand.
controller_alive || controller_up
subnet lazy 10.94.0.0/24 'ipDelayReuse: 0' 'ranges: [{rangeStart: 10.94.0.10, rangeEnd: 10.94.0.41}]' | k apply -f - >/dev/null

# keeping NAME FIRST LAST: a Deployment with 0 replicas that names these
keeping() {
	local list
	list=$(seq -f 10.94.0.%g -s - "$2" "$3")
	k apply -f - >/dev/null <<-YAML
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: $1, namespace: default}
		spec:
		  replicas: 0
		  selector: {matchLabels: {app: $1}}
		  template:
		    metadata: {labels: {app: $1}, annotations: {tandem-cni.io/subnet: lazy, tandem-cni.io/ip: $list}}
		    spec: {containers: [{name: c, image: none}]}
	YAML
}
# pod_of NAME POD IP: one of that Deployment's, whose template names the address
pod_of() {
	k create -f - >/dev/null <<-YAML
		apiVersion: v1
		kind: Pod
		metadata:
		  name: $2
		  namespace: default
		  labels: {app: $1, pod-template-hash: "1"}
		  annotations: {tandem-cni.io/subnet: lazy, tandem-cni.io/ip: $3}
		  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: $1-1, uid: "1", controller: true}]
		spec: {nodeName: n1, containers: [{name: c, image: none}]}
	YAML
}
keeping never 10 41
check "a Deployment that never had a pod keeps sixteen of all" wait_for 20 status_is lazy reserved 16
same "the others are free" 16 "$(k get macvlansubnet -n kube-system lazy -o jsonpath='{.status.free}')"
keeping was 41 41
pod_of was p60 10.94.0.41
check "another one's pod gets what it names" wait_for 20 status_is lazy used 1
check "and has it for its Deployment" wait_for 10 status_is lazy 'allocation.claimed[0].by' "Deployment default/was"
finish 60 60
check "without pods it keeps what they had" wait_for 30 status_is lazy reserved 17
controller_bounce
pods 61 76 lazy | k create -f - >/dev/null
check "after a change of leader, too: others get all the rest" wait_for 30 status_is lazy free 0
same "of it" 15 "$(k get macvlansubnet -n kube-system lazy -o jsonpath='{.status.used}')"
exhausted() { event_is p76 SubnetExhausted || event_is p75 SubnetExhausted; }
check "and no more" wait_for 20 exhausted
same "with the largest holders" "MacvlanSubnet lazy has no free address; the pod gets one as soon as one is free; largest holders: Deployment default/never (16), namespace default (15), Deployment default/was (1)" \
	"$(k get events -n default -o json | jq -r '[.items[] | select(.reason == "SubnetExhausted") | .message | select(contains("lazy"))] | last')"
holders_are() { [ "$(k get macvlansubnet -n kube-system lazy -o json | jq -r '.status.holders // [] | map("\(.name) \(.count)") | join(", ")')" = "$1" ]; }
check "as the subnet's status says" wait_for 10 holders_are "Deployment default/never 16, namespace default 15, Deployment default/was 1"
same "the addresses" "10.94.0.26/24 10.94.0.40/24" "$(records | awk '{ print $2 }' | grep '^10.94' | sort -V | sed -n '1p;$p' | xargs)"
pods 77 77 lazy 'tandem-cni.io/ip: 10.94.0.41' | k create -f - >/dev/null
check "who names it hears whose it is, though an older one names it too" wait_for 20 event_is p77 AddressReserved
same "... in words" "annotation tandem-cni.io/ip: 10.94.0.41 is reserved by the pod template of Deployment default/was; choose another address or remove it there" \
	"$(event_is p77 AddressReserved)"
k delete deployment was never >/dev/null
check "when they go nothing is kept" wait_for 20 status_is lazy reserved 0
finish 61 77
check "all go" wait_for 30 no_records
check "nobody holds any" wait_for 10 holders_are ""
k delete macvlansubnet -n kube-system lazy --timeout=20s >/dev/null
