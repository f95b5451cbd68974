/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/claims.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

/* What a claim and each of its blocks take as text at most, beside the owner. */
#define CLAIM_BYTES 40
#define BLOCK_BYTES 110

static void claim_done(struct ipam_claim *c)
{
	free(c->owner);
	ipam_set_done(&c->set);
}

void ipam_claims_done(struct ipam_claims *c)
{
	for (size_t i = 0; i < c->n; i++)
		claim_done(&c->items[i]);
	free(c->items);
	*c = (struct ipam_claims){0};
}

void ipam_claims_copy(const struct ipam_claims *c, struct ipam_claims *out)
{
	*out = (struct ipam_claims){.n = c->n};
	out->items = xcalloc(c->n + 1, sizeof(*out->items));
	for (size_t i = 0; i < c->n; i++) {
		out->items[i].owner = xstrdup(c->items[i].owner);
		ipam_set_copy(&c->items[i].set, &out->items[i].set);
	}
}

bool ipam_claims_eq(const struct ipam_claims *a, const struct ipam_claims *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!str_eq(a->items[i].owner, b->items[i].owner) ||
		    !ipam_set_eq(&a->items[i].set, &b->items[i].set))
			return false;
	}
	return true;
}

const char *ipam_claims_owner(const struct ipam_claims *c, const struct ip_addr *addr)
{
	for (size_t i = 0; i < c->n; i++) {
		if (ipam_set_has(&c->items[i].set, addr))
			return c->items[i].owner;
	}
	return NULL;
}

static size_t bytes_of(const struct ipam_claims *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += CLAIM_BYTES + strlen(c->items[i].owner) + c->items[i].set.n * BLOCK_BYTES;
	return n;
}

static void drop_empty(struct ipam_claims *c)
{
	size_t to = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (c->items[i].set.n)
			c->items[to++] = c->items[i];
		else
			claim_done(&c->items[i]);
	}
	c->n = to;
}

static struct ipam_claim *claim_of(struct ipam_claims *c, const char *owner)
{
	for (size_t i = 0; i < c->n; i++) {
		if (str_eq(c->items[i].owner, owner))
			return &c->items[i];
	}
	c->items = xreallocarray(c->items, c->n + 1, sizeof(*c->items));
	c->items[c->n] = (struct ipam_claim){.owner = xstrdup(owner)};
	return &c->items[c->n++];
}

bool ipam_claims_add(struct ipam_claims *c, const char *owner, const struct ip_addr *addr)
{
	const char *now = ipam_claims_owner(c, addr);

	if (str_eq(now, owner))
		return true;
	if (bytes_of(c) + CLAIM_BYTES + strlen(owner) + BLOCK_BYTES > IPAM_CLAIMS_MAX_BYTES)
		return false;
	for (size_t i = 0; i < c->n; i++)
		ipam_set_remove(&c->items[i].set, addr);
	ipam_set_add(&claim_of(c, owner)->set, addr);
	drop_empty(c);
	return true;
}

void ipam_claims_keep(struct ipam_claims *c,
		      bool (*keep)(void *ctx, const char *owner, const struct ip_addr *addr),
		      void *ctx)
{
	for (size_t i = 0; i < c->n; i++) {
		AUTO(ipam_set_done) struct ipam_set was = c->items[i].set;
		struct ip_addr a, from = {0};

		c->items[i].set = (struct ipam_set)IPAM_SET_INIT;
		while (ipam_set_next(&was, &from, NULL, 0, &a)) {
			ipam_set_remove(&was, &a);
			if (keep(ctx, c->items[i].owner, &a))
				ipam_set_add(&c->items[i].set, &a);
		}
	}
	drop_empty(c);
}
