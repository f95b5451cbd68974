#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The LAN doctor behind a switch that knows VLANs: the six things that can be in the way of VLAN 100, and none. The gateway
# is n2's ens4.100; lan's sw0.100 is another machine.

. "$(dirname "$0")/lib.sh"
vm_lab
ip -n lan addr flush dev sw0.100
ip -n lan link set sw0 type bridge vlan_filtering 1
for port in p1 p2; do bridge -n lan vlan add dev $port vid 100; done
bridge -n lan vlan add dev p3 vid 200
bridge -n lan vlan add dev sw0 vid 100 self
ip -n n2 link add link ens4 name ens4.100 type vlan id 100
ip -n n2 link set ens4.100 up
gateway() { # gateway add|del
	ip -n n2 addr "$1" 192.168.100.1/24 dev ens4.100
	ip -n n2 addr "$1" fd78::1/64 dev ens4.100 "${@:2}"
}
gateway add nodad
ip netns exec n1 sh -c 'echo 1 >/proc/sys/net/ipv6/conf/ens4/disable_ipv6'
NIC=$(ip -n n1 -j link show ens4 | jq -r '.[0].address')
SUBNET='{"metadata":{"name":"vlan100","uid":"u"},"spec":{"master":"ens4","vlan":100,"cidr":"192.168.100.0/24",
	"gateway":"192.168.100.1","ipv6":{"cidr":"fd78::/64","gateway":"fd78::1"}}}'

# finds NAME REASON TEXT: a run, and that nothing of it is left
finds() {
	local found
	found=$(ip netns exec n1 /t/bin/tandem-node doctor --node-name=n1 --state-dir="$TOP/n1/state" <<<"$SUBNET" | jq -c '.subnets[0]')
	same "$1: the reason" "$2" "$(jq -r .reason <<<"$found")"
	MESSAGE=$(jq -r '.message // ""' <<<"$found")
	if [[ $MESSAGE == *"$3"* && (-n $3 || -z $MESSAGE) ]]; then pass "$1: the sentence"; else fail "$1: the sentence" "$MESSAGE"; fi
	same "$1: nothing is left" " 0" "$(ip -n n1 -o link show type vlan) $(find "$TOP/n1/state" -type f | wc -l)"
	FOUND=$found
}

finds "all is well" OK ""
same "a packet of full size was answered" true "$(jq .mtu <<<"$FOUND")"
bridge -n lan vlan del dev p1 vid 100
finds "the port has not the VLAN" VLANNotPassed "VLAN 100 is not passed to ens4: gateway 192.168.100.1 does not answer, and nobody is heard"
bridge -n lan vlan add dev p1 vid 100
finds "it has it again" OK ""

gateway del
ip -n lan addr add 192.168.100.77/24 dev sw0.100
(while :; do ip netns exec lan busybox ping -c 1 -W 1 192.168.100.99 >/dev/null; done) &
noise=$!
finds "the gateway is silent" GatewaySilent "gateway 192.168.100.1 does not answer on ens4.100, where others are heard"
kill "$noise"
wait "$noise" 2>/dev/null
gateway add nodad
ip -n lan addr add 192.168.100.1/24 dev sw0.100
finds "two gateways" TwoGateways "two machines say that they are gateway 192.168.100.1: "
ip -n lan addr flush dev sw0.100

bridge -n lan link set dev p1 learning off flood off
bridge -n lan fdb show br sw0 | awk '$0 !~ /permanent/ && /dev p1/ { print $1 }' | sort -u | while read -r mac; do
	for vid in 1 100; do bridge -n lan fdb del "$mac" dev p1 vlan $vid master 2>/dev/null; done
done
bridge -n lan fdb replace "$NIC" dev p1 vlan 100 master static
finds "the port lets one MAC in" SecondMACRefused "only one MAC is let through on ens4.100: gateway 192.168.100.1 answers $NIC and not "
bridge -n lan fdb del "$NIC" dev p1 vlan 100 master
bridge -n lan link set dev p1 learning on flood on

ip -n lan link set p2 mtu 1400
finds "a smaller MTU in the way" MTUTooSmall "packets of 1500 bytes do not come through between ens4.100 and gateway fd78::1"
ip -n lan link set p2 mtu 1500
ip -n lan link set p1 down
finds "the cable is out" NoCarrier "ens4 has no carrier"
ip -n lan link set p1 up
finds "all is well at the end" OK ""
tests_finish
