#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Somebody else's program at the same hook: one that wants to be alone, and ones that share, before and after ours.
# Whoever was there is there when we have gone, and nothing besides.

. "$(dirname "$0")/lib.sh"
services_lab "${1:-macvlan}"
FOREIGN=$TANDEM_TOOLS/services/foreign
pod A 5
pod B 10
serve "$B" b 192.168.10.10 5201
BACKEND=192.168.10.10

alone() { "$FOREIGN" attach "$CGROUP" exclusive; }
shares() { "$FOREIGN" attach "$CGROUP" multi "$@"; }
leaves() { "$FOREIGN" detach "$CGROUP"; }
hook() { services status --json | jq -c '.hooks[] | select(.name == "connect4") | [.attached, [.others[].name]]'; }
ours() { "$PEER" list | grep -cE '^program [0-9]+ (connect|sendmsg|recvmsg|getpeername|sock_release)'; }
text() { sed 's/^.*error="//; s/"[^"]*$//; s/program [0-9][0-9]*/program N/' <<<"$1"; }
begins() { services svc add --service=$VIP:80 --backend=$BACKEND:5201; }

# kernel_has LIST: the kernel frees what nobody holds any more a moment later, when it finds the time
kernel_has() { wait_for 10 listed "$1"; }
listed() { [ "$("$PEER" list)" = "$1" ]; }

# ---------------------------------------------------------------------------- one that wants to be alone
BEFORE=$(kernel_list)
check "somebody is alone at connect4" alone
WITH=$("$PEER" list)
out=$(services load 2>&1)
same "load fails, and says who is there" "1 attach to connect4 at $CGROUP: the program N foreign of somebody else sits there and wants to be alone" "$? $(text "$out")"
same "status knows it as well" '[false,["foreign"]]' "$(hook)"
kernel_has "$WITH"
same "nothing of ours is left" "$WITH" "$("$PEER" list)"
same "no pin, no mount" "" "$(find /sys/fs/bpf -mindepth 1 ! -name '*.debug')$(grep ' /sys/fs/bpf bpf ' /proc/mounts)"
same "a connection is as it was" "b peer $BACKEND:5201 source 192.168.10.5 ENETUNREACH" "$(ask "$A" tcp $BACKEND 5201) $(ask "$A" tcp $VIP 80)"
mkdir "$CGROUP/below"
out=$(services load --cgroup "$CGROUP/below" 2>&1)
same "it is alone in all cgroups below, too" "1 attach to connect4 at $CGROUP/below: not permitted; CAP_NET_ADMIN is needed, and no exclusive program of another at that cgroup or above" "$? $(text "$out")"
rmdir "$CGROUP/below"
kernel_has "$WITH"
same "and nothing of ours is left there" "$WITH" "$("$PEER" list)"

# The daemon says so once, goes on trying, and serves when the other has gone.
cat >"$DIR/kubeconfig" <<-'YAML'
	apiVersion: v1
	kind: Config
	current-context: none
	contexts: [{name: none, context: {cluster: none, user: none}}]
	clusters: [{name: none, cluster: {server: "https://127.0.0.1:1", insecure-skip-tls-verify: true}}]
	users: [{name: none, user: {token: none}}]
YAML
# daemon_up [PROGRAM ARGUMENT...]: before its own words
daemon_up() {
	nsenter --net="/run/netns/$NODE" "$@" "$TANDEM_SERVICES_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --pins "$PINS" \
		--cgroup "$CGROUP" --state-dir "$DIR/state" 2>"$DIR/daemon" &
	DAEMON=$!
}
daemon_up
kill_daemon() { kill "$DAEMON" 2>/dev/null && wait "$DAEMON" 2>/dev/null; }
at_exit kill_daemon
complaints() { grep -c 'msg="no ClusterIP is translated"' "$DIR/daemon"; }
wait_for 10 complaints || fail "daemon" "$(tail -n 3 "$DIR/daemon")"
sleep 21 # two more of its looks, one each ten seconds
same "the daemon says so once, and stays" "1 alive" "$(complaints) $(kill -0 $DAEMON && echo alive)"
kernel_has "$WITH"
same "it leaves nothing in the kernel" "$WITH" "$("$PEER" list)"
check "the other one leaves" leaves
attached() { [ "$(hook)" = '[true,[]]' ]; }
check "within its next look the daemon has attached" wait_for 15 attached
same "who wants to be alone now is refused" EPERM "$(alone)"
kill_daemon
same "the daemon ends, the programs stay" 9 "$(ours)"
check "unload" services unload
kernel_has "$BEFORE"
same "nothing is left of either" "$BEFORE" "$("$PEER" list)"

# ---------------------------------------------------------------------------- ones that share
check "one that shares is there before us" shares
WITH=$("$PEER" list)
check "svc add" begins
same "both are there" '[true,["foreign"]]' "$(hook)"
same "status names it" "beside us  connect4: program N foreign" "$(services status | grep beside | sed 's/program [0-9]*/program N/')"
same "we translate" "b peer $VIP:80 source 192.168.10.5" "$(ask "$A" tcp $VIP 80)"
leaves
check "it denies the ClusterIP" shares $VIP
same "who comes after us sees the endpoint, never the ClusterIP" "b peer $VIP:80 source 192.168.10.5" "$(ask "$A" tcp $VIP 80)"
leaves
check "after us, it denies the endpoint" shares $BACKEND
same "what it denies is denied" EPERM "$(ask "$A" tcp $VIP 80)"
leaves
services unload
kernel_has "$BEFORE"
check "one that denies the ClusterIP is there before us" shares $VIP
WITH=$("$PEER" list)
check "svc add, after it" begins
same "who was there before us sees the ClusterIP" EPERM "$(ask "$A" tcp $VIP 80)"
same "and nothing else" "b peer $BACKEND:5201 source 192.168.10.5" "$(ask "$A" tcp $BACKEND 5201)"
check "load, over what is there" services load
same "our place is kept" '[true,["foreign"]]' "$(hook)"
check "unload beside it" services unload
kernel_has "$WITH"
same "it stays, and nothing of ours does" "$WITH" "$("$PEER" list)"
same "it still denies" EPERM "$(ask "$A" tcp $VIP 80)"
leaves

# ---------------------------------------------------------------------------- a kernel that lacks something
# lacking COMMAND-OF-BPF...: as kernels before that command refuse it
lacks() { in_ns "$NODE" "$TANDEM_TOOLS/services/lacking" "$1" "$TANDEM_SERVICES_BIN" "${@:2}" --pins "$PINS" --cgroup "$CGROUP" 2>&1; }
out=$(lacks 28 load) # BPF_LINK_CREATE: Linux 5.7
same "without links nothing is attached" "1 attach to connect4 at $CGROUP: Invalid argument" "$? $(text "$out")"
out=$(lacks 5 load) # BPF_PROG_LOAD
same "without such programs nothing is loaded" "1 load the socket programs (Linux 5.10 or later, and the rights CAP_BPF, CAP_NET_ADMIN, and CAP_PERFMON or CAP_SYS_ADMIN, are needed; --v 4 shows what the kernel says): Invalid argument" "$? $(text "$out")"
kernel_has "$BEFORE"
same "and nothing is left" "$BEFORE $(grep -c ' /sys/fs/bpf bpf ' /proc/mounts)" "$("$PEER" list) 0"
daemon_up "$TANDEM_TOOLS/services/lacking" 28
wait_for 10 complaints
sleep 11
same "the daemon on such a kernel says so once, and stays" "1 alive" "$(complaints) $(kill -0 $DAEMON && echo alive)"
same "the node is as it was" "b peer $BACKEND:5201 source 192.168.10.5 ENETUNREACH" "$(ask "$A" tcp $BACKEND 5201) $(ask "$A" tcp $VIP 80)"
