#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# MACs that are not the pod's to have: its node's NIC's, that of the node's own macvlan, and the gateway's as far as the
# node knows it. All of them are locally administered here, so that nobody else can tell.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start

NET='{"cidr":"192.168.100.50/24","gateway":"192.168.100.1"}'
mac_of() { ip -n "$1" -j link show "$2" | jq -r '.[0].address'; }
asks='{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}'
# with_mac NAME MAC [KEYS]: ADD of a pod whose record has that MAC
with_mac() {
	new_pod
	POD_NAME=$1 POD_UID=$(cat /proc/sys/kernel/random/uuid)
	record "$1" "$POD_UID" "$(jq -c --arg mac "$2" '. + {mac: $mac} + '"${3:-{\}}" <<<"$NET")"
	tests_now_ms START
	cni ADD "$(conf "$(primary)" "$asks")"
	tests_now_ms END
}
# At once: the pod waits for nothing that could come right.
at_once() { check "$1: at once" [ $((END - START)) -lt 3000 ]; }

# The node's address on the LAN, by which it meets its pods and speaks with the gateway.
ip -n "$NODE" addr add 192.168.100.9/24 dev ens4

MAC=$(mac_of "$NODE" ens4)
with_mac parent "$MAC"
refused "the NIC's" 7 "card eth1 of pod default/parent: MAC $MAC is that of the node's ens4; the pod needs another"
at_once "the NIC's"

with_mac meets 0a:00:00:00:00:32 '{"hostAccess":true}'
succeeded "a pod that the node meets"
MAC=$(mac_of "$NODE" ens4.host)
cni DEL "$(conf "$(primary)" "$asks")"
# It is computed, and so is the next pod's.
with_mac device "$MAC"
refused "that of the node's own macvlan" 7 "MAC $MAC is that of the node's ens4.host; the pod needs another"
at_once "that of the node's own macvlan"

MAC=$(mac_of "$LAN" lan0)
check "the node speaks with the gateway" ip netns exec "$NODE" ping -c 1 -W 5 192.168.100.1
with_mac gateway "$MAC"
refused "the gateway's" 7 "MAC $MAC is that of the gateway 192.168.100.1; the pod needs another"
at_once "the gateway's"
with_mac other 0a:00:00:00:00:33
succeeded "another MAC, same address"
