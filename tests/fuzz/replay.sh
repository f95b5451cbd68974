#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The fuzzers on their corpus, once each: inputs that reach far, and each that has ever found something.
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

CORPUS=$TESTS_ROOT/tests/fuzz/corpus
# Those with sanitizers, where these are what is tested.
PROGRAMS=$TANDEM_BUILD/tests/fuzz
[ -d "$PROGRAMS" ] || PROGRAMS=${TANDEM_TOOLS:-$TESTS_ROOT/build/dev/tests}/fuzz

for source in "$TESTS_ROOT"/tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	inputs=("$CORPUS/${name#fuzz_}"/*)
	same "$name" "${#inputs[@]} inputs" "$("$PROGRAMS/$name" "${inputs[@]}" 2>&1)"
done
