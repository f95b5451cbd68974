# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: kubectl macvlan status, check and release.
IPS=/apis/tandem-cni.io/v1/namespaces/default/macvlanips
m() { env -i PATH="$PATH" KUBECONFIG="$DIR/admin.conf" "$TANDEM_KUBECTL_BIN" "$@"; }
end_controller() {
	controller_alive || return 0
	kill -9 "$pid_controller"
	wait "$pid_controller" 2>/dev/null
}
# exits STATUS COMMAND...
exits() {
	local want=$1 rc=0
	shift
	"$@" >/dev/null 2>&1 || rc=$?
	[ "$rc" -eq "$want" ]
}
patch() { curls PATCH application/merge-patch+json "$2" "$1"; }
one_by_one() {
	local i
	for ((i = $1; i <= $2; i++)); do
		pods "$i" "$i" "$3" | k create -f - >/dev/null
		wait_for 10 served_is "$i"
	done
}

# --------------------------------------------------------------------------- status
end_controller
clean_slate
k delete lease -n kube-system tandem-controller >/dev/null 2>&1
subnet leak 10.70.0.0/24 'vlan: 70' 'ipDelayReuse: 600' \
	'ranges: [{rangeStart: 10.70.0.10, rangeEnd: 10.70.0.39}]' | k apply -f - >/dev/null
same "status: nobody there" "controller wrong no controller has ever led: there is no Lease tandem-controller in namespace kube-system; is the Deployment there?
webhook wrong ValidatingWebhookConfiguration tandem-controller is not there; the controller makes it once it serves
node warning no tandem-node runs: no node reports its cards
subnet leak wrong unseen: 0 of 0 addresses are free; no controller has seen it: kubectl macvlan status" \
	"$(m status --no-headers | sed -E 's/ - / /; s/ +/ /g')"
check "something is wrong: 1" exits 1 m status
check "it does not become right" exits 1 m status --wait --timeout 1
candidate controller --hold-unwitnessed 3600 --leader-elect-lease-duration 15s \
	--webhook-bind-address "127.0.0.1:$((PORT + 5))" --webhook-url "https://127.0.0.1:$((PORT + 5))"
check "status --wait" m status --wait --timeout "$(scaled 60)"
same "status" "controller ok $(hostname) leads, version unknown
webhook ok it answers, and refuses what is wrong
node warning no tandem-node runs: no node reports its cards
subnet leak ok ready: 30 of 30 addresses are free" \
	"$(m status --no-headers | sed -E 's/ - / /; s/ +/ /g')"
k create -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Pod
	metadata:
	  name: tandem-node-x
	  namespace: kube-system
	  labels: {app.kubernetes.io/name: tandem, app.kubernetes.io/component: node}
	spec: {nodeName: n1, hostNetwork: true, containers: [{name: node, image: "registry:5000/tandem-node:0.1.0"}]}
YAML
node_line() { m status --no-headers | awk '$1 == "node"' | sed -E 's/ +/ /g'; }
same "a node whose daemon is not ready" \
	"node n1 wrong tandem-node on node n1 is not ready; see kubectl logs -n kube-system tandem-node-x" "$(node_line)"
patch /api/v1/namespaces/kube-system/pods/tandem-node-x/status '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'
same "one that is" "node n1 ok tandem-node 0.1.0" "$(node_line)"
k annotate node n1 'tandem-cni.io/node={"state":"waiting","message":"no conf of a primary in /etc/cni/net.d"}' >/dev/null
same "one that says that it waits" \
	"node n1 wrong tandem-node on node n1 is waiting: no conf of a primary in /etc/cni/net.d" "$(node_line)"
k annotate --overwrite node n1 'tandem-cni.io/node={"state":"installed"}' >/dev/null
same "one that is installed" "node n1 ok tandem-node 0.1.0, installed" "$(node_line)"

# --------------------------------------------------------------------------- nothing wrong
one_by_one 1 9 leak
same "check: nothing" "9 MacvlanIPs in 1 MacvlanSubnets: nothing is wrong." "$(m check)"
# While pods come and go.
churn() {
	local i
	for ((i = 50; i < 80; i++)); do
		pods "$i" "$i" leak | k create -f - >/dev/null
		finish "$i" "$i"
	done
}
churn &
churning=$!
for i in 1 2 3; do same "nor under churn ($i)" "" "$(m check | grep -v 'nothing is wrong')"; done
kill "$churning" 2>/dev/null
wait "$churning" 2>/dev/null
check "status while the leader lives" exits 0 m status

# --------------------------------------------------------------------------- planted, while nobody leads
end_controller
# 1. an address that counts as used; 2. one that does not, and stands in a record (p9's)
patch /apis/tandem-cni.io/v1/namespaces/kube-system/macvlansubnets/leak/status \
	"$(jq -c '{status: {allocation: {used: ["10.70.0.0/24 10-17,39"]}}}' <<<null)"
# 3. a record twice; its MAC is another's, too (4.)
mac=$(k get macvlanip p2 -o jsonpath='{.spec.mac}')
k get macvlanip p1 -o json | jq --arg mac "$mac" 'del(.metadata.uid, .metadata.resourceVersion, .metadata.ownerReferences, .status)
	| .metadata.name = "twin" | .spec.mac = $mac | .spec.podId = "none"' | k create -f - >/dev/null
# 5. a record whose pod is gone
k delete pod p3 --force --grace-period=0 >/dev/null 2>&1
# 6. a record of a subnet that is not there
k patch macvlanip p4 --type merge -p '{"spec":{"subnet":"lost"}}' >/dev/null
# 7. a pod without its card
patch /api/v1/namespaces/default/pods/p5/status '{"status":{"podIP":"10.42.0.9","podIPs":[{"ip":"10.42.0.9"}]}}'
patch $IPS/p5/status '{"status":{"phase":"Missing","message":"x"}}'
check "something is wrong: 1" exits 1 m check --file "$DIR/report"
same "the planted ones, and no others" "AddressTwice 10.70.0.10 twin
MACTwice 10.70.0.11 twin
PodWithoutCard 10.70.0.14 p5
RecordNotUsed 10.70.0.18 p9
RecordWithoutPod 10.70.0.10 twin
RecordWithoutPod 10.70.0.12 p3
RecordWithoutSubnet 10.70.0.13 p4
UsedWithoutRecord 10.70.0.13 -
UsedWithoutRecord 10.70.0.39 -" \
	"$(jq -r '.faults[] | "\(.fault) \(.address) \(if .name == "p1" or .name == "p2" then "twin" else .name // "-" end)"' "$DIR/report" |
		sed 's/^MACTwice .*/MACTwice 10.70.0.11 twin/' | sort)"
same "the report is its owner's alone" 600 "$(stat -c %a "$DIR/report")"

# --------------------------------------------------------------------------- release
jq --arg uid "$(k get macvlanip p1 -o jsonpath='{.metadata.uid}')" \
	'.faults = [{fault: "RecordWithoutPod", subnet: "leak", address: "10.70.0.10", namespace: "default", name: "p1", uid: $uid, releasable: true, text: "x"}]' \
	"$DIR/report" >"$DIR/forged"
same "a live card's address is refused, with its place" "10.70.0.10: 10.70.0.10 is the address of pod default/p1 on node n1, which lives" \
	"$(m release --from-report "$DIR/forged")"
check "refused: 4" exits 4 m release --from-report "$DIR/forged"
same "its record stays" "" "$(k get macvlanip p1 -o jsonpath='{.metadata.deletionTimestamp}')"
same "one by its address, too" "refused: 10.70.0.10 is the address of pod default/p1 on node n1, which lives" \
	"$(m release 10.70.0.10 2>&1)"
check "with --node-is-off as well" exits 4 m release 10.70.0.10 --node-is-off --yes
check "no report" exits 3 m release --from-report /dev/null
check "neither" exits 2 m release
jq '.faults |= map(select(.name == "p3"))' "$DIR/report" >"$DIR/one"
same "a record without a pod is given back" \
	"10.70.0.12: given back; the controller frees it when no card can have it any more" "$(m release --from-report "$DIR/one")"
check "its finalizer keeps it" k get macvlanip p3
check_fails "as one that is ending" [ -z "$(k get macvlanip p3 -o jsonpath='{.metadata.deletionTimestamp}')" ]
k patch macvlanip twin --type merge -p '{"metadata":{"finalizers":null}}' >/dev/null
k delete macvlanip twin >/dev/null 2>&1
k patch macvlanip p4 --type merge -p '{"spec":{"subnet":"leak"}}' >/dev/null
candidate controller --leader-elect=false --hold-unwitnessed 3600
held() { [ -n "$(k get macvlanip p3 -o json | jq -r '.metadata.annotations["tandem-cni.io/unwitnessed-since"] // ""')" ]; }
check "the controller is not sure of its card, and holds it" wait_for 30 held
settled() { [ "$(m check | grep -c RecordNotUsed)" = 0 ] && [ "$(m check | grep -c UsedWithout)" = 0 ]; }
check "the new leader has put right what it can" wait_for 30 settled

# The machine is off.
check "not while its node is ready" exits 4 m release 10.70.0.12 --node-is-off --yes
patch /api/v1/nodes/n1/status '{"status":{"conditions":[{"type":"Ready","status":"Unknown"}]}}'
same "without --yes and a terminal it asks in vain" 4 "$(m release 10.70.0.12 --node-is-off </dev/null >/dev/null 2>&1; echo $?)"
taints() { k get node n1 -o json | jq -r '[.spec.taints[]?.key | select(. != "node.kubernetes.io/not-ready")] | join(" ")'; }
same "nothing was done" "" "$(taints)"
k taint node n1 example.org/own=1:NoSchedule >/dev/null
same "three steps in one" "1. node n1 has the taint node.kubernetes.io/out-of-service
2. pod default/p3 is removed
3. 10.70.0.12 is given back, and the taint taken away" "$(m release 10.70.0.12 --node-is-off --yes 2>&1)"
check "the record is gone" gone macvlanip p3
same "others' taints stay" "example.org/own" "$(taints)"
same "the address cools" cooling "$(m ips -o json | jq -r '.items[] | select(.address == "10.70.0.12") | .state')"
