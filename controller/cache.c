#include "controller/cache.h"

#include <string.h>

#include "controller/clusterobj.h"
#include "controller/ent.h"
#include "controller/sub.h"
#include "controller/takeover.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/path.h"
#include "lib/kube/reflector.h"
#include "lib/kube/store.h"

static const char *const kinds[STORES] = {"macvlansubnet", "macvlanip", "pod", "namespace", "node"};

static void log_bad(const char *kind, const char *key, const struct err *why)
{
	log_warn("object cannot be read", "kind", kind, "name", key, "error", why->msg);
}

/* ------------------------------------------------------------------------------- subnets */

static int subnet_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct subnet_obj *o = NULL;

	(void)ctx;
	if (sub_obj_decode(obj, &o, e) < 0)
		return -1;
	*out = o;
	return 0;
}

static void subnet_free(void *obj)
{
	sub_obj_free(obj);
}

static void subnet_changed(void *ctx, const char *key, const void *old, const void *obj)
{
	const struct subnet_obj *o = obj ? obj : old;

	(void)key;
	sub_changed(sub_get(ctx, o->meta.name), obj);
}

static void subnet_bad(void *ctx, const char *key, const struct err *why)
{
	(void)ctx;
	log_bad(kinds[STORE_SUBNETS], key, why);
}

/* ------------------------------------------------------------------------------- records */

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
	log_bad(kinds[STORE_IPS], meta.name, &why);
	ip = xcalloc(1, sizeof(*ip));
	ip->meta = meta;
	*out = ip;
	return 0;
}

static void ip_free(void *obj)
{
	api_ip_free(obj);
}

static bool is_readable(const struct api_ip *ip)
{
	return ip->subnet != NULL;
}

/* A record has gone. If that was not our doing, its address is still on a card. */
static void note_vanished(struct ent *ent, const struct api_ip *old)
{
	const struct api_ip *last = old;

	if (ent->own && str_eq(ent->own->meta.uid, old->meta.uid))
		last = ent->own;
	if (!str_eq(ent->gone_uid, old->meta.uid) && is_readable(last) &&
	    api_ip_is_allocated(last)) {
		api_ip_free(ent->lost);
		ent->lost = ent_spec_copy(ent->good ? ent->good : last);
		if (!ent->lost->meta.deletion)
			ent->lost->meta.deletion = app_now_s(ent->app);
	}
	if (last == ent->own) {
		api_ip_free(ent->own);
		ent->own = NULL;
	}
	api_ip_free(ent->good);
	ent->good = NULL;
}

/* Somebody has edited a spec that is ours: remember what stood there. */
static void note_edit(struct ent *ent, const struct api_ip *old, const struct api_ip *obj)
{
	if (!is_readable(old) || !api_ip_is_allocated(old))
		return;
	if (ent->good && is_readable(obj) && ent_spec_eq(ent->good, obj)) {
		api_ip_free(ent->good);
		ent->good = NULL;
		return;
	}
	if (!ent->good && (!is_readable(obj) || !ent_spec_eq(old, obj)))
		ent->good = ent_spec_copy(old);
}

static void ip_changed(void *ctx, const char *key, const void *old_obj, const void *new_obj)
{
	const struct api_ip *old = old_obj, *obj = new_obj;
	struct app *app = ctx;
	struct ent *ent = ent_get(app, key);
	bool same = old && obj && str_eq(old->meta.uid, obj->meta.uid);

	if (ent->unreadable)
		app->n_unreadable--;
	ent->unreadable = obj && !is_readable(obj);
	if (ent->unreadable)
		app->n_unreadable++;
	if (old && !same)
		note_vanished(ent, old);
	if (same)
		note_edit(ent, old, obj);
	ent->seen = obj;
	ent_catch_up(ent);
	ent_mark(ent);
}

static void ip_synced(void *ctx)
{
	takeover_listed(ctx);
}

static void ip_bad(void *ctx, const char *key, const struct err *why)
{
	(void)ctx;
	log_bad(kinds[STORE_IPS], key, why);
}

/* ------------------------------------------------------------------------------- pods */

/* Of the cluster's pods only those are kept that ask for a card or have a record. */
static int pod_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	AUTO(api_pod_free) struct api_pod *pod = NULL;
	AUTO(free) char *key = NULL;
	const struct ent *ent;

	if (api_pod_decode(obj, &pod, e) < 0)
		return -1;
	if (!api_pod_is_annotated(pod)) {
		key = xasprintf("%s/%s", pod->meta.ns, pod->meta.name);
		ent = ent_find(ctx, key);
		if (!ent || (!ent->seen && !ent->own && !ent->lost))
			return 0;
	}
	*out = STEAL(pod);
	return 0;
}

static void pod_free(void *obj)
{
	api_pod_free(obj);
}

static void note_end(struct ent *ent, const struct api_pod *old)
{
	const struct node_obj *node = cache_node(ent->app, old->node);

	free(ent->end_uid);
	ent->end_uid = xstrdup(old->meta.uid);
	ent->end_ms = clock_now_ms();
	ent->end = DECIDE_END_UNKNOWN;
	/*
	 * The kubelet deletes a pod's object when its sandbox is down, and has told of every
	 * container before. Of one that never ran, or that waits to be started again, it may tell
	 * nothing. A forced deletion shows a deletionTimestamp too, but never one with time to act.
	 */
	if (old->all_terminated && (ent->graceful || api_pod_is_over(old)))
		ent->end = DECIDE_END_FINISHED;
	else if (ent->graceful && !old->any_running && node && node->ready)
		ent->end = DECIDE_END_IDLE;
}

static void pod_changed(void *ctx, const char *key, const void *old_obj, const void *new_obj)
{
	const struct api_pod *old = old_obj, *pod = new_obj;
	struct ent *ent = ent_get(ctx, key);
	bool same = old && pod && str_eq(old->meta.uid, pod->meta.uid);

	if (old && !same)
		note_end(ent, old);
	if (!same) {
		memset(ent->told_ms, 0, sizeof(ent->told_ms));
		ent->over_ms = 0;
		ent->graceful = false;
	}
	if (pod && pod->meta.deletion && pod->deletion_grace_s > 0)
		ent->graceful = true;
	if (!pod || !api_pod_is_over(pod))
		ent->over_ms = 0;
	else if (!ent->over_ms)
		ent->over_ms = clock_now_ms();
	ent->pod = pod;
	ent_mark(ent);
}

static void pod_bad(void *ctx, const char *key, const struct err *why)
{
	(void)ctx;
	log_bad(kinds[STORE_PODS], key, why);
}

/* ------------------------------------------------------------------------------- the rest */

static void ns_changed(void *ctx, const char *key, const void *old, const void *obj)
{
	struct app *app = ctx;

	(void)key;
	if (!old || !obj || !clusterobj_ns_eq(old, obj))
		app->look_all = true;
}

static void ns_bad(void *ctx, const char *key, const struct err *why)
{
	(void)ctx;
	log_bad(kinds[STORE_NAMESPACES], key, why);
}

static void node_changed(void *ctx, const char *key, const void *old, const void *obj)
{
	struct app *app = ctx;

	(void)key;
	/* A node's heartbeat changes nothing that is of interest. */
	if (old && obj && clusterobj_node_eq(old, obj))
		return;
	app->ranges_stale = app->look_all = true;
}

static void node_bad(void *ctx, const char *key, const struct err *why)
{
	(void)ctx;
	log_bad(kinds[STORE_NODES], key, why);
}

static const struct kube_store_ops store_ops[STORES] = {
	[STORE_SUBNETS] = {subnet_decode, subnet_free, subnet_changed, NULL, subnet_bad},
	[STORE_IPS] = {ip_decode, ip_free, ip_changed, ip_synced, ip_bad},
	[STORE_PODS] = {pod_decode, pod_free, pod_changed, NULL, pod_bad},
	[STORE_NAMESPACES] = {clusterobj_ns_decode, clusterobj_ns_free, ns_changed, NULL, ns_bad},
	[STORE_NODES] = {clusterobj_node_decode, clusterobj_node_free, node_changed, NULL,
			 node_bad},
};

void cache_init(struct app *app)
{
	for (int i = 0; i < STORES; i++)
		app->store[i] = kube_store_new(&store_ops[i], app);
}

static char *path_of(const struct app *app, int which)
{
	switch (which) {
	case STORE_SUBNETS:
		return kube_path(API_GROUP_VERSION, app->opt.system_ns, API_PLURAL_SUBNET, NULL,
				 NULL);
	case STORE_IPS:
		return kube_path(API_GROUP_VERSION, NULL, API_PLURAL_IP, NULL, NULL);
	case STORE_PODS:
		return kube_path("v1", NULL, "pods", NULL, NULL);
	case STORE_NAMESPACES:
		return kube_path("v1", NULL, "namespaces", NULL, NULL);
	default:
		return kube_path("v1", NULL, "nodes", NULL, NULL);
	}
}

void cache_start(struct app *app, int which)
{
	AUTO(free) char *path = path_of(app, which);
	struct kube_reflector_options opt = {.path = path};

	app->reflector[which] = kube_reflector_new(app->client, app->store[which], &opt);
}

void cache_done(struct app *app)
{
	for (int i = 0; i < STORES; i++) {
		kube_reflector_free(app->reflector[i]);
		app->reflector[i] = NULL;
	}
	for (int i = 0; i < STORES; i++) {
		kube_store_free(app->store[i]);
		app->store[i] = NULL;
	}
}

const struct node_obj *cache_node(const struct app *app, const char *name)
{
	return *name ? kube_store_get(app->store[STORE_NODES], NULL, name) : NULL;
}

const struct ns_obj *cache_ns(const struct app *app, const char *name)
{
	return kube_store_get(app->store[STORE_NAMESPACES], NULL, name);
}
