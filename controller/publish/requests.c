/* SPDX-License-Identifier: Apache-2.0 */
/* The requests about one Service's -macvlan half. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/process/events.h"
#include "controller/process/process.h"
#include "controller/publish/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/kube/store.h"

#define TIMEOUT_MS 20000
#define SHOW_MS    3000 /* the watch is that much behind at most, or the write is planned again */

static const char *const plurals[SVC_STORES] = {
	[SVC_SERVICES] = "services",
	[SVC_ENDPOINTS] = "endpoints",
	[SVC_SLICES] = "endpointslices",
};

static const char *const kinds[SVC_STORES] = {
	[SVC_SERVICES] = "Service",
	[SVC_ENDPOINTS] = "Endpoints",
	[SVC_SLICES] = "EndpointSlice",
};

static char *collection_of(const struct svc *svc, enum svc_store store)
{
	AUTO(free) char *ns = xstrndup(svc->key, strcspn(svc->key, "/"));

	if (store == SVC_SLICES)
		return svc_slices_path(svc->all, ns);
	return kube_path("v1", ns, plurals[store], NULL, NULL);
}

void svc_expect_done(struct svc_expect *x)
{
	free(x->key);
	free(x->uid);
	*x = (struct svc_expect){0};
}

static void expect(struct svc *svc, enum svc_store store, const char *name, const char *uid)
{
	svc_expect_done(&svc->sent);
	svc->sent.store = store;
	svc->sent.key = xasprintf("%.*s/%s", (int)strcspn(svc->key, "/"), svc->key, name);
	svc->sent.uid = xstrdup(uid);
	svc->round = xreallocarray(svc->round, svc->n_round + 1, sizeof(*svc->round));
	svc->round[svc->n_round++] = xasprintf("%s/%s", plurals[store], name);
	svc->wrote_ms = clock_now_ms();
	free(svc->patched);
	svc->patched = NULL;
}

static bool is_gone(const struct svc *svc, const struct svc_expect *x)
{
	const void *obj = kube_store_get_key(svc->all->store[x->store], x->key);

	if (!obj)
		return true;
	if (x->store == SVC_SERVICES)
		return !str_eq(((const struct api_service *)obj)->meta.uid, x->uid);
	if (x->store == SVC_ENDPOINTS)
		return !str_eq(((const struct api_endpoints *)obj)->meta.uid, x->uid);
	return !str_eq(((const struct api_slice *)obj)->meta.uid, x->uid);
}

bool svc_caught_up(struct svc *svc)
{
	struct svc_expect *x = &svc->expect;
	const char *seen;
	int64_t version = 0;

	if (!x->set)
		return true;
	if (x->until_ms > clock_now_ms()) {
		seen = kube_store_version(svc->all->store[x->store], x->key);
		if (x->version && (!seen || parse_i64(seen, &version) < 0 || version < x->version))
			return false;
		if (!x->version && !is_gone(svc, x))
			return false;
	}
	svc_expect_done(x);
	return true;
}

/* Of the -macvlan Service, or of what leads from it to the cards. */
static void tell_refused(struct svc *svc, const struct err *e)
{
	const char *name = strchr(svc->sent.key, '/');
	char msg[sizeof(e->msg) + 300];

	snprintf(msg, sizeof(msg), "the API server refuses %s %.100s; it is tried again: %s",
		 kinds[svc->sent.store], name ? name + 1 : "", e->msg);
	svc_tell(svc, SVC_FORBIDDEN, msg);
}

static void failed(struct svc *svc, const struct kube_response *res, const struct err *e)
{
	bool raced = e->kind == ERR_CONFLICT || e->kind == ERR_NOT_FOUND;

	kube_queue_failed(&svc->space->queue, &svc->item, clock_now_ms(), e->retry_after_ms);
	log_line(raced && svc->item.failures < 3 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
		 "service: request failed", "service", svc->key, "object", svc->sent.key, "error",
		 e->msg, (char *)0);
	/* The watch has only what is ours: what is in the way for longer is somebody else's. */
	if (kube_response_is_reason(res, "AlreadyExists") && svc->item.failures >= 3)
		svc_tell(svc, SVC_NAME_TAKEN,
			 "another object already has the name that the -macvlan Service needs, and "
			 "is left alone; rename or delete it");
	if (kube_is_refusal(e))
		tell_refused(svc, e);
}

/* The resourceVersion that the answer shows, 0 = none; and whether the patch made a difference. */
static int64_t version_in(struct svc *svc, const struct kube_response *res)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	AUTO(api_meta_done) struct api_meta meta = {0};
	struct err ignored = {0};
	struct jval root;
	int64_t version = 0;

	if (kube_response_parse(res, &doc, &ignored) < 0)
		return 0;
	root = jdoc_root(doc);
	if (api_meta_decode(&root, &meta, &ignored) < 0 ||
	    parse_i64(meta.resource_version, &version) < 0)
		return 0;
	svc->in_vain |= svc->patched && str_eq(svc->patched, meta.resource_version);
	return version;
}

static void done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct svc *svc = ctx;
	bool deleting = svc->sent.uid != NULL;
	int64_t now = clock_now_ms();

	svc->call = NULL;
	if (e && !(deleting && e->kind == ERR_NOT_FOUND)) {
		failed(svc, res, e);
		return;
	}
	svc->sent.version = deleting ? 0 : version_in(svc, res);
	svc_expect_done(&svc->expect);
	svc->expect = svc->sent;
	svc->sent = (struct svc_expect){0};
	svc->expect.set = deleting || svc->expect.version;
	svc->expect.until_ms = now + SHOW_MS;
	kube_queue_forget(&svc->space->queue, &svc->item);
	/* The watch may have been faster than the answer. */
	kube_queue_later(&svc->space->queue, &svc->item,
			 svc_caught_up(svc) ? now : svc->expect.until_ms);
}

/* Whoever waits for an address goes before. */
static void submit(struct svc *svc, struct kube_request *req)
{
	req->priority = KUBE_IDLE;
	svc->call = kube_submit(svc->all->in.process->client, req, done, svc);
}

void svc_call_create(struct svc *svc, enum svc_store store, const char *name, const char *body)
{
	AUTO(free) char *path = collection_of(svc, store);
	struct kube_request req = kube_request_create(path, body, clock_now_ms() + TIMEOUT_MS);

	expect(svc, store, name, NULL);
	submit(svc, &req);
}

void svc_call_patch(struct svc *svc, enum svc_store store, const struct api_meta *meta,
		    const char *body)
{
	AUTO(free) char *collection = collection_of(svc, store);
	AUTO(free) char *path = kube_path_child(collection, meta->name);
	struct kube_request req = kube_request_merge_patch(path, body, clock_now_ms() + TIMEOUT_MS);

	expect(svc, store, meta->name, NULL);
	svc->patched = xstrdup(meta->resource_version);
	submit(svc, &req);
}

void svc_call_delete(struct svc *svc, enum svc_store store, const struct api_meta *meta)
{
	AUTO(free) char *collection = collection_of(svc, store);
	AUTO(free) char *path = kube_path_child(collection, meta->name);
	AUTO(free) char *options = api_meta_delete_options(meta->uid, meta->resource_version);
	struct kube_request req = kube_request_delete(path, options, clock_now_ms() + TIMEOUT_MS);

	expect(svc, store, meta->name, meta->uid);
	submit(svc, &req);
}

void svc_tell(struct svc *svc, enum svc_event what, const char *msg)
{
	static const char *const reasons[SVC_TOLD] = {
		[SVC_NAME_TAKEN] = "MacvlanServiceNameTaken",
		[SVC_FORBIDDEN] = "Forbidden",
	};
	struct event v = {
		.api_version = "v1",
		.kind = "Service",
		.warning = true,
		.reason = reasons[what],
		.message = msg,
	};

	if (!svc->obj || event_was_told(&svc->told_ms[what]))
		return;
	v.about = &svc->obj->meta;
	log_info("service", "namespace", v.about->ns, "service", v.about->name, "reason", v.reason,
		 "message", msg);
	event_send(svc->all->in.process, &v);
}
