#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A real Kubernetes of several nodes on this machine, for tests and for use by hand. As root.
#
#   cluster.sh up [NODES]           boots it, two nodes unless told; waits until they are Ready
#   cluster.sh down                 ends it and leaves nothing; may be called at any time, twice too
#   cluster.sh status               what runs, and the nodes
#   cluster.sh kubectl ARGS...      as the cluster's administrator
#   cluster.sh node N CMD...        runs a command on a node (n1 or 1)
#   cluster.sh pod-netns NS/POD     prints the path of a pod's network namespace
#   cluster.sh in-pod NS/POD CMD... runs a command of this machine in a pod's network namespace
#   cluster.sh lan CMD...           ... on the LAN's router and machine
#   cluster.sh far CMD...           ... on the host behind that router
#   cluster.sh stop|kill NAME       ends a component: etcd apiserver kcm scheduler containerd-n1
#                                   kubelet-n1 proxy-n1 ... (kill: SIGKILL)
#   cluster.sh start NAME           starts it again and waits until it serves
#   cluster.sh kill-program NAME    SIGKILL to each process of that program, in pods as well
#   cluster.sh power-off N          a node loses its power: all that runs on it, its links, /run; disks stay
#   cluster.sh power-on N           ... and starts again, without waiting for it to be Ready
#   cluster.sh run NAME READY CMD.. adds a component and starts it; READY is a shell command that
#                                   succeeds once it serves
#   cluster.sh logs NAME            shows a component's log
#   cluster.sh load TAR...          imports images on all nodes
#   cluster.sh dir                  prints the folder with the cluster's state
#
#            this machine                    etcd, API server, controller manager, scheduler
#            tandem0 10.99.0.254/24
#                 |
#    -----+-------+------+--------------- mg0: nodes' own network, 10.99.0.0/24
#         |              |        |
#        eth0 .1        eth0 .2  eth1 .253
#    +----------+   +----------+  +--------------------------------+      +-----------------+
#    | n1       |   | n2       |  | lan: router, ip_forward 1      | eth2 | far             |
#    | cni0     |   | cni0     |  |   192.168.100.1/24             |------| 172.16.18.5/24  |
#    | 10.42.0. |   | 10.42.1. |  |   192.168.120.1/24             |  .1  | default via .1  |
#    | 0/24     |   | 0/24     |  |   192.168.22.1/24              |      +-----------------+
#    +----------+   +----------+  +--------------------------------+
#        ens4           ens4     eth0
#         |              |        |
#    -----+--------------+--------+------ sw0: the physical switch; ens4 is up, without address
#
# Each box is a network namespace (tandem-n1, tandem-lan, ...), both bridges lie in tandem-switch.
# Pods: 10.42.0.0/16, a /24 each node, routed between the nodes; services: 10.43.0.0/16. What leaves
# 10.42.0.0/16 from eth0 of a pod is masqueraded by its node and goes by way of the router.
#
# KUBE_BIN names a folder with other programs of Kubernetes than those that build-kubernetes.sh makes, and
# CONTAINERD_BIN one with another containerd, its containerd-shim-runc-v2 and ctr; `up` reads them.
#
# State lies in ${TANDEM_LAB:-/run/tandem-lab} (/var/lib/tandem-lab where /run is noexec), nodes'
# folders below n1, n2, ...: n1/etc/cni/net.d, n1/var/log. One cluster at a time on a machine; `up`
# waits TANDEM_LAB_WAIT seconds (default 0) for another one to end.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in lib network control-plane images nodes; do
	# shellcheck source=/dev/null
	. "$HERE/$part.sh"
done

# Held while the cluster is made or unmade. A folder that is always there is locked, not a file
# that would stay behind.
lock() {
	exec 8</run/lock
	flock 8
}

try_lock() {
	exec 8</run/lock
	flock --nonblock 8
}

is_up() {
	component_pid apiserver >/dev/null || component_pid etcd >/dev/null
}

claim() {
	try_for "${TANDEM_LAB_WAIT:-0}" try_lock ||
		die "another cluster is just being made or unmade on this machine"
	if is_up; then
		flock -u 8
		try_for "${TANDEM_LAB_WAIT:-0}" cluster_absent ||
			die "a cluster is up already, state in $LAB; '$0 down' ends it"
		lock
	fi
}

cluster_absent() {
	! is_up
}

# What is missing is told before anything is made.
programs_there() {
	local program

	for program in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
		[ -x "$BIN/$program" ] || die "no program $program in $BIN (KUBE_BIN)"
	done
	for program in containerd containerd-shim-runc-v2 ctr; do
		[ -x "$CONTAINERD/$program" ] || die "no program $program in $CONTAINERD (CONTAINERD_BIN)"
	done
}

cluster_up() {
	local nodes=$1 i began

	[[ $nodes =~ ^[1-9]$ ]] || die "number of nodes: 1 to 9, not '$nodes'"
	BIN=${KUBE_BIN:-$("$HERE/build-kubernetes.sh")}
	CONTAINERD=${CONTAINERD_BIN:-$(dirname "$(command -v containerd)")}
	programs_there
	claim
	began=$SECONDS
	cluster_down
	# Half a cluster is of no use to anyone; what failed has been shown by then.
	trap 'say "up has failed, taking down what there is"; cluster_down' EXIT
	mkdir -p "$LAB/run" "$LAB/log" "$LAB/bin"
	echo "$BIN" >"$LAB/kubernetes"
	echo "$CONTAINERD" >"$LAB/containerd"
	for ((i = 1; i <= nodes; i++)); do
		mkdir -p "$LAB/n$i"
	done
	cgroup_make tandem-lab/daemons
	network_up "$nodes"
	pki_up "$nodes"
	nodes_prepare
	control_plane_up
	images_build
	nodes_start
	control_plane_await
	nodes_await
	trap - EXIT
	say "$nodes nodes Ready after $((SECONDS - began)) s"
}

cluster_down() {
	local leftover

	try_for 20 cgroup_kill_all || die "processes that cannot be killed: $(cgroup_processes | xargs)"
	network_down
	try_for 10 cgroup_remove_all || die "cgroups $(cgroup_track)/tandem-lab cannot be removed"
	leftover=$(awk -v l="$LAB/" 'index($2 "/", l) == 1 { print $2 }' /proc/mounts)
	[ -z "$leftover" ] || die "still mounted: $leftover"
	machine_restore
	rm -rf "$LAB"
}

cluster_status() {
	local name pid

	[ -d "$LAB/run" ] || die "no cluster"
	echo "state: $LAB   kubernetes: $BIN   containerd: $CONTAINERD"
	for name in $(component_names); do
		pid=$(component_pid "$name") || pid=stopped
		printf '%-16s %s\n' "$name" "$pid"
	done
	kubectl_lab get nodes -o wide
}

start() {
	component_start "$1"
	component_await "$1" 60
}

main() {
	local verb=${1:-help} name ready

	[ $# -eq 0 ] || shift
	case $verb in
	help | -h | --help)
		sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
		return
		;;
	esac
	[ "$(id -u)" = 0 ] || die "must be run as root"
	BIN=$(cat "$LAB/kubernetes" 2>/dev/null || true)
	CONTAINERD=$(cat "$LAB/containerd" 2>/dev/null || true)
	case $verb in
	up | down | dir) ;;
	*) [ -d "$LAB/run" ] || die "no cluster; '$0 up' boots one" ;;
	esac
	case $verb in
	up) cluster_up "${1:-2}" ;;
	down) lock && cluster_down ;;
	dir) echo "$LAB" ;;
	status) cluster_status ;;
	kubectl) kubectl_lab "$@" ;;
	node) name=${1:?which node} && shift && node_exec "n${name#n}" "$@" ;;
	pod-netns) name=$(pod_pid "${1:?NAMESPACE/POD}") && echo "/proc/$name/ns/net" ;;
	in-pod)
		name=$(pod_pid "${1:?NAMESPACE/POD}")
		shift
		nsenter "--net=/proc/$name/ns/net" -- "$@"
		;;
	lan | far) ip netns exec "$NETNS_PREFIX$verb" "$@" ;;
	stop) component_stop "${1:?which component}" TERM ;;
	kill) component_stop "${1:?which component}" KILL ;;
	start) start "${1:?which component}" ;;
	kill-program) kill_program "${1:?which program}" ;;
	power-off) name=${1:?which node} && node_power_off "n${name#n}" ;;
	power-on) name=${1:?which node} && node_power_on "n${name#n}" ;;
	run)
		name=${1:?name} ready=${2:?condition}
		shift 2
		component_define "$name" "$ready" "$@"
		start "$name"
		;;
	logs) cat "$LAB/log/${1:?which component}.log" ;;
	load) for name in $(node_names); do images_load "$name" "$@"; done ;;
	*) die "unknown command '$verb'; '$0 help' tells" ;;
	esac
}

main "$@"
