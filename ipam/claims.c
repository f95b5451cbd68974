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

static size_t bytes_of(const struct ipam_claim *c)
{
	return CLAIM_BYTES + strlen(c->owner) + c->set.n * BLOCK_BYTES;
}

static size_t bytes_of_all(const struct ipam_claims *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += bytes_of(&c->items[i]);
	return n;
}

/* What the claims of one namespace take. */
struct taken {
	const char *ns; /* not ended by a 0 */
	size_t len;
	size_t bytes;
	size_t newest; /* of its claims */
};

/* "db" of "Deployment db/web". */
static struct taken namespace_of(const char *owner)
{
	const char *space = strchr(owner, ' ');
	const char *ns = space ? space + 1 : owner;

	return (struct taken){.ns = ns, .len = strcspn(ns, "/")};
}

static struct taken *taken_of(struct taken *list, size_t *n, const char *owner)
{
	struct taken t = namespace_of(owner);

	for (size_t i = 0; i < *n; i++) {
		if (list[i].len == t.len && memcmp(list[i].ns, t.ns, t.len) == 0)
			return &list[i];
	}
	list[*n] = t;
	return &list[(*n)++];
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

static struct ipam_claim *find(const struct ipam_claims *c, const char *owner)
{
	for (size_t i = 0; i < c->n; i++) {
		if (str_eq(c->items[i].owner, owner))
			return &c->items[i];
	}
	return NULL;
}

static struct ipam_claim *claim_of(struct ipam_claims *c, const char *owner)
{
	struct ipam_claim *found = find(c, owner);

	if (found)
		return found;
	c->items = xreallocarray(c->items, c->n + 1, sizeof(*c->items));
	c->items[c->n] = (struct ipam_claim){.owner = xstrdup(owner)};
	return &c->items[c->n++];
}

static struct ip_addr base_of(const struct ip_addr *addr)
{
	struct ip_addr base = *addr;

	base.b[ip_bytes(addr) - 1] = 0;
	return base;
}

/* By how many bytes the text grows: none for one more address of a block that is there. */
static size_t growth(const struct ipam_claims *c, const char *owner, const struct ip_addr *addr)
{
	const struct ipam_claim *claim = find(c, owner);
	struct ip_addr base = base_of(addr);

	if (!claim)
		return CLAIM_BYTES + strlen(owner) + BLOCK_BYTES;
	for (size_t i = 0; i < claim->set.n; i++) {
		if (ip_eq(&claim->set.blocks[i].base, &base))
			return 0;
	}
	return BLOCK_BYTES;
}

static void drop_last_block(struct ipam_claims *c, struct ipam_claim *claim)
{
	struct ip_addr first = claim->set.blocks[claim->set.n - 1].base, last = first;

	last.b[ip_bytes(&last) - 1] = 255;
	ipam_set_remove_span(&claim->set, &first, &last);
	drop_empty(c);
}

/* Room comes from the namespace with the most, its newest claim first; not from one with less than the owner's. */
static bool give_way(struct ipam_claims *c, const char *owner, size_t more)
{
	AUTO(free) struct taken *list = xcalloc(c->n + 1, sizeof(*list));
	const struct taken *most;
	size_t n = 0;

	taken_of(list, &n, owner)->bytes = more;
	for (size_t i = 0; i < c->n; i++) {
		struct taken *t = taken_of(list, &n, c->items[i].owner);

		t->bytes += bytes_of(&c->items[i]);
		t->newest = i;
	}
	most = &list[0];
	for (size_t i = 1; i < n; i++) {
		if (list[i].bytes > most->bytes)
			most = &list[i];
	}
	if (most == &list[0])
		return false;
	drop_last_block(c, &c->items[most->newest]);
	return true;
}

bool ipam_claims_add(struct ipam_claims *c, const char *owner, const struct ip_addr *addr)
{
	const char *now = ipam_claims_owner(c, addr);
	size_t more;

	if (str_eq(now, owner))
		return true;
	more = growth(c, owner, addr);
	while (bytes_of_all(c) + more > IPAM_CLAIMS_MAX_BYTES) {
		if (!give_way(c, owner, more))
			return false;
	}
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
