#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/check-includes on small trees, good and bad.
. "$(dirname "$0")/../tests/lib.sh"
scratch dir
unset O

# tree FILE TEXT...: a fresh tree with these files
tree() {
	rm -rf "$dir/t"
	mkdir "$dir/t"
	while [ $# -gt 0 ]; do
		mkdir -p "$dir/t/$(dirname "$1")"
		printf '%s\n' "$2" >"$dir/t/$1"
		shift 2
	done
}

# room FOLDER [NAME...]: its .may_include
room() {
	local file=$dir/t/$1/.may_include
	mkdir -p "$dir/t/$1"
	echo '# what it is' >"$file"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$file"
}

# built FILE...: objects of these sources, as `make tests-dev` leaves them
built() {
	local f
	for f; do
		mkdir -p "$dir/t/build/dev/$(dirname "$f")"
		"${CC:-gcc}" -I"$dir/t" -c "$dir/t/$f" -o "$dir/t/build/dev/${f%.c}.o" || exit 1
	done
}

# says NAME WANTED
says() {
	same "$1" "$2" "$("$TESTS_ROOT/tools/check-includes" "$dir/t" 2>"$dir/err"; echo "exit $?")"
}

tree lib/nl/a.c '#include <libmnl/libmnl.h>
#include "lib/nl/a.h"
#include "lib/base/err.h"' lib/nl/a.h '' meta/plugin/main.c '#include "macvlan/plan.h"
#include <curl/curl.h>' controller/x_test.c '#include "ipam/pool.h"' tests/net/x.c '#include "ipam/pool.h"'
room lib/base
room lib/nl lib/base
room macvlan lib/nl
room ipam
room meta/plugin macvlan
room controller ipam
says "allowed directions" "exit 0"

tree lib/base/a.c "#include <lib/json/jread.h>" lib/json/jread.h ""
room lib/base
room lib/json lib/base
says "our own in angle brackets" "lib/base/a.c:1: <lib/json/jread.h> is our own header: name it in quotes
check-includes: 1 violation(s) in 2 files
exit 1"

tree lib/base/a.c '
#include "lib/json/jread.h"' lib/json/jread.h ''
room lib/base
room lib/json lib/base
says "upwards" 'lib/base/a.c:2: lib/base must not include "lib/json/jread.h" (may: libc only)
check-includes: 1 violation(s) in 2 files
exit 1'

tree ipam/a.h '  #  include "lib/kube/http.h"' lib/base/a.h '' lib/json/a.h '' lib/kube/http.h ''
room ipam lib/json lib/base
room lib/base
room lib/json
room lib/kube
says "headers count, odd spacing too" 'ipam/a.h:1: ipam must not include "lib/kube/http.h" (may: lib/base, lib/json)
check-includes: 1 violation(s) in 4 files
exit 1'

tree controller/loop.c '#include "controller/rules/plan.h"
#include "controller/publish/table.h"' controller/rules/plan.c '#include "controller/loop.h"
#include "controller/rules/plan.h"' controller/rules/plan.h '' controller/publish/table.h ''
room controller controller/rules
room controller/rules
room controller/publish controller/rules
says "a room inside a room is one of its own" 'controller/loop.c:2: controller must not include "controller/publish/table.h" (may: controller/rules)
controller/rules/plan.c:1: controller/rules must not include "controller/loop.h" (may: libc only)
check-includes: 2 violation(s) in 4 files
exit 1'

tree lib/nl/a.c '#include "link.h"
#include "../base/err.h"
#include "lib/nl/../base/err.h"'
room lib/nl
says "by path from the root" 'lib/nl/a.c:1: "link.h": name the header by its path from the root
lib/nl/a.c:2: "../base/err.h": name the header by its path from the root
lib/nl/a.c:3: "lib/nl/../base/err.h": name the header by its path from the root
check-includes: 3 violation(s) in 1 files
exit 1'

tree api/a.c '#include <curl/curl.h>' ipam/b.c '#include <libmnl/libmnl.h>'
room api
room ipam
says "wrapped libraries" 'api/a.c:1: <curl/curl.h> is wrapped elsewhere; api must not include it
ipam/b.c:1: <libmnl/libmnl.h> is wrapped elsewhere; ipam must not include it
check-includes: 2 violation(s) in 2 files
exit 1'

tree lib/misc/utils.c '' meta/plugin/deep/a.h ''
room meta/plugin
says "a folder of no rank" 'lib/misc/utils.c:1: the folder has no .may_include
meta/plugin/deep/a.h:1: the folder has no .may_include
check-includes: 2 violation(s) in 2 files
exit 1'

tree api/a.c '' api/.may_include 'lib/base' ipam/a.c '' ipam/.may_include '# addresses

lib/gone
lib/base/a.h' lib/base/a.h ''
: >"$dir/t/lib/base/.may_include"
says ".may_include says what the room is and names what there is" \
	'api/.may_include:1: the first line is a comment that says what the room is
ipam/.may_include:3: lib/gone: no such room
ipam/.may_include:4: lib/base/a.h: no such room
lib/base/.may_include:1: the first line is a comment that says what the room is
check-includes: 4 violation(s) in 3 files
exit 1'

tree a/a.c '' b/b.c '' b/b.h '' c/c.c '' d/d.c ''
room a b
room b c
room c d a
room d
says "a circle of rooms" 'c/.may_include:3: a circle: a -> b -> c -> a
check-includes: 1 violation(s) in 5 files
exit 1'

tree api/a.h '#include "api/b.h"' api/b.h '#include "lib/base/c.h"

#include "api/a.h"' lib/base/c.h ''
room api lib/base
room lib/base
says "a circle of headers" 'api/b.h:3: a circle: api/a.h -> api/b.h -> api/a.h
check-includes: 1 violation(s) in 3 files
exit 1'

tree api/a.c '#include "api/a.h"
#include "lib/base/b.h"
int api_a(void) { return base_b; }' api/a.h 'int api_a(void);' lib/base/b.c 'int api_a(void);
extern int high;
int base_b;
int base_c(void);
int base_c(void) {
	return api_a() + high; }' lib/base/b.h 'extern int base_b;' high/main.c 'int high; int main(void) { return 0; }' \
	high/high.c 'int high;'
room api lib/base
room lib/base
room high api
built api/a.c lib/base/b.c high/high.c high/main.c
says "calls and variables declared by hand" 'lib/base/b.c:1: lib/base must not use api_a of api/a.c (may: libc only)
lib/base/b.c:2: lib/base must not use high of high/high.c (may: libc only)
check-includes: 2 violation(s) in 6 files
exit 1'

same "all objects are seen" "" "$(cat "$dir/err")"

touch -d '1 hour ago' "$dir/t/build/dev/lib/base/b.o"
rm "$dir/t/build/dev/api/a.o"
says "an object that is missing or old says nothing" "exit 0"
same "and is counted" "check-includes: calls not seen of 2 of 4 files: make tests-dev" "$(cat "$dir/err")"
