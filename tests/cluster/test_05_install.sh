#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One apply on a cluster with pods that run: images on the nodes, the yaml that ships, no packet of those pods lost. They
# stay, and see the upgrade and the removal, too.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

conf_of() { jq -rc '[.name, (.plugins[0] | .type, .delegateFile, .kubeconfig)]' "$LAB/$1/etc/cni/net.d/00-tandem.conflist"; }
deploy witness-n1 1 n1
deploy witness-n2 1 n2
for node in n1 n2; do node_picture $node >"$LAB/before-$node"; done
ping_begin install "$(pod_of witness-n1)" "$(pod_address "$(pod_of witness-n2)" eth0)"
check "one apply" "$CLUSTER_TESTS/install.sh"
[ "$tests_failed" -eq 0 ] || bail "what is installed does not run"
same "the conf is on both nodes, under the primary's name" '["cbr0","tandem","/etc/cni/net.d/10-flannel.conflist",null]
["cbr0","tandem","/etc/cni/net.d/10-flannel.conflist",null]' "$(conf_of n1 && conf_of n2)"
# That of the image has no symbols: the bytes are not those of the build.
for node in n1 n2; do
	same "the plugin is on $node" "$("$TANDEM_BIN" --version)" "$("$LAB/$node/opt/cni/bin/tandem" --version)"
done
same "two controllers, on two nodes" 2 "$(k get pods "${CONTROLLERS[@]}" -o json | jq '[.items[].spec.nodeName] | unique | length')"
same "no packet is lost between pods that ran before" "0 lost" "$(ping_end install)"
# Probes that came too early: none on a quiet machine, which this one may not be.
echo "# warnings of the start: $(k get events -n kube-system --field-selector type=Warning -o json |
	jq '[.items[] | select(.involvedObject.name | startswith("tandem-")) | .count] | add // 0')"
