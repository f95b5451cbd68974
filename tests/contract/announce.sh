#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Cards are announced on their LAN again by tandem-node: once more after an ADD, and thrice after the cable was out.
#
#	namespace $NODE                       namespace $LAN
#	  ens4 -------------------------------- lan0 - sw0 (bridge) 192.168.100.1, fd78::1
#	  ens5 -------------------------------- lan1: another LAN

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start
ip -n "$LAN" addr del 192.168.100.1/24 dev lan0
ip -n "$LAN" link add sw0 type bridge
ip -n "$LAN" link set lan0 master sw0
ip -n "$LAN" link set sw0 up
ip -n "$LAN" addr add 192.168.100.1/24 dev sw0
ip -n "$LAN" addr add fd78::1/64 dev sw0 nodad
ip -n "$NODE" link add ens5 type veth peer name lan1 netns "$LAN"
ip -n "$NODE" link set ens5 up
ip -n "$LAN" link set lan1 up

show_logs() {
	[ "$tests_failed" -eq 0 ] || tail -n 40 "$DIR"/node*.log "$DIR"/heard.ens4 | sed 's/^/    | /'
}
at_exit show_logs

# What goes out by the node's NICs, and what the LAN hears of it: a port of a bridge does not forward at once.
capture() { # capture NAMESPACE LINK
	nsenter --net=/run/netns/"$1" tcpdump -Z root -lnei "$2" 'arp or icmp6' >"$DIR/heard.$2" 2>"$DIR/heard.$2.err" &
	at_exit end "$!"
	wait_for 30 grep -q listening "$DIR/heard.$2.err" || fail "tcpdump on $2" "$(cat "$DIR/heard.$2.err")"
}
end() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}
capture "$NODE" ens4
capture "$NODE" ens5
capture "$LAN" sw0
nsenter --net=/run/netns/"$NODE" "$TANDEM_NODE_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --state-dir "$DIR/state" --socket "$DIR/node.sock" \
	--conf "$DIR/none" --plugin "$TANDEM_BIN" --v 4 >"$DIR/node.log" 2>&1 &
node=$!
at_exit end "$node"

asks() { conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}'; }
# attached NAME LAST [KEYS]: a pod with a card of both families
attached() {
	new_pod
	POD_NAME=$1 POD_UID=$(cat /proc/sys/kernel/random/uuid)
	record "$1" "$POD_UID" "$(jq -nc --arg n "$2" --argjson more "${3:-{\}}" '{cidr: "192.168.100.\($n)/24", cidr6: "fd78::\($n)/64",
		mac: "0a:00:00:00:00:\($n)", gateway: "192.168.100.1", gateway6: "fd78::1"} + $more')"
	cni ADD "$(asks)"
	succeeded "$1: ADD"
	check "$1: tandem-node knows it" wait_for 30 phase_is "$1" Attached
}
phase_is() { [ "$(kubectl_node get macvlanip "$1" -o jsonpath='{.status.phase}')" = "$2" ]; }
# said LAST [LINK]: "ARP NA", how often each was announced
said() {
	local file=$DIR/heard.${2:-ens4} mac=0a:00:00:00:00:$1
	echo "$(grep -c "^[0-9:.]* $mac > ff:ff:ff:ff:ff:ff, ethertype ARP .*who-has 192.168.100.$1 tell 192.168.100.$1," "$file")" \
		"$(grep -c "^[0-9:.]* $mac > 33:33:00:00:00:01, .*neighbor advertisement, tgt is fd78::$1," "$file")"
}
said_is() { [ "$(said "$1" "${3:-ens4}")" = "$2" ]; }
cable() { ip -n "$LAN" link set lan0 "$1"; }

# The kernel's own and the plugin's, one advertisement of the plugin's, and one of each by tandem-node.
attached one 50
check "after its ADD a card is announced once more" wait_for 30 said_is 50 "3 2"
attached away 60 '{"master":"ens5"}'
check "one on another NIC too" wait_for 30 said_is 60 "3 2" ens5
attached ended 70
check "and a third" wait_for 30 said_is 70 "3 2"
kubectl_node delete macvlanip ended >/dev/null

cable down
no_carrier() { ip -n "$NODE" link show ens4 | grep -q NO-CARRIER; }
wait_for 30 no_carrier || fail "ens4" "has carrier"
cable up
check "after the cable was out: thrice" wait_for 120 said_is 50 "6 5"
heard() { said 50 sw0 | (read -r arp na && [ "$arp" -ge 5 ] && [ "$na" -ge 4 ]); }
check "which the LAN hears twice at least" wait_for 30 heard
same "not what sits on another NIC" "3 2" "$(said 60 ens5)"
same "nor a card whose record has gone: its address may be another's" "3 2" "$(said 70)"
same "nor more than that" "6 5" "$(said 50)"

# Nor when the node's witness begins again: what is there has not come.
end "$node"
nsenter --net=/run/netns/"$NODE" "$TANDEM_NODE_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --state-dir "$DIR/state" --socket "$DIR/node.sock" \
	--conf "$DIR/none" --plugin "$TANDEM_BIN" --v 4 >"$DIR/node2.log" 2>&1 &
node=$!
at_exit end "$node"
attached two 80
check "started again it announces a new one" wait_for 30 said_is 80 "3 2"
same "and not those that were there" "6 5" "$(said 50)"
