#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SIGTERM, SIGINT and SIGHUP in the middle of a call, wherever it waits: it ends at once, an ADD with everything
# taken back and without any DEL, a DEL with its file kept.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start

card() { conf "${1:-$(primary)}" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}'; }
NET='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1"}'
LONG='"deadlineSeconds":29,'

# A plugin that hangs in the verb that $DIR/hangs names, and so does its child; it tells who they are.
plugin slow <<EOF_PLUGIN
#!/bin/sh
if [ "\$CNI_COMMAND" = "\$(cat "$DIR/hangs")" ]; then
	sleep 300 &
	echo "\$\$ \$!" >"$DIR/hanging"
	wait
fi
[ "\$CNI_COMMAND" = ADD ] && jq -c .prevResult
: >"$DIR/through"
EOF_PLUGIN
slow() { primary | sed 's/"type":"portmap"/"type":"slow"/; s/0\.3\.1/0.4.0/'; }
hangs() { echo "$1" >"$DIR/hangs"; }
hanging() { [ -s "$DIR/hanging" ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }
both_gone() {
	local plugin child
	read -r plugin child <"$DIR/hanging"
	wait_for 10 gone "$plugin" && wait_for 10 gone "$child"
}

# What begins a call in the background has SIGINT ignored; $DIR/pid says what is to be signalled.
begin() { # begin VERB CONF [VAR=VALUE...]: the call goes on in the background
	rm -f "$DIR/pid" "$DIR/hanging"
	(
		# shellcheck disable=SC2016 # its own $$
		CNI_UNDER=(env "${SIGNALS:---default-signal=INT,HUP,TERM}" sh -c 'echo $$ >"$0" && exec "$@"' "$DIR/pid")
		cni "$@"
		echo "$RC" >"$DIR/rc"
	) &
	CALL=$!
	wait_for 20 test -s "$DIR/pid" || fail "$1" "did not begin"
}
end_of_call() { # sets RC OUT ERR as cni does
	wait "$CALL"
	RC=$(cat "$DIR/rc") OUT=$(cat "$DIR/out") ERR=$(cat "$DIR/err")
}
stop() { # stop SIGNAL
	kill -s "$1" "$(cat "$DIR/pid")"
	end_of_call
}
in_log() { grep -qE "$1" "$DIR/err"; }

# --- the primary is slow ----------------------------------------------------------------------------

hangs ADD
for signal in TERM INT HUP; do
	new_pod
	begin ADD "$(conf "$(slow)" '' "$LONG")"
	wait_for 20 hanging || fail "the primary's second plugin" "did not begin"
	stop $signal
	refused "SIG$signal while the primary works" 11 "stopped by SIG$signal: plugin \"slow\" was stopped"
	check "its plugin and that one's child have ended" both_gone
	drop_pod
done

new_pod
POD_NAME=slow POD_UID=$(cat /proc/sys/kernel/random/uuid)
record slow "$POD_UID" "$NET"
begin ADD "$(card "$(slow)" | sed "s/\"deleg/$LONG&/")"
wait_for 20 hanging || fail "the primary's second plugin" "did not begin"
made() { [ -n "$(ip -n "$POD" -o link show type macvlan)" ]; }
wait_for 20 made || fail "the card" "not made while the primary works"
stop TERM
refused "SIGTERM while the card waits for the primary" 11 'stopped by SIGTERM: plugin "slow" was stopped'
check "nobody of its plugins is left" both_gone
cni ADD "$(card)"
succeeded "the runtime's next ADD"
cni DEL "$(card)"
same "nothing left of it" "" "$(leftovers)"
drop_pod

# --- no record yet ----------------------------------------------------------------------------------

new_pod
POD_NAME=nobody POD_UID=$(cat /proc/sys/kernel/random/uuid)
hangs nothing
rm -f "$DIR/through"
begin ADD "$(card "$(slow)" | sed "s/\"deleg/$LONG&/")"
# The last of the primary's plugins has ended, and been waited for.
through() { [ -e "$DIR/through" ] && ! pgrep -P "$(cat "$DIR/pid")"; }
wait_for 20 through || fail "the primary" "not through while there is no record"
stop TERM
refused "SIGTERM while there is no record" 11 "stopped by SIGTERM: address of pod default/nobody"
same "the next ADD has nothing to ask first" "" "$(ls "$DIR/state/hints")"
drop_pod

# --- a MAC that is still held, an address that is asked for ------------------------------------------

new_pod
POD_NAME=held POD_UID=$(cat /proc/sys/kernel/random/uuid)
record held "$POD_UID" "$NET"
ip -n "$NODE" link add held link ens4 address 0a:00:00:00:00:32 type macvlan mode bridge
ip -n "$NODE" link set held up
begin ADD "$(card | sed "s/\"deleg/$LONG&/")"
wait_for 20 in_log 'step=primary' || fail "the primary" "not through while the MAC is held"
stop TERM
refused "SIGTERM while another card has the MAC" 11 "stopped while waiting for a former pod"
ip -n "$NODE" link del held
drop_pod

# --- another call of the same container -------------------------------------------------------------

new_pod
(
	exec 9>"$DIR/state/locks/$CID"
	flock 9
	: >"$DIR/locked"
	exec sleep 300
) &
holder=$!
wait_for 20 test -e "$DIR/locked" || fail "the container's lock" "not taken"
begin ADD "$(conf "$(primary)" '' "$LONG")"
waits() { readlink "/proc/$(cat "$DIR/pid")/fd/"* | grep -qF "locks/$CID"; }
wait_for 20 waits || fail "the second call" "does not wait for the lock"
stop TERM
kill "$holder"
wait "$holder" 2>/dev/null
rm "$DIR/state/locks/$CID"
refused "SIGTERM while another call has the container" 11 "stopped by SIGTERM: lock container $CID"
drop_pod

# --- DEL --------------------------------------------------------------------------------------------

new_pod
POD_NAME=deleted POD_UID=$(cat /proc/sys/kernel/random/uuid)
record deleted "$POD_UID" "$NET"
hangs DEL
cni ADD "$(card "$(slow)")"
succeeded "ADD"
begin DEL "$(card "$(slow)")"
wait_for 20 hanging || fail "the primary's DEL" "did not begin"
stop TERM
says "SIGTERM in the middle of DEL" 11 'stopped by SIGTERM: plugin "slow" was stopped'
check "its plugins have ended" both_gone
check "the state file is kept" test -e "$(state_file)"
same "the card has gone all the same" "" "$(ip -n "$POD" -o link show type macvlan)"
hangs nothing
cni DEL "$(card "$(slow)")"
succeeded "the next DEL"
same "leaves nothing" "" "$(leftovers)"
drop_pod

# --- who was told to ignore a signal ----------------------------------------------------------------

new_pod
hangs ADD
SIGNALS=--ignore-signal=HUP begin ADD "$(conf "$(slow)" '' "$LONG")"
wait_for 20 hanging || fail "the primary's second plugin" "did not begin"
kill -HUP "$(cat "$DIR/pid")"
kill "$(cut -d' ' -f2 "$DIR/hanging")"
end_of_call
succeeded "SIGHUP that was ignored at the start disturbs nobody"
hangs nothing
cni DEL "$(conf)"
same "nothing left at the end" "" "$(leftovers)"
drop_pod
