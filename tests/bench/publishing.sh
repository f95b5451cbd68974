#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How long a pod waits for its address while one namespace has SERVICES Services on the same pods, whose label comes
# and goes all the time, beside how long it waits when nothing else happens: medians of ROUNDS pods each, by turns in
# one run. Publishing gives way to addresses: the budget is twice the idle time and 100 ms.
#
#	tests/bench/publishing.sh [ROUNDS]
#	SERVICES=2000 BACKENDS=20
#
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../api" && pwd)
# shellcheck source=tests/api/lib-frame.sh
. "$HERE/lib-frame.sh"

ROUNDS=${1:-30}
SERVICES=${SERVICES:-2000}
BACKENDS=${BACKENDS:-20}

api_start
candidate controller --leader-elect=false
subnet bench 10.90.0.0/16 'ranges: [{rangeStart: 10.90.1.0, rangeEnd: 10.90.9.255}]' | k apply -f - >/dev/null

# Each record's address with the time at which the watch showed it, in ms.
seen() {
	curl -sN --cacert "$DIR/tls.crt" -H "Authorization: Bearer admin" \
		"$API/apis/tandem-cni.io/v1/macvlanips?watch=true" |
		perl -MTime::HiRes=time -ne 'BEGIN { $| = 1 }
			printf "%d %s\n", time * 1000, $1 if /"name":"(p\d+)".*"cidr":"/ and !$seen{$1}++'
}
start seen seen

served() { grep -q " p$1\$" "$DIR/seen.log"; }
# one NUMBER FILE: a pod bound to a node; how long until its record has an address
one() {
	local began
	pods "$1" "$1" bench | k create --dry-run=client -o json -f - >"$DIR/pod.json"
	began=${EPOCHREALTIME/./}
	curl -sS -o /dev/null --cacert "$DIR/tls.crt" -H "Authorization: Bearer admin" -H 'Content-Type: application/json' \
		--data-binary @"$DIR/pod.json" "$API/api/v1/namespaces/default/pods"
	wait_for 30 served "$1" || { echo "pod p$1 got no address" >&2 && exit 1; }
	awk -v began="$began" -v pod="p$1" '$2 == pod { printf "%d\n", $1 - began / 1000 }' "$DIR/seen.log" >>"$DIR/$2"
}

# The pods behind all the Services run, with cards.
pods 1 "$BACKENDS" bench | k create -f - >/dev/null
wait_for 60 served_is "$BACKENDS" || exit 1
mapfile -t backends < <(pod_urls 1 "$BACKENDS")
mapfile -t statuses < <(pod_urls 1 "$BACKENDS" /status)
curls PATCH application/merge-patch+json '{"status":{"phase":"Running","podIP":"10.42.0.7","podIPs":[{"ip":"10.42.0.7"}],"conditions":[{"type":"Ready","status":"True"}]}}' "${statuses[@]}"
for ((i = 1; i <= SERVICES; i++)); do
	printf '{"apiVersion":"v1","kind":"Service","metadata":{"name":"s%d","namespace":"default"},"spec":{"selector":{"flaps":"yes"},"ports":[{"port":80}]}}\n' "$i"
done | split -l 200 - "$DIR/services."
for file in "$DIR"/services.*; do k create -f "$file" >/dev/null || exit 1; done

flap() {
	while :; do
		curls PATCH application/merge-patch+json '{"metadata":{"labels":{"flaps":"yes"}}}' "${backends[@]}"
		sleep 0.2
		curls PATCH application/merge-patch+json '{"metadata":{"labels":{"flaps":null}}}' "${backends[@]}"
		sleep 0.2
	done
}
next=1000
for ((turn = 0; turn < 3; turn++)); do
	for how in idle flapping; do
		[ "$how" = idle ] || start flap flap
		sleep 3
		for ((i = 0; i < (ROUNDS + 2) / 3; i++)); do one $((next++)) "$how"; done
		[ "$how" = idle ] || { stop "$pid_flap" && sleep 10; }
	done
done

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
idle=$(median "$DIR/idle") flapping=$(median "$DIR/flapping")
echo "load: $(cut -d' ' -f1-3 /proc/loadavg); $SERVICES Services on $BACKENDS pods; $(k get endpoints -o name | grep -c -- -macvlan) published"
echo "a pod's address, ms: idle $idle, with flapping labels $flapping (budget $((2 * idle + 100)): $([ "$flapping" -le $((2 * idle + 100)) ] && echo kept || echo MISSED))"
