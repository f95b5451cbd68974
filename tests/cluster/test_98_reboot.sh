#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A node's power fails and comes back: once with the API server up, once with one that is a minute late. Its pods come
# back with the addresses that they had, and none runs without its card.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

# cards: "POD ADDRESS MAC" of every pod, as its own network namespace has it
cards() {
	local pod
	for pod in $(pods_of booted); do
		printf '%s %s %s\n' "$pod" "$(pod_address "$pod" eth1)" "$(pod_mac "$pod" eth1)"
	done | LC_ALL=C sort
}
restarted() {
	k get pods -l app=booted -o json | jq -e '[.items[] | select(([.status.containerStatuses[]? | select(.ready and .restartCount >= '"$1"')] | length) == 2)] | length == 3'
}
daemon_ready() {
	k rollout status daemonset/tandem-node -n kube-system --timeout "$(scaled 90)s"
}

subnet booted 192.168.100.0/24 'ipDelayReuse: 600' \
	'ranges: [{rangeStart: 192.168.100.220, rangeEnd: 192.168.100.229}]' | k apply -f - >/dev/null
deploy booted 3 n2 tandem-cni.io/subnet=booted
before=$(cards)

cluster power-off 2
cluster power-on 2
check "the node's pods run again" wait_for 120 restarted 1
check "tandem-node is ready" daemon_ready
same "with the same addresses and MACs" "$before" "$(cards)"
check "the LAN reaches one" pings cluster lan "$(awk 'NR == 1 { print $2 }' <<<"$before")"

cluster power-off 2
cluster stop apiserver
cluster power-on 2
sleep 60
cluster start apiserver
check "the API server a minute late: the node's pods run again" wait_for 120 restarted 2
check "tandem-node is ready again" daemon_ready
same "with the same addresses and MACs as at first" "$before" "$(cards)"
check "the LAN reaches one again" pings cluster lan "$(awk 'NR == 1 { print $2 }' <<<"$before")"

k delete deployment booted --wait=false >/dev/null
check "the pods are gone" wait_gone pods app=booted 90
records_end "the records are gone" tandem-cni.io/subnet=booted
k delete macvlansubnet booted -n kube-system --timeout="$(scaled 30)s" >/dev/null || fail "the subnet can be deleted" "still there after 30 s"
