#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Another version, and the one before again, while pods with cards come and go: none runs without its card, and no packet
# is lost between pods that stay.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

VERSION=$(make -s --no-print-directory -C "$TESTS_ROOT" print-VERSION)
# Changes: restarts of the deployment, one after the other, until the file is gone.
churn() {
	local count=0
	while [ -e "$LAB/run/churning" ]; do
		k rollout restart deployment/churn >/dev/null && rollout churn 120 >/dev/null || return 1
		[ -z "$(cardless)" ] || return 1
		count=$((count + 1))
		# A restart is noted by the second.
		sleep 1
	done
	echo $count >"$LAB/run/churned"
}
# cardless: its pods that run without the card
cardless() {
	local pod
	for pod in $(pods_of churn); do
		[ -n "$(pod_address "$pod" eth1)" ] || echo "$pod"
	done
}
# refused: how often the kubelet has reported for its pods that a sandbox was not to be had
refused() {
	k get events --field-selector reason=FailedCreatePodSandBox -o json |
		jq '[.items[] | select(.involvedObject.name | startswith("churn-")) | .count // 1] | add // 0'
}
images() {
	k get pods -n kube-system -l app.kubernetes.io/name=tandem \
		-o jsonpath='{range .items[*]}{.spec.containers[0].image}{"\n"}{end}' | sort -u
}
are_images() { [ "$(images)" = "$1" ]; }
# images_are NAME VERSION: once pods that end have ended; a rollout does not wait for those
images_are() {
	local want
	want=$(printf 'localhost/tandem-%s:%s\n' controller "$2" node "$2")
	wait_for "$(scaled 60)" are_images "$want" || true
	same "$1: what runs" "$want" "$(images)"
}
# change NAME VERSION
change() {
	local name=$1 version=$2 churning before
	before=$(refused)
	touch "$LAB/run/churning"
	churn &
	churning=$!
	ping_begin "$name" "$(pod_of witness-n1)" "$(pod_address "$(pod_of witness-n2)" eth0)"
	"$CLUSTER_TESTS/install.sh" images "$version"
	"$CLUSTER_TESTS/install.sh" yaml "$version" >"$LAB/$name.yaml"
	check "$name: one apply" k apply -f "$LAB/$name.yaml"
	check "$name: ready" "$CLUSTER_TESTS/install.sh" ready
	rm "$LAB/run/churning"
	# Not by check(), whose shell is another one.
	if wait "$churning"; then pass "$name: every pod of the changes came up"; else fail "$name: every pod of the changes came up" "$(rollout_why churn)"; fi
	echo "# $name: $(cat "$LAB/run/churned") rounds of 4 pods"
	same "$name: no packet lost" "0 lost" "$(ping_end "$name")"
	# A daemon that takes longer to come back than an ADD may last costs a second try; on a quiet machine it does not.
	echo "# $name: $(($(refused) - before)) starts were tried again"
	images_are "$name" "$version"
}

subnet churn 192.168.100.0/24 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 192.168.100.180, rangeEnd: 192.168.100.199}]' | k apply -f - >/dev/null
deploy churn 4 any tandem-cni.io/subnet=churn
change upgrade "$VERSION-next"
change downgrade "$VERSION"
for node in n1 n2; do
	same "the plugin is on $node" "$("$TANDEM_BIN" --version)" "$("$LAB/$node/opt/cni/bin/tandem" --version)"
done
k delete deployment churn --wait=false >/dev/null
check "the pods are gone" wait_gone pods app=churn 90
records_end "the records are gone" tandem-cni.io/subnet=churn
k delete macvlansubnet churn -n kube-system --timeout="$(scaled 30)s" >/dev/null || fail "the subnet can be deleted" "still there after 30 s"
