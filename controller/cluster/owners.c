/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/cluster/owners.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/owner.h"
#include "api/workload.h"
#include "controller/process/process.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"

#define TIMEOUT_MS 10000
#define BODY_MAX   ((size_t)4 << 20)
#define DEPTH      6 /* a Pod of a ReplicaSet of a Rollout of an Application of ... */
#define LISTENERS  3
#define METADATA   "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

struct node {
	struct owners *all;
	char *id;
	char *ns;
	struct api_owner self;
	struct api_owner parent; /* of one that exists; kind "" = none */
	enum owners_proof proof;
	char *plural; /* of its kind; NULL = not known yet */
	struct kube_call *call;
	int64_t asked_ms;  /* 0 = never */
	int64_t looked_ms; /* when somebody last wanted to know */
	int64_t used_ms;   /* when one of its addresses was last known to be used, or it was made */
};

struct owners {
	const struct process *process;
	struct map by_id; /* struct node */
	struct {
		void (*fn)(void *ctx);
		void *ctx;
	} listeners[LISTENERS];
	size_t n_listeners;
	int64_t period_ms; /* when the next one begins */
};

static void ask(struct node *node);

static void tell(const struct owners *all)
{
	for (size_t i = 0; i < all->n_listeners; i++)
		all->listeners[i].fn(all->listeners[i].ctx);
}

static void node_free(struct node *node)
{
	kube_cancel(node->call);
	map_remove(&node->all->by_id, node->id);
	api_owner_done(&node->self);
	api_owner_done(&node->parent);
	free(node->plural);
	free(node->id);
	free(node->ns);
	free(node);
}

/* NULL: it is no such id. */
static struct node *node_get(struct owners *all, const char *id)
{
	struct node *node = map_get(&all->by_id, id);
	AUTO(api_owner_done) struct api_owner self = {0};
	AUTO(free) char *ns = NULL;

	if (!node) {
		if (!api_owner_parse(id, &self, &ns))
			return NULL;
		node = xcalloc(1, sizeof(*node));
		node->all = all;
		node->id = xstrdup(id);
		node->ns = STEAL(ns);
		node->self = self;
		self = (struct api_owner){0};
		node->used_ms = clock_now_ms();
		map_put(&all->by_id, node->id, node);
	}
	node->looked_ms = clock_now_ms();
	if (!node->asked_ms)
		ask(node);
	return node;
}

/* ------------------------------------------------------------------------------- asking */

static void learnt(struct node *node, enum owners_proof proof)
{
	enum owners_proof was = node->proof;

	/* Who does not answer now has not said anything else. */
	if (proof == OWNERS_UNREADABLE && was == OWNERS_EXISTS)
		return;
	node->proof = proof;
	if (proof == was)
		return;
	log_debug("owner of pods", "owner", node->id, "state",
		  proof == OWNERS_EXISTS ? "exists"
		  : proof == OWNERS_GONE ? "gone"
					 : "unreadable");
	tell(node->all);
}

static void failed(struct node *node, const struct err *e)
{
	if (e->kind == ERR_NOT_FOUND)
		learnt(node, OWNERS_GONE);
	else if (kube_is_refusal(e))
		learnt(node, node->proof == OWNERS_GONE ? OWNERS_GONE : OWNERS_UNREADABLE);
	else
		learnt(node, node->proof == OWNERS_ASKING ? OWNERS_UNREADABLE : node->proof);
}

/* Its UID, and who owns it in turn. */
static int read_object(const struct kube_response *res, struct node *node, bool *same,
		       struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	AUTO(api_owner_done) struct api_owner parent = {0};
	const char *uid = "";
	struct jval root, meta;

	if (kube_response_parse(res, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jneed_obj(&root, "metadata", &meta, e) < 0 || jget_str(&meta, "uid", &uid, e) < 0 ||
	    api_owner_decode(&meta, &parent, e) < 0)
		return -1;
	*same = str_eq(uid, node->self.uid);
	if (*same) {
		api_owner_done(&node->parent);
		node->parent = parent;
		parent = (struct api_owner){0};
	}
	return 0;
}

static void answer_object(void *ctx, struct kube_response *res, const struct err *e)
{
	struct node *node = ctx;
	struct err why = {0};
	bool same = false;

	node->call = NULL;
	if (e)
		failed(node, e);
	else if (read_object(res, node, &same, &why) < 0)
		failed(node, &why);
	else
		learnt(node, same ? OWNERS_EXISTS : OWNERS_GONE);
}

static void ask_object(struct node *node)
{
	AUTO(free)
	char *path =
		kube_path(node->self.api_version, node->ns, node->plural, node->self.name, NULL);
	struct kube_request req = kube_request_get(path, NULL, clock_now_ms() + TIMEOUT_MS);

	req.accept = METADATA;
	req.max_body = BODY_MAX;
	node->call = kube_submit(node->all->process->client, &req, answer_object, node);
}

/* The plural of its kind, in the list of what the server has of that group; NULL = it has none in namespaces. */
static int read_plural(const struct kube_response *res, const char *kind, char **out, struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root, list, item;

	if (kube_response_parse(res, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jneed_arr(&root, "resources", &list, e) < 0)
		return -1;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		const char *name = "", *its = "";
		bool namespaced = false;

		if (jas_obj(&item, e) < 0 || jget_str(&item, "name", &name, e) < 0 ||
		    jget_str(&item, "kind", &its, e) < 0 ||
		    jget_bool(&item, "namespaced", &namespaced, e) < 0)
			return -1;
		/* "x/status" is a part of it. */
		if (namespaced && str_eq(its, kind) && !strchr(name, '/')) {
			*out = xstrdup(name);
			return 0;
		}
	}
	return 0;
}

static void answer_plural(void *ctx, struct kube_response *res, const struct err *e)
{
	struct node *node = ctx;
	struct err why = {0};

	node->call = NULL;
	if (e)
		failed(node, e);
	else if (read_plural(res, node->self.kind, &node->plural, &why) < 0)
		failed(node, &why);
	else if (!node->plural)
		learnt(node, OWNERS_GONE);
	else
		ask_object(node);
}

static void ask(struct node *node)
{
	const struct process *process = node->all->process;
	AUTO(free) char *path = NULL;
	struct kube_request req;

	if (node->call || process->phase != PHASE_RUN || !process->client)
		return;
	node->asked_ms = clock_now_ms();
	if (node->plural) {
		ask_object(node);
		return;
	}
	path = kube_path_group(node->self.api_version);
	req = kube_request_get(path, NULL, clock_now_ms() + TIMEOUT_MS);
	req.max_body = BODY_MAX;
	node->call = kube_submit(process->client, &req, answer_plural, node);
}

/* ------------------------------------------------------------------------------- what is known */

struct owners *owners_new(const struct process *process)
{
	struct owners *all = xcalloc(1, sizeof(*all));

	all->process = process;
	return all;
}

void owners_free(struct owners *all)
{
	struct node *node;
	size_t pos;

	if (!all)
		return;
	while (pos = 0, (node = map_each(&all->by_id, &pos)))
		node_free(node);
	map_done(&all->by_id);
	free(all);
}

void owners_listen(struct owners *all, void (*fn)(void *ctx), void *ctx)
{
	if (all->n_listeners == LISTENERS)
		abort();
	all->listeners[all->n_listeners].fn = fn;
	all->listeners[all->n_listeners++].ctx = ctx;
}

bool owners_top(struct owners *all, const char *ns, const struct api_owner *owner, char **out)
{
	AUTO(free) char *top = NULL; /* the last that counts */

	*out = NULL;
	for (int depth = 0; depth < DEPTH && owner->kind && *owner->kind; depth++) {
		AUTO(free) char *id = api_workload_id_of_owner(owner, ns);
		struct node *node = node_get(all, id);

		if (node && node->proof == OWNERS_ASKING)
			return false;
		if (node && node->proof == OWNERS_GONE)
			break;
		free(top);
		top = STEAL(id);
		/* One of the kinds that we watch, or the end of what can be read. */
		if (!node || node->proof == OWNERS_UNREADABLE)
			break;
		owner = &node->parent;
	}
	*out = STEAL(top);
	return true;
}

enum owners_proof owners_proof(struct owners *all, const char *id)
{
	const struct node *node = node_get(all, id);

	return node ? node->proof : OWNERS_GONE;
}

bool owners_keeps(struct owners *all, const char *id, bool used)
{
	struct node *node = node_get(all, id);
	int64_t now = clock_now_ms();

	if (!node)
		return false;
	if (used)
		node->used_ms = now;
	return node->proof != OWNERS_GONE &&
	       (node->proof != OWNERS_UNREADABLE || now < node->used_ms + OWNERS_UNREADABLE_MS);
}

/* Who listens looks at those that it still needs; the others are forgotten. */
int64_t owners_run(struct owners *all)
{
	int64_t now = clock_now_ms();
	struct node *node;
	size_t pos = 0;

	if (all->process->phase != PHASE_RUN)
		return 0;
	if (all->period_ms > now)
		return all->period_ms;
	all->period_ms = now + OWNERS_PERIOD_MS;
	tell(all);
	while ((node = map_each(&all->by_id, &pos))) {
		if (node->looked_ms >= now - OWNERS_PERIOD_MS * 2) {
			ask(node);
			continue;
		}
		node_free(node);
		pos = 0;
	}
	return all->period_ms;
}

void owners_set(struct owners *all, const char *id, enum owners_proof proof)
{
	struct node *node = node_get(all, id);

	if (node)
		learnt(node, proof);
}
