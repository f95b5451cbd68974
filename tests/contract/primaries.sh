#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Primaries of every shape: after a real ADD all of the pod's routing, in both families, to the letter. What is
# expected stands in primaries/SHAPE-PICTURE.txt; a words-only difference between kernels (proto, pref medium) is taken out.
# UPDATE=1 writes the files again, to be read before they are committed.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
. "$(dirname "$0")/lib-lab.sh"
contract_node
apiserver_start
GOLDEN=$(dirname "$0")/primaries

# The node as kubelets and CNI plugins leave it.
ip -n "$NODE" link add mg0 type veth peer name mg1 netns "$LAN"
ip -n "$NODE" link set mg0 up
ip -n "$LAN" link set mg1 up
ip -n "$NODE" addr add 10.99.0.2/24 dev mg0
ip -n "$NODE" route add default via 10.99.0.254
ip netns exec "$NODE" sysctl -qw net.ipv6.conf.all.forwarding=1

lab_shape_plugin

declare -A primaries
primaries[flannel]=$(shape 'ip addr add 10.42.0.18/24 dev eth0
ip route add 10.42.0.0/16 via 10.42.0.1 dev eth0; ip route add default via 10.42.0.1 dev eth0' '' 10.42.0.18/24)
primaries[calico]=$(shape 'ip addr add 10.42.0.40/32 dev eth0; ip route add 169.254.1.1 dev eth0 scope link
ip route add default via 169.254.1.1 dev eth0; sysctl -qw net.ipv4.ip_forward=1' '' 10.42.0.40/32)
primaries[onlink]=$(shape 'ip addr add 10.42.0.40/32 dev eth0; ip route add default via 169.254.1.1 dev eth0 onlink' '' 10.42.0.40/32)
primaries[metric]=$(shape 'ip addr add 10.42.0.18/24 dev eth0; ip route add default via 10.42.0.1 dev eth0 metric 100
ip route add default via 10.42.0.7 dev eth0 metric 200' '' 10.42.0.18/24)
primaries[nodefault]=$(shape 'ip addr add 10.42.0.18/24 dev eth0; ip route add 10.42.0.0/16 via 10.42.0.1 dev eth0' '' 10.42.0.18/24)
primaries[dual]=$(shape 'ip addr add 10.42.0.18/24 dev eth0; ip route add default via 10.42.0.1 dev eth0
ip addr add fd42::18/64 dev eth0 nodad; ip -6 route add default via fd42::1 dev eth0' '' 10.42.0.18/24 fd42::18/64)
# Routes with attributes, as tunnels need them.
primaries[mtu]=$(shape 'ip addr add 10.42.0.18/24 dev eth0; ip route add 10.42.0.0/16 via 10.42.0.1 dev eth0 mtu 1400
ip route add default via 10.42.0.1 dev eth0 mtu 1450 advmss 1390 initcwnd 20 hoplimit 9 metric 50
ip addr add fd42::18/64 dev eth0 nodad; ip -6 route add default via fd42::1 dev eth0 mtu 1430 pref high' '' 10.42.0.18/24 fd42::18/64)
primaries[multipath]=$(shape 'ip addr add 10.42.0.18/24 dev eth0
ip route add default mtu 1450 nexthop via 10.42.0.1 dev eth0 weight 2 nexthop via 10.42.0.7 dev eth0' '' 10.42.0.18/24)
# Routes to nowhere, for one TOS alone, and one as wide as the card's.
primaries[odd]=$(shape 'ip addr add 10.42.0.18/24 dev eth0; ip route add default via 10.42.0.7 dev eth0 tos 0x10
ip route add default via 10.42.0.1 dev eth0; ip route add 10.0.0.0/8 via 10.42.0.1 dev eth0
ip route add unreachable 10.66.0.0/16; ip route add blackhole 10.67.0.0/16 metric 7; ip route add prohibit 10.68.0.0/16
ip route add throw 10.69.0.0/16; ip addr add fd42::18/64 dev eth0 nodad; ip -6 route add default via fd42::1 dev eth0
ip -6 route add unreachable fd66::/64' '' 10.42.0.18/24 fd42::18/64)

# The real sbr behind the real bridge: nothing of eth0's is in main.
primaries[sbr]=$(jq -c '.cniVersion="0.4.0" | .plugins[0].ipam.ranges[0][0] += {rangeStart: "10.42.0.18", rangeEnd: "10.42.0.18"} |
	.plugins[1]={type: "sbr"}' <<<"$(primary)")

A='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1","routes":[{"dst":"172.16.18.0/24","iface":"eth1"}]}'
B='{"cidr":"192.168.120.2/24","mac":"0a:00:00:00:01:02","gateway":"192.168.120.1","podDefaultGateway":{"enable":true,"serviceCidr":"10.43.0.0/16"}}'
two_services='.podDefaultGateway.serviceCidr="10.43.0.0/16,10.44.0.0/16"'
six='. + {cidr6: "fd78::50/64", gateway6: "fd78::1"}'
two_families='.podDefaultGateway.serviceCidr="10.43.0.0/16,fd43::/108"'
host='.hostAccess=true'

words() { sed -E 's/ (proto [a-z]+|pref medium)//g; s/[ \t]+/ /g; s/ $//'; }
table() { ip -o -n "$POD" "$1" route show table "$2" 2>/dev/null | words | sort; }
routing() {
	local family
	for family in -4 -6; do
		printf 'ip %s rule\n' "$family"
		ip -n "$POD" "$family" rule | words
		printf 'ip %s route\n' "$family"
		table "$family" main
		printf 'ip %s route show table 2000\n' "$family"
		table "$family" 2000
		printf 'ip %s route show table 2001\n' "$family"
		table "$family" 2001
	done
	printf "eth1's forwarding, rp_filter, arp_ignore, arp_announce, disable_ipv6, accept_ra\n"
	ip netns exec "$POD" sysctl -n net.ipv4.conf.eth1.{forwarding,rp_filter,arp_ignore,arp_announce} \
		net.ipv6.conf.eth1.{disable_ipv6,accept_ra} | tr '\n' ' ' | sed 's/ $/\n/'
}

node_settings() {
	ip netns exec "$NODE" sysctl -a 2>/dev/null | grep -vE '^net\.netfilter|^(fs|kernel|vm|user|dev|abi|debug|sunrpc|crypto)\.' | sort
}
settings=$(node_settings)

# golden SHAPE PICTURE SPEC [DNS]: ADD, compare, DEL
golden() {
	local name=$1-$2 dns=${4:-null} want
	new_pod
	POD_NAME=$name POD_UID=$(cat /proc/sys/kernel/random/uuid)
	record "$name" "$POD_UID" "$3"
	local text
	text=$(conf "${primaries[$1]}" '{"dns":'"$dns"',"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}')
	cni ADD "$text"
	[ "$RC" -eq 0 ] || fail "$name: ADD" "$OUT"
	[ -z "${UPDATE:-}" ] || routing >"$GOLDEN/$name.txt"
	want=$(cat "$GOLDEN/$name.txt")
	same "$name" "$want" "$(routing)"
	[ "$1" = sbr ] || { cni CHECK "$text" && same "$name: CHECK" "" "$OUT"; } # sbr has no CHECK
	cni DEL "$text"
	same "$name: DEL leaves nothing" 0 "$RC$(leftovers)"
	drop_pod
}
golden flannel a "$A"
golden flannel b "$B"
golden calico a "$A"
golden calico b "$B"
golden onlink a "$A"
golden onlink b "$B"
golden metric a "$A"
golden metric b "$B"
golden nodefault a "$A"
golden nodefault b "$B"
golden flannel b-two-services "$(jq -c "$two_services" <<<"$B")"
golden dual a "$(jq -c "$six" <<<"$A")"
golden dual b "$(jq -c "$six | $two_families" <<<"$B")"
golden flannel b-nodelocal-dns "$B" '{"servers":["169.254.20.10","10.43.0.10"]}'
golden calico b-nodelocal-dns "$B" '{"servers":["169.254.20.10","10.43.0.10"]}'
golden flannel a-host "$(jq -c "$host" <<<"$A")"
golden calico b-host "$(jq -c "$host" <<<"$B")"
golden mtu a "$(jq -c "$six" <<<"$A")"
golden mtu b "$(jq -c "$six | $two_families" <<<"$B")"
golden multipath a "$A"
golden multipath b "$B"
golden odd b "$(jq -c "$six | $two_families" <<<"$B")"
wide='.routes += [{dst: "10.0.0.0/8"}]'
golden calico a-wide "$(jq -c "$wide" <<<"$A")"
golden flannel a-wide "$(jq -c "$wide" <<<"$A")"
golden odd a-wide "$(jq -c "$six | $wide" <<<"$A")"
golden calico a-lan10 "$(jq -c '.cidr = "10.9.0.7/8" | .gateway = "10.0.0.1"' <<<"$A")"
golden flannel b-beyond "$(jq -c '.cidr = "192.168.77.5/32" | .cidr6 = "fd78::2/128" | .gateway6 = "fe80::1"' <<<"$B")"
same "nothing node-wide has changed" "$settings" "$(node_settings)"
# Each block of docs/routing.md is a part of one of these.
while read -r name title; do
	same "docs/routing.md: $name, $title" "$(awk -v name="<!-- output: $name $title -->" \
		'$0 == name { on = 1; next } on && /^```/ { if (n++) exit; next } on && n { print }' "$GOLDEN/../../../docs/routing.md")" \
		"$(awk -v title="$title" '$0 == title { on = 1; next } /^(ip|eth1) / { on = 0 } on { print }' "$GOLDEN/$name.txt")"
done < <(sed -n 's/^<!-- output: \(.*\) -->$/\1/p' "$GOLDEN/../../../docs/routing.md")
# Last: bridge changes what the node has.
golden sbr a "$A"
golden sbr b "$B"
