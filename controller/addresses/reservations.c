/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/addresses/reservations.h"

#include <stdlib.h>
#include <string.h>

#include "api/pod.h"
#include "api/workload.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/subnet_object.h"
#include "controller/rules/largest.h"
#include "ipam/set.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* One named address. */
struct reservation {
	char *key; /* "subnet/address" */
	const struct api_workload *holder;
	struct workload *by; /* holder's, or that of another Job of the same CronJob */
	struct ip_addr addr;
};

/* All that is named of one subnet. */
struct named {
	char *subnet;
	struct ipam_set set;
};

/* A workload that names addresses. */
struct workload {
	char *id;
	const struct api_workload *obj;
	size_t n4, n6; /* of reservations_largest() */
};

/* How much the workloads of one namespace keep in one subnet. */
struct share {
	char *key; /* "subnet/namespace" */
	size_t n, n_unclaimed;
};

struct reservations {
	struct cluster *cluster;
	struct map by_key;    /* struct reservation */
	struct map named;     /* struct named, by subnet */
	struct map shares;    /* struct share */
	struct map workloads; /* struct workload, by id */
	bool stale;
};

static char *key_of(const char *subnet, const struct ip_addr *addr)
{
	char text[IP_ADDR_LEN];

	return xasprintf("%s/%s", subnet, ip_format(addr, text));
}

/* UIDs decide between two of the same second, so that every replica decides alike. */
static int by_age(const void *a, const void *b)
{
	const struct api_workload *x = *(const struct api_workload *const *)a;
	const struct api_workload *y = *(const struct api_workload *const *)b;

	if (x->meta.created != y->meta.created)
		return x->meta.created < y->meta.created ? -1 : 1;
	return strcmp(x->meta.uid, y->meta.uid);
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

static struct share *share_of(struct reservations *all, const char *subnet, const char *ns)
{
	char *key = xasprintf("%s/%s", subnet, ns);
	struct share *share = map_get(&all->shares, key);

	if (share) {
		free(key);
		return share;
	}
	share = xcalloc(1, sizeof(*share));
	share->key = key;
	map_put(&all->shares, share->key, share);
	return share;
}

/* Which workload has had the address, as the subnet's status says; NULL = none. */
static const char *claimer(const struct subnet_object *subnet, const struct ip_addr *addr)
{
	return subnet ? ipam_claims_owner(&subnet->record.claims, addr) : NULL;
}

static void reserve(struct reservations *all, const struct workload *w, const struct ip_addr *addr)
{
	const char *subnet = w->obj->annotations.request.subnet;
	struct reservation *r = xcalloc(1, sizeof(*r));

	r->key = key_of(subnet, addr);
	r->holder = w->obj;
	r->by = map_get(&all->workloads, w->id);
	r->addr = *addr;
	map_put(&all->by_key, r->key, r);
	ipam_set_add(named_of(all, subnet), addr);
}

/* One address that a template names: @claimed those alone that its pods have had, or the others. */
static void consider(struct reservations *all, const struct workload *w, const struct ip_addr *addr,
		     bool claimed)
{
	const char *subnet = w->obj->annotations.request.subnet;
	const struct subnet_object *object = cluster_subnet(all->cluster, subnet);
	uint32_t max = object && object->spec ? object->spec->max_per_ns : 0;
	AUTO(free) char *key = key_of(subnet, addr);
	struct share *share;

	if (map_get(&all->by_key, key) || str_eq(claimer(object, addr), w->id) != claimed)
		return;
	share = share_of(all, subnet, w->obj->meta.ns);
	if ((max && share->n >= max) ||
	    (!claimed && share->n_unclaimed >= RESERVATIONS_UNCLAIMED_MAX))
		return;
	share->n++;
	share->n_unclaimed += !claimed;
	reserve(all, w, addr);
}

static void forget(struct reservations *all)
{
	struct reservation *r;
	struct workload *w;
	struct share *share;
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
	pos = 0;
	while ((share = map_each(&all->shares, &pos))) {
		free(share->key);
		free(share);
	}
	map_done(&all->shares);
	all->shares = (struct map){0};
	pos = 0;
	while ((w = map_each(&all->workloads, &pos))) {
		free(w->id);
		free(w);
	}
	map_done(&all->workloads);
	all->workloads = (struct map){0};
}

/* Those that name addresses, the oldest first. The caller frees the array. */
static const struct api_workload **by_age_all(const struct reservations *all, size_t *count)
{
	const struct api_workload **list = NULL, *w;
	size_t n = 0;

	for (int kind = 0; kind < API_WORKLOADS; kind++) {
		enum cluster_kind which = (enum cluster_kind)(CLUSTER_WORKLOADS + kind);
		size_t pos = 0;

		while ((w = cluster_each(all->cluster, which, &pos, NULL))) {
			if (!w->annotations.request.n_ips)
				continue;
			list = xreallocarray(list, n + 1, sizeof(*list));
			list[n++] = w;
		}
	}
	if (n)
		qsort(list, n, sizeof(*list), by_age);
	*count = n;
	return list;
}

/* By its id; of two Jobs that one CronJob has made the older is found. */
static struct workload *add_workload(struct reservations *all, const struct api_workload *obj)
{
	struct workload *w = xcalloc(1, sizeof(*w));

	w->id = api_workload_id(obj);
	w->obj = obj;
	if (map_get(&all->workloads, w->id))
		return w;
	map_put(&all->workloads, w->id, w);
	return w;
}

/* The index points at what the cache has exchanged since, be it only for a status counted up. */
static void refresh(struct reservations *all)
{
	AUTO(free) const struct api_workload **list = NULL;
	AUTO(free) struct workload **all_of = NULL;
	size_t n;

	if (!all->stale)
		return;
	all->stale = false;
	forget(all);
	list = by_age_all(all, &n);
	all_of = xcalloc(n + 1, sizeof(*all_of));
	for (size_t i = 0; i < n; i++)
		all_of[i] = add_workload(all, list[i]);
	/* What pods of a workload have had goes before what others only name. */
	for (int claimed = 1; claimed >= 0; claimed--) {
		for (size_t i = 0; i < n; i++) {
			const struct api_request *q = &list[i]->annotations.request;

			for (size_t j = 0; j < q->n_ips; j++)
				consider(all, all_of[i], &q->ips[j], claimed);
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (map_get(&all->workloads, all_of[i]->id) == all_of[i])
			continue;
		free(all_of[i]->id);
		free(all_of[i]);
	}
}

static void changed(void *ctx, enum cluster_kind kind, const char *key, const void *old,
		    const void *obj)
{
	const struct subnet_object *before = old, *now = obj;
	struct reservations *all = ctx;

	(void)key;
	if (kind == CLUSTER_SUBNETS && before && now &&
	    before->meta.generation == now->meta.generation &&
	    ipam_claims_eq(&before->record.claims, &now->record.claims))
		return;
	all->stale = true;
}

static const struct cluster_listener listener = {.changed = changed};

struct reservations *reservations_new(struct cluster *cluster)
{
	struct reservations *all = xcalloc(1, sizeof(*all));

	all->cluster = cluster;
	all->stale = true;
	cluster_listen(cluster, CLUSTER_BIT(CLUSTER_SUBNETS) | CLUSTER_ALL_WORKLOADS, &listener,
		       all);
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

bool reservations_names(struct reservations *all, const char *owner, const char *subnet,
			const struct ip_addr *addr)
{
	const struct workload *w;

	refresh(all);
	w = owner ? map_get(&all->workloads, owner) : NULL;
	return w && str_eq(w->obj->annotations.request.subnet, subnet) &&
	       api_request_find(&w->obj->annotations.request, addr) >= 0;
}

void reservations_largest(struct reservations *all, const char *subnet, const struct ipam_set *used,
			  struct largest *out)
{
	const struct reservation *r;
	struct workload *w;
	size_t pos = 0;

	refresh(all);
	while ((w = map_each(&all->workloads, &pos)))
		w->n4 = w->n6 = 0;
	pos = 0;
	while ((r = map_each(&all->by_key, &pos))) {
		if (!str_eq(r->holder->annotations.request.subnet, subnet) ||
		    ipam_set_has(used, &r->addr))
			continue;
		r->by->n4 += r->addr.family == AF_INET;
		r->by->n6 += r->addr.family == AF_INET6;
	}
	pos = 0;
	/* In two families a card takes one of each. */
	while ((w = map_each(&all->workloads, &pos)))
		largest_add(out, w->id, w->n4 > w->n6 ? w->n4 : w->n6);
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
