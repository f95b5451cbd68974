#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A pod that does not ask for a card costs no request to the API server and needs none to start.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

MANIFEST=$LAB/n1/etc/kubernetes/manifests/bare.yaml

# static_pod: one that the kubelet runs from a file, without any API server
static_pod() {
	cat >"$LAB/n1/etc/kubernetes/bare.new" <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: bare, namespace: default}
		spec:
		  terminationGracePeriodSeconds: 1
		  containers:
		  - {name: tcp, image: "registry.local/busybox:1", imagePullPolicy: Never,
		     command: [netcheck, serve-tcp, "$SERVE_PORT"]}
	YAML
	mv "$LAB/n1/etc/kubernetes/bare.new" "$MANIFEST"
}

static_runs() {
	in_pod bare-n1 true
}

static_gone() {
	! in_pod bare-n1 true
}

# First one that does ask, to see that its request would be counted.
subnet asked 192.168.100.0/24 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 192.168.100.120, rangeEnd: 192.168.100.121}]' | k apply -f - >/dev/null
before=$(asked_for_pods)
deploy asking 1 n1 tandem-cni.io/subnet=asked
check "a pod that asks is counted" test "$(asked_for_pods)" -gt "$before"
k delete deployment asking --wait=false >/dev/null
records_end "its record is gone" tandem-cni.io/subnet=asked
k delete macvlansubnet asked -n kube-system --timeout="$(scaled 30)s" >/dev/null ||
	fail "the subnet can be deleted" "still there after 30 s"

before=$(asked_for_pods)
deploy modest 4 any
for pod in $(pods_of modest); do
	same "eth0 only: $pod" eth0 "$(pod_addresses "$pod" | awk '{ print $1 }')"
done
k delete deployment modest --wait=false >/dev/null
check "its pods are gone" wait_gone pods app=modest 60
same "no request of the plugin for four pods' lives" "$before" "$(asked_for_pods)"

cluster stop apiserver
check_fails "the API server is stopped" k get --raw /readyz --request-timeout=2s
static_pod
check "starts with the API server stopped" wait_for 60 static_runs
same "and has its primary's card" eth0 "$(pod_addresses bare-n1 | awk '{ print $1 }')"
check "which works" busybox timeout 5 "$CLUSTER_TESTS/cluster.sh" node 1 \
	"$NETCHECK" ask "$(pod_address bare-n1 eth0)" "$SERVE_PORT"
rm -f "$MANIFEST"
check "ends with the API server stopped" wait_for 60 static_gone
cluster start apiserver
same "still no request of the plugin" "$before" "$(asked_for_pods)"
