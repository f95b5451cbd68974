#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a ClusterIP costs: requests of one byte, connections, and one stream, by the address of the pod itself, by a
# ClusterIP that the socket programs translate (with 10,000 other Services in the maps), and by a ClusterIP that the node
# translates with iptables, as kube-proxy does, with 3 rules and with 2,000 before it. Both pods are on one node, connected
# by macvlan, by veth and a bridge, and by veth and routes. Who asks for the address itself is outside of the cgroup that
# the programs are at. Rounds are interleaved, each with every way once, in an order that changes; ratios are medians
# of the rounds' own ratios, so that what else the machine does meets all of them. Throughput is printed, and
# nothing promised: one stream is bound by copying here.
#
#	tests/bench/services.sh [ROUNDS] [JSON]		15 rounds: three minutes; JSON is a file to be written

. "$(dirname "$0")/../services/lib.sh"
ROUNDS=${1:-15} JSON=${2:-}
RR=$TANDEM_TOOLS/bench/rr
MS=150 PORT=5201
MODES="tcp udp datagram connect bulk"
[ -x "$RR" ] || { echo "$RR is missing: make tests-dev" >&2 && exit 1; }

services_lab macvlan
declare -A CLIENT=() ADDRESS=()
# pair NAME KIND NET: a client and a server
pair() {
	NET=$3 NET6=fd00:${3##*.}:
	pod "C$1" "${3##*.}5" "$2"
	pod "S$1" "${3##*.}6" "$2"
	local client=C$1 server=S$1
	CLIENT[$1]=${!client} ADDRESS[$1]=$NET.${3##*.}6
	in_ns "${!server}" "$RR" serve "${ADDRESS[$1]}" $PORT >"$DIR/serve-$1" &
	wait_for 5 grep -q ready "$DIR/serve-$1" || exit 1
}
pair macvlan macvlan 192.168.10
pair bridge bridge 192.168.11
pair routed routed 192.168.12

# ClusterIPs that the programs know, ...
services load
"$TANDEM_TOOLS/services/flip" fill "$PINS/v1" 10000 5 >/dev/null
i=0
declare -A VIPS=()
for way in macvlan bridge routed; do
	VIPS[$way]=10.96.0.$((++i))
	for port in $PORT $((PORT + 1)); do
		services svc add --service="${VIPS[$way]}:$port" --backend="${ADDRESS[$way]}:$port"
	done
done

# ... and ones that the node translates: rules N VIP, a chain of N rules, the last of which is VIP's.
rules() {
	local i proto
	for ((i = 0; i < $1 - 1; i++)); do
		echo "-A $3 -d 10.98.$((i / 250)).$((i % 250 + 1))/32 -p tcp -m tcp --dport $PORT -j DNAT --to-destination ${ADDRESS[macvlan]}"
	done
	for proto in tcp udp; do
		echo "-A $3 -d $2/32 -p $proto -m $proto --dport $PORT:$((PORT + 1)) -j DNAT --to-destination ${ADDRESS[macvlan]}"
	done
}
FEW=10.99.0.3 MANY=10.99.1.1
in_ns "$NODE" ip link add host0 link lan0 type macvlan mode bridge
in_ns "$NODE" ip addr add 192.168.10.1/24 dev host0
in_ns "$NODE" ip link set host0 up
in_ns "$NODE" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.host0.send_redirects=0
{
	echo '*nat'
	echo ':few - [0:0]'
	echo ':many - [0:0]'
	echo "-A PREROUTING -d 10.99.0.0/24 -j few"
	echo "-A PREROUTING -d 10.99.1.0/24 -j many"
	rules 3 $FEW few
	rules 2000 $MANY many
	# Client and endpoint are on one link: the answer must come by the node as well.
	echo "-A POSTROUTING -s 192.168.10.0/24 -d 192.168.10.0/24 -j MASQUERADE"
	echo COMMIT
} | in_ns "$NODE" iptables-restore || exit 1
in_ns "${CLIENT[macvlan]}" ip route add 10.99.0.0/16 via 192.168.10.1

# Each kind: a name, how its pods are connected, the address asked for, and whether the programs are met.
KINDS=("pod macvlan ${ADDRESS[macvlan]} out" "clusterip macvlan ${VIPS[macvlan]} in" "iptables-3 macvlan $FEW out" "iptables-2000 macvlan $MANY out"
	"pod bridge ${ADDRESS[bridge]} out" "clusterip bridge ${VIPS[bridge]} in" "pod routed ${ADDRESS[routed]} out" "clusterip routed ${VIPS[routed]} in")
# one KIND WAY IP in|out MODE
one() {
	local port=$PORT out
	[ "$5" != bulk ] || port=$((PORT + 1))
	out=$(
		[ "$4" = in ] || echo "$BASHPID" >"$CGROUP_BEFORE/cgroup.procs"
		exec nsenter --net="/run/netns/${CLIENT[$2]}" "$RR" "$5" $MS "$3" $port
	) || { echo "$1 by $2, $5: failed" >&2 && exit 1; }
	echo "${out%% *}" >>"$DIR/$2.$1.$5"
}
for ((round = 0; round < ROUNDS; round++)); do
	for mode in $MODES; do
		for kind in "${KINDS[@]}"; do
			# shellcheck disable=SC2086 # words
			one $kind "$mode"
		done
	done
	KINDS=("${KINDS[@]:1}" "${KINDS[0]}")
done

# ---------------------------------------------------------------------------- the table
median() { sort -n "$@" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# ratio WAY KIND MODE: to the pod's own address
ratio() { paste "$DIR/$1.$2.$3" "$DIR/$1.pod.$3" | awk '{ printf "%.4f\n", $1 / $2 }' | median; }
text_of() {
	case $1 in
	tcp) echo "TCP request, us" ;;
	udp) echo "UDP request, connected, us" ;;
	datagram) echo "UDP request, unconnected, us" ;;
	connect) echo "connection with a request, us" ;;
	bulk) echo "one stream, Gbit/s" ;;
	esac
}
# verdict MODE RATIO: the budgets of a request and of a connection
verdict() {
	local most=1.03
	[ "$1" != connect ] || most=1.08
	[ "$1" = bulk ] || awk -v r="$2" -v most=$most 'BEGIN { printf "(budget x%s: %s)", most, r <= most ? "kept" : "MISSED" }'
}
# cell WAY KIND MODE
cell() {
	local ratio=""
	[ "$2" = pod ] || ratio=" x$(printf %.3f "$(ratio "$1" "$2" "$3")")"
	printf '%s%s' "$(median "$DIR/$1.$2.$3")" "$ratio"
}
echo "Linux $(uname -r), load $(cut -d' ' -f1-3 /proc/loadavg), medians of $ROUNDS rounds, x: to the pod's own address"
printf '%-32s %10s %16s %16s %16s\n' macvlan "pod IP" ClusterIP "3 rules" "2,000 rules"
for mode in $MODES; do
	printf '%-32s %10s %16s %16s %16s  %s\n' "$(text_of "$mode")" "$(cell macvlan pod "$mode")" "$(cell macvlan clusterip "$mode")" \
		"$(cell macvlan iptables-3 "$mode")" "$(cell macvlan iptables-2000 "$mode")" "$(verdict "$mode" "$(ratio macvlan clusterip "$mode")")"
done
for way in bridge routed; do
	printf '\n%-32s %10s %16s\n' "veth, $way" "pod IP" ClusterIP
	for mode in $MODES; do
		printf '%-32s %10s %16s  %s\n' "$(text_of "$mode")" "$(cell $way pod "$mode")" "$(cell $way clusterip "$mode")" \
			"$(verdict "$mode" "$(ratio $way clusterip "$mode")")"
	done
done
printf '\nipvlan (l2, l3, l3s) is not in every kernel: tests/vm has it, without figures. veth with redirect is not built.\n'
[ -n "$JSON" ] || exit 0
for kind in "${KINDS[@]}"; do
	read -r name way _ <<<"$kind"
	for mode in $MODES; do
		jq -nc --arg way "$way" --arg to "$name" --arg mode "$mode" --argjson median "$(median "$DIR/$way.$name.$mode")" \
			--argjson ratio "$(ratio "$way" "$name" "$mode")" \
			'{way: $way, to: $to, mode: $mode, unit: (if $mode == "bulk" then "Gbit/s" else "us" end), median: $median, ratioToPod: $ratio}'
	done
done | jq -s --arg kernel "$(uname -r)" --argjson rounds "$ROUNDS" '{kernel: $kernel, rounds: $rounds, services: 10000, results: .}' >"$JSON"
