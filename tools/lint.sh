#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All static checks, over every source file of the tree or over those named:
#
#	tools/lint.sh [FILE...]
#
# clang-format, cppcheck, clang-tidy (with clang's warnings as errors), shellcheck, mandoc, and the
# project's own tools/check-includes, tools/check-banned and tools/rooms. Prints what is found and ends with
# "ok lint" or "not ok lint: ...". clang-tidy passes over a file whose preprocessed text, flags and
# configuration it has found clean within a month; it takes minutes for all, so what it has found stays in
# ${TANDEM_CACHE:-/var/cache/tandem}/tidy, or below build/lint for who may not write there.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

jobs=2
store=${O:-build}/lint
mkdir -p "$store/cppcheck"
clean=${TANDEM_CACHE:-/var/cache/tandem}/tidy
{ mkdir -p "$clean" && [ -w "$clean" ]; } 2>/dev/null || { clean=$store/tidy && mkdir -p "$clean"; }
find "$clean" -type f -mtime +30 -delete
bad=()

std=(-std=gnu17 -pthread -I. -D_GNU_SOURCE "-DTANDEM_VERSION=\"0\"")
read -ra warn < <(make -s --no-print-directory print-WARN)

# sources GLOB...: files of the tree, or those of the arguments, that match one of the patterns
files=()
sources() {
	local f pattern
	files=()
	for f in "${tree[@]}"; do
		for pattern; do
			# shellcheck disable=SC2053 # a pattern
			if [[ $f == $pattern ]]; then
				files+=("$f")
				break
			fi
		done
	done
}

# step NAME CMD...: runs CMD unless there are no files for it; shows what it says when it fails
step() {
	local name=$1 start=$SECONDS
	shift
	[ ${#files[@]} -gt 0 ] || return 0
	command -v "$1" >/dev/null || [ "$(type -t "$1")" = function ] || {
		bad+=("$name")
		echo "$1: not installed, see tools/setup.sh"
		return 0
	}
	if "$@" >"$store/$name.log" 2>&1; then
		echo "$name: ${#files[@]} files, $((SECONDS - start)) s"
		grep "not seen" "$store/$name.log"
	else
		bad+=("$name")
		echo "$name: FAILED"
		sed 's/^/    /' "$store/$name.log"
	fi
}

# Headers are seen through the sources that include them.
tidy_one() {
	local f=$1 key err std=("${std[@]}")
	[ "$f" = lib/base/err.c ] || std+=(-include tools/analyzer.h)
	key=$({ clang "${std[@]}" -E "$f" && cat .clang-tidy && echo "${std[@]}" "${warn[@]}" && clang-tidy --version; } 2>/dev/null |
		sha256sum | cut -c 1-40)
	[ ! -e "$clean/$key" ] || return 0
	err=$store/$key.err
	clang-tidy --quiet "$f" -- "${std[@]}" "${warn[@]}" 2>"$err" && : >"$clean/$key"
	local rc=$?
	grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header-filter' "$err"
	rm -f "$err"
	return $rc
}

tidy() {
	local f rc=0 running=0
	for f in "${files[@]}"; do
		if [ $running -ge $jobs ]; then
			wait -n || rc=1
			running=$((running - 1))
		fi
		# One write per file, so that the two jobs' findings don't mix.
		{ out=$(tidy_one "$f") || { printf '%s\n' "$out"; exit 1; }; } &
		running=$((running + 1))
	done
	while [ $running -gt 0 ]; do
		wait -n || rc=1
		running=$((running - 1))
	done
	return $rc
}

# cppcheck sees neither libraries' macros nor cleanup attributes; readdir() is safe per stream.
bug_search() {
	cppcheck --quiet -j $jobs --std=c11 --language=c --enable=warning,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=varFuncNullUB --suppress=readdirCalled \
		--suppress=memleak --suppress=resourceLeak '-Dmnl_attr_for_each(a,n,o)=for(;;)' \
		'-Dmnl_attr_for_each_nested(a,n)=for(;;)' '-DcJSON_ArrayForEach(e,a)=for(;;)' --library=posix --error-exitcode=1 \
		--cppcheck-build-dir="$store/cppcheck" -I. -D_GNU_SOURCE -DTANDEM_VERSION='"0"' "${files[@]}"
}

# Each manual is well formed, and each event of a pod stands in one.
manuals() {
	local out event rc=0
	out=$(mandoc -T lint -W warning "${files[@]}" 2>&1) && [ -z "$out" ] || {
		printf '%s\n' "$out"
		return 1
	}
	while read -r event; do
		case $event in OK | Nothing) continue ;; esac
		grep -qw "$event" man/tandem-controller.8 || {
			echo "man/tandem-controller.8: EVENTS does not name $event"
			rc=1
		}
	done < <(sed -n 's/.*\[DECIDE_[A-Z_]*\] = "\(.*\)",.*/\1/p' controller/rules/decide.c)
	return $rc
}

# Every source file of ours names its licence in the first line, or in the one after a shebang.
licensed() {
	local f rc=0
	for f in "${files[@]}"; do
		case $f in tests/fuzz/corpus/* | tests/data/* | */testdata/*) continue ;; esac
		head -n 2 "$f" | grep -q 'SPDX-License-Identifier: Apache-2\.0' || {
			echo "$f:1: no SPDX-License-Identifier: Apache-2.0"
			rc=1
		}
	done
	return $rc
}

if [ $# -gt 0 ]; then
	tree=("${@#./}")
else
	mapfile -t tree < <(find . \( -name .git -o -path ./build -o -path ./dist \) -prune -o -type f -print | sed 's,^\./,,' | sort)
fi

sources '*.[ch]'
step clang-format clang-format --dry-run -Werror "${files[@]}"
step check-banned tools/check-banned "${files[@]}"
step check-includes tools/check-includes
step rooms tools/rooms --check docs/architecture.md
sources '*.[ch]' '*.sh' '*.yaml' Makefile tools/check-banned tools/check-includes tools/rooms .ci/run
step licence licensed
# What runs in the kernel has been checked by its verifier, and is no code of this machine's.
sources '!(*.bpf).c'
step cppcheck bug_search
step clang-tidy tidy
sources '*.sh' .ci/run
step shellcheck shellcheck -S info "${files[@]}"
if command -v mandoc >/dev/null; then
	sources 'man/*.[0-9]'
	step mandoc manuals
fi

if [ ${#bad[@]} -eq 0 ]; then
	echo "ok lint"
else
	echo "not ok lint: ${bad[*]}"
	exit 1
fi
