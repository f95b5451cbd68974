#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tandem-node on the node's own root: it reports a card, and ends what a sandbox without a DEL has left. The webhook, by
# the Service that the yaml has.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

# ------------------------------------------------------------------------------- the webhook, a card, its report
configured() { k get validatingwebhookconfiguration tandem-controller; }
check "the webhook is there" wait_for 30 configured
answer=$(subnet wrong 192.168.100.0/24 'ranges: [{rangeStart: 10.0.0.1, rangeEnd: 10.0.0.2}]' | k apply -f - 2>&1 || true)
same "it is asked" 'admission webhook "subnets.tandem-cni.io" denied the request' "$(grep -o 'admission webhook .* denied the request' <<<"$answer")"
subnet shipped 192.168.100.0/24 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 192.168.100.170, rangeEnd: 192.168.100.179}]' | k apply -f - >/dev/null
deploy shipped 1 n1 tandem-cni.io/subnet=shipped
POD=$(pod_of shipped)
phase_is() { [ "$(k get macvlanip "$POD" -o jsonpath='{.status.phase}')" = "$1" ]; }
check "the node reports the card" wait_for 30 phase_is Attached

# ------------------------------------------------------------------------------- a sandbox that ends without a DEL
state_of() { grep -lF "$1" "$LAB"/n1/var/lib/cni/tandem/*/* 2>/dev/null || true; }
ADDRESS=$(pod_address "$POD" eth0)
UID_OF=$(k get pod "$POD" -o jsonpath='{.metadata.uid}')
FILES=$(state_of "$UID_OF")
same "the pod's state files" 1 "$(wc -l <<<"$FILES")"
# The first line has the checksum of the second.
NETNS=$(sed -n 2p "$FILES" | jq -r .netns)
PAUSE=$(cluster pod-netns "default/$POD" | cut -d / -f 3)
check "the primary holds its address" test -e "$LAB/n1/var/lib/cni/networks/cbr0/$ADDRESS"
cluster kill kubelet-n1
cluster kill containerd-n1
kill -9 "$PAUSE"
cluster node 1 umount "$NETNS"
cluster node 1 rm "$NETNS"
ended() { [ -z "$(state_of "$UID_OF")" ] && [ ! -e "$LAB/n1/var/lib/cni/networks/cbr0/$ADDRESS" ]; }
check "tandem-node ends it: no state, and the primary has its address back" wait_for 30 ended
cluster start containerd-n1
cluster start kubelet-n1
node_log() { k logs "${NODES[@]}" --tail 100; }
undid() { node_log | grep -q 'undid what a DEL had left'; }
check "it says so" wait_for 30 undid


k delete deployment shipped --wait=false >/dev/null
check "the pod is gone" wait_gone pods app=shipped 90
records_end "its record is gone" tandem-cni.io/subnet=shipped
k delete macvlansubnet shipped -n kube-system --timeout="$(scaled 30)s" >/dev/null || fail "the subnet can be deleted" "still there after 30 s"
