#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The runner itself: what it counts, what it must not believe, and how it ends.
. "$(dirname "$0")/lib.sh"
cd "$TESTS_ROOT" || exit 1
CC=${CC:-gcc}
scratch dir
unset CI STRICT TEST_TIMEOUT

# script NAME: a shell test from stdin
script() {
	{ printf '#!/usr/bin/env bash\n' && cat; } >"$dir/$1.sh"
	chmod +x "$dir/$1.sh"
}

# ends NAME WANTED_STATUS WANTED_LAST_LINE FILE...: runs the runner and compares its end
ends() {
	local name=$1 want=$2 line=$3 rc=0 out
	shift 3
	local -a options=()
	while [[ ${1:-} == -* ]]; do options+=("$1") && shift; done
	out=$(tests/run.sh -l "$dir/logs" "${options[@]}" "${@/#/$dir/}" 2>&1) || rc=$?
	printf '%s\n' "$out" >"$dir/out"
	same "$name" "$line (exit $want)" "$(tail -n 1 <<<"$out") (exit $rc)"
}

script good <<'E1'
echo "ok one"
echo "ok two: with a remark"
echo "noise, ok of no test"
echo "ok"
E1
script bad <<'E1'
echo "ok one"
echo "not ok two: broken"
exit 1
E1
script lies <<'E1'
echo "not ok quiet: but exit 0"
E1
script dies <<'E1'
echo "ok one"
exit 3
E1
script killed <<'E1'
echo "ok one"
kill -KILL $$
E1
script silent <<'E1'
:
E1
script skips <<'E1'
echo "ok one"
echo "skip two: no kernel for it"
E1
script hangs <<'E1'
echo "ok one"
sleep 60
E1
script nested <<'E1'
printf '    | ok inner\n    | not ok inner: x\n'
echo "9 passed, 9 failed"
echo "ok outer"
E1

ends "counts passes only" 0 "2 passed, 0 failed" good.sh
ends "a failure" 1 "1 passed, 1 failed" bad.sh
check "a failure's output is shown" grep -q '| not ok two: broken' "$dir/out"
check "output is kept" grep -q 'not ok two' "$dir/logs/"*bad.sh.log
ends "a failure named, exit 0" 1 "0 passed, 1 failed" lies.sh
ends "death without a failure named" 1 "1 passed, 1 failed" dies.sh
check "its status is told" grep -q 'exit status 3' "$dir/out"
ends "death by signal" 1 "1 passed, 1 failed" killed.sh
ends "silence" 1 "0 passed, 1 failed" silent.sh
ends "a skip" 0 "1 passed, 0 failed, 1 skipped" skips.sh
check "the skip's reason is shown" grep -q 'no kernel for it' "$dir/out"
ends "no such file" 1 "0 passed, 1 failed" absent.sh
ends "nothing to run" 1 "0 passed, 0 failed"
ends "foreign lines do not count" 0 "1 passed, 0 failed" nested.sh
ends "several programs" 1 "5 passed, 2 failed, 1 skipped" good.sh bad.sh skips.sh dies.sh
export STRICT=1
ends "STRICT: a skip fails the run" 1 "1 passed, 0 failed, 1 skipped" skips.sh
ends "STRICT: a pass stays one" 0 "2 passed, 0 failed" good.sh
unset STRICT
export CI=true
ends "CI: a skip fails the run" 1 "1 passed, 0 failed, 1 skipped" skips.sh
unset CI
export TEST_TIMEOUT=1
ends "the time limit" 1 "1 passed, 1 failed" hangs.sh
check "the limit is told" grep -q 'killed after 1 s' "$dir/out"
unset TEST_TIMEOUT

script reports <<'E1'
echo "heap-use-after-free in f" >"$SANITIZER_LOG.17"
echo "ok expected to fail, did"
E1
export SANITIZER_LOG=$dir/sanitizer
ends "a sanitizer's report" 1 "3 passed, 1 failed" reports.sh good.sh
check "the report is shown" grep -q '| heap-use-after-free in f' "$dir/out"
unset SANITIZER_LOG

# Two at a time: each waits for the other, so one after the other they would not end.
for n in 1 2; do
	script "pair$n" <<-E1
		. "$TESTS_ROOT/tests/lib.sh"
		echo "begin \$TEST_SLOT" && : >"$dir/pair$n"
		wait_for 20 test -e "$dir/pair$((3 - n))" && pass "met"
		echo "not ok shown"
	E1
done
ends "-j 2 runs two beside each other" 1 "2 passed, 2 failed" -j2 pair1.sh pair2.sh
same "each has a slot of its own" "begin 0 begin 1" "$(grep -h begin "$dir/logs/"*pair*.log | sort | xargs)"
same "and its output in one piece" "FAIL begin met shown FAIL begin met shown" \
	"$(grep -oE '^FAIL|begin|ok met|not ok shown' "$dir/out" | sed 's/.*ok //' | xargs)"
mkdir -p "$dir/cluster"
cat >"$dir/cluster/one.sh" <<E1
mkdir "$dir/lab" && echo "ok alone" && sleep 0.3 && rmdir "$dir/lab"
E1
cp "$dir/cluster/one.sh" "$dir/cluster/two.sh"
ends "but not those that need the same" 0 "2 passed, 0 failed" -j2 cluster/one.sh cluster/two.sh
# Each suite has a limit that timeout takes.
for suite in api cluster contract demo image services vm; do
	mkdir -p "$dir/tests/$suite" && cp "$dir/good.sh" "$dir/tests/$suite/good.sh"
done
ends "every suite has a time limit" 0 "14 passed, 0 failed" tests/{api,cluster,contract,demo,image,services,vm}/good.sh

ends "a last run with failures" 1 "5 passed, 2 failed, 1 skipped" -j2 good.sh bad.sh skips.sh dies.sh
ends "-r runs what did not pass" 1 "3 passed, 2 failed, 1 skipped" -j2 -r
sed -i 's/^echo "not .*/echo "ok two"/; s/^exit.*//' "$dir/bad.sh" "$dir/dies.sh"
echo 'echo "ok two"' >"$dir/skips.sh"
ends "what is mended passes" 0 "4 passed, 0 failed" -r
ends "then nothing is left" 0 "0 passed, 0 failed" -r
echo "$dir/good.sh" >>"$dir/logs/plan"
sed -i '/good.sh/d' "$dir/logs/results"
ends "-r runs what did not run" 0 "4 passed, 0 failed" -r
check "it says how long it will take" grep -qE '^# 2 programs, 1 at a time, about [0-9]+ s on' "$dir/out"
ends "five programs" 0 "7 passed, 0 failed" good.sh nested.sh bad.sh dies.sh cluster/one.sh
same "where the time went, longest first" one.sh "$(grep -A1 'where the time went' "$dir/out" | tail -n 1 | sed 's,.*/,,')"
cat >"$dir/long.sh" <<E1
echo \$\$ >"$dir/long.pid"
exec sleep 60
E1
cp "$dir/long.sh" "$dir/long2.sh" && sed -i s/long.pid/long2.pid/ "$dir/long2.sh"
tests/run.sh -l "$dir/logs" -j 2 "$dir/long.sh" "$dir/long2.sh" >/dev/null 2>&1 &
runner=$!
check "two long ones run" wait_for 10 test -s "$dir/long.pid" -a -s "$dir/long2.pid"
rc=0
kill "$runner" && wait "$runner" || rc=$?
same "SIGTERM ends the runner" 130 "$rc"
check_fails "and what it had begun" kill -0 "$(cat "$dir/long.pid")"
check_fails "both" kill -0 "$(cat "$dir/long2.pid")"

# cmocka programs; MODE says what goes wrong
cat >"$dir/prog.c" <<'E1'
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
static int mode(const char *m) { const char *e = getenv("MODE"); return e && !strcmp(e, m); }
static void fine(void **s) { (void)s; puts("ok shell words"); if (mode("forge")) puts("[       OK ] forged"); }
static void may_fail(void **s) { (void)s; assert_int_equal(mode("fail"), 0); }
static void may_skip(void **s) { (void)s; if (mode("skip")) skip(); }
static void may_crash(void **s) { (void)s; if (mode("segv")) *(volatile int *)0 = 1;
	if (mode("exit")) exit(0); if (mode("abort")) abort(); }
static int setup(void **s) { (void)s; return mode("setup") ? -1 : 0; }
static int group(void **s) { (void)s; return mode("group") ? -1 : 0; }
static int down(void **s) { (void)s; return mode("teardown") ? -1 : 0; }
int main(void)
{
	const struct CMUnitTest t[] = {cmocka_unit_test(fine), cmocka_unit_test(may_fail),
		cmocka_unit_test(may_skip), cmocka_unit_test_setup_teardown(fine, setup, down),
		cmocka_unit_test(may_crash)};
	int rc = cmocka_run_group_tests(t, group, NULL);
	return mode("status") ? 7 : rc;
}
E1
check "cmocka program builds" "$CC" -o "$dir/prog" "$dir/prog.c" -lcmocka

cmocka() {
	MODE=$1 ends "cmocka: $1" "$2" "$3" prog
}
cmocka good 0 "5 passed, 0 failed"
cmocka fail 1 "4 passed, 1 failed"
cmocka skip 0 "4 passed, 0 failed, 1 skipped"
cmocka segv 1 "4 passed, 1 failed"
cmocka exit 1 "4 passed, 1 failed"
check "cmocka: the test that ended it is named" grep -q 'ended inside may_crash' "$dir/out"
cmocka abort 1 "4 passed, 1 failed"
cmocka setup 1 "4 passed, 1 failed"
cmocka teardown 1 "4 passed, 1 failed"
cmocka group 1 "0 passed, 1 failed"
cmocka status 1 "5 passed, 1 failed"
MODE=forge ends "cmocka: forged lines are noticed" 1 "7 passed, 1 failed" prog

# The helpers of tests/lib.sh
cat >"$dir/helpers.sh" <<E1
#!/usr/bin/env bash
. "$TESTS_ROOT/tests/lib.sh"
at_exit echo "end 1"
at_exit echo "end  2"
n=0
third() { n=\$((n + 1)); [ \$n -ge 3 ]; }
check "true" true
check_fails "false" false
check_fails "absent" /nonexistent
check "false" sh -c 'echo why; exit 4'
same "equal" "a b" "a b"
same "unequal" "a" "b"
wait_for 5 third && pass "third time"
wait_for 0 false || pass "deadline"
(exit 5)
echo "n=\$n"
E1
check_fails "helpers: exit status" bash "$dir/helpers.sh"
same "helpers: output" "ok true
ok false
not ok absent: exit 127, wanted 1..125: /nonexistent
    $dir/helpers.sh: line 9: /nonexistent: No such file or directory
not ok false: exit 4: sh -c echo why; exit 4
    why
ok equal
not ok unequal: differs from what is expected
    --- expected
    +++ actual
    @@ -1 +1 @@
    -a
    +b
ok third time
ok deadline
n=3
end  2
end 1" "$(bash "$dir/helpers.sh" 2>&1 | sed 's/^    .*line [0-9]*: \/nonexistent/    '"${dir//\//\\/}"'\/helpers.sh: line 9: \/nonexistent/')"
