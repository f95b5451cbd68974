# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ClusterIPs on this machine's kernel, seen by nobody else: a cgroup of the test's own below the root, which the test's
# processes are in, pins in a folder of its own, addresses of its own, and namespaces:
#
#	namespace $NODE: a LAN (lan0, one end of a veth), and pods' cards on it
#	  pods A, B, C ...: eth0 (macvlan or ipvlan on lan0), 192.168.10.<n> and fd00:10::<n>, no route besides
#
# ip netns exec shows another /sys: everything runs by nsenter --net.

. "$(dirname "${BASH_SOURCE[0]}")/lib-mounts.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

: "${TANDEM_TOOLS:=$TESTS_ROOT/build/dev/tests}"
: "${TANDEM_SERVICES_BIN:=$TANDEM_BUILD/tandem-services}"
PEER=$TANDEM_TOOLS/services/peer
PINS=/sys/fs/bpf/tandem-test-$$
# shellcheck disable=SC2034 # used by the tests
VIP=10.96.0.100 VIP6=fd96::100

# services_lab [KIND]: NODE with its LAN, the cgroup, the pins
services_lab() {
	local root
	CARD=${1:-macvlan}
	for program in "$TANDEM_SERVICES_BIN" "$PEER"; do
		[ -x "$program" ] || { fail "$program" "is not there: make tests-dev static" && exit 1; }
	done
	scratch DIR
	root=$(awk '$3 == "cgroup2" { print $2 }' /proc/mounts | while read -r dir; do
		[ "$(stat -c %i "$dir")" != 1 ] || echo "$dir"
	done | head -n 1)
	[ -n "$root" ] || { fail "cgroup v2" "its root is not mounted here" && exit 1; }
	CGROUP=$root/tandem-test-$$
	CGROUP_BEFORE=$root$(sed -n 's/^0:://p' /proc/self/cgroup)
	# Last in, first out: pods, then what is pinned, then the cgroup.
	at_exit cgroup_down
	at_exit lab_down
	at_exit services unload
	mkdir "$CGROUP" && echo $$ >"$CGROUP/cgroup.procs" || exit 1
	NODE=tsv-$$-node
	ip netns add "$NODE"
	in_ns "$NODE" ip link set lo up
	in_ns "$NODE" ip link add lan0 type veth peer name lan1 || exit 1
	in_ns "$NODE" ip link set lan0 up
	in_ns "$NODE" ip link set lan1 up
}

# kernel_list: what the kernel has of BPF, once it has freed what a test before this one had
kernel_list() {
	local i last now
	now=$("$PEER" list)
	for ((i = 0; i < 20; i++)); do
		last=$now
		sleep 0.5
		now=$("$PEER" list)
		[ "$last" != "$now" ] || break
	done
	echo "$now"
}

cgroup_down() {
	echo $$ >"$CGROUP_BEFORE/cgroup.procs"
	wait_for 5 rmdir "$CGROUP" || echo "cgroup $CGROUP stays"
}

lab_down() {
	local ns pid
	for ns in $(ip netns list | awk -v p="tsv-$$-" 'index($1, p) == 1 { print $1 }'); do
		for pid in $(ip netns pids "$ns"); do kill -9 "$pid"; done
		ip netns del "$ns"
	done 2>/dev/null
}

# in_ns NAMESPACE CMD...
in_ns() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" "$@"
}

# services WORD...: the tool, on the node, with this test's places
services() {
	local words=("$1")
	shift
	case ${words[0]} in svc | ep) words+=("$1") && shift ;; esac
	in_ns "$NODE" "$TANDEM_SERVICES_BIN" "${words[@]}" --pins "$PINS" --cgroup "$CGROUP" "$@"
}

# pod NAME N [KIND]: a namespace with a card, $NET.N; its name in lower case is what its servers say. KIND: macvlan;
# ipvlan, l3, l3s; or without a card of the LAN: bridge (veth, and a bridge on the node), routed (veth, and the node routes)
NET=192.168.10 NET6=fd00:10:
pod() {
	local ns=tsv-$$-$1 kind=${3:-$CARD} prefix=24 prefix6=64
	ip netns add "$ns"
	in_ns "$ns" ip link set lo up
	case $kind in
	macvlan) in_ns "$NODE" ip link add "c$2" link lan0 netns "/run/netns/$ns" type macvlan mode bridge ;;
	ipvlan) in_ns "$NODE" ip link add "c$2" link lan0 netns "/run/netns/$ns" type ipvlan mode l2 ;;
	l3 | l3s) in_ns "$NODE" ip link add "c$2" link lan0 netns "/run/netns/$ns" type ipvlan mode "$kind" ;;
	bridge | routed) pod_veth "$ns" "$2" "$kind" ;;
	esac
	in_ns "$ns" ip link set "c$2" name eth0
	[ "$kind" != routed ] || prefix=32 prefix6=128
	in_ns "$ns" ip addr add "$NET.$2/$prefix" dev eth0
	in_ns "$ns" ip addr add "$NET6:$2/$prefix6" dev eth0 nodad
	in_ns "$ns" ip link set eth0 up
	[ "$kind" != routed ] || pod_routes "$ns" "$2"
	printf -v "$1" '%s' "$ns"
}

# pod_veth NAMESPACE N KIND
pod_veth() {
	in_ns "$NODE" ip link add "v$2" type veth peer name "c$2" netns "/run/netns/$1"
	if [ "$3" = bridge ]; then
		in_ns "$NODE" ip link add br0 type bridge 2>/dev/null
		in_ns "$NODE" ip link set br0 up
		in_ns "$NODE" ip link set "v$2" master br0
	fi
	in_ns "$NODE" ip link set "v$2" up
}

# pod_routes NAMESPACE N: as Calico has it
pod_routes() {
	in_ns "$NODE" sysctl -qw net.ipv4.ip_forward=1 "net.ipv4.conf.v$2.proxy_arp=1" "net.ipv4.neigh.v$2.proxy_delay=0"
	in_ns "$NODE" ip route replace 169.254.0.0/16 dev lan1 # what it has no other way to it does not answer for
	in_ns "$NODE" ip route add "$NET.$2/32" dev "v$2"
	in_ns "$1" ip route add 169.254.1.1 dev eth0
	in_ns "$1" ip route add default via 169.254.1.1
}

# serve POD NAME IP PORT...: in the background, and there when this returns
serve() {
	local ns=$1
	shift
	in_ns "$ns" "$PEER" serve "$@" >"$DIR/serve-$1" 2>"$DIR/serve-$1.err" &
	# shellcheck disable=SC2034 # for those that end it
	SERVER=$!
	wait_for 5 grep -q ready "$DIR/serve-$1" || fail "server $1" "$(cat "$DIR/serve-$1.err")"
}

# ask POD WAY IP PORT [SOURCE]
ask() {
	local ns=$1
	shift
	in_ns "$ns" "$PEER" "$@"
}
