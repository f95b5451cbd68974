#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The LAN doctor in the daemon, with a real API server: what it is told to look at, when it looks, and what its Node says.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start
show_log() { [ "$tests_failed" -eq 0 ] || tail -n 40 "$DIR/api/node.log" | sed 's/^/    | /'; }
at_exit show_log
CONFS=$DIR/confs BIN=$DIR/cnibin
mkdir -p "$CONFS" "$BIN"
echo '{"cniVersion":"0.3.1","name":"cbr0","plugins":[{"type":"bridge"}]}' >"$CONFS/10-x.conflist"
kubectl_node create -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1","labels":{"lan":"yes"}}}'
# tell_node ASKED SUBNET-SPEC...: the ConfigMap as the controller writes it; the subnets are s1, s2, ...
tell_node() {
	local asked=$1 n=0 spec items=[]
	shift
	for spec; do
		n=$((n + 1))
		items=$(jq -c --argjson spec "$spec" --arg name s$n '. + [{metadata: {name: $name, uid: $name}, spec: $spec}]' <<<"$items")
	done
	jq -nc --argjson items "$items" --argjson asked "$asked" '{apiVersion: "v1", kind: "ConfigMap", metadata: {name: "tandem-cluster", namespace: "kube-system"},
		data: {doctor: ({items: $items, asked: $asked} | tojson)}}' | kubectl_node apply -f - >/dev/null
}
node_up() {
	apiserver_spawn node "$TANDEM_NODE_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --state-dir "$DIR/state" --socket "$DIR/run/node.sock" \
		--install --doctor --cni-conf-dir "$CONFS" --cni-plugin-dir "$BIN" --plugin-source "$TANDEM_BIN" --sweep-period 1 --v 4
}
annotation() { kubectl_node get node n1 -o json | jq -r '.metadata.annotations["tandem-cni.io/doctor"] // "null"'; }
found() { annotation | jq -c "$1"; }
found_is() { [ "$(found "$1")" = "$2" ]; }
# finds SECONDS NAME FILTER VALUE
finds() { check "$2" wait_for "$1" found_is "$3" "$4" || echo "    $(annotation)"; }
WELL='{"master":"ens4","mode":"bridge","cidr":"192.168.100.0/24","gateway":"192.168.100.1"}'
BROKEN='{"master":"ens9","mode":"bridge","cidr":"192.168.101.0/24","gateway":"192.168.101.1"}'
OTHERS=$(jq -c '.nodeSelector = {matchExpressions: [{key: "lan", operator: "In", values: ["no"]}]}' <<<"$WELL")

# --- at the start; the first run listens for switches
tell_node '{}' "$WELL" "$BROKEN" "$OTHERS"
node_up
finds 90 "at the start: what fails comes first" '[.subnets[] | [.name, .reason]]' '[["s2","NICMissing"],["s1","OK"]]'
check "which is logged" grep -q 'msg="the LAN of a subnet" subnet=s2 reason=NICMissing' "$DIR/api/node.log"
first=$(found .time)

# --- a NIC
ip -n "$LAN" link set lan0 down
finds 40 "the cable is out" '.subnets[] | select(.name == "s1").reason' '"NoCarrier"'
ip -n "$LAN" link set lan0 up
finds 40 "and in again" '.subnets[] | select(.name == "s1").reason' '"OK"'

# --- a subnet
tell_node '{}' "$WELL" "$WELL"
finds 40 "a subnet was mended" '[.subnets[] | [.name, .reason]]' '[["s1","OK"],["s2","OK"]]'

# --- on request, and not otherwise
before=$(found .time)
tell_node '{"n2":"2026-12-01T06:00:00Z"}' "$WELL" "$WELL"
tell_node '{"n1":"2026-12-01T06:00:00Z"}' "$WELL" "$WELL"
finds 40 "a request is answered" .asked '"2026-12-01T06:00:00Z"'
check "by another look" [ "$before" != "$(found .time)" ]
check "and none of the times is the first" [ "$first" != "$before" ]
kubectl_node patch node n1 --type merge -p '{"metadata":{"labels":{"lan":"no"}}}' >/dev/null
tell_node '{}' "$OTHERS" "$BROKEN"
finds 40 "another selector" '[.subnets[] | [.name, .reason]]' '[["s2","NICMissing"],["s1","OK"]]'
same "the request stays answered" '"2026-12-01T06:00:00Z"' "$(found .asked)"

# --- nothing is left
tell_node '{}'
finds 40 "no subnet, no word" . null
same "no seat is taken" "" "$(find "$DIR/state/parents" -type f 2>/dev/null)"
tell_node '{}' "$WELL"
finds 40 "a subnet again" '.subnets[].name' '"s1"'
kill "$PID_node"
wait "$PID_node"
same "it ends well" 0 "$?"
tests_finish
