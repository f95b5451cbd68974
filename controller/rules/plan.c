/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/plan.h"

#include <string.h>

#include "ipam/mac.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define MAC_TRIES 16

struct plan_entry *plan_list_add(struct plan_list *l, const struct ip_addr *addr, const char *uid)
{
	for (size_t i = 0; i < l->n; i++) {
		if (ip_eq(&l->items[i].addr, addr) && str_eq(l->items[i].record_uid, uid))
			return &l->items[i];
	}
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->items = xreallocarray(l->items, l->cap, sizeof(*l->items));
	}
	l->items[l->n] = (struct plan_entry){.addr = *addr, .record_uid = xstrdup(uid)};
	return &l->items[l->n++];
}

void plan_list_done(struct plan_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].record_uid);
		free(l->items[i].note);
	}
	free(l->items);
	*l = (struct plan_list){0};
}

/* In flight for another record than this one. */
static bool inflight_elsewhere(const struct ipam_allocation *r, const struct ip_addr *addr,
			       const char *uid)
{
	for (size_t i = 0; i < r->n_inflight; i++) {
		const struct ipam_inflight *f = &r->inflight[i];

		if ((ip_eq(&f->addr, addr) || ip_eq(&f->addr6, addr)) &&
		    !str_eq(f->record_uid, uid))
			return true;
	}
	return false;
}

/* Never earlier than after a release. */
static int64_t quarantine_end(const struct plan_in *in, const struct plan_entry *entry)
{
	int64_t cooled = in->now_s + in->delay_s;

	return entry->quarantine_s > cooled ? entry->quarantine_s : cooled;
}

static void release_all(const struct plan_in *in, struct ipam_allocation *r,
			struct ipam_set *released)
{
	for (size_t i = 0; in->releases && i < in->releases->n; i++) {
		const struct plan_entry *entry = &in->releases->items[i];

		ipam_allocation_inflight_drop(r, entry->record_uid, &entry->addr);
		/*
		 * A release may be asked for twice, when a write's outcome was unknown. The
		 * address may have another holder by then.
		 */
		if (inflight_elsewhere(r, &entry->addr, entry->record_uid) ||
		    in->addr_taken(in->ctx, &entry->addr, entry->record_uid))
			continue;
		if (entry->quarantine_s && ipam_set_has(&r->pool.used, &entry->addr))
			ipam_pool_quarantine(&r->pool, &entry->addr, quarantine_end(in, entry));
		else
			ipam_pool_release(&r->pool, &entry->addr, in->now_s, in->delay_s);
		if (entry->unproven)
			ipam_set_add(&r->pool.unproven, &entry->addr);
		else
			ipam_set_remove(&r->pool.unproven, &entry->addr);
		ipam_set_add(released, &entry->addr);
	}
}

/* The entry of the pod's lists that its addresses are of. */
static size_t entry_of(const struct plan_want *want)
{
	long i = api_request_find(want->request, &want->addr);

	if (i < 0 && ip_is_set(&want->addr6))
		i = api_request_find(want->request, &want->addr6);
	return i < 0 ? 0 : (size_t)i;
}

bool plan_mac(const struct plan_in *in, const struct plan_want *want, struct mac_addr *out)
{
	const struct mac_addr *fixed = api_request_mac(want->request, entry_of(want));

	if (fixed) {
		*out = *fixed;
		return !in->mac_taken(in->ctx, fixed, want->record_uid);
	}
	for (unsigned int try = 0; try < MAC_TRIES; try++) {
		*out = ipam_mac_compute(in->ns, in->name, &want->addr, try);
		if (!in->mac_taken(in->ctx, out, want->record_uid))
			return true;
	}
	return false;
}

/* A MAC that an earlier want of the same write has got. */
static bool mac_given(const struct plan_in *in, const struct plan_want *want,
		      const struct mac_addr *mac)
{
	for (const struct plan_want *w = in->wants; w < want; w++) {
		if (w->result == DECIDE_ALLOCATED && mac_eq(&w->mac, mac))
			return true;
	}
	return false;
}

/* The families of the subnet: [0] is spec.cidr's, [1] spec.ipv6's. */
#define FAMILIES 2

struct choice {
	const struct plan_in *in;
	struct ipam_allocation *r;
	struct ipam_set *skip; /* not in this write */
	const struct ipam_set *avoid[2];
	size_t n_avoid;
	const struct ipam_set *range[FAMILIES]; /* NULL = the subnet has no second one */
	bool exhausted[FAMILIES];
	struct map shares; /* struct share, by namespace: only where there is a limit */
};

/* What one namespace has of the subnet, with this write. */
struct share {
	size_t n;
};

static struct share *share_of(struct choice *c, const char *ns)
{
	struct share *share = map_get(&c->shares, ns);

	if (share)
		return share;
	share = xcalloc(1, sizeof(*share));
	share->n = c->in->ns_has(c->in->ctx, ns);
	map_put(&c->shares, ns, share);
	return share;
}

static void shares_done(struct choice *c)
{
	struct share *share;

	for (size_t i = 0; (share = map_each(&c->shares, &i));)
		free(share);
	map_done(&c->shares);
}

static uint8_t family_of(const struct choice *c, int f)
{
	return f ? AF_INET6 : c->in->family;
}

/* The next address of one family; it is used from then on. */
static bool take_next(struct choice *c, int f, const struct plan_want *want, struct ip_addr *out)
{
	while (!c->exhausted[f]) {
		if (!ipam_pool_take_next(&c->r->pool, c->range[f], c->avoid, c->n_avoid, out))
			break;
		if (!c->in->addr_taken(c->in->ctx, out, want->record_uid))
			return true;
		/* A record of another subnet on the same wire has it. */
		ipam_set_remove(&c->r->pool.used, out);
		ipam_set_add(c->skip, out);
	}
	c->exhausted[f] = true;
	*out = (struct ip_addr){0};
	return false;
}

/* What the annotation names for family f in that entry; in a subnet of one family whatever it names. */
static const struct ip_addr *named(const struct choice *c, const struct plan_want *want, int f,
				   size_t entry)
{
	const struct api_request *q = want->request;

	if (c->range[1] || c->in->family)
		return api_request_ip(q, family_of(c, f), entry);
	return entry < q->n_ips ? &q->ips[entry] : NULL;
}

/* Addresses of a family that the subnet does not have. */
static bool names_other_family(const struct choice *c, struct plan_want *want)
{
	uint8_t other = c->in->family == AF_INET ? AF_INET6 : AF_INET;

	if (c->range[1] || !c->in->family || !api_request_ip(want->request, other, 0))
		return false;
	want->family = other;
	return true;
}

static enum plan_kept kept(const struct choice *c, const struct ip_addr *a, const char *owner)
{
	return c->in->kept ? c->in->kept(c->in->ctx, a, owner) : PLAN_KEPT_NOT;
}

/* One address of a list: may be given, or why not. */
static enum decide_reason try_fixed(const struct choice *c, int f, const struct plan_want *want,
				    const struct ip_addr *a)
{
	enum plan_kept whose = kept(c, a, want->owner);

	if (!ipam_set_has(c->range[f], a))
		return DECIDE_OUTSIDE;
	if (whose == PLAN_KEPT_OTHERS)
		return DECIDE_RESERVED;
	if (ipam_set_has(c->skip, a) || c->in->addr_taken(c->in->ctx, a, want->record_uid))
		return DECIDE_ADDRESS_IN_USE;
	/* Cooling down is no hindrance for its own, but another machine that has it is. */
	if (whose == PLAN_KEPT_OURS
		    ? ipam_set_has(&c->r->pool.used, a) || ipam_pool_is_quarantined(&c->r->pool, a)
		    : !ipam_pool_is_free(&c->r->pool, c->range[f], a))
		return DECIDE_ADDRESS_IN_USE;
	return DECIDE_ALLOCATED;
}

/* Of several refusals the one that time may change is told before the others. */
static int weight(enum decide_reason r)
{
	return r == DECIDE_ADDRESS_IN_USE ? 2 : r == DECIDE_RESERVED;
}

/* One entry of a list: all its addresses may be given, or why the first of them will not be. */
static enum decide_reason try_entry(const struct choice *c, const struct plan_want *want,
				    size_t entry, struct ip_addr *refused)
{
	enum decide_reason why = DECIDE_ALLOCATED;

	for (int f = 0; f < FAMILIES && c->range[f]; f++) {
		const struct ip_addr *a = named(c, want, f, entry);
		enum decide_reason r = a ? try_fixed(c, f, want, a) : DECIDE_ALLOCATED;

		if (r == DECIDE_ALLOCATED || (why != DECIDE_ALLOCATED && weight(r) >= weight(why)))
			continue;
		why = r;
		*refused = *a;
	}
	return why;
}

static enum decide_reason choose_entry(const struct choice *c, struct plan_want *want, size_t *out)
{
	size_t n = api_request_entries(want->request);
	enum decide_reason why = DECIDE_OUTSIDE;

	for (size_t i = 0; i < n; i++) {
		size_t entry = (want->first + i) % n;
		struct ip_addr refused;
		enum decide_reason r = try_entry(c, want, entry, &refused);

		if (r == DECIDE_ALLOCATED) {
			*out = entry;
			return r;
		}
		if (weight(r) > weight(why)) {
			why = r;
			want->addr = refused;
		}
	}
	return why;
}

struct pick {
	struct ip_addr addr[FAMILIES];
	bool taken[FAMILIES]; /* by take_next(): used already */
};

static enum decide_reason choose(struct choice *c, struct plan_want *want, struct pick *p)
{
	enum decide_reason r = DECIDE_ALLOCATED;
	size_t entry = 0;

	if (names_other_family(c, want))
		return DECIDE_OUTSIDE;
	if (want->request->n_ips)
		r = choose_entry(c, want, &entry);
	for (int f = 0; f < FAMILIES && c->range[f] && r == DECIDE_ALLOCATED; f++) {
		const struct ip_addr *a = named(c, want, f, entry);

		if (a) {
			p->addr[f] = *a;
			continue;
		}
		p->taken[f] = take_next(c, f, want, &p->addr[f]);
		if (p->taken[f])
			continue;
		want->family = c->range[1] ? family_of(c, f) : 0;
		r = DECIDE_EXHAUSTED;
	}
	return r;
}

static void put_back(struct choice *c, const struct pick *p)
{
	for (int f = 0; f < FAMILIES; f++) {
		if (p->taken[f])
			ipam_set_remove(&c->r->pool.used, &p->addr[f]);
	}
}

/* Its addresses go with a MAC that nobody has. */
static bool fits_mac(const struct choice *c, const struct plan_want *want, struct mac_addr *out)
{
	return plan_mac(c->in, want, out) && !mac_given(c->in, want, out);
}

static void grant(struct choice *c, const struct plan_want *want)
{
	struct ipam_inflight entry = {
		.addr = want->addr,
		.addr6 = want->addr6,
		.record_uid = (char *)want->record_uid,
		.pod_uid = (char *)want->pod_uid,
		.ns = (char *)want->ns,
		.name = (char *)want->name,
	};

	ipam_pool_use(&c->r->pool, &want->addr);
	if (ip_is_set(&want->addr6))
		ipam_pool_use(&c->r->pool, &want->addr6);
	ipam_allocation_inflight_add(c->r, &entry);
}

/* An address that a card is said to have: its own still, or one that might be given to it now. */
static enum decide_reason try_kept(const struct choice *c, int f, const struct plan_want *want,
				   const struct ip_addr *a)
{
	bool used = ipam_set_has(&c->r->pool.used, a);

	if (!used && !(c->range[f] && ipam_set_has(c->range[f], a)))
		return DECIDE_OUTSIDE;
	if (ipam_set_has(c->skip, a) || inflight_elsewhere(c->r, a, want->record_uid) ||
	    c->in->addr_taken(c->in->ctx, a, want->record_uid))
		return DECIDE_ADDRESS_IN_USE;
	return used || ipam_pool_is_free(&c->r->pool, c->range[f], a) ? DECIDE_ALLOCATED
								      : DECIDE_ADDRESS_IN_USE;
}

static enum decide_reason keep(const struct choice *c, struct plan_want *want)
{
	const struct ip_addr *kept[FAMILIES] = {&want->keep, &want->keep6};
	enum decide_reason r = DECIDE_ALLOCATED;

	for (int f = 0; f < FAMILIES && r == DECIDE_ALLOCATED; f++) {
		if (!ip_is_set(kept[f]))
			continue;
		r = try_kept(c, f, want, kept[f]);
		want->addr = *kept[f];
	}
	return r;
}

static void serve(struct choice *c, struct plan_want *want)
{
	struct pick p = {.addr = {want->keep, want->keep6}};
	struct ip_addr cursor = c->r->pool.cursor, cursor6 = c->r->pool.cursor6;
	bool holds = ip_is_set(&want->keep);
	struct share *share = c->in->max_per_ns ? share_of(c, want->ns) : NULL;

	if (share && share->n >= c->in->max_per_ns && !holds) {
		want->result = DECIDE_NAMESPACE_LIMIT;
		want->ns_has = share->n;
		return;
	}
	want->result = holds ? keep(c, want) : choose(c, want, &p);
	if (want->result == DECIDE_ALLOCATED) {
		want->addr = p.addr[0];
		want->addr6 = p.addr[1];
		if (fits_mac(c, want, &want->mac) || holds) {
			if (holds && !mac_eq(&want->keep_mac, &(struct mac_addr){{0}}))
				want->mac = want->keep_mac;
			grant(c, want);
			/* Whoever holds has been counted. */
			if (share && !holds)
				share->n++;
			return;
		}
		want->result = DECIDE_MAC_IN_USE;
	}
	/* Both families or none, and the next one begins where this one began. */
	put_back(c, &p);
	c->r->pool.cursor = cursor;
	c->r->pool.cursor6 = cursor6;
}

void plan_commit(const struct plan_in *in, struct ipam_allocation *out)
{
	AUTO(ipam_set_done) struct ipam_set skip = IPAM_SET_INIT;
	struct choice c = {.in = in, .r = out, .skip = &skip, .range = {in->range, in->range6}};

	ipam_allocation_copy(in->base, out);
	out->commit = in->commit;
	for (size_t i = 0; in->drops && i < in->drops->n; i++)
		ipam_allocation_inflight_drop(out, in->drops->items[i].record_uid,
					      &in->drops->items[i].addr);
	for (size_t i = 0; in->adopts && i < in->adopts->n; i++)
		ipam_pool_use(&out->pool, &in->adopts->items[i].addr);
	ipam_pool_expire(&out->pool, in->now_s);
	ipam_allocation_conflicts_expire(out, in->now_s);
	for (size_t i = 0; i < in->n_conflicts; i++)
		ipam_allocation_conflict_add(out, &in->conflicts[i]);
	release_all(in, out, &skip);

	c.avoid[c.n_avoid++] = &skip;
	if (in->named)
		c.avoid[c.n_avoid++] = in->named;
	for (size_t i = 0; i < in->n_wants; i++) {
		in->wants[i].result = DECIDE_NOTHING;
		in->wants[i].family = 0;
		in->wants[i].addr6 = (struct ip_addr){0};
		if (ipam_allocation_has_room(out))
			serve(&c, &in->wants[i]);
	}
	shares_done(&c);
}
