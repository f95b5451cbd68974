#!/usr/bin/env bash
# The controller at a real API server, part by part; ONLY=basic runs one. Without leader election, where the
# part does not say otherwise: a controller that is killed and started again need not wait for its own lease.
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/api/lib-frame.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib-frame.sh"

# What the controller said, when something failed.
show_log() {
	[ "$tests_failed" -eq 0 ] || sed 's/^/    | /' "$DIR/controller.log" | tail -n "${LOG_LINES:-60}"
}
at_exit show_log

api_start
for part in "$HERE"/lib_*.sh; do
	if [ -z "${ONLY:-}" ] || [ "${part##*/lib_}" = "$ONLY.sh" ]; then
		# shellcheck source=/dev/null
		. "$part"
	fi
done
