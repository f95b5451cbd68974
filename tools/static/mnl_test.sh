#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/static/mnl.c must answer as the system's libmnl does, byte for byte.
. "$(dirname "$0")/../../tests/lib.sh"
cd "$TESTS_ROOT" || exit 1
CC=${CC:-gcc}
scratch dir

# probe NAME FILE...: builds the probe and keeps its output in $dir/NAME
probe() {
	local name=$1
	shift
	"$CC" -std=gnu17 -D_GNU_SOURCE -O1 -o "$dir/$name-probe" tools/static/mnl_probe.c "$@" &&
		"$dir/$name-probe" >"$dir/$name"
}

check "probe with the system's libmnl" probe theirs -lmnl
check "probe with tools/static/mnl.c" probe ours tools/static/mnl.c
same "same answers" "$(cat "$dir/theirs")" "$(cat "$dir/ours")"
check "answers are complete" grep -q '^no such bus 1 errno' "$dir/ours"
