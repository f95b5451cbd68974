#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# hostAccess on a VLAN: the node and its pods there reach each other by "<master>.<vlan>.host", and both links go
# with their last user.

. "$(dirname "$0")/lib.sh"
vm_lab

# The node's InternalIP is on another NIC.
ip -n n1 link add mg0 type dummy
ip -n n1 link set mg0 up
ip -n n1 addr add 10.99.0.1/24 dev mg0
ip -n n1 -6 addr add fd99::1/64 dev mg0 nodad
ip -n n1 route add default via 10.99.0.254
ip -n n1 -6 route add default via fd99::fe

DUAL=$VLAN100',"gateway6":"fd78::1"'
HOST=$DUAL',"hostAccess":true'
device_mac() { ip -n n1 -j link show ens4.100.host | jq -r '.[0].address'; }
routes6() { ip -n "$1" -6 route show | sed -E 's/ (proto [a-z]+|pref medium)//g; s/ +$//' | sort; }
# What of all pods is on the node.
of_the_node() {
	ip -n n1 -o link show type vlan | awk '{ print $2 }'
	ip -n n1 -o link show type macvlan | awk '{ print $2 }'
	ip -n n1 route show scope link | grep -E '^192\.168\.' | sed 's/ *$//; s/ proto [a-z]*//; s/ scope link//'
	ip -n n1 -6 route show | grep -E '^fd78:' | sed 's/ *$//'
	ip -n n1 neigh show nud permanent | sed 's/ *$//' | sort
	find "$DIR/state/locks" -name 'parent@*'
}

add one 50 "$HOST,\"cidr6\":\"fd78::50/64\",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]"
succeeded "(c) on a VLAN"
same "on the node" "ens4.100@ens4:
ens4.100.host@ens4.100:
192.168.100.50 dev ens4.100.host src 10.99.0.1
fd78::50 dev ens4.100.host src fd99::1 metric 1024 pref medium
192.168.100.50 dev ens4.100.host lladdr 0a:00:00:00:00:32 PERMANENT
fd78::50 dev ens4.100.host lladdr 0a:00:00:00:00:32 PERMANENT" "$(of_the_node)"
same "the device's addresses" "10.99.0.1/32 fd99::1/128" \
	"$(ip -n n1 -j addr show ens4.100.host | jq -r '[.[0].addr_info[] | "\(.local)/\(.prefixlen)"] | join(" ")')"
same "the pod's table" "10.42.0.0/16 via 10.99.0.1 dev eth0
10.43.0.0/16 via 10.99.0.1 dev eth0
10.99.0.1 dev eth0 scope link
192.168.100.0/24 dev eth0 scope link src 192.168.100.50
default via 192.168.100.1 dev eth0" "$(routes "$POD")"
same "of IPv6" "fd78::/64 dev eth0 metric 256
fd99::1 dev eth0 metric 1024
fe80::/64 dev eth0 metric 256" "$(routes6 "$POD")"
same "its neighbours" "10.99.0.1 dev eth0 lladdr $(device_mac) PERMANENT
fd99::1 dev eth0 lladdr $(device_mac) PERMANENT" "$(ip -n "$POD" neigh show nud permanent | sed 's/ *$//' | sort)"
check "node to pod" pings n1 192.168.100.50
check "pod to node" pings "$POD" 10.99.0.1
check "node to pod, IPv6" pings n1 fd78::50 -6
check "pod to node, IPv6" pings "$POD" fd99::1 -6
check "pod to the LAN" pings "$POD" 192.168.100.1
check "the LAN to the pod" pings lan 192.168.100.50

# The NIC itself and a VLAN of it are two parents.
add plain 51 "\"vlan\":0,\"hostAccess\":true"
succeeded "a pod on the NIC itself"
same "has a device of its own" "ens4.100.host ens4.host" "$(ip -n n1 -j link show type macvlan | jq -r '[.[].ifname] | sort | join(" ")')"
same "of another MAC" 2 "$(ip -n n1 -j link show type macvlan | jq -r '.[].address' | sort -u | wc -l)"
check "node to that pod" pings n1 192.168.100.51
del plain
succeeded "its DEL"
add two 52 "$HOST" eth1
succeeded "(a) on the VLAN"
same "its table" "10.42.0.0/16 via 10.42.0.1 dev eth0
10.42.0.0/24 dev eth0 scope link src $(ip -n "$POD" -j -4 addr show eth0 | jq -r '.[0].addr_info[0].local')
10.99.0.1 dev eth1 scope link
192.168.100.0/24 dev eth1 scope link src 192.168.100.52
default via 10.42.0.1 dev eth0" "$(routes "$POD")"
check "node to eth1" pings n1 192.168.100.52
check "one pod to the other" pings "$POD" 192.168.100.50
del one
succeeded "DEL of the first"
same "both links stay for the second" "ens4.100@ens4:
ens4.100.host@ens4.100:
192.168.100.52 dev ens4.100.host src 10.99.0.1
192.168.100.52 dev ens4.100.host lladdr 0a:00:00:00:00:34 PERMANENT" "$(of_the_node)"
check "and lead to it" pings n1 192.168.100.52
del two
succeeded "DEL of the second"
nothing_left "the VLAN goes with the last"
same "and all else" "" "$(of_the_node)"

# A lost file's device would hold its VLAN.
add lost 53 "$HOST"
echo junk >"$DIR/state/attachments/$CID@eth0"
del lost
succeeded "DEL with a damaged state file"
rm -f "$DIR"/state/attachments/*.corrupt
nothing_left "the VLAN goes all the same"
same "and the device on it" "" "$(of_the_node)"

# Where the device's name does not fit.
ip -n n1 link set ens4 down
ip -n n1 link set ens4 name enp0s31f6
ip -n n1 link set enp0s31f6 up
MASTER=enp0s31f6 add long 54 "$HOST"
succeeded "on a VLAN with a long name"
same "the device's is a hash" "en????????.host" "$(ip -n n1 -j link show type macvlan | jq -r '.[0].ifname | sub("^en[0-9a-f]{8}"; "en????????")')"
check "node to pod there" pings n1 192.168.100.54
del long
nothing_left "nothing left of it"
same "on the node" "" "$(of_the_node)"
