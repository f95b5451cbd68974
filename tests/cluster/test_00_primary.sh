#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The cluster alone, before tandem: what the other tests take for granted. Leaves the deployment
# `older` behind, whose pods the bare primary has set up.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

server_sees() {
	k exec "$1" -c tcp -- netcheck ask "$2" "$3" | cut -d ' ' -f 1
}

deploy near 1 n1
deploy far 1 n2
deploy older 2 any
k expose deployment far --name far --port 80 --target-port "$SERVE_PORT" >/dev/null
near=$(pod_of near)
far=$(pod_of far)
near_address=$(pod_address "$near" eth0)

same "two nodes are Ready" "n1 True n2 True" \
	"$(k get nodes -o jsonpath='{range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status} {end}' | xargs)"
same "pod to pod across nodes" "$near_address" \
	"$(server_sees "$near" "$(pod_address "$far" eth0)" "$SERVE_PORT")"
service=$(k get service far -o jsonpath='{.spec.clusterIP}')
check "a service answers" wait_for 10 server_sees "$near" "$service" 80
same "a pod by a service is seen with its own address" "$near_address" \
	"$(server_sees "$near" "$service" 80)"
serve far
same "a pod's node masquerades it outside" 10.99.0.1 "$(server_sees "$near" 172.16.18.5 "$SERVE_PORT")"
check "kubectl logs" k logs "$near" -c tcp
same "host-local knows the pod" yes \
	"$([ -e "$LAB/n1/var/lib/cni/networks/cbr0/$near_address" ] && echo yes)"
same "the pod has eth0 only" eth0 "$(pod_addresses "$near" | awk '{ print $1 }')"

k delete deployment near far --wait=false >/dev/null
k delete service far >/dev/null
gone() { [ ! -e "$LAB/n1/var/lib/cni/networks/cbr0/$near_address" ]; }
check "host-local has the address back" wait_for 30 gone
