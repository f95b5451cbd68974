#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Others write the pod's record at the moment at which the plugin does: a gate holds the plugin's own write back
# until that is done, and the API server answers it with 409. Then a kernel that refuses to take the card away.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
: "${TANDEM_TOOLS:=$TESTS_ROOT/build/dev/tests}"
contract_node
apiserver_start

net() { # net ADDRESS [MORE]: of 192.168.100.0/24, with a MAC that goes with it
	echo '{"cidr":"192.168.100.'"$1"'/24","mac":"0a:00:00:00:00:'"$1"'","gateway":"192.168.100.1"'"${2:-}"'}'
}
asks() { conf "${1:-$(primary)}" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}' '"deadlineSeconds":29,'; }
addresses() { ip -n "$POD" -j -4 addr show eth1 | jq -r '.[0].addr_info[] | "\(.local)/\(.prefixlen)"'; }
# status NAME JSON: of its record, as tandem-node or a plugin has written it
status() {
	kubectl_node get macvlanip "$1" -o json | jq --argjson s "$2" '.status = $s' |
		kubectl_node replace --raw "/apis/tandem-cni.io/v1/namespaces/default/macvlanips/$1/status" -f - >/dev/null
}
status_of() { kubectl_node get macvlanip "$1" -o json | jq -c '.status // {} | [.phase, .message, .cardDown]'; }
changed() { kubectl_node label macvlanip "$1" changed=yes >/dev/null; }
remade() { # remade NAME NET: deleted, and made again for the same pod
	kubectl_node delete macvlanip "$1" >/dev/null
	record "$1" "$POD_UID" "$2"
}
pod() { # pod NAME NET
	new_pod
	POD_NAME=$1 POD_UID=$(cat /proc/sys/kernel/random/uuid)
	record "$1" "$POD_UID" "$2"
}

# --- the gate ---------------------------------------------------------------------------------------

cp "$DIR/kubeconfig" "$DIR/direct"
gate_says() { grep -q "^$1" "$DIR/api/gate.log"; }
# held CMD...: an ADD whose first write is held back until CMD is done. GATE is what the gate has to tell.
held() {
	apiserver_spawn gate stdbuf -oL "$TANDEM_TOOLS/api/gate" 6444 6443 "$DIR/api/cert/apiserver.crt" \
		"$DIR/api/cert/apiserver.key" before 1
	wait_for 20 gate_says ready || fail "the gate" "$(cat "$DIR/api/gate.log")"
	sed 's/:6443/:6444/' "$DIR/direct" >"$DIR/kubeconfig"
	(cni ADD "$(asks)" && echo "$RC" >"$DIR/rc") &
	local job=$!
	# kubectl has its own way.
	wait_for 20 gate_says parked || fail "the plugin's write" "none: $(cat "$DIR/err")"
	cp "$DIR/direct" "$DIR/kubeconfig"
	"$@"
	# shellcheck disable=SC2154 # set by apiserver_spawn
	kill -USR1 "$PID_gate"
	wait "$job"
	RC=$(cat "$DIR/rc") OUT=$(cat "$DIR/out") ERR=$(cat "$DIR/err")
	GATE=$(sed -nE 's/^write ([0-9]+) ([A-Z]+) .*/write \1 \2/p; s/^answer.*/&/p' "$DIR/api/gate.log" | sort -u)
	apiserver_end gate
}

# --- the record's end has begun: it is claimed --------------------------------------------------------

pod claimed "$(net 50)"
status claimed '{"cardDown":"'"$POD_UID"'"}'
held changed claimed
succeeded "claim: another write comes first"
same "claim: 409, so the record is read again, and claimed as it is now" "answer 1 409
write 1 PATCH
write 2 PATCH" "$GATE"
check "claim: it says who has it" grep -qE "^\[null,\"container $CID has been starting since .*Z\",null\]$" <(status_of claimed)
same "claim: the card is there" 192.168.100.50/24 "$(addresses)"
cni DEL "$(asks)"
same "claim: DEL leaves nothing" "" "$(leftovers)"
drop_pod

pod released "$(net 51)"
status released '{"cardDown":"'"$POD_UID"'"}'
held remade released "$(net 52)"
succeeded "claim: the record is freed and made again"
same "claim: the write changes nobody else's" "answer 1 409
write 1 PATCH" "$GATE"
same "claim: the next address is the pod's" 192.168.100.52/24 "$(addresses)"
same "claim: the new record says nothing" "[null,null,null]" "$(status_of released)"
cni DEL "$(asks)"
same "claim: its DEL leaves nothing" "" "$(leftovers)"
drop_pod

# --- a conflict -------------------------------------------------------------------------------------

ip -n "$LAN" addr add 192.168.100.53/24 dev lan0
pod rival "$(net 53 ',"conflictDetection":true')"
held remade rival "$(net 54 ',"conflictDetection":true')"
succeeded "conflict: the record is another one before it is told"
same "conflict: so nothing is told of it" "answer 1 409
write 1 PATCH" "$GATE"
same "conflict: the new one has none" "[null,null,null]" "$(status_of rival)"
same "conflict: its address is the pod's" 192.168.100.54/24 "$(addresses)"
cni DEL "$(asks)"
same "conflict: DEL leaves nothing" "" "$(leftovers)"
drop_pod

ip -n "$LAN" addr add 192.168.100.57/24 dev lan0
pod noticed "$(net 57 ',"conflictDetection":true')"
meanwhile() {
	changed noticed
	# The controller's part: it ends the record that says Conflict, and gives another address.
	(wait_for 20 told && remade noticed "$(net 58 ',"conflictDetection":true')") &
	CONTROLLER=$!
}
told() { status_of noticed | grep -qF '["Conflict","MAC '; }
held meanwhile
wait "$CONTROLLER" || fail "conflict: told" "not within 20 s: $(status_of noticed)"
succeeded "conflict: another write comes first"
same "conflict: it is told all the same" "answer 1 409
write 1 PATCH
write 2 PATCH" "$GATE"
same "conflict: and the address after that is the pod's" 192.168.100.58/24 "$(addresses)"
cni DEL "$(asks)"
same "conflict: its DEL leaves nothing" "" "$(leftovers)"
drop_pod

pod cleared "$(net 55 ',"conflictDetection":true')"
status cleared '{"phase":"Conflict","message":"somebody had it"}'
held changed cleared
refused "conflict over, and the record is being ended meanwhile: code 11" 11 \
	"the conflict about the address of pod default/cleared is over"
same "its state is what the other one has left" '["Conflict","somebody had it",null]' "$(status_of cleared)"
cni ADD "$(asks)"
succeeded "the runtime's next ADD"
same "takes the conflict back" "[null,null,null]" "$(status_of cleared)"
same "and has the address" 192.168.100.55/24 "$(addresses)"
cni DEL "$(asks)"
same "nothing left of that" "" "$(leftovers)"
drop_pod

# --- a card that cannot be taken away -----------------------------------------------------------------

# A primary that needs no rights of its own, so that the kernel's refusal meets our part alone.
plugin modest <<EOF_PLUGIN
#!/bin/sh
echo "\$CNI_COMMAND" >>"$DIR/ran"
[ "\$CNI_COMMAND" = ADD ] || exit 0
ip netns exec "\$(basename "\$CNI_NETNS")" ip link add eth0 type veth peer name other >&2 || exit 1
echo '{"cniVersion":"0.4.0","interfaces":[{"name":"eth0","sandbox":"'"\$CNI_NETNS"'"}],"ips":[{"version":"4","interface":0,"address":"10.42.0.9/24"}]}'
EOF_PLUGIN
modest='{"cniVersion":"0.4.0","name":"cbr0","type":"modest"}'
pod kept "$(net 56)"
cni ADD "$(asks "$modest")"
succeeded "ADD"
: >"$DIR/ran"
CNI_UNDER=(setpriv --bounding-set -net_admin --inh-caps -net_admin)
cni DEL "$(asks "$modest")"
CNI_UNDER=()
says "the kernel refuses to remove the card: DEL tells it" 100 "Operation not permitted"
same "the primary's DEL ran all the same" DEL "$(cat "$DIR/ran")"
same "the card is still there" 192.168.100.56/24 "$(addresses)"
check "the state file is kept" test -e "$(state_file)"
check "and the seat on the NIC" test -e "$DIR/state/parents/ens4/$CID@eth0"
cni DEL "$(asks "$modest")"
silent "the next DEL"
same "has the primary's once more" "DEL
DEL" "$(cat "$DIR/ran")"
ip -n "$POD" link del eth0
same "leaves nothing" "" "$(leftovers)"
drop_pod
