#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Finding the second card: picture (d)'s Service and Endpoints on real pods, which card traffic takes, and the
# endpoint list after a rollout, 0 replicas and back, a failing probe, a renamed port and an end.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

# What the pods serve is the port of the picture.
SERVE_PORT=43

# eps NAME: "ADDRESS:PORT,..." as kubectl shows it, sorted; "<none>" without one
eps() {
	k get ep "$1" -o json 2>/dev/null | jq -r '[.subsets[]? | .ports as $p | .addresses[]? | .ip as $a |
		$p[] | "\($a):\(.port)"] | sort | if length == 0 then "<none>" else join(",") end'
}
eps_are() { [ "$(eps "$1")" = "$2" ]; }

# cards APP CARD: the same of what that card of its pods really has
cards() {
	local pod
	for pod in $(pods_of "$1"); do
		echo "$(pod_address "$pod" "$2"):$SERVE_PORT"
	done | LC_ALL=C sort | paste -sd,
}
lists_cards() { eps_are app2-macvlan "$(cards app2 eth1)"; }

# sent POD CARD: packets that left by it
sent() {
	in_pod "$1" ip -s -j link show dev "$2" | jq '.[0].stats64.tx.packets'
}

# by_way_of CARD OTHER ADDRESS: 20 questions to the address leave by the one card and hardly by the other.
# (Neighbour discovery and the like may send a packet or two at any time.)
by_way_of() {
	local card=$1 other=$2 address=$3 before_card before_other i

	before_card=$(sent "$ASKER" "$card")
	before_other=$(sent "$ASKER" "$other")
	for ((i = 0; i < 20; i++)); do
		in_pod "$ASKER" "$NETCHECK" ask "$address" "$SERVE_PORT" >/dev/null || return 1
	done
	[ $(($(sent "$ASKER" "$card") - before_card)) -ge 60 ] &&
		[ $(($(sent "$ASKER" "$other") - before_other)) -lt 20 ]
}

# not_ready_is N: that many addresses of app2-macvlan are not ready
not_ready_is() {
	[ "$(k get ep app2-macvlan -o json | jq '[.subsets[]?.notReadyAddresses[]?] | length')" = "$1" ]
}

subnet found 192.168.100.0/24 'ipDelayReuse: 0' \
	'ranges: [{rangeStart: 192.168.100.10, rangeEnd: 192.168.100.19}]' | k apply -f - >/dev/null
k apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Service
	metadata: {name: app2}
	spec: {selector: {app: app2}, ports: [{port: 43}]}
YAML
deployment app2 2 any tandem-cni.io/subnet=found | k apply -f - >/dev/null
rollout app2 90 >/dev/null || { rollout_why app2; bail "deployment app2 does not become ready"; }
deploy asker 1 n1 tandem-cni.io/subnet=found
ASKER=$(pod_of asker)

check "the Service and its Endpoints are there" wait_for 30 lists_cards
k get svc,ep app2-macvlan
same "picture (d): get svc" "app2-macvlan ClusterIP None <none> 43/TCP" \
	"$(k get svc app2-macvlan --no-headers | awk '{ print $1, $2, $3, $4, $5 }')"
same "picture (d): get ep" "app2-macvlan $(cards app2 eth1)" \
	"$(k get ep app2-macvlan --no-headers | awk '{ print $1, $2 }')"
check "app2 itself leads to eth0" wait_for 30 eps_are app2 "$(cards app2 eth0)"
same "network-status names both cards" "$(pod_address "$ASKER" eth0) $(pod_address "$ASKER" eth1)" \
	"$(k get pod "$ASKER" -o json | jq -r '.metadata.annotations["k8s.v1.cni.cncf.io/network-status"] |
		fromjson | map(.ips[0]) | join(" ")')"

# ------------------------------------------------------------------------------- which card it takes
for address in $(eps app2-macvlan | tr ',' ' '); do
	check "to $address by eth1" by_way_of eth1 eth0 "${address%:*}"
done
cluster_ip=$(k get svc app2 -o jsonpath='{.spec.clusterIP}')
check "to app2 by eth0" by_way_of eth0 eth1 "$cluster_ip"

# ------------------------------------------------------------------------------- after each change
old=$(k get pods -l app=app2 -o jsonpath='{.items[*].metadata.uid}')
k rollout restart deployment/app2 >/dev/null
rollout app2 120 >/dev/null || bail "the rollout does not end"
replaced() {
	[ "$(pods_of app2 | wc -l)" -eq 2 ] &&
		! k get pods -l app=app2 -o jsonpath='{.items[*].metadata.uid}' | tr ' ' '\n' | grep -qwF "${old// /$'\n'}" &&
		lists_cards
}
check "a rollout: $(eps app2-macvlan)" wait_for 90 replaced
k scale deployment/app2 --replicas=0 >/dev/null
check "scaled to 0: none" wait_for 60 eps_are app2-macvlan "<none>"
check "the Service stays" k get svc app2-macvlan
k scale deployment/app2 --replicas=2 >/dev/null
rollout app2 90 >/dev/null || bail "the pods do not come back"
check "and back" wait_for 30 lists_cards

k patch deployment app2 --type json -p '[{"op":"add","path":"/spec/template/spec/containers/0/readinessProbe","value":
	{"tcpSocket":{"port":44},"periodSeconds":1,"failureThreshold":1}}]' >/dev/null
check "a probe that fails: one more address, not ready" wait_for 60 not_ready_is 1
k rollout undo deployment/app2 >/dev/null
rollout app2 90 >/dev/null || bail "the rollout back does not end"
check "taken back: none" wait_for 60 not_ready_is 0
check "two ready ones" wait_for 60 lists_cards

k patch svc app2 --type json -p '[{"op":"add","path":"/spec/ports/0/name","value":"whois"}]' >/dev/null
renamed() { [ "$(k get svc,ep app2-macvlan -o json | jq -r '.items | map((.spec.ports // .subsets[0].ports)[0].name) | join(" ")')" = "whois whois" ]; }
check "a port is renamed" wait_for 10 renamed
k annotate svc app2 tandem-cni.io/macvlan-service=disabled >/dev/null
none() { ! k get svc app2-macvlan >/dev/null 2>&1 && ! k get ep app2-macvlan >/dev/null 2>&1; }
check "disabled: Service and Endpoints go" wait_for 10 none
k annotate svc app2 tandem-cni.io/macvlan-service- >/dev/null
check "enabled: they are back" wait_for 10 lists_cards
k delete svc app2 >/dev/null
check "deleted: they go with it" wait_for 30 none

k delete deployment app2 asker --wait=false >/dev/null
check "the pods are gone" wait_gone pods 'app in (app2, asker)' 90
records_end "the records are gone" tandem-cni.io/subnet=found
k delete macvlansubnet found -n kube-system --timeout="$(scaled 30)s" >/dev/null ||
	fail "the subnet can be deleted" "still there after 30 s"
