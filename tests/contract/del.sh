#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# DEL: twice, at once, without a namespace, without a state file, with a damaged one, for pods that the bare
# primary had set up, after a SIGKILL in the middle of ADD. The address of the primary is free each time.

. "$(dirname "$0")/lib.sh"
contract_node

bare() { # bare CONF VERB: the primary alone, as the runtime ran it before tandem came
	printf '%s' "$1" | env -i PATH="$PATH" CNI_COMMAND="$2" CNI_CONTAINERID="$CID" CNI_NETNS="$NETNS" \
		CNI_IFNAME=eth0 CNI_PATH="$CNI_PLUGINS" nsenter --net=/run/netns/"$NODE" "$CNI_PLUGINS/bridge"
}

new_pod
cni ADD "$(conf)"
succeeded "ADD"
same "result's interfaces of the pod" eth0 "$(jq -r '.interfaces[] | select(.sandbox != null and .sandbox != "") | .name' <<<"$OUT")"
same "state file" 1 "$(find "$DIR/state/attachments" -name "$CID@eth0" | wc -l)"
cni ADD "$(conf)"
same "a second ADD is refused" 7 "$(jq .code <<<"$OUT")"
same "and harms nothing" 1 "$(ip -n "$POD" -o link show eth0 | wc -l)"
cni DEL "$(conf)"
succeeded "DEL"
same "nothing left" "" "$(leftovers)"
cni DEL "$(conf)"
succeeded "DEL again"
cni DEL "$(conf)" CNI_NETNS=
succeeded "DEL a third time, without a namespace"
same "still nothing left" "" "$(leftovers)"
drop_pod

new_pod
cni ADD "$(conf)"
for i in 1 2 3 4 5; do
	(cni DEL "$(conf)" && echo "$RC" >"$DIR/rc.$i") &
done
wait
same "five DELs at once" "0 0 0 0 0" "$(cat "$DIR"/rc.* | tr '\n' ' ' | sed 's/ $//')"
same "nothing left after five at once" "" "$(leftovers)"
drop_pod

new_pod
cni ADD "$(conf)"
drop_pod
cni DEL "$(conf)" CNI_NETNS=
succeeded "DEL without CNI_NETNS after the namespace went"
same "its address is free" "" "$(leftovers)"

new_pod
cni ADD "$(conf)"
drop_pod
cni DEL "$(conf)"
succeeded "DEL with the path of a namespace that went"
same "its address is free, too" "" "$(leftovers)"

new_pod
cni ADD "$(conf)"
cni DEL "$(conf)" CNI_NETNS=/proc/1/ns/net
succeeded "DEL with a path that is now another's"
check "process 1's loopback is still up" ip link show lo up
drop_pod
same "the address is free all the same" "" "$(leftovers)"

# The conf of the primary has changed since: DEL goes by the state file.
new_pod
cni ADD "$(conf)"
cni DEL "$(conf "$(primary | sed 's/"type":"bridge"/"type":"gone"/')")"
succeeded "DEL by the conf of the ADD, not today's"
same "nothing left after a change of conf" "" "$(leftovers)"
drop_pod

new_pod
cni ADD "$(conf)"
printf 'tandem-state 1 9 0000000000000000\n{"half":' >"$DIR/state/attachments/$CID@eth0"
cni DEL "$(conf)"
succeeded "DEL with a damaged state file"
same "it is set aside" "$CID@eth0.corrupt" "$(ls "$DIR/state/attachments")"
rm "$DIR/state/attachments/$CID@eth0.corrupt"
same "the primary's address is free by its conf as it is now" "" "$(leftovers)"
drop_pod

new_pod
cni ADD "$(conf)"
: >"$DIR/state/attachments/$CID@eth0"
cni DEL "$(conf)"
succeeded "DEL with an empty state file"
rm -f "$DIR/state/attachments/$CID@eth0.corrupt"
same "nothing left, neither" "" "$(leftovers)"
drop_pod

# A pod that the bare primary had set up before tandem came.
new_pod
bridge=$(primary | tr -d '\n' | jq -c '.plugins[0] + {name, cniVersion}')
bare "$bridge" ADD >"$DIR/result"
same "set up by the bare primary" 1 "$(find "$DIR/host-local" -name '10.42*' | wc -l)"
cni DEL "$(conf | tr -d '\n' | jq -c --slurpfile r "$DIR/result" '. + {prevResult: $r[0]}')"
succeeded "DEL of a pod older than tandem"
same "its address is free by tandem's DEL" "" "$(leftovers)"
drop_pod

# The primary's binary goes away (an upgrade): wait with code 11, then give up.
new_pod
ln -sf "$CNI_PLUGINS/bridge" "$DIR/bin/bridge-copy"
cni ADD "$(conf "$(primary | sed 's/"type":"bridge"/"type":"bridge-copy"/')")"
succeeded "ADD with a plugin that will go away"
rm "$DIR/bin/bridge-copy"
cni DEL "$(conf)"
same "DEL wants a retry while the binary is missing" 11 "$(jq .code <<<"$OUT")"
check_fails "its text never makes containerd believe that all is well" grep -qi "not found" <<<"$OUT"
file=$DIR/state/attachments/$CID@eth0
check "the first try's time is kept" grep -q missingSince "$file"
ln -sf "$CNI_PLUGINS/bridge" "$DIR/bin/bridge-copy"
cni DEL "$(conf)"
succeeded "DEL once the binary is back"
same "nothing left once it is back" "" "$(leftovers)"
drop_pod

# SIGKILL while the primary works: a plugin that signals when it has begun, then blocks.
new_pod
plugin slow <<EOF_PLUGIN
#!/bin/sh
if [ "\$CNI_COMMAND" = ADD ]; then echo \$PPID >"$DIR/began"; exec sleep 20; fi
EOF_PLUGIN
slow=$(primary | sed 's/"type":"portmap"/"type":"slow"/')
cni_killed() { cni ADD "$(conf "$slow")"; }
cni_killed &
waiter=$!
wait_for 10 test -s "$DIR/began" || fail "the primary's second plugin runs" "it did not start"
kill -9 "$(pgrep -P "$(pgrep -P "$waiter" -f 'timeout 60' | head -1)" | head -1)" 2>/dev/null
kill -9 "$(cat "$DIR/began")"
wait "$waiter" 2>/dev/null
check "the killed ADD has left a state file" test -s "$DIR/state/attachments/$CID@eth0"
same "and an address" 1 "$(find "$DIR/host-local" -name '10.42*' | wc -l)"
cni DEL "$(conf)"
succeeded "DEL after a SIGKILL in the middle of ADD"
same "nothing left after the SIGKILL" "" "$(leftovers)"
drop_pod
