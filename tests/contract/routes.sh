#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Routes as they are in the field, with packets: primaries with an mtu on their routes, or with their routes in another
# table; wide routes and wide LANs beside the cluster's networks; groups; routers beyond the subnet; single cards to
# pods. In the world of the data path (lib-lab.sh).
# shellcheck disable=SC2016,SC2119,SC2120 # for others to expand; arguments that may be left out

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
. "$(dirname "$0")/lib-lab.sh"
lab_up
apiserver_start
lab_addresses
lab_shape_plugin

FLOWS=$TANDEM_TOOLS/contract/flows
declare -A primaries=([single]=$(primary))
FLANNEL_NODE='ip link set "$END" master cni0'
# shellcheck disable=SC2016 # $END is the plugin's
CALICO_NODE='ip route add 10.42.0.40/32 dev "$END"
echo 1 >/proc/sys/net/ipv4/conf/$END/proxy_arp; echo 0 >/proc/sys/net/ipv4/neigh/$END/proxy_delay'
CALICO='ip addr add 10.42.0.40/32 dev eth0; ip route add 169.254.1.1 dev eth0 scope link; ip route add default via 169.254.1.1'
primaries[flannel]=$(shape 'ip addr add 10.42.0.18/24 dev eth0; ip route add 10.42.0.0/16 via 10.42.0.1
ip route add default via 10.42.0.1' "$FLANNEL_NODE" 10.42.0.18/24)
primaries[calico]=$(shape "$CALICO" "$CALICO_NODE" 10.42.0.40/32)
primaries[broad]=$(shape "$CALICO; ip route add 10.0.0.0/8 via 169.254.1.1" "$CALICO_NODE" 10.42.0.40/32)
primaries[tunnel]=$(shape 'ip addr add 10.42.0.18/24 dev eth0; ip route add default via 10.42.0.1 mtu 1400' "$FLANNEL_NODE" 10.42.0.18/24)
primaries[nogateway]=$(shape 'ip addr add 10.42.0.18/24 dev eth0' "$FLANNEL_NODE" 10.42.0.18/24)
primaries[sbr]=$(jq -c '.plugins[0].ipam.ranges[0][0] += {rangeStart: "10.42.0.18", rangeEnd: "10.42.0.18"} | .plugins[0].mtu=1500 |
	.plugins[1]={type: "sbr"}' <<<"$(primary)")

# pod SHAPE SPEC: made by the plugin, in POD
pod() {
	local interface=eth1
	new_pod
	POD_NAME=$1 POD_UID=$(cat /proc/sys/kernel/random/uuid)
	record "$1" "$POD_UID" "$2"
	[ "$1" != single ] || interface=eth0
	pod_text=$(conf "${primaries[$1]}" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100","tandem-cni.io/interface":"'$interface'"}}')
	[ -z "${RP_BEFORE:-}" ] || lab_rp_filter "$RP_BEFORE" "$POD"
	cni ADD "$pod_text"
}
gone() { # gone NAME: DEL, which leaves nothing
	cni DEL "$pod_text"
	succeeded "$1: DEL"
	same "$1: nothing left" "" "$(leftovers | grep -vE ' v(30|5)@| eth0@')$(ip -n "$NODE" -o link show type macvlan)$(ip -n "$NODE" neigh show nud permanent)"
	ip netns del "$POD"
	# The next pod of that address has another MAC, and a busy node would go on with this one's for half a minute.
	ip -n "$NODE" neigh flush dev cni0
}
listen() { printf 'listen %s %s %s\n' "$@"; }
flow() { echo "flow $*"; }
# flows NAME WANTED: the list on stdin, all of which must be answered
flows() {
	local out
	out=$("$FLOWS" 2>&1)
	echo "# $1: $(tail -n 1 <<<"$out")"
	[ "$(tail -n 1 <<<"$out")" = "$2 tried, 0 failed" ] || head -n -1 <<<"$out" | sed 's/^/    /'
	same "$1" "$2 tried, 0 failed" "$(tail -n 1 <<<"$out")"
}
main() { ip -o -n "$POD" "${1:--4}" route | sed -E 's/ (proto [a-z]+|pref medium)//g; s/[ \t]+/ /g; s/ $//' | sort; }
# dump NETNS LINK FILTER: tcpdump into $DIR/dump until dump_end
dump() {
	: >"$DIR/dump.err"
	nsenter --net=/run/netns/"$1" tcpdump -elnni "$2" "$3" >"$DIR/dump" 2>"$DIR/dump.err" &
	dump_pid=$!
	wait_for 20 grep -q listening "$DIR/dump.err" || fail "tcpdump" "does not start"
}
dump_end() { # dump_end PATTERN: when that was seen
	wait_for 5 grep -q "$1" "$DIR/dump" || true
	kill "$dump_pid"
	wait "$dump_pid" 2>/dev/null
	head -n 2 "$DIR/dump" | sed 's/^/# /'
}

# --- attributes: a path that bears 1400 bytes, and never says so ---------------------------------------------------

A='{"cidr":"192.168.100.2/24","mac":"0a:00:00:00:10:02","gateway":"192.168.100.1"}'
B='{"cidr":"192.168.120.2/24","mac":"0a:00:00:00:12:02","gateway":"192.168.120.1","podDefaultGateway":{"enable":true,"serviceCidr":"10.43.0.0/16"}}'
ip -n "$NODE" link set eth0 mtu 1400
in_ns "$NODE" iptables -A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP
for picture in a b; do
	pod tunnel "$([ $picture = a ] && echo "$A" || echo "$B")"
	succeeded "mtu, ($picture): ADD"
	# One segment is one frame, as on a real wire.
	ip -n "$POD" link set eth0 gso_max_segs 1
	dump "$POD" eth0 'tcp src port 8081 and greater 1000'
	{ listen bulk "$POD" 8081 && flow remote-eth0 tcp "$REMOTE" 10.42.0.18 8081 10.42.1.5; } |
		flows "mtu, ($picture): a long answer to a pod of another node" 1
	dump_end 8081
	same "mtu, ($picture): the longest frame bears 1400 bytes" 1414 \
		"$(sed -nE 's/.*, length ([0-9]+): .*/\1/p' "$DIR/dump" | sort -n | tail -n 1)"
	cni CHECK "$pod_text"
	succeeded "mtu, ($picture): CHECK"
	ip -n "$POD" route replace default via 10.42.0.1 dev eth0 table 2000
	cni CHECK "$pod_text"
	says "mtu, ($picture): CHECK misses it" 101 "route default via 10.42.0.1 dev eth0 table 2000 mtu 1400 is missing"
	gone "mtu, ($picture)"
done
in_ns "$NODE" iptables -F OUTPUT
ip -n "$NODE" link set eth0 mtu 1500

# --- wide routes, wide LANs ----------------------------------------------------------------------------------------

wide_flows() { # wide_flows ETH0
	listen tcp "$REMOTE" 8080
	listen udp "$REMOTE" 53
	listen tcp "$NODE2" 8080
	flow service tcp "$POD" 10.43.0.80 80 "$1"
	flow dns udp "$POD" 10.43.0.10 53 "$1"
	flow pod tcp "$POD" 10.42.1.5 8080 "$1"
	flow service-node2 tcp "$POD" 10.43.0.82 80 10.99.0.1
}
for shape in flannel calico broad; do
	eth0=$([ $shape = flannel ] && echo 10.42.0.18 || echo 10.42.0.40)
	for net in 10.0.0.0/8 "0.0.0.0/1 128.0.0.0/1"; do
		# shellcheck disable=SC2086 # two networks are two words
		pod $shape "$(jq -c '.routes = [$ARGS.positional[] | {dst: .}]' --args $net <<<"$A")"
		succeeded "wide, $shape, $net: ADD"
		wide_flows "$eth0" | flows "wide, $shape, $net: services, DNS and pods stay on eth0" 4
		gone "wide, $shape, $net"
	done
	pod $shape '{"cidr":"10.9.0.7/8","mac":"0a:00:00:00:10:02","gateway":"10.0.0.1"}'
	succeeded "wide, $shape, LAN 10.0.0.0/8: ADD"
	wide_flows "$eth0" | flows "wide, $shape, LAN 10.0.0.0/8: services, DNS and pods stay on eth0" 4
	gone "wide, $shape, LAN 10.0.0.0/8"
done

# --- a default that is not in main -----------------------------------------------------------------------------------

pod sbr "$B"
succeeded "sbr, (b): ADD"
same "sbr, (b): main" "10.42.0.0/16 via 10.42.0.1 dev eth0 onlink
10.43.0.0/16 via 10.42.0.1 dev eth0 onlink
192.168.120.0/24 dev eth1 scope link src 192.168.120.2
default via 192.168.120.1 dev eth1" "$(main)"
{ listen tcp "$POD" 8080 && flow node-eth0 tcp "$NODE" 10.42.0.18 8080 10.42.0.1 && wide_flows 10.42.0.18; } |
	flows "sbr, (b): services, DNS and pods by eth0" 5
gone "sbr, (b)"
pod nogateway "$B"
says "no gateway, (b)" 7 "network 10.43.0.0/16 of the cluster would leave by eth1, since eth0 has no IPv4 gateway: there is none in the tables that its rules name (main, default), nor in the primary's result"
gone "no gateway, (b)"

# --- groups, gw: none -------------------------------------------------------------------------------------------------

send_to() { # send_to FAMILY ADDR: a datagram of the pod's from no address in particular
	in_ns "$POD" perl -MSocket=:all -e 'my ($f, $a) = @ARGV; my $v6 = $f == 6;
		socket(my $s, $v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0) or die $!;
		setsockopt($s, SOL_SOCKET, SO_BROADCAST, 1);
		send($s, "x", 0, $v6 ? pack_sockaddr_in6(5000, inet_pton(AF_INET6, $a)) : pack_sockaddr_in(5000, inet_aton($a))) or die $!;' "$@"
}
pod flannel "$(jq -c '. + {cidr6: "fd78::2/64", gateway6: "fd78::1", routes: [{dst: "224.0.0.0/4"}, {dst: "255.255.255.255/32"}, {dst: "ff05::/16"},
	{dst: "192.168.120.0/24", gw: "none"}]}' <<<"$A")"
succeeded "groups: ADD"
dump "$HOST" lan 'udp port 5000'
send_to 4 239.1.1.1
send_to 4 255.255.255.255
send_to 6 ff05::1:3
dump_end 'ff05::1:3'
same "groups: the frames on the LAN" "0a:00:00:00:10:02 > 01:00:5e:01:01:01 192.168.100.2 > 239.1.1.1
0a:00:00:00:10:02 > ff:ff:ff:ff:ff:ff 192.168.100.2 > 255.255.255.255
0a:00:00:00:10:02 > 33:33:00:01:00:03 fd78::2 > ff05::1:3" \
	"$(sed -nE 's/^[0-9:.]+ ([0-9a-f:]+) > ([0-9a-f:]+), .* ([0-9a-f.:]+)\.[0-9]+ > ([0-9a-f.:]+)\.5000: .*/\1 > \2 \3 > \4/p' "$DIR/dump")"
dump "$HOST" lan 'tcp and dst host 192.168.120.77 and tcp[tcpflags] & tcp-syn != 0'
{ listen tcp "$HOST" 8080 && flow onlink tcp "$POD" 192.168.120.77 8080 192.168.100.2; } | flows "gw: none: to a neighbour of another subnet" 1
dump_end 192.168.120.77
same "gw: none: by no router" "$(ip -n "$HOST" -j link show lan | jq -r '.[0].address')" \
	"$(sed -nE '1s/^[0-9:.]+ [0-9a-f:]+ > ([0-9a-f:]+), .*/\1/p' "$DIR/dump")"
cni CHECK "$pod_text"
silent "groups: CHECK"
ip -n "$POD" -6 route del multicast ff05::/16 dev eth1 table local metric 128
cni CHECK "$pod_text"
says "groups: CHECK misses the group's route" 101 "route ff05::/16 dev eth1 table 255 metric 128 is missing"
gone "groups"

# --- routers as they are ------------------------------------------------------------------------------------------------

ip -n "$ROUTER" addr add fe80::1/64 dev lan nodad
ip -n "$ROUTER" route add 192.168.77.5/32 dev lan
ip -n "$ROUTER" -6 addr add fd78::1/64 dev lan nodad
ip -n "$ROUTER" -6 addr add fd79::1/64 dev far nodad
ip -n "$FAR" -6 addr add fd79::5/64 dev far nodad
ip -n "$FAR" -6 route add default via fd79::1
in_ns "$ROUTER" sysctl -qw net.ipv6.conf.all.forwarding=1
OUTSIDE='{"cidr":"192.168.77.5/32","mac":"0a:00:00:00:10:02","gateway":"192.168.100.1","cidr6":"fd78::2/64","gateway6":"fe80::1"}'
router_flows() { # router_flows CARD
	listen tcp "$FAR" 8080
	listen tcp "$POD" 8080
	flow to-far tcp "$POD" 172.16.19.5 8080 "$1"
	flow from-far tcp "$FAR" 192.168.77.5 8080 172.16.19.5 172.16.19.5
	flow to-far6 tcp "$POD" fd79::5 8080 fd78::2
	flow from-far6 tcp "$FAR" fd78::2 8080 fd79::5
}
pod flannel "$(jq -c '. + {podDefaultGateway: {enable: true, serviceCidr: "10.43.0.0/16"}}' <<<"$OUTSIDE")"
succeeded "routers, (b): ADD"
router_flows 192.168.77.5 | flows "routers, (b): a /32 with a router beyond it, a link-local one" 4
wide_flows 10.42.0.18 | flows "routers, (b): services, DNS and pods by eth0" 4
gone "routers, (b)"
pod flannel "$(jq -c '. + {routes: [{dst: "172.16.19.0/24"}, {dst: "fd79::/64", gw: "fe80::1"}]}' <<<"$OUTSIDE")"
succeeded "routers, (a): ADD"
router_flows 192.168.77.5 | flows "routers, (a): the same by custom routes" 4
gone "routers, (a)"
pod single "$(jq -c '. + {routes: [{dst: "0.0.0.0/0"}, {dst: "::/0"}]}' <<<"$OUTSIDE")"
succeeded "routers, (c): ADD"
router_flows 192.168.77.5 | flows "routers, (c): the same on a single card" 4
gone "routers, (c)"

# --- a group's packets from beyond the router, on a node that looks at senders strictly ------------------------------

receive() { # receive ADDR: the sender of the first datagram to the group, on the card with that address
	in_ns "$POD" timeout 5 perl -MSocket=:all -e 'my ($card) = @ARGV; socket(my $s, AF_INET, SOCK_DGRAM, 0) or die $!;
		setsockopt($s, 0, 35, inet_aton("239.1.1.1") . inet_aton($card)) or die $!; # IP_ADD_MEMBERSHIP
		bind($s, pack_sockaddr_in(5000, INADDR_ANY)) or die $!; my $from = recv($s, my $x, 9, 0);
		print inet_ntoa((unpack_sockaddr_in($from))[1]);' "$1"
}
joined() { in_ns "$POD" cat /proc/net/igmp | grep -qi 010101EF; }
group_from_afar() { # group_from_afar ADDR: who was heard
	local pid
	receive "$1" >"$DIR/heard" &
	pid=$!
	wait_for 20 joined || fail "the group" "not joined"
	in_ns "$HOST" perl -MSocket=:all -e 'socket(my $s, AF_INET, SOCK_DGRAM, 0); bind($s, pack_sockaddr_in(0, inet_aton("172.16.19.9"))) or die $!;
		setsockopt($s, 0, 32, inet_aton("192.168.100.77")) or die $!; # IP_MULTICAST_IF
		send($s, "x", 0, pack_sockaddr_in(5000, inet_aton("239.1.1.1"))) or die $!;'
	wait "$pid"
	cat "$DIR/heard"
}
ip -n "$HOST" addr add 172.16.19.9/32 dev lan
for rp in 0 1 2; do
	RP_BEFORE=$rp pod flannel "$A"
	succeeded "a group from afar, rp_filter $rp: ADD"
	same "a group from afar, rp_filter $rp: the pod's own values" "$rp 2" \
		"$(in_ns "$POD" sysctl -n net.ipv4.conf.all.rp_filter net.ipv4.conf.eth1.rp_filter | tr '\n' ' ' | sed 's/ $//')"
	heard=$(group_from_afar 192.168.100.2)
	echo "# sender heard with rp_filter $rp: ${heard:-none}"
	same "a group from afar, rp_filter $rp" 172.16.19.9 "$heard"
	gone "a group from afar, rp_filter $rp"
done

# --- a single card to pods by their own addresses ---------------------------------------------------------------------

# As kube-proxy has it: who does not see the whole of a connection drops it.
for ns in "$NODE" "$NODE2"; do in_ns "$ns" iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP; done
pod single '{"cidr":"192.168.22.3/24","mac":"0a:00:00:00:02:03","gateway":"192.168.22.1","podDefaultGateway":{"enable":true}}'
succeeded "(c) to pods: ADD"
same "(c) to pods: main" "10.42.0.0/16 via 10.99.0.1 dev eth0
10.43.0.0/16 via 10.99.0.1 dev eth0
10.99.0.1 dev eth0 scope link
192.168.22.0/24 dev eth0 scope link src 192.168.22.3
default via 192.168.22.1 dev eth0" "$(main)"
for router in open stateful; do
	lab_router $router
	for rp in 0 1 2; do
		lab_rp_filter $rp "$NODE" "$NODE2" "$POD"
		{
			for ns in "$PLAIN" "$REMOTE" "$POD"; do listen tcp "$ns" 8080; done
			flow pod-of-the-node tcp "$POD" 10.42.0.30 8080 192.168.22.3
			flow pod-of-another tcp "$POD" 10.42.1.5 8080 10.99.0.1
			flow from-the-node-s tcp "$PLAIN" 192.168.22.3 8080 10.99.0.1
			flow from-another-s tcp "$REMOTE" 192.168.22.3 8080 10.99.0.2
		} | flows "(c) to pods, router $router, rp_filter $rp" 4
	done
done
gone "(c) to pods"

# Where the primary does not masquerade what comes from outside (Calico): the other node's pod sees the card's own address and answers
# it straight over the LAN. The card's node then sees half of the connection, and drops it as kube-proxy's rules say.
unmasked="! -s 10.42.0.0/16 -d 10.42.0.0/16 -j MASQUERADE"
# shellcheck disable=SC2086 # words of a rule
for ns in "$NODE" "$NODE2"; do in_ns "$ns" iptables -t nat -D POSTROUTING $unmasked; done
pod single '{"cidr":"192.168.22.3/24","mac":"0a:00:00:00:02:03","gateway":"192.168.22.1","podDefaultGateway":{"enable":true}}'
succeeded "(c) to pods, not masqueraded: ADD"
lab_router open
to_pods() { # to_pods PEER: as whom another node's pod sees it
	for ns in "$PLAIN" "$REMOTE" "$POD"; do listen tcp "$ns" 8080; done
	flow pod-of-the-node tcp "$POD" 10.42.0.30 8080 192.168.22.3
	flow from-another-s tcp "$REMOTE" 192.168.22.3 8080 10.99.0.2
	flow service tcp "$POD" 10.43.0.80 80 10.99.0.1
	[ -z "$1" ] || flow pod-of-another tcp "$POD" 10.42.1.5 8080 "$1"
}
to_pods "" | flows "(c) to pods, not masqueraded: its node's pods, and any by a Service" 3
dump "$REMOTE" eth0 'tcp port 8080'
to_pods 192.168.22.3 | "$FLOWS" >"$DIR/unmasked" 2>&1
dump_end 'Flags \[S\.\]'
same "(c) to pods, not masqueraded: another node's pod" "pod-of-another" "$(grep -v tried "$DIR/unmasked" | cut -d: -f1)"
check "it was asked by the card's own address" grep -q '192.168.22.3.[0-9]* > 10.42.1.5.8080: Flags \[S\],' "$DIR/dump"
check "and answers" grep -q '10.42.1.5.8080 > 192.168.22.3.[0-9]*: Flags \[S\.\],' "$DIR/dump"
same "but never hears from it again" 0 "$(grep -c '192.168.22.3.[0-9]* > 10.42.1.5.8080: Flags \[\(P\)*\.\],' "$DIR/dump")"
# The rule of docs/plugin.md, on each node.
for ns in "$NODE" "$NODE2"; do in_ns "$ns" iptables -t nat -A POSTROUTING -s 192.168.22.0/24 -d 10.42.0.0/16 -j MASQUERADE; done
for router in open stateful; do
	lab_router $router
	to_pods 10.99.0.1 | sed 's/\(10.42.0.30 8080\) 192.168.22.3/\1 -/' | flows "(c) to pods, with the rule, router $router" 4
done
gone "(c) to pods, not masqueraded"

# --- what the administrator may turn round -------------------------------------------------------------------------------

conf4() { in_ns "$POD" sysctl -n net.ipv4.conf.eth1.forwarding; }
walked() { # walked: does what the LAN sends through the pod come out on the other side?
	dump "$PLAIN" eth0 'icmp and src host 192.168.100.77'
	in_ns "$HOST" ping -c 3 -i 0.2 -W 1 10.42.0.30 >/dev/null
	dump_end 10.42.0.30 >&2
	grep -q 'echo request' "$DIR/dump" && echo through || echo stopped
}
ip -n "$HOST" route add 10.42.0.0/24 via 192.168.100.2
for forwarding in false true; do
	pod flannel "$(jq -c ".forwarding = $forwarding" <<<"$A")"
	in_ns "$POD" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.eth1.forwarding="$(conf4)"
	same "forwarding $forwarding" "$([ $forwarding = true ] && echo 1 through || echo 0 stopped)" "$(conf4) $(walked)"
	gone "forwarding $forwarding"
done
ip -n "$HOST" route del 10.42.0.0/24

advertise() { # a router's advertisement on the LAN: itself as default, and fd5a::/64
	in_ns "$ROUTER" perl -MSocket=:all -e 'socket(my $s, AF_INET6, SOCK_RAW, 58) or die $!;
		setsockopt($s, 41, 18, pack("i", 255)) or die $!; # IPV6_MULTICAST_HOPS
		setsockopt($s, 41, 17, pack("i", $ARGV[0])) or die $!; # IPV6_MULTICAST_IF
		my $ra = pack("CCnCCnNN", 134, 0, 0, 64, 0, 1800, 0, 0) . pack("CCCCNNN", 3, 4, 64, 0xc0, 3600, 3600, 0) . inet_pton(AF_INET6, "fd5a::");
		send($s, $ra, 0, pack_sockaddr_in6(0, inet_pton(AF_INET6, "ff02::1"), $ARGV[0])) or die $!;' \
		"$(ip -n "$ROUTER" -j link show lan | jq '.[0].ifindex')"
}
learnt() { advertise && ip -n "$POD" -6 addr show dev eth1 -tentative | grep -q fd5a: && ip -n "$POD" -6 route show default dev eth1 | grep -q 'proto ra'; }
ip -n "$ROUTER" -6 route add fd5a::/64 dev lan
pod flannel "$(jq -c '.acceptRA = true' <<<"$A")"
succeeded "acceptRA: ADD"
check "acceptRA: an address and a default route are learnt" wait_for 20 learnt
{ listen tcp "$FAR" 8080 && flow learnt tcp "$POD" fd79::5 8080 -; } | flows "acceptRA: out by the router that was heard" 1
gone "acceptRA"
pod flannel "$(jq -c '. + {cidr6: "fd78::2/64", gateway6: "fd78::1"}' <<<"$A")"
advertise
advertise
same "acceptRA is off by default" "0 " "$(in_ns "$POD" sysctl -n net.ipv6.conf.eth1.accept_ra) $(ip -n "$POD" -6 route show proto ra)"
gone "acceptRA is off by default"

cable=$(ip -n "$NODE" -j link show ens4 | jq '.[0].link_index')
cable=$(ip -n "$SWITCH" -j link | jq -r ".[] | select(.ifindex == $cable).ifname")
ip -n "$SWITCH" link set "$cable" down
pod flannel "$A"
says "no carrier" 11 "master ens4 has no carrier"
cni DEL "$pod_text"
ip netns del "$POD"
pod flannel "$(jq -c '.requireCarrier = false' <<<"$A")"
succeeded "no carrier, requireCarrier false: ADD"
ip -n "$SWITCH" link set "$cable" up
check "it works when the cable is back" wait_for 20 in_ns "$HOST" ping -c 1 -W 1 192.168.100.2
gone "no carrier"
