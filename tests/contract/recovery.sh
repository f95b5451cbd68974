#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a node goes through: a reboot, a disk that fills up in the middle, state files of other versions, a
# runtime that hangs up before the result, many calls at once.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start

addresses() { find "$DIR/host-local" -name '10.42.*' | wc -l; }

# --- reboot: the namespace's path may be somebody else's by now -------------------------------------------

new_pod
cni ADD "$(conf)"
ip -n "$POD" link add eth1 type veth peer name other
ip -n "$POD" rule add pref 1000 from 10.9.9.9 lookup 2000
state_edit '.bootID="an earlier one" | .card="eth1"'
cni DEL "$(conf)"
succeeded "DEL of a pod of before the reboot"
same "frees its address" 0 "$(addresses)"
same "and does not touch the namespace" "eth0 eth1 other
1000: from 10.9.9.9 lookup 2000" "$(ip -n "$POD" -j link show type veth | jq -r '[.[].ifname] | sort | join(" ")'
	ip -n "$POD" rule show | sed 's/\t/ /' | grep ^1000)"
same "no file is left" "" "$(find "$DIR/state" -type f)"
drop_pod

new_pod
cni ADD "$(conf)"
state_edit '.bootID="an earlier one"'
ip -n "$POD" link del eth0
cni ADD "$(conf)"
succeeded "ADD of the same container after a reboot"
same "with one address" 1 "$(addresses)"
cni DEL "$(conf)"
same "nothing left of it" "" "$(leftovers)"
drop_pod

# --- the disk fills up between the first write and the last ----------------------------------------------------

mkdir "$DIR/tmpfs"
mount -t tmpfs -o size=64k tmpfs "$DIR/tmpfs"
at_exit umount "$DIR/tmpfs"
plugin fills <<EOF_PLUGIN
#!/bin/sh
[ "\$CNI_COMMAND" = ADD ] || exit 0
jq -c .prevResult
cat /dev/zero >"$DIR/tmpfs/fill" 2>/dev/null || :
EOF_PLUGIN
filling() { conf "$(primary | sed 's/"type":"portmap"/"type":"fills"/; s/0\.3\.1/0.4.0/')" | sed "s,$DIR/state,$DIR/tmpfs/state,"; }
new_pod
cni ADD "$(filling)"
refused "the disk is full when the ADD wants to tell what it did" 5 "No space left"
same "nothing on the full disk, neither" "" "$(find "$DIR/tmpfs/state" -type f)"
rm "$DIR/tmpfs/fill"
drop_pod

# --- the runtime hangs up ---------------------------------------------------------------------------------

hang_up() { # hang_up TO: an ADD whose result goes there
	conf | env -i PATH="$PATH" CNI_COMMAND=ADD CNI_CONTAINERID="$CID" CNI_NETNS="$NETNS" CNI_IFNAME=eth0 \
		CNI_PATH="$CNI_PLUGINS" nsenter --net=/run/netns/"$NODE" "$TANDEM_BIN" >"$1" 2>/dev/null
}
new_pod
check_fails "a result that cannot be written fails the ADD" hang_up /dev/full
same "and is rolled back" "" "$(leftovers)"
mkfifo "$DIR/pipe"
: <"$DIR/pipe" &
reader=$!
check_fails "a result that nobody reads fails the ADD" hang_up "$DIR/pipe"
wait "$reader"
same "and is rolled back, too" "" "$(leftovers)"
drop_pod

# --- state files of other versions ---------------------------------------------------------------------------

new_pod
cni ADD "$(conf)"
state_edit '. + {later: {"a": [1, 2]}, alsoLater: null}'
cni DEL "$(conf "$(primary | sed 's/"type":"bridge"/"type":"gone"/')")"
succeeded "DEL by a file with keys of a later version"
same "nothing left of it" "" "$(leftovers)"
cni ADD "$(conf)"
sed -i '1s/tandem-state 1/tandem-state 2/' "$(state_file)"
cni DEL "$(conf)"
succeeded "DEL with a file of another format"
same "which is set aside" "$CID@eth0.corrupt" "$(ls "$DIR/state/attachments")"
rm "$DIR/state/attachments/"*.corrupt
same "nothing else is left of it" "" "$(leftovers)"
cni ADD "$(conf)"
truncate -s -1 "$(state_file)"
cni DEL "$(conf)"
succeeded "DEL with a file that lacks its last byte"
rm "$DIR/state/attachments/"*.corrupt
same "nothing left of that, neither" "" "$(leftovers)"
cni ADD "$(conf)"
printf 'tandem-state 1 9 0000000000000000\n{"half":' >"$(state_file)"
cni ADD "$(conf)"
same "ADD over a damaged file: what the file told of is in the way" 999 "$(jq .code <<<"$OUT")"
rm "$DIR/state/attachments/"*.corrupt
same "and is rolled back by the primary's conf as it is now" "" "$(leftovers)"
cni ADD "$(conf)"
succeeded "so that the next ADD succeeds"
cni DEL "$(conf)"
same "nothing left of that, too" "" "$(leftovers)"
drop_pod

# --- two interfaces, and DEL against ADD, of one container ----------------------------------------------------

new_pod
cni ADD "$(conf)"
cni ADD "$(conf)" CNI_IFNAME=net7
succeeded "two interfaces of one container"
cni DEL "$(conf)"
same "the DEL of one leaves the other" "net7 1 1" "$(ip -n "$POD" -j link show type veth | jq -r '.[].ifname') $(addresses) $(find "$DIR/state/attachments" -type f | wc -l)"
cni DEL "$(conf)" CNI_IFNAME=net7
same "nothing left of the two" "" "$(leftovers)"
(cni ADD "$(conf)") &
adding=$!
(cni DEL "$(conf)") &
wait "$adding" "$!"
cni DEL "$(conf)"
succeeded "ADD and DEL at once, then DEL"
same "nothing left of that race" "" "$(leftovers)"
drop_pod

# --- a hundred at once ---------------------------------------------------------------------------------------

# Every second one has a card: many-2 gets 192.168.100.102.
many_uid() { printf '00000000-0000-4000-8000-%012d' "$1"; }
many_records() {
	local i
	for ((i = 2; i <= 100; i += 2)); do
		jq -nc --arg i "$i" --arg uid "$(many_uid "$i")" --arg mac "0a:00:00:00:01:$(printf %02x "$i")" '{
			apiVersion: "tandem-cni.io/v1", kind: "MacvlanIP", metadata: {namespace: "default", name: "many-\($i)"},
			spec: {subnet: "vlan100", podId: $uid, node: "n1", master: "ens4", vlan: 0, mac: $mac,
				cidr: "192.168.100.\(100 + ($i | tonumber))/24", gateway: "192.168.100.1"}}'
	done | kubectl_node apply -f - >/dev/null
}
one_pod() { # one_pod N VERB
	local asks='"tandem-cni.io/subnet":"vlan100"'
	[ $(($1 % 2)) = 0 ] || asks=
	conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{'"$asks"'}}' |
		env -i PATH="$PATH" CNI_COMMAND="$2" CNI_CONTAINERID="many-$1" CNI_NETNS="/run/netns/$NODE-many$1" \
			CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=many-$1;K8S_POD_UID=$(many_uid "$1")" \
			CNI_IFNAME=eth0 CNI_PATH="$CNI_PLUGINS" nsenter --net=/run/netns/"$NODE" "$TANDEM_BIN" >"$DIR/many.$1" 2>&1
	echo $? >"$DIR/many.$2.$1"
}
cards() { # of all of them, one a line
	local i
	for ((i = 1; i <= 100; i++)); do
		ip -n "$NODE-many$i" -j -4 addr show type macvlan | jq -r --arg i "$i" '.[] | select(.ifname) | "\($i) \(.ifname) \(.addr_info[0].local)"'
	done
}
all_pods() { # all_pods VERB
	local jobs=() i
	for ((i = 1; i <= 100; i++)); do
		one_pod "$i" "$1" &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	cat "$DIR/many.$1."* | sort | uniq -c | tr -s ' '
}
for ((i = 1; i <= 100; i++)); do ip netns add "$NODE-many$i"; done
check "records for fifty of a hundred pods" many_records
same "100 ADDs at once" " 100 0" "$(all_pods ADD)"
same "have 100 addresses" 100 "$(addresses)"
same "and 100 state files" 100 "$(find "$DIR/state/attachments" -type f | wc -l)"
same "every second one has its card" "$(for ((i = 2; i <= 100; i += 2)); do echo "$i eth1 192.168.100.$((100 + i))"; done)" "$(cards)"
same "100 DELs at once" " 100 0" "$(all_pods DEL)"
same "leave nothing" "" "$(NETNS=/none leftovers)"
same "and no card" "" "$(cards)"
