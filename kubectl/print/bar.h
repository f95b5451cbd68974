/* SPDX-License-Identifier: Apache-2.0 */
/* How full a subnet is, as a bar of letters. */
#ifndef KUBECTL_PRINT_BAR_H
#define KUBECTL_PRINT_BAR_H

#include <stdint.h>

#define BAR_WIDTH 20
#define BAR_LEN   (BAR_WIDTH + 3)

struct bar_counts {
	int64_t total;
	int64_t used, reserved, cooling, quarantined; /* quarantined is a part of cooling */
};

/**
 * bar_text - "[#####rrcq.........]": # used, r reserved, c cooling, q quarantined, "." free. Returns buf.
 *
 * Whatever there is has one place at least, and "." too while an address is free.
 */
char *bar_text(const struct bar_counts *c, char buf[BAR_LEN]);

#endif
