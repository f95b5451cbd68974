# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: one subnet, one pod, pictures, restarts.
subnet vlan100 192.168.100.0/24 'vlan: 100' 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 192.168.100.10, rangeEnd: 192.168.100.14}]' \
	'routes: [{dst: 172.16.18.0/24}]' | k apply -f - >/dev/null
controller_up
check "the subnet gets a status" wait_for 20 status_is vlan100 free 4
same "columns of a subnet" "NAMESPACE     NAME      MASTER   VLAN   CIDR               MODE     GATEWAY         TOTAL   USED   FREE
kube-system   vlan100   ens4     100    192.168.100.0/24   bridge   192.168.100.1   4       0      4" \
	"$(k get macvlansubnets -A)"

pods 1 1 vlan100 | k create -f - >/dev/null
check "a pod is served" wait_for 10 served_is 1
uid=$(k get pod p1 -o jsonpath='{.metadata.uid}')
mac=$(k get macvlanip p1 -o jsonpath='{.spec.mac}')
same "columns of a record" "default p1 vlan100 $uid 192.168.100.10/24 $mac n1" \
	"$(k get macvlanips -A --no-headers | awk '{ print $1, $2, $3, $4, $5, $6, $7 }')"
same "the record" '{"finalizers":["tandem-cni.io/address"],"labels":{"tandem-cni.io/node":"n1","tandem-cni.io/subnet":"vlan100"},"owner":{"apiVersion":"v1","kind":"Pod","name":"p1"},"spec":{"cidr":"192.168.100.10/24","conflictDetection":false,"gateway":"192.168.100.1","linkType":"macvlan","master":"ens4","mode":"bridge","mtu":0,"node":"n1","routes":[{"dst":"172.16.18.0/24","iface":"eth1"}],"subnet":"vlan100","vlan":100}}' \
	"$(k get macvlanip p1 -o json | jq -cS '{finalizers: .metadata.finalizers, labels: .metadata.labels,
		owner: (.metadata.ownerReferences[0] | del(.uid)), spec: (.spec | del(.mac, .podId))}')"
check "an event tells of it" wait_for 5 event_is p1 AddressAllocated
check "the subnet counts" wait_for 5 status_is vlan100 used 1
check "the entry leaves flight" wait_for 5 status_is vlan100 allocation.inflight '[]'
same "the finalizer of a subnet in use" '["tandem-cni.io/in-use"]' \
	"$(k get macvlansubnet -n kube-system vlan100 -o jsonpath='{.metadata.finalizers}')"

k patch macvlanip p1 --type merge -p '{"spec":{"cidr":"192.168.100.13/24","podId":"x"}}' >/dev/null
restored() { [ "$(k get macvlanip p1 -o jsonpath='{.spec.cidr} {.spec.podId}')" = "192.168.100.10/24 $uid" ]; }
check "a record edited by hand is put back" wait_for 5 restored

k delete macvlanip p1 --wait=false >/dev/null
sleep 0.5
check "a record deleted by hand stays while its pod lives" restored
k patch macvlanip p1 --type merge -p '{"metadata":{"finalizers":null}}' >/dev/null
check "forced away, it is made again with its address" wait_for 5 restored
same "and its MAC" "$mac" "$(k get macvlanip p1 -o jsonpath='{.spec.mac}')"

before=$(k get macvlanip p1 -o json | jq -S .spec)
controller_bounce
check "a restart takes over" wait_for 10 status_is vlan100 allocation.term 2
pods 2 4 vlan100 | k create -f - >/dev/null
check "and serves" wait_for 10 served_is 4
same "a restart changes no record" "$before" "$(k get macvlanip p1 -o json | jq -S .spec)"
same "never a node's address" "192.168.100.10 192.168.100.12 192.168.100.13 192.168.100.14" \
	"$(records | awk '{ sub("/24", "", $2); print $2 }' | sort | xargs)"

pods 5 5 vlan100 | k create -f - >/dev/null
check "exhausted: an event says so" wait_for 5 event_is p5 SubnetExhausted
same "no managed fields are kept of it" null "$(k get --raw /apis/tandem-cni.io/v1/namespaces/default/macvlanips/p4 | jq -c .metadata.managedFields)"
k label macvlanip p5 example.org/by=hand >/dev/null
finish 2 2
one_second() { [ "$(k get macvlanip p5 -o jsonpath='{.spec.cidr}')" ]; }
check "a waiter has the address within a second" wait_for 1 one_second
same "what others have written on the record meanwhile stays" hand \
	"$(k get macvlanip p5 -o jsonpath='{.metadata.labels.example\.org/by}')"
check "the record of the pod that ended is gone" gone macvlanip p2

k delete pod p3 --force --grace-period=0 >/dev/null 2>&1
check "force deleted: reserved" wait_for 5 status_is vlan100 reserved 1
same "its record stays" p3 "$(k get macvlanip p3 -o jsonpath='{.metadata.name}')"
check "until the hold is over" wait_for 10 gone macvlanip p3
check "then nothing is reserved" wait_for 5 status_is vlan100 reserved 0

curls PATCH application/merge-patch+json '{"status":{"phase":"Succeeded"}}' "$(pod_urls 4 4 /status)"
check "a finished pod's address is freed while it stays" wait_for 10 gone macvlanip p4
same "the pod stays" Succeeded "$(k get pod p4 -o jsonpath='{.status.phase}')"
finish 4 5
finish 1 1
check "all are freed" wait_for 10 no_records
check "free is back at the start" wait_for 5 status_is vlan100 free 4

k delete macvlansubnet -n kube-system vlan100 --wait=false >/dev/null
check "a subnet without records can go" wait_for 5 gone macvlansubnet -n kube-system vlan100
