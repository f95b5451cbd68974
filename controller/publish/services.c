/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/publish/services.h"

#include <stdlib.h>
#include <string.h>

#include "api/labels.h"
#include "controller/cluster/cluster.h"
#include "controller/process/process.h"
#include "controller/publish/internal.h"
#include "controller/records/entry.h"
#include "controller/records/records.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/client.h"

/* How long changes are collected before they are written: */
#define QUIET_MS 100 /* the first for a while */
#define BUSY_MS  400 /* one of many: two or three writes of an object in a second */
#define CALM_MS  1000

/*
 * However much one namespace has to be written: grants come between two turns of the loop, and of the connections
 * most are theirs.
 */
#define TURN_STEPS 20
#define AT_ONCE    4

/* ------------------------------------------------------------------------------- entries */

struct svc_ns *svc_space(struct services *all, const char *ns)
{
	struct svc_ns *space = map_get(&all->spaces, ns);

	if (space)
		return space;
	space = xcalloc(1, sizeof(*space));
	space->name = xstrdup(ns);
	map_put(&all->spaces, space->name, space);
	return space;
}

/* Freed when the namespace has nothing of interest any more. */
static void space_leave(struct services *all, struct svc_ns *space)
{
	if (space->n_svcs || space->entries.count)
		return;
	if (space->is_turning)
		TAILQ_REMOVE(&all->turns, space, turn);
	map_remove(&all->spaces, space->name);
	kube_queue_done(&space->queue);
	free(space->svcs);
	map_done(&space->entries);
	free(space->name);
	free(space);
}

struct svc *svc_get(struct services *all, const char *ns, const char *name)
{
	AUTO(free) char *key = xasprintf("%s/%s", ns, name);
	struct svc *svc = map_get(&all->by_key, key);
	char head[API_SERVICE_NAME_MAX];
	struct svc_ns *space;

	if (svc)
		return svc;
	svc = xcalloc(1, sizeof(*svc));
	svc->all = all;
	svc->key = STEAL(key);
	svc->head_key = xasprintf("%s/%s", ns, api_service_head_name(name, head));
	map_put(&all->by_key, svc->key, svc);
	/* Of two names that would be shortened to one, the first has it. */
	if (!map_get(&all->by_head, svc->head_key))
		map_put(&all->by_head, svc->head_key, svc);
	svc->space = space = svc_space(all, ns);
	space->svcs = xreallocarray(space->svcs, space->n_svcs + 1, sizeof(struct svc *));
	space->svcs[space->n_svcs++] = svc;
	return svc;
}

static void round_end(struct svc *svc)
{
	for (size_t i = 0; i < svc->n_round; i++)
		free(svc->round[i]);
	free(svc->round);
	svc->round = NULL;
	svc->n_round = 0;
	svc->in_vain = false;
}

static void svc_free(struct svc *svc)
{
	struct services *all = svc->all;
	struct svc_ns *space = svc->space;
	size_t to = 0;

	kube_queue_remove(&space->queue, &svc->item);
	for (size_t i = 0; i < space->n_svcs; i++) {
		if (space->svcs[i] != svc)
			space->svcs[to++] = space->svcs[i];
	}
	space->n_svcs = to;
	space_leave(all, space);
	map_remove(&all->by_key, svc->key);
	if (map_get(&all->by_head, svc->head_key) == svc)
		map_remove(&all->by_head, svc->head_key);
	round_end(svc);
	svc_expect_done(&svc->expect);
	svc_expect_done(&svc->sent);
	free(svc->patched);
	free(svc->key);
	free(svc->head_key);
	free(svc);
}

void svc_mark(struct svc *svc)
{
	int64_t now = clock_now_ms();
	int64_t quiet = now - svc->wrote_ms < CALM_MS ? BUSY_MS : QUIET_MS;
	struct svc_ns *space = svc->space;

	/* In the middle of a round there is no waiting: it may be what the last write is to have the watch show. */
	kube_queue_mark(&space->queue, &svc->item, svc->n_round ? now : now + quiet);
	if (!space->is_turning)
		TAILQ_INSERT_TAIL(&svc->all->turns, space, turn);
	space->is_turning = true;
}

void svc_mark_all(struct services *all)
{
	struct svc *svc;
	size_t pos = 0;

	while ((svc = map_each(&all->by_key, &pos)))
		svc_mark(svc);
}

/* ------------------------------------------------------------------------------- what changes */

/* Every Service of the namespace that selects one of the two sets of labels (NULL = none at all). */
static void mark_selecting(struct services *all, const char *ns, const char *const labels[2])
{
	const struct svc_ns *space = map_get(&all->spaces, ns);

	for (size_t i = 0; space && i < space->n_svcs; i++) {
		const struct api_service *obj = space->svcs[i]->obj;

		if (!obj || !obj->selector)
			continue;
		for (int k = 0; k < 2; k++) {
			if (labels[k] && api_labels_have(labels[k], obj->selector))
				svc_mark(space->svcs[i]);
		}
	}
}

static void pod_changed(struct services *all, const char *key, const struct api_pod *old,
			const struct api_pod *pod)
{
	const char *const labels[] = {old ? old->labels : NULL, pod ? pod->labels : NULL};
	const struct api_pod *any = pod ? pod : old;
	struct svc_ns *space;

	if (!any)
		return;
	space = svc_space(all, any->meta.ns);
	if (pod && !map_get(&space->entries, key)) {
		struct entry *entry = records_find(all->in.records, key);

		map_put(&space->entries, entry_key(entry), entry);
	}
	if (!old || !pod || !api_pod_serves_eq(old, pod))
		mark_selecting(all, any->meta.ns, labels);
	if (!pod) {
		map_remove(&space->entries, key);
		space_leave(all, space);
	}
}

static void record_changed(struct services *all, const char *key)
{
	const struct entry *entry = records_find(all->in.records, key);
	const struct api_pod *pod = entry ? entry_pod(entry) : NULL;
	const char *const labels[] = {pod ? pod->labels : NULL, NULL};

	if (pod)
		mark_selecting(all, pod->meta.ns, labels);
}

static void workload_changed(struct services *all, const struct api_workload *old,
			     const struct api_workload *w)
{
	const struct api_workload *any = w ? w : old;
	const char *const labels[] = {old ? old->labels : NULL, w ? w->labels : NULL};

	if (!any)
		return;
	/* Most changes are a status that counts up. */
	if (old && w && api_labels_eq(old->labels, w->labels) &&
	    old->service_off == w->service_off && !old->meta.deletion == !w->meta.deletion)
		return;
	mark_selecting(all, any->meta.ns, labels);
}

static void changed(void *ctx, enum cluster_kind kind, const char *key, const void *old,
		    const void *obj)
{
	if (kind == CLUSTER_PODS)
		pod_changed(ctx, key, old, obj);
	else if (kind == CLUSTER_IPS)
		record_changed(ctx, key);
	else
		workload_changed(ctx, old, obj);
}

static const struct cluster_listener listener = {.changed = changed};

/* ------------------------------------------------------------------------------- running */

/* It is in flight; the step's request ends that later, all else here. Is it still in flight? */
static bool run_one(struct svc *svc, int64_t now)
{
	struct kube_queue *q = &svc->space->queue;
	int64_t again = svc->wrote_ms + BUSY_MS;

	if (!svc_caught_up(svc)) {
		kube_queue_later(q, &svc->item, svc->expect.until_ms);
		return false;
	}
	switch (svc_step(svc)) {
	case SVC_STEP_SENT:
		return true;
	case SVC_STEP_LATER:
		if (svc->in_vain)
			kube_queue_finish(q, &svc->item);
		else
			kube_queue_later(q, &svc->item, again > now ? again : now + 1);
		break;
	default:
		kube_queue_finish(q, &svc->item);
		break;
	}
	round_end(svc);
	if (!svc->obj && svc->item.state == KUBE_QUEUE_IDLE)
		svc_free(svc);
	return false;
}

static size_t in_flight(const struct services *all)
{
	const struct svc_ns *space;
	size_t n = 0;

	TAILQ_FOREACH(space, &all->turns, turn)
	n += space->queue.n_in_flight;
	return n;
}

/* One namespace after the other: 2,000 Services of one are not in the way of another's. NULL = none is due. */
static struct svc *take(struct services *all, int64_t now)
{
	struct svc_ns *space;

	TAILQ_FOREACH(space, &all->turns, turn)
	{
		struct kube_queue_item *item = kube_queue_take(&space->queue, now);

		if (!item)
			continue;
		TAILQ_REMOVE(&all->turns, space, turn);
		TAILQ_INSERT_TAIL(&all->turns, space, turn);
		return CONTAINER_OF(item, struct svc, item);
	}
	return NULL;
}

/* When take will have something, 0 = nothing waits; those without anything leave the line. */
static int64_t next_due(struct services *all)
{
	struct svc_ns *space = TAILQ_FIRST(&all->turns), *after;
	int64_t next = 0;

	for (; space; space = after) {
		after = TAILQ_NEXT(space, turn);
		next = clock_earlier_ms(next, kube_queue_next_ms(&space->queue));
		if (space->queue.heap.n || space->queue.n_in_flight)
			continue;
		TAILQ_REMOVE(&all->turns, space, turn);
		space->is_turning = false;
	}
	return next;
}

int64_t services_run(struct services *all)
{
	int64_t now = clock_now_ms(), next = 0;
	size_t flying = in_flight(all);
	struct svc *svc;

	/* Only who leads may write. */
	if (all->in.process->phase != PHASE_RUN || !svc_watch_run(all, &next))
		return next;
	for (int n = 0; n < TURN_STEPS && flying < AT_ONCE && (svc = take(all, now)); n++)
		flying += run_one(svc, now);
	/* An answer has the next one sent. */
	return flying < AT_ONCE ? clock_earlier_ms(next, next_due(all)) : next;
}

void services_gauge(const struct services *all, struct kube_queue_gauge *out)
{
	const struct svc_ns *space;
	int64_t now = clock_now_ms();

	*out = (struct kube_queue_gauge){0};
	TAILQ_FOREACH(space, &all->turns, turn)
	{
		struct kube_queue_gauge g;

		kube_queue_gauge(&space->queue, now, &g);
		out->waiting += g.waiting;
		out->later += g.later;
		out->in_flight += g.in_flight;
		out->retrying += g.retrying;
		out->oldest_ms = g.oldest_ms > out->oldest_ms ? g.oldest_ms : out->oldest_ms;
	}
}

struct services *services_new(const struct publish_in *in)
{
	struct services *all = xcalloc(1, sizeof(*all));

	all->in = *in;
	TAILQ_INIT(&all->turns);
	cluster_listen(in->cluster,
		       CLUSTER_BIT(CLUSTER_IPS) | CLUSTER_BIT(CLUSTER_PODS) | CLUSTER_ALL_WORKLOADS,
		       &listener, all);
	return all;
}

void services_free(struct services *all)
{
	struct svc_ns *space;
	struct svc *svc;
	size_t pos;

	if (!all)
		return;
	svc_watch_done(all);
	while (pos = 0, (svc = map_each(&all->by_key, &pos))) {
		kube_cancel(svc->call);
		svc_free(svc);
	}
	while (pos = 0, (space = map_each(&all->spaces, &pos))) {
		map_done(&space->entries);
		space->entries = (struct map){0};
		space_leave(all, space);
	}
	map_done(&all->by_key);
	map_done(&all->by_head);
	map_done(&all->spaces);
	free(all);
}
