#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The controller is away: pods that run go on, a new one that asks for a card waits, is told why,
# never runs without the card, and is served when the controller is back.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

# sandbox_failed POD: the kubelet has reported that the plugin refused
sandbox_failed() {
	k get events --field-selector "involvedObject.name=$1,reason=FailedCreatePodSandBox" \
		-o jsonpath='{.items[*].message}' | grep -q tandem
}

waiting_pod_is_bound() {
	waiting=$(pod_of waiting)
	[ -n "$waiting" ] && [ -n "$(k get pod "$waiting" -o jsonpath='{.spec.nodeName}')" ]
}

phase() {
	k get pod "$1" -o jsonpath='{.status.phase}'
}

subnet lone 192.168.100.0/24 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 192.168.100.200, rangeEnd: 192.168.100.209}]' | k apply -f - >/dev/null
deploy present 1 n1 tandem-cni.io/subnet=lone
present=$(pod_of present)
card=$(pod_address "$present" eth1)
files=$(node_state_files | wc -l)

cluster kill-program tandem-controller
controller_off
check "a card works on: $card" pings cluster lan "$card"
deployment waiting 1 n1 tandem-cni.io/subnet=lone | k apply -f - >/dev/null
wait_for 20 waiting_pod_is_bound || bail "the pod is not bound to its node"
check "the kubelet tells that its network is not to be had" wait_for 60 sandbox_failed "$waiting"
same "it does not run without its card" Pending "$(phase "$waiting")"
same "a record without address was not made up by anyone" "" \
	"$(k get macvlanips -o jsonpath='{.items[?(@.spec.podId=="'"$(k get pod "$waiting" -o jsonpath='{.metadata.uid}')"'")].spec.cidr}')"
check "the card still works" pings cluster lan "$card"

controller_on
if rollout waiting 60 >/dev/null; then
	pass "served when the controller is back"
else
	fail "served when the controller is back" "$(rollout_why waiting | tail -n 3)"
fi
same "with another address" 1 "$([ "$(pod_address "$waiting" eth1)" != "$card" ] && echo 1)"
k delete deployment present waiting --wait=false >/dev/null
check "the pods are gone" wait_gone pods 'app in (present, waiting)' 60
records_end "the records are gone" tandem-cni.io/subnet=lone
files_left() { [ "$(node_state_files | wc -l)" -le "$((files - 1))" ]; }
check "the state files are gone" wait_for 30 files_left
k delete macvlansubnet lone -n kube-system --timeout="$(scaled 30)s" >/dev/null ||
	fail "the subnet can be deleted" "still there after 30 s"
