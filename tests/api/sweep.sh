#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The fence: at every write of a leader something bad happens, another takes over and moves on, and no address is
# in two records or lost. One leader A talks to the API server by way of gate.c, which holds back its Nth write
# before or after it is done, loses its answer, or gives the moment for a kill -9; the other, B, talks to it directly.
# Meanwhile pods come and go in a subnet that has exactly as many addresses as there are pods, and others lie: what
# they claim is by turns the gateway's, a node's, outside of the ranges, cooling, another Deployment's, and each address
# of the subnet, which at that moment is in use, in flight or free.
#
#	SWEEP=sample	points by chance for SWEEP_SECONDS (90); the seed is printed, SEED= replays it
#	SWEEP=full	all points: each write x each thing that can happen, and each page of a list
#	SWEEP_KINDS="before-term cut"	only these, of either
#	POINTS="before-term:7 cut:3"	these
#
# What can happen at write N:
#	before-X	A is stopped and the write held back; B takes over and serves others; then the write is done
#			and A wakes up
#	after-X		the same with the write done and its answer held back
#	cut		the answer is lost, A goes on; there is no B
#	kill-before	A dies, the write was never sent
#	kill-after	A dies, the write was done
# X says how B takes over: lease (both elected, B has stood by) or term (neither is; B is started then, and nothing
# but the conditions on A's writes keeps A from harm). And gone-X: A dies in the middle, and the Nth request for a
# further page of B's lists is answered with 410.
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/api/lib-frame.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib-frame.sh"

read -ra KINDS <<<"${SWEEP_KINDS:-before-lease before-term after-lease after-term cut kill-before kill-after gone-lease gone-term}"
SEED=${SEED:-$RANDOM}
GATE_PORT=$((PORT + 3))
FIXED=10.80.0.12 # kept by a Deployment for its pod p3
SIZE=6           # addresses of subnet s, that one included; t has two
GATEWAY=10.80.0.1
NODE=10.80.0.16 # n1 has it, amid the range of s
OUTSIDE=10.80.0.50
COOLING=10.80.0.21 # the second of t's
SUBNETS=/apis/tandem-cni.io/v1/namespaces/kube-system/macvlansubnets
LEASE_PATH=/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/tandem-controller

# ------------------------------------------------------------------ the world

# The Deployment that p3 belongs to: nobody else gets its address.
keep_fixed() {
	k apply -f - >/dev/null <<-YAML
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: fixed, namespace: default}
		spec:
		  replicas: 1
		  selector: {matchLabels: {app: fixed}}
		  template:
		    metadata: {labels: {app: fixed}, annotations: {tandem-cni.io/subnet: s, tandem-cni.io/ip: $FIXED}}
		    spec: {containers: [{name: c, image: none}]}
	YAML
}

# lie KIND SUBNET:ADDRESS...: world.c says what they do
lie() {
	local kind=$1 claim
	shift
	for claim; do ask lie "$kind" "${claim%%:*}" "${claim#*:}"; done
	ask drain
	[ "$answer" = ok ] || problem "those that lie: $answer"
}

# new_subnet NAME FIRST LAST DELAY
new_subnet() {
	ask post "$SUBNETS" "{\"apiVersion\":\"tandem-cni.io/v1\",\"kind\":\"MacvlanSubnet\",\"metadata\":{\"name\":\"$1\"},\"spec\":{\"master\":\"ens4\",\"cidr\":\"10.80.0.0/24\",\"ipDelayReuse\":$4,\"ranges\":[{\"rangeStart\":\"10.80.0.$2\",\"rangeEnd\":\"10.80.0.$3\"}]}}"
	ask drain
}

# pods VERB ARG...: come, leave, vanish or succeed, see world.c; done when it returns
pods() {
	ask "$@"
	ask drain
	[ "$answer" = ok ] || problem "$*: $answer"
}

# some_of COUNT: so many of the pods that have any address of s
some_of() {
	local pod n=0
	ask live
	some=()
	for pod in $answer; do
		[[ $pod == *:s:[0-9]* ]] && [[ $pod != p3:* ]] && [ $((n++)) -lt "$1" ] && some+=("${pod%%:*}")
	done
	[ ${#some[@]} -gt 0 ]
}

# All that live are served, or all addresses that are nobody's in particular are in use.
settled() { ask settled s $((SIZE - 1)) && [ "$answer" = yes ]; }
all_served() { ask served 0 && [ "$answer" = yes ]; }
no_ips() { ask records && [ "$answer" = 0 ]; }
# ... or others have come meanwhile
no_ips_or_new() { no_ips || { ask live && [ -n "$answer" ]; }; }
# The counts follow the last write within a second. One address is kept for the Deployment.
all_free() { ask counts && [ "$answer" = "s:0,$((SIZE - 1)),1,0,0 t:0,0,0,0,2" ]; }
no_liars() { ask unlie && ask drain && ask lies && [ "$answer" = 0 ]; }
both_used() { ask counts && [[ $answer == *" t:2,"* ]] && settled; }
one_cools() { ask counts && [[ $answer == *" t:1,0,0,"?,1 ]]; }
no_subnets() { ask counts && [ -z "$answer" ]; }

# Each point has one of each: annotated too late, asking in time, made by hand.
LATE=("s:$GATEWAY" "s:$NODE" "s:$OUTSIDE")
ASKS=("s:$FIXED" "t:$COOLING" "s:$NODE" "s:$GATEWAY" "s:$OUTSIDE" "s:10.80.0.20")
MADE=("s:10.80.0.11" "t:$COOLING" "s:$FIXED" "s:$NODE" "s:10.80.0.14" "s:$GATEWAY" "s:$OUTSIDE")

# ------------------------------------------------------------------ the two controllers

# controller NAME CONF
controller() {
	local elect=(--leader-elect=false)
	[ "$way" = term ] || elect=(--leader-elect-lease-duration 4s --leader-elect-renew-deadline 3s
		--leader-elect-retry-period 200ms)
	run "$1" "$TANDEM_CONTROLLER_BIN" --kubeconfig "$DIR/$2.conf" --kube-api-qps 0 --release-after-terminal 1 \
		--hold-unwitnessed 1 --attached-by pod-ip "${elect[@]}"
}

gate() {
	run gate "$TANDEM_TOOLS/api/gate" "$GATE_PORT" "$PORT" "$DIR/tls.crt" "$DIR/tls.key" "$1" "$2"
	wait_for 10 gate_says ready
}

# gate_says TEXT: a line begins so
gate_says() {
	local log=""
	read -rd '' log 2>/dev/null <"$DIR/gate.log"
	[[ $'\n'$log == *$'\n'"$1"* ]]
}
leading() { grep -q msg=leading "$DIR/$1.log"; }
b_works() { grep -q "allocation begins" "$DIR/B.log"; }
problem() { problems="$problems${problems:+; }$* (step $step)"; }

# As a kubelet would: on a machine under load a lease as short as this one is lost at times.
revive_b() {
	[ -n "${PID[B]:-}" ] && has_ended B || return 0
	controller B "$([ "$kind" = gone ] && echo gate || echo controller)"
}

# The moment has come: another takes over, serves those who wait, and the addresses move on.
take_over() {
	local some
	failed_over=1
	kill -STOP "${PID[A]}"
	case $kind in
	kill-before) halt A && kill -USR2 "${PID[gate]}" ;;
	kill-after) halt A && kill -USR1 "${PID[gate]}" ;;
	esac
	[ "$way" = lease ] || controller B controller
	if [ "$step" -lt 9 ]; then
		pods come s x1 x2
		! some_of 2 || pods leave "${some[@]}"
		await settled
	fi
	await b_works
	[ "$late" = 1 ] || wake_up
}

# Without election the terms in the subnets tell A that B leads. When B came there was none left: A cannot know, and
# there is nothing that it could harm.
nothing_left() { [ "$way" = term ] && no_subnets && ! grep -q "subnet is taken over" "$DIR/B.log"; }

# The old leader goes on where it was stopped; whatever it does must fail.
wake_up() {
	local code=0
	if [ "$failed_over" = 0 ] || [ -z "${PID[A]:-}" ]; then return; fi
	[ "$answer_first" = 0 ] || kill -USR1 "${PID[gate]}"
	kill -CONT "${PID[A]}"
	kill -USR1 "${PID[gate]}"
	if nothing_left; then
		wait_for 20 gate_says "done" || problem "the write that was held back has not gone through"
		halt A
		return
	fi
	if ! wait_for 20 has_ended A; then
		problem "A has not ended"
		halt A
		return
	fi
	wait "${PID[A]}" || code=$?
	unset "PID[A]"
	[ "$code" = 3 ] || problem "A has ended with $code"
	wait_for 20 gate_says "done" || problem "the write that was held back has not gone through"
}

# due: has the moment come?
due() {
	[ "$failed_over" = 0 ] && case $kind in
	cut | count) false ;;
	gone) [ "$step" -ge "$die_at" ] ;;
	*) gate_says parked ;;
	esac
}

moment() {
	due || return 0
	if [ "$kind" != gone ]; then
		take_over
		return
	fi
	failed_over=1
	halt A
	[ "$way" = lease ] || controller B gate
}

# what_is: the world in words, in $all
what_is() {
	local what
	all=""
	for what in live counts records; do
		ask $what
		all="$all $what: $answer;"
	done
}

# await CMD...: until it is so; the moment may come meanwhile
await() {
	local now end
	tests_now_ms now
	# What follows a first failure is of less interest.
	end=$((now + ($([ -z "$problems" ] && echo 60 || echo 3) * 1000)))
	until "$@"; do
		moment
		revive_b
		tests_now_ms now
		if [ "$now" -ge "$end" ]; then
			what_is
			problem "waited in vain: $*:$all"
			return
		fi
		nap 0.03
	done
	moment
}

# ------------------------------------------------------------------ the scenario

# at STEP: what was begun may be under way still; a leader that is to die at this step dies here
at() {
	step=$1
	moment
}

scenario() {
	at 1
	pods come s p1..p2 "p3=$FIXED" p4..p6
	await settled
	lie late "${LATE[lies % ${#LATE[@]}]}" "s:10.80.0.1$((lies % SIZE))" "s:10.80.0.1$(((lies + 1) % SIZE))"
	at 2 # a subnet that comes while the leader runs; one of its addresses cools down as long as this goes on
	# Whoever waits for a subnet to come delays its first grants until the node has answered.
	[ $((lies % 8)) -ne 7 ] || lie late t:10.80.0.20
	new_subnet t 20 21 3600
	pods come t t1 "t2=$COOLING"
	await both_used
	pods leave t2
	lie ask "${ASKS[lies % ${#ASKS[@]}]}"
	lie late "t:$COOLING"
	at 3 # two more than there are addresses
	pods come s p7 p8
	lie made "${MADE[lies % ${#MADE[@]}]}"
	pods leave p1
	await settled
	await one_cools
	at 4
	pods vanish p2
	await settled
	at 5 # replaced by one of the same name
	pods leave p4
	pods come s p4
	await settled
	at 6
	pods succeed p5
	pods come s p9
	await settled
	pods vanish p5
	at 7 # the fixed address passes on
	pods leave p3
	pods come s "p3=$FIXED"
	await settled
	wake_up # those that were held back long ago meet other pods of their names
	at 8 # from here on there are fewer pods than addresses
	! some_of 3 || pods leave "${some[@]}"
	await all_served
	at 9
	await no_liars
	until no_ips || [ -n "$problems" ]; do
		ask live
		read -ra some <<<"$answer"
		[ ${#some[@]} -eq 0 ] || pods leave "${some[@]%%:*}"
		await no_ips_or_new
	done
}

# point KIND N: one run of the scenario; in the end $problems is empty and $reached 1
point() {
	local lost
	kind=${1%-lease} way=lease failed_over=0 problems="" step=0
	[[ $1 != *-term ]] && [ "$1" != cut ] && [ "$1" != count ] || way=term
	lies=$2
	kind=${kind%-term} late=$(($2 % 2)) answer_first=$(($2 / 2 % 2)) die_at=$(($2 % 6 + 2))
	ask mark
	rm -f "$DIR"/{gate,A,B}.log
	case $kind in
	count | cut | gone) gate "$kind" "$2" ;;
	before | kill-before) gate before "$2" ;;
	after | kill-after) gate after "$2" ;;
	esac
	new_subnet s 10 $((10 + SIZE)) 0
	controller A "$([ "$kind" = gone ] && echo controller || echo gate)"
	if [ "$way" = lease ]; then
		wait_for 10 leading A || problem "A does not lead"
		controller B "$([ "$kind" = gone ] && echo gate || echo controller)"
	fi
	scenario
	wake_up
	await all_free
	ask counts
	lost=$((SIZE + 2 - $(tr ' ' '\n' <<<"$answer" | awk -F '[:,]' '{ n += $3 + $4 + $6 } END { print n + 0 }')))
	n_lost=$((n_lost + lost))
	step=10
	ask delete "$SUBNETS/s"
	ask delete "$SUBNETS/t"
	await no_subnets
	wake_up
	[ "$kind" != cut ] || ! has_ended A || problem "A has ended: $(tail -n 1 "$DIR/A.log")"
	ask faults
	[ "$answer" = "doubles 0, moved 0, lied 0" ] || problem "$answer: $(tail -n 3 "$DIR/world.log")"
	n_lied=$((n_lied + ${answer##* }))
	answer=${answer#doubles } && n_doubles=$((n_doubles + ${answer%%,*}))
	is_reached "$2" && reached=1 || reached=0
	halt_all
	# The next one need not wait until this one's has run out.
	[ "$way" = term ] || pods delete "$LEASE_PATH"
}

# is_reached N: there was such a moment
is_reached() {
	case $kind in
	count) ;;
	gone) gate_says "done $1" ;;
	*) gate_says "parked $1" || gate_says "answer $1" ;;
	esac
}

# ------------------------------------------------------------------ all points

# A point that failed must not spoil the next.
sweep_up() {
	local kind
	wait_for 10 no_liars
	k delete pods --all --force --grace-period=0 >/dev/null 2>&1
	for kind in macvlanips macvlansubnets; do
		k get "$kind" -A -o json | jq -r '.items[].metadata | "\(.namespace) \(.name)"' | while read -r ns name; do
			k patch "$kind" -n "$ns" "$name" --type merge -p '{"metadata":{"finalizers":null}}'
			k delete "$kind" -n "$ns" "$name"
		done >/dev/null 2>&1
	done
	wait_for 10 no_subnets
}

# Held back at the claim of a subnet a controller is no leader yet. Without election it then claims again when
# it wakes up, as whichever starts last does, and the other ends: that is no failure, but not this scenario either.
is_claim() { [[ $1 == *-term && $1 != gone-* ]] && [ "$2" -le 2 ]; }

# try KIND N
try() {
	local log began now
	! is_claim "$1" "$2" || return 0
	tests_now_ms began
	point "$1" "$2"
	tests_now_ms now
	n_points=$((n_points + 1))
	n_reached=$((n_reached + reached))
	if [ -z "$problems" ]; then
		pass "$1:$2$([ "$reached" = 1 ] || echo ", there was no such moment this time") ($((now - began)) ms)"
		return
	fi
	fail "$1:$2" "$problems"
	sweep_up
	for log in gate A B; do
		[ ! -s "$DIR/$log.log" ] ||
			sed "s/^/    $log| /" "$DIR/$log.log" | cut -c 1-400 | tail -n "${LOG_LINES:-40}"
	done
}

# by_chance SECONDS: each kind in turn, until the time is over
by_chance() {
	local now end what n
	tests_now_ms now
	end=$((now + $1 * 1000))
	while :; do
		for what in "${KINDS[@]}"; do
			n=$((RANDOM % writes + 1))
			[[ $what != gone-* ]] || n=$((RANDOM % pages + 1))
			tests_now_ms now
			[ "$now" -lt "$end" ] || return 0
			try "$what" "$n"
		done
	done
}

all() {
	local what n last
	for what in "${KINDS[@]}"; do
		last=$writes
		[[ $what != gone-* ]] || last=$pages
		for ((n = 1; n <= last; n++)); do try "$what" "$n"; done
	done
}

n_points=0 n_reached=0 n_doubles=0 n_lost=0 n_lied=0
api_start
kubeconfig controller "https://127.0.0.1:$GATE_PORT" gate
keep_fixed
k create namespace elsewhere >/dev/null
curls PATCH application/merge-patch+json '{"status":{"addresses":[{"type":"InternalIP","address":"'$NODE'"}]}}' \
	/api/v1/nodes/n1/status
world_up
RANDOM=$SEED
try count 0
writes=$(grep -c ^write "$DIR/gate.log")
try gone-lease 0
pages=$(grep -c ^page "$DIR/gate.log")
echo "# seed $SEED; $writes writes, $pages pages of lists"
n_points=0 n_reached=0
if [ -n "${POINTS:-}" ]; then
	for which in $POINTS; do try "${which%:*}" "${which#*:}"; done
elif [ "${SWEEP:-sample}" = full ]; then
	all
else
	by_chance "${SWEEP_SECONDS:-90}"
fi
ask asked
echo "# $n_points points, $n_reached of them reached; doubles: $n_doubles, lost: $n_lost; of those that lied $n_lied got an address, and nodes were asked about $answer"
same "no address was in two records, none lost, and no liar got one" "0 0 0" "$n_doubles $n_lost $n_lied"
