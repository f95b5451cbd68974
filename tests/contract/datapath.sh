#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The data path, flow by flow: pods of a Flannel-like and a Calico-like primary and one with a single card, made by
# the plugin on a node of a small world (lib-lab.sh); probes, services, NodePorts and the LAN; for each rp_filter of
# pod and node, with a router that forwards everything and one that knows connections. The server tells which
# address it saw.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
. "$(dirname "$0")/lib-lab.sh"
lab_up
apiserver_start
lab_addresses
lab_shape_plugin

FLOWS=$TANDEM_TOOLS/contract/flows
MODES="0 1 2"

declare -A primaries=([single]=$(primary))
# shellcheck disable=SC2016 # $END is the plugin's
primaries[flannel]=$(shape 'ip addr add 10.42.0.18/24 dev eth0; ip route add 10.42.0.0/16 via 10.42.0.1
ip route add default via 10.42.0.1' 'ip link set "$END" master cni0; ip link set "$END" type bridge_slave hairpin on' 10.42.0.18/24)
# shellcheck disable=SC2016
primaries[calico]=$(shape 'ip addr add 10.42.0.40/32 dev eth0; ip route add 169.254.1.1 dev eth0 scope link
ip route add default via 169.254.1.1' 'ip route add 10.42.0.40/32 dev "$END"
echo 1 >/proc/sys/net/ipv4/conf/$END/proxy_arp; echo 0 >/proc/sys/net/ipv4/neigh/$END/proxy_delay' 10.42.0.40/32)

# pod SHAPE|single SPEC: made by the plugin; its namespace in POD_SHAPE
pods=()
pod() {
	new_pod
	POD_NAME=$1 POD_UID=$(cat /proc/sys/kernel/random/uuid)
	record "$1" "$POD_UID" "$2"
	local interface=eth1
	[ "$1" != single ] || interface=eth0
	pod_text=$(conf "${primaries[$1]}" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100","tandem-cni.io/interface":"'$interface'"}}')
	cni ADD "$pod_text"
	succeeded "$picture: ADD, $1"
	printf -v "POD_$1" %s "$POD"
	pods+=("$CID $POD $POD_NAME $POD_UID")
}
drop_pods() {
	local p
	for p in "${pods[@]}"; do
		read -r CID POD POD_NAME POD_UID <<<"$p"
		NETNS=/run/netns/$POD
		cni DEL "$pod_text"
		[ "$RC" -eq 0 ] || fail "$picture: DEL, $POD_NAME" "$OUT"
		ip netns del "$POD"
	done
	pods=()
	same "$picture: nothing left on the node" "" \
		"$(ip -n "$NODE" -o link show type macvlan)$(ip -n "$NODE" neigh show nud permanent)"
}

# flow NAME PROTO NETNS ADDR PORT PEER [SRC]: one more of the list
flow() { echo "flow $*" >>"$DIR/flows"; }
listeners() {
	local ns
	for ns in "$NODE" "$NODE2" "$PLAIN" "$REMOTE" "$@"; do
		echo "listen tcp $ns 8080"
	done >"$DIR/flows"
	echo "listen udp $REMOTE 53" >>"$DIR/flows"
}

# The pods of both shapes: SHAPE, its address on eth0 and eth1, what the node speaks to eth0 with, NodePorts, own service
SHAPES=("flannel 10.42.0.18 2 10.42.0.1 30080 30090 10.43.0.84" "calico 10.42.0.40 3 10.99.0.1 30081 30091 10.43.0.85")

flows_b() {
	local s shape eth0 eth1 src near wide own pod
	listeners "$POD_flannel" "$POD_calico"
	for s in "${SHAPES[@]}"; do
		read -r shape eth0 eth1 src near wide own <<<"$s"
		pod=POD_$shape pod=${!pod} eth1=192.168.120.$eth1
		flow "$shape:node-eth0" tcp "$NODE" "$eth0" 8080 "$src"
		flow "$shape:node2-eth0" tcp "$NODE2" "$eth0" 8080 10.99.0.2
		flow "$shape:remote-eth0" tcp "$REMOTE" "$eth0" 8080 10.42.1.5
		flow "$shape:nodeport-local-lan" tcp "$HOST" 10.99.0.1 "$near" 192.168.120.77
		flow "$shape:nodeport-local-far" tcp "$FAR" 10.99.0.1 "$near" 172.16.19.5 172.16.19.5
		flow "$shape:nodeport-local-node2" tcp "$NODE2" 10.99.0.1 "$near" 10.99.0.2
		flow "$shape:nodeport-cluster" tcp "$HOST" 10.99.0.1 "$wide" "$src"
		flow "$shape:nodeport-cluster-node2" tcp "$HOST" 10.99.0.2 "$wide" 10.99.0.2
		flow "$shape:service-remote-pod" tcp "$pod" 10.43.0.80 80 "$eth0"
		# A Calico-like pod and a Flannel-like one are on no real node together: the answer would go over the
		# bridge, past the node that has to take the service's address back.
		[ "$shape" = calico ] || flow "$shape:service-local-pod" tcp "$pod" 10.43.0.81 80 "$eth0"
		flow "$shape:service-node2" tcp "$pod" 10.43.0.82 80 10.99.0.1
		flow "$shape:service-node" tcp "$pod" 10.43.0.83 80 "$eth0"
		flow "$shape:service-itself" tcp "$pod" "$own" 80 "$src"
		flow "$shape:dns" udp "$pod" 10.43.0.10 53 "$eth0"
		flow "$shape:pod-node" tcp "$pod" 10.99.0.1 8080 "$eth1"
	done
}

flows_eth1() { # flows_eth1 NET: beside the matrix, to the card's own address
	local s shape eth0 eth1 src near wide own
	listeners "$POD_flannel" "$POD_calico"
	for s in "${SHAPES[@]}"; do
		read -r shape eth0 eth1 src near wide own <<<"$s"
		eth1=192.168.$1.$eth1
		flow "$shape:node-eth1" tcp "$NODE" "$eth1" 8080 10.99.0.1
		flow "$shape:node2-eth1" tcp "$NODE2" "$eth1" 8080 10.99.0.2
		flow "$shape:plain-pod-eth1" tcp "$PLAIN" "$eth1" 8080 10.99.0.1
		flow "$shape:lan-eth1" tcp "$HOST" "$eth1" 8080 "192.168.$1.77"
		flow "$shape:far-eth1" tcp "$FAR" "$eth1" 8080 172.16.19.5 172.16.19.5
	done
}

flows_a() { # flows_a [inside]
	local s shape eth0 eth1 src near wide own pod
	flows_eth1 100
	for s in "${SHAPES[@]}"; do
		read -r shape eth0 eth1 src near wide own <<<"$s"
		pod=POD_$shape pod=${!pod} eth1=192.168.100.$eth1
		flow "$shape:node-eth0" tcp "$NODE" "$eth0" 8080 "$src"
		flow "$shape:node2-eth0" tcp "$NODE2" "$eth0" 8080 10.99.0.2
		flow "$shape:remote-eth0" tcp "$REMOTE" "$eth0" 8080 10.42.1.5
		flow "$shape:nodeport-local-route" tcp "$FAR" 10.99.0.1 "$near" 172.16.18.5 172.16.18.5
		flow "$shape:nodeport-local-far" tcp "$FAR" 10.99.0.1 "$near" 172.16.19.5 172.16.19.5
		flow "$shape:nodeport-cluster-node2" tcp "$HOST" 10.99.0.2 "$wide" 10.99.0.2
		flow "$shape:route-eth1" tcp "$FAR" "$eth1" 8080 172.16.18.5 172.16.18.5
		flow "$shape:service-remote-pod" tcp "$pod" 10.43.0.80 80 "$eth0"
		flow "$shape:pod-node" tcp "$pod" 10.99.0.1 8080 "$eth1"
		if [ "${1:-}" = inside ]; then
			flow "$shape:pod-node-lan" tcp "$pod" 192.168.100.10 8080 "$eth1"
			flow "$shape:nodeport-local-lan-own" tcp "$HOST" 192.168.100.10 "$near" 192.168.100.77
		else
			flow "$shape:nodeport-local-lan" tcp "$HOST" 10.99.0.1 "$near" 192.168.100.77
			flow "$shape:nodeport-cluster" tcp "$HOST" 10.99.0.1 "$wide" "$src"
		fi
	done
}

# Where the node has a second address on the LAN, a LAN machine that speaks to its other one by way of the router gets
# no answer, or one past the router, without any pod. Those cells are left out where this control fails.
flows_control() {
	listeners
	flow "control" tcp "$HOST" 10.99.0.1 8080 192.168.100.77
}
flows_lan_to_node() {
	local s shape eth0 eth1 src near wide own
	listeners "$POD_flannel" "$POD_calico"
	for s in "${SHAPES[@]}"; do
		read -r shape eth0 eth1 src near wide own <<<"$s"
		flow "$shape:nodeport-local-lan" tcp "$HOST" 10.99.0.1 "$near" 192.168.100.77
		flow "$shape:nodeport-cluster" tcp "$HOST" 10.99.0.1 "$wide" "$src"
	done
}

flows_c() {
	listeners "$POD_single"
	flow node-pod tcp "$NODE" 192.168.22.3 8080 10.99.0.1
	flow node2-pod tcp "$NODE2" 192.168.22.3 8080 10.99.0.2
	flow plain-pod tcp "$PLAIN" 192.168.22.3 8080 10.99.0.1
	flow lan-pod tcp "$HOST" 192.168.22.3 8080 192.168.22.77
	flow far-pod tcp "$FAR" 192.168.22.3 8080 172.16.19.5 172.16.19.5
	flow pod-node tcp "$POD_single" 10.99.0.1 8080 192.168.22.3
	flow pod-node2 tcp "$POD_single" 10.99.0.2 8080 192.168.22.3
	flow service-remote-pod tcp "$POD_single" 10.43.0.80 80 10.99.0.1
	flow service-local-pod tcp "$POD_single" 10.43.0.81 80 10.42.0.1
	flow service-node2 tcp "$POD_single" 10.43.0.82 80 10.99.0.1
	flow service-node tcp "$POD_single" 10.43.0.83 80 192.168.22.3
	flow service-itself tcp "$POD_single" 10.43.0.86 80 10.99.0.1
	flow dns udp "$POD_single" 10.43.0.10 53 10.99.0.1
}

# try WHERE: the list in $DIR/flows; counts
tried=0 failed=0
try() {
	local out n bad
	out=$("$FLOWS" <"$DIR/flows" 2>&1)
	read -r n _ bad _ <<<"$(tail -n 1 <<<"$out")"
	tried=$((tried + n)) failed=$((failed + bad))
	[ "$bad" -eq 0 ] || head -n -1 <<<"$out" | sed "s/^/    $1: /"
}

# matrix NAME WANTED LIST...: each list of flows in each of the 18 settings
matrix() {
	local name=$1 wanted=$2 router pod node list
	shift 2
	tried=0 failed=0
	for router in open stateful; do
		lab_router $router
		for node in $MODES; do
			lab_rp_filter "$node" "$NODE" "$NODE2"
			for pod in $MODES; do
				lab_rp_filter "$pod" ${POD_flannel:+"$POD_flannel"} ${POD_calico:+"$POD_calico"} ${POD_single:+"$POD_single"}
				for list in "$@"; do
					$list
					try "router $router, rp_filter of node $node, of pod $pod"
				done
			done
		done
	done
	echo "# $name: flows tried $tried, failed $failed"
	same "$name" "$wanted tried, 0 failed" "$tried tried, $failed failed"
}

lan_gateway() { ip -n "$HOST" route replace default via "192.168.$1.1"; }

# --- picture (b): the card is the default gateway -----------------------------------------------------------

picture="(b)"
B='{"gateway":"192.168.120.1","hostAccess":true,"podDefaultGateway":{"enable":true,"serviceCidr":"10.43.0.0/16"}}'
lan_gateway 120
pod flannel "$(jq -c '. + {cidr: "192.168.120.2/24", mac: "0a:00:00:00:12:02"}' <<<"$B")"
pod calico "$(jq -c '. + {cidr: "192.168.120.3/24", mac: "0a:00:00:00:12:03"}' <<<"$B")"
flows_eth1_b() { flows_eth1 120; }
matrix "(b): probes, services and NodePorts" 522 flows_b
matrix "(b): the card's own address" 180 flows_eth1_b

# By which card answers leave: a probe of the kubelet's, and a NodePort's client from beyond the router.
leaves_by() { # leaves_by NAME POD FROM ADDR PORT [SRC]
	local pid
	nsenter --net=/run/netns/"$2" tcpdump -lnni any 'tcp src port 8080 and tcp[tcpflags] & tcp-syn != 0' >"$DIR/dump" 2>"$DIR/dump.err" &
	pid=$!
	wait_for 20 grep -q listening "$DIR/dump.err" || fail "$1" "tcpdump does not start"
	listeners "$2"
	flow answered tcp "$3" "$4" "$5" - ${6:+"$6"}
	"$FLOWS" <"$DIR/flows" >/dev/null || fail "$1" "no answer"
	wait_for 20 grep -q Flags "$DIR/dump" || fail "$1" "tcpdump saw nothing"
	kill "$pid"
	wait "$pid" 2>/dev/null
	sed 's/^/# /; s/, options.*//' "$DIR/dump"
	same "$1" eth0 "$(sed -nE 's/^[0-9:.]+ ([a-z0-9]+) +Out .*/\1/p' "$DIR/dump" | sort -u)"
}
for shape in flannel calico; do
	read -r _ eth0 _ _ near _ <<<"${SHAPES[$([ $shape = flannel ] && echo 0 || echo 1)]}"
	pod=POD_$shape
	leaves_by "(b) $shape: a probe to eth0 is answered by eth0" "${!pod}" "$NODE" "$eth0" 8080
	leaves_by "(b) $shape: a NodePort's client is answered by eth0" "${!pod}" "$FAR" 10.99.0.1 "$near" 172.16.19.5
done
drop_pods

# --- picture (a), the node's address outside of the subnet and inside -----------------------------------------

A='{"gateway":"192.168.100.1","hostAccess":true,"routes":[{"dst":"172.16.18.0/24","iface":"eth1"}]}'
pods_a() {
	pod flannel "$(jq -c '. + {cidr: "192.168.100.2/24", mac: "0a:00:00:00:10:02"}' <<<"$A")"
	pod calico "$(jq -c '. + {cidr: "192.168.100.3/24", mac: "0a:00:00:00:10:03"}' <<<"$A")"
}
picture="(a)"
lan_gateway 100
pods_a
matrix "(a): the node outside of the subnet" 576 flows_a
drop_pods

picture="(a), inside"
ip -n "$NODE" addr add 192.168.100.10/24 dev ens4
pods_a
flows_a_inside() { flows_a inside; }
matrix "(a): the node inside the subnet" 576 flows_a_inside
left_out=0 tried=0 failed=0
for router in open stateful; do
	lab_router $router
	for node in $MODES; do
		lab_rp_filter "$node" "$NODE" "$NODE2"
		flows_control
		if ! "$FLOWS" <"$DIR/flows" >/dev/null; then
			left_out=$((left_out + 4 * 3))
			continue
		fi
		for pod in $MODES; do
			lab_rp_filter "$pod" "$POD_flannel" "$POD_calico"
			flows_lan_to_node
			try "router $router, rp_filter of node $node, of pod $pod"
		done
	done
done
echo "# (a), a LAN machine to the node's other address: flows tried $tried, failed $failed, left out $left_out (the control without a pod fails)"
same "(a): a LAN machine to the node's other address" "72 cells, 0 failed" "$((tried + left_out)) cells, $failed failed"
drop_pods
ip -n "$NODE" addr del 192.168.100.10/24 dev ens4

# --- picture (c): services, DNS and probes on a single card ----------------------------------------------------

picture="(c)"
POD_flannel='' POD_calico=''
lan_gateway 22
pod single '{"cidr":"192.168.22.3/24","mac":"0a:00:00:00:02:03","gateway":"192.168.22.1","routes":[{"dst":"0.0.0.0/0","gw":"192.168.22.1","iface":"eth0"}]}'
matrix "(c): a single card" 234 flows_c
drop_pods
