#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The node and its pods: the kubelet's probes of a pod whose only card is on the LAN, its services; probes and
# NodePorts of a pod whose default gateway is on the LAN; and nothing left on the nodes afterwards.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

WWW_PORT=8080

# probed NAME NODE ANNOTATION=VALUE...: a deployment of one whose pod is ready when the kubelet reaches it by HTTP
# and is ended when it does not reach it by TCP
probed() {
	local name=$1
	deployment "$name" 1 "${@:2}" | k create --dry-run=client -o json -f - |
		jq --argjson port $WWW_PORT --argjson serve "$SERVE_PORT" '.spec.template.spec.containers +=
			[{name: "www", image: "registry.local/busybox:1", imagePullPolicy: "Never",
			  command: ["sh", "-c", "mkdir /tmp/www && echo well >/tmp/www/index.html && exec httpd -f -p \($port) -h /tmp/www"],
			  readinessProbe: {httpGet: {path: "/index.html", port: $port}, periodSeconds: 1, timeoutSeconds: 3},
			  livenessProbe: {tcpSocket: {port: $serve}, periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 5}}]' |
		k apply -f - >/dev/null
	rollout "$name" 120 >/dev/null || { rollout_why "$name"; return 1; }
}

restarts() {
	k get pods -l "app=$1" -o json | jq '[.items[].status.containerStatuses[].restartCount] | add'
}

# seen_as WHO ADDRESS PORT: the address that the server saw, tried for a while: rules of a Service take a moment
seen_as() {
	local answer
	wait_for 10 "$1" "$NETCHECK" ask "${@:2}" || true
	answer=$("$1" "$NETCHECK" ask "${@:2}" 2>&1) || true
	echo "${answer%% *}"
}
on_lan() { cluster lan "$@"; }
on_far() { cluster far "$@"; }
on_n1() { ip netns exec tandem-n1 "$@"; }
on_n2() { ip netns exec tandem-n2 "$@"; }
in_single() { in_pod "$SINGLE" "$@"; }

# host_links NODE: what tandem has made on a node
host_links() { ip -n "tandem-$1" -o link show type macvlan | awk -F': ' '{ print $2 }'; }

subnet single 192.168.22.0/24 'ipDelayReuse: 0' 'ranges: [{rangeStart: 192.168.22.30, rangeEnd: 192.168.22.39}]' \
	'routes: [{dst: 0.0.0.0/0, gw: 192.168.22.1, iface: eth0}]' | k apply -f - >/dev/null
subnet way 192.168.120.0/24 'ipDelayReuse: 0' 'ranges: [{rangeStart: 192.168.120.30, rangeEnd: 192.168.120.39}]' \
	'podDefaultGateway: {enable: true, serviceCidr: 10.43.0.0/16}' | k apply -f - >/dev/null
deploy backend 1 n2
k expose deployment backend --port 80 --target-port "$SERVE_PORT" --dry-run=client -o yaml | k apply -f - >/dev/null
SERVICE=$(k get svc backend -o jsonpath='{.spec.clusterIP}')

# ------------------------------------------------------------------------------- the only card is on the LAN
check "(c) the kubelet's HTTP probe makes a pod ready" probed single n1 tandem-cni.io/subnet=single tandem-cni.io/interface=eth0
SINGLE=$(pod_of single)
ADDRESS=$(pod_address "$SINGLE" eth0)
same "(c) its routes: the node's address, and services and pods by way of it" "10.42.0.0/23 via 10.99.0.1 dev eth0
10.43.0.0/16 via 10.99.0.1 dev eth0
10.99.0.1 dev eth0 scope link
192.168.22.0/24 dev eth0 scope link src $ADDRESS
default via 192.168.22.1 dev eth0" "$(pod_routes "$SINGLE")"
same "(c) the node's side" "$ADDRESS dev ens4.host src 10.99.0.1" \
	"$(ip -n tandem-n1 route show dev ens4.host | sed -E "s/^([^ ]+) /\1 dev ens4.host /; s/ (proto|scope) [^ ]+//g; s/ +$//")"
same "(c) the node is seen with its own address" 10.99.0.1 "$(seen_as on_n1 "$ADDRESS" "$SERVE_PORT")"
same "(c) a service on another node" yes "$([ -n "$(seen_as in_single "$SERVICE" 80)" ] && echo yes)"
same "(c) the LAN machine" 192.168.22.1 "$(seen_as on_lan "$ADDRESS" "$SERVE_PORT")"
same "(c) no container was started again" 0 "$(restarts single)"

# ------------------------------------------------------------------------------- the default gateway is on the LAN
check "(b) the kubelet's HTTP probe makes a pod ready" probed way n1 tandem-cni.io/subnet=way
for policy in Local Cluster; do
	k apply -f - >/dev/null <<-YAML
		apiVersion: v1
		kind: Service
		metadata: {name: way-${policy,,}}
		spec: {type: NodePort, externalTrafficPolicy: $policy, selector: {app: way}, ports: [{port: $SERVE_PORT}]}
	YAML
done
port_of() { k get svc "way-$1" -o jsonpath='{.spec.ports[0].nodePort}'; }
same "(b) NodePort, Local, from beyond the router: seen with its own address" 172.16.18.5 \
	"$(seen_as on_far 10.99.0.1 "$(port_of local)")"
same "(b) NodePort, Local, from the other node" 10.99.0.2 "$(seen_as on_n2 10.99.0.1 "$(port_of local)")"
check "(b) NodePort, Cluster, from beyond the router" wait_for 10 on_far "$NETCHECK" ask 10.99.0.1 "$(port_of cluster)"
check "(b) NodePort, Cluster, by way of the other node" wait_for 10 on_far "$NETCHECK" ask 10.99.0.2 "$(port_of cluster)"
same "(b) no container was started again" 0 "$(restarts way)"

# ------------------------------------------------------------------------------- nothing is left
k delete svc backend way-local way-cluster >/dev/null
k delete deployment single way backend --wait=false >/dev/null
check "the pods are gone" wait_gone pods 'app in (single, way, backend)' 90
records_end "the records are gone" 'tandem-cni.io/subnet in (single, way)'
for node in n1 n2; do same "$node: no link of ours" "" "$(host_links $node)"; done
k delete macvlansubnet single way -n kube-system --timeout="$(scaled 30)s" >/dev/null || fail "the subnets can be deleted" "still there after 30 s"
