# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The nodes: on each containerd, kubelet, kube-proxy and a primary network like Flannel's.
#
# A node is a network namespace and a mount namespace. In the latter the folders that a node owns
# (NODE_DIRS) are the node's own, so that every path is the one of a real node: /etc/cni/net.d,
# /opt/cni/bin, /var/lib/cni, /var/log. From outside they are seen below $LAB/<node>/. What is
# mounted there (images, pods' volumes, pods' namespaces) ends with the node.

NODE_DIRS="etc/cni etc/containerd etc/kubernetes opt/cni var/lib/cni var/lib/containerd var/lib/kubelet var/log
	run/containerd run/netns run/tandem"

# Arguments: node, command. Runs it on the node, in both of its namespaces.
node_exec() {
	local node=$1 pid

	shift
	pid=$(component_pid "machine-$node") || die "node $node does not run"
	nsenter --target "$pid" --mount --net -- "$@"
}

node_ctr() {
	local node=$1

	shift
	"$CONTAINERD/ctr" --address "$LAB/$node/run/containerd/containerd.sock" --namespace k8s.io "$@"
}

# Mount points that the machine lacks are made, and taken away again by machine_restore.
node_mount_points() {
	local dir parent

	for dir in $NODE_DIRS; do
		parent=/$dir
		while [ ! -d "$parent" ]; do
			echo "$parent" >>"$LAB/made-dirs"
			parent=$(dirname "$parent")
		done
		mkdir -p "/$dir"
	done
}

# The first process of a node holds its namespaces for as long as it lives.
define_machine() {
	local node=$1 dir

	for dir in $NODE_DIRS; do
		mkdir -p "$LAB/$node/$dir"
	done
	echo "nameserver 127.0.0.1" >"$LAB/$node/resolv.conf"
	# shellcheck disable=SC2086 # NODE_DIRS is a list
	component_define "machine-$node" "test -e $LAB/$node/mounted" \
		unshare --mount --propagation slave \
		nsenter "--net=/run/netns/$NETNS_PREFIX$node" \
		"$CLUSTER_DIR/node-init.sh" "$LAB/$node" $NODE_DIRS
}

define_containerd() {
	local node=$1

	# An out-of-memory score cannot be lowered without CAP_SYS_RESOURCE, which a container that
	# itself runs this cluster often lacks.
	cat >"$LAB/$node/etc/containerd/config.toml" <<-CONF
		version = 2
		[plugins."io.containerd.grpc.v1.cri"]
		  restrict_oom_score_adj = true
		  sandbox_image = "registry.local/pause:1"
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "/opt/cni/bin"
		    conf_dir = "/etc/cni/net.d"
	CONF
	component_define "containerd-$node" "node_ctr $node version" \
		nsenter --target "$(component_pid "machine-$node")" --mount --net -- \
		env "PATH=$CONTAINERD:$PATH" "$CONTAINERD/containerd" --config /etc/containerd/config.toml
}

# The kubelet's minor version.
kubelet_minor() {
	"$BIN/kubelet" --version | sed -nE 's/.* v1\.([0-9]+).*/\1/p'
}

define_kubelet() {
	local node=$1 number=${1#n} minor runtime=() endpoint=unix:///run/containerd/containerd.sock

	cat >"$LAB/$node/kubelet.yaml" <<-CONF
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		authentication:
		  anonymous: {enabled: false}
		  webhook: {enabled: true}
		  x509: {clientCAFile: $LAB/pki/ca.crt}
		authorization: {mode: Webhook}
		tlsCertFile: $LAB/pki/$node.crt
		tlsPrivateKeyFile: $LAB/pki/$node.key
		address: 10.99.0.$number
		clusterDNS: [10.43.0.10]
		clusterDomain: cluster.local
		staticPodPath: /etc/kubernetes/manifests
		fileCheckFrequency: 1s
		cgroupDriver: cgroupfs
		cgroupRoot: /tandem-lab/$node
		enforceNodeAllocatable: []
		nodeStatusUpdateFrequency: 2s
		syncFrequency: 5s
		failSwapOn: false
		evictionHard: {memory.available: 1Mi, nodefs.available: 0%, imagefs.available: 0%}
		imageGCHighThresholdPercent: 100
		maxPods: 200
		kubeAPIQPS: 50
		kubeAPIBurst: 100
		eventRecordQPS: 0
	CONF
	# Where the runtime is said has moved from flags into the file, and cgroup v1 has to be asked for.
	minor=$(kubelet_minor)
	if [ "$minor" -ge 27 ]; then
		echo "containerRuntimeEndpoint: $endpoint" >>"$LAB/$node/kubelet.yaml"
	else
		runtime=(--container-runtime=remote "--container-runtime-endpoint=$endpoint")
	fi
	[ "$minor" -lt 31 ] || echo "failCgroupV1: false" >>"$LAB/$node/kubelet.yaml"
	mkdir -p "$LAB/$node/etc/kubernetes/manifests"
	component_define "kubelet-$node" "node_exec $node curl -sf http://127.0.0.1:10248/healthz" \
		nsenter --target "$(component_pid "machine-$node")" --mount --net -- \
		"$BIN/kubelet" --kubeconfig "$LAB/$node.conf" --config "$LAB/$node/kubelet.yaml" \
		--hostname-override "$node" --node-ip "10.99.0.$number" "${runtime[@]}"
}

# The settings of connection tracking belong to the whole machine, hence the zeros.
define_proxy() {
	local node=$1

	component_define "proxy-$node" "node_exec $node curl -sf http://127.0.0.1:10256/healthz" \
		nsenter --target "$(component_pid "machine-$node")" --mount --net -- \
		"$BIN/kube-proxy" --kubeconfig "$LAB/proxy.conf" --hostname-override "$node" \
		--proxy-mode iptables --cluster-cidr "$POD_CIDR" --conntrack-max-per-core 0 \
		--conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0
}

# What Flannel's own plugin hands to bridge and portmap, written down. The version is Flannel's.
primary_write() {
	local node=$1 number=${1#n}

	mkdir -p "$LAB/$node/etc/cni/net.d" "$LAB/$node/opt/cni/bin"
	cp /usr/lib/cni/* "$LAB/$node/opt/cni/bin/"
	cat >"$LAB/$node/primary.new" <<-CONF
		{
		  "cniVersion": "0.3.1",
		  "name": "cbr0",
		  "plugins": [
		    {
		      "type": "bridge",
		      "bridge": "cni0",
		      "mtu": 1450,
		      "isGateway": true,
		      "isDefaultGateway": true,
		      "hairpinMode": true,
		      "ipMasq": false,
		      "ipam": {
		        "type": "host-local",
		        "dataDir": "/var/lib/cni/networks",
		        "ranges": [[{"subnet": "10.42.$((number - 1)).0/24"}]],
		        "routes": [{"dst": "$POD_CIDR"}]
		      }
		    },
		    {"type": "portmap", "capabilities": {"portMappings": true}}
		  ]
		}
	CONF
	mv "$LAB/$node/primary.new" "$LAB/$node/etc/cni/net.d/10-flannel.conflist"
}

# The kubelet sets these for the whole machine; machine_restore puts them back.
KUBELET_SYSCTLS="vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops
	kernel.keys.root_maxkeys kernel.keys.root_maxbytes"

machine_remember() {
	local name

	for name in $KUBELET_SYSCTLS; do
		echo "$name=$(sysctl -n "$name" 2>/dev/null || true)" >>"$LAB/sysctls"
	done
}

machine_restore() {
	local line

	if [ -f "$LAB/sysctls" ]; then
		while read -r line; do
			[ -z "${line#*=}" ] || sysctl -qw "$line" 2>/dev/null || true
		done <"$LAB/sysctls"
	fi
	if [ -f "$LAB/made-dirs" ]; then
		sort -ru "$LAB/made-dirs" | while read -r line; do
			rmdir "$line" 2>/dev/null || true
		done
	fi
}

# First half, which needs no API server and so runs beside its start.
nodes_prepare() {
	local node

	machine_remember
	node_mount_points
	for node in $(node_names); do
		cgroup_make "tandem-lab/$node"
		primary_write "$node"
		define_machine "$node"
		component_start "machine-$node"
	done
	for node in $(node_names); do
		component_await "machine-$node" 10
		define_containerd "$node"
		component_start "containerd-$node"
	done
}

nodes_start() {
	local node

	for node in $(node_names); do
		component_await "containerd-$node" 30
		images_load "$node" "$LAB/images/pause.tar" "$LAB/images/busybox.tar"
		define_kubelet "$node"
		define_proxy "$node"
		component_start "kubelet-$node"
	done
	# kube-proxy looks for its node at once, and then again after pauses that grow.
	for node in $(node_names); do
		component_await "kubelet-$node" 60
		try_for 30 node_exists "$node" ||
			die_log "kubelet-$node" "node $node does not register"
		node_pod_network "$node"
		component_start "proxy-$node"
	done
	for node in $(node_names); do
		component_await "proxy-$node" 60
	done
}

# Argument: node. What it does not write down is lost; processes of a runtime that is not there any more are
# found by the node's view of the mounts.
node_power_off() {
	local node=$1 mounts pid name

	mounts=$(readlink "/proc/$(component_pid "machine-$node")/ns/mnt") || die "node $node does not run"
	for name in kubelet proxy containerd machine; do component_stop "$name-$node" KILL; done
	try_for 20 node_kill_all "$node" "$mounts" || die "processes of $node that cannot be killed"
	ip netns del "$NETNS_PREFIX$node"
	rm -rf "$LAB/$node/mounted" "${LAB:?}/$node/run"
}

# Arguments: node, its mount namespace. 1 while there is one left.
node_kill_all() {
	local pid rc=0

	for pid in $(cgroup_processes); do
		if grep -q "/tandem-lab/$1/" "/proc/$pid/cgroup" 2>/dev/null ||
			[ "$(readlink "/proc/$pid/ns/mnt" 2>/dev/null)" = "$2" ]; then
			kill -KILL "$pid" 2>/dev/null && rc=1
		fi
	done
	return $rc
}

node_power_on() {
	local node=$1

	network_node "${node#n}"
	network_pod_routes "${node#n}" "$(node_names | wc -l)"
	define_machine "$node"
	component_start "machine-$node"
	component_await "machine-$node" 10
	define_containerd "$node"
	component_start "containerd-$node"
	component_await "containerd-$node" 60
	define_kubelet "$node"
	define_proxy "$node"
	component_start "kubelet-$node"
	component_start "proxy-$node"
}

node_exists() {
	kubectl_lab get node "$1" >/dev/null 2>&1
}

# What a controller manager with --allocate-node-cidrs writes, by the node's number.
node_pod_network() {
	local net="10.42.$((${1#n} - 1)).0/24"

	kubectl_lab patch node "$1" -p "{\"spec\":{\"podCIDR\":\"$net\",\"podCIDRs\":[\"$net\"]}}" >/dev/null
}

node_is_ready() {
	[ "$(kubectl_lab get node "$1" -o jsonpath="$NODE_READY" 2>/dev/null)" = True ]
}
NODE_READY='{.status.conditions[?(@.type=="Ready")].status}'

nodes_await() {
	local node

	for node in $(node_names); do
		try_for 90 node_is_ready "$node" ||
			die_log "kubelet-$node" "node $node is not Ready after 90 s"
	done
}

# --- pods ------------------------------------------------------------------------------------

# Argument: NAMESPACE/NAME. Prints the pid of the process that holds the pod's namespaces. The
# runtimes are asked, not the API server, so that it also works without one.
pod_pid() {
	local filter node ids pid

	filter="labels.\"io.cri-containerd.kind\"==sandbox"
	filter+=",labels.\"io.kubernetes.pod.namespace\"==${1%%/*}"
	filter+=",labels.\"io.kubernetes.pod.name\"==${1#*/}"
	for node in $(node_names); do
		ids=$(node_ctr "$node" containers ls -q "$filter") || continue
		[ -n "$ids" ] || continue
		pid=$(node_ctr "$node" tasks ls | awk -v ids="$ids" '
			BEGIN { n = split(ids, a, "\n"); for (i = 1; i <= n; i++) want[a[i]] = 1 }
			$1 in want && $3 == "RUNNING" { print $2; exit }')
		if [ -n "$pid" ]; then
			echo "$pid"
			return
		fi
	done
	die "pod $1 has no running sandbox"
}
