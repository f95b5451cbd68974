#!/usr/bin/env bash
# tools/check-includes on small trees, good and bad.
. "$(dirname "$0")/../tests/lib.sh"
scratch dir

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

# says NAME WANTED
says() {
	same "$1" "$2" "$("$TESTS_ROOT/tools/check-includes" "$dir/t" 2>&1; echo "exit $?")"
}

tree lib/nl/a.c '#include <libmnl/libmnl.h>
#include "lib/nl/a.h"
#include "lib/base/err.h"' lib/nl/a.h '' meta/plugin/main.c '#include "macvlan/plan.h"
#include <curl/curl.h>' controller/x_test.c '#include "ipam/pool.h"' tests/net/x.c '#include "ipam/pool.h"'
says "allowed directions" "exit 0"

tree lib/base/a.c '
#include "lib/json/jread.h"'
says "upwards" 'lib/base/a.c:2: lib/base must not include "lib/json/jread.h" (may: libc only)
check-includes: 1 violation(s) in 1 files
exit 1'

tree meta/plugin/add.c '#include "ipam/pool.h"'
says "the plugin knows no pools" 'meta/plugin/add.c:1: meta/plugin must not include "ipam/pool.h" (may: lib/base, lib/json, lib/nl, lib/cni, lib/kube, delegate, macvlan, api, meta/attachment)
check-includes: 1 violation(s) in 1 files
exit 1'

tree ipam/a.h '  #  include "lib/kube/http.h"'
says "headers count, odd spacing too" 'ipam/a.h:1: ipam must not include "lib/kube/http.h" (may: lib/base, lib/json)
check-includes: 1 violation(s) in 1 files
exit 1'

tree node/a.c '#include "meta/attachment/state.h"
#include "meta/plugin/app.h"' meta/attachment/a.c '#include "meta/plugin/app.h"'
says "what the plugin shares, and not the rest of it" 'meta/attachment/a.c:1: meta/attachment must not include "meta/plugin/app.h" (may: lib/base, lib/json, lib/nl, lib/cni, macvlan)
node/a.c:2: node must not include "meta/plugin/app.h" (may: lib/base, lib/json, lib/nl, lib/cni, lib/kube, lib/daemon, api, delegate, macvlan, meta/attachment)
check-includes: 2 violation(s) in 2 files
exit 1'

tree lib/nl/a.c '#include "link.h"
#include "../base/err.h"
#include "lib/nl/../base/err.h"'
says "by path from the root" 'lib/nl/a.c:1: "link.h": name the header by its path from the root
lib/nl/a.c:2: "../base/err.h": name the header by its path from the root
lib/nl/a.c:3: "lib/nl/../base/err.h": name the header by its path from the root
check-includes: 3 violation(s) in 1 files
exit 1'

tree api/a.c '#include <curl/curl.h>' ipam/b.c '#include <libmnl/libmnl.h>'
says "wrapped libraries" 'api/a.c:1: <curl/curl.h> is wrapped elsewhere; api must not include it
ipam/b.c:1: <libmnl/libmnl.h> is wrapped elsewhere; ipam must not include it
check-includes: 2 violation(s) in 2 files
exit 1'

tree lib/misc/utils.c ''
says "a folder of no rank" 'lib/misc/utils.c:1: folder lib/misc is not in the table of tools/check-includes
check-includes: 1 violation(s) in 1 files
exit 1'
