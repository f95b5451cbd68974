#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs test programs, two at a time if told so, and counts what they say.
#
#	tests/run.sh [-l LOGDIR] [-j N] FILE...
#	tests/run.sh [-l LOGDIR] [-j N] -r	what failed or did not run in the last run of this LOGDIR
#
# *.sh are shell tests (tests/lib.sh has their grammar), all other files cmocka programs. Each gets
# one line when it ends; the whole output is shown of those that failed and kept of all in LOGDIR. The last
# line stands alone: "N passed, N failed", with ", N skipped" when something was; LOGDIR/summary keeps it.
#
# -j N runs up to N programs beside each other, the longest first; which may not be is said once, in room_of().
# How long each takes comes from its last run here (LOGDIR/times), else from tests/times. TEST_SLOT (0 to N-1) is
# a number that no other program has at the same time.
#
# A program also fails, once, when it says nothing, ends badly without naming a failure, or runs
# over its time limit, which is there for what hangs: TEST_TIMEOUT seconds, default 600,
# in tests/contract, tests/image, tests/services and tests/ui 1800, in tests/api, tests/vm, tests/cluster, tests/demo and for the lint 3600.
# SANITIZER_LOG names the prefix of the files that sanitizers write (their log_path): such a report is
# a failure too, whatever the program that caused it was expected to answer.
# STRICT=1 or CI=true makes a skip a failure of the run. Exit code 0 means that nothing failed.
set -u

here=$(dirname "${BASH_SOURCE[0]}")
logdir=build/test-logs jobs=1 resume=0
while getopts l:j:r opt; do
	case $opt in
	l) logdir=$OPTARG ;;
	j) jobs=$OPTARG ;;
	r) resume=1 ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[[ $jobs =~ ^[1-9]$ ]] || { echo "run.sh: -j $jobs: a number from 1 to 9" >&2 && exit 2; }
mkdir -p "$logdir" || exit 2

strict=0
if [ "${STRICT:-0}" = 1 ] || [ "${CI:-}" = true ]; then strict=1; fi

passed=0 failed=0 skipped=0
declare -A running=() # pid: the index of its program
declare -A rooms=()   # what running programs have for themselves
declare -A slots=()
declare -A known=()   # file: milliseconds, of the last run or by tests/times
files=() began=() took=() slot_of=()

stop() {
	trap - INT TERM
	if [ ${#running[@]} -gt 0 ]; then
		kill -TERM "${!running[@]}" 2>/dev/null
		wait "${!running[@]}"
	fi
	exit 130
}
trap stop INT TERM

limit_of() {
	case $1 in
	*/lint.sh | */api/*.sh | */vm/*.sh | */cluster/* | */demo/*) echo "${TEST_TIMEOUT:-3600}" ;;
	*/contract/* | */image/* | */services/*.sh | */ui/*.sh) echo "${TEST_TIMEOUT:-1800}" ;;
	*) echo "${TEST_TIMEOUT:-600}" ;;
	esac
}

# room_of FILE: what of the machine the program must have for itself; two with the same word never run at the same
# time. Everything else lives in namespaces, folders and ports of its own.
room_of() {
	case $1 in
	*/cluster/*.sh | */demo/*.sh) echo lab ;; # one bridge, one folder, one tree of cgroups
	*/lint.sh | */clang.sh) echo compiler ;;  # both use two cores as it is
	*/services/*.sh) echo bpf ;;              # what the kernel has of BPF is compared
	*) echo "" ;;
	esac
}

# ---------------------------------------------------------------------------------- times
# The file's name as it stands in times: without the folder of the build.
short() {
	local name=${1#./}
	case $name in
	*/build/*) name=build/${name##*/build/} ;;
	esac
	printf '%s' "$name"
}

times_read() {
	local ms name
	[ -r "$1" ] || return 0
	while read -r ms name; do
		case $ms in
		'' | *[!0-9]*) ;;
		*) known[$name]=$ms ;;
		esac
	done <"$1"
}

# human MS: 75 s, 12 min
human() {
	if [ "$1" -ge 120000 ]; then
		printf '%d min' $((($1 + 30000) / 60000))
	else
		printf '%d s' $((($1 + 500) / 1000))
	fi
}

guess() {
	local name
	name=$(short "$1")
	REPLY=${known[$name]:-2000}
}

times_write() {
	local name
	for name in "${!known[@]}"; do printf '%s %s\n' "${known[$name]}" "$name"; done |
		sort -rn >"$logdir/times.new" && mv "$logdir/times.new" "$logdir/times"
}

# left: milliseconds of what waits and of what runs, by the number of lanes
left() {
	local i sum=0 rest now=${EPOCHREALTIME/./}
	for i in "${queue[@]}"; do
		guess "${files[i]}"
		sum=$((sum + REPLY))
	done
	for i in "${running[@]}"; do
		guess "${files[i]}"
		rest=$((REPLY - (now - began[i]) / 1000))
		[ "$rest" -lt 0 ] || sum=$((sum + rest))
	done
	REPLY=$((sum / jobs))
}

# ---------------------------------------------------------------------------------- counting
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

# ---------------------------------------------------------------------------------- one program
log_of() {
	printf '%s/%s.log' "$logdir" "$(printf '%s' "${1#./}" | tr / _)"
}

asan=${ASAN_OPTIONS:-} ubsan=${UBSAN_OPTIONS:-}
# launch INDEX
launch() {
	local i=$1 file=${files[$1]} log slot=0 room
	local -a cmd=("$file") env=()
	log=$(log_of "$file")
	case $file in
	*/*) ;;
	*) cmd=("./$file") ;;
	esac
	case $file in
	*.sh) [ -x "$file" ] || cmd=(bash "$file") ;;
	esac
	while [ -n "${slots[$slot]:-}" ]; do slot=$((slot + 1)); done
	slots[$slot]=1 slot_of[i]=$slot
	env=("TEST_SLOT=$slot")
	if [ -n "${SANITIZER_LOG:-}" ]; then
		# Each program's reports are its own.
		env+=("SANITIZER_LOG=$SANITIZER_LOG-$i" "ASAN_OPTIONS=${asan//"$SANITIZER_LOG"/"$SANITIZER_LOG-$i"}"
			"UBSAN_OPTIONS=${ubsan//"$SANITIZER_LOG"/"$SANITIZER_LOG-$i"}")
	fi
	room=$(room_of "$file")
	[ -z "$room" ] || rooms[$room]=1
	guess "$file"
	[ "$REPLY" -lt 60000 ] || [ ${#files[@]} -eq 1 ] ||
		printf 'begun %-52s usually %s\n' "${file#./}" "$(human "$REPLY")"
	began[i]=${EPOCHREALTIME/./}
	env "${env[@]}" timeout -k 60 "$(limit_of "$file")" "${cmd[@]}" </dev/null >"$log" 2>&1 &
	running[$!]=$i
}

# ended INDEX STATUS
ended() {
	local i=$1 rc=$2 file=${files[$1]} log p f s note limit room report=${SANITIZER_LOG:+$SANITIZER_LOG-$1}
	took[i]=$(((${EPOCHREALTIME/./} - began[i]) / 1000))
	log=$(log_of "$file")
	limit=$(limit_of "$file")
	room=$(room_of "$file")
	[ -z "$room" ] || unset "rooms[$room]"
	unset "slots[${slot_of[i]}]"

	case $file in
	*.sh) read -r p f s note <<<"$(count_shell "$log")" ;;
	*) read -r p f s note <<<"$(count_cmocka "$log")" ;;
	esac
	if [ -n "$report" ] && compgen -G "$report.*" >/dev/null; then
		cat "$report".* >>"$log"
		rm -f "$report".*
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
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	done_count=$((done_count + 1))
	known[$(short "$file")]=${took[i]}
	report "$i" "$p" "$f" "$s" "$note"
	printf '%s %s\n' "$word" "$file" >>"$logdir/results"
}

# report INDEX PASSED FAILED SKIPPED NOTE: in one piece, and the result in $word
report() {
	local file=${files[$1]} ms=${took[$1]} p=$2 f=$3 s=$4 note=$5 log
	log=$(log_of "$file")
	word=pass
	if [ "$f" -gt 0 ]; then
		word=FAIL
	elif [ "$s" -gt 0 ]; then
		word=skip
	fi
	printf '%s  %-52s %4d passed' "$word" "${file#./}" "$p"
	if [ "$f" -gt 0 ]; then printf ', %d failed' "$f"; fi
	if [ "$s" -gt 0 ]; then printf ', %d skipped' "$s"; fi
	printf '  %d.%02d s%s' $((ms / 1000)) $((ms % 1000 / 10)) "${note:+  ($note)}"
	left
	printf '  [%d of %d%s]\n' "$done_count" "${#files[@]}" "$([ "$REPLY" -lt 5000 ] || echo ", about $(human "$REPLY") left")"
	if [ "$f" -gt 0 ]; then
		sed 's/^/    | /' "$log"
	elif [ "$s" -gt 0 ]; then
		grep -E '^(skip |\[  SKIPPED \])' "$log" | sort -u | sed 's/^/    | /'
	fi
}

# ---------------------------------------------------------------------------------- the run
# A last run that was stopped half way has a plan of more than its results.
resumed() {
	local file
	[ -r "$logdir/plan" ] || { echo "run.sh: no run to go on with in $logdir" >&2 && exit 2; }
	while read -r file; do
		grep -qxF "pass $file" "$logdir/results" 2>/dev/null || files+=("$file")
	done <"$logdir/plan"
	sed -i '/^pass /!d' "$logdir/results" 2>/dev/null
	if [ ${#files[@]} -eq 0 ]; then
		echo "everything passed in the last run: $(wc -l <"$logdir/plan") programs"
		echo "0 passed, 0 failed"
		exit 0
	fi
}

# announce: what will be done and how long that took
announce() {
	local i sum=0 longest=0
	for i in "${!files[@]}"; do
		guess "${files[i]}"
		sum=$((sum + REPLY))
		[ "$REPLY" -le "$longest" ] || longest=$REPLY
	done
	sum=$((sum / jobs))
	[ "$sum" -gt "$longest" ] || sum=$longest
	[ ${#files[@]} -lt 2 ] ||
		echo "# ${#files[@]} programs, $jobs at a time, about $(human "$sum") on a quiet machine; their output goes to $logdir"
}

# next: the first program of the queue that may run now, in $REPLY
next() {
	local q room
	for q in "${!queue[@]}"; do
		room=$(room_of "${files[queue[q]]}")
		if [ -n "$room" ] && [ -n "${rooms[$room]:-}" ]; then continue; fi
		REPLY=${queue[q]}
		unset "queue[$q]"
		return 0
	done
	return 1
}

# where_time_went: the longest ten
where_time_went() {
	local i sum=0
	[ ${#files[@]} -ge 5 ] || return 0
	for i in "${!took[@]}"; do sum=$((sum + took[i])); done
	echo "# where the time went: $(human $(((${EPOCHREALTIME/./} - run_began) / 1000))) in all, $(human "$sum") of programs; the longest:"
	for i in "${!took[@]}"; do printf '%d %s\n' "${took[i]}" "${files[i]#./}"; done | sort -rn | head -n 12 |
		awk '{ printf "#  %7.1f s  %s\n", $1 / 1000, $2 }'
}

run_began=${EPOCHREALTIME/./} done_count=0
times_read "$here/times"
times_read "$logdir/times"
if [ "$resume" = 1 ]; then
	resumed
else
	files=("$@")
	printf '%s\n' "$@" >"$logdir/plan"
	: >"$logdir/results"
fi
queue=("${!files[@]}")
if [ "$jobs" -gt 1 ]; then
	mapfile -t queue < <(for i in "${!files[@]}"; do guess "${files[i]}" && echo "$REPLY $i"; done | sort -s -k 1,1rn | cut -d ' ' -f 2)
fi
announce
while [ ${#queue[@]} -gt 0 ] || [ ${#running[@]} -gt 0 ]; do
	while [ ${#running[@]} -lt "$jobs" ] && next; do launch "$REPLY"; done
	rc=0
	wait -n -p pid "${!running[@]}" || rc=$?
	i=${running[$pid]}
	unset "running[$pid]"
	ended "$i" "$rc"
done
times_write
where_time_went

line="$passed passed, $failed failed"
if [ "$skipped" -gt 0 ]; then line="$line, $skipped skipped"; fi
printf '%s\n' "$line" | tee "$logdir/summary"
[ $((passed + failed + skipped)) -gt 0 ] || exit 1
[ "$failed" -eq 0 ] || exit 1
[ "$strict" = 0 ] || [ "$skipped" -eq 0 ] || exit 1
