/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/subnets/choose.h"

#include <string.h>

#include "api/owner.h"
#include "controller/addresses/holders.h"
#include "controller/addresses/reservations.h"
#include "controller/subnets/internal.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

static bool addr_taken(void *ctx, const struct ip_addr *addr, const char *uid)
{
	const struct subnet *subnet = ctx;

	return subnet_addr_taken(subnet, addr, uid);
}

static bool mac_taken(void *ctx, const struct mac_addr *mac, const char *uid)
{
	const struct subnet *subnet = ctx;

	return subnet_mac_taken(subnet, mac, uid);
}

static enum plan_kept kept(void *ctx, const struct ip_addr *addr, const char *owner)
{
	const struct subnet *subnet = ctx;
	const char *holder = reservations_find(subnet->all->in.reservations, subnet->name, addr);

	if (!holder)
		return PLAN_KEPT_NOT;
	return str_eq(holder, owner) ? PLAN_KEPT_OURS : PLAN_KEPT_OTHERS;
}

static size_t ns_has(void *ctx, const char *ns)
{
	const struct subnet *subnet = ctx;

	return holders_count(subnet->all->in.holders, subnet->name, ns);
}

static uint32_t max_per_ns(const struct subnet *subnet)
{
	return subnet->obj && subnet->obj->spec ? subnet->obj->spec->max_per_ns : 0;
}

/* What its namespace has is all that it may have; a pod that has its address already keeps it. */
static bool is_over_share(struct subnet *subnet, struct plan_want *want)
{
	uint32_t max = max_per_ns(subnet);

	if (!max || ip_is_set(&want->keep))
		return false;
	want->ns_has = ns_has(subnet, want->ns);
	if (want->ns_has < max)
		return false;
	want->result = DECIDE_NAMESPACE_LIMIT;
	return true;
}

/* Whoever names what is not to be had may do so with any number of pods. */
static bool is_in_vain(enum decide_reason why)
{
	return why == DECIDE_OUTSIDE || why == DECIDE_RESERVED || why == DECIDE_ADDRESS_IN_USE ||
	       why == DECIDE_MAC_IN_USE;
}

static size_t count_vain(const struct subnet *subnet)
{
	size_t n = 0;

	for (size_t i = 0; i < subnet->n_queue; i++)
		n += subnet->queue[i]->in_vain;
	return n;
}

/*
 * The oldest waiters that may get something, at most max. However many of one namespace wait for its share, they
 * are not in the way of others; those who named in vain share half of the places, by turns, where not all have one.
 */
static struct plan_want *make_wants(struct subnet *subnet, size_t max, struct waiter **who,
				    size_t *count)
{
	size_t n = 0, room = max < subnet->n_queue ? max : subnet->n_queue, at = 0;
	struct plan_want *wants = xcalloc(room + 1, sizeof(*wants));
	size_t vain = subnet->n_queue > max ? count_vain(subnet) : 0;
	size_t turn = vain ? subnet->vain_turn % vain : 0;

	for (size_t i = 0; i < subnet->n_queue && n < max; i++) {
		struct waiter *w = subnet->queue[i];

		if (vain && w->in_vain && (at++ + vain - turn) % vain >= max / 2)
			continue;
		wants[n] = (struct plan_want){0};
		w->ops->want(w, &wants[n]);
		wants[n].record_uid = w->record_uid;
		if (is_over_share(subnet, &wants[n]))
			w->ops->refused(w, &wants[n]);
		else
			who[n++] = w;
	}
	if (vain)
		subnet->vain_turn += max / 2;
	*count = n;
	return wants;
}

static bool can_grant(const struct subnet *subnet)
{
	return subnet->state == SUBNET_READY && subnet->obj->spec && subnet->has_finalizer &&
	       !subnet->obj->meta.deletion;
}

/* Those who get something leave the queue; the others hear why not. */
static void pick_served(struct subnet *subnet, struct plan_want *wants, struct waiter **who,
			size_t n)
{
	struct ipam_counts left = numbers_count(&subnet->next.pool, &subnet->range,
						subnet_range6(subnet), subnet_named(subnet), NULL);
	size_t to = 0;

	subnet->sent = xcalloc(n + 1, sizeof(*subnet->sent));
	subnet->wants = wants;
	for (size_t i = 0; i < n; i++) {
		struct plan_want want = wants[i];
		size_t at = subnet->n_sent;

		if (want.result != DECIDE_ALLOCATED)
			continue;
		who[i]->step = WAITER_COMMITTING;
		subnet->sent[at] = who[i];
		who[i] = who[at];
		wants[i] = wants[at];
		wants[at] = want;
		subnet->n_sent++;
	}
	/* The others are told who has what, these included. */
	subnet->largest_known = false;
	for (size_t i = subnet->n_sent; i < n; i++) {
		who[i]->in_vain = is_in_vain(wants[i].result);
		if (wants[i].result != DECIDE_NOTHING &&
		    !(wants[i].result == DECIDE_EXHAUSTED && left.free))
			who[i]->ops->refused(who[i], &wants[i]);
	}
	for (size_t i = 0; i < subnet->n_queue; i++) {
		if (subnet->queue[i]->step == WAITER_QUEUED)
			subnet->queue[to++] = subnet->queue[i];
	}
	subnet->n_queue = to;
}

/* Those of the write that is being made. */
struct naming {
	struct subnet *subnet;
	const struct plan_want *wants;
	size_t n;
};

/* Nobody knows the template of an owner of another kind: its newest pod shows what stands there now. */
static bool newest_pod_names(const struct naming *n, const char *owner, const struct ip_addr *addr)
{
	bool named = true;

	for (size_t i = 0; i < n->n; i++) {
		const struct plan_want *w = &n->wants[i];

		if (w->result == DECIDE_ALLOCATED && w->request->n_ips && str_eq(w->owner, owner))
			named = api_request_find(w->request, addr) >= 0;
	}
	return named;
}

static bool names(void *ctx, const char *owner, const struct ip_addr *addr)
{
	const struct naming *n = ctx;
	const struct subnet *subnet = n->subnet;

	return reservations_names(subnet->all->in.reservations, owner, subnet->name, addr) &&
	       (!api_owner_is_id(owner) || newest_pod_names(n, owner, addr));
}

static bool claim(struct naming *n, const struct plan_want *w, const struct ip_addr *addr)
{
	return !ip_is_set(addr) || !names(n, w->owner, addr) ||
	       ipam_claims_add(&n->subnet->next.claims, w->owner, addr);
}

/* What a template names and its pod gets is kept for it from now on; what it does not name any more is not. */
static void update_claims(struct subnet *subnet, const struct plan_want *wants, size_t n)
{
	struct naming all = {subnet, wants, n};

	ipam_claims_keep(&subnet->next.claims, names, &all);
	for (size_t i = 0; i < n; i++) {
		const struct plan_want *w = &wants[i];

		if (w->result != DECIDE_ALLOCATED || !w->owner || !w->request->n_ips)
			continue;
		if (!claim(&all, w, &w->addr) || !claim(&all, w, &w->addr6))
			log_warn("too many addresses are kept for workloads: one more is not",
				 "subnet", subnet->name, "workload", w->owner);
	}
}

void choose_next(struct subnet *subnet)
{
	size_t max = can_grant(subnet) ? IPAM_INFLIGHT_MAX : 0, n;
	struct waiter *who[IPAM_INFLIGHT_MAX];
	struct plan_want *wants;
	struct plan_in in = {
		.base = &subnet->record,
		.ns = subnet->all->in.process->system_ns,
		.name = subnet->name,
		.family = subnet->obj->spec ? subnet->obj->spec->v.cidr.addr.family : 0,
		.range = &subnet->range,
		.range6 = subnet_range6(subnet),
		.delay_s = subnet->delay_s,
		.now_s = process_now_s(subnet->all->in.process),
		.commit = subnet->next_commit,
		.releases = &subnet->releases,
		.drops = &subnet->drops,
		.adopts = &subnet->adopts,
		.conflicts = subnet->conflicts,
		.n_conflicts = subnet->n_conflicts,
		.addr_taken = addr_taken,
		.mac_taken = mac_taken,
		.max_per_ns = max_per_ns(subnet),
		.ns_has = ns_has,
		.named = subnet_named(subnet),
		.kept = kept,
		.ctx = subnet,
	};

	subnet->largest_known = false;
	wants = make_wants(subnet, max, who, &n);
	in.wants = wants;
	in.n_wants = n;
	plan_commit(&in, &subnet->next);
	subnet->next.lost = subnet->blind;
	update_claims(subnet, wants, n);
	pick_served(subnet, wants, who, n);
	subnet->n_sent_releases = subnet->releases.n;
	subnet->n_sent_drops = subnet->drops.n;
	subnet->n_sent_adopts = subnet->adopts.n;
	subnet->n_sent_conflicts = subnet->n_conflicts;
}
