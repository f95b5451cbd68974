#!/usr/bin/env bash
# Runs test programs one after the other and counts what they say.
#
#	tests/run.sh [-l LOGDIR] FILE...
#
# *.sh are shell tests (tests/lib.sh has their grammar), all other files cmocka programs. Each gets
# one line; the whole output is shown of those that failed and kept of all in LOGDIR. The last line
# stands alone: "N passed, N failed", with ", N skipped" when something was; LOGDIR/summary keeps it.
#
# A program also fails, once, when it says nothing, ends badly without naming a failure, or runs
# over its time limit: TEST_TIMEOUT seconds, default 300, in tests/contract 900, in tests/api and for the lint
# 1800, as in tests/vm, tests/cluster and tests/demo.
# SANITIZER_LOG names the prefix of the files that sanitizers write (their log_path): such a report is
# a failure too, whatever the program that caused it was expected to answer.
# STRICT=1 or CI=true makes a skip a failure of the run. Exit code 0 means that nothing failed.
set -u

logdir=build/test-logs
while getopts l: opt; do
	case $opt in
	l) logdir=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
mkdir -p "$logdir" || exit 2

strict=0
if [ "${STRICT:-0}" = 1 ] || [ "${CI:-}" = true ]; then strict=1; fi

passed=0 failed=0 skipped=0 child=

stop() {
	trap - INT TERM
	if [ -n "$child" ]; then
		kill -TERM "$child" 2>/dev/null
		wait "$child"
	fi
	exit 130
}
trap stop INT TERM

limit_of() {
	case $1 in
	*/api/*.sh | */vm/*.sh | */lint.sh | */cluster/* | */demo/*) echo "${TEST_TIMEOUT:-1800}" ;;
	*/contract/*) echo "${TEST_TIMEOUT:-900}" ;;
	*) echo "${TEST_TIMEOUT:-300}" ;;
	esac
}

# count_shell LOG, count_cmocka LOG: print "PASSED FAILED SKIPPED NOTE"
count_shell() {
	awk '/^ok [^ ]/ { p++ } /^not ok [^ ]/ { f++ } /^skip [^ ]/ { s++ }
		END { print p + 0, f + 0, s + 0, "" }' "$1"
}

# cmocka repeats the failures after "[==========] N test(s) run.", and that N is held against our
# count: a test's own output can then neither add nor hide one. A test that began and did not end
# (a crash, an exit) is a failure that bears its name.
count_cmocka() {
	awk '
	/^\[==========\].*Running [0-9]+ test/ { inside = 1; began = p + f + s; next }
	/^\[==========\].*[0-9]+ test\(s\) run\./ {
		if (match($0, /[0-9]+ test\(s\) run/)) {
			ran = substr($0, RSTART, RLENGTH) + 0
			if (ran != p + f + s - began)
				note = "says " ran " tests, shows " (p + f + s - began)
		}
		inside = 0; open = ""; next
	}
	!inside || /^\[  FAILED  \] GROUP / { next }
	/^\[ RUN      \] / { open = substr($0, 14) }
	/^\[       OK \] / { p++; open = "" }
	/^\[  SKIPPED \] / { s++; open = "" }
	/^\[  FAILED  \] / { f++; open = "" }
	END {
		if (inside && note == "")
			note = open == "" ? "ended in the middle" : "ended inside " open
		print p + 0, f + 0, s + 0, note
	}' "$1"
}

run_one() {
	local file=$1 log rc=0 start ms p f s note limit
	local -a cmd=("$file")
	log=$logdir/$(printf '%s' "${file#./}" | tr / _).log
	limit=$(limit_of "$file")
	case $file in
	*/*) ;;
	*) cmd=("./$file") ;;
	esac
	case $file in
	*.sh) [ -x "$file" ] || cmd=(bash "$file") ;;
	esac

	start=${EPOCHREALTIME/./}
	timeout -k 60 "$limit" "${cmd[@]}" </dev/null >"$log" 2>&1 &
	child=$!
	wait "$child" || rc=$?
	child=
	ms=$(((${EPOCHREALTIME/./} - start) / 1000))

	case $file in
	*.sh) read -r p f s note <<<"$(count_shell "$log")" ;;
	*) read -r p f s note <<<"$(count_cmocka "$log")" ;;
	esac
	if [ -n "${SANITIZER_LOG:-}" ] && compgen -G "$SANITIZER_LOG.*" >/dev/null; then
		cat "$SANITIZER_LOG".* >>"$log"
		rm -f "$SANITIZER_LOG".*
		if [ "$f" -eq 0 ]; then note="a sanitizer reported"; fi
	fi
	if [ "$rc" -eq 124 ] || [ "$rc" -eq 137 ]; then
		note="killed after $limit s"
	elif [ -z "$note" ] && [ "$rc" -ne 0 ] && [ "$f" -eq 0 ]; then
		note="exit status $rc without a failure named"
	elif [ -z "$note" ] && [ $((p + f + s)) -eq 0 ]; then
		note="no test ran"
	fi
	if [ -n "$note" ]; then f=$((f + 1)); fi
	report "$file" "$log" "$ms" "$p" "$f" "$s" "$note"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

report() {
	local file=$1 log=$2 ms=$3 p=$4 f=$5 s=$6 note=$7 word=pass
	if [ "$f" -gt 0 ]; then
		word=FAIL
	elif [ "$s" -gt 0 ]; then
		word=skip
	fi
	printf '%s  %-52s %4d passed' "$word" "${file#./}" "$p"
	if [ "$f" -gt 0 ]; then printf ', %d failed' "$f"; fi
	if [ "$s" -gt 0 ]; then printf ', %d skipped' "$s"; fi
	printf '  %d.%02d s%s\n' $((ms / 1000)) $((ms % 1000 / 10)) "${note:+  ($note)}"
	if [ "$f" -gt 0 ]; then
		sed 's/^/    | /' "$log"
	elif [ "$s" -gt 0 ]; then
		grep -E '^(skip |\[  SKIPPED \])' "$log" | sort -u | sed 's/^/    | /'
	fi
}

for file; do run_one "$file"; done

line="$passed passed, $failed failed"
if [ "$skipped" -gt 0 ]; then line="$line, $skipped skipped"; fi
printf '%s\n' "$line" | tee "$logdir/summary"
[ $((passed + failed + skipped)) -gt 0 ] || exit 1
[ "$failed" -eq 0 ] || exit 1
[ "$strict" = 0 ] || [ "$skipped" -eq 0 ] || exit 1
