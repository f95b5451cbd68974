#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The programs for arm64, under qemu-user: what they say of themselves, and every unit test.
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/image/lib.sh
. "$TESTS_ROOT/tests/image/lib.sh"

cd "$TESTS_ROOT" || exit 1
ARM64=$BUILDS/arm64
# sources [TEST...]: of the unit tests, without .c
sources() { find . \( -path ./build -o -path ./.git \) -prune -o -name '*_test.c' "$@" -print | sed 's,^\./,,; s,\.c$,,'; }
# Not run: tests of the kernel itself, by links in a namespace of their own, since qemu-user translates netlink only in
# part; and these, with the reason.
LABS=$(sources -exec grep -qE '"(macvlan/world_test|lib/nl/lab_test)\.h"' {} \;)
EXCEPT="controller/rules/webhook_cert_test makes some hundred keys, as many as years of certificates need
delegate/exec_test what fails in a child that shares our memory: qemu-user gives it a copy
$LABS"
scratch DIR
export TMPDIR=$DIR

for program in tandem tandem-controller tandem-node tandem-services; do
	# The libraries' versions follow: those of the archive, where this machine lags behind it.
	same "$program --version" "$("$TANDEM_BUILD/$program" --version | cut -d ' ' -f 1,2)" \
		"$(qemu-aarch64-static "$ARM64/$program" --version | cut -d ' ' -f 1,2)"
	same "$program: static, for arm64" "ELF64 AArch64 0" "$(readelf -hl "$ARM64/$program" |
		awk '/^ *Class:/ { c = $2 } /^ *Machine:/ { m = $2 } /INTERP/ { i++ } END { print c, m, i + 0 }')"
done
version() { echo '{"cniVersion":"1.1.0"}' | env -i CNI_COMMAND=VERSION "$@"; }
same "VERSION" "$(version "$TANDEM_BIN")" "$(version "$(command -v qemu-aarch64-static)" "$ARM64/tandem")"

while read -r name; do
	! grep -qE "^$name( |\$)" <<<"$EXCEPT" || continue
	check "$name" timeout "$(scaled 120)" qemu-aarch64-static "$ARM64/$name"
done < <(sources | sort)
