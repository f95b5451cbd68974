#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# GC: what the runtime does not name is ended as DEL ends it, and nothing else: not another network's, not
# what a call is at work on; the primary's plugins are told, too; errors do not stop it.
# shellcheck disable=SC2016 # the scripts in quotes are plugins of their own

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start
VERSION=1.1.0

NET120='{"cidr":"192.168.120.2/24","mac":"0a:00:00:00:01:02","gateway":"192.168.120.1","podDefaultGateway":{"enable":true,"serviceCidr":"10.43.0.0/16"}}'

plugin noted <<EOF_PLUGIN
#!/bin/sh
text=\$(cat)
printf '%s %s %s\n' "\$CNI_COMMAND" "\${CNI_CONTAINERID:-none}" "\$(printf '%s' "\$text" | jq -c '[.mark, ."cni.dev/valid-attachments", ."cni.dev/attachments"]')" >>"$DIR/noted"
case \$CNI_COMMAND in
ADD) echo '{"cniVersion":"1.1.0","ips":[{"address":"10.42.9.9/24"}]}' ;;
DEL) [ ! -e "$DIR/refuse-\$CNI_CONTAINERID" ] || { echo '{"code":77,"msg":"it is stuck"}'; exit 1; } ;;
GC) [ ! -e "$DIR/refuse-gc" ] || { echo '{"code":78,"msg":"no order here"}'; exit 1; } ;;
esac
EOF_PLUGIN
newer() { echo '{"cniVersion":"1.1.0","name":"cbr0",'"${1:-}"'"plugins":[{"type":"noted","mark":1},{"type":"noted","mark":2}]}'; }

valid() { # valid CID...: the runtime's list
	printf '%s\n' "$@" | jq -Rc '{containerID: ., ifname: "eth0"}' | jq -sc .
}
gc() { # gc LIST [CONF]
	local text=${2:-$(conf)}
	text=$(tr -d '\n' <<<"$text" | jq -c --argjson l "$1" 'del(.runtimeConfig) + {"cni.dev/valid-attachments": $l, "cni.dev/attachments": $l}')
	cni GC "$text" CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME= CNI_ARGS=
}
attachments() { (cd "$DIR/state/attachments" && printf '%s\n' *) | sed "s/@.*//; s/cid-$$-//; s/^\*$//" | sort | tr '\n' ' ' | sed 's/ $//'; }
addresses() { find "$DIR/host-local" -name '10.42.0.*' | wc -l; }
asks() { conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}'; }

# --- what is not in the list goes -------------------------------------------------------------------

ids=() pods=()
for i in 1 2 3; do
	new_pod
	ids+=("$CID") pods+=("$POD")
	cni ADD "$(conf)"
	succeeded "ADD of pod $i"
done
new_pod
POD_NAME=gc-card
POD_UID=$(cat /proc/sys/kernel/random/uuid)
record gc-card "$POD_UID" "$NET120"
cni ADD "$(asks)"
succeeded "ADD of a pod with a card"
card=$CID card_pod=$POD
gc "$(valid "${ids[@]}" "$card")"
silent "GC with all of them in the list"
same "ends none" "1 2 3 4" "$(attachments)"
gc "$(valid "${ids[0]}" "$card" some-other-container)"
silent "GC with two of them missing in the list"
same "ends those two" "1 4" "$(attachments)"
same "their addresses are free" 2 "$(addresses)"
same "their links are gone" "0 0" "$(for p in "${pods[@]:1}"; do ip -n "$p" -o link show type veth | wc -l; done | tr '\n' ' ' | sed 's/ $//')"
check "the one that stays has its link" ip -n "${pods[0]}" link show eth0
check "the card that stays is there" ip -n "$card_pod" link show eth1
requests
gc "$(valid "${ids[0]}")"
silent "GC with the card's pod missing"
same "its card, routes and rules are gone" "" "$(ip -n "$card_pod" -o link show | grep -v ': lo:'; ip -n "$card_pod" route show
	ip -n "$card_pod" rule show | grep -vE 'lookup (local|main|default)')"
requests
same "without a request to the API server" 0 "$REQUESTS"
cni CHECK "$(conf)" CNI_CONTAINERID="${ids[0]}" CNI_NETNS=/run/netns/"${pods[0]}"
succeeded "the one that stays is as it was"
gc null
silent "GC with a list of none, as Go writes it"
same "ends all" "" "$(attachments)"
same "and leaves no address" 0 "$(addresses)"
same "and no lock" "" "$(ls "$DIR/state/locks")"
gc '[]'
silent "GC with nothing to do"

# The same container, another interface.
new_pod
cni ADD "$(conf)"
cni ADD "$(conf)" CNI_IFNAME=eth5
succeeded "a second interface of one container"
gc "$(valid "$CID")"
silent "GC that names one interface of a container"
same "keeps that one" "eth0" "$(find "$DIR/state/attachments" -type f | sed 's/.*@//')"
same "in the pod, too" "eth0" "$(ip -n "$POD" -j link show type veth | jq -r '.[].ifname')"
gc '[]'
same "and the last goes with the rest" "" "$(leftovers)"
drop_pod

# A pod whose namespace has gone, whose DEL never came.
new_pod
cni ADD "$(conf)"
drop_pod
gc '[]'
silent "GC of a pod without a namespace"
same "its address is free" "" "$(leftovers)"

# --- what is not ours to end ----------------------------------------------------------------------------

new_pod
cni ADD "$(conf)"
gc '[]' "$(conf | sed 's/"cbr0"/"other"/g')"
silent "GC of another network"
same "leaves ours alone" 1 "$(find "$DIR/state/attachments" -name "$CID@eth0" | wc -l)"
exec 9>"$DIR/state/locks/$CID"
flock 9
gc '[]'
silent "GC while a call is at work on it"
same "leaves that alone" 1 "$(find "$DIR/state/attachments" -name "$CID@eth0" | wc -l)"
exec 9>&-
touch -d '+1 hour' "$(state_file)"
gc '[]'
same "leaves alone what was made after the list" "0 1" "$RC $(find "$DIR/state/attachments" -name "$CID@eth0" | wc -l)"
touch -d '-1 hour' "$(state_file)"
for list in '{}' '"x"' '[{"containerID":"a"}]' '[{"containerID":1,"ifname":"eth0"}]' '[null]'; do
	gc "$list"
	says "GC with the list $list" 6 valid-attachments
done
cni GC "$(conf)" CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME= CNI_ARGS=
says "GC without a list" 7 valid-attachments
VERSION=1.0.0 gc '[]' "$(VERSION=1.0.0 conf)"
says "GC by a conf of 1.0.0" 1 1.1.0
same "none of which ended anything" 1 "$(find "$DIR/state/attachments" -name "$CID@eth0" | wc -l)"

# --- damaged and half written files, locks that nobody needs ------------------------------------------------

printf 'tandem-state 1 9 0000000000000000\n{"half":' >"$(state_file)"
: >"$DIR/state/attachments/gone@eth0.tmp.0"
: >"$DIR/state/locks/nobody"
gc '[]'
silent "GC of a damaged file"
ip -n "$POD" link del eth0
same "its address is free, by the primary's conf as it is now" "" "$(leftovers)"
drop_pod

# --- errors ---------------------------------------------------------------------------------------------

: >"$DIR/noted"
ids=()
for i in 1 2 3; do
	new_pod
	ids+=("$CID")
	cni ADD "$(conf "$(newer)")"
done
: >"$DIR/refuse-${ids[1]}"
gc '[]' "$(conf "$(newer)")"
says "GC with one that cannot be ended" 77 "container ${ids[1]}, interface eth0"
same "ends the others" "${ids[1]}@eth0" "$(ls "$DIR/state/attachments")"
same "and tells the plugins" 2 "$(grep -c '^GC' "$DIR/noted")"
: >"$DIR/refuse-gc"
gc '[]' "$(conf "$(newer)")"
says "GC with several failures" 77 "2 failures"
rm "$DIR/refuse-${ids[1]}"
gc '[]' "$(conf "$(newer)")"
says "a plugin's refusal of GC" 78 "no order here"
rm "$DIR/refuse-gc"
gc '[]' "$(conf "$(newer)")"
silent "GC once nothing is in its way"

# --- forwarding -------------------------------------------------------------------------------------------

: >"$DIR/noted"
gc "$(valid a b)" "$(conf "$(newer)")"
silent "GC is passed on"
list='[{"containerID":"a","ifname":"eth0"},{"containerID":"b","ifname":"eth0"}]'
same "with the list under both its names" "GC none [1,$list,$list]
GC none [2,$list,$list]" "$(sort "$DIR/noted")"
: >"$DIR/noted"
gc '[]' "$(conf "$(newer '"disableGC":true,')")"
gc '[]' "$(conf "$(newer '"disableGC":"true",')")"
gc '[]' "$(conf "$(newer | sed 's/1\.1\.0/1.0.0/')")"
same "not with disableGC, nor to plugins that do not know it" "0 " "$RC $(cat "$DIR/noted")"
same "nothing left at the end" "" "$(find "$DIR/state" -type f)"
