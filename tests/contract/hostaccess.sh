#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# hostAccess: what an ADD makes on the node, that the node and its pods reach each other by it, and that nothing of
# it is left: after DEL, after two at once, after a roll-back, after a SIGKILL before any system call of ADD or DEL.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start

# The node's InternalIP is on another NIC than the LAN, as the source of its default route.
ip -n "$NODE" addr del 10.99.0.1/32 dev lo
ip -n "$NODE" link add mg0 type veth peer name mg1 netns "$LAN"
ip -n "$NODE" link set mg0 up
ip -n "$LAN" link set mg1 up
ip -n "$NODE" addr add 10.99.0.1/24 dev mg0
ip -n "$NODE" -6 addr add fd99::1/64 dev mg0 nodad
ip -n "$NODE" route add default via 10.99.0.254
ip -n "$NODE" -6 route add default via fd99::fe
ip -n "$LAN" addr add 10.99.0.254/24 dev mg1
ip -n "$LAN" addr add 192.168.22.1/24 dev lan0
BEFORE=$(ip netns exec "$NODE" sysctl -a 2>/dev/null | grep -E '^net\.ipv[46]\.(conf|ip_forward|route)' | sort)

NET22='{"cidr":"192.168.22.3/24","mac":"0a:00:00:00:02:03","gateway":"192.168.22.1","routes":[{"dst":"0.0.0.0/0","gw":"192.168.22.1","iface":"eth0"}]}'
NET100='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1","hostAccess":true}'

asks() { # asks [INTERFACE [DELEGATE]]
	conf "${2:-$(primary)}" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100","tandem-cni.io/interface":"'"${1:-eth0}"'"}}'
}
new_annotated() { # new_annotated NAME SPEC: a pod with its record
	new_pod
	POD_NAME=$1 POD_UID=$(cat /proc/sys/kernel/random/uuid)
	record "$1" "$POD_UID" "$2"
}
routes6() { ip -n "$1" -6 route show | sed -E 's/ (proto [a-z]+|pref medium)//g; s/ +$//' | sort; }
neighbours() { ip -n "$1" neigh show nud permanent | sed 's/ *$//' | sort; }
device_mac() { ip -n "$NODE" -j link show ens4.host | jq -r '.[0].address'; }
# What of all pods is on the node.
of_the_node() {
	ip -n "$NODE" -o link show type macvlan | awk '{ print $2 }'
	ip -n "$NODE" route show scope link | grep -E '^192\.168\.' | sed 's/ *$//; s/ proto [a-z]*//; s/ scope link//'
	ip -n "$NODE" -6 route show | grep -E '^fd22:' | sed 's/ *$//'
	neighbours "$NODE"
	find "$DIR/state/locks" -name 'parent@*'
}

# --- a single card ------------------------------------------------------------------------------------------

new_annotated single "$(jq -c '. + {cidr6: "fd22::3/64", gateway6: "fd22::1"}' <<<"$NET22")"
cni ADD "$(asks)"
succeeded "(c) ADD"
same "(c) main table: the node, and services and pods by way of it" "10.42.0.0/16 via 10.99.0.1 dev eth0
10.43.0.0/16 via 10.99.0.1 dev eth0
10.99.0.1 dev eth0 scope link
192.168.22.0/24 dev eth0 scope link src 192.168.22.3
default via 192.168.22.1 dev eth0" "$(routes "$POD")"
same "(c) main table, IPv6" "fd22::/64 dev eth0 metric 256
fd99::1 dev eth0 metric 1024
fe80::/64 dev eth0 metric 256" "$(routes6 "$POD")"
same "(c) the pod's neighbours" "10.99.0.1 dev eth0 lladdr $(device_mac) PERMANENT
fd99::1 dev eth0 lladdr $(device_mac) PERMANENT" "$(neighbours "$POD")"
same "(c) on the node" "ens4.host@ens4:
192.168.22.3 dev ens4.host src 10.99.0.1
fd22::3 dev ens4.host src fd99::1 metric 1024 pref medium
192.168.22.3 dev ens4.host lladdr 0a:00:00:00:02:03 PERMANENT
fd22::3 dev ens4.host lladdr 0a:00:00:00:02:03 PERMANENT" "$(of_the_node)"
same "(c) the device's addresses" "10.99.0.1/32 fd99::1/128" \
	"$(ip -n "$NODE" -j addr show ens4.host | jq -r '[.[0].addr_info[] | "\(.local)/\(.prefixlen)"] | join(" ")')"
check "(c) the device has no ARP and is ours" sh -c \
	"ip -n $NODE -d link show ens4.host | grep -q NOARP && ip -n $NODE link show ens4.host | grep -q 'alias tandem'"
same "(c) what DEL needs stands in the state file" "ens4 ens4.host 192.168.22.3 fd22::3" \
	"$(tail -n +2 "$DIR/state/attachments/$CID@eth0" | jq -r '.hostAccess | "\(.parent) \(.device) \(.addresses | join(" "))"')"
check "(c) node to pod" ip netns exec "$NODE" ping -c 1 -W 5 192.168.22.3
check "(c) pod to node" ip netns exec "$POD" ping -c 1 -W 5 10.99.0.1
check "(c) node to pod, IPv6" ip netns exec "$NODE" ping -c 1 -W 5 fd22::3
check "(c) pod to node, IPv6" ip netns exec "$POD" ping -c 1 -W 5 fd99::1
check "(c) pod to LAN" ip netns exec "$POD" ping -c 1 -W 5 192.168.22.1
drop_pod
cni DEL "$(asks)" CNI_NETNS=
succeeded "(c) DEL without a namespace"
same "(c) DEL leaves nothing" "" "$(leftovers)"
same "(c) nor on the node" "" "$(of_the_node)"
same "the node's settings are as they were" "$BEFORE" \
	"$(ip netns exec "$NODE" sysctl -a 2>/dev/null | grep -E '^net\.ipv[46]\.(conf|ip_forward|route)' | sort)"

new_annotated off "$(jq -c '. + {hostAccess: false}' <<<"$NET22")"
cni ADD "$(asks)"
same "(c) switched off: the bare picture" "192.168.22.0/24 dev eth0 scope link src 192.168.22.3
default via 192.168.22.1 dev eth0" "$(routes "$POD")"
same "(c) switched off: nothing on the node" "" "$(of_the_node)"
cni DEL "$(asks)"
drop_pod

# --- two cards ----------------------------------------------------------------------------------------------

new_annotated two "$NET100"
cni ADD "$(asks eth1)"
succeeded "(a) ADD"
own=$(ip -n "$POD" -j -4 addr show eth0 | jq -r '.[0].addr_info[0].local')
same "(a) main table" "10.42.0.0/16 via 10.42.0.1 dev eth0
10.42.0.0/24 dev eth0 scope link src $own
10.99.0.1 dev eth1 scope link
192.168.100.0/24 dev eth1 scope link src 192.168.100.50
default via 10.42.0.1 dev eth0" "$(routes "$POD")"
same "(a) T1 knows the node, too" "10.99.0.1 dev eth1 scope link
192.168.100.0/24 dev eth1 scope link src 192.168.100.50
default via 192.168.100.1 dev eth1" "$(ip -n "$POD" route show table 2001 | sed 's/ *$//' | sort)"
check "(a) node to eth1" ip netns exec "$NODE" ping -c 1 -W 5 192.168.100.50
check "(a) node to eth0" ip netns exec "$NODE" ping -c 1 -W 5 "$own"
check "(a) pod to node" ip netns exec "$POD" ping -c 1 -W 5 10.99.0.1

# A second pod on the same parent, one goes, then both ends at once.
first_cid=$CID first_pod=$POD first_netns=$NETNS
new_annotated other "$(jq -c '.cidr="192.168.100.51/24"|.mac="0a:00:00:00:00:33"' <<<"$NET100")"
cni ADD "$(asks eth1)"
succeeded "a second pod on the parent"
cni DEL "$(asks eth1)"
same "the device stays for the first one" "ens4.host@ens4:
192.168.100.50 dev ens4.host src 10.99.0.1
192.168.100.50 dev ens4.host lladdr 0a:00:00:00:00:32 PERMANENT" "$(of_the_node)"
check "which the node still reaches" ip netns exec "$NODE" ping -c 1 -W 5 192.168.100.50
cni ADD "$(asks eth1)"
jobs=()
for i in 1 2 3 4; do
	(
		if [ "$i" -gt 2 ]; then
			cni DEL "$(asks eth1)"
		else
			cni DEL "$(asks eth1)" "CNI_CONTAINERID=$first_cid" "CNI_NETNS=$first_netns"
		fi
		echo "$RC" >"$DIR/rc.$i"
	) &
	jobs+=($!)
done
wait "${jobs[@]}"
same "two DELs of each of two pods, at once" "0 0 0 0" "$(cat "$DIR"/rc.[1-4] | tr '\n' ' ' | sed 's/ $//')"
same "nothing left on the node" "" "$(of_the_node)"
same "nothing left" "" "$(leftovers)"
drop_pod
POD=$first_pod NETNS=$first_netns
drop_pod

# --- roll-back ----------------------------------------------------------------------------------------------

new_annotated refused "$(jq -c '.mode="vepa"' <<<"$NET100")"
cni ADD "$(asks eth1)"
refused "another mode than bridge" 7 "hostAccess needs a macvlan of the mode bridge"
record refused "$POD_UID" "$(jq -c '.mode="bridge"|.routes=[{dst:"172.16.18.0/24",gw:"127.0.0.1",iface:"eth1"}]' <<<"$NET100")"
cni ADD "$(asks eth1)"
refused "a route that the kernel refuses, after the node's side was made" 100 ""
same "rolled back on the node" "" "$(of_the_node)"
ip -n "$NODE" link add ens4.host type bridge
record refused "$POD_UID" "$NET100"
cni ADD "$(asks eth1)"
refused "a stranger's link of that name" 11 "ens4.host"
check "which stays" ip -n "$NODE" link show ens4.host type bridge
ip -n "$NODE" link del ens4.host
drop_pod

# The primary cannot be asked to clean up: DEL keeps the file, but not what would hit a later pod of the address.
plugin leaves <<'EOF_PLUGIN'
#!/bin/sh
[ "$CNI_COMMAND" = DEL ] && { echo '{"code":99,"msg":"not now"}'; exit 1; }
in="nsenter --net=$CNI_NETNS ip"
$in link add eth0 type veth peer name p0 && $in addr add 10.42.0.9/24 dev eth0 && $in link set eth0 up
echo '{"cniVersion":"0.4.0","interfaces":[],"ips":[{"version":"4","address":"10.42.0.9/24"}]}'
EOF_PLUGIN
leaves='{"cniVersion":"0.4.0","name":"cbr0","type":"leaves"}'
new_annotated later "$NET100"
cni ADD "$(asks eth1 "$leaves")"
succeeded "ADD with a primary that will not go"
cni DEL "$(asks eth1 "$leaves")"
same "its DEL fails" 99 "$(jq .code <<<"$OUT")"
same "the node's side is gone, and forgotten" " null" \
	"$(of_the_node) $(tail -n +2 "$DIR/state/attachments/$CID@eth0" | jq -c .hostAccess)"
printf '#!/bin/sh\nexit 0\n' >"$DIR/bin/leaves"
cni DEL "$(asks eth1 "$leaves")"
succeeded "DEL when it will"
drop_pod

# --- lost state files -----------------------------------------------------------------------------------------

# of_the_pod ADDRESS: what of it is on the node
of_the_pod() { of_the_node | grep -c "^$1 "; }
gc() { cni GC "$(VERSION=1.1.0 conf | jq -c 'del(.runtimeConfig) + {"cni.dev/valid-attachments": []}')" CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME= CNI_ARGS=; }
lost() { # lost NAME ADDRESS MAC: a pod with access, whose state file will be lost
	new_annotated "$1" "$(jq -c --arg a "$2" --arg m "$3" '.cidr="\($a)/24"|.mac=$m' <<<"$NET100")"
	cni ADD "$(asks eth1)"
	[ "$RC" -eq 0 ] || fail "$1" "ADD: $OUT"
}
of_both="ens4.host@ens4:
192.168.100.60 dev ens4.host src 10.99.0.1
192.168.100.61 dev ens4.host src 10.99.0.1
192.168.100.60 dev ens4.host lladdr 0a:00:00:00:00:3c PERMANENT
192.168.100.61 dev ens4.host lladdr 0a:00:00:00:00:3d PERMANENT"
lost stays 192.168.100.60 0a:00:00:00:00:3c
stays_cid=$CID stays_pod=$POD stays_netns=$NETNS
lost gone 192.168.100.61 0a:00:00:00:00:3d
rm "$(state_file)"
cni DEL "$(asks eth1)" CNI_CONTAINERID=some-other CNI_NETNS=
succeeded "a DEL of something else"
same "leaves the access of a card that lives, though its file was lost" "$of_both" "$(of_the_node)"
check "by which the node reaches it" ip netns exec "$NODE" ping -c 1 -W 5 192.168.100.61
cni DEL "$(asks eth1)"
succeeded "DEL of a pod whose file was lost"
same "takes its access along, and no other's" "$(grep -v 192.168.100.61 <<<"$of_both")" "$(of_the_node)"
drop_pod
CID=$stays_cid POD=$stays_pod NETNS=$stays_netns
sed -i 's/}/]/' "$(state_file)"
drop_pod
cni DEL "$(asks eth1)" CNI_NETNS=
succeeded "DEL of a pod whose file is damaged"
rm "$DIR"/state/attachments/*.corrupt
same "and whose namespace is gone: the device goes with it" "" "$(of_the_node)"

# Files and folder lost as a whole, and no DEL for any of them.
lost all 192.168.100.62 0a:00:00:00:00:3e
rm -r "$DIR/state"
mkdir "$DIR/state"
gc
succeeded "GC beside a card whose file was lost"
same "leaves its access" 2 "$(of_the_pod 192.168.100.62)"
drop_pod
exec 9>"$DIR/state/locks/parent@ens4"
flock 9
gc
succeeded "GC while somebody is at work on the parent"
same "leaves it to that one" 2 "$(of_the_pod 192.168.100.62)"
exec 9>&-
gc
succeeded "GC after the card"
same "takes access and device away" "" "$(of_the_node)"
rm -r "$DIR/host-local"

# --- killed -------------------------------------------------------------------------------------------------

cat >"$DIR/killed" <<EOF_KILLED
#!/bin/sh
exec env "$NO_LEAK_CHECK" strace -o /dev/null -e trace=\$SYSCALL -e inject=\$SYSCALL:signal=KILL:when=\$WHEN "$TANDEM_BIN"
EOF_KILLED
chmod +x "$DIR/killed"

# killed VERB SYSCALL WHEN: the verb, killed before that call; fails when it came to its end
killed() {
	sed -i "2s/.*/SYSCALL=$2 WHEN=$3/" "$DIR/killed"
	TANDEM_BIN=$DIR/killed cni "$1" "$(asks)" 2>/dev/null
	[ "$RC" -gt 128 ]
}
sed -i '2i #' "$DIR/killed"
gone_after() { # gone_after WHAT: after one DEL nothing is left
	cni DEL "$(asks)"
	[ "$RC" -eq 0 ] || fail "$1" "DEL: exit $RC: $OUT"
	[ -z "$(leftovers)$(of_the_node)" ] || fail "$1" "left: $(leftovers) $(of_the_node)"
}
new_annotated killed "$NET22"
kills=0
for call in sendto renameat unlinkat flock; do
	for ((n = 1; n < 200; n++)); do
		killed ADD "$call" "$n" || break
		gone_after "ADD killed before $call $n"
		kills=$((kills + 1))
	done
	gone_after "ADD, $call"
done
check "ADD was killed at $kills points, and the next DEL left nothing" test "$kills" -ge 30
kills=0
for call in sendto renameat unlinkat flock clone; do
	for ((n = 1; n < 200; n++)); do
		cni ADD "$(asks)"
		killed DEL "$call" "$n" || break
		gone_after "DEL killed before $call $n"
		kills=$((kills + 1))
	done
done
gone_after "the end"
check "DEL was killed at $kills points, and the next DEL left nothing" test "$kills" -ge 10
drop_pod
