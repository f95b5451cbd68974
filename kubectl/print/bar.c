/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/print/bar.h"

#include <stddef.h>
#include <string.h>

struct part {
	char letter;
	int64_t n;
	int64_t places;
};

/* One place less to the part that has the most, until all fit. */
static void fit(struct part *parts, size_t n)
{
	for (;;) {
		int64_t sum = 0;
		size_t most = 0;

		for (size_t i = 0; i < n; i++) {
			sum += parts[i].places;
			if (parts[i].places > parts[most].places)
				most = i;
		}
		if (sum <= BAR_WIDTH)
			return;
		parts[most].places--;
	}
}

char *bar_text(const struct bar_counts *c, char buf[BAR_LEN])
{
	int64_t cooling = c->cooling - c->quarantined;
	int64_t taken = c->used + c->reserved + c->cooling;
	struct part parts[] = {
		{'#', c->used, 0},
		{'r', c->reserved, 0},
		{'c', cooling > 0 ? cooling : 0, 0},
		{'q', c->quarantined, 0},
		{'.', c->total > taken ? c->total - taken : 0, 0},
	};
	int64_t total = c->total > taken ? c->total : taken;
	char *p = buf;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].n > 0)
			parts[i].places = (parts[i].n * BAR_WIDTH + total - 1) / total;
	}
	fit(parts, sizeof(parts) / sizeof(parts[0]));
	*p++ = '[';
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		while (parts[i].places-- > 0)
			*p++ = parts[i].letter;
	}
	*p++ = ']';
	*p = '\0';
	return buf;
}
