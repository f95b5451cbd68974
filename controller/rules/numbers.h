/* SPDX-License-Identifier: Apache-2.0 */
/* How many addresses a subnet has, and in which state. Pure. */
#ifndef CONTROLLER_RULES_NUMBERS_H
#define CONTROLLER_RULES_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "ipam/allocation.h"

/**
 * numbers_count - the numbers of a subnet. In a dual-stack one a card takes an address of each family, so
 * they are those of the family that has fewer left (of two alike IPv4).
 * @family: may be NULL; out: that family, 0 where there is only one
 */
struct ipam_counts numbers_count(const struct ipam_pool *pool, const struct ipam_set *range,
				 const struct ipam_set *range6, const struct ipam_set *named,
				 uint8_t *family);
/** numbers_quarantined - addresses of both families that another machine uses. */
size_t numbers_quarantined(const struct ipam_allocation *r);

/* As status shows them: what is held for a pod that nobody saw end counts as reserved, not as used. */
struct numbers {
	size_t total, used, free, reserved, cooling, quarantined;
};

/** numbers_of - those of a subnet. @n_held: how many of the used addresses are held */
struct numbers numbers_of(const struct ipam_counts *n, size_t n_held);

#endif
