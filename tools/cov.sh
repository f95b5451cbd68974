#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Line coverage per folder and in all, from gcov's counts:
#
#	tools/cov.sh BUILD_DIR SOURCE.c...
#
# `make cov` calls it after the unit tests. Lines per file are in BUILD_DIR/coverage.txt.
set -euo pipefail
dir=$1
shift
for f; do
	[ -e "$dir/${f%.c}.gcno" ] || continue
	# A file that no test reached has no .gcda, and counts with nothing covered.
	LC_ALL=C gcov -n "$dir/${f%.c}.o" 2>/dev/null | awk -v f="$f" '
		$0 == "File \x27" f "\x27" { mine = 1; next }
		mine && /^Lines executed:/ {
			split($0, a, /[:%]| of /)
			printf "%s %d %d\n", f, a[4] * a[2] / 100 + 0.5, a[4]
			exit
		}'
done >"$dir/coverage.txt"
awk '{ d = $1; sub("/[^/]*$", "", d); hit[d] += $2; all[d] += $3; h += $2; n += $3 }
	END {
		for (d in all) printf "%-14s %5.1f %%  %d of %d lines\n", d, all[d] ? 100 * hit[d] / all[d] : 0, hit[d], all[d] | "sort"
		close("sort")
		printf "%-14s %5.1f %%  %d of %d lines\n", "all", n ? 100 * h / n : 0, h, n
	}' "$dir/coverage.txt"
