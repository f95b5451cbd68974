# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests on the cluster share: short words for the cluster's commands, for pods and their
# cards, and the forms in which expectations are written. Sourced by test_*.sh and the demo.

CLUSTER_TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib.sh
. "$CLUSTER_TESTS/../lib.sh"

LAB=$("$CLUSTER_TESTS/cluster.sh" dir)
NETCHECK=$LAB/bin/netcheck
SERVE_PORT=7000
export NETCHECK SERVE_PORT

cluster() {
	"$CLUSTER_TESTS/cluster.sh" "$@"
}

# kubectl itself, without the way through cluster.sh.
k() {
	"$(cat "$LAB/kubernetes")/kubectl" --kubeconfig "$LAB/admin.conf" \
		--cache-dir "$LAB/kubectl-cache" "$@"
}

# containerd_major: the runtime's major version
containerd_major() {
	"$(cat "$LAB/containerd")/containerd" --version | awk '{ sub(/^v/, "", $3); print int($3) }'
}

# bail REASON...: for a failure after which the other assertions of a test say nothing
bail() {
	fail "$(basename "$0" .sh)" "$@"
	exit 1
}

# deployment NAME REPLICAS NODE|any [ANNOTATION=VALUE]...: prints one whose pods answer netcheck
# with TCP and UDP on port 7000.
deployment() {
	local name=$1 replicas=$2 node=$3 selector="" annotations="" a

	shift 3
	[ "$node" = any ] || selector="nodeSelector: {kubernetes.io/hostname: $node}"
	for a; do
		annotations+="${annotations:+, }$(printf '"%s": "%s"' "${a%%=*}" "${a#*=}")"
	done
	cat <<-YAML
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: $name}
		spec:
		  replicas: $replicas
		  selector: {matchLabels: {app: $name}}
		  template:
		    metadata:
		      labels: {app: $name}
		      annotations: {$annotations}
		    spec:
		      $selector
		      terminationGracePeriodSeconds: 1
		      automountServiceAccountToken: false
		      containers:
		      - {name: tcp, image: "registry.local/busybox:1", imagePullPolicy: Never,
		         command: [netcheck, serve-tcp, "$SERVE_PORT"]}
		      - {name: udp, image: "registry.local/busybox:1", imagePullPolicy: Never,
		         command: [netcheck, serve-udp, "$SERVE_PORT"]}
	YAML
}

# subnet NAME CIDR [SPEC LINE]...: prints a MacvlanSubnet on ens4; more lines of its spec as given
subnet() {
	local name=$1 cidr=$2 line

	shift 2
	cat <<-YAML
		apiVersion: tandem-cni.io/v1
		kind: MacvlanSubnet
		metadata: {name: $name, namespace: kube-system}
		spec:
		  master: ens4
		  vlan: 0
		  cidr: $cidr
	YAML
	for line; do
		printf '  %s\n' "$line"
	done
}

# pods_of DEPLOYMENT: the names of its pods that are not being deleted
pods_of() {
	k get pods -l "app=$1" -o json |
		jq -r '.items[] | select(.metadata.deletionTimestamp == null) | .metadata.name'
}

# pod_of DEPLOYMENT: its only pod
pod_of() {
	pods_of "$1" | head -n 1
}

# rollout NAME SECONDS: waits until all pods of a deployment are ready
rollout() {
	k rollout status "deployment/$1" --timeout "$(scaled "$2")s"
}

# rollout_why NAME: what stands in the way of a deployment, for the reader of a failed test
rollout_why() {
	k get pods -l "app=$1" -o wide
	k get events --sort-by=.lastTimestamp -o custom-columns=:.involvedObject.name,:.reason,:.message |
		tail -n 12
}

# deploy NAME ...: applies deployment NAME ... and waits for its pods; bails out if they do not come
deploy() {
	deployment "$@" | k apply -f - >/dev/null
	rollout "$1" 90 >/dev/null || {
		rollout_why "$1"
		bail "deployment $1 does not become ready"
	}
}

# in_pod POD CMD...: a command of this machine in the network of a pod of namespace default
in_pod() {
	local pod=$1

	shift
	cluster in-pod "default/$pod" "$@"
}

# pod_addresses POD: "eth0 inet 10.42.0.9/24", a line for each IPv4 address but loopback's
pod_addresses() {
	in_pod "$1" ip -4 -o addr show | awk '$2 != "lo" { print $2, $3, $4 }'
}

# pod_address POD CARD: the card's IPv4 address, without prefix
pod_address() {
	pod_addresses "$1" | awk -v card="$2" '$1 == card { sub("/.*", "", $3); print $3; exit }'
}

# pod_mac POD CARD: the card's MAC
pod_mac() {
	in_pod "$1" ip -br link show dev "$2" | awk '{ print $3 }'
}

# pod_routes POD: the main table, sorted, without the words that say who made a route and its MTU
pod_routes() {
	in_pod "$1" ip -4 route show | sed -E 's/ (proto|mtu) [^ ]+//g; s/ +$//' | LC_ALL=C sort
}

# wait_gone KIND SELECTOR SECONDS: until no object of that kind matches the label selector. Records
# take up to half a minute longer than their pods: this kubelet now and then ends a pod with a status
# from which its containers' end cannot be told, and the controller then waits.
none_left() {
	[ -z "$(k get "$1" -A -l "$2" -o name)" ]
}
wait_gone() {
	wait_for "$3" none_left "$1" "$2"
}

# records_end NAME SELECTOR: the records that match vanish; if they don't, what is known about them
records_end() {
	if wait_gone macvlanips "$2" 120; then
		pass "$1"
		return
	fi
	fail "$1" "not after 120 s"
	k get macvlanips -A -l "$2" -o wide
	{ controller_logs && cat "$LAB"/n[0-9]*/var/log/tandem.log; } | grep -E 'level=(warn|error)|not seen' | tail -n 10
}

# serve WHERE: a netcheck server on lan or far, as a component that ends with the cluster
serve() {
	cluster run "serve-$1" "ip netns exec tandem-$1 ss -Hltn sport = :$SERVE_PORT | grep -q ." \
		ip netns exec "tandem-$1" "$NETCHECK" serve-tcp "$SERVE_PORT"
}

# pings WHO... : WHO is a command prefix, the last word the address. Tried for 5 s: the first
# packet may be lost to a neighbour that is not known yet.
pings() {
	wait_for 5 "${@:1:$#-1}" busybox ping -c 1 -W 1 "${!#}"
}

# node_state_files: what tandem keeps on the nodes for pods, all nodes together, but its own in kube-system. Its folders
# hold files of pods; what is of the node itself lies beside them.
node_state_files() {
	local file id
	find "$LAB"/n[0-9]*/var/lib/cni/tandem -mindepth 2 -type f 2>/dev/null | while read -r file; do
		id=$(basename "${file%@*}")
		grep -qs K8S_POD_NAMESPACE=kube-system "$(dirname "$(dirname "$file")")/attachments/$id@eth0" || echo "$file"
	done
}

# asked_for_pods: how often tandem-node has asked for one pod or one record on behalf of the plugin, so far
asked_for_pods() {
	jq -r 'select(.user.username == "system:serviceaccount:kube-system:tandem-node" and .verb == "get" and
		(.objectRef.resource | IN("pods", "macvlanips"))) | .requestURI' "$LAB/log/audit.json" | wc -l
}

# node_picture NODE: what tandem could leave on it: files beside those of pods, links, rules, its own chains
node_picture() {
	(cd "$LAB/$1" && find etc opt var/lib/cni var/log run/tandem -maxdepth 6 |
		grep -vE '^var/(lib/cni/(results|networks/cbr0)|log/(pods|containers))/' | LC_ALL=C sort)
	ip -n "tandem-$1" -o link show | awk -F': ' '$2 !~ /^veth/ { sub(/@.*/, "", $2); print $2 }'
	ip -n "tandem-$1" rule show
	ip netns exec "tandem-$1" iptables-save | grep -i -e tandem -e macvlan || true
}

# ------------------------------------------------------------------------------- what runs in kube-system
CONTROLLERS=(-n kube-system -l app.kubernetes.io/component=controller)
# shellcheck disable=SC2034 # used by the tests
NODES=(-n kube-system -l app.kubernetes.io/component=node)

controller_logs() {
	k logs "${CONTROLLERS[@]}" --tail=-1 --ignore-errors=true
}
no_controller() {
	[ -z "$(k get pods "${CONTROLLERS[@]}" -o name)" ]
}
# controller_off, controller_on: there is no controller; there are both again
controller_off() {
	k scale deployment tandem-controller -n kube-system --replicas=0 >/dev/null
	wait_for 60 no_controller || bail "the controller does not end"
}
controller_on() {
	k scale deployment tandem-controller -n kube-system --replicas=2 >/dev/null
	controller_ready || bail "the controller does not come back"
}
controller_ready() {
	k rollout status deployment/tandem-controller -n kube-system --timeout "$(scaled 90)s" >/dev/null
}

# ------------------------------------------------------------------------------- a ping that misses nothing
# ping_begin NAME POD ADDRESS: from the pod, every 10 ms, until ping_end
ping_begin() {
	nsenter "--net=$(cluster pod-netns "default/$2")" -- ping -n -i 0.01 "$3" >"$LAB/log/ping-$1.log" 2>&1 &
	disown $!
	echo $! >"$LAB/run/ping-$1.ping"
}
# ping_end NAME: prints "N lost", of the packets before the last that was answered
ping_end() {
	kill -INT "$(cat "$LAB/run/ping-$1.ping")" || return 1
	rm "$LAB/run/ping-$1.ping"
	awk -F'icmp_seq=' 'NF > 1 { split($2, n, " "); if (!seen[n[1]]++) count++; if (n[1] + 0 > last) last = n[1] + 0 }
		END { print last - count, "lost"; print "# of", last > "/dev/stderr" }' "$LAB/log/ping-$1.log"
}
