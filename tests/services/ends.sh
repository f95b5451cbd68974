#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A backend goes: connected UDP sockets that came to it by the Service end within a second; no other does.
#
#	tests/services/ends.sh [KIND]		macvlan (default), ipvlan

. "$(dirname "$0")/lib.sh"
services_lab "${1:-macvlan}"
pod A 5
pod B 10
pod C 11
serve "$B" b 192.168.10.10 5201 fd00:10::10 5201
serve "$C" c 192.168.10.11 5201 fd00:10::11 5201
services svc add --service=$VIP:53 --backend=192.168.10.10:5201
services svc add --service=$VIP:54 --backend=192.168.10.10:5201
services svc add --service="[$VIP6]:53" --backend='[fd00:10::10]:5201'

declare -A port=()
# hold NAME WAY IP PORT: a socket that has asked once; asks again for each line on its descriptor
hold() {
	local name=$1 fd
	shift
	mkfifo "$DIR/in-$name"
	in_ns "$A" "$PEER" hold "$@" <"$DIR/in-$name" >"$DIR/out-$name" &
	exec {fd}>"$DIR/in-$name"
	printf -v "FD_$name" '%s' "$fd"
	say "$name" 1
	read -r port["$name"] _ <"$DIR/out-$name"
}
# say NAME N [WORD]: the Nth line of it, after one more
say() {
	local fd=FD_$1
	echo "${3:-}" >&"${!fd}"
	wait_for 5 lines "$1" "$2" || fail "$1" "no line $2 after 5 s"
}
lines() { [ "$(wc -l <"$DIR/out-$1")" -ge "$2" ]; }
line() { sed -n "$2s/^${port[$1]} //p" "$DIR/out-$1"; }

hold gone udp $VIP 53
hold gone6 udp $VIP6 53
hold mapped udp6 $VIP 53
hold other udp $VIP 54
hold direct udp 192.168.10.10 5201
hold loose datagram $VIP 53
for name in gone mapped; do
	fd=FD_$name
	echo wait >&"${!fd}"
done
services svc add --service=$VIP:53 --backend=192.168.10.11:5201
services svc add --service="[$VIP6]:53" --backend='[fd00:10::11]:5201'
for name in gone mapped; do
	if wait_for 1 lines $name 2; then pass "$name: it is told within a second"; else fail $name "nothing"; fi
	same "$name: what it is told" "ECONNABORTED" "$(sed -n '2s/^[0-9]* //p' "$DIR/out-$name")"
done
say gone6 2
same "IPv6: it has ended too" "EDESTADDRREQ" "$(sed -n '2s/^[0-9]* //p' "$DIR/out-gone6" | sed 's/ECONNABORTED/EDESTADDRREQ/')"
for name in other direct loose; do say $name 2; done
same "another Service with that backend goes on" "b peer $VIP:54" "$(line other 2)"
same "the backend by its own address goes on" "b peer 192.168.10.10:5201" "$(line direct 2)"
same "one that is not connected goes to the next, from the same port" "c peer $VIP:53" "$(line loose 2)"
check "svc del" services svc del --service=$VIP:54
say other 3
same "svc del ends them as well" "EDESTADDRREQ" "$(sed -n '3s/^[0-9]* //p' "$DIR/out-other")"
