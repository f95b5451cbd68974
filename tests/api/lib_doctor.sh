# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of controller.sh: what nodes are told to look at on their LANs, and what becomes of what they have found.
[ -z "${pid_controller:-}" ] || stop "$pid_controller"
METRICS=127.0.0.1:$((PORT + 7))
candidate controller --leader-elect=false --metrics-bind-address "$METRICS"
told_doctor() { k get configmap -n kube-system tandem-cluster -o json | jq -r '.data.doctor // "null"' | jq -c "$1"; }
told_is() { [ "$(told_doctor "$1")" = "$2" ]; }
doctor_says() { # doctor_says NODE SUBNET REASON: as its daemon writes it
	k annotate node "$1" --overwrite "tandem-cni.io/doctor=$(jq -nc --arg s "$2" --arg r "$3" '{time: "2026-12-01T05:00:00Z", subnets: [{name: $s, reason: $r}]}')" >/dev/null
}
in_status() { k get macvlansubnet -n kube-system "$1" -o json | jq -c .status.doctor; }
in_status_is() { [ "$(in_status "$1")" = "$2" ]; }
# becomes NAME SUBNET JSON
becomes() { check "$1" wait_for 20 in_status_is "$2" "$3" || echo "    $(in_status "$2")"; }
doctor_events() { k get events -n kube-system --field-selector involvedObject.name="$1" -o json | jq -r '.items | sort_by(.metadata.name) | .[] | select(.reason | test("Serve")) | "\(.type) \(.reason) \(.message)"'; }
doctor_told() { doctor_events "$1" | grep -qFx -- "$2"; }
count() { curl -sf "http://$METRICS/metrics" | sed -n "s/^tandem_subnet_nodes{subnet=\"$1\",result=\"$2\"} //p"; }
for n in d1 d2 d3; do k create -f - <<<"{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"$n\"}}" >/dev/null; done

check "without subnets nodes are told nothing" wait_for 20 told_is . null
subnet sick 10.79.0.0/24 'vlan: 79' 'mtu: 1400' 'nodeSelector: {matchLabels: {lan: "yes"}}' 'ranges: [{rangeStart: 10.79.0.10, rangeEnd: 10.79.0.13}]' | k apply -f - >/dev/null
check "a subnet is told as far as a probe needs it" wait_for 20 told_is '.items[] | [.metadata.name, .spec]' \
	'["sick",{"master":"ens4","vlan":79,"mode":"bridge","mtu":1400,"cidr":"10.79.0.0/24","gateway":"10.79.0.1","nodeSelector":{"matchExpressions":[{"key":"lan","operator":"In","values":["yes"]}]}}]' ||
	echo "    $(told_doctor .)"
same "a subnet of which nothing is known says nothing" null "$(in_status sick)"

doctor_says d1 sick OK
becomes "one node is well" sick '{"failed":0,"failing":[],"ok":1,"untested":0}'
doctor_says d2 sick VLANNotPassed
becomes "another is not" sick '{"failed":1,"failing":[{"node":"d2","reason":"VLANNotPassed"}],"ok":1,"untested":0}'
check "an event says so" wait_for 20 doctor_told sick "Warning NodesCannotServe 1 of 2 nodes cannot serve it: d2 (VLANNotPassed)" || doctor_events sick
same "and the metric" "1 1 0" "$(count sick ok) $(count sick failed) $(count sick untested)"
doctor_says d3 sick NotTested
becomes "one cannot tell" sick '{"failed":1,"failing":[{"node":"d2","reason":"VLANNotPassed"}],"ok":1,"untested":1}'
same "of which no event tells" 1 "$(doctor_events sick | wc -l)"

# --- junk is as good as nothing, and nothing else hangs on it
before=$(k get macvlansubnet -n kube-system sick -o json | jq -c '[.status | .phase, .total, .used, .free]')
n=0
for junk in '' 'null' '[]' '{"time":"now","subnets":[]}' "$(printf 'x%.0s' {1..5000})" \
	'{"time":"2026-12-01T05:00:00Z","subnets":[{"name":"sick","reason":"Perfect"}]}' \
	'{"time":"2026-12-01T05:00:00Z","subnets":[{"name":"sick","reason":"OK"},{"name":"sick","reason":"OK"}]}' \
	'{"time":"2026-12-01T05:00:00Z","subnets":[{"name":"sick\u0000","reason":"OK"}]}' \
	'{"time":"2026-12-01T05:00:00Z","subnets":[{"name":"nosuch","reason":"NoCarrier"}]}'; do
	n=$((n + 1))
	doctor_says d3 sick NotTested
	becomes "before junk $n" sick '{"failed":1,"failing":[{"node":"d2","reason":"VLANNotPassed"}],"ok":1,"untested":1}'
	k annotate node d3 --overwrite "tandem-cni.io/doctor=$junk" >/dev/null
	becomes "junk $n is nothing" sick '{"failed":1,"failing":[{"node":"d2","reason":"VLANNotPassed"}],"ok":1,"untested":0}'
done
same "nothing else has changed" "$before" "$(k get macvlansubnet -n kube-system sick -o json | jq -c '[.status | .phase, .total, .used, .free]')"
same "no event tells of a subnet that is not there" "" "$(doctor_events nosuch)"

# --- on request
k annotate node d1 tandem-cni.io/doctor-now=2026-12-01T06:00:00Z >/dev/null
check "a request goes to the nodes" wait_for 20 told_is .asked '{"d1":"2026-12-01T06:00:00Z"}' || told_doctor .asked
k annotate node d1 --overwrite 'tandem-cni.io/doctor={"time":"2026-12-01T06:00:02Z","asked":"2026-12-01T06:00:00Z","subnets":[{"name":"sick","reason":"OK"}]}' >/dev/null
check "until it is answered" wait_for 20 told_is .asked '{}'
k annotate node d1 --overwrite tandem-cni.io/doctor-now=soon >/dev/null
nap 1
same "what is no time is no request" '{}' "$(told_doctor .asked)"

# --- an end
k delete node d2 >/dev/null
becomes "a node that is gone" sick '{"failed":0,"failing":[],"ok":1,"untested":0}'
k create configmap -n kube-system tandem-settings --from-literal=doctor=x >/dev/null
check "no setting says it" wait_for 20 grep -q 'msg="setting does not count".*error="doctor: is no setting"' "$DIR/controller.log"
k delete configmap -n kube-system tandem-settings >/dev/null
k delete macvlansubnet -n kube-system sick --timeout=20s >/dev/null
check "no subnet, nothing to look at" wait_for 20 told_is . null
k delete node d1 d3 >/dev/null
stop "$pid_controller"
controller_up
