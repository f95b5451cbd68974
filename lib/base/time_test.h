/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_BASE_TIME_TEST_H
#define LIB_BASE_TIME_TEST_H

#include <stdint.h>
#include <stdlib.h>

#include "lib/base/str.h"

/* How long a test waits for what will come, on a machine that may be busy with other things: ms by
 * TEST_TIME_FACTOR (tests/lib.sh), 5 unless told. Not for a deadline that is itself what is tested. */
static inline int64_t test_ms(int64_t ms)
{
	const char *text = getenv("TEST_TIME_FACTOR");
	uint32_t factor;

	if (!text || parse_u32(text, 1000, &factor) < 0 || factor == 0)
		factor = 5;
	return ms * factor;
}

#endif
