/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/numbers.h"

struct ipam_counts numbers_count(const struct ipam_pool *pool, const struct ipam_set *range,
				 const struct ipam_set *range6, const struct ipam_set *named,
				 uint8_t *family)
{
	uint8_t ignored, *f = family ? family : &ignored;
	struct ipam_counts n, n6;

	*f = 0;
	n = ipam_pool_count(pool, range, named, range6 ? AF_INET : 0);
	if (!range6)
		return n;
	n6 = ipam_pool_count(pool, range6, named, AF_INET6);
	*f = n6.free < n.free ? AF_INET6 : AF_INET;
	return *f == AF_INET6 ? n6 : n;
}

size_t numbers_quarantined(const struct ipam_allocation *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->pool.n_cooling; i++) {
		if (r->pool.cooling[i].quarantine)
			n += ipam_set_count(&r->pool.cooling[i].set);
	}
	return n;
}

struct numbers numbers_of(const struct ipam_counts *n, size_t n_held)
{
	size_t held = n_held < n->used ? n_held : n->used;

	return (struct numbers){
		.total = n->total,
		.used = n->used - held,
		.free = n->free,
		.reserved = held + n->named,
		.cooling = n->cooling,
		.quarantined = n->quarantined,
	};
}
