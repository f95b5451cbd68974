/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/takeover.h"

#include <stdlib.h>

#include "api/pod.h"
#include "controller/cluster/cluster.h"
#include "controller/process/leader.h"
#include "controller/process/process.h"
#include "controller/records/records.h"
#include "controller/subnets/subnet.h"
#include "ipam/set.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

struct takeover {
	struct takeover_in in;
	bool pods_went; /* one of them may have been without a record */
};

/* ------------------------------------------------------------------------------- told by the cluster */

static void changed(void *ctx, enum cluster_kind kind, const char *key, const void *old_obj,
		    const void *new_obj)
{
	const struct api_pod *old = old_obj, *pod = new_obj;
	struct takeover *t = ctx;

	(void)key;
	if (kind != CLUSTER_PODS)
		return;
	if (old && (!pod || !str_eq(old->meta.uid, pod->meta.uid)))
		t->pods_went = true;
}

static void listed(void *ctx, enum cluster_kind kind)
{
	struct takeover *t = ctx;

	if (kind != CLUSTER_IPS)
		return;
	records_listed(t->in.records, t->in.process->phase >= PHASE_IPS);
	subnets_records_listed(t->in.subnets);
}

static const struct cluster_listener listener = {.changed = changed, .listed = listed};

/* ------------------------------------------------------------------------------- one subnet */

static void settle(struct takeover *t, struct subnet *subnet)
{
	AUTO(ipam_set_done) struct ipam_set held = IPAM_SET_INIT;

	subnet_settle(subnet);
	records_settle_inflight(t->in.records, subnet);
	records_hold_used(t->in.records, subnet, &held);
	subnet_settled(subnet, &held, records_count_unknown(t->in.records, subnet) > 0);
	records_look_unserved(t->in.records);
}

static void settle_claimed(struct takeover *t)
{
	struct subnet *subnet;
	size_t pos = 0;

	while ((subnet = subnets_each(t->in.subnets, &pos))) {
		if (subnet_state(subnet) == SUBNET_CLAIMED)
			settle(t, subnet);
	}
}

int64_t takeover_orphans(struct takeover *t, int64_t now_ms)
{
	bool fewer = records_take_answered(t->in.records) || t->pods_went;
	struct subnet *subnet;
	int64_t next = 0;
	size_t pos = 0;

	while ((subnet = subnets_each(t->in.subnets, &pos))) {
		bool unclaimed = fewer && subnet_lost_some(subnet) &&
				 !records_count_unknown(t->in.records, subnet);

		if (unclaimed && subnet_is_blind(subnet))
			subnet_end_blind(subnet);
		next = clock_earlier_ms(next, subnet_run_orphans(subnet, now_ms, t->in.hold_ms,
								 unclaimed));
	}
	t->pods_went = false;
	return next;
}

/* ------------------------------------------------------------------------------- phases */

static void begin_running(struct takeover *t)
{
	t->in.process->phase = PHASE_RUN;
	subnets_refresh(t->in.subnets);
	settle_claimed(t);
	records_mark_all(t->in.records);
	log_info("caches are filled, allocation begins");
}

/* Subnets that came while we run: records are listed again after our term is in them. */
static void late_subnets(struct takeover *t)
{
	settle_claimed(t);
	if (subnets_relist(t->in.subnets))
		cluster_list(t->in.cluster, CLUSTER_IPS);
}

/* One kind after the other: of pods without annotation only those are kept that have a record. */
static void warm_up(struct cluster *c)
{
	for (int i = 0; i < CLUSTER_KINDS; i++) {
		cluster_start(c, (enum cluster_kind)i);
		if (!cluster_is_synced(c, (enum cluster_kind)i))
			return;
	}
}

static void list_rest(struct cluster *c)
{
	for (int i = CLUSTER_PODS + 1; i < CLUSTER_KINDS; i++)
		cluster_list(c, (enum cluster_kind)i);
}

static bool is_rest_listed(const struct cluster *c)
{
	for (int i = CLUSTER_PODS + 1; i < CLUSTER_KINDS; i++) {
		if (!cluster_is_listed(c, (enum cluster_kind)i))
			return false;
	}
	return true;
}

/* From the present phase to the next, which begins with a list of that kind. */
static void go_on(struct takeover *t, enum phase next, enum cluster_kind kind)
{
	t->in.process->phase = next;
	cluster_list(t->in.cluster, kind);
}

void takeover_advance(struct takeover *t)
{
	struct process *p = t->in.process;
	struct cluster *c = t->in.cluster;

	switch (p->phase) {
	case PHASE_STANDBY:
		if (leader_leads(p->leader))
			go_on(t, PHASE_SUBNETS, CLUSTER_SUBNETS);
		else
			warm_up(c);
		break;
	case PHASE_SUBNETS:
		if (cluster_is_listed(c, CLUSTER_SUBNETS))
			p->phase = PHASE_CLAIM;
		break;
	case PHASE_CLAIM:
		if (subnets_are_claimed(t->in.subnets))
			go_on(t, PHASE_IPS, CLUSTER_IPS);
		break;
	case PHASE_IPS:
		if (cluster_is_listed(c, CLUSTER_IPS))
			go_on(t, PHASE_PODS, CLUSTER_PODS);
		break;
	case PHASE_PODS:
		if (!cluster_is_listed(c, CLUSTER_PODS))
			break;
		p->phase = PHASE_REST;
		list_rest(c);
		break;
	case PHASE_REST:
		if (is_rest_listed(c))
			begin_running(t);
		break;
	case PHASE_RUN:
		late_subnets(t);
		break;
	}
}

/* ------------------------------------------------------------------------------- made and freed */

struct takeover *takeover_new(const struct takeover_in *in)
{
	struct takeover *t = xcalloc(1, sizeof(*t));

	t->in = *in;
	cluster_listen(in->cluster, CLUSTER_BIT(CLUSTER_IPS) | CLUSTER_BIT(CLUSTER_PODS), &listener,
		       t);
	return t;
}

void takeover_free(struct takeover *t)
{
	free(t);
}
