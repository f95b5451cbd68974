#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The LAN doctor by hand: what is in the way is found and told as what it is, a healthy LAN is told nothing of, and no more
# frames are sent than the man page says.
#
#	$NODE ens4 --- lan0 $LAN sw0, a bridge --- gw0 ... gw $GW   192.168.100.1, fd78::1
#	                                       +-- o0  ... lan $OTHER  192.168.100.77

. "$(dirname "$0")/lib.sh"
WIRE=$TANDEM_TOOLS/contract/wire
contract_node
GW=tct-$$-gw OTHER=tct-$$-other
ip -n "$LAN" addr flush dev lan0
ip -n "$LAN" link add sw0 type bridge
ip -n "$LAN" link set sw0 up
ip -n "$LAN" link set lan0 master sw0
nsenter --net=/run/netns/"$LAN" sh -c "for f in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e \$f ] || echo 0 >\$f; done"
nsenter --net=/run/netns/"$LAN" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/sw0/disable_ipv6; echo 1 >/proc/sys/net/ipv6/conf/lan0/disable_ipv6'
for ns in "$GW" "$OTHER"; do ip netns add "$ns"; done
plug() { # plug PORT NETNS LINK
	ip -n "$LAN" link add "$1" type veth peer name "$3" netns "$2"
	nsenter --net=/run/netns/"$LAN" sh -c "echo 1 >/proc/sys/net/ipv6/conf/$1/disable_ipv6"
	ip -n "$LAN" link set "$1" master sw0 up
	ip -n "$2" link set "$3" up
}
plug gw0 "$GW" gw
plug o0 "$OTHER" lan
ip -n "$GW" addr add 192.168.100.1/24 dev gw
ip -n "$GW" addr add fd78::1/64 dev gw nodad
ip -n "$OTHER" addr add 192.168.100.77/24 dev lan
nsenter --net=/run/netns/"$OTHER" sysctl -qw net.ipv6.conf.lan.disable_ipv6=1
nsenter --net=/run/netns/"$NODE" sysctl -qw net.ipv6.conf.ens4.disable_ipv6=1
NIC=$(ip -n "$NODE" -j link show ens4 | jq -r '.[0].address')

IPV4='{"master":"ens4","cidr":"192.168.100.0/24","gateway":"192.168.100.1"}'
BOTH=$(jq -c '.ipv6 = {cidr: "fd78::/64", gateway: "fd78::1"}' <<<"$IPV4")
subnet() { jq -nc --argjson spec "$1" '{items: [{metadata: {name: "lan", uid: "u"}, spec: $spec}]}'; }
# doctor SPEC [OPTION...]: one run; sets RC FOUND REASON MESSAGE
doctor() {
	local spec=$1
	shift
	RC=0
	subnet "$spec" | nsenter --net=/run/netns/"$NODE" "$TANDEM_NODE_BIN" doctor --node-name=n1 --state-dir="$DIR/state" \
		--masters="$DIR/masters.json" "$@" >"$DIR/found" 2>"$DIR/err" || RC=$?
	FOUND=$(jq -c '.subnets[0]' "$DIR/found" 2>/dev/null)
	REASON=$(jq -r .reason <<<"$FOUND") MESSAGE=$(jq -r '.message // ""' <<<"$FOUND")
	[ "$RC" = 0 ] || sed 's/^/    /' "$DIR/err"
}
# tells NAME REASON TEXT: of the last run
tells() {
	same "$1: the reason" "$2" "$REASON"
	if [[ $MESSAGE == *"$3"* && (-n $3 || -z $MESSAGE) ]]; then
		pass "$1: the sentence"
	else
		fail "$1: the sentence" "'$MESSAGE' lacks '$3'"
	fi
	same "$1: nothing is left" "" "$(nothing_left)"
}
nothing_left() {
	leftovers
	find "$DIR/state/parents" -type f 2>/dev/null
	nsenter --net=/run/netns/"$NODE" bridge fdb show dev ens4 | grep -vE '33:33:|01:00:5e|01:80:c2'
}
NETNS=none

# frames_of SPEC: how many frames a run puts on the wire, by kind: "arp:2 echo:2 solicit:2"
frames_of() {
	nsenter --net=/run/netns/"$LAN" tcpdump -Z root --immediate-mode -Uw "$DIR/wire.pcap" -nni lan0 -Q in 2>"$DIR/wire.err" &
	local dump=$!
	wait_for 20 grep -q listening "$DIR/wire.err" || fail "tcpdump" "$(cat "$DIR/wire.err")"
	doctor "$@"
	kill -INT "$dump"
	wait "$dump" 2>/dev/null
	tcpdump -nnr "$DIR/wire.pcap" 2>/dev/null |
		sed -nE 's/.*ARP, Request who-has.*/arp/p; t; s/.*ICMP6?,? echo request.*/echo/p; t; s/.*neighbor solicitation.*/solicit/p; t; s/.*ARP, Reply.*/reply/p; t; s/.*/other &/p' |
		sort | uniq -c | awk '{ n = $1; $1 = ""; sub(/^ /, ""); printf "%s%s:%d", s, $0, n; s = " " }'
}

# --- a healthy LAN
same "healthy: frames" "arp:2 echo:2 solicit:2" "$(frames_of "$BOTH")"
doctor "$BOTH"
tells healthy OK ""
same "healthy: a packet of full size was answered" true "$(jq .mtu <<<"$FOUND")"
doctor "$IPV4"
tells "healthy, without an address to send from" OK ""
same "of which no MTU is told" null "$(jq .mtu <<<"$FOUND")"
ip -n "$NODE" addr add 192.168.100.2/24 dev ens4
same "with the node's own address: frames" "arp:2 echo:2 reply:1" "$(frames_of "$IPV4")"
doctor "$IPV4"
tells "with the node's own address" OK ""
same "the MTU is told" true "$(jq .mtu <<<"$FOUND")"
ip -n "$NODE" addr del 192.168.100.2/24 dev ens4
echo '{"lan":"ens4"}' >"$DIR/masters.json"
doctor "$(jq -c '.master = "lan"' <<<"$IPV4")"
tells "an alias of the NIC" OK ""
doctor "$(jq -c 'del(.master) | .masterSelector = {mac: "'"$NIC"'"}' <<<"$IPV4")"
tells "a selector of the NIC" OK ""

# --- the NIC
doctor "$(jq -c '.master = "ens9"' <<<"$IPV4")"
tells "no NIC" NICMissing "there is no NIC ens9"
ip -n "$LAN" link set lan0 down
doctor "$IPV4"
tells "cable out" NoCarrier "ens4 has no carrier: the cable is out"
doctor "$(jq -c '.requireCarrier = false' <<<"$IPV4")"
tells "cable out, which is allowed" NotTested "no carrier, which the subnet allows"
ip -n "$LAN" link set lan0 up
ip -n "$NODE" link set ens4 down
doctor "$IPV4"
tells "NIC down" NoCarrier "ens4 is down"
ip -n "$NODE" link set ens4 up
doctor "$(jq -c '.mtu = 9000' <<<"$IPV4")"
tells "the NIC's MTU" NICUnfit "has an MTU of 1500, the subnet asks for 9000"

# --- what is not asked
same "passthru: nothing is sent" "" "$(frames_of "$(jq -c '.mode = "passthru"' <<<"$IPV4")")"
doctor "$(jq -c '.mode = "passthru"' <<<"$IPV4")"
tells passthru NotTested "a macvlan card of mode passthru cannot ask"
ip -n "$NODE" addr add 192.168.100.1/32 dev lo
doctor "$IPV4"
tells "the node is the gateway" NotTested "the gateway is this node itself"
ip -n "$NODE" addr del 192.168.100.1/32 dev lo

# --- the gateway
ip -n "$GW" addr del 192.168.100.1/24 dev gw
same "silent: frames" "arp:6" "$(frames_of "$IPV4")"
ip -n "$LAN" link set gw0 down
doctor "$IPV4"
tells "silent, and nobody is heard" GatewaySilent "gateway 192.168.100.1 does not answer on ens4, where nobody is heard"
ip -n "$LAN" link set gw0 up
doctor "$BOTH"
tells "silent in one family" GatewaySilent "gateway 192.168.100.1 does not answer on ens4, where others are heard"
(while :; do
	nsenter --net=/run/netns/"$OTHER" ping -c 1 -W 1 192.168.100.99 >/dev/null
done) &
noise=$!
doctor "$IPV4"
tells "silent among others" GatewaySilent "where others are heard"
kill "$noise"
wait "$noise" 2>/dev/null
ip -n "$GW" addr add 192.168.100.1/24 dev gw
ip -n "$OTHER" addr add 192.168.100.1/24 dev lan
doctor "$IPV4"
tells "two gateways" TwoGateways "two machines say that they are gateway 192.168.100.1: "
for ns in "$GW gw" "$OTHER lan"; do
	mac=$(ip -n "${ns% *}" -j link show "${ns#* }" | jq -r '.[0].address')
	if [[ $MESSAGE == *$mac* ]]; then pass "two gateways: $mac is told"; else fail "two gateways: $mac is told" "$MESSAGE"; fi
done
ip -n "$OTHER" addr del 192.168.100.1/24 dev lan

# --- one MAC: a port that sends to the MACs that it was told, and learns none
bridge -n "$LAN" link set dev lan0 learning off flood off
bridge -n "$LAN" fdb flush dev sw0 2>/dev/null || ip -n "$LAN" link set sw0 type bridge fdb_flush
bridge -n "$LAN" fdb replace "$NIC" dev lan0 master static
doctor "$IPV4"
tells "only the NIC's MAC" SecondMACRefused "gateway 192.168.100.1 answers $NIC and not "
card=$(grep -oE 'and not [0-9a-f:]{17}' <<<"$MESSAGE")
card=${card#and not }
bridge -n "$LAN" fdb del "$NIC" dev lan0 master
bridge -n "$LAN" fdb replace "$card" dev lan0 master static
doctor "$IPV4"
tells "only the card's MAC" SecondMACRefused "gateway 192.168.100.1 answers $card and not $NIC"
bridge -n "$LAN" fdb replace "$NIC" dev lan0 master static
doctor "$IPV4"
tells "both MACs" OK ""
bridge -n "$LAN" fdb del "$NIC" dev lan0 master
bridge -n "$LAN" fdb del "$card" dev lan0 master
bridge -n "$LAN" link set dev lan0 learning on flood on

# --- a smaller MTU in the way
ip -n "$LAN" link set gw0 mtu 1400
same "MTU in the way: frames" "arp:2 echo:4 solicit:2" "$(frames_of "$BOTH")"
doctor "$BOTH"
tells "MTU in the way" MTUTooSmall "packets of 1500 bytes do not come through between ens4 and gateway fd78::1"
doctor "$(jq -c '.mtu = 1400' <<<"$BOTH")"
tells "and the subnet says so" OK ""
ip -n "$LAN" link set gw0 mtu 1500

# --- the switch: chassis MAC, port Gi1/0/3, 120 s, name sw-a
HEAD=0180c200000e020000000001
LLDP=${HEAD}88cc02070402000000000104080547$(printf i1/0/3 | xxd -p)060200780a04$(printf sw-a | xxd -p)0000
lldp_while() { # lldp_while FRAME: it is on the wire all the time
	(while :; do
		nsenter --net=/run/netns/"$LAN" "$WIRE" lan0 "$1"
		sleep 0.1
	done) &
	noise=$!
	doctor "$IPV4" --lldp-wait=2
	kill "$noise"
	wait "$noise" 2>/dev/null
}
lldp_while "$LLDP"
same "the switch and its port" "sw-a Gi1/0/3" "$(jq -r '"\(.switch) \(.port)"' <<<"$FOUND")"
lldp_while "${HEAD}88cc0207040200"
same "half a frame tells nothing" null "$(jq .switch <<<"$FOUND")"

# --- a foreign question for the gateway is no answer to ours, nor is an answer for somebody else
ip -n "$GW" addr del 192.168.100.1/24 dev gw
(while :; do
	nsenter --net=/run/netns/"$LAN" "$WIRE" lan0 "ffffffffffff0200000000ee08060001080006040001""0200000000ee00000000000000000000c0a86401"
	sleep 0.05
done) &
noise=$!
doctor "$IPV4"
kill "$noise"
wait "$noise" 2>/dev/null
tells "another node asks at the same time" GatewaySilent "where others are heard"

# --- killed in the middle: the card goes with the process
subnet "$IPV4" >"$DIR/in"
nsenter --net=/run/netns/"$NODE" "$TANDEM_NODE_BIN" doctor --state-dir="$DIR/state" --subnets="$DIR/in" >/dev/null 2>&1 &
victim=$!
has_card() { nsenter --net=/run/netns/"$NODE" bridge fdb show dev ens4 | grep -q "$card"; }
no_card() { ! has_card; }
wait_for 10 has_card || fail "a card while it asks" "none"
kill -9 "$victim"
wait "$victim" 2>/dev/null
check "killed: the card is gone" wait_for 10 no_card
same "and its seat waits for the next sweep" 1 "$(find "$DIR/state/parents" -name 'doctor-*' | wc -l)"
tests_finish
