#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# masterSelector: a rule by which each node finds its NIC, on a node with two LANs, a bridge and pods of its own.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start
SOCKET=$DIR/run/node.sock KEYS='' CARD=eth1
NET='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1"}'
asks() { conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100","tandem-cni.io/interface":"'$CARD'"}}' "$KEYS" | sed "s,$DIR/node.sock,$SOCKET,"; }
# pod NAME SELECTOR [KEYS]: ADD of a pod whose subnet has that masterSelector
pod() {
	new_pod
	POD_NAME=$1 POD_UID=$(cat /proc/sys/kernel/random/uuid)
	record "$1" "$POD_UID" "$(jq -c ".masterSelector=$2 | . + ${3:-{\}}" <<<"$NET")"
	cni ADD "$(asks)"
	RESULT=$OUT
}
seat() { basename "$(dirname "$(find "$DIR/state/parents" -name "$CID@eth0")")"; }
rest() { leftovers | grep -v "$FIRST" | grep -vF "$FIRST_LINK" | grep -v "host-local/cbr0/$FIRST_IP\$"; }
FIRST=none FIRST_LINK=none FIRST_IP=none
# works NAME NIC: the card is on that NIC, and carries
works() {
	succeeded "$1: ADD"
	same "$1: the NIC" "$2" "$(seat)"
	check "$1: the LAN answers" ip netns exec "$POD" ping -c 1 -W 2 -I eth1 192.168.100.1
	checked "$1"
}
checked() {
	cni CHECK "$(asks | jq -c --argjson r "$RESULT" '.prevResult = $r')"
	silent "$1: CHECK"
}
ended() { # ended NAME
	cni DEL "$(asks)"
	silent "$1: DEL"
	same "$1: nothing left" "" "$(rest)"
	drop_pod
}
# refused_as NAME TEXT SELECTOR: code 11 and that text, and nothing left. Without the primary, whose veth would come and go.
refused_as() {
	KEYS=$SHORT CARD=eth0
	pod refused "$3" '{"hostAccess":false}'
	KEYS='' CARD=eth1
	says "$1" 11 "card eth0 of pod default/refused: $2"
	rm -f "$DIR/state/hints/$POD_UID"
	same "$1: nothing left" "" "$(rest)"
	kubectl_node delete macvlanip refused >/dev/null
	drop_pod
}

# The second NIC is on a LAN of its own.
ip -n "$NODE" addr add 192.168.100.9/24 dev ens4
ip -n "$NODE" link add mg0 type veth peer name lan5 netns "$LAN"
ip -n "$NODE" link set mg0 up
ip -n "$LAN" link set lan5 up
ip -n "$NODE" addr add 192.168.105.9/24 dev mg0
MAC=$(ip -n "$NODE" -j link show ens4 | jq -r '.[0].address')
OTHER='{"cidr":"192.168.100.51/24","mac":"0a:00:00:00:00:33"}'

# Each way, with a pod of the primary beside it: its veth is a bridge's port, and no NIC.
pod first '{"addressIn":"192.168.100.0/24"}'
works "by an address" ens4
FIRST=$CID FIRST_POD=$POD FIRST_UID=$POD_UID FIRST_RESULT=$RESULT
FIRST_LINK=$(ip -n "$NODE" -o link show master cni0 | sed -E 's/^[0-9]+: ([^@]+)@.*/\1/')
FIRST_IP=$(ip -n "$POD" -j -4 addr show eth0 | jq -r '.[0].addr_info[0].local')
pod mac "{\"mac\":\"$MAC\"}" "$OTHER"
works "by a MAC" ens4
ended "by a MAC"
pod pattern '{"namePattern":"e?s[4-6]"}' "$OTHER"
works "by a pattern" ens4
ended "by a pattern"

# Which of several, and which there are.
N="node n1: masterSelector"
refused_as "two have a driver" "$N driver=veth: exactly one NIC must fit, and these do: ens4 (veth), mg0 (veth)" '{"driver":"veth"}'
refused_as "two have a name" "$N namePattern=[em]*: exactly one NIC must fit, and these do: ens4, mg0" '{"namePattern":"[em]*"}'
refused_as "two have an address" "$N addressIn=192.168.0.0/16: exactly one NIC must fit, and these do: ens4 (192.168.100.9/24), mg0 (192.168.105.9/24)" '{"addressIn":"192.168.0.0/16"}'
refused_as "none has one" "$N addressIn=172.16.0.0/12: no NIC fits; there are ens4 (192.168.100.9/24), mg0 (192.168.105.9/24), cni0 (10.42.0.1/24)" '{"addressIn":"172.16.0.0/12"}'
ip -n "$NODE" link set mg0 down
refused_as "what is wrong with the one that fits" "masterSelector namePattern=mg? finds \"mg0\": node n1: master mg0 is down" '{"namePattern":"mg?"}'
ip -n "$NODE" link add br5 type bridge
ip -n "$NODE" link set mg0 master br5 up
refused_as "a port" "masterSelector namePattern=mg? finds \"mg0\": node n1: master mg0 is a port of br5, a bridge" '{"namePattern":"mg?"}'
ip -n "$NODE" link del br5

# What was chosen stays chosen: CHECK and DEL do not ask again.
ip -n "$NODE" addr del 192.168.100.9/24 dev ens4
ip -n "$NODE" addr add 192.168.100.9/24 dev mg0
pod moved '{"addressIn":"192.168.100.0/24"}' "$OTHER"
succeeded "the address is on another NIC: ADD"
same "the address is on another NIC: the NIC" mg0 "$(seat)"
ended "the address is on another NIC"
CID=$FIRST POD=$FIRST_POD NETNS=/run/netns/$FIRST_POD POD_NAME=first POD_UID=$FIRST_UID RESULT=$FIRST_RESULT
checked "the card of before"
FIRST=none FIRST_LINK=none FIRST_IP=none
ended "the card of before"

# The same rule on a node whose NIC has another name; the record says which it is.
ip -n "$NODE" link set ens4 down
ip -n "$NODE" link set ens4 name mg0x
ip -n "$NODE" link set mg0 down
ip -n "$NODE" link set mg0 name ens4 up
ip -n "$NODE" link set mg0x name mg0 up
apiserver_spawn node "$TANDEM_NODE_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --state-dir "$DIR/state" \
	--conf "$DIR/none" --plugin "$TANDEM_BIN" --socket "$SOCKET" --v 4
door_is_open() { [ -S "$SOCKET" ]; }
check "the door" wait_for 60 door_is_open
pod renamed "{\"mac\":\"$MAC\"}"
works "another name" mg0
told() { kubectl_node get macvlanip "$1" -o jsonpath='{.status.phase} {.status.master}'; }
is_told() { [ "$(told renamed)" = "Attached mg0" ]; }
check "the record says which NIC it is" wait_for 10 is_told
check "and so does kubectl describe" grep -qE '^ +Master: +mg0$' <(kubectl_node describe macvlanip renamed)
ended "another name"
new_pod
POD_NAME=named POD_UID=$(cat /proc/sys/kernel/random/uuid)
record named "$POD_UID" "$(jq -c '.master = "mg0"' <<<"$NET")"
cni ADD "$(asks)"
attached() { [[ $(told named) == Attached* ]]; }
check "a subnet with a master: attached" wait_for 10 attached
same "its record names no other" "Attached " "$(told named)"
ended "a subnet with a master"
