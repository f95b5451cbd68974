#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ipvlan cards: l2, l3, l3s; what they may share a parent with.

. "$(dirname "$0")/lib.sh"
vm_lab

mode_of() { # mode_of POD CARD
	ip -n "$1" -j -d link show "$2" | jq -r '.[0] | "\(.linkinfo.info_kind) \(.linkinfo.info_data.mode) \(.ifalias // "")"' | sed 's/ $//'
}
mac_of() { ip -n "$1" -j link show "$2" | jq -r '.[0].address'; }
said() { # said TEXT: the last call failed with code 11 and says TEXT
	echo "$RC $(jq -r --arg t "$1" '"\(.code) \(if .msg | contains($t) then "yes" else .msg end)"' <<<"$OUT")"
}
sysctl_of() { ip netns exec "$POD" cat "/proc/sys/net/ipv4/conf/$1"; }

# --- l2 -----------------------------------------------------------------------------------------------

L2='"linkType":"ipvlan","mode":"l2",'$VLAN100
add flat 50 "$L2"
succeeded "ipvlan l2 on a VLAN"
same "kind and mode" "ipvlan l2" "$(mode_of "$POD" eth0)"
same "its MAC is the parent's" "$(mac_of n1 ens4.100)" "$(mac_of "$POD" eth0)"
same "which is what the result tells" "$(mac_of n1 ens4.100)" "$(jq -r '.interfaces[0].mac' <<<"$OUT")"
same "its table" "192.168.100.0/24 dev eth0 scope link src 192.168.100.50" "$(routes "$POD")"
same "no forwarding, ARP for its own address alone" "0 1 2" "$(sysctl_of eth0/forwarding) $(sysctl_of eth0/arp_ignore) $(sysctl_of eth0/arp_announce)"
check "the LAN is reached" pings "$POD" 192.168.100.1
add flat2 51 "$L2"
check "two of them reach each other" pings "$POD" 192.168.100.50
lladdr() { ip -n lan neigh show "$1" dev sw0.100 | grep -o 'lladdr [0-9a-f:]*' | cut -d' ' -f2; }
pings lan 192.168.100.50 >/dev/null
same "the LAN knows the node's MAC for it" "$(mac_of n1 ens4.100)" "$(lladdr 192.168.100.50)"
del flat
succeeded "DEL"
node 2
add moved 50 "$L2"
succeeded "the address comes up on another node, under that node's MAC"
same "and the LAN has heard of it, unasked" "$(mac_of n2 ens4.100)" "$(lladdr 192.168.100.50)"
del moved
nothing_left "the VLAN goes from there"
del flat2
nothing_left "and here"
add dual 52 "$L2,\"gateway6\":\"fd78::1\",\"cidr6\":\"fd78::52/64\""
check "dual stack: IPv4" pings "$POD" 192.168.100.1
check "dual stack: IPv6" pings "$POD" fd78::1 -6
del dual
add second 53 "$L2,\"routes\":[{\"dst\":\"172.16.18.0/24\"}]" eth1
succeeded "ipvlan l2 beside a primary's card"
own=$(ip -n "$POD" -j -4 addr show eth0 | jq -r '.[0].addr_info[0].local')
same "its main table is picture (a)" "10.42.0.0/16 via 10.42.0.1 dev eth0
10.42.0.0/24 dev eth0 scope link src $own
172.16.18.0/24 via 192.168.100.1 dev eth1
192.168.100.0/24 dev eth1 scope link src 192.168.100.53
default via 10.42.0.1 dev eth0" "$(routes "$POD")"
check "and works" pings "$POD" 192.168.100.1
del second
nothing_left "all of it goes"

# --- l3, l3s ------------------------------------------------------------------------------------------

# The network of the pods is a routed one behind the node: 10.77.0.0/24 via the node's address on the LAN.
ip -n n1 addr add 192.168.5.2/24 dev ens4
ip -n n1 -6 addr add fd05::2/64 dev ens4 nodad
ip -n lan addr add 192.168.5.1/24 dev sw0
ip -n lan -6 addr add fd05::1/64 dev sw0 nodad
ip -n lan route add 10.77.0.0/24 via 192.168.5.2
ip -n lan -6 route add fd77::/64 via fd05::2
for mode in l3 l3s; do
	L3='"linkType":"ipvlan","mode":"'$mode'","vlan":0,"gateway":"10.77.0.1","gateway6":"fd77::1","cidr6":"fd77::3/64","routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"},{"dst":"172.16.18.0/24","gw":"10.77.0.9"}]'
	add "routed-$mode" 10.77.0.3/24 "$L3"
	succeeded "ipvlan $mode, the only card"
	same "$mode: kind and mode" "ipvlan $mode" "$(mode_of "$POD" eth0)"
	same "$mode: routes without gateways, which have no meaning there" "10.77.0.0/24 dev eth0 scope link src 10.77.0.3
172.16.18.0/24 dev eth0 scope link
default dev eth0 scope link" "$(routes "$POD")"
	same "$mode: the result names no gateway" "null null" "$(jq -r '"\(.ips[0].gateway) \(.routes[0].gw)"' <<<"$OUT")"
	check "$mode: the LAN is reached" pings "$POD" 192.168.5.1
	check "$mode: from the LAN, by the node" pings lan 10.77.0.3
	check "$mode: IPv6 from the LAN" pings lan fd77::3 -6
	add "routed-$mode-b" 10.77.0.4/24 "${L3/::3/::4}"
	check "$mode: two of them reach each other" pings "$POD" 10.77.0.3
	del "routed-$mode-b"
	del "routed-$mode"
	succeeded "$mode: DEL"
	nothing_left "$mode: nothing left"
	add "default-$mode" 10.77.0.5/24 "\"linkType\":\"ipvlan\",\"mode\":\"$mode\",\"gateway\":\"10.77.0.1\",\"podDefaultGateway\":{\"enable\":true,\"serviceCidr\":\"10.43.0.0/16\"}" eth1
	succeeded "$mode beside a primary's card, as the default gateway"
	own=$(ip -n "$POD" -j -4 addr show eth0 | jq -r '.[0].addr_info[0].local')
	same "$mode: picture (b) without the gateway" "10.42.0.0/16 via 10.42.0.1 dev eth0
10.42.0.0/24 dev eth0 scope link src $own
10.43.0.0/16 via 10.42.0.1 dev eth0
10.77.0.0/24 dev eth1 scope link src 10.77.0.5
default dev eth1 scope link" "$(routes "$POD")"
	same "$mode: T1" "10.77.0.0/24 dev eth1 scope link src 10.77.0.5
default dev eth1 scope link" "$(ip -n "$POD" route show table 2001 | sed 's/ *$//' | sort)"
	check "$mode: the LAN beyond is reached through it" pings "$POD" 192.168.5.1
	check "$mode: from the LAN" pings lan 10.77.0.5
	del "default-$mode"
	nothing_left "$mode: nothing left of that"
done

# --- mixing -------------------------------------------------------------------------------------------

export MORE_CONF='"deadlineSeconds":5,'
add mac 60 "$VLAN100"
add mix 61 "$L2"
same "ipvlan beside macvlan: refused, the pod named" "1 11 yes" \
	"$(said "ens4.100 cannot get an ipvlan l2 card beside the macvlan card of pod default/mac: ")"
add mac0 63 '"vlan":0'
add mix0 64 '"linkType":"ipvlan","vlan":0'
same "so it is without a VLAN" "1 11 yes" \
	"$(said "ens4 cannot get an ipvlan l2 card beside the macvlan card of pod default/mac0: ")"
check "the macvlan cards are as they were" pings "$(pod_of mac)" 192.168.100.1
del mac0
del mac
nothing_left "nothing left"
add flat 62 "$L2"
succeeded "ipvlan where macvlan was before"
add mix 61 "$VLAN100"
same "macvlan beside ipvlan: refused" "1 11 yes" "$(said "a macvlan card beside the ipvlan l2 card of pod default/flat")"
add mix 61 "${L2/l2/l3}"
same "ipvlan of another mode: refused" "1 11 yes" "$(said "an ipvlan l3 card beside the ipvlan l2 card of pod default/flat")"
same "the first one's mode is as it was" "ipvlan l2" "$(mode_of "$(pod_of flat)" eth0)"
del flat
nothing_left "nothing left of them"
ip -n n1 link add link ens4 name mv0 type macvlan mode bridge
add mix 65 '"linkType":"ipvlan","vlan":0'
same "beside a macvlan of the node's own: refused, the link named" "1 11 yes" "$(said "ens4 carries the macvlan link mv0, which excludes such a card")"
ip -n n1 link del mv0
nothing_left "which leaves nothing"
add twice 10.77.0.6/24 "$L3"
add twice2 10.77.0.6/24 "$L3"
same "an address that another ipvlan card has: refused" "1 11 yes" "$(said "the address is still held by another ipvlan card on ens4")"
del twice
nothing_left "nothing left at the end"

# --- lost state ---------------------------------------------------------------------------------------

lose_state() { rm -r "$DIR/state" && mkdir "$DIR/state"; }
add nofile 70 "$L2"
lose_state
add beside 71 "$L2"
del beside
succeeded "DEL beside an ipvlan card whose state was lost"
same "the VLAN stays for that card" ens4.100 "$(vlans)"
check "which works" pings "$(pod_of nofile)" 192.168.100.1
same "and nothing of the asking is left" "" "$(ip -n n1 -o link show | grep tdm)"
ip netns del "$(pod_of nofile)"
add last 72 "$L2"
ip -n n1 link add link ens4.100 name tdm0123abcd type macvlan mode bridge 2>/dev/null
same "beside ipvlan there is no macvlan, which is what is asked for" "" "$(ip -n n1 -o link show | grep tdm)"
ip -n "$POD" link del eth0
ip -n n1 link add link ens4.100 name tdm0123abcd type macvlan mode bridge
del last
nothing_left "once it is gone the next DEL removes the VLAN, and what a killed one has left on it"
add whole 73 "$VLAN100,\"mode\":\"passthru\""
succeeded "a passthru card on a VLAN"
lose_state
add beside 74 "$VLAN100"
same "a card beside it, when its state was lost: refused" "1 11" "$RC $(jq -r .code <<<"$OUT")"
same "and the VLAN stays" ens4.100 "$(vlans)"
check "for the passthru card, which works" pings "$(pod_of whole)" 192.168.100.1
ip netns del "$(pod_of whole)"
add last 75 "$VLAN100"
del last
nothing_left "nothing left of that"
