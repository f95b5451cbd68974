#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tool alone, with no cluster and no daemon, as those use it who know `svc add` from elsewhere.
#
#	tests/services/byhand.sh [KIND]		macvlan (default), ipvlan

. "$(dirname "$0")/lib.sh"
scratch BEFORE
kernel_list >"$BEFORE/list"
mount | grep ' type bpf ' >"$BEFORE/mounts"
services_lab "${1:-macvlan}"
pod A 5
pod B 10
pod C 11
serve "$B" b 192.168.10.10 5201
serve "$C" c 192.168.10.11 5201

same "nothing is loaded: svc ls says so" \
	"level=error msg=svc error=\"$PINS/v1/conf is not there: the programs are not loaded; tandem-services load\"" \
	"$(services svc ls 2>&1 | sed 's/^.*level=/level=/; s/ program=.* msg/ msg/')"
same "without it there is no way" "ENETUNREACH" "$(ask "$A" tcp $VIP 5201)"
check "svc add" services svc add --service=$VIP:5201 --backend=192.168.10.10:5201
same "svc ls" "Service count: 1
id  pro   service      port  backends
1   NONE  10.96.0.100  5201  192.168.10.10:5201," "$(services svc ls)"
same "svc ls -o json" '[{"id":1,"protocol":"NONE","address":"10.96.0.100","port":5201,"scope":0,"byHand":true,"affinitySeconds":0,"backends":[{"address":"192.168.10.10","port":5201}]}]' \
	"$(services svc ls -o json)"
same "a connection by the ClusterIP arrives" "b peer $VIP:5201 source 192.168.10.5" "$(ask "$A" tcp $VIP 5201)"
same "UDP, connected" "b peer $VIP:5201 source 192.168.10.5" "$(ask "$A" udp $VIP 5201)"
same "UDP, not connected" "b peer $VIP:5201 source 0.0.0.0" "$(ask "$A" datagram $VIP 5201)"
same "the backend itself is what it is" "b peer 192.168.10.10:5201 source 192.168.10.5" "$(ask "$A" tcp 192.168.10.10 5201)"
same "status" "9 of 9 hooks, at $CGROUP" "$(services status | sed -n 's/^programs *//p')"
same "status --json" "true 2 $CGROUP" "$(services status --json | jq -r '"\(.loaded) \(.services) \(.cgroup)"')"

check "svc add changes it" services svc add --service=$VIP:5201 --backend=192.168.10.11:5201
same "now it leads elsewhere" "c peer $VIP:5201 source 192.168.10.5" "$(ask "$A" tcp $VIP 5201)"
check "one protocol" services svc add --service=10.96.0.101:53/udp --backend=192.168.10.10:5201,192.168.10.11:5201
same "svc ls, both" "Service count: 2
id  pro   service      port  backends
1   NONE  10.96.0.100  5201  192.168.10.11:5201,
3   UDP   10.96.0.101  53    192.168.10.10:5201,192.168.10.11:5201," "$(services svc ls)"
same "the other protocol is not translated" "ENETUNREACH" "$(ask "$A" tcp 10.96.0.101 53)"
check "svc del" services svc del --service=10.96.0.101:53/udp
check_fails "svc del, twice" services svc del --service=10.96.0.101:53/udp
check_fails "svc add without a port" services svc add --service=10.96.0.101 --backend=192.168.10.10:5201
check_fails "svc add of two families" services svc add --service=10.96.0.101:1 --backend='[fd00::1]:5201'
same "nothing has come of what was wrong" "1" "$(services svc ls -o json | jq length)"

check "ep add" services ep add --ifname=eth0 --netns="/run/netns/$A"
lan0=$(in_ns "$NODE" ip -j link show lan0 | jq -r '.[0] | "\(.ifindex)        \(.address)"')
mac=$(in_ns "$A" ip -j link show eth0 | jq -r '.[0].address')
same "ep ls" "Endpoint count: 1
id  ip            host   ifindex  lxcmac             nodemac
1   192.168.10.5  false  ${lan0%% *}        $mac  ${lan0##* }" "$(services ep ls)"
same "ep ls -o json" "192.168.10.5 false $mac" \
	"$(services ep ls -o json | jq -r '.[0] | "\(.ip) \(.host) \(.lxcmac)"')"
check "ep add --skip" services ep add --netns="/run/netns/$A" --skip
same "a namespace to skip: the packet leaves with the ClusterIP" "ENETUNREACH" "$(ask "$A" tcp $VIP 5201)"
check "ep del" services ep del --netns="/run/netns/$A"
same "and it is translated again" "c peer $VIP:5201 source 192.168.10.5" "$(ask "$A" tcp $VIP 5201)"
check_fails "ep add of the node itself" services ep add --netns=/proc/1/ns/net
check_fails "ep add without such an interface" services ep add --netns="/run/netns/$A" --ifname=eth7

check "svc del of the last" services svc del --service=$VIP:5201
same "no way again" "ENETUNREACH" "$(ask "$A" tcp $VIP 5201)"
check "unload" services unload
check "unload, with nothing there" services unload
check_fails "status without programs fails" services status

gone() {
	[ "$("$PEER" list)" = "$(cat "$BEFORE/list")" ]
}
wait_for 10 gone
same "no program, map or link is left" "$(cat "$BEFORE/list")" "$("$PEER" list)"
same "no pin" "" "$(ls -d "$PINS" 2>/dev/null)"
same "no mount" "$(cat "$BEFORE/mounts")" "$(mount | grep ' type bpf ')"
