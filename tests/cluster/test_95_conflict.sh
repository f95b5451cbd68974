#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A machine on the LAN has an address that the controller would give next: the pod runs with another, the record
# said Conflict, and the node's log names the machine's MAC.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

TAKEN=192.168.100.60
rival=$(ip -n tandem-lan -br link show dev eth0 | awk '{ print $3 }')
undo() { ip -n tandem-lan addr del $TAKEN/32 dev eth0 2>/dev/null || true; }
at_exit undo
ip -n tandem-lan addr add $TAKEN/32 dev eth0

subnet crowded 192.168.100.0/24 'ipDelayReuse: 0' 'conflictDetection: true' \
	"ranges: [{rangeStart: $TAKEN, rangeEnd: 192.168.100.69}]" | k apply -f - >/dev/null
# Every state of the records, as they change: the one in Conflict is short-lived.
k get macvlanips -w --output-watch-events -o json >"$LAB/log/conflict-watch.json" 2>/dev/null &
watcher=$!
at_exit kill $watcher
deploy crowded 1 n1 tandem-cni.io/subnet=crowded
POD=$(pod_of crowded)
same "the pod has the address after it" 192.168.100.61 "$(pod_address "$POD" eth1)"
same "its record too" 192.168.100.61/24 "$(k get macvlanip "$POD" -o jsonpath='{.spec.cidr}')"
told() {
	jq -rs --arg pod "$POD" '[.[].object | select(.metadata.name == $pod and .status.phase == "Conflict") |
		"\(.spec.cidr) \(.status.message)"] | unique[]' "$LAB/log/conflict-watch.json"
}
check "the record said Conflict, with the address and the machine's MAC" \
	grep -E "^$TAKEN/24 .*$rival" <<<"$(told)"
check "so did the node's log" grep -q "$rival" "$LAB/n1/var/log/tandem.log"
same "the address is set aside" 1 \
	"$(k get macvlansubnet crowded -n kube-system -o json | jq '.status.allocation.quarantine | length')"
same "the machine still has it" 1 "$(ip -n tandem-lan -o addr show to $TAKEN | wc -l)"

k delete deployment crowded --wait=false >/dev/null
check "the pod is gone" wait_gone pods app=crowded 90
records_end "the record is gone" tandem-cni.io/subnet=crowded
k delete macvlansubnet crowded -n kube-system --timeout="$(scaled 30)s" >/dev/null || fail "the subnet can be deleted" "still there after 30 s"
