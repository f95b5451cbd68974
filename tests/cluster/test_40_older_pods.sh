#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pods that the bare primary set up before tandem came (test_00_primary.sh left them): they live on,
# and when they end their addresses go back to the primary.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

addresses=""

# freed: none of the addresses is host-local's any more
freed() {
	local address

	for address in $addresses; do
		! compgen -G "$LAB/n[0-9]*/var/lib/cni/networks/cbr0/$address" >/dev/null || return 1
	done
}

pods=$(pods_of older)
if [ -z "$pods" ]; then
	skip "pods older than tandem" "there are none: test_00_primary has not run"
	exit 0
fi
for pod in $pods; do
	address=$(pod_address "$pod" eth0)
	addresses+=" $address"
	check "still answers: $address" cluster node 1 "$NETCHECK" ask "$address" "$SERVE_PORT"
	check "host-local holds $address" compgen -G "$LAB/n[0-9]*/var/lib/cni/networks/cbr0/$address"
done
k delete deployment older --wait=false >/dev/null
check "they end" wait_gone pods app=older 60
check "the primary has their addresses back" wait_for 30 freed
