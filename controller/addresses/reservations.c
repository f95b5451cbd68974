/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/addresses/reservations.h"

#include <string.h>

#include "api/pod.h"
#include "api/workload.h"
#include "controller/cluster/cluster.h"
#include "ipam/set.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* One named address. */
struct reservation {
	char *key; /* "subnet/address" */
	const struct api_workload *holder;
};

/* All that is named of one subnet. */
struct named {
	char *subnet;
	struct ipam_set set;
};

struct reservations {
	struct cluster *cluster;
	struct map by_key; /* struct reservation */
	struct map named;  /* struct named, by subnet */
	bool stale;
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

static struct ipam_set *named_of(struct reservations *all, const char *subnet)
{
	struct named *n = map_get(&all->named, subnet);

	if (!n) {
		n = xcalloc(1, sizeof(*n));
		n->subnet = xstrdup(subnet);
		map_put(&all->named, n->subnet, n);
	}
	return &n->set;
}

static void reserve(struct reservations *all, const struct api_workload *w,
		    const struct ip_addr *addr)
{
	const char *subnet = w->annotations.request.subnet;
	char *key = key_of(subnet, addr);
	struct reservation *r = map_get(&all->by_key, key);

	ipam_set_add(named_of(all, subnet), addr);
	if (r) {
		if (is_older(w, r->holder))
			r->holder = w;
		free(key);
		return;
	}
	r = xcalloc(1, sizeof(*r));
	r->key = key;
	r->holder = w;
	map_put(&all->by_key, r->key, r);
}

static void forget(struct reservations *all)
{
	struct reservation *r;
	struct named *n;
	size_t pos = 0;

	while ((r = map_each(&all->by_key, &pos))) {
		free(r->key);
		free(r);
	}
	map_done(&all->by_key);
	all->by_key = (struct map){0};
	pos = 0;
	while ((n = map_each(&all->named, &pos))) {
		ipam_set_done(&n->set);
		free(n->subnet);
		free(n);
	}
	map_done(&all->named);
	all->named = (struct map){0};
}

/* The index points at what the cache has exchanged since, be it only for a status counted up. */
static void refresh(struct reservations *all)
{
	const struct api_workload *w;

	if (!all->stale)
		return;
	all->stale = false;
	forget(all);
	for (int kind = 0; kind < API_WORKLOADS; kind++) {
		enum cluster_kind which = (enum cluster_kind)(CLUSTER_WORKLOADS + kind);
		size_t pos = 0;

		while ((w = cluster_each(all->cluster, which, &pos, NULL))) {
			for (size_t i = 0; i < w->annotations.request.n_ips; i++)
				reserve(all, w, &w->annotations.request.ips[i]);
		}
	}
}

static void workload_changed(void *ctx, enum cluster_kind kind, const char *key, const void *old,
			     const void *obj)
{
	struct reservations *all = ctx;

	(void)kind;
	(void)key;
	(void)old;
	(void)obj;
	all->stale = true;
}

static const struct cluster_listener listener = {.changed = workload_changed};

struct reservations *reservations_new(struct cluster *cluster)
{
	struct reservations *all = xcalloc(1, sizeof(*all));

	all->cluster = cluster;
	all->stale = true;
	cluster_listen(cluster, CLUSTER_ALL_WORKLOADS, &listener, all);
	return all;
}

void reservations_free(struct reservations *all)
{
	if (!all)
		return;
	forget(all);
	free(all);
}

const struct ipam_set *reservations_named(struct reservations *all, const char *subnet)
{
	static const struct ipam_set none;
	const struct named *n;

	refresh(all);
	n = map_get(&all->named, subnet);
	return n ? &n->set : &none;
}

const struct api_workload *reservations_find(struct reservations *all, const char *subnet,
					     const struct ip_addr *addr)
{
	AUTO(free) char *key = key_of(subnet, addr);
	const struct reservation *r;

	refresh(all);
	r = map_get(&all->by_key, key);
	return r ? r->holder : NULL;
}

char *reservations_pod_owner(const struct reservations *all, const struct api_pod *pod)
{
	const struct api_workload *job;

	if (str_eq(pod->owner_kind, api_workload_kind_name(API_JOB))) {
		job = cluster_workload(all->cluster, API_JOB, pod->meta.ns, pod->owner_name);
		if (job)
			return api_workload_id(job);
	}
	return api_workload_id_of_pod(pod);
}

bool reservations_is_for(const struct api_workload *holder, const char *owner)
{
	AUTO(free) char *id = holder ? api_workload_id(holder) : NULL;

	return id && owner && str_eq(id, owner);
}

const struct api_workload *reservations_statefulset(const struct reservations *all, const char *ns,
						    const char *pod_name)
{
	AUTO(free) char *name = NULL;
	const struct api_workload *w;
	int64_t ordinal = api_workload_ordinal(pod_name, &name);

	if (ordinal < 0)
		return NULL;
	w = cluster_workload(all->cluster, API_STATEFULSET, ns, name);
	return w && api_workload_wants_ordinal(w, ordinal) ? w : NULL;
}
