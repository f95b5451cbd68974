#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/check-banned on small files.
. "$(dirname "$0")/../tests/lib.sh"
scratch dir
cd "$dir" || exit 1
mkdir -p lib/json lib/cni lib/base tests/net controller meta

# says NAME FILE TEXT WANTED
says() {
	printf '%s\n' "$3" >"$2"
	same "$1" "$4" "$("$TESTS_ROOT/tools/check-banned" "$2" 2>&1; echo "exit $?")"
}

says "clean" lib/base/a.c 'int f(void) { return snprintf(b, 3, "x") + fprintf(stderr, "y") + strtok_r(a, b, c); }' "exit 0"
says "every name" lib/base/a.c 'sprintf(a); strcpy (a);
strtok(a); alloca(3);
usleep(5);' 'lib/base/a.c:1: sprintf: has no bound: struct sb, str_copy()
lib/base/a.c:2: strtok: hidden state and a torn input
lib/base/a.c:2: alloca: never
lib/base/a.c:3: usleep: wait for the event, with a deadline
exit 1'
says "comments and strings" lib/base/a.c '/* sprintf(
 system( */ // gets(x)
const char *s = "printf(\"system(\" "; char c = '"'\"'"'; int b = atoi(c);' 'lib/base/a.c:3: atoi: no error, no bound: parse_u32() and friends
exit 1'
says "our own names that contain one" lib/base/a.c 'my_system(); file_system (x); nl_sleep(); system_init();' "exit 0"
says "cJSON outside lib/json" meta/a.c 'cJSON_ParseWithLength(a); cJSON_GetObjectItemCaseSensitive(a);' 'meta/a.c:1: cJSON_ParseWithLength: lax about input: lib/json
exit 1'
says "cJSON in lib/json" lib/json/a.c 'cJSON_ParseWithLengthOpts(a);' "exit 0"
says "stdout" meta/a.c 'fputs("x", stdout);
puts("x");' 'meta/a.c:1: fputs(stdout): stdout belongs to the CNI result: lib/cni
meta/a.c:2: puts: stdout belongs to the CNI result: lib/cni
exit 1'
for f in lib/cni/print.c lib/base/a_test.c tests/net/x.c controller/main.c; do
	says "stdout in $f" "$f" 'printf("x");' "exit 0"
done
says "600 lines" lib/base/a.c "$(seq 600)" "exit 0"
says "601 lines" lib/base/a.c "$(seq 601)" 'lib/base/a.c:601: the file has more than 600 lines, split it
exit 1'
