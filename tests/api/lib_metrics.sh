# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: what /metrics says, to the letter where the numbers are known.
[ -z "${pid_controller:-}" ] || stop "$pid_controller"
METRICS=127.0.0.1:$((PORT + 7))
candidate controller --leader-elect=false --metrics-bind-address "$METRICS"
subnet seen 10.77.0.0/24 'ipDelayReuse: 600' 'ranges: [{rangeStart: 10.77.0.10, rangeEnd: 10.77.0.13}]' | k apply -f - >/dev/null
pods 1951 1955 seen | k create -f - >/dev/null
check "four pods are served" wait_for 20 served_is 4
waiting_is() { [ "$(metric 'tandem_subnet_waiting_pods{subnet="seen"}')" = "$1" ]; }
metrics() { curl -sf "http://$METRICS/metrics"; }
metric() { metrics | sed -n "s/^$1 //p"; }
check "one waits" wait_for 20 waiting_is 1
first_served() { k get macvlanips -o json | jq -r '[.items[] | select(.spec.cidr)][0].metadata.name'; }
gone_one=$(first_served)
finish "${gone_one#p}" "${gone_one#p}"
check "one goes" wait_for 20 gone macvlanip "$gone_one"
check "the one that waits has none of what cools down" wait_for 20 status_is seen cooling 1
curls PATCH application/merge-patch+json '{"status":{"phase":"Attached"}}' \
	"/apis/tandem-cni.io/v1/namespaces/default/macvlanips/$(first_served)/status"
attached_is() { [ "$(metric 'tandem_macvlanips{phase="Attached"}')" = "$1" ]; }
check "one is reported as attached" wait_for 20 attached_is 1
want='tandem_addresses_released_total 1
tandem_leader 1
tandem_macvlanips{phase="Allocated"} 2
tandem_macvlanips{phase="Attached"} 1
tandem_macvlanips{phase="Conflict"} 0
tandem_macvlanips{phase="Missing"} 0
tandem_macvlanips{phase="Pending"} 1
tandem_pod_events_total{reason="AddressAllocated"} 4
tandem_pod_events_total{reason="SubnetExhausted"} 1
tandem_subnet_addresses{subnet="seen",state="cooling"} 1
tandem_subnet_addresses{subnet="seen",state="free"} 0
tandem_subnet_addresses{subnet="seen",state="quarantined"} 0
tandem_subnet_addresses{subnet="seen",state="reserved"} 0
tandem_subnet_addresses{subnet="seen",state="total"} 4
tandem_subnet_addresses{subnet="seen",state="used"} 3
tandem_subnet_nodes{subnet="seen",result="failed"} 0
tandem_subnet_nodes{subnet="seen",result="ok"} 0
tandem_subnet_nodes{subnet="seen",result="untested"} 0
tandem_subnet_waiting_pods{subnet="seen"} 1'
same "the numbers" "$want" "$(metrics | grep -E '^tandem_(leader|macvlanips|subnet|addresses|pod_events)' |
	awk '!/subnet=/ || /subnet="seen"/' | grep -v '^tandem_pod_events.* 0$' | LC_ALL=C sort)"
curls PATCH application/merge-patch+json '{"status":{"phase":"Conflict"}}' \
	"/apis/tandem-cni.io/v1/namespaces/default/macvlanips/$(k get macvlanips -o json | jq -r '.items[] | select(.status.phase == "Attached").metadata.name')/status"
contradicting() { metrics | sed -n 's/^tandem_contradicting_reports_total//p' | xargs -d '\n'; }
contradicting_are() { [ "$(contradicting)" = "$1" ]; }
check "a conflict of an attached card contradicts" wait_for 20 contradicting_are '{about="conflict"} 1 {about="down"} 0 {about="card"} 0'
same "each family has its help and its type, once and before its samples" "" "$(metrics | awk '
	/^# HELP / { if ($3 in help) print "twice: " $3; help[$3] = 1; next }
	/^# TYPE / { if (!($3 in help) || ($4 != "gauge" && $4 != "counter" && $4 != "histogram")) print "bad: " $0; now = $3; kind = $4; next }
	/^[a-z_]+({[a-z]+="[^"]*"(,[a-z]+="[^"]*")*})? [0-9.]+$/ { split($1, n, "{"); if (kind == "histogram") sub(/_(bucket|sum|count)$/, "", n[1]); if (n[1] != now) print "elsewhere: " $0; next }
	{ print "no sample: " $0 }')"
promtool_says() { metrics | promtool check metrics; }
same "nor has Prometheus' own checker anything against them" "" "$(promtool_says 2>&1)"
same "four pods were served, each within its bounds" "4 4" \
	"$(metric tandem_bind_to_address_seconds_count) $(metric 'tandem_bind_to_address_seconds_bucket{le="+Inf"}')"
same "nobody took longer than a minute" 4 "$(metric 'tandem_bind_to_address_seconds_bucket{le="60"}')"
same "a takeover, a conflict that is still reported, and nothing held" "1 0 0" \
	"$(for one in takeovers conflicts holds; do metric "tandem_${one}_total"; done | xargs)"
positive() { awk -v v="$(metric "$1")" 'BEGIN { exit !(v > 0) }'; }
for one in tandem_api_requests_total tandem_api_connections_total process_cpu_seconds_total process_resident_memory_bytes process_start_time_seconds; do
	check "$one counts" positive "$one"
done
same "each kind has an age" "cronjob daemonset deployment job macvlanip macvlansubnet namespace node pod statefulset" \
	"$(metrics | sed -n 's/^tandem_cache_age_seconds{kind="\([a-z]*\)"}.*/\1/p' | LC_ALL=C sort | xargs)"
same "and none is old" "" "$(metrics | awk '/^tandem_cache_age_seconds/ && $2 > 90')"
same "nothing waits for long" "" "$(metrics | awk '/^tandem_queue_oldest_seconds/ && $2 > 5')"
same "what is to be looked at is counted" "network-status records services" \
	"$(metrics | sed -n 's/^tandem_queue_items{queue="\([a-z-]*\)",state="in_flight".*/\1/p' | LC_ALL=C sort | xargs)"
same "what it is" "200 text/plain; version=0.0.4; charset=utf-8" "$(curl -s -o /dev/null -w '%{http_code} %{content_type}' "http://$METRICS/metrics")"
same "and what else is there" "200 404 405" "$(for one in "http://$METRICS/healthz" "http://$METRICS/" "-XPOST http://$METRICS/metrics"; do
	# shellcheck disable=SC2086
	curl -s -o /dev/null -w '%{http_code}\n' $one
done | xargs)"
stop "$pid_controller"
candidate standby --leader-elect --metrics-bind-address "$METRICS"
candidate controller --leader-elect --metrics-bind-address 127.0.0.1:$((PORT + 8))
of_the_standby() { [ "$(for offset in 7 8; do curl -s "http://127.0.0.1:$((PORT + offset))/metrics" | grep -cE '^tandem_(leader 1|subnet_addresses\{subnet="seen")'; done | sort -n | xargs)" = "0 7" ]; }
check "who stands by has none of the subnets' numbers" wait_for 40 of_the_standby
stop "$pid_standby"
stop "$pid_controller"
fails_with() { # fails_with TEXT ARGS...
	local text=$1
	shift
	! timeout 20 "$TANDEM_CONTROLLER_BIN" --kubeconfig "$DIR/controller.conf" --leader-elect=false "$@" >"$DIR/fails.log" 2>&1 &&
		grep -qF -e "$text" "$DIR/fails.log"
}
check "what is not an address is told" fails_with '--metrics-bind-address: \"nowhere\" is not an address to listen on' --metrics-bind-address nowhere
controller_up
finish 1951 1955
check "all go" wait_for 30 no_records
k delete macvlansubnet -n kube-system seen --timeout=20s >/dev/null
