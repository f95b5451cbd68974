#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SIGKILL at every system call of ADD and of DEL that changes something, for a pod without a card and for the
# three pictures; then the runtime's DEL, after which nothing may be left anywhere. And for a pod that waits for an address
# in vain, whose hint may stay; last what GC leaves of everything that has no other end.
#
#	CRASH=full       every point of every picture, instead of all of (b) and some of the others
#	CRASH_SEED=N     the choice of an earlier run
#
# On a machine that is busy with other things the choice ends early, but for CRASH=full.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
: "${TANDEM_TOOLS:=$TESTS_ROOT/build/dev/tests}"
contract_node
apiserver_start

NET100='{"cidr":"192.168.100.50/24","mac":"0a:00:00:00:00:32","gateway":"192.168.100.1","mode":"bridge","linkType":"macvlan","routes":[{"dst":"172.16.18.0/24","iface":"eth1"}]}'
NET120='{"cidr":"192.168.120.2/24","mac":"0a:00:00:00:01:02","gateway":"192.168.120.1","podDefaultGateway":{"enable":true,"serviceCidr":"10.43.0.0/16"}}'
NET22='{"cidr":"192.168.22.3/24","mac":"0a:00:00:00:02:03","gateway":"192.168.22.1","routes":[{"dst":"0.0.0.0/0","gw":"192.168.22.1","iface":"eth0"}]}'
SOME=10 # points of each verb and picture that is not tried at all of them

CRASH_SEED=${CRASH_SEED:-$RANDOM}
RANDOM=$CRASH_SEED
echo "# CRASH_SEED=$CRASH_SEED"

# Only errors: a line of the log is a write, too.
quiet() { tr -d '\n' | jq -c '.logFile = "" | .logLevel = "error"'; }
conf_of() { # conf_of PICTURE
	case $1 in
	plain) conf ;;
	waits) conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}' "$SHORT" ;;
	c) conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100","tandem-cni.io/interface":"eth0"}}' ;;
	*) conf "$(primary)" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}' ;;
	esac | quiet
}

# remains: what leftovers() looks for, and routes of any table, in fewer processes
printf 'link show\nrule show\nroute show table all\n' >"$DIR/look"
remains() {
	find "$DIR/state" -type f ! -name delegate.json ! -path "$DIR/state/hints/$HINT"
	find "$DIR/host-local" -type f ! -name 'last_reserved_ip*' ! -name lock 2>/dev/null
	ip -n "$POD" -o -batch "$DIR/look" | grep -vE ': lo:|lookup (local|main|default)| dev lo '
	ip -n "$POD" -o -6 -batch "$DIR/look" | grep -vE ': lo:|lookup (local|main|default)| dev lo '
	ip -n "$NODE" -o link show | grep -vE ': (lo|ens4@[^:]*|cni0):'
	return 0
}

# killed VERB N: the call, killed before its Nth change; 0 runs it to its end. Sets POINTS to what was begun.
killed() {
	CNI_UNDER=(env "$NO_LEAK_CHECK" "$TANDEM_TOOLS/contract/killat" "$DIR/points" "$2")
	cni "$1" "$CONF"
	CNI_UNDER=()
	mapfile -t POINTS <"$DIR/points"
}

# at_point VERB N: kill there, DEL as the runtime does, look what is left
at_point() {
	serial=$((serial + 1))
	CID=cid-$$-crash-$serial
	if [ "$1" = DEL ]; then
		cni ADD "$CONF"
		[ "$RC" -eq 0 ] || { fail "$picture $1" "ADD before point $2: $OUT" && return; }
	fi
	killed "$1" "$2"
	local where=${POINTS[-1]:-none}
	tried=$((tried + 1))
	cni DEL "$CONF"
	if [ "$RC" -ne 0 ]; then
		bad+=("$where: DEL says $OUT")
	elif [ -n "$(remains)" ]; then
		bad+=("$where: left: $(remains | tr '\n' ';')")
	else
		return
	fi
	# What is left here must not be found at the next point again.
	drop_pod
	new_pod
	find "$DIR/state" "$DIR/host-local" -type f ! -name delegate.json -delete 2>/dev/null
}

# choose N: which of 1..N
choose() {
	if [ "${CRASH:-}" = full ] || [ "$picture" = b ] || [ "$1" -le "$SOME" ]; then
		seq "$1"
	else
		for ((i = 1; i <= $1; i++)); do echo "$RANDOM $i"; done | sort -n | head -n "$SOME" | cut -d' ' -f2
	fi
}

late() { [ "${CRASH:-}" != full ] && [ "$SECONDS" -gt 200 ]; }

# sweep PICTURE NET
sweep() {
	local picture=$1 verb n points tried bad i
	new_pod
	POD_NAME=crash-$1
	POD_UID=$(cat /proc/sys/kernel/random/uuid)
	[ -z "$2" ] || record "$POD_NAME" "$POD_UID" "$2"
	CONF=$(conf_of "$1")
	for verb in ADD DEL; do
		tried=0 bad=()
		[ "$verb" = ADD ] || cni ADD "$CONF"
		killed "$verb" 0
		succeeded "$picture: $verb under the tracer"
		[ "$verb" = DEL ] || cni DEL "$CONF"
		points=${#POINTS[@]}
		for n in $(choose "$points"); do
			if late; then break; fi
			at_point "$verb" "$n"
		done
		same "$picture: $verb killed at $tried of $points points" "" "$(printf '%s\n' "${bad[@]}")"
	done
	drop_pod
}

serial=0 HINT=none
for picture in b a c plain; do
	case $picture in
	a) sweep a "$NET100" ;;
	b) sweep b "$NET120" ;;
	c) sweep c "$NET22" ;;
	plain) sweep plain "" ;;
	esac
done

# A pod that waits: the ADD fails, and its DEL finds no more than a hint, whenever it was killed.
waits() {
	local picture=waits n bad=() tried=0
	new_pod
	POD_NAME=crash-waits POD_UID=$(cat /proc/sys/kernel/random/uuid)
	HINT=$POD_UID CONF=$(conf_of waits)
	killed ADD 0
	says "waits: ADD under the tracer" 11 "address of pod default/crash-waits"
	cni DEL "$CONF"
	for n in $(choose "${#POINTS[@]}"); do at_point ADD "$n"; done
	same "waits: ADD killed at $tried of its points" "" "$(printf '%s\n' "${bad[@]}")"
	same "its hint is the one that there is" "$HINT" "$(ls "$DIR/state/hints")"
	drop_pod
}
waits

# What has no owner to end it: hints, locks, seats of cards whose files are lost, damaged files. All of it ends.
collect() { cni GC "$(VERSION=1.1.0 conf | quiet | jq -c 'del(.runtimeConfig) + {"cni.dev/valid-attachments": []}')" CNI_CONTAINERID= CNI_NETNS= CNI_IFNAME= CNI_ARGS=; }
inventory() { (cd "$DIR/state" && find . -type f ! -name delegate.json ! -name last-status | sort); }
new_pod
POD_NAME=crash-lost POD_UID=$(cat /proc/sys/kernel/random/uuid)
record "$POD_NAME" "$POD_UID" "$NET100"
CONF=$(conf_of a)
cni ADD "$CONF"
succeeded "a card whose files are lost: ADD"
head -c 100 "$(state_file)" >"$DIR/half" && cp "$DIR/half" "$(state_file)"
: >"$DIR/state/locks/gone-$$"
: >"$DIR/state/locks/parent@gone0"
drop_pod
collect
succeeded "GC"
same "a damaged file is ended as well; only the hint still has time" "./hints/$HINT" "$(inventory)"
# One that even GC could not end, and a hint: by their age.
printf 'tandem-state 1' >"$DIR/state/attachments/cid-$$-nobody@eth0.corrupt"
find "$DIR/state/hints" "$DIR/state/attachments" -type f -exec touch -d '-86401 seconds' {} +
collect
same "and then not" "" "$(inventory)"
same "no folder of a parent either" "" "$(ls "$DIR/state/parents")"
