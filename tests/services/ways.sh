#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every way in which a socket comes to a ClusterIP, and what it is told of its peer; updates under load; full maps.
#
#	tests/services/ways.sh [KIND]		macvlan (default), ipvlan, bridge; FULL=no leaves out the last: what it does is the
#						same for all cards

. "$(dirname "$0")/lib.sh"
services_lab "${1:-macvlan}"
pod A 5
pod B 10
pod C 11
serve "$B" b 192.168.10.10 5201 fd00:10::10 5201
serve "$C" c 192.168.10.11 5201 fd00:10::11 5201
check "load" services load
services svc add --service=$VIP:80 --backend=192.168.10.10:5201
services svc add --service="[$VIP6]:80" --backend='[fd00:10::10]:5201'

# ---------------------------------------------------------------------------- ways
while read -r way ip want; do
	same "$way to $ip" "b peer $want" "$(ask "$A" "$way" "$ip" 80 | sed 's/ source .*//')"
done <<-WAYS
	tcp $VIP $VIP:80
	udp $VIP $VIP:80
	datagram $VIP $VIP:80
	tcp6 $VIP [::ffff:$VIP]:80
	udp6 $VIP [::ffff:$VIP]:80
	datagram6 $VIP [::ffff:$VIP]:80
	tcp $VIP6 [$VIP6]:80
	udp $VIP6 [$VIP6]:80
	datagram $VIP6 [$VIP6]:80
WAYS
same "the source is the card's" "192.168.10.5" "$(ask "$A" tcp $VIP 80 | sed 's/.* source //')"
same "no route to it, no default route" "" "$(in_ns "$A" ip route show | grep -v '^192.168.10.0/24 dev eth0')"
same "a hairpin, TCP" "b peer $VIP:80 source 192.168.10.10" "$(ask "$B" tcp $VIP 80)"
same "a hairpin, UDP" "b peer $VIP:80 source 192.168.10.10" "$(ask "$B" udp $VIP 80)"
same "the other port is not a Service" "ENETUNREACH" "$(ask "$A" tcp $VIP 81)"

# ---------------------------------------------------------------------------- no endpoints
# ECONNREFUSED where the kernel lets a program say so; elsewhere it is left to kube-proxy, and there is none here.
services svc add --service=10.96.0.102:80 --backend=
NONE=ECONNREFUSED
[ "$(services status --json | jq .refuse)" = true ] || NONE=ENETUNREACH
same "no endpoints, TCP" "$NONE" "$(ask "$A" tcp 10.96.0.102 80)"
same "no endpoints, UDP" "$NONE" "$(ask "$A" datagram 10.96.0.102 80)"
same "no endpoints, mapped" "$NONE" "$(ask "$A" tcp6 10.96.0.102 80)"
check "load --no-endpoints pass" services load --no-endpoints pass
same "it is left to others" "ENETUNREACH" "$(ask "$A" tcp 10.96.0.102 80)"
check "load --no-endpoints refuse" services load --no-endpoints refuse
[ $NONE = ECONNREFUSED ] || NONE=EPERM
same "it is refused" "$NONE" "$(ask "$A" tcp 10.96.0.102 80)"
check "load --udp=false" services load --udp=false
same "without UDP: a datagram is left to others" "ENETUNREACH" "$(ask "$A" datagram $VIP 80)"
same "and TCP is not" "b peer $VIP:80 source 192.168.10.5" "$(ask "$A" tcp $VIP 80)"
check "load again" services load

# ---------------------------------------------------------------------------- scopes
services svc add --service=$VIP:80/tcp --backend=192.168.10.11:5201 --scope=7
same "no scope: the default set" "b peer $VIP:80 source 192.168.10.5" "$(ask "$A" tcp $VIP 80)"
services ep add --netns="/run/netns/$A" --scope=7
same "a card of that LAN: its set" "c peer $VIP:80 source 192.168.10.5" "$(ask "$A" tcp $VIP 80)"
in_ns "$A" ip addr add 10.42.0.5/32 dev eth0
in_ns "$C" ip route add 10.42.0.5/32 via 192.168.10.5
in_ns "$B" ip route add 10.42.0.5/32 via 192.168.10.5
same "bound to another address: the default set" "b peer $VIP:80 source 10.42.0.5" "$(ask "$A" tcp $VIP 80 10.42.0.5)"
same "bound to the card" "c peer $VIP:80 source 192.168.10.5" "$(ask "$A" tcp $VIP 80 192.168.10.5)"
services ep add --netns="/run/netns/$A" --scope=8
same "a card of another LAN: the default set" "b peer $VIP:80 source 192.168.10.5" "$(ask "$A" tcp $VIP 80)"
services ep add --netns="/run/netns/$A" --scope=8 --single
same "single card, nothing on its LAN: left to its route" "ENETUNREACH" "$(ask "$A" tcp $VIP 80)"
services ep add --netns="/run/netns/$A" --scope=8 --cut
same "single card without the node: refused" "$NONE" "$(ask "$A" tcp $VIP 80)"
services ep add --netns="/run/netns/$A" --scope=7 --cut
same "and what is on its LAN is reached" "c peer $VIP:80 source 192.168.10.5" "$(ask "$A" tcp $VIP 80)"
services svc add --service=$VIP:80/tcp --backend= --scope=7
services ep add --netns="/run/netns/$A" --scope=7
same "an empty set of the LAN is none" "b peer $VIP:80 source 192.168.10.5" "$(ask "$A" tcp $VIP 80)"
services ep del --netns="/run/netns/$A"
services svc del --service=$VIP:80 --scope=7

# ---------------------------------------------------------------------------- the same backend again
both=192.168.10.10:5201,192.168.10.11:5201
services svc add --service=10.96.0.103:80 --backend=$both --affinity=3
first=$(ask "$A" tcp 10.96.0.103 80)
for _ in {1..15}; do ask "$A" tcp 10.96.0.103 80; done >"$DIR/affinity"
same "affinity holds" "     15 $first" "$(sort "$DIR/affinity" | uniq -c)"
services svc add --service=10.96.0.103:80 --backend=$both,192.168.10.12:5201 --affinity=3
for _ in {1..5}; do ask "$A" tcp 10.96.0.103 80; done >"$DIR/affinity"
same "it survives an update that is not its backend's" "      5 $first" "$(sort "$DIR/affinity" | uniq -c)"
case $first in b*) left=192.168.10.11 other=c ;; *) left=192.168.10.10 other=b ;; esac
services svc add --service=10.96.0.103:80 --backend=$left:5201 --affinity=3
same "it moves when its backend goes" "$other" "$(ask "$A" tcp 10.96.0.103 80 | cut -c 1)"
services svc add --service=10.96.0.103:80 --backend=$both --affinity=1
moved() { sleep 1.1 && [ "$(ask "$A" tcp 10.96.0.103 80 | cut -c 1)" != "$other" ]; }
check "it expires" wait_for 20 moved

services svc add --service=10.96.0.104:80 --backend=$both
in_ns "$A" "$PEER" many 40 10.96.0.104 80 >"$DIR/many"
same "one socket's datagrams go to one backend" "40" "$(cut -d ' ' -f 2 "$DIR/many")"
mkfifo "$DIR/in"
in_ns "$A" "$PEER" hold datagram 10.96.0.104 80 <"$DIR/in" >"$DIR/held" &
exec 8>"$DIR/in"
held() { echo >&8 && wait_for 5 has_lines "$1" && tail -n 1 "$DIR/held"; }
has_lines() { [ "$(wc -l <"$DIR/held")" -ge "$1" ]; }
first=$(held 1)
same "its local port and its Service" "peer 10.96.0.104:80" "${first#* * }"
for i in 2 3 4 5; do
	services svc add --service=10.96.0.104:80 --backend=$both,192.168.10.$((20 + i)):5201
	same "through an update ($i)" "$first" "$(held $i)"
done
case $first in *" b "*) left=192.168.10.11 other=c ;; *) left=192.168.10.10 other=b ;; esac
services svc add --service=10.96.0.104:80 --backend=$left:5201
same "its backend goes: the next, and the same local port" "${first%% *} $other peer 10.96.0.104:80" "$(held 6)"
exec 8>&-

# ---------------------------------------------------------------------------- flips
in_ns "$A" "$PEER" hammer 4000 $VIP 80 >"$DIR/hammer" 2>"$DIR/hammer.err" &
hammer=$!
"$TANDEM_TOOLS/services/flip" "$PINS/v1" $VIP 80 10000 192.168.10.10:5201 192.168.10.11:5201 >"$DIR/flips"
same "10,000 flips" flipped "$(cat "$DIR/flips")"
wait $hammer
echo "# $(cat "$DIR/hammer") during 10,000 flips"
same "no connection failed meanwhile" "failed 0" "$(sed 's/ok [0-9]* //' "$DIR/hammer")"

# ---------------------------------------------------------------------------- TCP to what is gone lives on
mkfifo "$DIR/in2"
services svc add --service=$VIP:80 --backend=192.168.10.10:5201
in_ns "$A" "$PEER" hold tcp $VIP 80 <"$DIR/in2" >"$DIR/held" &
exec 8>"$DIR/in2"
first=$(held 1)
services svc add --service=$VIP:80 --backend=192.168.10.11:5201
same "TCP to a backend that has gone from the list lives on" "$first" "$(held 2)"
same "a new one goes to the other" "c" "$(ask "$A" tcp $VIP 80 | cut -c 1)"
exec 8>&-

# ---------------------------------------------------------------------------- a new load over the old, under load
in_ns "$A" "$PEER" hammer 3000 $VIP 80 >"$DIR/hammer" 2>"$DIR/hammer.err" &
hammer=$!
for _ in 1 2 3 4 5; do services load; done
wait $hammer
echo "# $(cat "$DIR/hammer") during 5 loads"
same "loading anew fails no connection" "failed 0" "$(sed 's/ok [0-9]* //' "$DIR/hammer")"

# ---------------------------------------------------------------------------- full maps
[ "${FULL:-yes}" = yes ] || exit 0
echo "# 10,000 Services of 2 backends: $("$TANDEM_TOOLS/services/flip" fill "$PINS/v1" 10000 2)"
same "10,000 Services" "10005" "$(services svc ls -o json | jq 'length')"
full=$("$TANDEM_TOOLS/services/flip" fill "$PINS/v1" 70000 1)
check "a full map leaves Services out whole" [ "${full%% *}" -gt 0 ]
same "those that were there are served" "c" "$(ask "$A" tcp $VIP 80 | cut -c 1)"
last=$(services svc ls -o json | jq '[.[] | select(.backends | length == 0)] | length')
same "none is there by half" "1" "$last"
