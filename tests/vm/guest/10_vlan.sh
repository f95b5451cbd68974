#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# VLAN parents: made by the first card, shared, removed with the last, never taken from others.

. "$(dirname "$0")/lib.sh"
vm_lab

add one 50 "$VLAN100,\"mtu\":1400"
succeeded "first ADD on VLAN 100"
same "its link is made, marked, up, and has the master's MTU" "vlan 100 tandem ens4.100 1500 up" "$(link_of n1 ens4.100)"
same "the card has the subnet's MTU" 1400 "$(ip -n "$POD" -j link show eth0 | jq '.[0].mtu')"
same "the card's routes" "192.168.100.0/24 dev eth0 scope link src 192.168.100.50" "$(routes "$POD")"
same "the node has no address on it" "" "$(ip -n n1 -o addr show dev ens4.100)"
check "the LAN is reached through it" pings "$POD" 192.168.100.1
index=$(ip -n n1 -o link show ens4.100 | cut -d: -f1)
add two 51 "$VLAN100"
succeeded "second ADD on VLAN 100"
same "they share the link" "$index ens4.100" "$(ip -n n1 -o link show ens4.100 | cut -d: -f1) $(vlans)"
check "the two reach each other" pings "$POD" 192.168.100.50
del one
succeeded "DEL of the first"
same "the link stays for the second" "$index" "$(ip -n n1 -o link show ens4.100 | cut -d: -f1)"
check "which still reaches the LAN" pings "$(pod_of two)" 192.168.100.1
del two
succeeded "DEL of the second"
nothing_left "the link goes with its last user"
del two
succeeded "DEL again"

# --- names ------------------------------------------------------------------------------------------

ip -n n1 link set ens4 down
ip -n n1 link set ens4 name enp0s31f6abcdef
ip -n n1 link set enp0s31f6abcdef up
MASTER=enp0s31f6abcdef add long 52 "$VLAN100"
succeeded "ADD on a master with a long name"
name=$(vlans)
case $name in
tv????????) pass "the VLAN's name is a hash" ;;
*) fail "the VLAN's name is a hash" "$name" ;;
esac
same "its alias tells the whole name" "vlan 100 tandem enp0s31f6abcdef.100 1500 up" "$(link_of n1 "$name")"
MASTER=enp0s31f6abcdef add long2 53 "$VLAN100"
same "it is found again" "$name" "$(vlans)"
del long
del long2
nothing_left "and removed"
ip -n n1 link set enp0s31f6abcdef down
ip -n n1 link set enp0s31f6abcdef name ens4
ip -n n1 link set ens4 up
ip -n n1 link property add dev ens4 altname the-lan-of-building-seven
MASTER=the-lan-of-building-seven add alt 54 "$VLAN100"
same "a master's altname leads to the same VLAN" ens4.100 "$(vlans)"
del alt
nothing_left "which goes as well"

# --- others' links ----------------------------------------------------------------------------------

ip -n n1 link add link ens4 name ens4.100 type vlan id 101
MORE_CONF='"deadlineSeconds":5,' add taken 55 "$VLAN100"
same "a link of that name with another id: refused, named" "1 11 yes" \
	"$RC $(jq -r '"\(.code) \(if .msg | contains("VLAN 100: make VLAN ens4.100: another link already has the name ens4.100 (VLAN 101)") then "yes" else .msg end)"' <<<"$OUT")"
same "and untouched" "vlan 101 null 1500 down" "$(link_of n1 ens4.100)"
ip -n n1 link del ens4.100
ip -n n1 link add ens4.100 type dummy
MORE_CONF='"deadlineSeconds":5,' add taken 55 "$VLAN100"
same "a link of that name of another type: refused, named" "1 11 yes" \
	"$RC $(jq -r '"\(.code) \(if .msg | contains("another link already has the name ens4.100 (dummy)") then "yes" else .msg end)"' <<<"$OUT")"
ip -n n1 link del ens4.100
nothing_left "a refused ADD leaves nothing"
for name in ens4.100 office; do
	ip -n n1 link add link ens4 name "$name" type vlan id 100
	ip -n n1 link set "$name" up
	add theirs 56 "$VLAN100"
	succeeded "a VLAN of the administrator's ($name) is used"
	check "$name carries the card" pings "$POD" 192.168.100.1
	del theirs
	same "$name is not removed" "vlan 100 null 1500 up" "$(link_of n1 "$name")"
	ip -n n1 link del "$name"
done

# --- many at once -----------------------------------------------------------------------------------

many_one() { # many_one I VERB CONF
	local CID POD NETNS POD_NAME=many-$1 POD_UID=uid-$1 DIR=$TOP/n1/many-$1
	read -r CID POD <<<"${m_pods[$1]}"
	NETNS=/run/netns/$POD
	mkdir -p "$DIR"
	cni "$2" "$3"
	[ "$RC" -eq 0 ] || echo "$1: $OUT"
}
many() { # many VERB CONF: for all 20 of m_pods
	local i
	for i in $(seq 20); do
		many_one "$i" "$@" &
		jobs[i]=$!
	done
	for i in $(seq 20); do wait "${jobs[i]}"; done
}
m_pods=() jobs=()
for i in $(seq 20); do
	new_pod
	m_pods[i]="$CID $POD"
	POD_UID=uid-$i record "many-$i" "$((100 + i))" "$VLAN100"
done
conf=$(asks)
same "20 first ADDs at once" "" "$(many ADD "$conf")"
same "give one VLAN" "ens4.100" "$(vlans)"
same "and 20 cards on it" 20 "$(ip netns exec n1 bridge fdb show dev ens4.100 | grep -c '^0a:00')"
same "20 DELs at once" "" "$(many DEL "$conf")"
NETNS=/none nothing_left "leave nothing"

# --- broken off ---------------------------------------------------------------------------------------

add killed 57 "$VLAN100"
ip -n "$POD" link del eth0
rm -r "$DIR/state/parents"
del killed
succeeded "a DEL that was killed before the VLAN went is completed by the next"
nothing_left "and leaves nothing"
ip -n n1 link add link ens4 name tdm0123abcd type vlan id 100
add mended 58 "$VLAN100"
succeeded "ADD after one that was killed while it made the VLAN"
same "finishes that VLAN" "vlan 100 tandem ens4.100 1500 up" "$(link_of n1 ens4.100)"
del mended
nothing_left "and it goes with its user"
MORE_CONF='"deadlineSeconds":5,' add big 59 "$VLAN100,\"mtu\":9000"
same "an ADD that fails after the VLAN was made" "1 11" "$RC $(jq -r .code <<<"$OUT")"
nothing_left "takes it back"
bad=
for i in 1 2 3 4 5 6 7 8; do
	new_pod
	POD_UID=shot
	record shot 60 "$VLAN100"
	POD_NAME=shot cni ADD "$(asks)" &
	job=$!
	sleep "0.$((i * 3 + 10))"
	for pid in $(pidof tandem); do kill -9 "$pid"; done
	wait "$job"
	cni DEL "$(asks)"
	[ "$RC" -eq 0 ] && [ -z "$(find "$DIR/state" -type f ! -name delegate.json)$(vlans)$(ip -n n1 -o link show | grep tdm)" ] ||
		bad+="$i: $OUT $(find "$DIR/state" -type f) $(vlans); "
	ip netns del "$POD"
done
same "ADD killed at eight moments: the DEL leaves nothing" "" "$bad"

# --- lost state -----------------------------------------------------------------------------------------

add lost 61 "$VLAN100"
echo junk >"$DIR/state/attachments/$CID@eth0"
del lost
succeeded "DEL with a damaged state file"
rm -f "$DIR"/state/attachments/*.corrupt
nothing_left "the VLAN goes all the same"
add nofile 62 "$VLAN100"
rm -r "$DIR/state"
mkdir "$DIR/state"
add witness 63 "$VLAN100"
del witness
succeeded "DEL beside a card whose state was lost"
same "the VLAN stays: that card's MAC is on it" ens4.100 "$(vlans)"
check "and the card works" pings "$(pod_of nofile)" 192.168.100.1
ip netns del "$(pod_of nofile)"
add last 64 "$VLAN100"
del last
nothing_left "once it is gone the next DEL removes the VLAN"

# gc [ID@IFNAME]: without any further card there GC, as tandem-node does it each minute, and what it is to keep
gc() {
	local valid='[]'
	[ -z "${1-}" ] || valid="[{\"containerID\":\"${1%@*}\",\"ifname\":\"${1#*@}\"}]"
	cni GC "$(VERSION=1.1.0 conf | jq -c --argjson valid "$valid" 'del(.runtimeConfig) + {"cni.dev/valid-attachments": $valid}')" CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME= CNI_ARGS=
}
add orphan 69 "$VLAN100"
rm -r "$DIR/state"
mkdir "$DIR/state"
gc
succeeded "GC beside a card whose state was lost"
same "leaves its VLAN" ens4.100 "$(vlans)"
check "and the card works" pings "$POD" 192.168.100.1
ip -n "$POD" link del eth0
mkdir -p "$DIR/state/parents/ens4.100"
exec 9<"$DIR/state/parents/ens4.100"
flock 9
# Not to the plugin, whose children may outlive it for a moment and would hold the lock on.
gc 9<&-
same "the VLAN of a card that is just being made stays" ens4.100 "$(vlans)"
exec 9<&-
ip -n n1 link add link ens4 name tdm0123abcd type vlan id 200
ip -n n1 link add link ens4 name ens4.300 type vlan id 300
gc
succeeded "GC after the card"
same "removes ours, one that was never finished too, and no other" ens4.300 "$(vlans)"
ip -n n1 link del ens4.300
nothing_left "nothing left of them"
add sits 71 "$VLAN100"
ip -n "$POD" link del eth0
gc "$CID@eth0"
same "one on which somebody has a seat stays" ens4.100 "$(vlans)"
rm "$(state_file)"
gc
same "unless no file stands behind the seat, which nobody's DEL would end" "" "$(vlans)"
ip netns del "$POD"
nothing_left "it goes too"

# --- after a reboot -------------------------------------------------------------------------------------

add before 65 "$VLAN100"
ip netns del "$POD"
ip -n n1 link del ens4.100
echo 11111111-2222-3333-4444-555555555555 >"$TOP/boot_id"
mount --bind "$TOP/boot_id" /proc/sys/kernel/random/boot_id
at_exit umount /proc/sys/kernel/random/boot_id
add after 66 "$VLAN100"
succeeded "ADD after a reboot"
same "makes the VLAN again" "vlan 100 tandem ens4.100 1500 up" "$(link_of n1 ens4.100)"
del before
succeeded "DEL of a pod of before"
same "leaves the VLAN to its new users" ens4.100 "$(vlans)"
del after
nothing_left "which remove it"
add before 67 "$VLAN100"
ip netns del "$POD"
echo 11111111-2222-3333-4444-666666666666 >"$TOP/boot_id"
add after 68 "$VLAN100"
del after
same "a pod of before whose DEL never came does not hold the VLAN" "" "$(vlans)"
