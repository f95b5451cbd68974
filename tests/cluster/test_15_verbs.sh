#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What only a newer runtime sends, as the plugin's log on each node shows it: STATUS of CNI 1.1.0.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

# asked NODE VERB: how often the runtime has called, by the first step of each call
asked() {
	grep -c " msg=step command=$2 .*step=conf " "$LAB/$1/var/log/tandem.log" || true
}
asked_again() { [ "$(asked "$1" "$2")" -gt "$3" ]; }

# refusals NODE VERB: what the plugin answered with an error
refusals() {
	grep "level=error .*command=$2\\b" "$LAB/$1/var/log/tandem.log" || true
}

[ "$(containerd_major)" -ge 2 ] || exit 0
# A STATUS that says nothing new is a line of level debug only.
k create configmap tandem-settings -n kube-system --from-literal=logLevel=debug >/dev/null
level_is() { [ "$(jq -r '.plugins[0].logLevel' "$LAB/$1/etc/cni/net.d/00-tandem.conflist")" = "$2" ]; }
for node in n1 n2; do check "$node: the setting is in the conf" wait_for 30 level_is $node debug; done
for node in n1 n2; do
	before=$(asked $node STATUS)
	check "$node: the runtime asks for the STATUS, again and again" wait_for 30 asked_again $node STATUS "$before"
	same "$node: and is never told that the plugin is not ready" "" "$(refusals $node STATUS)"
done
k delete configmap tandem-settings -n kube-system >/dev/null
for node in n1 n2; do check "$node: and is out of it again" wait_for 30 level_is $node null; done
