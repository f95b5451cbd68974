#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ClusterIPs at the sockets, as shipped: the archive of `make image`, the overlay as a user applies it, kube-proxy beside
# it. The way of DNS from pods with eth0 alone, with both cards, with a single one; a Service that leads to its pods'
# cards; a rollout under load; and what is left when it is taken away.
# Run by hand on a cluster that is up and has tandem: its programs sit at the machine's root of cgroups.
set -euo pipefail
# shellcheck source=tests/cluster/testlib.sh
. "$(dirname "$0")/testlib.sh"

cd "$TESTS_ROOT"
BUILDS=$(dirname "$TANDEM_BUILD")
: "${TANDEM_TOOLS:=$BUILDS/dev/tests}"
VERSION=$(make -s --no-print-directory print-VERSION)
export VERSION ARCHES=amd64 REGISTRY=localhost
DNS=10.43.0.10 LAN=10.43.0.77
OVERLAY=$LAB/services.yaml
UNINSTALL=$LAB/services-uninstall.yaml
DAEMON=(-n kube-system -l app.kubernetes.io/component=services)

rolled() { k rollout status "daemonset/$1" -n kube-system --timeout "$(scaled 90)s"; }
daemon_pod() { k get pods "${DAEMON[@]}" -o name | head -n 1; }
tool() { k exec -n kube-system "$(daemon_pod)" -c services -- /usr/bin/tandem-services "$@" --pins=/bpf/tandem; }
translated() { tool status --json | jq .counters.translated; }
why() {
	k get pods "${DAEMON[@]}" -o wide
	k get events -n kube-system --sort-by=.lastTimestamp -o custom-columns=:.involvedObject.name,:.reason,:.message | tail -n 20
	k logs "${DAEMON[@]}" --all-containers --tail 30
}
remove() {
	k delete -f "$OVERLAY" --ignore-not-found >/dev/null 2>&1 || true
	k delete -f "$UNINSTALL" --ignore-not-found >/dev/null 2>&1 || true
	k delete service dns lan --ignore-not-found >/dev/null 2>&1 || true
}
# asks POD ask|ask-udp IP PORT: 20 questions; how many are answered
asks() {
	local i n=0
	for ((i = 0; i < 20; i++)); do
		! in_pod "$1" "$NETCHECK" "$2" "$3" "$4" >/dev/null 2>&1 || n=$((n + 1))
	done
	echo $n
}
# by_socket NAME POD IP PORT: 20 questions of each sort are answered, and each has been translated
by_socket() {
	local before
	before=$(translated)
	same "$1: TCP and UDP are answered" "20 20" "$(asks "$2" ask "$3" "$4") $(asks "$2" ask-udp "$3" "$4")"
	check "$1: by the socket programs" [ $(($(translated) - before)) -ge 40 ]
}

# ---------------------------------------------------------------------------- what is there before
"$TANDEM_TOOLS/services/peer" list >"$LAB/bpf-before"
at_exit remove
subnet served 192.168.100.0/24 'ipDelayReuse: 0' 'hostAccess: false' \
	'ranges: [{rangeStart: 192.168.100.180, rangeEnd: 192.168.100.189}]' | k apply -f - >/dev/null
deploy dns 2 any
deploy lan 2 n1 tandem-cni.io/subnet=served
k apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: Service
	metadata: {name: dns}
	spec: {clusterIP: $DNS, selector: {app: dns}, ports: [
	  {name: tcp, port: 53, targetPort: $SERVE_PORT}, {name: udp, port: 53, targetPort: $SERVE_PORT, protocol: UDP}]}
	---
	apiVersion: v1
	kind: Service
	metadata: {name: lan, annotations: {tandem-cni.io/cluster-ip: eth1}}
	spec: {clusterIP: $LAN, selector: {app: lan}, ports: [
	  {name: tcp, port: 80, targetPort: $SERVE_PORT}, {name: udp, port: 80, targetPort: $SERVE_PORT, protocol: UDP}]}
YAML
deploy plain 1 n1
PLAIN=$(pod_of plain)
by_proxy() { [ "$(asks "$PLAIN" ask $DNS 53)" = 20 ]; }
check "kube-proxy serves it" wait_for 30 by_proxy

# ---------------------------------------------------------------------------- one apply
check "the image is made" tools/image.sh "$BUILDS" "$LAB/images/oci" tandem-services
check "each node imports it" cluster load "$LAB/images/oci/tandem-services-$VERSION.oci.tar"
# Both nodes are one kernel with one root of cgroups: one daemon is for both. This machine may have no CAP_SYS_RESOURCE
# to give; only kernels before 5.11 need it.
k kustomize manifests/overlays/services | sed 's,kubernetes.io/os: linux,kubernetes.io/hostname: n1,; /- SYS_RESOURCE$/d' >"$OVERLAY"
sed 's,kubernetes.io/os: linux,kubernetes.io/hostname: n1,' manifests/services-uninstall.yaml >"$UNINSTALL"
check "one apply" k apply -f "$OVERLAY"
check "tandem-services runs" rolled tandem-services
[ "$tests_failed" -eq 0 ] || { why; bail "what is installed does not run"; }
loaded() { tool status --json | jq -e '.loaded and .secondsSinceSync >= 0'; }
check "its programs are attached, and it knows the Services" wait_for 30 loaded
same "at the real root" 1 "$(stat -c %i "$(tool status --json | jq -r .cgroup)")"
check "the node has the pins, whoever mounted what is below" cluster node 1 test -e /sys/fs/bpf/tandem/v1/svc

# ---------------------------------------------------------------------------- pods of three sorts
# Those that came before it, and those that come after it.
by_socket "eth0 alone, older than the daemon" "$PLAIN" $DNS 53
deploy both 1 n1 tandem-cni.io/subnet=served
BOTH=$(pod_of both)
by_socket "both cards" "$BOTH" $DNS 53
card_of_lan() { in_pod "$1" "$NETCHECK" ask $LAN 80 | awk '{ print $1 }'; }
leads_to_cards() { [ "$(card_of_lan "$BOTH")" = "$(pod_address "$BOTH" eth1)" ]; }
check "cluster-ip: eth1 leads from card to card, with the card's own address" wait_for 30 leads_to_cards
same "a pod without a card goes by eth0" "$(pod_address "$PLAIN" eth0)" "$(card_of_lan "$PLAIN")"
deploy single 1 n1 tandem-cni.io/subnet=served tandem-cni.io/interface=eth0
SINGLE=$(pod_of single)
by_socket "a single card, to the cards" "$SINGLE" $LAN 80
same "a single card without hostAccess: all else is refused at once" "Connection refused" \
	"$(in_pod "$SINGLE" "$NETCHECK" ask $DNS 53 2>&1 | grep -o 'Connection refused' || true)"

# ---------------------------------------------------------------------------- a rollout under load
k patch deployment dns --type json -p '[
	{"op":"replace","path":"/spec/template/spec/terminationGracePeriodSeconds","value":15},
	{"op":"add","path":"/spec/template/spec/containers/0/lifecycle","value":{"preStop":{"exec":{"command":["sleep","5"]}}}},
	{"op":"add","path":"/spec/template/spec/containers/1/lifecycle","value":{"preStop":{"exec":{"command":["sleep","5"]}}}},
	{"op":"add","path":"/spec/template/spec/containers/0/readinessProbe","value":{"tcpSocket":{"port":7000},"periodSeconds":1}}]' >/dev/null
rollout dns 120 >/dev/null || bail "deployment dns does not become ready"
load() {
	local n=0 failed=0
	while [ ! -e "$LAB/load-end" ]; do
		n=$((n + 1))
		in_pod "$1" "$NETCHECK" ask $DNS 53 >/dev/null 2>&1 || failed=$((failed + 1))
	done
	echo "$n $failed"
}
rm -f "$LAB/load-end"
load "$PLAIN" >"$LAB/load-plain" &
load "$BOTH" >"$LAB/load-both" &
k rollout restart deployment/dns >/dev/null
rollout dns 120 >/dev/null || bail "the rollout does not end"
k delete "$(daemon_pod)" -n kube-system --wait=false >/dev/null # and the daemon's own end meanwhile
k rollout restart deployment/dns >/dev/null
rollout dns 120 >/dev/null || bail "the second rollout does not end"
touch "$LAB/load-end"
wait
for who in plain both; do
	read -r n failed <"$LAB/load-$who"
	echo "# $who: $n requests during two rollouts and a restart of the daemon"
	same "$who: requests failed" 0 "$failed"
done

# ---------------------------------------------------------------------------- away
check "the daemon is deleted" k delete -f "$OVERLAY"
check "what it serves stays" cluster node 1 test -e /sys/fs/bpf/tandem/v1/svc
check "the uninstaller is applied" k apply -f "$UNINSTALL"
check "it runs" rolled tandem-services-uninstall
nothing() { "$TANDEM_TOOLS/services/peer" list | diff "$LAB/bpf-before" -; }
check "no program, map or link is left" wait_for 30 nothing
check "no pin, no mount" cluster node 1 sh -c '! grep -q "^tandem " /proc/mounts && ! test -e /sys/fs/bpf/tandem'
k delete -f "$UNINSTALL" >/dev/null
check "kube-proxy serves again" wait_for 30 by_proxy

k delete deployment dns lan plain both single --wait=false >/dev/null
remove
check "the pods are gone" wait_gone pods 'app in (dns, lan, plain, both, single)' 90
records_end "the records are gone" tandem-cni.io/subnet=served
k delete macvlansubnet served -n kube-system --timeout="$(scaled 30)s" >/dev/null || fail "the subnet can be deleted" "still there after 30 s"
