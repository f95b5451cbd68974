/* SPDX-License-Identifier: Apache-2.0 */
#include "services/stat.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/auto.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/bpf/map.h"

#define POSSIBLE "/sys/devices/system/cpu/possible"

const char *stat_name(int counter)
{
	static const char *const names[SVC_COUNTERS] = {
		[SVC_TRANSLATED] = "translated",
		[SVC_MISSED] = "missed",
		[SVC_REFUSED] = "refused",
		[SVC_FULL] = "full",
	};

	return names[counter];
}

/* "0-3" or "0": the map has a value for each that could ever be there. */
static int processors(size_t *out, struct err *e)
{
	AUTO(free) char *text = NULL;
	const char *last;
	uint32_t n = 0;
	size_t len = 0;

	if (io_read_file(POSSIBLE, 4096, &text, &len, e) < 0)
		return -1;
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	for (last = text + len; last > text && last[-1] >= '0' && last[-1] <= '9';)
		last--;
	if (parse_u32(last, 65535, &n) < 0)
		return err_set(e, ERR_DECODE, 0, POSSIBLE " says \"%s\"", text);
	*out = n + 1;
	return 0;
}

int stat_read(const char *dir, uint64_t out[SVC_COUNTERS], struct err *e)
{
	AUTO(free) uint64_t *each = NULL;
	AUTO(fd) int map = -1;
	size_t n = 0;
	int rc = bpf_map_open(dir, "stat", sizeof(uint32_t), sizeof(uint64_t), &map, e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, 0, "%s/stat is not there", dir);
	if (rc < 0 || processors(&n, e) < 0)
		return -1;
	each = xcalloc(n, sizeof(*each));
	for (uint32_t i = 0; i < SVC_COUNTERS; i++) {
		if (bpf_map_get(map, &i, each, e) < 0)
			return -1;
		out[i] = 0;
		for (size_t k = 0; k < n; k++)
			out[i] += each[k];
	}
	return 0;
}
