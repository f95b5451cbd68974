#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is shipped: the archives of `make image`, imported on both nodes, run by the manifests as a user applies them. The
# controller with its webhook, and tandem-node as a DaemonSet: it reports cards, and ends in the node's own root what a
# sandbox without a DEL has left.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

cd "$TESTS_ROOT"
BUILDS=$(dirname "$TANDEM_BUILD")
VERSION=$(make -s --no-print-directory print-VERSION)
ARCHES=$(for arch in amd64 arm64; do [ $arch = amd64 ] || [ ! -x "$BUILDS/$arch/tandem" ] || echo $arch; done)
[[ $ARCHES == *amd64* ]] || ARCHES="amd64 $ARCHES"
export VERSION ARCHES REGISTRY=localhost
overlay=default
k get --raw /apis/policy/v1 >/dev/null 2>&1 || overlay=kubernetes-1.20
OF_TANDEM=(-n kube-system -l app.kubernetes.io/name=tandem)

remove() {
	k delete deployments,daemonsets,services,poddisruptionbudgets "${OF_TANDEM[@]}" >/dev/null || true
	wait_for 60 pods_gone || true
	"$TANDEM_CONTROLLER_BIN" --kubeconfig "$LAB/controller/kubeconfig" --uninstall-webhook >/dev/null 2>&1 || true
}
pods_gone() { [ -z "$(k get pods "${OF_TANDEM[@]}" -o name)" ]; }
# rolled KIND/NAME: all of its pods are ready
rolled() { k rollout status "$1" -n kube-system --timeout "$(scaled 90)s"; }
why() {
	k get pods "${OF_TANDEM[@]}" -o wide
	k get events -n kube-system --sort-by=.lastTimestamp -o custom-columns=:.involvedObject.name,:.reason,:.message | tail -n 20
	k logs "${OF_TANDEM[@]}" --tail 20
}

check "the images are made" tools/image.sh "$BUILDS" "$LAB/images/oci"
check "each node imports them" cluster load "$LAB"/images/oci/tandem-*-"$VERSION.oci.tar"
# It gives its lease back, and the next one leads at once.
cluster stop controller
at_exit remove
k kustomize "manifests/overlays/$overlay" >"$LAB/tandem.yaml"
# A minute between two looks is long for a test.
sed -i 's/^\( *\)- --host-root=\/host$/&\n\1- --sweep-period=3/' "$LAB/tandem.yaml"
began=$SECONDS
check "one apply" k apply -f "$LAB/tandem.yaml"
check "the controller is ready" rolled deployment/tandem-controller
check "tandem-node is on both nodes" rolled daemonset/tandem-node
[ "$tests_failed" -eq 0 ] || { why; bail "what is installed does not run"; }
echo "# ready after $((SECONDS - began)) s"
same "two replicas, on two nodes" 2 "$(k get pods -n kube-system -l app.kubernetes.io/component=controller -o json |
	jq '[.items[].spec.nodeName] | unique | length')"
# Probes that came too early: none on a quiet machine, which this one may not be.
echo "# warnings of the start: $(k get events -n kube-system --field-selector type=Warning -o json |
	jq '[.items[] | select(.involvedObject.name | startswith("tandem-")) | .count] | add // 0')"

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
node_log() { k logs -n kube-system -l app.kubernetes.io/component=node --tail 100; }
undid() { node_log | grep -q 'undid what a DEL had left'; }
check "it says so" wait_for 30 undid

k delete deployment shipped --wait=false >/dev/null
check "the pod is gone" wait_gone pods app=shipped 90
check "its record is gone" wait_gone macvlanips tandem-cni.io/subnet=shipped 120
k delete macvlansubnet shipped -n kube-system --timeout="$(scaled 30)s" >/dev/null || fail "the subnet can be deleted" "still there after 30 s"
remove
check "removed" pods_gone
