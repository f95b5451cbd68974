#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/rooms on a small tree: the drawing, the sizes, and whether a document has the drawing of today.
. "$(dirname "$0")/../tests/lib.sh"
scratch dir

# file NAME TEXT
file() {
	mkdir -p "$dir/t/$(dirname "$1")"
	printf '%s\n' "$2" >"$dir/t/$1"
}

rooms() {
	"$TESTS_ROOT/tools/rooms" -C "$dir/t" "$@" 2>&1
	echo "exit $?"
}

file lib/base/.may_include '# the ground'
file lib/base/str.h 'int str_len(void);'
file lib/json/.may_include '# JSON
lib/base'
file lib/json/a.c '#include "lib/base/str.h"
#include "lib/json/b.h"'
file lib/json/a.h ''
file lib/json/b.h '#include "lib/json/a.h"'
file main/rules/.may_include '# pure rules
lib/base
lib/json'
file main/rules/rule.c "$(printf '%s\n' '#include "lib/json/a.h"' '#include "lib/base/str.h"' 'static int rule_long(int a,' \
	'                     int b)' '{' "$(yes '	a++;' | head -61)" '	return a + b;' '}' '' 'int rule_short(void)' '{' '	return 0;' '}')"
file main/rules/rule_test.c '#include "main/top.h"'
file main/.may_include '# the program
main/rules'
file main/top.c '#include "main/rules/rule.h"'

drawn=' 4  main                 the program
                         --> main/rules
 3  main/rules           pure rules
                         --> lib/{base,json}
 2  lib/json             JSON
                         --> lib/base
 1  lib/base             the ground
                         --> libc'
same "drawing, then sizes" "$drawn

room                 files  lines  largest file                     largest function                     > 60  knot
main                     1      1  top.c                         1                                    0     0     -
main/rules               1     73  rule.c                       73  rule_long                        63     1     -
lib/json                 3      4  a.c                           2                                    0     0     2
lib/base                 1      1  str.h                         1                                    0     0     -
all                      6     79 functions over 60 lines: 1
exit 0" "$(rooms)"

file doc.md 'before
<!-- rooms -->
old
<!-- end of rooms -->
after'
same "an old drawing is found" "doc.md: the drawing of the rooms is out of date: tools/rooms --write doc.md
exit 1" "$(rooms --check doc.md)"
same "and written" "exit 0" "$(rooms --write doc.md)"
same "between its lines" "before
<!-- rooms -->
\`\`\`
$drawn
\`\`\`
<!-- end of rooms -->
after" "$(cat "$dir/t/doc.md")"
same "then it is the present one" "exit 0" "$(rooms --check doc.md)"

file main/top.c '#include "lib/json/a.h"'
same "until an include changes" "doc.md: the drawing of the rooms is out of date: tools/rooms --write doc.md
exit 1" "$(rooms --check doc.md)"

file doc.md 'no place for it'
same "a document without the lines" "doc.md: no lines <!-- rooms --> and <!-- end of rooms -->
exit 255" "$(rooms --check doc.md)"
