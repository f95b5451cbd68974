/* SPDX-License-Identifier: Apache-2.0 */
#include "node/install/watch.h"

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/kube/path.h"
#include "lib/kube/reflector.h"
#include "lib/kube/store.h"
#include "node/install/orders.h"

struct orders_watch {
	struct kube_store *store;
	struct kube_reflector *reflector;
	struct orders *orders;
	orders_changed_fn *changed;
	void *ctx;
};

/* Nothing is kept in the store but that it was there: the settings outlive it. */
static int decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct orders_watch *c = ctx;

	if (orders_read(obj, c->orders, e) < 0)
		return -1;
	*out = xstrdup("");
	return 0;
}

static void changed(void *ctx, const char *key, const void *old, const void *obj)
{
	struct orders_watch *c = ctx;

	(void)old;
	/*
	 * The order to remove as well: it goes with the rest of what was applied, a moment before
	 * this daemon does.
	 */
	if (!obj)
		log_warn("the ConfigMap is gone; what it said holds on", "configmap", key);
	c->changed(c->ctx);
}

static void synced(void *ctx)
{
	struct orders_watch *c = ctx;

	c->changed(c->ctx);
}

static void bad(void *ctx, const char *key, const struct err *why)
{
	(void)ctx;
	log_warn("ConfigMap cannot be read", "configmap", key, "error", why->msg);
}

static void watch_failed(const char *path, const struct err *why)
{
	log_warn("list or watch failed, trying again", "path", path, "error", why->msg);
}

static const struct kube_store_ops ops = {decode, free, changed, synced, bad};

struct orders_watch *orders_watch_new(struct kube_client *client, const char *ns,
				      struct orders *orders, orders_changed_fn *changed_fn,
				      void *ctx)
{
	AUTO(free) char *path = kube_path("v1", ns, "configmaps", NULL, NULL);
	AUTO(sb_done) struct sb query = SB_INIT;
	struct kube_reflector_options opt = {.path = path, .failed = watch_failed};
	struct orders_watch *c = xcalloc(1, sizeof(*c));

	c->orders = orders;
	c->changed = changed_fn;
	c->ctx = ctx;
	c->store = kube_store_new(&ops, c);
	/* One name: a right over this ConfigMap alone is enough. */
	kube_query_add_field(&query, "metadata.name", ORDERS_CONFIGMAP);
	opt.query = sb_get(&query);
	c->reflector = kube_reflector_new(client, c->store, &opt);
	return c;
}

void orders_watch_free(struct orders_watch *c)
{
	if (!c)
		return;
	kube_reflector_free(c->reflector);
	kube_store_free(c->store);
	free(c);
}

bool orders_watch_knows(const struct orders_watch *c)
{
	return kube_store_is_synced(c->store);
}
