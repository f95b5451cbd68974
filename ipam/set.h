/* SPDX-License-Identifier: Apache-2.0 */
/* A set of addresses: a sorted list of blocks of 256, a bit for each address. Both families. */
#ifndef IPAM_SET_H
#define IPAM_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"
#include "lib/base/sb.h"

#define IPAM_BLOCK_BITS 256

struct ipam_block {
	struct ip_addr base; /* last byte 0 */
	uint64_t w[4];       /* bit i of the 256 is address base + i; a block is never empty */
};

struct ipam_set {
	struct ipam_block *blocks;
	size_t n;
	size_t cap;
};

#define IPAM_SET_INIT      \
	{                  \
		NULL, 0, 0 \
	}

void ipam_set_done(struct ipam_set *s);
DEFINE_AUTO_VALUE(struct ipam_set, ipam_set_done)

bool ipam_set_has(const struct ipam_set *s, const struct ip_addr *a);
/** ipam_set_add, ipam_set_remove - true when that changed the set. */
bool ipam_set_add(struct ipam_set *s, const struct ip_addr *a);
bool ipam_set_remove(struct ipam_set *s, const struct ip_addr *a);
/** ipam_set_add_span - first..last, both included, at most 2^20 addresses (the caller has checked). */
void ipam_set_add_span(struct ipam_set *s, const struct ip_addr *first, const struct ip_addr *last);
/** ipam_set_remove_span - first..last of any size. */
void ipam_set_remove_span(struct ipam_set *s, const struct ip_addr *first,
			  const struct ip_addr *last);

size_t ipam_set_count(const struct ipam_set *s);
/** ipam_set_count_of - only the addresses of that family; 0 = of both. */
size_t ipam_set_count_of(const struct ipam_set *s, uint8_t family);
/** ipam_set_copy - *out becomes a copy of its own; what it held before is not freed. */
void ipam_set_copy(const struct ipam_set *s, struct ipam_set *out);
bool ipam_set_eq(const struct ipam_set *a, const struct ipam_set *b);
/** ipam_set_unite, ipam_set_subtract - s becomes s + other, s - other. */
void ipam_set_unite(struct ipam_set *s, const struct ipam_set *other);
void ipam_set_subtract(struct ipam_set *s, const struct ipam_set *other);
/** ipam_set_common - addresses in both. */
size_t ipam_set_common(const struct ipam_set *a, const struct ipam_set *b);
/** ipam_set_first_common - the lowest address in both; false when there is none. */
bool ipam_set_first_common(const struct ipam_set *a, const struct ipam_set *b, struct ip_addr *out);

/**
 * ipam_set_next - the lowest address >= *from (any, when from is unset) that is in s and in none of
 * the n sets of without. False when there is none.
 */
bool ipam_set_next(const struct ipam_set *s, const struct ip_addr *from,
		   const struct ipam_set *const *without, size_t n, struct ip_addr *out);

/**
 * ipam_block_format - one block as text, relative to nothing but itself.
 *
 * "192.168.100.0/24 10-37,40": the last bytes that are in it (hexadecimal for IPv6, whose block is
 * a /120), or "192.168.100.0/24 x<64 hex digits>", the bits from address 0 up, where that is shorter.
 */
void ipam_block_format(const struct ipam_block *b, struct sb *out);
/** ipam_set_parse_block - add what such a text says. ERR_DECODE, s untouched. */
int ipam_set_parse_block(struct ipam_set *s, const char *text, struct err *e) FN_MUST;

#endif
