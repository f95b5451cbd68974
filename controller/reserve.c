#include "controller/reserve.h"

#include <string.h>

#include "api/pod.h"
#include "api/workload.h"
#include "controller/sub.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/store.h"

/* One named address. */
struct reservation {
	char *key; /* "subnet/address" */
	const struct api_workload *holder;
};

static char *key_of(const char *subnet, const struct ip_addr *addr)
{
	char text[IP_ADDR_LEN];

	return xasprintf("%s/%s", subnet, ip_format(addr, text));
}

/* UIDs decide between two of the same second, so that every replica decides alike. */
static bool is_older(const struct api_workload *a, const struct api_workload *b)
{
	if (a->meta.created != b->meta.created)
		return a->meta.created < b->meta.created;
	return strcmp(a->meta.uid, b->meta.uid) < 0;
}

static void reserve_one(struct app *app, const struct api_workload *w, const struct ip_addr *addr)
{
	char *key = key_of(w->annotations.request.subnet, addr);
	struct reservation *r = map_get(&app->reservations, key);

	if (r) {
		if (is_older(w, r->holder))
			r->holder = w;
		free(key);
		return;
	}
	r = xcalloc(1, sizeof(*r));
	r->key = key;
	r->holder = w;
	map_put(&app->reservations, r->key, r);
}

void reserve_done(struct app *app)
{
	struct reservation *r;
	size_t pos = 0;

	while ((r = map_each(&app->reservations, &pos))) {
		free(r->key);
		free(r);
	}
	map_done(&app->reservations);
	app->reservations = (struct map){0};
}

static void reserve_workload(struct app *app, const struct api_workload *w)
{
	struct sub *sub = sub_find(app, w->annotations.request.subnet);

	for (size_t i = 0; i < w->annotations.request.n_ips; i++) {
		reserve_one(app, w, &w->annotations.request.ips[i]);
		if (sub)
			ipam_set_add(&sub->named, &w->annotations.request.ips[i]);
	}
}

void reserve_refresh(struct app *app)
{
	const struct api_workload *w;
	struct sub *sub;
	size_t pos = 0;

	reserve_done(app);
	while ((sub = map_each(&app->subs, &pos)))
		ipam_set_done(&sub->named);
	for (int kind = 0; kind < API_WORKLOADS; kind++) {
		pos = 0;
		while ((w = kube_store_each(app->store[STORE_WORKLOADS + kind], &pos, NULL))) {
			if (w->annotations.request.wanted)
				reserve_workload(app, w);
		}
	}
	app->reservations_stale = false;
}

void reserve_changed(struct app *app)
{
	struct sub *sub;
	size_t pos = 0;

	app->reservations_stale = app->look_all = app->look_kept = true;
	while ((sub = map_each(&app->subs, &pos))) {
		sub_soft(sub);
		if (sub->n_queue)
			sub_hard(sub);
	}
}

const struct api_workload *reserve_find(struct app *app, const char *subnet,
					const struct ip_addr *addr)
{
	AUTO(free) char *key = key_of(subnet, addr);
	const struct reservation *r;

	if (app->reservations_stale)
		reserve_refresh(app);
	r = map_get(&app->reservations, key);
	return r ? r->holder : NULL;
}

char *reserve_pod_owner(const struct app *app, const struct api_pod *pod)
{
	const struct api_workload *job;

	if (str_eq(pod->owner_kind, api_workload_kind_name(API_JOB))) {
		job = kube_store_get(app->store[STORE_WORKLOADS + API_JOB], pod->meta.ns,
				     pod->owner_name);
		if (job)
			return api_workload_id(job);
	}
	return api_workload_id_of_pod(pod);
}

bool reserve_is_for(const struct api_workload *holder, const char *owner)
{
	AUTO(free) char *id = holder ? api_workload_id(holder) : NULL;

	return id && owner && str_eq(id, owner);
}

const struct api_workload *reserve_statefulset(const struct app *app, const char *ns,
					       const char *pod_name)
{
	AUTO(free) char *name = NULL;
	const struct api_workload *w;
	int64_t ordinal = api_workload_ordinal(pod_name, &name);

	if (ordinal < 0)
		return NULL;
	w = kube_store_get(app->store[STORE_WORKLOADS + API_STATEFULSET], ns, name);
	return w && api_workload_wants_ordinal(w, ordinal) ? w : NULL;
}
