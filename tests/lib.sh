# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by every shell test. A test prints one line for each thing it tries, which tests/run.sh
# counts:
#	ok NAME
#	not ok NAME: REASON
#	skip NAME: REASON
# and exits non-zero when one failed. Details of a failure go to the lines after it.
#
#	. "$(dirname "$0")/../lib.sh"
#	check "link is there" ip link show dev eth1
#	same "main table" "$expected" "$(ip route)"
#	wait_for 5 test -e "$dir/ready" || fail "ready" "no file after 5 s"
#
# The environment says what is under test: TANDEM_BUILD (a folder of the build), TANDEM_BIN,
# TANDEM_CONTROLLER_BIN, TANDEM_NODE_BIN and TANDEM_KUBECTL_BIN (programs in it). By hand they default to build/static.
#
# TEST_TIME_FACTOR: how many times as long as on a quiet machine everything may take, before that is a failure. Who
# waits in vain waits longer; nobody else does. C tests have it as test_ms(), tests/timing.h.

set -u
TESTS_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${TANDEM_BUILD:=$TESTS_ROOT/build/static}"
: "${TANDEM_BIN:=$TANDEM_BUILD/tandem}"
: "${TANDEM_CONTROLLER_BIN:=$TANDEM_BUILD/tandem-controller}"
: "${TANDEM_NODE_BIN:=$TANDEM_BUILD/tandem-node}"
: "${TANDEM_KUBECTL_BIN:=$TANDEM_BUILD/kubectl-macvlan}"
: "${TEST_TIME_FACTOR:=5}"
export TEST_TIME_FACTOR TESTS_ROOT TANDEM_BUILD TANDEM_BIN TANDEM_CONTROLLER_BIN TANDEM_NODE_BIN TANDEM_KUBECTL_BIN

tests_passed=0
tests_failed=0
tests_skipped=0
tests_exit_cmds=()
tests_pid=$BASHPID

# pass NAME
pass() {
	tests_passed=$((tests_passed + 1))
	printf 'ok %s\n' "$1"
}

# fail NAME REASON...: always returns 0, so that a script goes on under set -e
fail() {
	local name=$1
	shift
	tests_failed=$((tests_failed + 1))
	printf 'not ok %s: %s\n' "$name" "$*"
}

# skip NAME REASON...: for what this machine cannot do; under STRICT=1 it counts as a failure
skip() {
	local name=$1
	shift
	tests_skipped=$((tests_skipped + 1))
	printf 'skip %s: %s\n' "$name" "$*"
}

# check NAME CMD...: passes when CMD exits 0; its output is shown only when it does not
check() {
	local name=$1 out rc=0
	shift
	out=$("$@" 2>&1) || rc=$?
	if [ "$rc" -eq 0 ]; then
		pass "$name"
	else
		fail "$name" "exit $rc: $*"
		[ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/    /'
	fi
}

# check_fails NAME CMD...: passes when CMD exits non-zero (but is not killed and does exist)
check_fails() {
	local name=$1 out rc=0
	shift
	out=$("$@" 2>&1) || rc=$?
	if [ "$rc" -gt 0 ] && [ "$rc" -lt 126 ]; then
		pass "$name"
	else
		fail "$name" "exit $rc, wanted 1..125: $*"
		[ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/    /'
	fi
}

# same NAME EXPECTED ACTUAL: byte for byte; a mismatch is shown as a unified diff
same() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "differs from what is expected"
		# It differs: under pipefail and -e that would end the script.
		diff -u --label expected --label actual <(printf '%s\n' "$2") <(printf '%s\n' "$3") |
			sed 's/^/    /' || :
	fi
	return 0
}

# wait_for SECONDS CMD...: tries CMD until it exits 0; 1 when the deadline passes first, SECONDS times TEST_TIME_FACTOR.
# CMD runs in this shell, so it may be a function that sets variables. Its output is dropped.
wait_for() {
	local now end
	tests_now_ms now
	end=$((now + $1 * 1000 * TEST_TIME_FACTOR))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tests_now_ms now
		[ "$now" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# scaled SECONDS [MOST]: SECONDS times TEST_TIME_FACTOR, at most MOST
scaled() {
	local n=$(($1 * TEST_TIME_FACTOR))
	if [ -n "${2:-}" ] && [ "$n" -gt "$2" ]; then n=$2; fi
	printf '%s' "$n"
}

# tests_now_ms VAR: milliseconds since boot, which no change of the wall clock moves
tests_now_ms() {
	local up
	read -r up _ </proc/uptime
	up=${up/./}
	printf -v "$1" '%s' "$((10#$up * 10))"
}

# at_exit CMD...: run CMD when the script ends, last registered first. Use it instead of trap EXIT.
at_exit() {
	tests_exit_cmds+=("$(printf '%q ' "$@")")
}

# scratch VAR: a fresh temporary folder, removed at the end
scratch() {
	local tests_dir
	tests_dir=$(mktemp -d "${TMPDIR:-/tmp}/tandem-test.XXXXXX") || exit 1
	printf -v "$1" '%s' "$tests_dir"
	at_exit rm -rf "$tests_dir"
}

tests_finish() {
	local rc=$? i
	# A subshell inherits the trap, not the right to end the test.
	[ "$BASHPID" = "$tests_pid" ] || return 0
	trap - EXIT
	for ((i = ${#tests_exit_cmds[@]} - 1; i >= 0; i--)); do
		eval "${tests_exit_cmds[i]}" || :
	done
	[ "$tests_failed" -eq 0 ] || exit 1
	exit "$rc"
}
trap tests_finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
