#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What tandem-services needs of a node with 10,000 Services of 5 endpoints each: memory, CPU, how long from its start until
# all stands in the maps, and from a change's answer by the API server until a connection goes there. etcd and the API
# server are real, and on this machine.
#
#	tests/bench/services-scale.sh [SERVICES [ENDPOINTS [JSON]]]	each of ENDPOINTS endpoints; two minutes

. "$(dirname "$0")/../services/lib.sh"
. "$(dirname "$0")/../contract/lib-apiserver.sh"
SERVICES=${1:-10000} EACH=${2:-5} JSON=${3:-}
CHANGES=21
services_lab macvlan
pod A 5
pod B 10
pod C 11
serve "$B" b 192.168.10.10 5201
serve "$C" c 192.168.10.11 5201
apiserver_start

# everything: what world (tests/api/world.c) is to make
everything() {
	awk -v n="$SERVICES" -v each="$EACH" 'BEGIN {
		for (i = 0; i < n; i++) {
			printf "post /api/v1/namespaces/default/services {\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s%d\"},\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":5201}]}}\n", i
			list = ""
			for (k = 0; k < each; k++)
				list = list sprintf("%s{\"ip\":\"10.%d.%d.%d\",\"nodeName\":\"n%d\",\"targetRef\":{\"kind\":\"Pod\",\"name\":\"s%d-%d\",\"namespace\":\"default\"}}", k ? "," : "", 100 + k, i / 250, i % 250 + 1, (i + k) % 500, i, k)
			printf "post /api/v1/namespaces/default/endpoints {\"apiVersion\":\"v1\",\"kind\":\"Endpoints\",\"metadata\":{\"name\":\"s%d\"},\"subsets\":[{\"addresses\":[%s],\"ports\":[{\"port\":5201}]}]}\n", i, list
			if (i % 250 == 249 || i == n - 1)
				print "drain"
		}
	}'
}
tests_now_ms t0
everything | in_ns "$NODE" "$TANDEM_TOOLS/api/world" "$DIR/kubeconfig" >"$DIR/made" 2>"$DIR/made.err"
tests_now_ms t1
same "all of them are made" "" "$(grep -v '^ok$' "$DIR/made" | head -n 3)"
echo "# $SERVICES Services and $((SERVICES * EACH)) endpoints made in $((t1 - t0)) ms"
target() {
	kubectl_node apply -f - >/dev/null <<-JSON
		{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"web"},"subsets":[{"addresses":[{"ip":"$1"}],"ports":[{"port":5201}]}]}
	JSON
}
echo '{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"clusterIP":"10.43.255.250","ports":[{"port":80,"targetPort":5201}]}}' |
	kubectl_node apply -f - >/dev/null
target 192.168.10.10

metric() { in_ns "$NODE" curl -s http://127.0.0.1:9100/metrics | sed -n "s/^$1 //p"; }
cpu_ms() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/^.*\) /, ""); print int(($12 + $13) * 1000 / hz) }' "/proc/$PID_daemon/stat"; }
memory_kib() { awk -v what="$1:" '$1 == what { print $2 }' "/proc/$PID_daemon/status"; }
all=$((SERVICES + 2)) # with "web" and the API server's own
full() { [ "$(metric tandem_services_entries)" = "$all" ]; }
begin() {
	tests_now_ms t0
	apiserver_spawn daemon "$TANDEM_SERVICES_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --pins "$PINS" --cgroup "$CGROUP" \
		--state-dir "$DIR/state" --metrics-bind-address 127.0.0.1:9100
	wait_for 60 full || fail "synced" "$(metric tandem_services_entries) of $all"
	tests_now_ms t1
}
maps_before=$("$PEER" memory)
begin
first_ms=$((t1 - t0)) first_cpu=$(cpu_ms)
same "all of them are in the maps" "$all" "$(services svc ls -o json | jq length)"
same "with all their endpoints" "$((SERVICES * EACH))" "$(services svc ls -o json | jq '[.[].backends[] | select(.address | startswith("10.1"))] | length')"
before=$(cpu_ms)
sleep 30
rest_cpu=$(($(cpu_ms) - before))

# A change: from the API server's answer until the first connection that goes to the other one.
for ((i = 0; i < CHANGES; i++)); do
	case $((i % 2)) in 0) to=192.168.10.11 name=c ;; *) to=192.168.10.10 name=b ;; esac
	in_ns "$NODE" curl -sk -o /dev/null -X PATCH -H 'Authorization: Bearer secret-token' -H 'Content-Type: application/merge-patch+json' \
		-d '{"subsets":[{"addresses":[{"ip":"'$to'"}],"ports":[{"port":5201}]}]}' https://127.0.0.1:6443/api/v1/namespaces/default/endpoints/web
	from=${EPOCHREALTIME/./}
	until [ "$(ask "$A" tcp 10.43.255.250 80 | cut -c 1)" = $name ]; do
		[ $((${EPOCHREALTIME/./} - from)) -lt 20000000 ] || { fail "a change" "not seen within 20 s" && break; }
	done
	echo $((${EPOCHREALTIME/./} - from)) >>"$DIR/changes"
done
change_us=$(sort -n "$DIR/changes" | sed -n "$((CHANGES / 2 + 1))p") worst_us=$(sort -n "$DIR/changes" | tail -n 1)
peak=$(memory_kib VmHWM) now=$(memory_kib VmRSS) maps=$(($("$PEER" memory) - maps_before))

kill -9 "$PID_daemon"
wait "$PID_daemon" 2>/dev/null
# What stands is read first: the counter begins anew, and nothing is written.
begin
again_ms=$((t1 - t0))
same "a second start writes nothing" 0 "$(metric tandem_services_written_total)"

cat <<TEXT
$SERVICES Services, $((SERVICES * EACH)) endpoints
  from start to all in the maps   $first_ms ms, $first_cpu ms of CPU; a second start $again_ms ms
  memory                          $((peak / 1024)) MiB at most, $((now / 1024)) MiB then, and $((maps / 1024)) MiB of the kernel for the maps
  CPU at rest                     $rest_cpu ms in 30 s
  from a change to the map        $((change_us / 1000)) ms (median of $CHANGES, at most $((worst_us / 1000)))
TEXT
# The kernel charges maps to who has made them.
check "both are below the manifest's limit" [ $((peak + maps)) -le $((96 * 1024)) ]
[ -n "$JSON" ] || exit 0
jq -n --argjson services "$SERVICES" --argjson endpoints $((SERVICES * EACH)) --argjson first $first_ms --argjson again $again_ms \
	--argjson peak "$peak" --argjson maps "$maps" --argjson rest "$rest_cpu" --argjson change "$change_us" \
	'{services: $services, endpoints: $endpoints, syncMs: $first, secondStartMs: $again, peakKiB: $peak, mapsKiB: $maps, cpuMsIn30s: $rest, changeUs: $change}' >"$JSON"
