#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What tandem-node says in numbers: the plugin's calls, the node's cards, the door.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-apiserver.sh"
contract_node
apiserver_start
SOCKET=$DIR/run/node.sock
METRICS=127.0.0.1:9100

node_up() {
	apiserver_spawn node "$TANDEM_NODE_BIN" --kubeconfig "$DIR/kubeconfig" --node-name n1 --state-dir "$DIR/state" \
		--conf "$DIR/none" --plugin "$TANDEM_BIN" --socket "$SOCKET" --metrics-bind-address "$METRICS" --v 4
}
show_log() { [ "$tests_failed" -eq 0 ] || tail -n 40 "$DIR/api/node.log" | sed 's/^/    | /'; }
at_exit show_log
metrics() { nsenter --net=/run/netns/"$NODE" curl -sf "http://$METRICS/metrics"; }
# numbers NAME: the samples of that name, without the numbers that are times
numbers() { metrics | grep -E "^$1[{ ]" | LC_ALL=C sort; }
number() { metrics | sed -n "s/^$1 //p"; }
number_is() { [ "$(number "$1")" = "$2" ]; }
calls() { [ -e "$SOCKET.calls" ]; }
asks() { conf "${1:-$(primary)}" '{"io.kubernetes.cri.pod-annotations":{"tandem-cni.io/subnet":"vlan100"}}' | sed "s,$DIR/node.sock,$SOCKET,"; }
plain() { conf | sed "s,$DIR/node.sock,$SOCKET,"; }
with_card() { # with_card NAME ADDRESS: a pod, its ADD
	new_pod
	POD_NAME=$1 POD_UID=$(cat /proc/sys/kernel/random/uuid)
	record "$1" "$POD_UID" '{"cidr":"192.168.100.'"$2"'/24","mac":"0a:00:00:00:00:'"$2"'","gateway":"192.168.100.1"}'
	cni ADD "$(asks)"
	succeeded "ADD of $1"
}

# --- without the daemon -----------------------------------------------------------------------------

new_pod
cni ADD "$(plain)"
succeeded "ADD without the daemon"
cni DEL "$(plain)"
check_fails "no file is made for its numbers" test -e "$SOCKET.calls"
drop_pod

# --- counted ----------------------------------------------------------------------------------------

node_up
check "the daemon makes it" wait_for 60 calls
same "root's alone" "600 0 0" "$(stat -c '%a %u %g' "$SOCKET.calls")"
with_card first 50
with_card second 51
cni CHECK "$(asks)"
cni DEL "$(asks)"
drop_pod
POD_NAME=web POD_UID=
new_pod
cni ADD "$(plain)"
succeeded "ADD of a pod without a card"
new_pod
cni ADD "$(asks '{"cniVersion":"0.3.1","name":"cbr0","type":"nothing-there"}')"
check_fails "ADD with a primary that is not there" [ "$RC" = 0 ]
rm -rf "$DIR/state/hints"/*
# One card is also what it had read before the pod without one came.
read_all() { number_is 'tandem_node_attachments{state="card"}' 1 && number_is 'tandem_node_attachments{state="plain"}' 1; }
check "the daemon has read the state files" wait_for 20 read_all
same "calls by verb, and whether there is a card" 'tandem_cni_call_duration_seconds_count{verb="ADD",card="false"} 1
tandem_cni_call_duration_seconds_count{verb="ADD",card="true"} 3
tandem_cni_call_duration_seconds_count{verb="CHECK",card="false"} 0
tandem_cni_call_duration_seconds_count{verb="CHECK",card="true"} 1
tandem_cni_call_duration_seconds_count{verb="DEL",card="false"} 0
tandem_cni_call_duration_seconds_count{verb="DEL",card="true"} 1
tandem_cni_call_duration_seconds_count{verb="GC",card="false"} 0
tandem_cni_call_duration_seconds_count{verb="GC",card="true"} 0' "$(numbers tandem_cni_call_duration_seconds_count)"
same "steps" 'ADD annotations 4
ADD announce 2
ADD card 2
ADD conf 4
ADD primary 3
ADD record 2
ADD result 3
ADD routes 2
ADD state 0
DEL annotations 0
DEL announce 0
DEL card 1
DEL conf 1
DEL primary 1
DEL record 0
DEL result 0
DEL routes 0
DEL state 1' "$(numbers tandem_cni_step_duration_seconds_count | sed -E 's/.*verb="(.*)",step="(.*)"\} /\1 \2 /')"
same "failures" 'tandem_cni_failures_total{verb="ADD"} 1
tandem_cni_failures_total{verb="CHECK"} 0
tandem_cni_failures_total{verb="DEL"} 0
tandem_cni_failures_total{verb="GC"} 0' "$(numbers tandem_cni_failures_total)"
same "state files" 'tandem_node_attachments{state="card"} 1
tandem_node_attachments{state="earlier_boot"} 0
tandem_node_attachments{state="plain"} 1
tandem_node_attachments{state="unfinished"} 0' "$(numbers tandem_node_attachments)"
same "the whole of a call takes as long as it took" 1 "$(metrics | awk -F'[ ]' '
	/^tandem_cni_call_duration_seconds_sum.verb="ADD",card="true"/ { all = $2 }
	/^tandem_cni_step_duration_seconds_sum.verb="ADD",step="routes"/ { routes = $2 }
	END { print (routes > 0 && all > routes && all < 60) }')"

# --- the door, what is announced and ended ----------------------------------------------------------

asked=$(number tandem_node_door_requests_total)
check "plugins have asked at the door: $asked" [ "$asked" -ge 2 ]
perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 3; print $s pack("N", 4), "junk"; $s->flush; local $/; <$s>' "$SOCKET"
same "what made no sense is counted by itself" "1 $asked 1 1" \
	"$(number tandem_node_door_refused_total) $(number tandem_node_door_requests_total) $(number tandem_node_door_open) $(number tandem_node_ready)"
announced() { [ "$(number tandem_node_announcements_total)" -ge 1 ]; }
check "a card was announced once more" wait_for 20 announced
young() { [ "$(number tandem_node_api_age_seconds)" -le 90 ]; }
check "the API server was heard of" young

# --- the format -------------------------------------------------------------------------------------

metrics >"$DIR/metrics"
check "promtool has nothing to say" promtool check metrics <"$DIR/metrics"

# --- the next daemon --------------------------------------------------------------------------------

kill -TERM "$PID_node"
wait "$PID_node" 2>/dev/null
new_pod
cni ADD "$(plain)"
succeeded "ADD while no daemon runs"
node_up
one_call() { number_is 'tandem_cni_call_duration_seconds_count{verb="ADD",card="false"}' 1; }
check "the next daemon counts it" wait_for 60 one_call
# shellcheck disable=SC2016 # Perl's own variable
nsenter --net=/run/netns/"$NODE" perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:9101", Listen => 1, ReuseAddr => 1) or exit 1; sleep 600' &
holder=$!
taken() { nsenter --net=/run/netns/"$NODE" ss -Hltn sport = :9101 | grep -q .; }
check "somebody else has a port" wait_for 60 taken
METRICS=127.0.0.1:9101
kill -TERM "$PID_node"
wait "$PID_node" 2>/dev/null
node_up
refused() { grep -q 'metrics are not served.*9101' "$DIR/api/node.log" && [ -S "$SOCKET" ]; }
check "it costs the metrics alone" wait_for 60 refused
kill "$holder"
