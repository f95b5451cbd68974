/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/rules/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl/facts/facts.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

static struct address *add(struct addresses *a)
{
	if (!(a->n & (a->n - 1)))
		a->items = xreallocarray(a->items, a->n ? 2 * a->n : 1, sizeof(*a->items));
	a->items[a->n] = (struct address){0};
	return &a->items[a->n++];
}

void addresses_done(struct addresses *a)
{
	free(a->items);
	*a = (struct addresses){0};
}

/* ------------------------------------------------------------------ records */

static enum address_state state_of(const struct api_ip *r)
{
	if (!api_ip_is_allocated(r))
		return ADDRESS_PENDING;
	if (api_ip_is_vacant(r))
		return ADDRESS_KEPT;
	if (r->unwitnessed)
		return ADDRESS_HELD;
	if (r->phase == API_IP_CONFLICT)
		return ADDRESS_CONFLICT;
	if (r->meta.deletion)
		return ADDRESS_ENDING;
	if (r->phase == API_IP_MISSING)
		return ADDRESS_MISSING;
	return r->phase == API_IP_ATTACHED ? ADDRESS_ATTACHED : ADDRESS_ALLOCATED;
}

static void add_record(struct addresses *a, const struct facts *f, const struct api_ip *r,
		       const struct ip_addr *addr, int64_t hold_s)
{
	struct address *x = add(a);

	x->subnet = facts_subnet(f, r->subnet);
	x->subnet_name = r->subnet;
	x->addr = *addr;
	x->state = state_of(r);
	x->record = r;
	x->ns = r->meta.ns;
	x->pod = r->meta.name;
	x->until = x->state == ADDRESS_HELD ? r->unwitnessed + hold_s : 0;
}

static void add_records(struct addresses *a, const struct facts *f, int64_t hold_s)
{
	for (size_t i = 0; i < f->n_records; i++) {
		const struct api_ip *r = f->records[i];

		add_record(a, f, r, &r->cidr.addr, hold_s);
		if (ip_is_set(&r->cidr6.addr))
			add_record(a, f, r, &r->cidr6.addr, hold_s);
	}
}

/* ------------------------------------------------------------------ what no record has */

struct of_subnet {
	const struct facts_subnet *s;
	struct addresses *out;
	struct ipam_set told; /* addresses that are in out already */
};

static struct address *tell(struct of_subnet *o, const struct ip_addr *addr, enum address_state st)
{
	struct address *x;

	if (!ipam_set_add(&o->told, addr))
		return NULL;
	x = add(o->out);
	x->subnet = o->s;
	x->subnet_name = o->s->meta.name;
	x->addr = *addr;
	x->state = st;
	x->unproven = ipam_set_has(&o->s->allocation.pool.unproven, addr);
	return x;
}

static void tell_in_flight(struct of_subnet *o)
{
	const struct ipam_allocation *r = &o->s->allocation;

	for (size_t i = 0; i < r->n_inflight; i++) {
		const struct ip_addr *both[] = {&r->inflight[i].addr, &r->inflight[i].addr6};

		for (size_t k = 0; k < ARRAY_SIZE(both); k++) {
			struct address *x = ip_is_set(both[k]) ? tell(o, both[k], ADDRESS_IN_FLIGHT)
							       : NULL;

			if (!x)
				continue;
			x->ns = r->inflight[i].ns;
			x->pod = r->inflight[i].name;
		}
	}
}

static void tell_used(struct of_subnet *o)
{
	struct ip_addr from = {0}, a;

	while (ipam_set_next(&o->s->allocation.pool.used, &from, NULL, 0, &a)) {
		tell(o, &a, ADDRESS_UNKNOWN);
		if (ip_add(&a, 1, &from))
			return;
	}
}

static void tell_run(struct of_subnet *o, const struct ipam_cooling_run *run)
{
	struct ip_addr from = {0}, a;

	while (ipam_set_next(&run->set, &from, NULL, 0, &a)) {
		struct address *x =
			tell(o, &a, run->quarantine ? ADDRESS_QUARANTINED : ADDRESS_COOLING);

		if (x) {
			x->until = run->until;
			x->owner = ipam_claims_owner(&o->s->allocation.claims, &a);
		}
		if (ip_add(&a, 1, &from))
			return;
	}
}

static void tell_claim(struct of_subnet *o, const struct ipam_claim *claim)
{
	struct ip_addr from = {0}, a;

	while (ipam_set_next(&claim->set, &from, NULL, 0, &a)) {
		struct address *x = tell(o, &a, ADDRESS_RESERVED);

		if (x)
			x->owner = claim->owner;
		if (ip_add(&a, 1, &from))
			return;
	}
}

static void add_subnet(struct addresses *a, const struct facts_subnet *s)
{
	const struct ipam_allocation *r = &s->allocation;
	struct of_subnet o = {.s = s, .out = a};

	for (size_t i = 0; i < a->n; i++) {
		if (a->items[i].subnet == s && ip_is_set(&a->items[i].addr))
			ipam_set_add(&o.told, &a->items[i].addr);
	}
	tell_in_flight(&o);
	tell_used(&o);
	for (size_t i = 0; i < r->pool.n_cooling; i++)
		tell_run(&o, &r->pool.cooling[i]);
	for (size_t i = 0; i < r->claims.n; i++)
		tell_claim(&o, &r->claims.items[i]);
	ipam_set_done(&o.told);
}

/* ------------------------------------------------------------------ all */

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare(const void *left, const void *right)
{
	const struct address *a = left, *b = right;
	int rc = compare_text(a->subnet_name, b->subnet_name);

	if (!rc)
		rc = ip_is_set(&b->addr) - ip_is_set(&a->addr);
	if (!rc && ip_is_set(&a->addr))
		rc = ip_cmp(&a->addr, &b->addr);
	if (!rc)
		rc = compare_text(a->ns, b->ns);
	return rc ? rc : compare_text(a->pod, b->pod);
}

struct addresses addresses_make(const struct facts *f, int64_t hold_s)
{
	struct addresses a = {0};

	add_records(&a, f, hold_s);
	for (size_t i = 0; i < f->n_subnets; i++)
		add_subnet(&a, &f->subnets[i]);
	if (a.n)
		qsort(a.items, a.n, sizeof(*a.items), compare);
	return a;
}

const char *address_state_name(enum address_state s)
{
	static const char *const names[ADDRESS_STATES] = {
		[ADDRESS_FREE] = "free",
		[ADDRESS_PENDING] = "pending",
		[ADDRESS_ATTACHED] = "attached",
		[ADDRESS_ALLOCATED] = "allocated",
		[ADDRESS_MISSING] = "missing",
		[ADDRESS_CONFLICT] = "conflict",
		[ADDRESS_ENDING] = "ending",
		[ADDRESS_HELD] = "held",
		[ADDRESS_KEPT] = "kept",
		[ADDRESS_IN_FLIGHT] = "in flight",
		[ADDRESS_UNKNOWN] = "unknown",
		[ADDRESS_COOLING] = "cooling",
		[ADDRESS_QUARANTINED] = "quarantined",
		[ADDRESS_RESERVED] = "reserved",
	};

	return s < ADDRESS_STATES ? names[s] : "unknown";
}

char *address_why(const struct address *a, char buf[ADDRESS_WHY_LEN])
{
	static const char *const fixed[ADDRESS_STATES] = {
		[ADDRESS_PENDING] = "waits for an address",
		[ADDRESS_ALLOCATED] = "its node has not reported the card yet",
		[ADDRESS_MISSING] = "its node reports no card",
		[ADDRESS_CONFLICT] = "another machine on the LAN has it",
		[ADDRESS_ENDING] = "its pod is over, and its node has not reported the card down",
		[ADDRESS_HELD] = "its pod is gone, and nobody saw its card go",
		[ADDRESS_KEPT] = "waits for the next pod of its StatefulSet",
		[ADDRESS_IN_FLIGHT] = "is just being given",
		[ADDRESS_UNKNOWN] =
			"counts as used, and no MacvlanIP has it: kubectl macvlan check",
		[ADDRESS_COOLING] = "was given back (ipDelayReuse)",
		[ADDRESS_QUARANTINED] = "another machine on the LAN answered for it",
	};
	const char *message = a->record ? a->record->message : NULL;

	if ((a->state == ADDRESS_MISSING || a->state == ADDRESS_CONFLICT) && message && *message)
		snprintf(buf, ADDRESS_WHY_LEN, "%s", message);
	else if (a->owner)
		snprintf(buf, ADDRESS_WHY_LEN, "%s%skept for %s",
			 fixed[a->state] ? fixed[a->state] : "", fixed[a->state] ? "; " : "",
			 a->owner);
	else
		snprintf(buf, ADDRESS_WHY_LEN, "%s", fixed[a->state] ? fixed[a->state] : "");
	return buf;
}
