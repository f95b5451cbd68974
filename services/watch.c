/* SPDX-License-Identifier: Apache-2.0 */
#include "services/watch.h"

#include <string.h>

#include "api/clusterip.h"
#include "api/endpoints.h"
#include "api/master.h"
#include "api/subnet.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/kube/reflector.h"
#include "lib/kube/served.h"
#include "lib/kube/store.h"
#include "services/entry/entry.h"

/* A rollout changes a slice many times: looked at once for all that comes within. */
#define GATHER_MS  20
#define TIMEOUT_MS 20000
#define LANS_MAX   1024

enum { SERVICES, BACKENDS, SUBNETS, STORES };

struct watch {
	struct kube_client *client;
	const char *node;
	struct kube_store *store[STORES];
	struct kube_reflector *reflector[STORES];
	struct map entries; /* struct watch_entry */
	struct kube_queue queue;
	struct kube_call *discovery;
	int64_t discover_ms; /* when to ask which kind the server has; 0 = it is known, or is being asked */
	unsigned int failures;
	bool endpoints; /* it has Endpoints alone */
	struct plan_lan *lans;
	size_t n_lans;
};

/* ------------------------------------------------------------------------------- entries */
static struct watch_entry *entry_of(struct watch *w, const char *ns, const char *name)
{
	AUTO(free) char *key = xasprintf("%s/%s", ns, name);
	struct watch_entry *entry = map_get(&w->entries, key);

	if (entry)
		return entry;
	entry = xcalloc(1, sizeof(*entry));
	entry->key = STEAL(key);
	map_put(&w->entries, entry->key, entry);
	return entry;
}

static void entry_free(struct watch_entry *entry)
{
	for (size_t i = 0; i < entry->n_placed; i++)
		free(entry->placed[i]);
	free(entry->placed);
	free(entry->placed_at);
	free(entry->own);
	free(entry->cards);
	free(entry->key);
	free(entry);
}

void watch_forget_placed(struct watch *w)
{
	struct watch_entry *entry;

	for (size_t i = 0; (entry = map_each(&w->entries, &i));) {
		for (size_t k = 0; k < entry->n_placed; k++)
			free(entry->placed[k]);
		entry->n_placed = 0;
	}
}

static void mark(struct watch *w, struct watch_entry *entry)
{
	kube_queue_mark(&w->queue, &entry->item, clock_now_ms() + GATHER_MS);
}

void watch_mark_all(struct watch *w)
{
	struct watch_entry *entry;

	for (size_t i = 0; (entry = map_each(&w->entries, &i));)
		kube_queue_mark(&w->queue, &entry->item, clock_now_ms());
}

void watch_settle(struct watch *w, struct watch_entry *entry)
{
	if (entry->n_own || entry->n_cards || entry->n_placed ||
	    entry->item.state != KUBE_QUEUE_IDLE ||
	    kube_store_get_key(w->store[SERVICES], entry->key))
		return;
	map_remove(&w->entries, entry->key);
	entry_free(entry);
}

/* ------------------------------------------------------------------------------- what the stores tell */
static void list_add(const struct api_backends ***v, size_t *n, const struct api_backends *b)
{
	*v = xreallocarray(*v, *n + 1, sizeof(**v));
	(*v)[(*n)++] = b;
}

static void list_drop(const struct api_backends **v, size_t *n, const struct api_backends *b)
{
	for (size_t i = 0; i < *n; i++) {
		if (v[i] != b)
			continue;
		v[i] = v[--*n];
		return;
	}
}

static void backends_changed(void *ctx, const char *key, const void *old, const void *obj)
{
	const struct api_backends *was = old, *is = obj;
	struct watch *w = ctx;
	struct watch_entry *entry;

	(void)key;
	if (was) {
		entry = entry_of(w, was->ns, was->made_for ? was->made_for : was->service);
		list_drop(entry->own, &entry->n_own, was);
		list_drop(entry->cards, &entry->n_cards, was);
		mark(w, entry);
	}
	if (!is)
		return;
	entry = entry_of(w, is->ns, is->made_for ? is->made_for : is->service);
	if (is->made_for)
		list_add(&entry->cards, &entry->n_cards, is);
	else
		list_add(&entry->own, &entry->n_own, is);
	mark(w, entry);
}

static void service_changed(void *ctx, const char *key, const void *old, const void *obj)
{
	const struct api_cluster_service *s = obj ? obj : old;
	struct watch *w = ctx;

	(void)key;
	mark(w, entry_of(w, s->meta.ns, s->meta.name));
}

static struct plan_lan lan_of(const struct api_subnet *s)
{
	char master[API_MASTER_TEXT];

	return (struct plan_lan){
		.scope = entry_scope(api_master_text(&s->network, master), s->network.vlan,
				     &s->v.cidr),
		.nets = {s->v.cidr, s->v6.cidr},
	};
}

/* Few and rare: the whole list is made anew. */
static void lans_make(struct watch *w)
{
	const struct api_subnet *s;

	w->n_lans = 0;
	for (size_t i = 0; (s = kube_store_each(w->store[SUBNETS], &i, NULL));) {
		if (w->n_lans == LANS_MAX)
			return;
		w->lans = xreallocarray(w->lans, w->n_lans + 1, sizeof(*w->lans));
		w->lans[w->n_lans++] = lan_of(s);
	}
}

static void subnet_changed(void *ctx, const char *key, const void *old, const void *obj)
{
	(void)key;
	(void)old;
	(void)obj;
	watch_mark_all(ctx);
}

static void bad(void *ctx, const char *key, const struct err *why)
{
	(void)ctx;
	log_warn("an object cannot be read", "object", key, "error", why->msg);
}

static int decode_service(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	(void)ctx;
	return api_cluster_service_decode(obj, (struct api_cluster_service **)out, e);
}

static int decode_backends(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct watch *w = ctx;
	struct api_backends **b = (struct api_backends **)out;

	return w->endpoints ? api_backends_decode_endpoints(obj, w->node, b, e)
			    : api_backends_decode_slice(obj, w->node, b, e);
}

static int decode_subnet(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	(void)ctx;
	return api_subnet_decode(obj, (struct api_subnet **)out, e);
}

static void free_service(void *obj)
{
	api_cluster_service_free(obj);
}

static void free_backends(void *obj)
{
	api_backends_free(obj);
}

static void free_subnet(void *obj)
{
	api_subnet_free(obj);
}

static const struct kube_store_ops ops[STORES] = {
	[SERVICES] = {.decode = decode_service,
		      .free = free_service,
		      .changed = service_changed,
		      .bad = bad},
	[BACKENDS] = {.decode = decode_backends,
		      .free = free_backends,
		      .changed = backends_changed,
		      .bad = bad},
	[SUBNETS] = {.decode = decode_subnet,
		     .free = free_subnet,
		     .changed = subnet_changed,
		     .bad = bad},
};

/* ------------------------------------------------------------------------------- beginning */
static void failed(const char *path, const struct err *why)
{
	log_warn("cannot list or watch", "path", path, "error", why->msg);
}

static void start(struct watch *w, int which, const char *path)
{
	struct kube_reflector_options opt = {.path = path, .failed = failed};

	w->store[which] = kube_store_new(&ops[which], w);
	w->reflector[which] = kube_reflector_new(w->client, w->store[which], &opt);
}

struct watch *watch_new(struct kube_client *client, const char *node)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->client = client;
	w->node = node;
	start(w, SERVICES, "/api/v1/services");
	start(w, SUBNETS, "/apis/tandem-cni.io/v1/macvlansubnets");
	w->discover_ms = clock_now_ms();
	return w;
}

void watch_free(struct watch *w)
{
	struct watch_entry *entry;

	if (!w)
		return;
	kube_cancel(w->discovery);
	for (int i = 0; i < STORES; i++) {
		kube_reflector_free(w->reflector[i]);
		kube_store_free(w->store[i]);
	}
	for (size_t i = 0; (entry = map_each(&w->entries, &i));)
		entry_free(entry);
	map_done(&w->entries);
	kube_queue_done(&w->queue);
	free(w->lans);
	free(w);
}

/* Kubernetes before 1.21 has no slices of that version, and its Endpoints say what is needed. */
static void discovered(void *ctx, struct kube_response *res, const struct err *e)
{
	struct watch *w = ctx;

	w->discovery = NULL;
	if (e && e->kind != ERR_NOT_FOUND) {
		w->discover_ms = clock_now_ms() + kube_queue_backoff_ms(++w->failures);
		return;
	}
	w->endpoints = e || !kube_serves(res, "endpointslices");
	log_info("endpoints are read as", "kind", w->endpoints ? "Endpoints" : "EndpointSlice");
	start(w, BACKENDS,
	      w->endpoints ? "/api/v1/endpoints" : "/apis/" API_GROUP_DISCOVERY "/endpointslices");
}

void watch_run(struct watch *w, int64_t *next_ms)
{
	int64_t now = clock_now_ms();

	if (w->discover_ms && w->discover_ms <= now) {
		struct kube_request req =
			kube_request_get("/apis/" API_GROUP_DISCOVERY, NULL, now + TIMEOUT_MS);

		w->discover_ms = 0;
		w->discovery = kube_submit(w->client, &req, discovered, w);
	}
	*next_ms = w->discover_ms;
}

/* ------------------------------------------------------------------------------- asking */
/* A cluster without our kinds has no LANs. */
static bool has_no_subnets(const struct watch *w)
{
	return kube_reflector_error(w->reflector[SUBNETS])->kind == ERR_NOT_FOUND;
}

bool watch_is_complete(const struct watch *w)
{
	return w->store[BACKENDS] && kube_store_is_synced(w->store[SERVICES]) &&
	       kube_store_is_synced(w->store[BACKENDS]) &&
	       (kube_store_is_synced(w->store[SUBNETS]) || has_no_subnets(w));
}

int64_t watch_age_ms(const struct watch *w, int64_t now_ms)
{
	int64_t services, backends;

	if (!w->reflector[BACKENDS])
		return -1;
	services = kube_reflector_age_ms(w->reflector[SERVICES], now_ms);
	backends = kube_reflector_age_ms(w->reflector[BACKENDS], now_ms);
	if (services < 0 || backends < 0)
		return -1;
	return services > backends ? services : backends;
}

struct kube_queue *watch_queue(struct watch *w)
{
	return &w->queue;
}

void watch_plan(struct watch *w, const struct watch_entry *entry, struct plan *out)
{
	struct plan_in in = {
		.service = kube_store_get_key(w->store[SERVICES], entry->key),
		.backends = entry->own,
		.n_backends = entry->n_own,
		.cards = entry->cards,
		.n_cards = entry->n_cards,
	};

	*out = (struct plan){0};
	if (!in.service)
		return;
	if (in.service->eth1)
		lans_make(w);
	in.lans = w->lans;
	in.n_lans = w->n_lans;
	plan_make(&in, out);
}
