#include "controller/svc.h"

#include <string.h>

#include "api/labels.h"
#include "controller/ent.h"
#include "controller/svc_int.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/client.h"

/* How long changes are collected before they are written: */
#define QUIET_MS 100 /* the first for a while */
#define BUSY_MS  400 /* one of many: two or three writes of an object in a second */
#define CALM_MS  1000

/* ------------------------------------------------------------------------------- entries */

struct svc_ns *svc_space(struct svcs *all, const char *ns)
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
static void space_leave(struct svcs *all, struct svc_ns *space)
{
	if (space->n_svcs || space->n_ents)
		return;
	map_remove(&all->spaces, space->name);
	free(space->svcs);
	free(space->ents);
	free(space->name);
	free(space);
}

struct svc *svc_get(struct svcs *all, const char *ns, const char *name)
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
	struct svcs *all = svc->all;
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

void svc_mark_all(struct svcs *all)
{
	struct svc *svc;
	size_t pos = 0;

	while ((svc = map_each(&all->by_key, &pos)))
		svc_mark(svc);
}

/* ------------------------------------------------------------------------------- what changes */

/* Every Service of the namespace that selects one of the two sets of labels (NULL = none at all). */
static void mark_selecting(struct svcs *all, const char *ns, const char *const labels[2])
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

static void enter(struct svcs *all, struct ent *ent, const char *ns)
{
	struct svc_ns *space = svc_space(all, ns);

	if (!(space->n_ents & (space->n_ents - 1)))
		space->ents = xreallocarray(space->ents, space->n_ents ? space->n_ents * 2 : 1,
					    sizeof(struct ent *));
	space->ents[space->n_ents++] = ent;
	ent->space_pos = space->n_ents;
}

static void leave(struct svcs *all, struct ent *ent, const char *ns)
{
	struct svc_ns *space = svc_space(all, ns);
	struct ent *last = space->ents[space->n_ents - 1];

	space->ents[ent->space_pos - 1] = last;
	last->space_pos = ent->space_pos;
	ent->space_pos = 0;
	space->n_ents--;
	space_leave(all, space);
}

void svc_pod_changed(struct ent *ent, const struct api_pod *old, const struct api_pod *pod)
{
	struct svcs *all = ent->app->svcs;
	const char *const labels[] = {old ? old->labels : NULL, pod ? pod->labels : NULL};
	const struct api_pod *any = pod ? pod : old;

	if (!any)
		return;
	if (pod && !ent->space_pos)
		enter(all, ent, pod->meta.ns);
	if (!pod && ent->space_pos)
		leave(all, ent, any->meta.ns);
	if (!old || !pod || !api_pod_serves_eq(old, pod))
		mark_selecting(all, any->meta.ns, labels);
}

void svc_card_changed(struct ent *ent)
{
	const char *const labels[] = {ent->pod ? ent->pod->labels : NULL, NULL};

	if (ent->pod)
		mark_selecting(ent->app->svcs, ent->pod->meta.ns, labels);
}

void svc_workload_changed(struct app *app, const struct api_workload *old,
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
	mark_selecting(app->svcs, any->meta.ns, labels);
}

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

static int64_t earlier(int64_t a, int64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

int64_t svc_run(struct app *app)
{
	struct svcs *all = app->svcs;
	int64_t now = clock_now_ms(), next = 0;
	struct kube_queue_item *item;

	/* Only who leads may write. */
	if (app->phase != APP_RUN || !svc_watch_run(all, &next))
		return next;
	while ((item = kube_queue_take(&all->queue, now)))
		run_one(CONTAINER_OF(item, struct svc, item), now);
	return earlier(next, kube_queue_next_ms(&all->queue));
}

void svc_init(struct app *app)
{
	app->svcs = xcalloc(1, sizeof(*app->svcs));
	app->svcs->app = app;
}

void svc_done(struct app *app)
{
	struct svcs *all = app->svcs;
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
		space->n_svcs = space->n_ents = 0;
		space_leave(all, space);
	}
	map_done(&all->by_key);
	map_done(&all->by_head);
	map_done(&all->spaces);
	kube_queue_done(&all->queue);
	free(all);
	app->svcs = NULL;
}
