#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A plugin of the primary's that ignores everything carries an ADD past its deadline by a second at most.

. "$(dirname "$0")/lib.sh"
contract_node
new_pod

# It ignores every signal that can be, and holds on to its descriptors, as does a child that it has let go.
plugin deaf <<EOF_PLUGIN
#!/bin/bash
trap '' TERM INT HUP PIPE QUIT USR1 USR2
case " \$(cat "$DIR/deaf") " in
*" \$CNI_COMMAND "*)
	setsid sleep 60 &
	echo \$! >>"$DIR/pids"
	while :; do read -t 60 -r _ <>"$DIR/fifo"; done
	;;
esac
[ "\$CNI_COMMAND" = ADD ] && jq -c .prevResult
exit 0
EOF_PLUGIN
mkfifo "$DIR/fifo"
deaf() { primary | sed 's/"type":"portmap"/"type":"deaf"/; s/0\.3\.1/0.4.0/'; }
end_children() {
	local pid
	[ -s "$DIR/pids" ] || return 0
	while read -r pid; do kill -9 "$pid" 2>/dev/null; done <"$DIR/pids"
}
at_exit end_children

# An ADD of six seconds; sets TOOK
add() {
	local start end
	tests_now_ms start
	cni ADD "$(conf "$(deaf)" '' '"deadlineSeconds":6,')"
	tests_now_ms end
	TOOK=$((end - start))
}

echo ADD >"$DIR/deaf"
add
refused "deaf to ADD" 11 'plugin "deaf" did not finish in time and was killed'
check "within its deadline ($TOOK ms)" test "$TOOK" -lt 6000
echo "ADD DEL" >"$DIR/deaf"
add
says "deaf to ADD and DEL" 11 'plugin "deaf" did not finish in time and was killed'
check "at most a second more ($TOOK ms)" test "$TOOK" -lt 7000
check "the state file stays for a DEL" test -e "$(state_file)"
echo nothing >"$DIR/deaf"
cni DEL "$(conf "$(deaf)")"
silent "which ends the rest"
same "nothing left" "" "$(leftovers)"
