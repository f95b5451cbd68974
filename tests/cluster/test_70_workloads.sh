#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pods that come back: fixed addresses through a rollout, a StatefulSet's through restarts and a move to the
# other node, on real cards; and what is kept for a workload that has no pods.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

LIST=192.168.100.210-192.168.100.211-192.168.100.212

# addresses APP: those on the eth1 of its pods, sorted
addresses() {
	local pod

	for pod in $(pods_of "$1"); do
		pod_address "$pod" eth1 || true
	done | LC_ALL=C sort | xargs
}

# all_others APP UIDS: it has three ready pods, and none of them is one of those
all_others() {
	k get pods -l "app=$1" -o json | jq -e --arg old "$2" '[.items[] |
		select(.metadata.deletionTimestamp == null) |
		select((.metadata.uid | inside($old) | not) and ([.status.conditions[]? |
			select(.type == "Ready" and .status == "True")] | length) == 1)] | length == 3'
}

# statefulset NAME REPLICAS: pods of busybox on any node
statefulset() {
	cat <<-YAML
		apiVersion: apps/v1
		kind: StatefulSet
		metadata: {name: $1}
		spec:
		  replicas: $2
		  serviceName: $1
		  selector: {matchLabels: {app: $1}}
		  template:
		    metadata:
		      labels: {app: $1}
		      annotations: {tandem-cni.io/subnet: lasting}
		    spec:
		      terminationGracePeriodSeconds: 1
		      automountServiceAccountToken: false
		      containers:
		      - {name: tcp, image: "registry.local/busybox:1", imagePullPolicy: Never,
		         command: [netcheck, serve-tcp, "$SERVE_PORT"]}
	YAML
}

# card POD: node, address and MAC as its own network namespace has them
card() {
	printf '%s %s %s\n' "$(k get pod "$1" -o jsonpath='{.spec.nodeName}')" \
		"$(pod_address "$1" eth1)" "$(pod_mac "$1" eth1)"
}

# ready_again POD UID: a pod of the name is Ready, and it is another
ready_again() {
	k get pod "$1" -o json 2>/dev/null | jq -e --arg uid "$2" '.metadata.uid != $uid and
		([.status.conditions[]? | select(.type == "Ready" and .status == "True")] | length) == 1'
}

subnet lasting 192.168.100.0/24 'ipDelayReuse: 600' \
	'ranges: [{rangeStart: 192.168.100.210, rangeEnd: 192.168.100.215}]' | k apply -f - >/dev/null
deployment fixed 3 any tandem-cni.io/subnet=lasting "tandem-cni.io/ip=$LIST" |
	sed 's/^  replicas:/  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}\n&/' | k apply -f - >/dev/null
rollout fixed 90 >/dev/null || { rollout_why fixed; bail "deployment fixed does not become ready"; }
same "each replica has one of the list" "${LIST//-/ }" "$(addresses fixed)"
old=$(k get pods -l app=fixed -o jsonpath='{.items[*].metadata.uid}')
k rollout restart deployment/fixed >/dev/null
check "a rollout replaces all three, though addresses cool down for ten minutes" \
	wait_for 180 all_others fixed "$old"
same "and the list is theirs again" "${LIST//-/ }" "$(addresses fixed)"

statefulset lasting 2 | k apply -f - >/dev/null
k rollout status statefulset/lasting --timeout "$(scaled 90)s" >/dev/null || bail "the StatefulSet does not become ready"
read -r node address mac <<<"$(card lasting-0)"
second=$(card lasting-1)
same "not one of the list" "" "$(grep -wF "$address" <<<"${LIST//-/$'\n'}")"
check "the LAN reaches it" pings cluster lan "$address"
uid=$(k get pod lasting-0 -o jsonpath='{.metadata.uid}')
k delete pod lasting-0 >/dev/null
check "deleted, it comes back" wait_for 90 ready_again lasting-0 "$uid"
same "with address and MAC" "$address $mac" "$(card lasting-0 | cut -d ' ' -f 2-)"

node=$(k get pod lasting-0 -o jsonpath='{.spec.nodeName}')
uid=$(k get pod lasting-0 -o jsonpath='{.metadata.uid}')
k cordon "$node" >/dev/null
k delete pod lasting-0 >/dev/null
check "its node cordoned, it comes back on the other" wait_for 90 ready_again lasting-0 "$uid"
k uncordon "$node" >/dev/null
moved=$(card lasting-0)
same "with address and MAC there too" "$address $mac" "${moved#* }"
same "on another node" 1 "$([ "${moved%% *}" != "$node" ] && echo 1)"
check "the LAN reaches it there" pings cluster lan "$address"
same "the other pod has not been touched" "$second" "$(card lasting-1)"

k scale statefulset/lasting --replicas=1 >/dev/null
record_gone() { ! k get macvlanip "$1" >/dev/null 2>&1; }
check "scaled down, the record of the second goes" wait_for 120 record_gone lasting-1
k delete statefulset lasting --wait=false >/dev/null
k scale deployment/fixed --replicas=0 >/dev/null
check "the pods are gone" wait_gone pods 'app in (fixed, lasting)' 90
records_end "the records are gone" tandem-cni.io/subnet=lasting
reserved_is() { [ "$(k get macvlansubnet lasting -n kube-system -o jsonpath="{.status.used} {.status.free}")" = "$1" ]; }
check "three stay kept for the Deployment without pods" wait_for 30 reserved_is "0 1"
k delete deployment fixed >/dev/null
k delete macvlansubnet lasting -n kube-system --timeout="$(scaled 30)s" >/dev/null ||
	fail "the subnet can be deleted" "still there after 30 s"
