# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: the journal. Who had which address, through leaders that are killed at any step, is what the
# program world has seen with its own eyes; and what it costs. This script plays the kubelets.
#
#	JOURNAL_PODS=1000 JOURNAL_ROUNDS=5	10,000 changes; fewer by default
m() { env -i PATH="$PATH" KUBECONFIG="$DIR/admin.conf" "$TANDEM_KUBECTL_BIN" "$@"; }
# doc NAME: the output that docs/kubectl.md has under that name
doc() {
	awk -v name="<!-- output: $1 -->" '$0 == name { on = 1; next } on && /^```/ { if (n++) exit; next } on && n { print }' \
		"$ROOT/docs/kubectl.md"
}
part() { k get configmap -n kube-system "tandem-journal-$1" -o json; }
uid_of() { k get pod "$1" -o jsonpath='{.metadata.uid}'; }
# spans ADDRESS: who had it, one a line
spans() { m history "$1" -o json 2>/dev/null | jq -r '.items[] | "\(.pod) \(.node) \(.reason // "has it")"'; }
ends_with() {
	local want=$1 rc=0
	shift
	"$@" >/dev/null 2>&1 || rc=$?
	[ "$rc" -eq "$want" ]
}
kill_controller() {
	controller_alive || return 0
	kill -9 "$pid_controller"
	wait "$pid_controller" 2>/dev/null
}

kill_controller
clean_slate
for ((i = 0; i < 16; i++)); do k delete configmap -n kube-system "tandem-journal-$i"; done >/dev/null 2>&1

# --------------------------------------------------------------------------- a few, one after the other
subnet few 10.90.0.0/24 'vlan: 90' 'ipDelayReuse: 0' 'ranges: [{rangeStart: 10.90.0.10, rangeEnd: 10.90.0.10}]' | k apply -f - >/dev/null
: >"$DIR/controller.log"
candidate controller --leader-elect=false --hold-unwitnessed 3
check "the subnet is ready" wait_for 20 ready_is few True
pods 1 1 few | k create -f - >/dev/null
check "the first has the address" wait_for 10 served_is 1
first=$(uid_of p1) mac=$(k get macvlanip p1 -o jsonpath='{.spec.mac}')
finish 1 1
check "and gives it back" wait_for 10 no_records
pods 2 2 few | k create -f - >/dev/null
check "the second has it" wait_for 10 served_is 1
sleep_until_next_second() { local now=$EPOCHSECONDS; while [ "$EPOCHSECONDS" = "$now" ]; do nap 0.05; done; }
sleep_until_next_second
between=$(date -u +%FT%TZ)
k delete pod p2 --force --grace-period=0 >/dev/null 2>&1
check "and is held for a while" wait_for 20 no_records
pods 3 3 few | k create -f - >/dev/null
check "the third has it" wait_for 10 served_is 1
same "who had it, out of the status alone" "default/p1 n1 finished
default/p2 n1 unwitnessed
default/p3 n1 has it" "$(spans 10.90.0.10)"
same "by its MAC" 3 "$(m history "$mac" -o json | jq '.items | length')"
same "at a time" "default/p2" "$(m history 10.90.0.10 --at "$between" -o json | jq -r '.items[].pod')"
same "the pod's UID" "$first" "$(m history 10.90.0.10 -o json | jq -r '.items[0].podUID')"
check "nobody had it then: 1" ends_with 1 m history 10.90.0.10 --at 2001-01-01T00:00:00Z
check "nobody had that one: 1" ends_with 1 m history 10.90.0.11
check "no address: 2" ends_with 2 m history nonsense
check "no time: 2" ends_with 2 m history 10.90.0.10 --at noon
times='s/[0-9]\{4\}-[0-9-]*T[0-9:]*Z/TIME/g'
same "as documented" "$(doc history | sed "$times" | tr -s ' ')" "$(m history 10.90.0.10 | sed "$times" | tr -s ' ')"
same "the log has the same, as JSON" "given default/p1 null
ended default/p1 finished
given default/p2 null
ended default/p2 unwitnessed
given default/p3 null" "$(grep '^{' "$DIR/controller.log" | jq -r 'select(.address) | "\(.journal) \(.pod) \(.why)"')"
same "no ConfigMap for so few" "" "$(k get configmaps -n kube-system -o name | grep journal)"

# A StatefulSet's record changes its pod without a write to the subnet.
k apply -f - >/dev/null <<-YAML
	apiVersion: apps/v1
	kind: StatefulSet
	metadata: {name: db, namespace: default}
	spec:
	  replicas: 1
	  serviceName: db
	  selector: {matchLabels: {app: db}}
	  template: {metadata: {labels: {app: db}, annotations: {tandem-cni.io/subnet: few}}, spec: {containers: [{name: c, image: none}]}}
YAML
finish 3 3
check "the third gives it back" wait_for 10 no_records
stateful() {
	k create -f - >/dev/null <<-YAML
		apiVersion: v1
		kind: Pod
		metadata:
		  name: db-0
		  namespace: default
		  labels: {app: db, statefulset.kubernetes.io/pod-name: db-0}
		  annotations: {tandem-cni.io/subnet: few}
		  ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: db, uid: "$(k get statefulset db -o jsonpath='{.metadata.uid}')", controller: true}]
		spec: {nodeName: n1, containers: [{name: c, image: none}]}
	YAML
}
end_stateful() {
	local url=/api/v1/namespaces/default/pods/db-0
	curls DELETE application/json '{"gracePeriodSeconds":30}' "$url"
	curls PATCH application/merge-patch+json "$TERMINATED" "$url/status"
	curls DELETE application/json '{"gracePeriodSeconds":0}' "$url"
}
record_pod() { [ "$(k get macvlanip db-0 -o jsonpath='{.spec.podId}')" = "$1" ]; }
stateful
check "db-0 has it" wait_for 10 served_is 1
one=$(uid_of db-0)
check "its record names it" record_pod "$one"
end_stateful
check "it is kept" wait_for 10 record_pod ""
stateful
two=$(uid_of db-0)
check "the next db-0 takes it over" wait_for 10 record_pod "$two"
# Something that needs a write: then it is in the status, too.
k delete statefulset db --wait=false >/dev/null
end_stateful
check "all go" wait_for 20 no_records
tail_is() { [ "$(m history 10.90.0.10 -o json 2>/dev/null | jq -r '.items[-2:][] | "\(.podUID) \(.reason)"')" = "$1" ]; }
check "both pods of the StatefulSet are told apart" wait_for 10 tail_is "$one kept
$two finished"

# --------------------------------------------------------------------------- many, and leaders that are killed
kill_controller
k delete pods --all --force --grace-period=0 >/dev/null 2>&1
: "${JOURNAL_PODS:=200}" "${JOURNAL_ROUNDS:=3}"
subnet load 10.50.0.0/16 'ipDelayReuse: 0' \
	"ranges: [{rangeStart: 10.50.1.0, rangeEnd: 10.50.$((1 + (JOURNAL_PODS - 1) / 256)).$(((JOURNAL_PODS - 1) % 256))}]" | k apply -f - >/dev/null
world_up
ask journal "$DIR/seen"
replica() {
	run "$1" "$TANDEM_CONTROLLER_BIN" --kubeconfig "$DIR/controller.conf" --kube-api-qps 0 --release-after-terminal 2 \
		--hold-unwitnessed 5 --attached-by pod-ip --journal-parts 16 --leader-elect-lease-duration 6s \
		--leader-elect-renew-deadline 5s --leader-elect-retry-period 500ms
}
revive() {
	local name
	for name in one two; do
		[ -z "${PID[$name]:-}" ] || ! has_ended "$name" || replica "$name"
	done
}
all_served() { revive; ask served "$JOURNAL_PODS" && [ "$answer" = yes ]; }
records_are() { revive; ask records && [ "$answer" -eq "$1" ]; }
some_are() { revive; ask records && [ "$answer" -ge "$1" ]; }
fewer_are() { revive; ask records && [ "$answer" -le "$1" ]; }
kill_leader() {
	local name
	for name in one two; do
		if leads "$name"; then
			halt "$name"
			replica "$name"
			return 0
		fi
	done
}
# within SECONDS NAME COMMAND...: in this shell, where the program world is
within() {
	if wait_for "$1" "${@:3}"; then pass "$2"; else fail "$2" "not within $1 s: ${*:3}"; fi
}
replica one
replica two
for ((round = 1; round <= JOURNAL_ROUNDS; round++)); do
	ask come load "j$((round * JOURNAL_PODS + 1))..j$(((round + 1) * JOURNAL_PODS))"
	wait_for 60 some_are $((JOURNAL_PODS / 3))
	kill_leader
	within 300 "round $round: the leader was killed, all are served" all_served
	ask leave "j$((round * JOURNAL_PODS + 1))..j$(((round + 1) * JOURNAL_PODS))"
	wait_for 60 fewer_are $((JOURNAL_PODS / 2))
	kill_leader
	within 300 "round $round: killed again, all are gone" records_are 0
	ask drain
done
nothing_used() { status_is load used 0; }
check "all addresses are free" wait_for 20 nothing_used
ask journal -
halt one
halt two

m history -o json >"$DIR/journal.json" 2>"$DIR/journal.err"
same "nothing is missing, and the hashes fit" "" "$(cat "$DIR/journal.err")"
awk '$1 == "+" && $2 ~ /^10\.50\./ { print $2, $3 }' "$DIR/seen" | sort >"$DIR/seen.pairs"
jq -r '.items[] | select(.subnet == "load" and .reason != "taken-back") | "\(.address) \(.podUID)"' "$DIR/journal.json" | sort >"$DIR/journal.pairs"
jq -r '.items[] | select(.subnet == "load") | "\(.address) \(.podUID)"' "$DIR/journal.json" | sort >"$DIR/journal.all"
same "as many changes as there were" $((2 * JOURNAL_PODS * JOURNAL_ROUNDS)) "$(awk '$2 ~ /^10\.50\./' "$DIR/seen" | wc -l)"
same "whoever was seen with an address is in the journal" "" "$(comm -23 "$DIR/seen.pairs" "$DIR/journal.all" | head -5)"
same "and nobody else is, but whose address was taken back in flight" "" "$(comm -13 "$DIR/seen.pairs" "$DIR/journal.pairs" | head -5)"
same "every one of them has ended" "" "$(jq -r '.items[] | select(.subnet == "load" and .until == null) | .pod' "$DIR/journal.json" | head -5)"
# Two pods never had an address at one time.
same "no two at a time" "" "$(jq -r '[.items[] | select(.subnet == "load")] | group_by(.address)[] |
	sort_by(.from, .until) | range(1; length) as $i | select((.[$i].from | fromdate) < (.[$i - 1].until | fromdate) - 1) | .[$i].pod' "$DIR/journal.json" | head -5)"
writes=$(for ((i = 0; i < 16; i++)); do part "$i" 2>/dev/null | jq -r '.data.head'; done | awk '{ if ($2 > n) n = $2 } END { print n + 0 }')
echo "# $((2 * JOURNAL_PODS * JOURNAL_ROUNDS)) changes, $(wc -l <"$DIR/journal.pairs") addresses: $writes writes of the journal"
check "at most 0.05 writes for an address" [ $((writes * 20)) -le $((JOURNAL_PODS * JOURNAL_ROUNDS)) ]
large=$(for ((i = 0; i < 16; i++)); do part "$i" 2>/dev/null | jq -r '[.data[] | length] | add'; done | sort -n | tail -n 1)
check "no part is larger than it may be" [ "$large" -le $((256 * 1024 + 200)) ]

# --------------------------------------------------------------------------- whoever changes it afterwards
key=$(part 0 | jq -r '[.data | keys[] | select(. != "head")] | sort | .[0]')
part 0 | jq --arg key "$key" '.data[$key] |= sub("default/j"; "default/x")' | k replace -f - >/dev/null
check "a batch that was changed: 1" ends_with 1 m history 10.50.1.0
same "which one" "warning: the journal: batch $((10#$key + 1)) was changed, or the one before it: their hashes do not fit" \
	"$(m history 10.50.1.0 2>&1 >/dev/null | head -1)"

# --------------------------------------------------------------------------- it is never in the way
for ((i = 0; i < 16; i++)); do k delete configmap -n kube-system "tandem-journal-$i"; done >/dev/null 2>&1
k create quota -n kube-system none --hard=count/configmaps=0 >/dev/null
candidate controller --leader-elect=false --journal-parts 2
half=$((JOURNAL_PODS < 200 ? JOURNAL_PODS : 200))
ask come load "q1..q$half"
served() { ask served "$half" && [ "$answer" = yes ]; }
within 60 "no ConfigMap can be made: all are served" served
ask leave "q1..q$half"
within 60 "and go again" records_are 0
ask drain
k delete quota -n kube-system none >/dev/null
written() { part 0 >/dev/null 2>&1; }
check "once it can be, it is" wait_for 60 written
same "and nothing was lost" "$half" "$(m history -o json 2>/dev/null | jq '[.items[] | select(.pod != null and (.pod | startswith("default/q")))] | length')"

# The ring: what does not fit any more goes.
ring() { k get configmaps -n kube-system -o name | grep -c journal; }
same "two parts at most" yes "$([ "$(ring)" -le 2 ] && echo yes)"
kill_controller
k delete macvlansubnets -n kube-system --all --wait=false >/dev/null
clean_slate
