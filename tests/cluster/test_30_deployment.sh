#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Thirty pods of one Deployment over two nodes, the controller killed in the middle: every pod its
# own address; and when all are gone, nothing of them is left.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

COUNT=30

subnet_status() {
	k get macvlansubnet many -n kube-system -o jsonpath="{.status.$1}"
}

subnet_free_is() {
	[ "$(subnet_status free)" = "$1" ]
}

records() {
	k get macvlanips -l tandem-cni.io/subnet=many -o json
}

enough_records() {
	[ "$(records | jq '[.items[] | select(.spec.cidr)] | length')" -ge "$1" ]
}

# cards: "POD ADDRESS/PREFIX MAC" of every pod, as its own network namespace has it
cards() {
	local pod

	for pod in $(pods_of many); do
		printf '%s %s %s\n' "$pod" \
			"$(pod_addresses "$pod" | awk '$1 == "eth1" { print $3 }')" \
			"$(pod_mac "$pod" eth1)"
	done | LC_ALL=C sort
}

distinct() {
	awk -v c="$1" '{ print $c }' | sort -u | wc -l
}

# namespaces: how many network namespaces of pods the nodes have
namespaces() {
	local ns count=0

	for ns in "$LAB"/n[0-9]*/run/netns/*; do
		[ -e "$ns" ] && count=$((count + 1))
	done
	echo "$count"
}

subnet many 192.168.100.0/24 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 192.168.100.130, rangeEnd: 192.168.100.169}]' | k apply -f - >/dev/null
check "the subnet counts its addresses" wait_for 20 subnet_free_is 40
before=$(namespaces)
files=$(node_state_files | wc -l)

deployment many $COUNT any tandem-cni.io/subnet=many | k apply -f - >/dev/null
check "the controller is at work" wait_for 60 enough_records 3
cluster kill-program tandem-controller
if ! rollout many 240 >/dev/null; then
	rollout_why many
	k delete deployment many --wait=false >/dev/null
	bail "not all $COUNT pods run after 240 s"
fi
pass "all $COUNT pods run"
found=$(cards)
same "pods with a card" $COUNT "$(awk 'NF == 3' <<<"$found" | wc -l)"
same "distinct addresses" $COUNT "$(distinct 2 <<<"$found")"
same "distinct MACs" $COUNT "$(distinct 3 <<<"$found")"
same "pods on two nodes" 2 \
	"$(k get pods -l app=many -o jsonpath='{range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort -u | wc -l)"
same "records are what the cards have" \
	"$(records | jq -r '.items[] | "\(.metadata.name) \(.spec.cidr) \(.spec.mac)"' | LC_ALL=C sort)" \
	"$found"
check "the subnet has 10 left" wait_for 20 subnet_free_is 10

first=$(awk 'NR == 1 { print $2 }' <<<"$found")
controller_off
check "a card works without the controller" pings cluster lan "${first%/*}"
controller_on
k delete deployment many --wait=false >/dev/null
check "the pods are gone" wait_gone pods app=many 120
records_end "the records are gone" tandem-cni.io/subnet=many
check "every address is free again" wait_for 60 subnet_free_is 40
files_left() { [ "$(node_state_files | wc -l)" -le "$files" ]; }
check "the state files are gone" wait_for 120 files_left
namespaces_left() { [ "$(namespaces)" -le "$before" ]; }
check "the namespaces and the links in them are gone" wait_for 120 namespaces_left
for node in 1 2; do
	same "no link stays behind on node n$node" "" \
		"$(cluster node $node ip -br link show type macvlan)"
done
k delete macvlansubnet many -n kube-system --timeout="$(scaled 30)s" >/dev/null ||
	fail "the subnet can be deleted" "still there after 30 s"
