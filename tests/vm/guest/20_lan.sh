#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What cards on VLANs reach and what they don't: two VLANs of one CIDR, two nodes, both families, bonds and
# bridges as masters, and the names that Linux 6.1 is particular about.

. "$(dirname "$0")/lib.sh"
vm_lab

add red 50 "$VLAN100"
succeeded "a card on VLAN 100"
add blue 60 '"vlan":200,"gateway":"192.168.100.1"'
succeeded "one of the same CIDR on VLAN 200"
same "two VLANs on one master" "ens4.100 ens4.200" "$(vlans)"
check "VLAN 100 reaches its machine on the LAN" pings "$(pod_of red)" 192.168.100.1
check "VLAN 200 reaches its own" pings "$(pod_of blue)" 192.168.100.1
ip -n lan neigh flush dev sw0.100
ip -n lan2 neigh flush dev l0.200
check_fails "VLAN 100 does not reach VLAN 200" pings "$(pod_of red)" 192.168.100.60 -W 2
check_fails "nor the other way" pings "$(pod_of blue)" 192.168.100.50 -W 2
same "two machines of one address, two neighbours" 2 "$({
	ip -n "$(pod_of red)" neigh show 192.168.100.1
	ip -n "$(pod_of blue)" neigh show 192.168.100.1
} | grep -o 'lladdr [0-9a-f:]*' | sort -u | wc -l)"

node 2
add far 51 "$VLAN100"
succeeded "a card on VLAN 100 of another node"
check "the nodes' pods reach each other" pings "$(pod_of red)" 192.168.100.51
check "both ways" pings "$(pod_of far)" 192.168.100.50
del blue
same "VLAN 200 goes with its card, VLAN 100 stays" ens4.100 "$(vlans)"
del far
del red

# --- both families ------------------------------------------------------------------------------------

DUAL=$VLAN100',"gateway6":"fd78::1","cidr6":'
add dual 52 "$DUAL\"fd78::52/64\""
succeeded "a dual-stack card on a VLAN"
same "its addresses" "192.168.100.52/24 fd78::52/64" "$(ip -n "$POD" -j addr show eth0 |
	jq -r '[.[0].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"] | join(" ")')"
check "IPv4 to the LAN" pings "$POD" 192.168.100.1
check "IPv6 to the LAN" pings "$POD" fd78::1 -6
node 2
add dual2 53 "$DUAL\"fd78::53/64\""
check "IPv6 to another node's pod" pings "$(pod_of dual)" fd78::53 -6
del dual2
del dual
nothing_left "nothing left of them"

# --- masters --------------------------------------------------------------------------------------------

ip -n n1 link set ens4 down
ip -n n1 link add bond0 type bond mode active-backup miimon 20
ip -n n1 link set ens4 master bond0
ip -n n1 link set bond0 up
wait_for 20 grep -q 'MII Status: up' <(ip netns exec n1 cat /proc/net/bonding/bond0)
carrier() { ip -n n1 link show "$1" | grep -q LOWER_UP; }
wait_for 30 carrier bond0 || fail "bond0" "no carrier"
for vlan in 0 100; do
	MASTER=bond0 add "bonded$vlan" 54 "\"vlan\":$vlan"
	succeeded "bond as master, VLAN $vlan"
	[ "$vlan" = 0 ] || check "the LAN through bond0.$vlan" pings "$POD" 192.168.100.1
	del "bonded$vlan"
done
# The bond bears its port's MAC, and is what cards can be on.
mac=$(ip -n n1 -j link show bond0 | jq -r '.[0].address')
same "bond and port have one MAC" "$mac" "$(ip -n n1 -j link show ens4 | jq -r '.[0].address')"
for selector in '{"mac":"'"$mac"'"}' '{"driver":"bonding"}' '{"namePattern":"b*[0-9]"}'; do
	SELECTOR=$selector add selected 54 '"vlan":100'
	succeeded "bond found by $selector"
	same "its parent" "bond0.100" "$(vlans)"
	check "the LAN through it" pings "$POD" 192.168.100.1
	del selected
done
MORE_CONF='"deadlineSeconds":5,' add slave 55 '"vlan":0'
same "a bond's port as master: refused" "1 11 yes" \
	"$RC $(jq -r '"\(.code) \(if .msg | contains("is a port of bond0, a bond") then "yes" else .msg end)"' <<<"$OUT")"
nothing_left "nothing left on the bond"
ip -n n1 link del bond0

# The node's own VLAN, found by the address on it. By its MAC, which it has from the NIC, the NIC is found.
ip -n n1 link set ens4 up
ip -n n1 link add link ens4 name ens4.100 type vlan id 100
ip -n n1 link set ens4.100 up
ip -n n1 addr add 192.168.100.9/24 dev ens4.100
wait_for 30 carrier ens4.100 || fail "ens4.100" "no carrier"
SELECTOR='{"addressIn":"192.168.100.0/24"}' add found 59 '"vlan":0'
succeeded "a VLAN found by its address"
check "the LAN through it" pings "$POD" 192.168.100.1
del found
SELECTOR='{"mac":"'$(ip -n n1 -j link show ens4 | jq -r '.[0].address')'"}' add found 59 '"vlan":100'
succeeded "a NIC found by the MAC that its VLAN has too"
check "the LAN through its VLAN" pings "$POD" 192.168.100.1
del found
ip -n n1 link del ens4.100

# A VRF chooses tables; it takes no frames.
ip -n n1 link add vrf7 type vrf table 77
ip -n n1 link set vrf7 up
ip -n n1 link set ens4 master vrf7
ip -n n1 link set ens4 up
wait_for 30 carrier ens4 || fail "ens4" "no carrier"
for vlan in 0 100; do
	add "vrf$vlan" 58 "\"vlan\":$vlan"
	succeeded "a NIC in a VRF as master, VLAN $vlan"
	[ "$vlan" = 0 ] || check "the LAN from within the VRF" pings "$POD" 192.168.100.1
	del "vrf$vlan"
done
ip -n n1 link set ens4 nomaster
ip -n n1 link del vrf7

ip -n n1 link add br7 type bridge
ip -n n1 link set br7 up
ip -n n1 link set ens4 down
ip -n n1 link set ens4 master br7
ip -n n1 link set ens4 up
wait_for 30 carrier br7 || fail "br7" "no carrier"
for vlan in 0 100; do
	MASTER=br7 add "bridged$vlan" 56 "\"vlan\":$vlan"
	succeeded "bridge as master, VLAN $vlan"
	[ "$vlan" = 0 ] || check "the LAN through br7.$vlan" pings "$POD" 192.168.100.1
	del "bridged$vlan"
done
nothing_left "nothing left on the bridge"
ip -n n1 link del br7

# --- names on 6.1 -----------------------------------------------------------------------------------------

ip -n n1 link add eth0 type dummy
ip -n n1 link add eth1 type dummy
add named 57 "$VLAN100"
succeeded "a card named eth0 while the node has an eth0"
same "the pod has it" "eth0 lo" "$(ip -n "$POD" -j link show | jq -r '[.[].ifname] | sort | join(" ")')"
same "the node keeps its own" "dummy" "$(ip -n n1 -j -d link show eth0 | jq -r '.[0].linkinfo.info_kind')"
del named
add named1 58 "$VLAN100" eth1
succeeded "eth1 beside a primary's eth0, while the node has both names"
same "its table" "10.42.0.0/16 via 10.42.0.1 dev eth0
10.42.0.0/24 dev eth0 scope link src 10.42.0.2
192.168.100.0/24 dev eth1 scope link src 192.168.100.58
default via 10.42.0.1 dev eth0" "$(routes "$POD")"
check "eth1 reaches the LAN" pings "$POD" 192.168.100.1
check "eth0 reaches the node" pings "$POD" 10.42.0.1
del named1
succeeded "DEL of both"
nothing_left "nothing left"
