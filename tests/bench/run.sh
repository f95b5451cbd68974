#!/bin/bash
# What tandem costs over the bare primary: single ADD and DEL side by side in one run, medians of ROUNDS
# (default 15), and ADDs in parallel. Primary: the reference plugins bridge + host-local. The API server is a
# real one on the same machine. Times are those of whole processes and mean something beside each other only.
#
#	tests/bench/run.sh [ROUNDS]

. "$(dirname "$0")/../contract/lib.sh"
. "$(dirname "$0")/../contract/lib-apiserver.sh"

ROUNDS=${1:-15}
PARALLEL=20
ONERUN=${TANDEM_TOOLS:-$TESTS_ROOT/build/dev/tests}/bench/onerun
[ -x "$ONERUN" ] || { echo "$ONERUN is missing: make tests-dev" >&2 && exit 1; }

contract_node
apiserver_start
bridge=$(primary | tr -d '\n' | jq -c '.plugins[0] + {name, cniVersion}')
printf '%s' "$bridge" >"$DIR/bare.json"
conf "$bridge" | tr -d '\n' | sed 's/"logLevel":"debug"/"logLevel":"error"/' >"$DIR/plain.json"
sed 's,pod-annotations":{},pod-annotations":{"tandem-cni.io/subnet":"vlan100"},' "$DIR/plain.json" >"$DIR/card.json"

# one KIND VERB: a single call; prints "<exit> <us> <KiB>"
one() {
	local program=$TANDEM_BIN
	[ "$1" != bare ] || program=$CNI_PLUGINS/bridge
	env -i CNI_COMMAND="$2" CNI_CONTAINERID="$CID" CNI_NETNS="$NETNS" CNI_IFNAME=eth0 CNI_PATH="$CNI_PLUGINS" \
		CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=$POD_NAME;K8S_POD_UID=$POD_UID" \
		nsenter --net=/run/netns/"$NODE" "$ONERUN" "$DIR/$1.json" "$program"
}

give() { # give NAME NUMBER: a record with the address of that number
	record "$1" "$POD_UID" '{"cidr":"192.168.100.'"$2"'/24","mac":"0a:00:00:00:00:'"$(printf %02x "$2")"'","gateway":"192.168.100.1"}'
}

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

for ((round = 0; round < ROUNDS; round++)); do
	for kind in bare plain card; do
		new_pod
		POD_NAME=bench POD_UID=$(cat /proc/sys/kernel/random/uuid)
		[ "$kind" != card ] || give bench 50
		for verb in ADD DEL; do
			read -r rc us rss < <(one "$kind" "$verb")
			[ "$rc" = 0 ] || { echo "$kind $verb failed with $rc" >&2 && exit 1; }
			echo "$us" >>"$DIR/$kind.$verb"
			echo "$rss" >>"$DIR/$kind.rss"
		done
		drop_pod
	done
done

parallel() { # parallel KIND: PARALLEL ADDs at once; prints ADDs per second
	local kind=$1 i start end pods=() jobs=()
	for ((i = 0; i < PARALLEL; i++)); do
		new_pod
		POD_NAME=par-$i POD_UID=$(cat /proc/sys/kernel/random/uuid)
		[ "$kind" != card ] || give "$POD_NAME" $((100 + i))
		pods+=("$POD $NETNS $CID $POD_NAME $POD_UID")
	done
	start=${EPOCHREALTIME/./}
	for ((i = 0; i < PARALLEL; i++)); do
		read -r POD NETNS CID POD_NAME POD_UID <<<"${pods[i]}"
		one "$kind" ADD >"$DIR/par.$i" &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	end=${EPOCHREALTIME/./}
	for ((i = 0; i < PARALLEL; i++)); do
		read -r POD NETNS CID POD_NAME POD_UID <<<"${pods[i]}"
		[ "$(cut -d' ' -f1 "$DIR/par.$i")" = 0 ] || echo "$kind ADD $i failed" >&2
		one "$kind" DEL >/dev/null
		drop_pod
	done
	echo $((PARALLEL * 1000000 / (end - start)))
}

printf '%-34s %10s %10s %10s\n' "medians of $ROUNDS, ms" "bare" "plain pod" "with card"
for verb in ADD DEL; do
	printf '%-34s' "$verb"
	for kind in bare plain card; do
		awk -v us="$(median "$DIR/$kind.$verb")" 'BEGIN { printf " %10.2f", us / 1000 }'
	done
	printf '\n%-34s %10s' "$verb over the bare primary" ""
	for kind in plain card; do
		awk -v us="$(median "$DIR/$kind.$verb")" -v bare="$(median "$DIR/bare.$verb")" \
			'BEGIN { printf " %+10.2f", (us - bare) / 1000 }'
	done
	printf '\n'
done
printf '%-34s' "$PARALLEL at once, ADDs a second"
for kind in bare plain card; do printf ' %10s' "$(parallel "$kind")"; done
printf '\n%-34s' "peak RSS, MiB"
for kind in bare plain card; do
	awk -v kib="$(sort -n "$DIR/$kind.rss" | tail -n 1)" 'BEGIN { printf " %10.1f", kib / 1024 }'
done
printf '\n'
