#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tests on a real cluster: boots one, runs test_*.sh in the order of their names, ends it.
#
#   tests/cluster/run.sh [NAME]...      only the tests whose names contain one of the words
#
# test_00 sees the cluster as it is before tandem comes; test_05 installs it, as soon as any other is wanted. The last
# ones upgrade it, switch a node off, and take tandem out of the cluster. As a test itself (tests/run.sh) it prints all their lines. KEEP=1 leaves the cluster up; one that is
# up already is used and left as it is when REUSE=1.
set -euo pipefail

CLUSTER_TESTS=$(cd "$(dirname "$0")" && pwd)
export TANDEM_LAB_WAIT=${TANDEM_LAB_WAIT:-900}
: "${TANDEM_BUILD:=$CLUSTER_TESTS/../../build/static}"
export TANDEM_BUILD

rc=0
installed=""

finish() {
	local status=$?

	trap - EXIT
	if [ -z "${KEEP:-}${REUSE:-}" ]; then
		take_down || status=1
	fi
	[ "$status" -ne 0 ] || status=$rc
	exit "$status"
}

# What a cluster could leave on the machine.
leftovers() {
	ip netns list | grep '^tandem-' || true
	ip -o link show | grep ' tandem0' || true
	find /sys/fs/cgroup -maxdepth 2 -name tandem-lab
	grep -F " $lab/" /proc/mounts || true
	[ ! -e "$lab" ] || echo "$lab"
	pgrep -fa "$lab/" || true
}

take_down() {
	local lab left

	lab=$("$CLUSTER_TESTS/cluster.sh" dir)
	if ! "$CLUSTER_TESTS/cluster.sh" down; then
		echo "not ok down: failed"
		return 1
	fi
	left=$(leftovers)
	if [ -n "$left" ]; then
		printf 'not ok down leaves nothing: %s\n' "${left//$'\n'/; }"
		return 1
	fi
	echo "ok down leaves nothing"
	"$CLUSTER_TESTS/cluster.sh" down && echo "ok down may be called twice"
}

# wanted FILE WORD...: no words, or one of them in the file's name
wanted() {
	local file=$1 word

	shift
	[ $# -gt 0 ] || return 0
	for word; do
		[[ $(basename "$file") != *"$word"* ]] || return 0
	done
	return 1
}

install() {
	[ -z "$installed" ] || return 0
	installed=yes
	echo "# test_05_install"
	"$CLUSTER_TESTS/test_05_install.sh" || exit 1
}

# An API server or a controller that a failed test left stopped must not fail the tests after it.
heal() {
	"$CLUSTER_TESTS/cluster.sh" start apiserver 2>/dev/null || true
	[ "$("$CLUSTER_TESTS/cluster.sh" kubectl get deployment tandem-controller -n kube-system \
		-o jsonpath='{.spec.replicas}' 2>/dev/null)" != 0 ] ||
		"$CLUSTER_TESTS/cluster.sh" kubectl scale deployment tandem-controller -n kube-system --replicas=2 >/dev/null || true
}

if [ -z "${REUSE:-}" ]; then
	"$CLUSTER_TESTS/cluster.sh" up 2 || {
		echo "not ok cluster: does not boot"
		exit 1
	}
fi
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for file in "$CLUSTER_TESTS"/test_*.sh; do
	case $file in
	*/test_00*) wanted "$file" "$@" || continue ;;
	*/test_05*) continue ;;
	*) wanted "$file" "$@" && install || continue ;;
	esac
	echo "# $(basename "$file" .sh)"
	"$file" || rc=1
	heal
done
