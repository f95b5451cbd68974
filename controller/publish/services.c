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
	map_remove(&all->spaces, space->name);
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
	space = svc_space(all, ns);
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
	AUTO(free) char *ns = xstrndup(svc->key, strcspn(svc->key, "/"));
	struct services *all = svc->all;
	struct svc_ns *space = svc_space(all, ns);
	size_t to = 0;

	for (size_t i = 0; i < space->n_svcs; i++) {
		if (space->svcs[i] != svc)
			space->svcs[to++] = space->svcs[i];
	}
	space->n_svcs = to;
	space_leave(all, space);
	map_remove(&all->by_key, svc->key);
	if (map_get(&all->by_head, svc->head_key) == svc)
		map_remove(&all->by_head, svc->head_key);
	kube_queue_remove(&all->queue, &svc->item);
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

	/* In the middle of a round there is no waiting: it may be what the last write is to have the watch show. */
	kube_queue_mark(&svc->all->queue, &svc->item, svc->n_round ? now : now + quiet);
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
	const char *ns = pod ? pod->meta.ns : old->meta.ns;
	struct svc_ns *space = svc_space(all, ns);

	if (pod && !map_get(&space->entries, key)) {
		struct entry *entry = records_find(all->in.records, key);

		map_put(&space->entries, entry_key(entry), entry);
	}
	if (!old || !pod || !api_pod_serves_eq(old, pod))
		mark_selecting(all, ns, labels);
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

/* It is in flight; the step's request ends that later, all else here. */
static void run_one(struct svc *svc, int64_t now)
{
	struct kube_queue *q = &svc->all->queue;
	int64_t again = svc->wrote_ms + BUSY_MS;

	if (!svc_caught_up(svc)) {
		kube_queue_later(q, &svc->item, svc->expect.until_ms);
		return;
	}
	switch (svc_step(svc)) {
	case SVC_STEP_SENT:
		return;
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
}

int64_t services_run(struct services *all)
{
	int64_t now = clock_now_ms(), next = 0;
	struct kube_queue_item *item;

	/* Only who leads may write. */
	if (all->in.process->phase != PHASE_RUN || !svc_watch_run(all, &next))
		return next;
	while ((item = kube_queue_take(&all->queue, now)))
		run_one(CONTAINER_OF(item, struct svc, item), now);
	return process_earlier(next, kube_queue_next_ms(&all->queue));
}

void services_gauge(const struct services *all, struct kube_queue_gauge *out)
{
	kube_queue_gauge(&all->queue, clock_now_ms(), out);
}

struct services *services_new(const struct publish_in *in)
{
	struct services *all = xcalloc(1, sizeof(*all));

	all->in = *in;
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
	kube_queue_done(&all->queue);
	free(all);
}
