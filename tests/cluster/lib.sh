# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What all parts of the cluster share: where its state lies, messages, waiting, the processes.
#
# A component is a process of the cluster with a name: etcd, apiserver, kubelet-n1, ... Of each the
# lab keeps run/NAME.cmd (its arguments, NUL-separated), run/NAME.ready (a shell command that
# succeeds once it serves), run/NAME.pid (pid and start time) and log/NAME.log. All of them, and
# all that they start, live below the cgroup tandem-lab: none can escape `cluster.sh down`.

CLUSTER_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TREE=$(cd "$CLUSTER_DIR/../.." && pwd)
export TREE

# /run is mounted noexec on some machines, and the nodes execute plugins below the lab.
lab_default() {
	if findmnt -no OPTIONS -T /run | grep -qw noexec; then
		echo /var/lib/tandem-lab
	else
		echo /run/tandem-lab
	fi
}
LAB=${TANDEM_LAB:-$(lab_default)}

API_ADDRESS=10.99.0.254
API_URL=https://$API_ADDRESS:6443
POD_CIDR=10.42.0.0/16
SERVICE_CIDR=10.43.0.0/16
export LAB API_ADDRESS API_URL POD_CIDR SERVICE_CIDR

say() {
	echo "cluster: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# Arguments: component, message. Shows what the component itself said last.
die_log() {
	say "$2"
	if [ -f "$LAB/log/$1.log" ]; then
		say "the end of $LAB/log/$1.log:"
		tail -n 20 "$LAB/log/$1.log" | sed 's/^/    /' >&2
	fi
	exit 1
}

node_names() {
	local dir

	for dir in "$LAB"/n[0-9]*/; do
		[ ! -d "$dir" ] || basename "$dir"
	done
}

# Arguments: seconds, command. Tries the command until it succeeds; 1 when the time is over, which is longer by
# TEST_TIME_FACTOR (tests/lib.sh).
try_for() {
	local end=$((SECONDS + $1 * ${TEST_TIME_FACTOR:-5}))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# --- cgroups ---------------------------------------------------------------------------------

# One root a controller with cgroup v1 (and often one of v2 beside them, without any), a single one
# with v2.
cgroup_roots() {
	awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts
}

# The hierarchy in which the lab's processes are found again.
cgroup_track() {
	cgroup_roots | awk '/\/pids$/ { best = $0 } NR == 1 { first = $0 }
		END { print best ? best : first }'
}

# Argument: a path below each root. A new cpuset is empty and admits nobody until it is filled;
# with v2 a folder's controllers must be handed down to its children.
cgroup_make() {
	local root path part f

	for root in $(cgroup_roots); do
		path=$root
		for part in ${1//\// }; do
			if [ -e "$path/cgroup.subtree_control" ]; then
				sed 's/[a-z_]\+/+&/g' "$path/cgroup.controllers" \
					>"$path/cgroup.subtree_control" 2>/dev/null || true
			fi
			mkdir -p "$path/$part" || die "cannot make the cgroup $path/$part"
			for f in cpuset.cpus cpuset.mems; do
				[ -e "$root/cgroup.controllers" ] || [ ! -e "$path/$f" ] ||
					cat "$path/$f" >"$path/$part/$f"
			done
			path=$path/$part
		done
	done
}

cgroup_processes() {
	local track

	track=$(cgroup_track)/tandem-lab
	[ ! -d "$track" ] || find "$track" -name cgroup.procs -exec cat {} + 2>/dev/null || true
}

# Argument: a program's name. A name in the kernel is of 15 bytes.
kill_program() {
	local pid
	for pid in $(cgroup_processes); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "${1:0:15}" ] || kill -KILL "$pid" 2>/dev/null || true
	done
}

cgroup_kill_all() {
	local pids

	pids=$(cgroup_processes)
	[ -n "$pids" ] || return 0
	# shellcheck disable=SC2086 # a list of numbers
	kill -9 $pids 2>/dev/null || true
	return 1
}

cgroup_remove_all() {
	local root rc=0

	for root in $(cgroup_roots); do
		[ -d "$root/tandem-lab" ] || continue
		find "$root/tandem-lab" -depth -type d -exec rmdir {} \; 2>/dev/null || true
		[ ! -d "$root/tandem-lab" ] || rc=1
	done
	return $rc
}

# Arguments: program, flag. Whether this version of it knows the flag.
has_flag() {
	"$1" --help 2>&1 | grep -qE -- "^ *$2( |=|\$)"
}

# --- components ------------------------------------------------------------------------------

# Prints when a process began, in ticks since boot: with it a pid names one process for ever. One
# that has ended and only waits to be reaped counts as gone.
process_began() {
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" && $1 != "X" { print $20 }'
}

# Prints the pid of a component that runs.
component_pid() {
	local pid began

	[ -f "$LAB/run/$1.pid" ] || return 1
	read -r pid began <"$LAB/run/$1.pid"
	[ -n "$began" ] && [ "$(process_began "$pid")" = "$began" ] || return 1
	echo "$pid"
}

component_names() {
	local f

	for f in "$LAB"/run/*.cmd; do
		[ ! -f "$f" ] || basename "$f" .cmd
	done
}

# Arguments: name, shell command that tells whether it serves, the component's command.
component_define() {
	local name=$1 ready=$2

	shift 2
	printf '%s\0' "$@" >"$LAB/run/$name.cmd"
	printf '%s\n' "$ready" >"$LAB/run/$name.ready"
}

component_start() {
	local name=$1 pid cmd

	[ -f "$LAB/run/$name.cmd" ] ||
		die "no component '$name'; there are: $(component_names | tr '\n' ' ')"
	if component_pid "$name" >/dev/null; then
		return
	fi
	mapfile -d '' cmd <"$LAB/run/$name.cmd"
	(
		exec 8>&-
		echo "$BASHPID" >"$(cgroup_track)/tandem-lab/daemons/cgroup.procs"
		exec setsid "${cmd[@]}"
	) >>"$LAB/log/$name.log" 2>&1 </dev/null &
	pid=$!
	disown "$pid"
	echo "$pid $(process_began "$pid")" >"$LAB/run/$name.pid"
}

# Arguments: name, seconds. Waits until the component serves; dies when it ends or takes too long.
component_await() {
	local name=$1 patience=$(($2 * ${TEST_TIME_FACTOR:-5})) ready
	local end=$((SECONDS + patience))

	ready=$(cat "$LAB/run/$name.ready")
	until eval "$ready" >/dev/null 2>&1; do
		component_pid "$name" >/dev/null || die_log "$name" "$name has ended"
		[ "$SECONDS" -lt "$end" ] || die_log "$name" "$name does not serve after $patience s"
		sleep 0.1
	done
}

component_gone() {
	! component_pid "$1" >/dev/null
}

# Arguments: name, signal. What TERM does not end within 10 s is killed.
component_stop() {
	local name=$1 pid

	[ -f "$LAB/run/$name.cmd" ] ||
		die "no component '$name'; there are: $(component_names | tr '\n' ' ')"
	pid=$(component_pid "$name") || return 0
	kill "-${2:-TERM}" "$pid" 2>/dev/null || true
	if ! try_for 10 component_gone "$name"; then
		say "$name does not end, killing it"
		kill -KILL "$pid" 2>/dev/null || true
		try_for 10 component_gone "$name" || die "$name (pid $pid) cannot be killed"
	fi
	rm -f "$LAB/run/$name.pid"
}
