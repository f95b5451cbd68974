#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shows the four pictures on a cluster that runs with tandem on it, and checks each line of them.
#
#   pictures.sh [--leave] [--break-route]
#
#   (a) app-a   a second card beside the primary's, with a route to a network behind the LAN's router
#   (b) app-b   the second card is the default gateway
#   (c) app-c   the card on the LAN is the only one
#   (d)         what an operator sees of subnets, addresses and a Service's second cards
#
# Each picture is printed as `ip` and `kubectl` print it and then compared with golden/: every line,
# in any order, without the words `proto` and `mtu`. In the golden files @HOST@ stands for the last
# number of the pod's eth0 address, @POD:x@, @UID:x@ and @MAC:x@ for what the API server says of
# the pod of deployment x. Then packets are sent the ways that the pictures promise.
#
# --leave keeps the workloads. --break-route takes a route out of the pod of picture (a) first:
# the check has to fail, which is how the check itself is checked.
set -euo pipefail

DEMO=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/cluster/testlib.sh
. "$DEMO/../cluster/testlib.sh"

FAR=172.16.18.5

heading() {
	printf '\n== %s\n' "$*"
}

workloads_up() {
	local node=n1

	k apply -f "$DEMO/manifests/subnets.yaml" >/dev/null || bail "the subnets are refused"
	deploy plain 1 $node
	deploy app-a 1 $node tandem-cni.io/subnet=vlan100
	deploy app-a2 1 n2 tandem-cni.io/subnet=vlan100
	deploy app-b 1 $node tandem-cni.io/subnet=vlan120
	deploy app-c 1 $node tandem-cni.io/subnet=vlan22 tandem-cni.io/interface=eth0
	deploy other 1 n2
	k expose deployment app-a --port 43 --target-port "$SERVE_PORT" --dry-run=client -o yaml |
		k apply -f - >/dev/null
	k expose deployment other --port 80 --target-port "$SERVE_PORT" --dry-run=client -o yaml |
		k apply -f - >/dev/null
	POD_PLAIN=$(pod_of plain)
	POD_A=$(pod_of app-a)
	POD_A2=$(pod_of app-a2)
	POD_B=$(pod_of app-b)
	POD_C=$(pod_of app-c)
}

workloads_down() {
	k delete deployment plain app-a app-a2 app-b app-c other --wait=false >/dev/null
	k delete service app-a other >/dev/null
	records_end "records are gone with their pods" ""
	k delete -f "$DEMO/manifests/subnets.yaml" --timeout="$(scaled 30)s" >/dev/null ||
		fail "subnets can be deleted" "still there after 30 s"
}

# --- the pictures ----------------------------------------------------------------------------

# sorted: a picture's lines in an order of their own
sorted() {
	LC_ALL=C sort
}

# picture LETTER POD: prints the pod's cards and routes and compares them
picture() {
	local letter=$1 pod=$2 host

	heading "picture ($letter): $pod"
	in_pod "$pod" ip -4 addr show scope global
	echo "--"
	in_pod "$pod" ip -4 route show
	host=$(pod_address "$pod" eth0)
	same "picture ($letter)" \
		"$(sed "s/@HOST@/${host##*.}/" "$DEMO/golden/$letter.txt" | sorted)" \
		"$( (pod_addresses "$pod" && pod_routes "$pod") | sorted)"
}

# columns N: the first N columns of a table, one blank between them
columns() {
	awk -v n="$1" '{ for (i = 1; i <= n; i++) printf "%s%s", $i, i < n ? " " : "\n" }'
}

# fill_records: golden/ips.txt with what the API server says in place of the marks
fill_records() {
	local text app pod

	text=$(cat "$DEMO/golden/ips.txt")
	for app in app-a app-a2 app-b app-c; do
		pod=$(pod_of "$app")
		text=${text//@POD:$app@/$pod}
		text=${text//@UID:$app@/$(k get pod "$pod" -o jsonpath='{.metadata.uid}')}
		text=${text//@MAC:$app@/$(k get macvlanip "$pod" -o jsonpath='{.spec.mac}')}
	done
	printf '%s\n' "$text"
}

records() {
	local text

	heading "picture (d): subnets"
	text=$(k get macvlansubnets -A)
	printf '%s\n' "$text"
	same "picture (d), subnets" "$(sorted <"$DEMO/golden/subnets.txt")" \
		"$(columns 7 <<<"$text" | sorted)"
	heading "picture (d): addresses, as the nodes report them"
	wait_for 30 attached || true
	text=$(k get macvlanips -A)
	printf '%s\n' "$text"
	same "picture (d), addresses" "$(fill_records | sorted)" "$(columns 8 <<<"$text" | sorted)"
	heading "picture (d): the second card by its Service"
	wait_for 30 found || true
	k get service,endpoints app-a-macvlan
	same "picture (d), service" "service/app-a-macvlan ClusterIP None <none> 43/TCP
endpoints/app-a-macvlan 192.168.100.50:$SERVE_PORT" "$(k get service,endpoints app-a-macvlan --no-headers | awk '{ NF--; print }' | sed 's/  */ /g; s/ $//')"
}
attached() { ! k get macvlanips -A -o jsonpath='{range .items[*]}{.status.phase}{"\n"}{end}' | grep -qv Attached; }
found() { k get endpoints app-a-macvlan -o jsonpath='{.subsets[*].addresses[*].ip}' | grep -q .; }

# card_mac POD CARD: the record's MAC is the card's, a unicast one of the locally administered
card_mac() {
	local mac record

	mac=$(pod_mac "$1" "$2")
	record=$(k get macvlanip "$1" -o jsonpath='{.spec.mac}')
	same "MAC of $2 is the record's ($1)" "$record" "$mac"
	case $mac in
	?[26ae]:*) pass "MAC of $2 is locally administered ($1)" ;;
	*) fail "MAC of $2 is locally administered ($1)" "$mac" ;;
	esac
}

cards() {
	card_mac "$POD_A" eth1
	card_mac "$POD_B" eth1
	card_mac "$POD_C" eth0
	same "a pod that does not ask has eth0 only" "eth0" \
		"$(pod_addresses "$POD_PLAIN" | awk '{ print $1 }')"
}

# --- the ways --------------------------------------------------------------------------------

# sees NAME EXPECTED CMD...: CMD asks a netcheck server; the address it saw shall be EXPECTED.
# Tried for 5 s: a service's rules may be younger than its pod.
sees() {
	local name=$1 expected=$2 answer

	shift 2
	wait_for 5 "$@" || true
	answer=$("$@" 2>&1) || true
	same "$name" "$expected" "${answer%% *}"
}

in_a() { in_pod "$POD_A" "$@"; }
in_a2() { in_pod "$POD_A2" "$@"; }
in_b() { in_pod "$POD_B" "$@"; }
in_c() { in_pod "$POD_C" "$@"; }
in_plain() { in_pod "$POD_PLAIN" "$@"; }
ask() { "$1" "$NETCHECK" ask "${@:2}"; }
ask_udp() { "$1" "$NETCHECK" ask-udp "${@:2}"; }

on_lan() { cluster lan "$@"; }
on_far() { cluster far "$@"; }

ways_a() {
	heading "ways of picture (a): eth1 to eth1 across the nodes, and the LAN"
	check "(a) node n1 to n2" pings in_a 192.168.100.51
	check "(a) node n2 to n1" pings in_a2 192.168.100.50
	sees "(a) pod to pod shows eth1's address" 192.168.100.50 \
		ask in_a 192.168.100.51 "$SERVE_PORT"
	check "(a) to the LAN machine" pings in_a 192.168.100.1
	check "(a) from the LAN machine" pings on_lan 192.168.100.50
	sees "(a) the LAN machine reaches a server in the pod" 192.168.100.1 \
		ask on_lan 192.168.100.50 "$SERVE_PORT"
	sees "(a) the LAN machine reaches it by UDP" 192.168.100.1 \
		ask_udp on_lan 192.168.100.50 "$SERVE_PORT"
	sees "(a) the custom route leads out by eth1" 192.168.100.50 ask in_a "$FAR" "$SERVE_PORT"
	sees "(a) is reached from beyond the router" "$FAR" ask on_far 192.168.100.50 "$SERVE_PORT"
	sees "(a) reaches a service" "$(pod_address "$POD_A" eth0)" ask in_a "$SERVICE" 80
}

ways_b() {
	local eth0

	heading "ways of picture (b): its own address outside, services and pods by eth0"
	eth0=$(pod_address "$POD_B" eth0)
	sees "a plain pod is masqueraded by its node" 10.99.0.1 ask in_plain "$FAR" "$SERVE_PORT"
	sees "(b) keeps its own address" 192.168.120.2 ask in_b "$FAR" "$SERVE_PORT"
	sees "(b) is reached from beyond the router" "$FAR" ask on_far 192.168.120.2 "$SERVE_PORT"
	check "(b) to the LAN machine" pings in_b 192.168.120.1
	check "(b) from the LAN machine" pings on_lan 192.168.120.2
	sees "(b) reaches a service by eth0" "$eth0" ask in_b "$SERVICE" 80
	sees "(b) reaches a pod of another node by eth0" "$eth0" ask in_b "$OTHER" "$SERVE_PORT"
}

ways_c() {
	heading "ways of picture (c): a machine on the LAN"
	check "(c) to the LAN machine" pings in_c 192.168.22.1
	check "(c) from the LAN machine" pings on_lan 192.168.22.3
	sees "(c) is seen with its own address" 192.168.22.3 ask in_c "$FAR" "$SERVE_PORT"
	sees "(c) is reached from beyond the router" "$FAR" ask on_far 192.168.22.3 "$SERVE_PORT"
}

ways() {
	SERVICE=$(k get service other -o jsonpath='{.spec.clusterIP}')
	OTHER=$(k get pod "$(pod_of other)" -o jsonpath='{.status.podIP}')
	serve far
	ways_a
	ways_b
	ways_c
}

leave="" break_route=""
for option; do
	case $option in
	--leave) leave=yes ;;
	--break-route) break_route=yes ;;
	*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 2 ;;
	esac
done
workloads_up
[ -z "$break_route" ] || in_pod "$POD_A" ip route del 172.16.18.0/24
picture a "$POD_A"
picture b "$POD_B"
picture c "$POD_C"
cards
records
[ -n "$break_route" ] || ways
[ -n "$leave" ] || workloads_down
