#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# As many pods as there are addresses, created at once; then, round after round, half of them end and others come
# while the leader is killed, and once it is stopped for a while and wakes up. Two controllers run always. All along
# every state of every record is watched: no address in two of them, none lost in the end, every pod served. And others
# lie: what they claim is the gateway's, outside of the ranges, or an address that is in use or in flight.
#
#	STRESS=small	200 pods, 2 rounds, a short lease
#	STRESS=full	1,000 pods, 5 rounds, the default lease, stopped for 60 s
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/api/lib-frame.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib-frame.sh"

if [ "${STRESS:-small}" = full ]; then
	: "${COUNT:=1000}" "${ROUNDS:=5}" "${PAUSE:=60}"
	ELECT=()
else
	: "${COUNT:=200}" "${ROUNDS:=2}" "${PAUSE:=8}"
	ELECT=(--leader-elect-lease-duration 6s --leader-elect-renew-deadline 5s --leader-elect-retry-period 500ms)
fi

# replica NAME
replica() {
	run "$1" "$TANDEM_CONTROLLER_BIN" --kubeconfig "$DIR/controller.conf" --kube-api-qps 0 \
		--hold-unwitnessed 5 --attached-by pod-ip "${ELECT[@]}"
}

# who_leads: in $leader, the other in $other
who_leads() {
	leader=one other=two
	leads one || leader=two other=one
	revive
	leads "$leader"
}

# live_names: of all pods that live, in no particular order, in $names
live_names() {
	ask live
	read -ra names <<<"$answer"
	names=("${names[@]%%:*}")
}

# As a kubelet would: on a machine under load a short lease is lost at times.
revive() {
	local name
	for name in one two; do
		[ -z "${PID[$name]:-}" ] || [ "$name" = "${stopped_one:-}" ] || ! has_ended "$name" || replica "$name"
	done
}

all_served() { revive; ask served "$COUNT" && [ "$answer" = yes ]; }
records_are() { revive; ask records && [ "$answer" = "$1" ]; }
all_free() { ask counts && [ "$answer" = "load:0,$COUNT,0,0,0" ]; }
some_pending() { ask pending && [ "$answer" -gt 0 ] && [ "$answer" -lt "$1" ]; }
other_leads() { revive; leads "$other"; }

# done_within SECONDS NAME CMD...: like check, but in this shell, where the program world is
done_within() {
	local name=$2
	if wait_for "$1" "${@:3}"; then
		pass "$name"
	else
		ask live
		fail "$name" "not within $1 s: $* $(tr ' ' '\n' <<<"$answer" | grep -c -- ':-$') waiting"
	fi
}

# figures NAME: rate and times of what was served since the last mark
figures() {
	local served span
	ask times
	read -r _ served _ _ _ _ _ _ _ span <<<"${answer//,/}"
	rate=$((served * 1000 / (span ? span : 1)))
	echo "# $1: $answer ms; $rate a second"
}

# peak_kib PID: the most memory that it had
peak_kib() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }

# cpu_ms PID: processor time so far
cpu_ms() { awk '{ print ($14 + $15) * 10 }' "/proc/$1/stat"; }

at_exit show_logs
show_logs() {
	[ "$tests_failed" -eq 0 ] || tail -n "${LOG_LINES:-40}" "$DIR"/{one,two,world}.log | sed 's/^/    | /'
}

api_start
world_up
subnet load 10.50.0.0/16 'ipDelayReuse: 0' "ranges: [{rangeStart: 10.50.1.0, rangeEnd: 10.50.$((1 + (COUNT - 1) / 256)).$(((COUNT - 1) % 256))}]" |
	k apply -f - >/dev/null
# What the API server can do, what we make of it, and once more what it can: the machine may have others on it.
ask rate "$COUNT"
before=$answer
ask mark
ask come load "p1..p$COUNT"
ask drain
spent=$(cpu_ms "$pid_apiserver")
replica one
done_within 300 "$COUNT pods that wait: all served" all_served
figures "$COUNT pods that wait, one controller"
all=$rate
echo "# processor time for them: controller $(cpu_ms "${PID[one]}") ms, API server $(($(cpu_ms "$pid_apiserver") - spent)) ms; the controller's peak RSS $(peak_kib "${PID[one]}") KiB"
live_names
ask leave "${names[*]}"
done_within 300 "all go" records_are 0
done_within 30 "as many addresses as pods" all_free
halt one
ask rate "$COUNT"
echo "# the API server alone made $before and $answer MacvlanIPs a second on 16 connections: we $((all * 200 / (before + answer))) % of that"

replica one
replica two
done_within 60 "one leads" who_leads
done_within 60 "it works" all_free
ask mark
ask come load "p1..p$COUNT"
done_within 300 "$COUNT pods created at once: all served" all_served
figures "$COUNT pods created at once, two controllers"

# lie ROUND: twenty running pods, two that ask in time, and records made by hand
lie() {
	ask lie late load 10.50.0.1 10.50.200.1 10.50.1.{0..17}
	ask lie ask load 10.50.0.1 10.50.200.1
	ask lie made load 10.50.0.1 "10.50.1.$1" "10.50.1.$((COUNT / 2 % 256))"
}
no_liars() { revive; ask unlie && ask drain && ask lies && [ "$answer" = 0 ]; }
k create namespace elsewhere >/dev/null

# In each round half of them are exchanged: some by others of the same name, some by new ones.
half=$((COUNT / 2))
for ((round = 1; round <= ROUNDS; round++)); do
	wait_for 60 who_leads
	live_names
	ask renew load "${names[*]:0:half/2}"
	ask leave "${names[*]:half/2:half-half/2}"
	ask come load "r$((round * COUNT + 1))..r$((round * COUNT + half - half / 2))"
	lie "$round"
	wait_for 60 some_pending $((half * 3 / 4))
	if [ "$round" = "$ROUNDS" ]; then
		stopped_one=$leader
		kill -STOP "${PID[$leader]}"
		tests_now_ms stopped
		done_within 60 "round $round: $leader is stopped, $other leads" other_leads
		ask drain
		drained=$answer
		done_within 300 "round $round: all served" all_served
		tests_now_ms now
		[ $((PAUSE * 1000 - (now - stopped))) -le 0 ] || nap $(((PAUSE * 1000 - (now - stopped)) / 1000))
		kill -CONT "${PID[$leader]}"
		done_within 20 "woken after $PAUSE s, $leader ends" has_ended "$leader"
		code=0
		wait "${PID[$leader]}" || code=$?
		same "with status 3" 3 "$code"
		stopped_one=
		replica "$leader"
	else
		halt "$leader"
		replica "$leader"
		ask drain
		drained=$answer
		done_within 300 "round $round: $leader was killed, all served" all_served
	fi
	same "round $round: the pods came and went" ok "$drained"
	done_within 60 "round $round: those that lied go" no_liars
	ask records
	same "round $round: as many records as addresses" "$COUNT" "$answer"
done
live_names
ask leave "${names[*]}"
done_within 120 "all records go" records_are 0
done_within 20 "every address is free again" all_free
ask faults
same "no address in two records, no pod with two addresses, none for a liar" "doubles 0, moved 0, lied 0" "$answer"
