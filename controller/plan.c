#include "controller/plan.h"

#include <string.h>

#include "ipam/mac.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define MAC_TRIES 16

void plan_list_add(struct plan_list *l, const struct ip_addr *addr, const char *uid)
{
	for (size_t i = 0; i < l->n; i++) {
		if (ip_eq(&l->items[i].addr, addr) && str_eq(l->items[i].record_uid, uid))
			return;
	}
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->items = xreallocarray(l->items, l->cap, sizeof(*l->items));
	}
	l->items[l->n++] = (struct plan_entry){*addr, xstrdup(uid)};
}

void plan_list_done(struct plan_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i].record_uid);
	free(l->items);
	*l = (struct plan_list){0};
}

/* In flight for another record than this one. */
static bool inflight_elsewhere(const struct ipam_record *r, const struct ip_addr *addr,
			       const char *uid)
{
	for (size_t i = 0; i < r->n_inflight; i++) {
		if (ip_eq(&r->inflight[i].addr, addr) && !str_eq(r->inflight[i].record_uid, uid))
			return true;
	}
	return false;
}

static void release_all(const struct plan_in *in, struct ipam_record *r, struct ipam_set *released)
{
	for (size_t i = 0; in->releases && i < in->releases->n; i++) {
		const struct plan_entry *entry = &in->releases->items[i];

		ipam_record_inflight_drop(r, entry->record_uid, &entry->addr);
		/*
		 * A release may be asked for twice, when a write's outcome was unknown. The
		 * address may have another holder by then.
		 */
		if (inflight_elsewhere(r, &entry->addr, entry->record_uid) ||
		    in->addr_taken(in->ctx, &entry->addr, entry->record_uid))
			continue;
		ipam_pool_release(&r->pool, &entry->addr, in->now_s, in->delay_s);
		ipam_set_add(released, &entry->addr);
	}
}

bool plan_mac(const struct plan_in *in, const struct plan_want *want, const struct ip_addr *addr,
	      struct mac_addr *out)
{
	size_t i = 0;
	const struct mac_addr *fixed;

	while (i < want->request->n_ips && !ip_eq(&want->request->ips[i], addr))
		i++;
	if (i == want->request->n_ips)
		i = 0;
	fixed = api_request_mac(want->request, i);
	if (fixed) {
		*out = *fixed;
		return !in->mac_taken(in->ctx, fixed, want->record_uid);
	}
	for (unsigned int try = 0; try < MAC_TRIES; try++) {
		*out = ipam_mac_compute(in->ns, in->name, addr, try);
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

struct choice {
	const struct plan_in *in;
	struct ipam_record *r;
	struct ipam_set *skip; /* not in this write */
	const struct ipam_set *avoid[2];
	size_t n_avoid;
	bool exhausted;
};

static enum plan_kept kept(const struct choice *c, const struct ip_addr *a, const char *owner)
{
	return c->in->kept ? c->in->kept(c->in->ctx, a, owner) : PLAN_KEPT_NOT;
}

/* One entry of a list: given, or why not. */
static enum decide_reason try_fixed(const struct choice *c, const struct plan_want *want,
				    const struct ip_addr *a)
{
	enum plan_kept whose = kept(c, a, want->owner);

	if (!ipam_set_has(c->in->range, a))
		return DECIDE_OUTSIDE;
	if (whose == PLAN_KEPT_OTHERS)
		return DECIDE_RESERVED;
	if (ipam_set_has(c->skip, a) || c->in->addr_taken(c->in->ctx, a, want->record_uid))
		return DECIDE_ADDRESS_IN_USE;
	if (whose == PLAN_KEPT_OURS ? ipam_set_has(&c->r->pool.used, a)
				    : !ipam_pool_is_free(&c->r->pool, c->in->range, a))
		return DECIDE_ADDRESS_IN_USE;
	return DECIDE_ALLOCATED;
}

/* Of several refusals the one that time may change is told before the others. */
static int weight(enum decide_reason r)
{
	return r == DECIDE_ADDRESS_IN_USE ? 2 : r == DECIDE_RESERVED;
}

static enum decide_reason choose_fixed(const struct choice *c, struct plan_want *want,
				       struct ip_addr *out)
{
	const struct api_request *q = want->request;
	enum decide_reason why = DECIDE_OUTSIDE;

	for (size_t i = 0; i < q->n_ips; i++) {
		const struct ip_addr *a = &q->ips[(want->first + i) % q->n_ips];
		enum decide_reason r = try_fixed(c, want, a);

		if (r == DECIDE_ALLOCATED) {
			*out = *a;
			return r;
		}
		if (weight(r) > weight(why)) {
			why = r;
			want->addr = *a;
		}
	}
	return why;
}

static enum decide_reason choose_next(struct choice *c, const struct plan_want *want,
				      struct ip_addr *out)
{
	while (!c->exhausted) {
		if (!ipam_pool_take_next(&c->r->pool, c->in->range, c->avoid, c->n_avoid, out))
			break;
		if (!c->in->addr_taken(c->in->ctx, out, want->record_uid))
			return DECIDE_ALLOCATED;
		/* A record of another subnet on the same wire has it. */
		ipam_set_remove(&c->r->pool.used, out);
		ipam_set_add(c->skip, out);
	}
	c->exhausted = true;
	return DECIDE_EXHAUSTED;
}

static void serve(struct choice *c, struct plan_want *want)
{
	struct ipam_inflight entry = {
		.record_uid = (char *)want->record_uid,
		.pod_uid = (char *)want->pod_uid,
		.ns = (char *)want->ns,
		.name = (char *)want->name,
	};
	struct mac_addr mac;
	bool has_mac;

	if (ip_is_set(&want->keep)) {
		entry.addr = want->keep;
		want->result = DECIDE_ALLOCATED;
	} else if (want->request->n_ips) {
		want->result = choose_fixed(c, want, &entry.addr);
	} else {
		want->result = choose_next(c, want, &entry.addr);
	}
	if (want->result != DECIDE_ALLOCATED)
		return;
	has_mac = plan_mac(c->in, want, &entry.addr, &mac) && !mac_given(c->in, want, &mac);
	if (!has_mac && !ip_is_set(&want->keep)) {
		if (!want->request->n_ips)
			ipam_set_remove(&c->r->pool.used, &entry.addr);
		want->result = DECIDE_MAC_IN_USE;
		return;
	}
	ipam_pool_use(&c->r->pool, &entry.addr);
	ipam_record_inflight_add(c->r, &entry);
	want->addr = entry.addr;
	want->mac = mac;
}

void plan_commit(const struct plan_in *in, struct ipam_record *out)
{
	AUTO(ipam_set_done) struct ipam_set skip = IPAM_SET_INIT;
	struct choice c = {.in = in, .r = out, .skip = &skip};

	ipam_record_copy(in->base, out);
	out->commit = in->commit;
	for (size_t i = 0; in->drops && i < in->drops->n; i++)
		ipam_record_inflight_drop(out, in->drops->items[i].record_uid,
					  &in->drops->items[i].addr);
	for (size_t i = 0; in->adopts && i < in->adopts->n; i++)
		ipam_pool_use(&out->pool, &in->adopts->items[i].addr);
	ipam_pool_expire(&out->pool, in->now_s);
	release_all(in, out, &skip);

	c.avoid[c.n_avoid++] = &skip;
	if (in->named)
		c.avoid[c.n_avoid++] = in->named;
	for (size_t i = 0; i < in->n_wants; i++) {
		in->wants[i].result = DECIDE_NOTHING;
		if (out->n_inflight < IPAM_INFLIGHT_MAX)
			serve(&c, &in->wants[i]);
	}
}
