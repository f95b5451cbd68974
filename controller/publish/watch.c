/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of Services and of what was made for them, and in which form the server serves it. */
#include <stdlib.h>
#include <string.h>

#include "controller/process/process.h"
#include "controller/publish/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/kube/reflector.h"
#include "lib/kube/served.h"
#include "lib/kube/store.h"

#define TIMEOUT_MS 10000
/* Only to find and delete what is of no use any more: nothing is made in it. */
#define OLD_DISCOVERY "discovery.k8s.io/v1beta1"

/* ------------------------------------------------------------------------------- stores */

static void mark_key(const struct map *m, const char *key)
{
	struct svc *svc = map_get(m, key);

	if (svc)
		svc_mark(svc);
}

static int service_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct api_service *s = NULL;

	(void)ctx;
	if (api_service_decode(obj, &s, e) < 0)
		return -1;
	*out = s;
	return 0;
}

static void service_free(void *obj)
{
	api_service_free(obj);
}

static void mark_owner(struct services *all, const struct api_service *s)
{
	if (s && s->made_for && s->owner)
		svc_mark(svc_get(all, s->meta.ns, s->owner));
}

static void service_changed(void *ctx, const char *key, const void *old_obj, const void *new_obj)
{
	const struct api_service *old = old_obj, *obj = new_obj;
	const struct api_service *any = obj ? obj : old;
	struct services *all = ctx;
	struct svc *svc = svc_get(all, any->meta.ns, any->meta.name);

	svc->obj = obj;
	if (!old || !obj || !str_eq(old->meta.uid, obj->meta.uid))
		memset(svc->told_ms, 0, sizeof(svc->told_ms));
	svc_mark(svc);
	/* Whether it stands in another's way, or another in its. */
	mark_key(&all->by_head, key);
	mark_key(&all->by_key, svc->head_key);
	mark_owner(all, old);
	mark_owner(all, obj);
}

static int endpoints_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct api_endpoints *s = NULL;

	(void)ctx;
	if (api_endpoints_decode(obj, &s, e) < 0)
		return -1;
	*out = s;
	return 0;
}

static void endpoints_free(void *obj)
{
	api_endpoints_free(obj);
}

static void endpoints_changed(void *ctx, const char *key, const void *old, const void *obj)
{
	struct services *all = ctx;

	(void)old;
	(void)obj;
	mark_key(&all->by_head, key);
}

static int slice_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct api_slice *s = NULL;

	(void)ctx;
	if (api_slice_decode(obj, &s, e) < 0)
		return -1;
	*out = s;
	return 0;
}

static void slice_free(void *obj)
{
	api_slice_free(obj);
}

static void slices_remove(struct services *all, const char *key, const struct api_slice *s)
{
	struct svc_slices *of = map_get(&all->slices, key);
	size_t to = 0;

	for (size_t i = 0; of && i < of->n; i++) {
		if (of->list[i] != s)
			of->list[to++] = of->list[i];
	}
	if (!of)
		return;
	of->n = to;
	if (to)
		return;
	map_remove(&all->slices, key);
	free(of->list);
	free(of->key);
	free(of);
}

static void slices_add(struct services *all, const char *key, const struct api_slice *s)
{
	struct svc_slices *of = map_get(&all->slices, key);

	if (!of) {
		of = xcalloc(1, sizeof(*of));
		of->key = xstrdup(key);
		map_put(&all->slices, of->key, of);
	}
	of->list = xreallocarray(of->list, of->n + 1, sizeof(*of->list));
	of->list[of->n++] = s;
}

static void slices_forget(struct services *all)
{
	struct svc_slices *of;
	size_t pos;

	while (pos = 0, (of = map_each(&all->slices, &pos))) {
		of->n = 0;
		slices_remove(all, of->key, NULL);
	}
}

static void slice_changed(void *ctx, const char *key, const void *old_obj, const void *new_obj)
{
	const struct api_slice *both[] = {old_obj, new_obj};
	struct services *all = ctx;

	(void)key;
	for (int i = 0; i < 2; i++) {
		AUTO(free) char *head = NULL;

		if (!both[i])
			continue;
		head = xasprintf("%s/%s", both[i]->meta.ns, both[i]->service);
		if (i == 0)
			slices_remove(all, head, both[i]);
		else
			slices_add(all, head, both[i]);
		mark_key(&all->by_head, head);
	}
}

static void bad(void *ctx, const char *key, const struct err *why)
{
	(void)ctx;
	log_warn("object cannot be read", "kind", "service, endpoints or endpointslice", "name",
		 key, "error", why->msg);
}

static const struct kube_store_ops ops[SVC_STORES] = {
	[SVC_SERVICES] = {service_decode, service_free, service_changed, NULL, bad},
	[SVC_ENDPOINTS] = {endpoints_decode, endpoints_free, endpoints_changed, NULL, bad},
	[SVC_SLICES] = {slice_decode, slice_free, slice_changed, NULL, bad},
};

/* ------------------------------------------------------------------------------- watches */

static void start(struct services *all, enum svc_store which, const char *path,
		  const char *selector)
{
	AUTO(sb_done) struct sb query = SB_INIT;
	struct kube_reflector_options opt = {.path = path, .failed = process_watch_failed};

	if (selector) {
		kube_query_add(&query, "labelSelector", selector);
		opt.query = sb_get(&query);
	}
	kube_reflector_free(all->reflector[which]);
	kube_store_free(all->store[which]);
	all->store[which] = kube_store_new(&ops[which], all);
	all->reflector[which] =
		kube_reflector_new(all->in.process->client, all->store[which], &opt);
}

char *svc_slices_path(const struct services *all, const char *ns)
{
	return kube_path(all->mode == SVC_MODE_SLICES ? API_GROUP_DISCOVERY : OLD_DISCOVERY, ns,
			 "endpointslices", NULL, NULL);
}

static void start_first(struct services *all)
{
	start(all, SVC_SERVICES, "/api/v1/services", NULL);
	start(all, SVC_ENDPOINTS, "/api/v1/endpoints", API_LABEL_SERVICE);
	all->discover_ms = clock_now_ms();
}

static void set_mode(struct services *all, enum svc_mode mode)
{
	AUTO(free) char *path = NULL;

	if (mode == all->mode)
		return;
	log_info("services: endpoints are written as", "kind",
		 mode == SVC_MODE_SLICES ? "EndpointSlice" : "Endpoints");
	all->mode = mode;
	all->no_slices = false;
	path = svc_slices_path(all, NULL);
	slices_forget(all);
	start(all, SVC_SLICES, path, API_LABEL_SLICE_BY "=" API_SLICE_BY);
	svc_mark_all(all);
}

/* ------------------------------------------------------------------------------- discovery */

static void discovered(void *ctx, struct kube_response *res, const struct err *e)
{
	struct services *all = ctx;

	all->discovery = NULL;
	if (e && e->kind != ERR_NOT_FOUND) {
		all->discover_ms =
			clock_now_ms() + kube_queue_backoff_ms(++all->discovery_failures);
		log_debug("services: cannot look up what is served", "error", e->msg);
		return;
	}
	all->discovery_failures = 0;
	set_mode(all,
		 !e && kube_serves(res, "endpointslices") ? SVC_MODE_SLICES : SVC_MODE_ENDPOINTS);
}

static uint64_t watches_begun(const struct services *all)
{
	struct kube_reflector_stats stats;

	kube_reflector_stats(all->reflector[SVC_SERVICES], &stats);
	return stats.watches;
}

static bool slices_not_found(const struct services *all)
{
	const struct kube_reflector *r = all->reflector[SVC_SLICES];

	return r && kube_reflector_error(r)->kind == ERR_NOT_FOUND;
}

/* At first, when a watch begins again (the server may be another one now), and when slices have gone. */
static void discover(struct services *all)
{
	struct kube_request req;
	int64_t now = clock_now_ms();

	if (slices_not_found(all)) {
		if (all->mode == SVC_MODE_ENDPOINTS) {
			kube_reflector_free(all->reflector[SVC_SLICES]);
			all->reflector[SVC_SLICES] = NULL;
			all->no_slices = true;
			svc_mark_all(all);
		} else if (!all->discover_ms && !all->discovery) {
			all->discover_ms = now + kube_queue_backoff_ms(++all->discovery_failures);
		}
	}
	if (watches_begun(all) > all->watches && !all->discover_ms)
		all->discover_ms = now;
	if (all->discovery || !all->discover_ms || all->discover_ms > now)
		return;
	all->discover_ms = 0;
	/* The first watch is that of the server which is being asked. */
	all->watches = watches_begun(all) ? watches_begun(all) : 1;
	req = kube_request_get("/apis/" API_GROUP_DISCOVERY, NULL, now + TIMEOUT_MS);
	all->discovery = kube_submit(all->in.process->client, &req, discovered, all);
}

bool svc_watch_run(struct services *all, int64_t *next_ms)
{
	if (!all->reflector[SVC_SERVICES])
		start_first(all);
	discover(all);
	*next_ms = all->discover_ms;
	if (all->mode == SVC_MODE_UNKNOWN || !kube_store_is_synced(all->store[SVC_SERVICES]) ||
	    !kube_store_is_synced(all->store[SVC_ENDPOINTS]))
		return false;
	return all->no_slices || kube_store_is_synced(all->store[SVC_SLICES]);
}

void svc_watch_done(struct services *all)
{
	kube_cancel(all->discovery);
	all->discovery = NULL;
	slices_forget(all);
	map_done(&all->slices);
	for (int i = 0; i < SVC_STORES; i++) {
		kube_reflector_free(all->reflector[i]);
		kube_store_free(all->store[i]);
		all->reflector[i] = NULL;
		all->store[i] = NULL;
	}
}
