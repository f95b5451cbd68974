/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/addresses/reservations.h"

#include <stdint.h>
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

/* A workload that names addresses. */
struct workload {
	char *id;
	const struct api_workload *obj;
	struct workload *first; /* of those with its id, itself or another Job of the same CronJob */
	struct workload *next;  /* with the same id */
	size_t n4, n6;          /* of reservations_largest() */
};

/* One address that is kept. */
struct reservation {
	struct ip_addr addr;
	struct workload *holder;
};

/* All that is kept of one subnet. */
struct named {
	char *subnet;
	struct ipam_set set;
	struct reservation *items; /* by address, once all are there */
	size_t n, cap;
};

/* How much the workloads of one namespace keep in one subnet. */
struct share {
	char *key; /* "subnet/namespace" */
	size_t max;
	size_t n, n_unclaimed;
	size_t n_taken; /* names that another workload keeps */
};

/* What the pods of a workload have had in a subnet. */
struct claim {
	char *key; /* "subnet/id" */
	const struct ipam_set *set;
};

struct reservations {
	struct cluster *cluster;
	struct workload *list; /* the oldest first */
	size_t n;
	struct map named;     /* struct named, by subnet */
	struct map shares;    /* struct share */
	struct map claims;    /* struct claim, empty but in refresh() */
	struct map workloads; /* struct workload, the first of each id */
	bool stale;
	size_t n_refreshed;
};

/* UIDs decide between two of the same second, so that every replica decides alike. */
static int by_age(const void *a, const void *b)
{
	const struct api_workload *x = ((const struct workload *)a)->obj;
	const struct api_workload *y = ((const struct workload *)b)->obj;

	if (x->meta.created != y->meta.created)
		return x->meta.created < y->meta.created ? -1 : 1;
	return strcmp(x->meta.uid, y->meta.uid);
}

static int by_addr(const void *a, const void *b)
{
	return ip_cmp(&((const struct reservation *)a)->addr,
		      &((const struct reservation *)b)->addr);
}

static struct named *named_of(struct reservations *all, const char *subnet)
{
	struct named *n = map_get(&all->named, subnet);

	if (!n) {
		n = xcalloc(1, sizeof(*n));
		n->subnet = xstrdup(subnet);
		map_put(&all->named, n->subnet, n);
	}
	return n;
}

static struct share *share_of(struct reservations *all, const char *subnet, const char *ns)
{
	const struct subnet_object *object;
	char *key = xasprintf("%s/%s", subnet, ns);
	struct share *share = map_get(&all->shares, key);

	if (share) {
		free(key);
		return share;
	}
	share = xcalloc(1, sizeof(*share));
	share->key = key;
	object = cluster_subnet(all->cluster, subnet);
	share->max = object && object->spec && object->spec->max_per_ns ? object->spec->max_per_ns
									: SIZE_MAX;
	map_put(&all->shares, share->key, share);
	return share;
}

static void index_claims(struct reservations *all)
{
	const struct subnet_object *object;
	size_t pos = 0;

	while ((object = cluster_each(all->cluster, CLUSTER_SUBNETS, &pos, NULL))) {
		const struct ipam_claims *claims = &object->record.claims;

		for (size_t i = 0; i < claims->n; i++) {
			struct claim *c = xcalloc(1, sizeof(*c));

			c->key = xasprintf("%s/%s", object->meta.name, claims->items[i].owner);
			c->set = &claims->items[i].set;
			map_put(&all->claims, c->key, c);
		}
	}
}

static const struct ipam_set *claimed_by(const struct reservations *all, const struct workload *w)
{
	AUTO(free) char *key = xasprintf("%s/%s", w->obj->annotations.request.subnet, w->id);
	const struct claim *c = map_get(&all->claims, key);

	return c ? c->set : NULL;
}

static void reserve(struct named *named, struct workload *w, const struct ip_addr *addr)
{
	if (named->n == named->cap) {
		named->cap = named->cap ? named->cap * 2 : RESERVATIONS_UNCLAIMED_MAX;
		named->items = xreallocarray(named->items, named->cap, sizeof(*named->items));
	}
	named->items[named->n++] = (struct reservation){.addr = *addr, .holder = w};
	ipam_set_add(&named->set, addr);
}

/* Of what the template names what its pods have had. */
static void keep_claimed(struct reservations *all, struct workload *w)
{
	const struct api_request *q = &w->obj->annotations.request;
	const struct ipam_set *claimed = claimed_by(all, w);
	struct share *share;
	struct named *named;

	if (!claimed)
		return;
	share = share_of(all, q->subnet, w->obj->meta.ns);
	named = named_of(all, q->subnet);
	for (size_t i = 0; i < q->n_ips && share->n < share->max; i++) {
		if (!ipam_set_has(claimed, &q->ips[i]) || ipam_set_has(&named->set, &q->ips[i]))
			continue;
		share->n++;
		reserve(named, w, &q->ips[i]);
	}
}

static bool is_full(const struct share *share)
{
	return share->n >= share->max || share->n_unclaimed >= RESERVATIONS_UNCLAIMED_MAX ||
	       share->n_taken >= RESERVATIONS_TAKEN_MAX;
}

/* And of the rest as many as the namespace may keep. A full share is seen before a name is looked at. */
static void keep_unclaimed(struct reservations *all, struct workload *w)
{
	const struct api_request *q = &w->obj->annotations.request;
	struct share *share = share_of(all, q->subnet, w->obj->meta.ns);
	const struct ipam_set *claimed;
	struct named *named;

	if (is_full(share))
		return;
	claimed = claimed_by(all, w);
	named = named_of(all, q->subnet);
	for (size_t i = 0; i < q->n_ips && !is_full(share); i++) {
		if (ipam_set_has(&named->set, &q->ips[i])) {
			share->n_taken += !claimed || !ipam_set_has(claimed, &q->ips[i]);
			continue;
		}
		share->n++;
		share->n_unclaimed++;
		reserve(named, w, &q->ips[i]);
	}
}

static void forget_claims(struct reservations *all)
{
	struct claim *c;
	size_t pos = 0;

	while ((c = map_each(&all->claims, &pos))) {
		free(c->key);
		free(c);
	}
	map_done(&all->claims);
}

static void forget(struct reservations *all)
{
	struct share *share;
	struct named *n;
	size_t pos = 0;

	while ((n = map_each(&all->named, &pos))) {
		ipam_set_done(&n->set);
		free(n->items);
		free(n->subnet);
		free(n);
	}
	map_done(&all->named);
	pos = 0;
	while ((share = map_each(&all->shares, &pos))) {
		free(share->key);
		free(share);
	}
	map_done(&all->shares);
	map_done(&all->workloads);
	for (size_t i = 0; i < all->n; i++)
		free(all->list[i].id);
	free(all->list);
	all->list = NULL;
	all->n = 0;
}

static void list_one(struct reservations *all, const struct api_workload *obj, size_t *cap)
{
	if (all->n == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		all->list = xreallocarray(all->list, *cap, sizeof(*all->list));
	}
	all->list[all->n++] = (struct workload){.obj = obj};
}

/* Those that name addresses, the oldest first. */
static void list_workloads(struct reservations *all)
{
	const struct api_workload *obj;
	size_t cap = 0;

	for (int kind = 0; kind < API_WORKLOADS; kind++) {
		enum cluster_kind which = (enum cluster_kind)(CLUSTER_WORKLOADS + kind);
		size_t pos = 0;

		while ((obj = cluster_each(all->cluster, which, &pos, NULL))) {
			if (obj->annotations.request.n_ips)
				list_one(all, obj, &cap);
		}
	}
	if (all->n)
		qsort(all->list, all->n, sizeof(*all->list), by_age);
}

/* Of two Jobs that one CronJob has made the older is found by their id. */
static void index_workloads(struct reservations *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct workload *w = &all->list[i];

		w->id = api_workload_id(w->obj);
		w->first = map_get(&all->workloads, w->id);
		if (w->first) {
			w->next = w->first->next;
			w->first->next = w;
			continue;
		}
		w->first = w;
		map_put(&all->workloads, w->id, w);
	}
}

/* All again: each name is looked at once at most, and none of a namespace whose share is full. */
static void refresh(struct reservations *all)
{
	struct named *named;
	size_t pos = 0;

	if (!all->stale)
		return;
	all->stale = false;
	all->n_refreshed++;
	forget(all);
	list_workloads(all);
	index_workloads(all);
	index_claims(all);
	/* What pods of a workload have had goes before what others only name. */
	for (size_t i = 0; i < all->n; i++)
		keep_claimed(all, &all->list[i]);
	for (size_t i = 0; i < all->n; i++)
		keep_unclaimed(all, &all->list[i]);
	forget_claims(all);
	while ((named = map_each(&all->named, &pos))) {
		if (named->n)
			qsort(named->items, named->n, sizeof(*named->items), by_addr);
	}
}

/* A status counted up, a label: the same names, in another object. */
static void exchange(struct reservations *all, const struct api_workload *old,
		     const struct api_workload *obj)
{
	AUTO(free) char *id = api_workload_id(old);
	struct workload *w = map_get(&all->workloads, id);

	while (w && w->obj != old)
		w = w->next;
	if (w)
		w->obj = obj;
	else
		all->stale = true;
}

static bool names_any(const struct api_workload *w)
{
	return w && w->annotations.request.n_ips;
}

static void workload_changed(struct reservations *all, const struct api_workload *old,
			     const struct api_workload *obj)
{
	/* The objects of a stale index may be gone. */
	if (all->stale || (!names_any(old) && !names_any(obj)))
		return;
	if (old && obj && api_workload_asks_eq(old, obj) && str_eq(old->maker, obj->maker))
		exchange(all, old, obj);
	else
		all->stale = true;
}

static void changed(void *ctx, enum cluster_kind kind, const char *key, const void *old,
		    const void *obj)
{
	const struct subnet_object *before = old, *now = obj;
	struct reservations *all = ctx;

	(void)key;
	if (kind != CLUSTER_SUBNETS) {
		workload_changed(all, old, obj);
		return;
	}
	if (before && now && before->meta.generation == now->meta.generation &&
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
	const struct reservation wanted = {.addr = *addr}, *r;
	const struct named *n;

	refresh(all);
	n = map_get(&all->named, subnet);
	if (!n || !n->n)
		return NULL;
	r = bsearch(&wanted, n->items, n->n, sizeof(*n->items), by_addr);
	return r ? r->holder->obj : NULL;
}

size_t reservations_refreshed(const struct reservations *all)
{
	return all->n_refreshed;
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
	const struct named *named;
	struct workload *w;
	size_t pos = 0;

	refresh(all);
	named = map_get(&all->named, subnet);
	for (size_t i = 0; i < all->n; i++)
		all->list[i].n4 = all->list[i].n6 = 0;
	for (size_t i = 0; named && i < named->n; i++) {
		const struct reservation *r = &named->items[i];

		if (ipam_set_has(used, &r->addr))
			continue;
		r->holder->first->n4 += r->addr.family == AF_INET;
		r->holder->first->n6 += r->addr.family == AF_INET6;
	}
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
