# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Two nodes, a LAN, its router and machines on both of its sides, for the data path. Sourced after lib.sh and
# lib-apiserver.sh.
#
#	$SWITCH   two bridges: mg0, the nodes' network, and sw0, the LAN
#	$NODE     eth0 10.99.0.1 on mg0, default by .254; ens4 on sw0; cni0 10.42.0.1/24; kube-proxy's rules
#	$NODE2    eth0 10.99.0.2, ens4, cni0 10.42.1.1/24
#	$ROUTER   10.99.0.254 on mg0; 192.168.{100,120,22}.1 on sw0; 172.16.{18,19}.1 to $FAR
#	$HOST     192.168.{100,120,22}.77 on sw0
#	$FAR      172.16.18.5 and 172.16.19.5
#	$PLAIN    10.42.0.30, a pod of $NODE without a card;  $REMOTE  10.42.1.5, one of $NODE2

lab_names() {
	local p=tct-$$-
	NODE=${p}node NODE2=${p}node2 SWITCH=${p}switch ROUTER=${p}router HOST=${p}host FAR=${p}far
	PLAIN=${p}plain REMOTE=${p}remote
}

# in_ns NETNS CMD...: without the mounts of `ip netns exec`, which cost more than the command
in_ns() {
	local ns=$1
	shift
	nsenter --net=/run/netns/"$ns" "$@"
}

# lab_cable NETNS LINK BRIDGE: a link into the switch
lab_cables=0
lab_cable() {
	lab_cables=$((lab_cables + 1))
	ip -n "$1" link add "$2" type veth peer name "p$lab_cables" netns "$SWITCH"
	ip -n "$SWITCH" link set "p$lab_cables" master "$3" up
	ip -n "$1" link set "$2" up
}

lab_node() { # lab_node NETNS NUMBER: all but the addresses
	lab_cable "$1" eth0 mg0
	lab_cable "$1" ens4 sw0
	ip -n "$1" link add cni0 type bridge
	ip -n "$1" link set cni0 up
	ip -n "$1" addr add "10.42.$2.1/24" dev cni0
	in_ns "$1" sysctl -qw net.ipv4.ip_forward=1
}

lab_pod() { # lab_pod NETNS NODE ADDRESS GATEWAY: what a Flannel-like primary makes
	ip -n "$2" link add "v${3##*.}" type veth peer name eth0 netns "$1"
	ip -n "$2" link set "v${3##*.}" master cni0 up
	ip -n "$1" link set eth0 up
	ip -n "$1" addr add "$3/24" dev eth0
	ip -n "$1" route add default via "$4"
}

lab_addresses() { # after the API server has started
	ip -n "$NODE" addr del 10.99.0.1/32 dev lo
	ip -n "$NODE" addr add 10.99.0.1/24 dev eth0
	ip -n "$NODE2" addr add 10.99.0.2/24 dev eth0
	ip -n "$NODE" route add 10.42.1.0/24 via 10.99.0.2
	ip -n "$NODE2" route add 10.42.0.0/24 via 10.99.0.1
	ip -n "$NODE" route add default via 10.99.0.254
	ip -n "$NODE2" route add default via 10.99.0.254
}

lab_up() {
	local ns n
	lab_names
	scratch DIR
	mkdir -p "$DIR/bin" "$DIR/state"
	at_exit contract_down
	for ns in "$NODE" "$NODE2" "$SWITCH" "$ROUTER" "$HOST" "$FAR" "$PLAIN" "$REMOTE"; do
		ip netns add "$ns" || exit 1
		ip -n "$ns" link set lo up
		# What the machine's own values are must not matter.
		lab_rp_filter 0 "$ns"
	done
	# A switch does not look into what it carries.
	in_ns "$SWITCH" sh -c "for f in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e \$f ] || echo 0 >\$f; done"
	for n in mg0 sw0; do
		ip -n "$SWITCH" link add $n type bridge
		ip -n "$SWITCH" link set $n up
	done
	lab_node "$NODE" 0
	lab_node "$NODE2" 1
	lab_pod "$PLAIN" "$NODE" 10.42.0.30 10.42.0.1
	lab_pod "$REMOTE" "$NODE2" 10.42.1.5 10.42.1.1
	lab_cable "$ROUTER" mg mg0
	lab_cable "$ROUTER" lan sw0
	lab_cable "$HOST" lan sw0
	ip -n "$ROUTER" link add far type veth peer name far netns "$FAR"
	ip -n "$ROUTER" link set far up
	ip -n "$FAR" link set far up
	ip -n "$ROUTER" addr add 10.99.0.254/24 dev mg
	for n in 100 120 22; do
		ip -n "$ROUTER" addr add "192.168.$n.1/24" dev lan
		ip -n "$HOST" addr add "192.168.$n.77/24" dev lan
	done
	for n in 18 19; do
		ip -n "$ROUTER" addr add "172.16.$n.1/24" dev far
		ip -n "$FAR" addr add "172.16.$n.5/24" dev far
	done
	ip -n "$FAR" route add default via 172.16.18.1
	in_ns "$ROUTER" sysctl -qw net.ipv4.ip_forward=1
	lab_services "$NODE" 0
	lab_services "$NODE2" 1
}

# What kube-proxy and flannel write. 10.42.0.18 and .40 are the pods with two cards, 192.168.22.3 the one with one.
lab_services() { # lab_services NETNS NUMBER
	in_ns "$1" iptables-restore <<-RULES
		*nat
		:SVC - [0:0]
		-A PREROUTING -j SVC
		-A OUTPUT -j SVC
		-A SVC ! -s 10.42.0.0/16 -d 10.43.0.0/16 -j MARK --or-mark 0x4000
		-A SVC -s 10.42.0.18 -d 10.43.0.84 -j MARK --or-mark 0x4000
		-A SVC -s 10.42.0.40 -d 10.43.0.85 -j MARK --or-mark 0x4000
		-A SVC -d 10.43.0.80 -p tcp --dport 80 -j DNAT --to-destination 10.42.1.5:8080
		-A SVC -d 10.43.0.81 -p tcp --dport 80 -j DNAT --to-destination 10.42.0.30:8080
		-A SVC -d 10.43.0.82 -p tcp --dport 80 -j DNAT --to-destination 10.99.0.2:8080
		-A SVC -d 10.43.0.83 -p tcp --dport 80 -j DNAT --to-destination 10.99.0.1:8080
		-A SVC -d 10.43.0.84 -p tcp --dport 80 -j DNAT --to-destination 10.42.0.18:8080
		-A SVC -d 10.43.0.85 -p tcp --dport 80 -j DNAT --to-destination 10.42.0.40:8080
		-A SVC -d 10.43.0.86 -p tcp --dport 80 -j DNAT --to-destination 192.168.22.3:8080
		-A SVC -d 10.43.0.10 -p udp --dport 53 -j DNAT --to-destination 10.42.1.5:53
		-A SVC -m addrtype --dst-type LOCAL -p tcp --dport 30080 -j DNAT --to-destination 10.42.0.18:8080
		-A SVC -m addrtype --dst-type LOCAL -p tcp --dport 30081 -j DNAT --to-destination 10.42.0.40:8080
		-A SVC -m addrtype --dst-type LOCAL -p tcp --dport 30090 -j MARK --or-mark 0x4000
		-A SVC -m addrtype --dst-type LOCAL -p tcp --dport 30090 -j DNAT --to-destination 10.42.0.18:8080
		-A SVC -m addrtype --dst-type LOCAL -p tcp --dport 30091 -j MARK --or-mark 0x4000
		-A SVC -m addrtype --dst-type LOCAL -p tcp --dport 30091 -j DNAT --to-destination 10.42.0.40:8080
		-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE
		-A POSTROUTING -s 10.42.0.0/16 -d 10.42.0.0/16 -j RETURN
		-A POSTROUTING -s 10.42.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE
		-A POSTROUTING ! -s 10.42.0.0/16 -d 10.42.$2.0/24 -j RETURN
		-A POSTROUTING ! -s 10.42.0.0/16 -d 10.42.0.0/16 -j MASQUERADE
		COMMIT
	RULES
}

# lab_router open|stateful: routes everything, or only what belongs to a connection that it has seen begin
lab_router() {
	in_ns "$ROUTER" iptables -F FORWARD
	[ "$1" = stateful ] || return 0
	in_ns "$ROUTER" sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	in_ns "$ROUTER" iptables-restore --noflush <<-RULES
		*filter
		-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
		-A FORWARD -p tcp --syn -m conntrack --ctstate NEW -j ACCEPT
		-A FORWARD -p udp -m conntrack --ctstate NEW -j ACCEPT
		-A FORWARD -j DROP
		COMMIT
	RULES
}

# lab_rp_filter VALUE NETNS...: of each of their links
lab_rp_filter() {
	local value=$1 ns
	shift
	for ns in "$@"; do
		in_ns "$ns" sh -c "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo $value >\$f; done"
	done
}

# A primary of any shape: a veth pair, what the conf's "run" says in the pod, and "node" on the node ($END is its end).
lab_shape_plugin() {
	plugin shape <<-'EOF_PLUGIN'
		#!/bin/sh
		conf=$(cat)
		END=v$(printf %s "$CNI_CONTAINERID" | cksum | cut -d' ' -f1)
		export END
		case $CNI_COMMAND in
		ADD) ;;
		DEL) ip link del "$END" 2>/dev/null; exit 0 ;;
		*) exit 0 ;;
		esac
		ip link add "$END" type veth peer name "$CNI_IFNAME" netns "$(basename "$CNI_NETNS")" || exit 1
		ip link set "$END" up
		nsenter --net="$CNI_NETNS" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.accept_dad=0
		nsenter --net="$CNI_NETNS" ip link set "$CNI_IFNAME" addrgenmode none up
		printf '%s' "$conf" | jq -r '.run' | nsenter --net="$CNI_NETNS" sh -e >&2 || exit 1
		printf '%s' "$conf" | jq -r '.node' | sh -e >&2 || exit 1
		printf '%s' "$conf" | jq -c '{cniVersion: "0.4.0", interfaces: [], ips: [.addrs[] | {version: (if test(":") then "6" else "4" end), address: .}]}'
	EOF_PLUGIN
}

# shape RUN NODE ADDRESS...: the primary's conf
shape() {
	local run=$1 node=$2
	shift 2
	jq -nc --arg run "$run" --arg node "$node" \
		'{cniVersion: "0.4.0", name: "cbr0", type: "shape", run: $run, node: $node, addrs: $ARGS.positional}' --args "$@"
}
