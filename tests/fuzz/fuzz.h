/* SPDX-License-Identifier: Apache-2.0 */
/* One entry a program, found by its name: by libFuzzer's main or by that of replay.c. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the bytes are; NDEBUG does not take it away. */
static inline void fuzz_assert(int condition)
{
	if (!condition)
		abort();
}
#define FUZZ_ASSERT(condition) fuzz_assert(!!(condition))

#endif
