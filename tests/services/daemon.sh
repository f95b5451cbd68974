#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The daemon beside a real API server: what it reads, what it leaves alone, and what goes on without it.
# shellcheck disable=SC2119,SC2120 # arguments that may be left out

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../contract/lib-apiserver.sh"
services_lab macvlan
pod A 5
pod B 10
pod C 11
serve "$B" b 192.168.10.10 5201
serve "$C" c 192.168.10.11 5201
apiserver_start
show_logs() { [ "$tests_failed" -eq 0 ] || tail -n 30 "$DIR/api/daemon.log" | sed 's/^/    | /'; }
at_exit show_logs

daemon_up() {
	apiserver_spawn daemon "$TANDEM_SERVICES_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --pins "$PINS" --cgroup "$CGROUP" \
		--state-dir "$DIR/state" --metrics-bind-address 127.0.0.1:9100 --v 4 "$@"
}
daemon_killed() {
	kill -9 "$PID_daemon"
	wait "$PID_daemon" 2>/dev/null
}
# service NAME IP [SPEC [ANNOTATIONS]]; endpoints NAME LABELS ADDRESS...
service() {
	kubectl_node apply -f - >/dev/null <<-YAML
		{"apiVersion":"v1","kind":"Service","metadata":{"name":"$1","annotations":{${4:-}}},
		"spec":{"clusterIP":"$2","ports":[{"name":"web","port":80,"targetPort":5201},{"name":"dns","port":53,"protocol":"UDP"}]${3:+,$3}}}
	YAML
}
endpoints() {
	local name=$1 labels=$2 list
	shift 2
	list=$(printf '{"ip":"%s"},' "$@")
	[ $# -gt 0 ] || list=
	kubectl_node apply -f - >/dev/null <<-YAML
		{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"$name","labels":{$labels}},
		"subsets":[{"addresses":[${list%,}],"ports":[{"name":"web","port":5201},{"name":"dns","port":5201,"protocol":"UDP"}]}]}
	YAML
}
none() { kubectl_node patch endpoints "$1" --type merge -p '{"subsets":null}' >/dev/null; }
answers() { [ "$(ask "$A" tcp "$1" "${3:-80}" | cut -d ' ' -f 1)" = "$2" ]; }
becomes() { # becomes NAME IP ANSWER [SECONDS]
	wait_for "${4:-5}" answers "$2" "$3" && pass "$1" || fail "$1" "$2 answers $(ask "$A" tcp "$2" 80)"
}
backends() { services svc ls -o json | jq -rc "[.[] | select(.address == \"$1\" and .scope == ${2:-0}) | \"\(.protocol) \(.port) \([.backends[].address] | join(\",\"))\"]"; }

# ---------------------------------------------------------------------------- what it reads
service web 10.43.0.100
endpoints web "" 192.168.10.10
service head None
daemon_up
becomes "a Service with its endpoint" 10.43.0.100 b 20
same "both its ports" '["TCP 80 192.168.10.10","UDP 53 192.168.10.10"]' "$(backends 10.43.0.100)"
same "nothing of the headless one, and the API server's own" "10.43.0.1 10.43.0.100" "$(services svc ls -o json | jq -r '[.[].address] | unique | join(" ")')"
same "not by hand" "false" "$(services svc ls -o json | jq -c '[.[].byHand] | unique[]')"
tests_now_ms t0
endpoints web "" 192.168.10.11
becomes "its endpoint changes" 10.43.0.100 c
tests_now_ms t1
echo "# from kubectl to a connection: $((t1 - t0)) ms"
none web
becomes "no endpoint: refused" 10.43.0.100 ECONNREFUSED
endpoints web "" 192.168.10.10 192.168.10.11
service sticky 10.43.0.101 '"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":77}}'
affinity() { [ "$(services svc ls -o json | jq -r '[.[] | select(.address == "10.43.0.101") | .affinitySeconds] | unique | join(" ")')" = 77 ]; }
check "affinity" wait_for 5 affinity
kubectl_node delete service sticky >/dev/null
gone() { [ "$(backends "$1")" = "[]" ]; }
check "a Service that is deleted goes" wait_for 5 gone 10.43.0.101

# ---------------------------------------------------------------------------- a LAN's own endpoints
kubectl_node apply -f - >/dev/null <<-'YAML'
	{"apiVersion":"tandem-cni.io/v1","kind":"MacvlanSubnet","metadata":{"name":"lan","namespace":"kube-system"},
	"spec":{"master":"lan0","cidr":"192.168.10.0/24","gateway":"192.168.10.1"}}
YAML
service lan 10.43.0.110 "" '"tandem-cni.io/cluster-ip":"eth1"'
endpoints lan "" 192.168.10.10
endpoints lan-macvlan '"tandem-cni.io/service":"lan"' 192.168.10.11
becomes "without a card there: the default set" 10.43.0.110 b
scope() { services svc ls -o json | jq -r '[.[] | select(.address == "10.43.0.110" and .scope != 0) | .scope] | unique[]'; }
has_scope() { [ -n "$(scope)" ]; }
check "the LAN's set is there" wait_for 5 has_scope
same "with the cards' addresses" '["TCP 80 192.168.10.11","UDP 53 192.168.10.11"]' "$(backends 10.43.0.110 "$(scope)")"
services ep add --netns="/run/netns/$A" --scope="$(scope)"
becomes "with a card there: the cards" 10.43.0.110 c
service lan 10.43.0.110
kubectl_node annotate service lan tandem-cni.io/cluster-ip- >/dev/null
becomes "the annotation goes: the default set" 10.43.0.110 b
services ep del --netns="/run/netns/$A"

# ---------------------------------------------------------------------------- by hand, beside it
services svc add --service=10.43.0.120:80/tcp --backend=192.168.10.11:5201
service hand 10.43.0.120
endpoints hand "" 192.168.10.10
told() { kubectl_node get events -A -o json | jq -e --arg r "$1" '[.items[] | select(.reason == $r and .involvedObject.kind == "Node")] | length > 0' >/dev/null; }
check "its ClusterIP was made by hand: an event of the node says so" wait_for 10 told ServiceMadeByHand
same "what was made by hand stays" c "$(ask "$A" tcp 10.43.0.120 80 | cut -c 1)"
other_port() { [ "$(ask "$A" udp 10.43.0.120 53 | sed 's/ source.*//')" = "b peer 10.43.0.120:53" ]; }
check "its other port is served" wait_for 10 other_port
services svc del --service=10.43.0.120:80/tcp
becomes "removed by hand: the cluster's takes its place" 10.43.0.120 b 40
check_fails "svc del of the cluster's is refused" services svc del --service=10.43.0.120:80
check_fails "svc add over the cluster's is refused" services svc add --service=10.43.0.120:80 --backend=192.168.10.11:5201

# ---------------------------------------------------------------------------- UDP ends
mkfifo "$DIR/in"
in_ns "$A" "$PEER" hold udp 10.43.0.120 53 <"$DIR/in" >"$DIR/held" &
exec 8>"$DIR/in"
lines() { [ "$(wc -l <"$DIR/held")" -ge "$1" ]; }
echo >&8 && wait_for 5 lines 1
echo wait >&8
endpoints hand "" 192.168.10.11
wait_for 5 lines 2
same "a connected UDP socket ends with its endpoint" ECONNABORTED "$(sed -n '2s/^[0-9]* //p' "$DIR/held")"
exec 8>&-

# ---------------------------------------------------------------------------- without it
hammer() { in_ns "$A" "$PEER" hammer "$1" 10.43.0.100 80 >"$DIR/hammer" 2>"$DIR/hammer.err" & HAMMER=$!; }
hammer 6000
daemon_killed
daemon_up
sleep 1
daemon_killed
daemon_up
wait $HAMMER
echo "# $(cat "$DIR/hammer") while it was killed twice"
same "killed and started again: no connection failed" "failed 0" "$(sed 's/ok [0-9]* //' "$DIR/hammer")"
daemon_killed
same "dead: what stands is served" b "$(ask "$A" tcp 10.43.0.110 80 | cut -c 1)"
kubectl_node delete service lan >/dev/null
endpoints web "" 192.168.10.11
daemon_up
becomes "started again: what has changed meanwhile" 10.43.0.100 c 20
check "what has gone meanwhile goes" wait_for 10 gone 10.43.0.110

apiserver_away
hammer 3000
wait $HAMMER
same "the API server is away: no connection fails" "failed 0" "$(sed 's/ok [0-9]* //' "$DIR/hammer")"
apiserver_back
endpoints web "" 192.168.10.10
becomes "it is back: followed again" 10.43.0.100 b 30

services unload
becomes "somebody unloads: it loads anew" 10.43.0.100 b 30
same "status knows the age" 1 "$(services status --json | jq 'if .secondsSinceSync >= 0 and .secondsSinceSync < 100 then 1 else 0 end')"
metric() { in_ns "$NODE" curl -s http://127.0.0.1:9100/metrics | sed -n "s/^$1 //p"; }
same "metrics: attached" 1 "$(metric tandem_services_attached)"
check "metrics: translated" [ "$(metric 'tandem_services_decisions_total{result="translated"}')" -gt 0 ]
same "metrics: entries" "$(services svc ls -o json | jq length)" "$(metric tandem_services_entries)"


# ---------------------------------------------------------------------------- full
"$TANDEM_TOOLS/services/flip" fill "$PINS/v1" 70000 1 >/dev/null
service late 10.43.0.130
endpoints late "" 192.168.10.10
check "no room is left: an event of the node says so" wait_for 20 told ServicesMapFull
same "that Service is left out whole" "[]" "$(backends 10.43.0.130)"
check "metrics: full" [ "$(metric tandem_services_full_total)" -gt 0 ]
same "the others are served" b "$(ask "$A" tcp 10.43.0.100 80 | cut -c 1)"

daemon_killed
services unload
