#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demonstration: from nothing to a real two-node Kubernetes with tandem on it, whose pods have
# the cards, routes and records of the four pictures (pictures.sh). Called by `make demo`.
#
#   tests/demo/run.sh [--keep]        or KEEP=1: leaves the cluster up, with the workloads on it
#
# Ends with a failure if any line differs from golden/. (--break-route makes one differ: a test of
# the check.)
set -euo pipefail

DEMO=$(cd "$(dirname "$0")" && pwd)
CLUSTER=$DEMO/../cluster
keep=${KEEP:-} options=()
for option; do
	case $option in
	--keep) keep=yes ;;
	--break-route) options+=("$option") ;;
	*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 2 ;;
	esac
done

finish() {
	local rc=$?

	trap - EXIT
	if [ -n "$keep" ]; then
		echo "demo: the cluster stays up; $CLUSTER/cluster.sh helps, $CLUSTER/cluster.sh down ends it"
	else
		"$CLUSTER/cluster.sh" down || rc=1
	fi
	if [ "$rc" -eq 0 ]; then
		echo "demo: all pictures are as they should be; $SECONDS s in all"
	else
		echo "demo: FAILED; $SECONDS s in all"
	fi
	exit "$rc"
}

: "${TANDEM_BUILD:=$DEMO/../../build/static}"
export TANDEM_BUILD
export TANDEM_LAB_WAIT=${TANDEM_LAB_WAIT:-900}
"$CLUSTER/cluster.sh" up 2
# Not before the cluster is ours: another's must not be ended.
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$CLUSTER/install.sh"
"$DEMO/pictures.sh" --leave ${options[@]+"${options[@]}"}
