#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pods whose address another machine has: plugin, real API server and the controller together. The LAN's machine
# holds addresses of the subnet without anybody's knowledge.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start
apiserver_spawn controller "$TANDEM_CONTROLLER_BIN" --kubeconfig "$DIR/kubeconfig" --leader-elect=false
# Nothing is freed without its word.
apiserver_spawn node "$TANDEM_NODE_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --state-dir "$DIR/state" \
	--socket "$DIR/node.sock" --plugin "$TANDEM_BIN" --cni-bin-dir "$DIR/bin"

asks() { # asks [CONF-KEYS [DELEGATE]]
	conf "${2:-$(primary)}" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"'"$SUBNET"'"}}' "${1:-}"
}
addresses() { ip -n "$POD" -j -4 addr show "$1" | jq -r '.[0].addr_info[] | "\(.local)/\(.prefixlen)"'; }
links() { ip -n "$POD" -j link show | jq -r '[.[].ifname] | sort | join(" ")'; }
mac_of_lan() { ip -n "$LAN" -j link show lan0 | jq -r '.[0].address'; }

# subnet NAME NETWORK FIRST LAST [MORE]: addresses of 192.168.NETWORK.0/24
subnet() {
	kubectl_node apply -f - >/dev/null <<-YAML
		apiVersion: tandem-cni.io/v1
		kind: MacvlanSubnet
		metadata: {name: $1, namespace: kube-system}
		spec: {master: ens4, cidr: 192.168.$2.0/24, ranges: [{rangeStart: 192.168.$2.$3, rangeEnd: 192.168.$2.$4}],
		  conflictDetection: true, ipDelayReuse: 0${5:+, $5}}
	YAML
}

# pod NAME: bound to the node, in a namespace of its own; sets POD_NAME POD_UID
pod() {
	new_pod
	kubectl_node apply -f - >/dev/null <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: $1, namespace: default, annotations: {tandem-cni.io/subnet: $SUBNET}}
		spec: {nodeName: n1, containers: [{name: c, image: none}]}
	YAML
	POD_NAME=$1
	POD_UID=$(kubectl_node get pod "$1" -o jsonpath='{.metadata.uid}')
	wait_for 20 address_given "$1" || fail "$1: has an address" "not within 20 s"
}
address_given() { [ -n "$(kubectl_node get macvlanip "$1" -o jsonpath='{.spec.cidr}')" ]; }
cidr_of() { kubectl_node get macvlanip "$1" -o jsonpath='{.spec.cidr}'; }
# The node may have said Attached already.
no_conflict() { [ "$(status_of "$1")" = '[null,null]' ] || [ "$(status_of "$1")" = '["Attached",null]' ]; }
status_of() { kubectl_node get macvlanip "$1" -o json | jq -c '.status // {} | [.phase, .message]'; }

# Every state of every record, and what is said of it.
kubectl_node get macvlanips -n default --watch --output-watch-events -o json >"$DIR/watch" 2>/dev/null &
watcher=$!
end_watcher() {
	kill "$watcher" 2>/dev/null
	wait "$watcher" 2>/dev/null
}
at_exit end_watcher
# seen NAME: address, phase and message of each of its states, one after the other
seen() {
	jq -r --arg name "$1" 'select(.object.metadata.name == $name and .type != "DELETED") | .object |
		"\(.spec.cidr // "-") \(.status.phase // "-") \(.status.message // "-")"' "$DIR/watch" | uniq
}
seen_has() { seen "$1" | grep -qxF "$2"; }

conflict() { # conflict MAC ADDRESS: what the plugin reports
	echo "MAC $1 uses $2 on the LAN, as node n1 has found before it gave it to the pod"
}

kubectl_node apply -f - >/dev/null <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}'
kubectl_node apply -f "$TESTS_ROOT/manifests/base/rbac.yaml" >/dev/null
check "the node's account may report" kubectl_node auth can-i patch macvlanips.tandem-cni.io --subresource=status \
	-n default --as=system:serviceaccount:kube-system:tandem-node
# A second machine: each answers for what is its own alone.
ip netns exec "$LAN" sysctl -qw net.ipv4.conf.all.arp_ignore=1
ip -n "$LAN" link add lan1 link lan0 type macvlan mode bridge
ip -n "$LAN" link set lan1 up
for n in 120 130 140 150; do ip -n "$LAN" addr add 192.168.$n.1/24 dev lan0; done
LAN_MAC=$(mac_of_lan)

# --- replaced within the same ADD -------------------------------------------------------------------

SUBNET=lan120
subnet lan120 120 10 19
ip -n "$LAN" addr add 192.168.120.10/24 dev lan0
pod taken
same "the controller gives the first address" 192.168.120.10/24 "$(cidr_of taken)"
cni ADD "$(asks)"
succeeded "ADD of a pod whose address another machine has"
same "it has the next one" 192.168.120.11/24 "$(addresses eth1)"
same "so says its record" 192.168.120.11/24 "$(cidr_of taken)"
check "and nothing of a conflict" no_conflict taken
same "its MAC is the record's" "$(kubectl_node get macvlanip taken -o jsonpath='{.spec.mac}')" \
	"$(ip -n "$POD" -j link show eth1 | jq -r '.[0].address')"
same "the links are the pod's own" "eth0 eth1 lo" "$(links)"
same "the result is the primary's alone" "$(addresses eth0)" "$(jq -r '.ips[].address' <<<"$OUT")"
check "the record said Conflict, with MAC, address and node" \
	wait_for 5 seen_has taken "192.168.120.10/24 Conflict $(conflict "$LAN_MAC" 192.168.120.10)"
check "the log names the offender" grep -q "another machine has the pod's address.*address=192.168.120.10 mac=$LAN_MAC" "$DIR/log"
told() {
	kubectl_node get events -n default -o json |
		jq -e --arg m "the machine with MAC $LAN_MAC uses 192.168.120.10 on the LAN, node n1 reports" \
			'any(.items[]; .reason == "AddressConflict" and (.message | startswith($m)))'
}
check "so does the event on the pod" wait_for 10 told
check "the LAN reaches it" ip netns exec "$LAN" ping -c 1 -W 5 192.168.120.11
cni DEL "$(asks)"
succeeded "DEL"
same "leaves nothing" "" "$(leftovers)"
drop_pod

pod two
ip -n "$LAN" addr add 192.168.120.12/24 dev lan0
ip -n "$LAN" addr add 192.168.120.13/24 dev lan1
same "the next pod's address is taken, too" 192.168.120.12/24 "$(cidr_of two)"
cni ADD "$(asks)"
succeeded "two in a row"
same "the third is free" 192.168.120.14/24 "$(addresses eth1)"
same "its links are the pod's own" "eth0 eth1 lo" "$(links)"
cni DEL "$(asks)"
same "DEL leaves nothing" "" "$(leftovers)"
drop_pod

# --- one machine that answers for all ---------------------------------------------------------------

SUBNET=lan130
subnet lan130 130 10 19
for n in 10 11 12 13 14 15; do ip -n "$LAN" addr add 192.168.130.$n/24 dev lan0; done
pod proxied
cni ADD "$(asks "\"deadlineSeconds\":$(scaled 2 29),")"
check "the next ADD asks first" test -e "$DIR/state/hints/$POD_UID"
rm -f "$DIR/state/hints/$POD_UID"
refused "a router that answers for all: code 11 with its MAC" 11 "MAC $LAN_MAC uses 192.168.130."
: >"$DIR/state/hints/$POD_UID"
condition() { kubectl_node get macvlansubnet -n kube-system "$SUBNET" -o json | jq -re '.status.conditions[] | select(.type == "Conflicts" and .status == "True").reason'; }
check "the controller knows it for what it is" wait_for 10 condition
plugin witness <<EOF_PLUGIN
#!/bin/sh
echo "\$CNI_COMMAND" >>"$DIR/began"
EOF_PLUGIN
: >"$DIR/began"
before=$(cidr_of proxied)
cni ADD "$(asks "$SHORT" '{"cniVersion":"0.4.0","name":"cbr0","type":"witness"}')"
rm -f "$DIR/state/hints/$POD_UID"
refused "again: code 11" 11 "MAC $LAN_MAC uses ${before%/24}"
same "without the primary" "" "$(cat "$DIR/began")"
same "and without another address" "$before" "$(cidr_of proxied)"
for n in 10 11 12 13 14 15; do ip -n "$LAN" addr del 192.168.130.$n/24 dev lan0; done
cni ADD "$(asks)"
succeeded "when it answers no more"
same "the address is the pod's" "$before" "$(addresses eth1)"
check "the record says no more of it" no_conflict proxied
cni DEL "$(asks)"
same "DEL leaves nothing" "" "$(leftovers)"
drop_pod

# --- the node's own address -------------------------------------------------------------------------

SUBNET=lan140
subnet lan140 140 10 19
ip -n "$NODE" addr add 192.168.140.10/24 dev ens4
pod nodes
cni ADD "$(asks)"
succeeded "an address of the node itself"
same "is not the pod's" 192.168.140.11/24 "$(addresses eth1)"
check "the record told which link has it" wait_for 5 seen_has nodes \
	"192.168.140.10/24 Conflict MAC $(ip -n "$NODE" -j link show ens4 | jq -r '.[0].address') uses 192.168.140.10: it is an address of node n1 itself, on its link ens4"
cni DEL "$(asks)"
drop_pod

# --- no controller, no time, no primary -------------------------------------------------------------

SUBNET=lan150
subnet lan150 150 10 19
ip -n "$LAN" addr add 192.168.150.10/24 dev lan0
pod late
# shellcheck disable=SC2154 # set by apiserver_spawn
kill -STOP "$PID_controller"
cni ADD "$(asks "$SHORT")"
rm -f "$DIR/state/hints/$POD_UID"
refused "no other address within the deadline: code 11 with the reason" 11 \
	"$(conflict "$LAN_MAC" 192.168.150.10); it has no other address yet"
same "the report stands" "[\"Conflict\",\"$(conflict "$LAN_MAC" 192.168.150.10)\"]" "$(status_of late)"
plugin refuses <<'EOF_PLUGIN'
#!/bin/sh
[ "$CNI_COMMAND" = DEL ] && exit 0
echo '{"code":77,"msg":"no room"}'; exit 1
EOF_PLUGIN
tests_now_ms before
cni ADD "$(asks '' '{"cniVersion":"0.4.0","name":"cbr0","type":"refuses"}')"
tests_now_ms after
refused "the primary fails meanwhile: its error ends the wait" 77 "no room"
check "at once" test $((after - before)) -lt "$(scaled 5)000"
kill -CONT "$PID_controller"
cni ADD "$(asks)"
succeeded "served when the controller is back"
same "with another address" 192.168.150.11/24 "$(addresses eth1)"
cni DEL "$(asks)"
same "DEL leaves nothing" "" "$(leftovers)"
drop_pod
