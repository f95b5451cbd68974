#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tandem out of the cluster, as docs/install.md says: refused while a pod has a card; then nothing is left in the cluster
# or on a node, the primary's conf is the first again, and no packet is lost between pods that stay.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

UNINSTALL=$TESTS_ROOT/manifests/uninstall.yaml
JOB=(job/tandem-uninstall -n kube-system)
job_log() { k logs "${JOB[@]}"; }
job_ended() { k get "${JOB[@]}" -o json | jq -e '.status | (.failed // 0) + (.succeeded // 0) > 0'; }
succeeded() { k get "${JOB[@]}" -o jsonpath='{.status.succeeded}'; }

subnet last 192.168.100.0/24 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 192.168.100.230, rangeEnd: 192.168.100.239}]' | k apply -f - >/dev/null
deploy last 1 n1 tandem-cni.io/subnet=last
POD=$(pod_of last)
k apply -f "$UNINSTALL" >/dev/null
check "the Job ends while a pod has a card" wait_for 60 job_ended
same "it has refused" "" "$(succeeded)"
check "and names the pod" grep -q "default/$POD" <<<"$(job_log)"
check "the pod has its card" pings cluster lan "$(pod_address "$POD" eth1)"
k delete "${JOB[@]}" >/dev/null

k delete deployment last --wait=false >/dev/null
check "the pod is gone" wait_gone pods app=last 90
records_end "its record is gone" tandem-cni.io/subnet=last
k delete macvlansubnets -n kube-system --all --timeout="$(scaled 30)s" >/dev/null || fail "the subnets can be deleted" "still there after 30 s"
ping_begin removal "$(pod_of witness-n1)" "$(pod_address "$(pod_of witness-n2)" eth0)"
k apply -f "$UNINSTALL" >/dev/null
check "without pods that have cards the Job ends" wait_for 120 job_ended
same "it has succeeded" 1 "$(succeeded)"
job_log | sed 's/^/# /'
k delete -f "$UNINSTALL" >/dev/null
k delete -f "$LAB/tandem.yaml" --ignore-not-found >/dev/null
gone() { [ -z "$(k get pods -n kube-system -l app.kubernetes.io/name=tandem -o name)" ]; }
check "its pods are gone" wait_for 60 gone
deploy after 1 n1
same "a pod after that has the primary's card" eth0 "$(pod_addresses "$(pod_of after)" | awk '{ print $1 }')"
k delete deployment after --wait=false >/dev/null
check "and ends" wait_gone pods app=after 60
same "no packet lost" "0 lost" "$(ping_end removal)"
for node in n1 n2; do
	same "$node is as it was before" "$(cat "$LAB/before-$node")" "$(node_picture $node)"
	same "$node: no annotation of ours" null "$(k get node $node -o json | jq '.metadata.annotations["tandem-cni.io/node"]')"
done
ours() {
	k get all,configmaps,secrets,serviceaccounts,roles,rolebindings,leases,endpoints -n kube-system -o name
	k get clusterroles,clusterrolebindings,customresourcedefinitions,validatingwebhookconfigurations -o name
}
same "nothing of it is in the cluster" "" "$(ours | grep -i -e tandem -e macvlan || true)"
