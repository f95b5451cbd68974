# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The networks of the cluster: switch, nodes, the LAN machine and the host beyond it. The drawing
# is in cluster.sh. Everything but the link tandem0 lies in network namespaces of its own.

NETNS_PREFIX=tandem-

# Arguments: namespace and interface at one end, the switch's port name and bridge at the other.
network_plug() {
	ip -n tandem-switch link add "$3" mtu 1500 type veth peer name "$2" netns "$1"
	ip -n tandem-switch link set "$3" master "$4" up
	ip -n "$1" link set "$2" up
}

network_namespace() {
	ip netns add "$NETNS_PREFIX$1"
	ip -n "$NETNS_PREFIX$1" link set lo up
}

network_forward() {
	ip netns exec "$NETNS_PREFIX$1" sysctl -qw net.ipv4.ip_forward=1
}

network_switch() {
	network_namespace switch
	ip -n tandem-switch link add mg0 type bridge
	ip -n tandem-switch link add sw0 type bridge
	ip -n tandem-switch link set mg0 up
	ip -n tandem-switch link set sw0 up
	# This machine itself, by the number of this shell: the control plane's place.
	ip -n tandem-switch link add machine type veth peer name tandem0 netns $$
	ip -n tandem-switch link set machine master mg0 up
	ip link set tandem0 up
	ip addr add "$API_ADDRESS/24" dev tandem0
}

# The LAN's router: three subnets on one card, the nodes' uplink, and a network behind it.
network_lan() {
	local subnet

	network_namespace lan
	network_namespace far
	network_forward lan
	# A machine that answers for several subnets on one wire would tell hosts short cuts.
	ip netns exec tandem-lan sysctl -qw net.ipv4.conf.all.send_redirects=0 \
		net.ipv4.conf.default.send_redirects=0
	network_plug tandem-lan eth0 lan sw0
	for subnet in 192.168.100 192.168.120 192.168.22; do
		ip -n tandem-lan addr add "$subnet.1/24" dev eth0
	done
	network_plug tandem-lan eth1 uplink mg0
	ip -n tandem-lan addr add 10.99.0.253/24 dev eth1
	ip -n tandem-lan link add eth2 type veth peer name eth0 netns tandem-far
	ip -n tandem-lan addr add 172.16.18.1/24 dev eth2
	ip -n tandem-lan link set eth2 up
	ip -n tandem-far addr add 172.16.18.5/24 dev eth0
	ip -n tandem-far link set eth0 up
	ip -n tandem-far route add default via 172.16.18.1
}

# Argument: the node's number. What leaves the pod network leaves with the node's address, as
# Flannel's own rule has it.
network_node() {
	local i=$1 ns=${NETNS_PREFIX}n$1

	network_namespace "n$i"
	network_forward "n$i"
	network_plug "$ns" eth0 "n$i-mg" mg0
	network_plug "$ns" ens4 "n$i-sw" sw0
	ip -n "$ns" addr add "10.99.0.$i/24" dev eth0
	ip -n "$ns" route add default via 10.99.0.253
	# The kubelet asks the metadata services of clouds and would wait for an answer.
	ip -n "$ns" route add unreachable 169.254.0.0/16
	ip netns exec "$ns" iptables -w -t nat -A POSTROUTING \
		-s "$POD_CIDR" -d "$POD_CIDR" -j RETURN
	ip netns exec "$ns" iptables -w -t nat -A POSTROUTING \
		-s "$POD_CIDR" ! -d 224.0.0.0/4 -j MASQUERADE
}

# Arguments: a node's number, how many there are. Another node's /24 is reached by that node's address (host-gw).
network_pod_routes() {
	local i=$1 j

	for ((j = 1; j <= $2; j++)); do
		[ "$i" = "$j" ] || ip -n "${NETNS_PREFIX}n$i" route add "10.42.$((j - 1)).0/24" via "10.99.0.$j"
	done
}

network_up() {
	local i

	network_switch
	network_lan
	for ((i = 1; i <= $1; i++)); do
		network_node "$i"
		network_pod_routes "$i" "$1"
		ip route add "10.42.$((i - 1)).0/24" via "10.99.0.$i" dev tandem0
	done
}

network_names() {
	ip netns list | awk -v p="$NETNS_PREFIX" 'index($1, p) == 1 { print $1 }' |
		grep -xE "$NETNS_PREFIX(switch|lan|far|n[0-9]+)" || true
}

network_down() {
	local ns

	for ns in $(network_names); do
		ip netns del "$ns" || true
	done
	ip link del tandem0 2>/dev/null || true
}
