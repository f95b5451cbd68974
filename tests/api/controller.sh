#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The controller at a real API server, by hand: all parts (lib_*.sh), or those named (ONLY="basic edits" names them too):
#
#	tests/api/controller.sh [PART...]
#
# The suite has them in four scripts, which can run beside each other: allocation.sh, workloads.sh, services.sh
# and webhook.sh. Without leader election, where the part does not say otherwise: a controller that is killed and
# started again need not wait for its own lease.
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/api/lib-frame.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib-frame.sh"

# What the controller said, when something failed.
show_log() {
	[ "$tests_failed" -eq 0 ] || sed 's/^/    | /' "$DIR/controller.log" | tail -n "${LOG_LINES:-60}"
}
at_exit show_log

if [ $# -eq 0 ]; then
	set -- "$HERE"/lib_*.sh
	set -- "${@#"$HERE"/lib_}"
	set -- "${@%.sh}"
fi
# shellcheck disable=SC2086 # a list
[ -z "${ONLY:-}" ] || set -- $ONLY
api_start
for part; do
	echo "# $part, after $SECONDS s"
	# shellcheck source=/dev/null
	. "$HERE/lib_$part.sh"
done
echo "# done, after $SECONDS s"
