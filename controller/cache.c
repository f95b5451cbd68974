#include "controller/cache.h"

#include <string.h>

#include "controller/clusterobj.h"
#include "controller/ent.h"
#include "controller/netstatus.h"
#include "controller/reserve.h"
#include "controller/sub.h"
#include "controller/svc.h"
#include "controller/takeover.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/path.h"
#include "lib/kube/reflector.h"
#include "lib/kube/store.h"

static const char *const kinds[STORES] = {
	[STORE_SUBNETS] = "macvlansubnet",
	[STORE_IPS] = "macvlanip",
	[STORE_PODS] = "pod",
	[STORE_NAMESPACES] = "namespace",
	[STORE_NODES] = "node",
	[STORE_WORKLOADS + API_DEPLOYMENT] = "deployment",
	[STORE_WORKLOADS + API_STATEFULSET] = "statefulset",
	[STORE_WORKLOADS + API_DAEMONSET] = "daemonset",
	[STORE_WORKLOADS + API_JOB] = "job",
	[STORE_WORKLOADS + API_CRONJOB] = "cronjob",
};

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

/*
 * A record has gone. If that was not our doing, its address is still on a card. While another leads it is
 * that one's doing.
 */
static void note_vanished(struct ent *ent, const struct api_ip *old)
{
	const struct api_ip *last = old;

	if (ent->own && str_eq(ent->own->meta.uid, old->meta.uid))
		last = ent->own;
	if (ent->app->records_known && !str_eq(ent->gone_uid, old->meta.uid) && is_readable(last) &&
	    api_ip_is_allocated(last)) {
		api_ip_free(ent->lost);
		ent->lost = ent_spec_copy(ent->good ? ent->good : last);
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
	if (!ent->app->records_known || !is_readable(old) || !api_ip_is_allocated(old))
		return;
	if (ent->expect && is_readable(obj) && ent_spec_eq(ent->expect, obj))
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
	svc_card_changed(ent);
	netstatus_mark(ent);
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
	const struct app *app = ctx;
	const struct ent *ent;

	if (api_pod_decode(obj, app->opt.legacy_annotations, &pod, e) < 0)
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
	ent->end_sure = ent->app->phase == APP_RUN;
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

	if (old && !same) {
		note_end(ent, old);
		ent->app->pods_went = true;
	}
	if (!same) {
		memset(ent->told_ms, 0, sizeof(ent->told_ms));
		ent->over_ms = ent->ip_ms = 0;
		ent->graceful = false;
	}
	if (pod && pod->has_ip && !ent->ip_ms)
		ent->ip_ms = clock_now_ms();
	if (pod && pod->meta.deletion && pod->deletion_grace_s > 0)
		ent->graceful = true;
	if (!pod || !api_pod_is_over(pod))
		ent->over_ms = 0;
	else if (!ent->over_ms)
		ent->over_ms = clock_now_ms();
	ent->pod = pod;
	svc_pod_changed(ent, old, pod);
	netstatus_mark(ent);
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

/* ------------------------------------------------------------------------------- workloads */

/* Only those are kept whose pods ask for a card. */
static int workload_decode(const struct app *app, enum api_workload_kind kind,
			   const struct jval *obj, void **out, struct err *e)
{
	struct api_workload_form form = {kind, app->opt.legacy_annotations};
	struct api_workload *w = NULL;

	if (api_workload_decode(&form, obj, &w, e) < 0)
		return -1;
	if (w->annotations.request.wanted)
		*out = w;
	else
		api_workload_free(w);
	return 0;
}

#define WORKLOAD_DECODE(name, kind)                                                            \
	static int name##_decode(void *ctx, const struct jval *obj, void **out, struct err *e) \
	{                                                                                      \
		return workload_decode(ctx, kind, obj, out, e);                                \
	}

WORKLOAD_DECODE(deployment, API_DEPLOYMENT)
WORKLOAD_DECODE(statefulset, API_STATEFULSET)
WORKLOAD_DECODE(daemonset, API_DAEMONSET)
WORKLOAD_DECODE(job, API_JOB)
WORKLOAD_DECODE(cronjob, API_CRONJOB)

static void workload_free(void *obj)
{
	api_workload_free(obj);
}

static void workload_changed(void *ctx, const char *key, const void *old, const void *obj)
{
	struct app *app = ctx;

	(void)key;
	/* The index points at what has just been exchanged, be it only for a status counted up. */
	app->reservations_stale = true;
	if (!old || !obj || !api_workload_asks_eq(old, obj))
		reserve_changed(app);
	svc_workload_changed(app, old, obj);
}

static void workload_bad(void *ctx, const char *key, const struct err *why)
{
	(void)ctx;
	log_bad("workload", key, why);
}

#define WORKLOAD_OPS(name)                                                         \
	{                                                                          \
		name##_decode, workload_free, workload_changed, NULL, workload_bad \
	}

static const struct kube_store_ops store_ops[STORES] = {
	[STORE_SUBNETS] = {subnet_decode, subnet_free, subnet_changed, NULL, subnet_bad},
	[STORE_IPS] = {ip_decode, ip_free, ip_changed, ip_synced, ip_bad},
	[STORE_PODS] = {pod_decode, pod_free, pod_changed, NULL, pod_bad},
	[STORE_NAMESPACES] = {clusterobj_ns_decode, clusterobj_ns_free, ns_changed, NULL, ns_bad},
	[STORE_NODES] = {clusterobj_node_decode, clusterobj_node_free, node_changed, NULL,
			 node_bad},
	[STORE_WORKLOADS + API_DEPLOYMENT] = WORKLOAD_OPS(deployment),
	[STORE_WORKLOADS + API_STATEFULSET] = WORKLOAD_OPS(statefulset),
	[STORE_WORKLOADS + API_DAEMONSET] = WORKLOAD_OPS(daemonset),
	[STORE_WORKLOADS + API_JOB] = WORKLOAD_OPS(job),
	[STORE_WORKLOADS + API_CRONJOB] = WORKLOAD_OPS(cronjob),
};

void cache_init(struct app *app)
{
	for (int i = 0; i < STORES; i++)
		app->store[i] = kube_store_new(&store_ops[i], app);
}

struct cache_path {
	const char *group_version;
	const char *plural;
};

static const struct cache_path paths[STORES] = {
	[STORE_SUBNETS] = {API_GROUP_VERSION, API_PLURAL_SUBNET},
	[STORE_IPS] = {API_GROUP_VERSION, API_PLURAL_IP},
	[STORE_PODS] = {"v1", "pods"},
	[STORE_NAMESPACES] = {"v1", "namespaces"},
	[STORE_NODES] = {"v1", "nodes"},
	[STORE_WORKLOADS + API_DEPLOYMENT] = {"apps/v1", "deployments"},
	[STORE_WORKLOADS + API_STATEFULSET] = {"apps/v1", "statefulsets"},
	[STORE_WORKLOADS + API_DAEMONSET] = {"apps/v1", "daemonsets"},
	[STORE_WORKLOADS + API_JOB] = {"batch/v1", "jobs"},
	[STORE_WORKLOADS + API_CRONJOB] = {"batch/v1", "cronjobs"},
};
/* Where an API server before 1.21 has CronJobs; one from 1.25 on has them in batch/v1 alone. */
static const struct cache_path cronjobs_before_1_21 = {"batch/v1beta1", "cronjobs"};

static void start(struct app *app, int which, const struct cache_path *from)
{
	const char *ns = which == STORE_SUBNETS ? app->opt.system_ns : NULL;
	AUTO(free) char *path = kube_path(from->group_version, ns, from->plural, NULL, NULL);
	struct kube_reflector_options opt = {.path = path};

	app->reflector[which] = kube_reflector_new(app->client, app->store[which], &opt);
}

void cache_start(struct app *app, int which)
{
	start(app, which, &paths[which]);
}

void cache_follow_versions(struct app *app)
{
	int which = STORE_WORKLOADS + API_CRONJOB;
	const struct kube_reflector *r = app->reflector[which];

	if (!r || kube_reflector_error(r)->kind != ERR_NOT_FOUND)
		return;
	kube_reflector_free(app->reflector[which]);
	app->old_cronjobs = !app->old_cronjobs;
	start(app, which, app->old_cronjobs ? &cronjobs_before_1_21 : &paths[which]);
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
