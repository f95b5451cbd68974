/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/addresses/reservations.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/owner.h"
#include "api/pod.h"
#include "api/workload.h"
#include "controller/addresses/belongs.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/owners.h"
#include "controller/cluster/subnet_object.h"
#include "controller/rules/largest.h"
#include "ipam/set.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* A workload that names addresses, or an owner of another kind whose pods have had some. */
struct workload {
	char *id;
	const struct api_workload *obj; /* NULL = of another kind */
	struct workload *first; /* of those with its id, itself or another Job of the same CronJob */
	struct workload *next;  /* with the same id */
	const struct subnet_object *in; /* of another kind: the subnet, */
	const struct ipam_set *had;     /* and what its pods have had there */
	size_t n4, n6;                  /* of reservations_largest() */
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
	struct owners *owners;
	struct workload *list; /* the oldest first */
	size_t n;
	struct map named;     /* struct named, by subnet */
	struct map shares;    /* struct share */
	struct map claims;    /* struct claim, empty but in refresh() */
	struct map workloads; /* struct workload, the first of each id */
	bool stale;
	size_t n_refreshed;
	size_t n_owners; /* of other kinds, in the list */
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

static const struct ipam_set *claimed_by(const struct reservations *all, const struct workload *w,
					 const char *subnet)
{
	AUTO(free) char *key = xasprintf("%s/%s", subnet, w->id);
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

/* Of several subnets an address is of those that have it in their CIDR; of one, whatever it is. */
static bool may_be_of(const struct reservations *all, const struct api_request *q,
		      const char *subnet, const struct ip_addr *addr)
{
	const struct subnet_object *object = q->others ? cluster_subnet(all->cluster, subnet)
						       : NULL;
	const struct api_subnet *spec = object ? object->spec : NULL;

	return !q->others ||
	       (spec && (ip_net_has(&spec->v.cidr, addr) ||
			 (ip_is_set(&spec->v6.cidr.addr) && ip_net_has(&spec->v6.cidr, addr))));
}

/* Of what the template names what its pods have had. */
static void keep_claimed(struct reservations *all, struct workload *w, const char *subnet)
{
	const struct api_request *q = &w->obj->annotations.request;
	const struct ipam_set *claimed = claimed_by(all, w, subnet);
	struct share *share;
	struct named *named;

	if (!claimed)
		return;
	share = share_of(all, subnet, w->obj->meta.ns);
	named = named_of(all, subnet);
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
static void keep_unclaimed(struct reservations *all, struct workload *w, const char *subnet)
{
	const struct api_request *q = &w->obj->annotations.request;
	struct share *share = share_of(all, subnet, w->obj->meta.ns);
	const struct ipam_set *claimed;
	struct named *named;

	if (is_full(share))
		return;
	claimed = claimed_by(all, w, subnet);
	named = named_of(all, subnet);
	for (size_t i = 0; i < q->n_ips && !is_full(share); i++) {
		if (!may_be_of(all, q, subnet, &q->ips[i]))
			continue;
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

static void list_one(struct reservations *all, const struct workload *w, size_t *cap)
{
	if (all->n == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		all->list = xreallocarray(all->list, *cap, sizeof(*all->list));
	}
	all->list[all->n++] = *w;
}

/* Those of other kinds, behind the others: they are known by what their pods have had alone. */
static void list_owners(struct reservations *all, size_t *cap)
{
	const struct subnet_object *object;
	size_t pos = 0;

	all->n_owners = 0;
	while ((object = cluster_each(all->cluster, CLUSTER_SUBNETS, &pos, NULL))) {
		for (size_t i = 0; i < object->record.claims.n; i++) {
			const struct ipam_claim *claim = &object->record.claims.items[i];

			if (!api_owner_is_id(claim->owner))
				continue;
			list_one(all,
				 &(struct workload){.id = xstrdup(claim->owner),
						    .in = object,
						    .had = &claim->set},
				 cap);
			all->n_owners++;
		}
	}
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
				list_one(all, &(struct workload){.obj = obj}, &cap);
		}
	}
	if (all->n)
		qsort(all->list, all->n, sizeof(*all->list), by_age);
	list_owners(all, &cap);
}

/* Of two Jobs that one CronJob has made the older is found by their id. */
static void index_workloads(struct reservations *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct workload *w = &all->list[i];

		if (w->obj)
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

/*
 * An owner of another kind: nobody knows its template, so what its pods have had is kept while it exists. One that
 * cannot be read keeps no more than what a namespace keeps without having had it.
 */
static void keep_owned(struct reservations *all, struct workload *w)
{
	AUTO(api_owner_done) struct api_owner self = {0};
	AUTO(ipam_set_done) struct ipam_set left = IPAM_SET_INIT;
	AUTO(free) char *ns = NULL;
	struct ip_addr a, from = {0};
	struct named *named;
	struct share *share;
	bool proven;

	if (!api_owner_parse(w->id, &self, &ns) ||
	    !owners_keeps(all->owners, w->id, ipam_set_common(w->had, &w->in->record.pool.used)))
		return;
	proven = owners_proof(all->owners, w->id) != OWNERS_UNREADABLE;
	share = share_of(all, w->in->meta.name, ns);
	named = named_of(all, w->in->meta.name);
	ipam_set_copy(w->had, &left);
	while (share->n < share->max &&
	       (proven || share->n_unclaimed < RESERVATIONS_UNCLAIMED_MAX) &&
	       ipam_set_next(&left, &from, NULL, 0, &a)) {
		ipam_set_remove(&left, &a);
		if (ipam_set_has(&named->set, &a))
			continue;
		share->n++;
		share->n_unclaimed += !proven;
		reserve(named, w, &a);
	}
}

/* In each of the subnets that it names. */
static void keep(struct reservations *all, struct workload *w,
		 void (*one)(struct reservations *all, struct workload *w, const char *subnet))
{
	AUTO(free) char *subnet = NULL;
	size_t pos = 0;

	while (api_request_next_subnet(&w->obj->annotations.request, &pos, &subnet))
		one(all, w, subnet);
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
	for (size_t i = 0; i < all->n - all->n_owners; i++)
		keep(all, &all->list[i], keep_claimed);
	for (size_t i = all->n - all->n_owners; i < all->n; i++)
		keep_owned(all, &all->list[i]);
	for (size_t i = 0; i < all->n - all->n_owners; i++)
		keep(all, &all->list[i], keep_unclaimed);
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

/* At once where somebody is known: who is not looked at is forgotten. */
static void owners_changed(void *ctx)
{
	struct reservations *all = ctx;

	all->stale = true;
	if (all->n_owners)
		refresh(all);
}

struct reservations *reservations_new(struct cluster *cluster, struct owners *owners)
{
	struct reservations *all = xcalloc(1, sizeof(*all));

	all->cluster = cluster;
	all->owners = owners;
	all->stale = true;
	owners_listen(owners, owners_changed, all);
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

const char *reservations_find(struct reservations *all, const char *subnet,
			      const struct ip_addr *addr)
{
	const struct reservation wanted = {.addr = *addr}, *r;
	const struct named *n;

	refresh(all);
	n = map_get(&all->named, subnet);
	if (!n || !n->n)
		return NULL;
	r = bsearch(&wanted, n->items, n->n, sizeof(*n->items), by_addr);
	return r ? r->holder->id : NULL;
}

size_t reservations_refreshed(const struct reservations *all)
{
	return all->n_refreshed;
}

bool reservations_names(struct reservations *all, const char *owner, const char *subnet,
			const struct ip_addr *addr)
{
	const struct workload *w;

	if (owner && api_owner_is_id(owner))
		return owners_proof(all->owners, owner) != OWNERS_GONE;
	refresh(all);
	w = owner ? map_get(&all->workloads, owner) : NULL;
	return w && api_request_has_subnet(&w->obj->annotations.request, subnet) &&
	       api_request_find(&w->obj->annotations.request, addr) >= 0;
}

const struct api_workload *reservations_workload(struct reservations *all, const char *id)
{
	const struct workload *w;

	refresh(all);
	w = map_get(&all->workloads, id);
	return w ? w->obj : NULL;
}

static void add_largest(struct largest *out, const char *id, size_t n)
{
	AUTO(free) char *title = api_owner_title(id);

	largest_add(out, title, n);
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
		add_largest(out, w->id, w->n4 > w->n6 ? w->n4 : w->n6);
}

bool reservations_pod_owner(const struct reservations *all, const struct api_pod *pod, char **out)
{
	return belongs_to(all->cluster, all->owners, pod, out);
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
