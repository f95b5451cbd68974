/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/temp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/str.h"

#define PREFIX "tdm"
#define DIGITS 8

int macvlan_temp_name(char out[IFNAMSIZ], struct err *e)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_errno(e, ERR_IO, errno, "getrandom");
	snprintf(out, IFNAMSIZ, PREFIX "%08" PRIx32, random);
	return 0;
}

bool macvlan_is_temp_name(const char *name)
{
	size_t n = strlen(PREFIX);

	return str_starts(name, PREFIX) && strlen(name) == n + DIGITS &&
	       strspn(name + n, "0123456789abcdef") == DIGITS;
}
