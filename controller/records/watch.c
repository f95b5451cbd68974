/* SPDX-License-Identifier: Apache-2.0 */
/* What the caches say becomes marks of entries; how a pod ended and what was done to a record is noted. */
#include <stdlib.h>
#include <string.h>

#include "controller/cluster/cluster.h"
#include "controller/cluster/objects.h"
#include "controller/records/internal.h"
#include "controller/rules/spec.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* ------------------------------------------------------------------------------- records */

static bool is_readable(const struct api_ip *ip)
{
	return ip->subnet != NULL;
}

/*
 * A record has gone. If that was not our doing, its address is still on a card. While another leads it is
 * that one's doing.
 */
static void note_vanished(struct entry *entry, const struct api_ip *old)
{
	const struct api_ip *last = old;

	if (entry->own && str_eq(entry->own->meta.uid, old->meta.uid))
		last = entry->own;
	if (entry->all->known && !str_eq(entry->gone_uid, old->meta.uid) && is_readable(last) &&
	    api_ip_is_allocated(last)) {
		api_ip_free(entry->lost);
		entry->lost = spec_copy(entry->good ? entry->good : last);
	}
	if (last == entry->own) {
		api_ip_free(entry->own);
		entry->own = NULL;
	}
	api_ip_free(entry->good);
	entry->good = NULL;
}

/* Somebody has edited a spec that is ours: remember what stood there. */
static void note_edit(struct entry *entry, const struct api_ip *old, const struct api_ip *obj)
{
	if (!entry->all->known || !is_readable(old) || !api_ip_is_allocated(old))
		return;
	if (entry->expect && is_readable(obj) && spec_eq(entry->expect, obj))
		return;
	if (entry->good && is_readable(obj) && spec_eq(entry->good, obj)) {
		api_ip_free(entry->good);
		entry->good = NULL;
		return;
	}
	if (!entry->good && (!is_readable(obj) || !spec_eq(old, obj)))
		entry->good = spec_copy(old);
}

/* Only counted and told: who lies must not be able to do anything by it, not even to the honest one. */
static void note_contradiction(struct entry *entry, const struct api_ip *old,
			       const struct api_ip *obj)
{
	struct records *all = entry->all;
	const struct api_pod *pod = entry->pod;
	enum contradict kind;
	unsigned int held;

	if (all->in.process->phase != PHASE_RUN || !is_readable(old) || !is_readable(obj))
		return;
	kind = contradict_of(old, obj, pod && pod->has_ip && str_eq(pod->meta.uid, obj->pod_id));
	if (kind == CONTRADICT_NONE)
		return;
	all->n_contradicting[kind]++;
	if (log_quota_take(&all->contradicting, clock_now_ms(), &held))
		log_warn("reports about a card contradict each other", "record", entry->key, "node",
			 obj->node, "about", contradict_name(kind));
}

/* A StatefulSet's record names another pod, or none, by our own write; its subnet has nothing to do with that. */
static void note_pod(struct entry *entry, const struct api_ip *old, const struct api_ip *obj)
{
	struct subnet *subnet;

	if (entry->all->in.process->phase != PHASE_RUN || !is_readable(old) || !is_readable(obj) ||
	    !api_ip_is_allocated(obj) || !api_ip_is_allocated(old) ||
	    str_eq(old->pod_id, obj->pod_id) || !entry->expect || !spec_eq(entry->expect, obj))
		return;
	subnet = subnets_find(entry->all->in.subnets, obj->subnet);
	if (subnet && *old->pod_id)
		subnet_note_pod(subnet, old, "kept");
	if (subnet && *obj->pod_id)
		subnet_note_pod(subnet, obj, NULL);
}

static void ip_changed(struct records *all, const char *key, const struct api_ip *old,
		       const struct api_ip *obj)
{
	struct entry *entry = entry_get(all, key);
	bool same = old && obj && str_eq(old->meta.uid, obj->meta.uid);

	if (entry->unreadable)
		all->n_unreadable--;
	entry->unreadable = obj && !is_readable(obj);
	if (entry->unreadable)
		all->n_unreadable++;
	if (old && !same)
		note_vanished(entry, old);
	if (same) {
		note_contradiction(entry, old, obj);
		note_pod(entry, old, obj);
		note_edit(entry, old, obj);
	}
	entry->seen = obj;
	entry_catch_up(entry);
	entry_mark(entry);
}

/* ------------------------------------------------------------------------------- pods */

static void note_end(struct entry *entry, const struct api_pod *old)
{
	const struct cluster_node *node = cluster_node(entry->all->in.cluster, old->node);

	free(entry->end_uid);
	entry->end_uid = xstrdup(old->meta.uid);
	entry->end_ms = clock_now_ms();
	entry->end_sure = entry->all->in.process->phase == PHASE_RUN;
	entry->end = DECIDE_END_UNKNOWN;
	/*
	 * The kubelet deletes a pod's object when its sandbox is down, and has told of every
	 * container before. Of one that never ran, or that waits to be started again, it may tell
	 * nothing. A forced deletion shows a deletionTimestamp too, but never one with time to act.
	 */
	if (old->all_terminated && (entry->graceful || api_pod_is_over(old)))
		entry->end = DECIDE_END_FINISHED;
	else if (entry->graceful && !old->any_running && node && node->ready)
		entry->end = DECIDE_END_IDLE;
}

static void pod_changed(struct records *all, const char *key, const struct api_pod *old,
			const struct api_pod *pod)
{
	struct entry *entry = entry_get(all, key);
	bool same = old && pod && str_eq(old->meta.uid, pod->meta.uid);

	if (old && !same)
		note_end(entry, old);
	if (!same) {
		memset(entry->told_ms, 0, sizeof(entry->told_ms));
		entry->over_ms = entry->ip_ms = entry->asked_ms = 0;
		entry->graceful = false;
	}
	if (pod && pod->has_ip && !entry->ip_ms)
		entry->ip_ms = clock_now_ms();
	if (pod && pod->meta.deletion && pod->deletion_grace_s > 0)
		entry->graceful = true;
	if (!pod || !api_pod_is_over(pod))
		entry->over_ms = 0;
	else if (!entry->over_ms)
		entry->over_ms = clock_now_ms();
	entry->pod = pod;
	entry_mark(entry);
}

/* ------------------------------------------------------------------------------- all kinds */

static void changed(void *ctx, enum cluster_kind kind, const char *key, const void *old,
		    const void *obj)
{
	struct records *all = ctx;

	switch (kind) {
	case CLUSTER_IPS:
		ip_changed(all, key, old, obj);
		break;
	case CLUSTER_PODS:
		pod_changed(all, key, old, obj);
		break;
	case CLUSTER_NAMESPACES:
	case CLUSTER_NODES:
		all->look_all = true;
		break;
	default: /* A workload: what it keeps, and whose pods a kept record waits for. */
		if (!old || !obj || !api_workload_asks_eq(old, obj))
			all->look_all = all->look_kept = true;
		break;
	}
}

static bool keeps(void *ctx, const char *key)
{
	const struct entry *entry = records_find(ctx, key);

	return entry && (entry->seen || entry->own || entry->lost);
}

static const struct cluster_listener listener = {.changed = changed, .keeps = keeps};

void records_listen(struct records *all)
{
	cluster_listen(all->in.cluster,
		       CLUSTER_BIT(CLUSTER_IPS) | CLUSTER_BIT(CLUSTER_PODS) |
			       CLUSTER_BIT(CLUSTER_NAMESPACES) | CLUSTER_BIT(CLUSTER_NODES) |
			       CLUSTER_ALL_WORKLOADS,
		       &listener, all);
}
