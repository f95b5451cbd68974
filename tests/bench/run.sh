#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What tandem costs over the bare primary, side by side in one run: medians of ROUNDS (15 and more), and ADDs in
# parallel. Primary: the reference plugins bridge + host-local. The API server is a real one on the same
# machine. Each round has one pod of every kind, in an order that changes, so that what else the machine does
# meets all of them. Times are those of whole processes and mean something beside each other only; CPU time,
# that of the process and its children, is less in the hands of others.
#
#	bare    the primary alone                 plain   tandem, pod without a card
#	card    tandem, pod with a card           door    the same, by the node's door: tandem-node asks the API server
#
#	tests/bench/run.sh [ROUNDS]

. "$(dirname "$0")/../contract/lib.sh"
. "$(dirname "$0")/../contract/lib-apiserver.sh"

ROUNDS=${1:-15}
PARALLEL=20 PARALLEL_ROUNDS=5
GC_PODS=10
ONERUN=${TANDEM_TOOLS:-$TESTS_ROOT/build/dev/tests}/bench/onerun
[ -x "$ONERUN" ] || { echo "$ONERUN is missing: make tests-dev" >&2 && exit 1; }

contract_node
apiserver_start
# The bridge plugin's CHECK wants the gateway in each route.
bridge=$(primary | tr -d '\n' | jq -c '.plugins[0] + {name, cniVersion: "1.0.0"} | .ipam.routes[].gw = "10.42.0.1"')
printf '%s' "$bridge" >"$DIR/bare.json"
VERSION=1.1.0 conf "$bridge" | tr -d '\n' | sed 's/"logLevel":"debug"/"logLevel":"error"/' >"$DIR/plain.json"
sed 's,pod-annotations":{},pod-annotations":{"tandem-cni.io/subnet":"vlan100"},' "$DIR/plain.json" >"$DIR/card.json"

jq -c --arg socket "$DIR/node.sock" '. + {socket: $socket} | del(.kubeconfig)' "$DIR/card.json" >"$DIR/door.json"
jq -c --arg socket "$DIR/none.sock" '. + {socket: $socket}' "$DIR/card.json" >"$DIR/card.json.new"
mv "$DIR/card.json.new" "$DIR/card.json"
apiserver_spawn node "$TANDEM_NODE_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --state-dir "$DIR/state" \
	--conf "$DIR/none" --plugin "$TANDEM_BIN" --socket "$DIR/node.sock"
wait_for 20 test -S "$DIR/node.sock" || exit 1

# one KIND VERB: a single call; sets RC US CPU RSS
one() {
	local program=$TANDEM_BIN
	[ "$1" != bare ] || program=$CNI_PLUGINS/bridge
	read -r RC US CPU RSS < <(env -i CNI_COMMAND="$2" CNI_CONTAINERID="$CID" CNI_NETNS="$NETNS" CNI_IFNAME=eth0 \
		CNI_PATH="$CNI_PLUGINS" \
		CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=$POD_NAME;K8S_POD_UID=$POD_UID" \
		nsenter --net=/run/netns/"$NODE" "$ONERUN" "${INPUT:-$DIR/$1.json}" "${OUTPUT:-/dev/null}" "$program")
	[ "$RC" = 0 ] || echo "$1 $2 failed with $RC" >&2
}

# measure KIND VERB NAME: one call that counts, in the files $DIR/KIND.NAME and .NAME-cpu and .rss
measure() {
	one "$1" "$2"
	[ "$RC" = 0 ] || exit 1
	echo "$US" >>"$DIR/$1.$3"
	echo "$CPU" >>"$DIR/$1.$3-cpu"
	echo "$RSS" >>"$DIR/$1.rss"
}

give() { # give NAME NUMBER: a record with the address of that number
	record "$1" "$POD_UID" '{"cidr":"192.168.100.'"$2"'/24","mac":"0a:00:00:00:00:'"$(printf %02x "$2")"'","gateway":"192.168.100.1"}'
}
uid_of() { printf '00000000-0000-4000-8000-%012d' "$1"; }

# --- single calls -----------------------------------------------------------------------------------

single() { # single KIND
	new_pod
	POD_NAME=bench POD_UID=$(uid_of 50)
	OUTPUT=$DIR/result measure "$1" ADD ADD
	# As runtimes hand it over.
	jq -c --slurpfile r "$DIR/result" '. + {prevResult: $r[0]}' "$DIR/$1.json" >"$DIR/check.json"
	INPUT=$DIR/check.json measure "$1" CHECK CHECK
	[ "$1" = bare ] || measure "$1" STATUS STATUS
	measure "$1" DEL DEL
	drop_pod
}
POD_UID=$(uid_of 50)
give bench 50
kinds=(bare plain card door)
for ((round = 0; round < ROUNDS; round++)); do
	for kind in "${kinds[@]}"; do single "$kind"; done
	kinds=("${kinds[@]:1}" "${kinds[0]}")
done

# --- many at once, and GC ---------------------------------------------------------------------------

# pods N FIRST: that many of them, in the array PODS
pods() {
	local i
	PODS=()
	for ((i = 0; i < $1; i++)); do
		new_pod
		PODS+=("$POD $NETNS $CID many-$((i + $2)) $(uid_of $((i + $2)))")
	done
}
each_pod() { # each_pod CMD...: with the variables of each of PODS set
	local pod
	for pod in "${PODS[@]}"; do
		read -r POD NETNS CID POD_NAME POD_UID <<<"$pod"
		"$@"
	done
}
give_own() { give "$POD_NAME" "${POD_NAME#many-}"; }
begin() {
	one "$1" ADD &
	jobs+=($!)
}
parallel() { # parallel KIND: all of them at once, in ADDs a second
	local start end jobs=()
	pods $PARALLEL 100
	start=${EPOCHREALTIME/./}
	each_pod begin "$1"
	wait "${jobs[@]}"
	end=${EPOCHREALTIME/./}
	each_pod one "$1" DEL
	each_pod drop_pod
	echo $((PARALLEL * 1000000 / (end - start))) >>"$DIR/$1.parallel"
}
collect() { # collect KIND: all pods gone, and no DEL
	pods $GC_PODS 100
	each_pod one "$1" ADD
	jq -c '. + {"cni.dev/valid-attachments": []}' "$DIR/$1.json" >"$DIR/gc.json"
	INPUT=$DIR/gc.json measure "$1" GC GC
	each_pod drop_pod
}

pods $PARALLEL 100
each_pod give_own
each_pod drop_pod
kinds=(bare plain card door)
for ((round = 0; round < PARALLEL_ROUNDS; round++)); do
	for kind in "${kinds[@]}"; do parallel "$kind"; done
	kinds=("${kinds[@]:1}" "${kinds[0]}")
done
for ((round = 0; round < ROUNDS; round++)); do
	for kind in plain card door; do collect "$kind"; done
done

# --- the table --------------------------------------------------------------------------------------

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ms() { awk -v us="$1" -v f="${2:-%.2f}" 'BEGIN { printf f, us / 1000 }'; }
row() { printf '%-26s %9s %9s %9s %9s  %s\n' "$@"; }

# budget VALUE most|least LIMIT: what is to be said of it
budget() {
	awk -v v="$1" -v way="$2" -v l="$3" \
		'BEGIN { printf "(budget %s%s: %s)", way == "most" ? "<= " : ">= ", l, (way == "most" ? v <= l : v >= l) ? "kept" : "MISSED" }'
}

# compare NAME [PLAIN CARD]: medians, then differences and ratios; the budgets of the differences in ms
compare() {
	local name=$1 kind said="" verdict=""
	local -A m
	for kind in bare plain card door; do m[$kind]=$(median "$DIR/$kind.$name"); done
	row "$name, ms" "$(ms "${m[bare]}")" "$(ms "${m[plain]}")" "$(ms "${m[card]}")" "$(ms "${m[door]}")" ""
	[ $# -lt 3 ] || verdict="plain $(budget "$(ms $((m[plain] - m[bare])))" most "$2") card $(budget "$(ms $((m[card] - m[bare])))" most "$3")"
	row "  over bare" "" "$(ms $((m[plain] - m[bare])) %+.2f)" "$(ms $((m[card] - m[bare])) %+.2f)" \
		"$(ms $((m[door] - m[bare])) %+.2f)" "$verdict"
	for kind in plain card door; do
		said+=" $(awk -v a="${m[$kind]}" -v b="${m[bare]}" 'BEGIN { printf "x%.2f", a / b }')"
	done
	# shellcheck disable=SC2086 # three words
	row "  ratio" "" $said ""
	# Each pod beside the bare one of the same round: who comes and goes meanwhile meets both.
	said=""
	for kind in plain card door; do
		paste "$DIR/$kind.$name" "$DIR/bare.$name" | awk '{ print $1 - $2 }' >"$DIR/pairs"
		said+=" $(ms "$(median "$DIR/pairs")" %+.2f)"
	done
	# shellcheck disable=SC2086
	row "  median of the pairs" "" $said ""
}
single_row() { # single_row TEXT NAME LIMIT
	row "$1" "" "$(ms "$(median "$DIR/plain.$2")")" "$(ms "$(median "$DIR/card.$2")")" "$(ms "$(median "$DIR/door.$2")")" \
		"$([ -z "$3" ] || budget "$(ms "$(median "$DIR/card.$2")")" most "$3")"
}

echo "load: $(cut -d' ' -f1-3 /proc/loadavg)"
row "medians of $ROUNDS" bare plain card door ""
compare ADD 1 3
compare ADD-cpu
compare DEL 2 2
compare DEL-cpu
compare CHECK
single_row "STATUS, ms" STATUS 50
single_row "GC of $GC_PODS, ms" GC ""
parallel_of() { median "$DIR/$1.parallel"; }
row "$PARALLEL at once, ADDs a second" "$(parallel_of bare)" "$(parallel_of plain)" "$(parallel_of card)" "$(parallel_of door)" \
	"$(budget "$(parallel_of card)" least 150), median of $PARALLEL_ROUNDS"
mib() { awk -v kib="$(sort -n "$DIR/$1.rss" | tail -n 1)" 'BEGIN { printf "%.1f", kib / 1024 }'; }
row "peak RSS, MiB" "$(mib bare)" "$(mib plain)" "$(mib card)" "$(mib door)" "$(budget "$(mib card)" most 8), the primary's plugins included"
