#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The programs for arm64, under qemu-user: what they say of themselves, and every unit test.
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/image/lib.sh
. "$TESTS_ROOT/tests/image/lib.sh"

ARM64=$BUILDS/arm64
# qemu-user translates system calls one by one, on a machine of another architecture: tests that are about the kernel
# itself run on amd64 alone. Name and reason:
EXCEPT=""
scratch DIR
cd "$TESTS_ROOT" || exit 1
export TMPDIR=$DIR

qemu() { qemu-aarch64-static "$@"; }

for program in tandem tandem-controller tandem-node; do
	same "$program --version" "$("$TANDEM_BUILD/$program" --version)" "$(qemu "$ARM64/$program" --version)"
	same "$program: static, for arm64" "ELF64 AArch64 0" "$(readelf -hl "$ARM64/$program" |
		awk '/^ *Class:/ { c = $2 } /^ *Machine:/ { m = $2 } /INTERP/ { i++ } END { print c, m, i + 0 }')"
done
version() { echo '{"cniVersion":"1.1.0"}' | env -i CNI_COMMAND=VERSION "$@"; }
same "VERSION" "$(version "$TANDEM_BIN")" "$(version "$(command -v qemu-aarch64-static)" "$ARM64/tandem")"

count=0
while read -r test; do
	name=${test#"$ARM64/"}
	! grep -q "^$name " <<<"$EXCEPT" || continue
	count=$((count + 1))
	check "$name" qemu "$test"
done < <(find "$ARM64" -name '*_test' -type f | sort)
same "every unit test" "$(find . -path ./build -prune -o -path ./.git -prune -o -name '*_test.c' -print | wc -l)" \
	"$((count + $(grep -c . <<<"$EXCEPT")))"
