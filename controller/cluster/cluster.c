/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/cluster/cluster.h"

#include <stdlib.h>

#include "api/ip.h"
#include "api/pod.h"
#include "controller/cluster/objects.h"
#include "controller/cluster/subnet_object.h"
#include "controller/process/process.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/path.h"
#include "lib/kube/reflector.h"
#include "lib/kube/store.h"

#define LISTENERS 8
#define VERSIONS  3

/* One kind: where it is served, and how it is kept. */
struct row {
	const char *name; /* as messages call it */
	const char *group;
	const char *versions[VERSIONS]; /* to NULL: an API server has one of them at least */
	const char *plural;
	struct kube_store_ops ops;
	bool (*eq)(const void *a, const void *b); /* NULL = each change is of interest */
};

static void changed(void *ctx, const char *key, const void *old, const void *obj);
static void synced(void *ctx);
static void bad(void *ctx, const char *key, const struct err *why);

struct cache {
	struct cluster *cluster;
	enum cluster_kind kind;
	struct row row;
	struct kube_store *store;
	struct kube_reflector *reflector;
	unsigned int lists; /* complete ones before the last cluster_list() */
	size_t version;     /* which of them is watched */
};

struct cluster {
	struct cluster_options opt;
	struct cache cache[CLUSTER_KINDS];
	struct {
		unsigned int kinds;
		const struct cluster_listener *l;
		void *ctx;
	} listeners[LISTENERS];
	size_t n_listeners;
	bool list_pods; /* again: some were passed over that are of interest now */
};

static void log_bad(const char *kind, const char *key, const struct err *why)
{
	log_warn("object cannot be read", "kind", kind, "name", key, "error", why->msg);
}

/* ------------------------------------------------------------------------------- each kind */

static int subnet_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct subnet_object *o = NULL;

	(void)ctx;
	if (subnet_object_decode(obj, &o, e) < 0)
		return -1;
	*out = o;
	return 0;
}

static void subnet_free(void *obj)
{
	subnet_object_free(obj);
}

/* A record that cannot be read is not one that has gone: it stays known by name and UID. */
static int ip_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct api_ip *ip = NULL;
	struct api_meta meta = {0};
	struct err why = {0};

	(void)ctx;
	if (api_ip_decode(obj, &ip, &why) == 0) {
		*out = ip;
		return 0;
	}
	if (api_meta_decode(obj, &meta, e) < 0)
		return -1;
	log_bad("macvlanip", meta.name, &why);
	ip = xcalloc(1, sizeof(*ip));
	ip->meta = meta;
	*out = ip;
	return 0;
}

static void ip_free(void *obj)
{
	api_ip_free(obj);
}

static bool is_kept(const struct cluster *c, const struct api_pod *pod)
{
	AUTO(free) char *key = xasprintf("%s/%s", pod->meta.ns, pod->meta.name);

	for (size_t i = 0; i < c->n_listeners; i++) {
		if (c->listeners[i].l->keeps && c->listeners[i].l->keeps(c->listeners[i].ctx, key))
			return true;
	}
	return false;
}

/* Its namespace, or whoever has set the controller up, asks for it. */
static bool has_default(const struct cluster *c, const struct api_pod *pod)
{
	return !pod->host_network && !pod->is_static && cluster_default_subnet(c, pod->meta.ns);
}

/* Of the cluster's pods only those are kept that ask for a card or have a record. */
static int pod_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	const struct cache *cache = ctx;
	AUTO(api_pod_free) struct api_pod *pod = NULL;

	if (api_pod_decode(obj, cache->cluster->opt.legacy_annotations, &pod, e) < 0)
		return -1;
	if (api_pod_is_annotated(pod) || has_default(cache->cluster, pod) ||
	    is_kept(cache->cluster, pod))
		*out = STEAL(pod);
	return 0;
}

static void pod_free(void *obj)
{
	api_pod_free(obj);
}

/* Only those are kept whose pods ask for a card. */
static int workload_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	const struct cache *cache = ctx;
	struct api_workload_form form = {(enum api_workload_kind)(cache->kind - CLUSTER_WORKLOADS),
					 cache->cluster->opt.legacy_annotations};
	AUTO(api_workload_free) struct api_workload *w = NULL;

	if (api_workload_decode(&form, obj, &w, e) < 0)
		return -1;
	if (w->annotations.request.wanted)
		*out = STEAL(w);
	return 0;
}

static void workload_free(void *obj)
{
	api_workload_free(obj);
}

#define OPS(decode, free)                          \
	{                                          \
		decode, free, changed, synced, bad \
	}
/* Of the workloads the row is made from their own table. */
static const struct row rows[CLUSTER_WORKLOADS] = {
	[CLUSTER_SUBNETS] = {"macvlansubnet",
			     API_GROUP,
			     {API_VERSION},
			     API_PLURAL_SUBNET,
			     OPS(subnet_decode, subnet_free),
			     NULL},
	[CLUSTER_IPS] = {"macvlanip",
			 API_GROUP,
			 {API_VERSION},
			 API_PLURAL_IP,
			 OPS(ip_decode, ip_free),
			 NULL},
	[CLUSTER_PODS] = {"pod", "", {"v1"}, "pods", OPS(pod_decode, pod_free), NULL},
	[CLUSTER_NAMESPACES] = {"namespace",
				"",
				{"v1"},
				"namespaces",
				OPS(cluster_namespace_decode, cluster_namespace_free),
				cluster_namespace_eq},
	[CLUSTER_NODES] = {"node",
			   "",
			   {"v1"},
			   "nodes",
			   OPS(cluster_node_decode, cluster_node_free),
			   cluster_node_eq},
};

static struct row row_of(enum cluster_kind kind)
{
	const struct api_workload_type *t;

	if (kind < CLUSTER_WORKLOADS)
		return rows[kind];
	t = api_workload_type((enum api_workload_kind)(kind - CLUSTER_WORKLOADS));
	return (struct row){t->singular,
			    t->group,
			    {t->versions[0], t->versions[1]},
			    t->plural,
			    OPS(workload_decode, workload_free),
			    NULL};
}

/* ------------------------------------------------------------------------------- told */

/* A default that comes is for pods, too, that were passed over as they came. */
static void note_default(struct cluster *c, const struct cluster_namespace *old,
			 const struct cluster_namespace *now)
{
	if (now && now->subnet && !(old && old->subnet))
		c->list_pods = true;
}

static void changed(void *ctx, const char *key, const void *old, const void *obj)
{
	const struct cache *cache = ctx;
	struct cluster *c = cache->cluster;
	const struct row *row = &cache->row;

	if (row->eq && old && obj && row->eq(old, obj))
		return;
	if (cache->kind == CLUSTER_NAMESPACES)
		note_default(c, old, obj);
	for (size_t i = 0; i < c->n_listeners; i++) {
		if (c->listeners[i].l->changed &&
		    (c->listeners[i].kinds & CLUSTER_BIT(cache->kind)))
			c->listeners[i].l->changed(c->listeners[i].ctx, cache->kind, key, old, obj);
	}
}

static void synced(void *ctx)
{
	const struct cache *cache = ctx;
	const struct cluster *c = cache->cluster;

	for (size_t i = 0; i < c->n_listeners; i++) {
		if (c->listeners[i].l->listed && (c->listeners[i].kinds & CLUSTER_BIT(cache->kind)))
			c->listeners[i].l->listed(c->listeners[i].ctx, cache->kind);
	}
}

static void bad(void *ctx, const char *key, const struct err *why)
{
	const struct cache *cache = ctx;

	log_bad(cache->row.name, key, why);
}

/* ------------------------------------------------------------------------------- the caches */

struct cluster *cluster_new(const struct cluster_options *opt)
{
	struct cluster *c = xcalloc(1, sizeof(*c));

	c->opt = *opt;
	for (int i = 0; i < CLUSTER_KINDS; i++) {
		enum cluster_kind kind = (enum cluster_kind)i;

		c->cache[i] = (struct cache){.cluster = c, .kind = kind, .row = row_of(kind)};
		c->cache[i].store = kube_store_new(&c->cache[i].row.ops, &c->cache[i]);
	}
	return c;
}

void cluster_free(struct cluster *c)
{
	if (!c)
		return;
	for (int i = 0; i < CLUSTER_KINDS; i++)
		kube_reflector_free(c->cache[i].reflector);
	for (int i = 0; i < CLUSTER_KINDS; i++)
		kube_store_free(c->cache[i].store);
	free(c);
}

void cluster_listen(struct cluster *c, unsigned int kinds, const struct cluster_listener *l,
		    void *ctx)
{
	if (c->n_listeners == LISTENERS)
		abort();
	c->listeners[c->n_listeners].kinds = kinds;
	c->listeners[c->n_listeners].l = l;
	c->listeners[c->n_listeners++].ctx = ctx;
}

/* A version that is not served is no failure: cluster_follow_versions() tries the other one. */
static void one_failed(const char *path, const struct err *why)
{
	if (why->kind != ERR_NOT_FOUND)
		process_watch_failed(path, why);
}

static void watch(struct cache *cache)
{
	const struct cluster_options *opt = &cache->cluster->opt;
	const struct row *row = &cache->row;
	AUTO(free)
	char *group_version = xasprintf("%s%s%s", row->group, *row->group ? "/" : "",
					row->versions[cache->version]);
	AUTO(free)
	char *path = kube_path(group_version,
			       cache->kind == CLUSTER_SUBNETS ? opt->system_ns : NULL, row->plural,
			       NULL, NULL);
	struct kube_reflector_options ropt = {
		.path = path, .failed = row->versions[1] ? one_failed : process_watch_failed};

	cache->reflector = kube_reflector_new(opt->client, cache->store, &ropt);
}

void cluster_start(struct cluster *c, enum cluster_kind kind)
{
	if (!c->cache[kind].reflector)
		watch(&c->cache[kind]);
}

void cluster_list(struct cluster *c, enum cluster_kind kind)
{
	struct cache *cache = &c->cache[kind];

	cache->lists = kube_store_lists(cache->store);
	if (cache->reflector)
		kube_reflector_relist(cache->reflector);
	else
		watch(cache);
}

bool cluster_is_listed(const struct cluster *c, enum cluster_kind kind)
{
	return kube_store_lists(c->cache[kind].store) > c->cache[kind].lists;
}

bool cluster_is_synced(const struct cluster *c, enum cluster_kind kind)
{
	return kube_store_is_synced(c->cache[kind].store);
}

bool cluster_is_complete(const struct cluster *c)
{
	for (int i = 0; i < CLUSTER_KINDS; i++) {
		if (!kube_store_is_synced(c->cache[i].store))
			return false;
	}
	return true;
}

int64_t cluster_age_ms(const struct cluster *c, enum cluster_kind kind, int64_t now_ms)
{
	const struct kube_reflector *r = c->cache[kind].reflector;

	return r ? kube_reflector_age_ms(r, now_ms) : -1;
}

bool cluster_is_stale(const struct cluster *c, int64_t now_ms)
{
	for (int i = 0; i < CLUSTER_KINDS; i++) {
		if (cluster_age_ms(c, (enum cluster_kind)i, now_ms) > CLUSTER_STALE_MS)
			return true;
	}
	return false;
}

const char *cluster_kind_name(enum cluster_kind kind)
{
	return row_of(kind).name;
}

void cluster_follow_versions(struct cluster *c)
{
	struct cache *pods = &c->cache[CLUSTER_PODS];

	/* Not while the first list of them is under way, which belongs to the takeover. */
	if (c->list_pods && kube_store_is_synced(pods->store) && pods->reflector) {
		c->list_pods = false;
		kube_store_reconsider(pods->store);
		kube_reflector_relist(pods->reflector);
	}
	for (int i = 0; i < CLUSTER_KINDS; i++) {
		struct cache *cache = &c->cache[i];

		if (!cache->row.versions[1] || !cache->reflector ||
		    kube_reflector_error(cache->reflector)->kind != ERR_NOT_FOUND)
			continue;
		kube_reflector_free(cache->reflector);
		if (!cache->row.versions[++cache->version])
			cache->version = 0;
		watch(cache);
	}
}

const void *cluster_each(const struct cluster *c, enum cluster_kind kind, size_t *pos,
			 const char **key)
{
	return kube_store_each(c->cache[kind].store, pos, key);
}

const struct cluster_node *cluster_node(const struct cluster *c, const char *name)
{
	return *name ? kube_store_get(c->cache[CLUSTER_NODES].store, NULL, name) : NULL;
}

const struct cluster_namespace *cluster_namespace(const struct cluster *c, const char *name)
{
	return kube_store_get(c->cache[CLUSTER_NAMESPACES].store, NULL, name);
}

const char *cluster_default_subnet(const struct cluster *c, const char *ns)
{
	const struct cluster_namespace *n = cluster_namespace(c, ns);

	return n && n->subnet ? n->subnet : c->opt.default_subnet;
}

const struct subnet_object *cluster_subnet(const struct cluster *c, const char *name)
{
	return kube_store_get(c->cache[CLUSTER_SUBNETS].store, c->opt.system_ns, name);
}

const struct api_workload *cluster_workload(const struct cluster *c, enum api_workload_kind kind,
					    const char *ns, const char *name)
{
	return kube_store_get(c->cache[CLUSTER_WORKLOADS + (int)kind].store, ns, name);
}

struct kube_store *cluster_store(struct cluster *c, enum cluster_kind kind)
{
	return c->cache[kind].store;
}
