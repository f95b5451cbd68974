#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A runtime that starts the plugin without standard descriptors, or that does not take the result: the ADD fails and
# nothing of it stays; no file of ours gets the number of one of them.

. "$(dirname "$0")/lib.sh"
contract_node
new_pod

# call REDIRECTION...: an ADD whose descriptors are what bash makes of that; sets RC, ERR
call() {
	local text
	text=$(conf "$(primary)")
	cat >"$DIR/bin/under" <<-UNDER
		#!/bin/bash
		exec "\$@" $*
	UNDER
	chmod +x "$DIR/bin/under"
	rm -f "$DIR/log"
	CNI_UNDER=("$DIR/bin/under")
	cni "${VERB:-ADD}" "$text"
	LOG=$(cat "$DIR/log" 2>/dev/null)
}

# fails NAME TEXT: the last call exited with 1, its log has TEXT, and nothing is left
fails() {
	same "$1: exit status" 1 "$RC"
	same "$1: nothing on the other descriptors" "" "$OUT"
	case $LOG in
	*"$2"*) pass "$1: said in the log" ;;
	*) fail "$1: said in the log" "lacks '$2': $LOG" ;;
	esac
	same "$1: nothing left" "" "$(leftovers)"
}

call '>&-'
fails "without standard output" "standard output is closed: the result could not be told"
call '<&0 >&- 2>&-'
fails "without output and error" "standard output is closed: the result could not be told"
call '1</dev/null'
fails "with an output that is for reading" "standard output is closed: the result could not be told"
call '>/dev/full'
fails "with an output that takes nothing" "write stdout: No space left on device"
call '> >(exit)'
# The other end may close a moment late: then the pipe took it, and the runtime is to blame.
if [ "$RC" -eq 0 ]; then
	VERB=DEL call
else
	fails "with an output that is hung up" "write stdout: Broken pipe"
fi
call '2>&-'
succeeded "without standard error"
same "its result is the whole output" '"0.4.0"' "$(jq -c .cniVersion <<<"$OUT")"
VERB=DEL call '>&- 2>&-'
same "a DEL has nothing to print" 0 "$RC"
same "and leaves nothing" "" "$(leftovers)"
call '<&- >&- 2>&-'
same "without anything there is no conf either" 1 "$RC"
same "nothing is left then" "" "$(leftovers)"

# --- the others ------------------------------------------------------------------------------------

for program in "$TANDEM_BIN" "$TANDEM_CONTROLLER_BIN" "$TANDEM_NODE_BIN"; do
	rc=0
	"$program" --version >&- 2>/dev/null || rc=$?
	same "$(basename "$program") --version without standard output" 1 "$rc"
done
# descriptors PROGRAM OPTION...: what a daemon that was started without any has for its first three
descriptors() {
	local pid i
	"$@" <&- >&- 2>&- &
	pid=$!
	wait_for 10 polls "$pid" || echo "it does not run"
	for i in 0 1 2; do readlink "/proc/$pid/fd/$i"; done
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}
# It has come to its event loop.
polls() { readlink "/proc/$1/fd/"* | grep -q signalfd; }
cat >"$DIR/kubeconfig" <<-KUBECONFIG
	apiVersion: v1
	kind: Config
	current-context: a
	contexts: [{name: a, context: {cluster: a, user: a}}]
	clusters: [{name: a, cluster: {server: "http://127.0.0.1:1"}}]
	users: [{name: a, user: {token: x}}]
KUBECONFIG
null=$(printf '/dev/null\n%.0s' 1 2 3)
same "tandem-controller has /dev/null for all three" "$null" \
	"$(descriptors "$TANDEM_CONTROLLER_BIN" --kubeconfig "$DIR/kubeconfig" --metrics-bind-address 0)"
same "and so has tandem-node" "$null" \
	"$(descriptors "$TANDEM_NODE_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n --state-dir "$DIR/state" --socket "$DIR/node.sock")"
