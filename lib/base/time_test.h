#ifndef LIB_BASE_TIME_TEST_H
#define LIB_BASE_TIME_TEST_H

#include <stdint.h>
#include <stdlib.h>

/* How long a test waits for what will come, on a machine that may be busy with other things: ms by
 * TEST_TIME_FACTOR (tests/lib.sh), 5 unless told. Not for a deadline that is itself what is tested. */
static inline int64_t test_ms(int64_t ms)
{
	const char *factor = getenv("TEST_TIME_FACTOR");
	int64_t n = factor ? atol(factor) : 0;

	return ms * (n > 0 ? n : 5);
}

#endif
