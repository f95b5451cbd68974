#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rights that the manifest gives its container are enough, each of them is needed, and a small RLIMIT_MEMLOCK, as
# runtimes hand it on, is no hindrance.

. "$(dirname "$0")/lib.sh"
services_lab macvlan
pod A 5
pod B 10
serve "$B" b 192.168.10.10 5201
services mount # what the manifest's first container does

# with RIGHTS WORD...: the tool with these alone
with() {
	local rights=$1 words=("$2")
	shift 2
	case ${words[0]} in svc | ep) words+=("$1") && shift ;; esac
	(ulimit -l 64 && in_ns "$NODE" setpriv --no-new-privs --bounding-set="-all$rights" --inh-caps="-all$rights" \
		"$TANDEM_SERVICES_BIN" "${words[@]}" --pins "$PINS" --cgroup "$CGROUP" "$@" 2>&1)
}
# Linux before 5.11 charges maps to RLIMIT_MEMLOCK, which libbpf then raises.
MEMORY=
case $(uname -r) in 4.* | 5.[0-9].* | 5.10.*) MEMORY=,+sys_resource ;; esac
ALL=+bpf,+net_admin,+sys_admin$MEMORY

LOAD=+bpf,+net_admin,+perfmon$MEMORY

# What the programs do with pointers the verifier lets pass with CAP_PERFMON, which is a part of CAP_SYS_ADMIN.
for less in +net_admin,+perfmon +bpf,+perfmon +bpf,+net_admin; do
	check_fails "load with no more than $less" with ",$less$MEMORY" load
done
[ -z "$MEMORY" ] || check_fails "load without CAP_SYS_RESOURCE" with ,+bpf,+net_admin,+perfmon load
same "nothing is attached" 0 "$(services status --json | jq '[.hooks[] | select(.attached)] | length')"
check "load with $LOAD" with ",$LOAD" load
check "svc add with these" with ",$LOAD" svc add --service=$VIP:80 --backend=192.168.10.10:5201
same "it is translated" "b peer $VIP:80 source 192.168.10.5" "$(ask "$A" tcp $VIP 80)"
check_fails "a namespace cannot be entered with these" with ",$LOAD" ep add --netns="/run/netns/$A" --skip
check "it can with CAP_SYS_ADMIN" with ",$ALL" ep add --netns="/run/netns/$A" --skip
same "it is skipped" ENETUNREACH "$(ask "$A" tcp $VIP 80)"
check "ep del" with ",$ALL" ep del --netns="/run/netns/$A"

mkfifo "$DIR/in"
in_ns "$A" "$PEER" hold udp $VIP 80 <"$DIR/in" >"$DIR/held" &
exec 8>"$DIR/in"
lines() { [ "$(wc -l <"$DIR/held")" -ge "$1" ]; }
echo >&8 && wait_for 5 lines 1
echo wait >&8
check "svc del" with ",$ALL" svc del --service=$VIP:80
wait_for 5 lines 2
same "with these rights a connected UDP socket is ended" ECONNABORTED "$(sed -n '2s/^[0-9]* //p' "$DIR/held")"
exec 8>&-
check "unload" with ",$ALL" unload
