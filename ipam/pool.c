/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/pool.h"

#include <string.h>

#include "lib/base/mem.h"

#define AVOID_MAX 14

static void drop_cooling(struct ipam_pool *p)
{
	for (size_t i = 0; i < p->n_cooling; i++)
		ipam_set_done(&p->cooling[i].set);
	free(p->cooling);
	p->cooling = NULL;
	p->n_cooling = 0;
}

void ipam_pool_done(struct ipam_pool *p)
{
	drop_cooling(p);
	ipam_set_done(&p->used);
	ipam_set_done(&p->cooling_all);
	ipam_set_done(&p->unproven);
	*p = (struct ipam_pool){0};
}

void ipam_pool_copy(const struct ipam_pool *p, struct ipam_pool *out)
{
	*out = (struct ipam_pool){
		.cursor = p->cursor,
		.cursor6 = p->cursor6,
		.n_cooling = p->n_cooling,
	};
	ipam_set_copy(&p->used, &out->used);
	ipam_set_copy(&p->cooling_all, &out->cooling_all);
	ipam_set_copy(&p->unproven, &out->unproven);
	if (p->n_cooling)
		out->cooling = xcalloc(p->n_cooling, sizeof(*out->cooling));
	for (size_t i = 0; i < p->n_cooling; i++) {
		out->cooling[i].until = p->cooling[i].until;
		out->cooling[i].quarantine = p->cooling[i].quarantine;
		ipam_set_copy(&p->cooling[i].set, &out->cooling[i].set);
	}
}

int ipam_pool_take_next(struct ipam_pool *p, const struct ipam_set *range,
			const struct ipam_set *const *avoid, size_t n_avoid, struct ip_addr *out)
{
	const struct ipam_set *without[AVOID_MAX + 2] = {&p->used, &p->cooling_all};
	bool v6 = range->n && range->blocks[0].base.family == AF_INET6;
	struct ip_addr *cursor = v6 ? &p->cursor6 : &p->cursor;
	const struct ip_addr start = {0};
	struct ip_addr a;

	if (n_avoid > AVOID_MAX)
		return 0;
	for (size_t i = 0; i < n_avoid; i++)
		without[i + 2] = avoid[i];
	if (!ipam_set_next(range, cursor, without, n_avoid + 2, &a) &&
	    !ipam_set_next(range, &start, without, n_avoid + 2, &a))
		return 0;
	ipam_set_add(&p->used, &a);
	if (ip_add(&a, 1, cursor) < 0)
		*cursor = start;
	*out = a;
	return 1;
}

bool ipam_pool_is_free(const struct ipam_pool *p, const struct ipam_set *range,
		       const struct ip_addr *a)
{
	return ipam_set_has(range, a) && !ipam_set_has(&p->used, a) &&
	       !ipam_set_has(&p->cooling_all, a);
}

static void drop_run(struct ipam_pool *p, size_t i)
{
	ipam_set_done(&p->cooling[i].set);
	p->n_cooling--;
	memmove(&p->cooling[i], &p->cooling[i + 1], (p->n_cooling - i) * sizeof(*p->cooling));
}

void ipam_pool_use(struct ipam_pool *p, const struct ip_addr *a)
{
	ipam_set_add(&p->used, a);
	if (!ipam_set_remove(&p->cooling_all, a))
		return;
	for (size_t i = p->n_cooling; i-- > 0;) {
		ipam_set_remove(&p->cooling[i].set, a);
		if (!p->cooling[i].set.n)
			drop_run(p, i);
	}
}

static struct ipam_cooling_run *run_at(struct ipam_pool *p, int64_t until, bool quarantine)
{
	size_t at = 0;

	while (at < p->n_cooling && p->cooling[at].until < until)
		at++;
	for (; at < p->n_cooling && p->cooling[at].until == until; at++) {
		if (p->cooling[at].quarantine == quarantine)
			return &p->cooling[at];
	}
	p->cooling = xreallocarray(p->cooling, p->n_cooling + 1, sizeof(*p->cooling));
	memmove(&p->cooling[at + 1], &p->cooling[at], (p->n_cooling - at) * sizeof(*p->cooling));
	p->cooling[at] = (struct ipam_cooling_run){.until = until, .quarantine = quarantine};
	p->n_cooling++;
	return &p->cooling[at];
}

static void cool(struct ipam_pool *p, const struct ip_addr *a, int64_t until, bool quarantine)
{
	/* Known already: the later end counts, and ipam_pool_use() forgets the earlier. */
	for (size_t i = 0; i < p->n_cooling; i++) {
		if (p->cooling[i].until >= until && ipam_set_has(&p->cooling[i].set, a))
			return;
	}
	ipam_pool_use(p, a);
	ipam_set_remove(&p->used, a);
	ipam_set_add(&run_at(p, until, quarantine)->set, a);
	ipam_set_add(&p->cooling_all, a);
}

void ipam_pool_cool(struct ipam_pool *p, const struct ip_addr *a, int64_t until)
{
	cool(p, a, until, false);
}

void ipam_pool_quarantine(struct ipam_pool *p, const struct ip_addr *a, int64_t until)
{
	cool(p, a, until, true);
}

bool ipam_pool_is_quarantined(const struct ipam_pool *p, const struct ip_addr *a)
{
	for (size_t i = 0; i < p->n_cooling; i++) {
		if (p->cooling[i].quarantine && ipam_set_has(&p->cooling[i].set, a))
			return true;
	}
	return false;
}

void ipam_pool_release(struct ipam_pool *p, const struct ip_addr *a, int64_t now, uint32_t delay_s)
{
	int64_t step = delay_s / 64 ? delay_s / 64 : 1;
	int64_t until = now + delay_s;

	if (!ipam_set_remove(&p->used, a) || !delay_s)
		return;
	until += step - 1;
	ipam_pool_cool(p, a, until - until % step);
}

size_t ipam_pool_expire(struct ipam_pool *p, int64_t now)
{
	size_t n = 0;

	while (p->n_cooling && p->cooling[0].until <= now) {
		n += ipam_set_count(&p->cooling[0].set);
		ipam_set_subtract(&p->cooling_all, &p->cooling[0].set);
		drop_run(p, 0);
	}
	return n;
}

bool ipam_pool_coarsen(struct ipam_pool *p)
{
	long waiting[2] = {-1,
			   -1}; /* a run of each kind that has not been joined with a later one */
	size_t to = 0;

	for (size_t i = 0; i < p->n_cooling; i++) {
		struct ipam_cooling_run *run = &p->cooling[i];
		long *w = &waiting[run->quarantine];

		if (*w < 0) {
			*w = (long)i;
			continue;
		}
		ipam_set_unite(&run->set, &p->cooling[*w].set);
		ipam_set_done(&p->cooling[*w].set);
		*w = -1;
	}
	for (size_t i = 0; i < p->n_cooling; i++) {
		if (p->cooling[i].set.n)
			p->cooling[to++] = p->cooling[i];
	}
	if (to == p->n_cooling)
		return false;
	p->n_cooling = to;
	return true;
}

int64_t ipam_pool_next_expiry(const struct ipam_pool *p, const struct ipam_set *range)
{
	struct ip_addr a;

	for (size_t i = 0; i < p->n_cooling; i++) {
		if (ipam_set_first_common(&p->cooling[i].set, range, &a))
			return p->cooling[i].until;
	}
	return 0;
}

/* Of the named ones those that could be given now. */
static size_t count_named(const struct ipam_pool *p, const struct ipam_set *range,
			  const struct ipam_set *named)
{
	AUTO(ipam_set_done) struct ipam_set left = IPAM_SET_INIT;

	if (!named || !named->n)
		return 0;
	ipam_set_copy(named, &left);
	ipam_set_subtract(&left, &p->used);
	ipam_set_subtract(&left, &p->cooling_all);
	return ipam_set_common(&left, range);
}

struct ipam_counts ipam_pool_count(const struct ipam_pool *p, const struct ipam_set *range,
				   const struct ipam_set *named, uint8_t family)
{
	struct ipam_counts c = {
		.total = ipam_set_count(range),
		.used = ipam_set_count_of(&p->used, family),
		.cooling = ipam_set_common(&p->cooling_all, range),
		.named = count_named(p, range, named),
	};

	for (size_t i = 0; i < p->n_cooling; i++) {
		if (p->cooling[i].quarantine)
			c.quarantined += ipam_set_common(&p->cooling[i].set, range);
	}
	/* An address is never used and cooling at once. */
	c.free = c.total - ipam_set_common(&p->used, range) - c.cooling - c.named;
	return c;
}
