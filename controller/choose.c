#include "controller/choose.h"

#include <string.h>

#include "controller/ent.h"
#include "controller/reserve.h"
#include "controller/status.h"
#include "controller/sub.h"
#include "controller/work.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

static bool addr_taken(void *ctx, const struct ip_addr *addr, const char *uid)
{
	const struct sub *sub = ctx;

	return ent_addr_taken(sub->app, sub, addr, uid);
}

static bool mac_taken(void *ctx, const struct mac_addr *mac, const char *uid)
{
	const struct sub *sub = ctx;

	return ent_mac_taken(sub->app, mac, uid);
}

static enum plan_kept kept(void *ctx, const struct ip_addr *addr, const char *owner)
{
	const struct sub *sub = ctx;
	const struct api_workload *holder = reserve_find(sub->app, sub->name, addr);

	if (!holder)
		return PLAN_KEPT_NOT;
	return reserve_is_for(holder, owner) ? PLAN_KEPT_OURS : PLAN_KEPT_OTHERS;
}

/* A StatefulSet's pods take the entries of a list in their own order. */
static size_t ordinal_of(const struct ent *ent)
{
	AUTO(free) char *set = NULL;
	int64_t n = -1;

	if (ent->pod && str_eq(ent->pod->owner_kind, api_workload_kind_name(API_STATEFULSET)))
		n = api_workload_ordinal(ent->pod->meta.name, &set);
	return n > 0 ? (size_t)n : 0;
}

static struct plan_want *make_wants(struct sub *sub, size_t max, size_t *count)
{
	struct plan_want *wants = xcalloc(max + 1, sizeof(*wants));
	size_t n = 0;

	for (size_t i = 0; i < sub->n_queue && n < max; i++) {
		struct ent *ent = sub->queue[i];

		wants[n] = (struct plan_want){
			.request = &ent->request,
			.record_uid = ent->want_uid,
			.pod_uid = ent->pod ? ent->pod->meta.uid : "",
			.ns = ent->pod ? ent->pod->meta.ns : "",
			.name = ent->pod ? ent->pod->meta.name : "",
			.owner = ent->owner,
			.first = ordinal_of(ent),
		};
		if (ent->lost && str_eq(ent->lost->subnet, sub->name)) {
			wants[n].keep = ent->lost->cidr.addr;
			wants[n].keep6 = ent->lost->cidr6.addr;
		}
		n++;
	}
	*count = n;
	return wants;
}

static bool can_grant(const struct sub *sub)
{
	return sub->state == SUB_READY && sub->obj->spec && sub->has_finalizer &&
	       !sub->obj->meta.deletion;
}

/* Those who get something leave the queue; the others hear why not. */
static void pick_served(struct sub *sub, struct plan_want *wants, size_t n)
{
	struct ipam_counts left =
		status_counts(&sub->next.pool, &sub->range, sub_range6(sub), &sub->named, NULL);
	size_t to = 0;

	sub->sent = xcalloc(n + 1, sizeof(*sub->sent));
	sub->wants = wants;
	for (size_t i = 0; i < n; i++) {
		struct ent *ent = sub->queue[i];

		if (wants[i].result == DECIDE_ALLOCATED) {
			ent->step = ENT_COMMITTING;
			sub->sent[sub->n_sent] = ent;
			sub->wants[sub->n_sent++] = wants[i];
			continue;
		}
		sub->queue[to++] = ent;
		if (wants[i].result != DECIDE_NOTHING &&
		    !(wants[i].result == DECIDE_EXHAUSTED && left.free))
			work_tell_waiting(sub, ent, &wants[i]);
	}
	if (n > to)
		memmove(&sub->queue[to], &sub->queue[n], (sub->n_queue - n) * sizeof(struct ent *));
	sub->n_queue -= n - to;
}

void choose_next(struct sub *sub)
{
	size_t max = can_grant(sub) ? sub->n_queue : 0, n;
	struct plan_want *wants =
		make_wants(sub, max < IPAM_INFLIGHT_MAX ? max : IPAM_INFLIGHT_MAX, &n);
	struct plan_in in = {
		.base = &sub->record,
		.ns = sub->app->opt.system_ns,
		.name = sub->name,
		.family = sub->obj->spec ? sub->obj->spec->v.cidr.addr.family : 0,
		.range = &sub->range,
		.range6 = sub_range6(sub),
		.delay_s = sub->delay_s,
		.now_s = app_now_s(sub->app),
		.commit = sub->next_commit,
		.wants = wants,
		.n_wants = n,
		.releases = &sub->releases,
		.drops = &sub->drops,
		.adopts = &sub->adopts,
		.conflicts = sub->conflicts,
		.n_conflicts = sub->n_conflicts,
		.addr_taken = addr_taken,
		.mac_taken = mac_taken,
		.named = &sub->named,
		.kept = kept,
		.ctx = sub,
	};

	plan_commit(&in, &sub->next);
	pick_served(sub, wants, n);
	sub->n_sent_releases = sub->releases.n;
	sub->n_sent_drops = sub->drops.n;
	sub->n_sent_adopts = sub->adopts.n;
	sub->n_sent_conflicts = sub->n_conflicts;
}
