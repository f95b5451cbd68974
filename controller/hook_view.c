#include "controller/hook_view.h"

#include <string.h>

#include "api/workload.h"
#include "controller/app.h"
#include "controller/cache.h"
#include "controller/ent.h"
#include "controller/reserve.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/store.h"

static void fill_subnet(const struct subnet_obj *o, struct admit_subnet *out)
{
	*out = (struct admit_subnet){o->meta.name, o->spec, o->why.msg, o->meta.deletion != 0};
}

static bool next_subnet(void *ctx, size_t *pos, struct admit_subnet *out)
{
	const struct app *app = ctx;
	const struct subnet_obj *o = kube_store_each(app->store[STORE_SUBNETS], pos, NULL);

	if (o)
		fill_subnet(o, out);
	return o;
}

static bool find_subnet(void *ctx, const char *name, struct admit_subnet *out)
{
	const struct app *app = ctx;
	const struct subnet_obj *o =
		kube_store_get(app->store[STORE_SUBNETS], app->opt.system_ns, name);

	if (o)
		fill_subnet(o, out);
	return o;
}

/* The record that tells where the entry's address is. */
static const struct api_ip *record_of(const struct ent *ent)
{
	const struct api_ip *ip = ent_record(ent);

	ip = ip ? ip : ent->lost;
	return ip && ip->subnet ? ip : NULL;
}

static bool is_leaving(const struct ent *ent, const struct api_ip *ip)
{
	return !ent->pod || ent->pod->meta.deletion || api_pod_is_over(ent->pod) ||
	       !str_eq(ent->pod->meta.uid, ip->pod_id);
}

static bool next_holder(void *ctx, size_t *pos, struct admit_holder *out)
{
	const struct app *app = ctx;
	const struct ent *ent;

	while ((ent = map_each(&app->ents, pos))) {
		const struct api_ip *ip = record_of(ent);

		if (!ip || !ip_is_set(&ent->claimed))
			continue;
		*out = (struct admit_holder){.pod = ent->key,
					     .subnet = ip->subnet,
					     .network = &ip->network,
					     .addr = ent->claimed,
					     .addr6 = ent->claimed6,
					     .mac = ent->claimed_mac,
					     .leaving = is_leaving(ent, ip),
					     .own = ent};
		return true;
	}
	return false;
}

static char *owner(void *ctx, const struct admit_holder *h)
{
	const struct app *app = ctx;
	const struct ent *ent = h->own;
	AUTO(free) char *ns = xstrndup(ent->key, strcspn(ent->key, "/"));
	const struct api_workload *set;

	if (ent->pod)
		return reserve_pod_owner(app, ent->pod);
	/* A StatefulSet's record waits for its next pod. */
	set = reserve_statefulset(app, ns, ent->key + strlen(ns) + 1);
	return set ? api_workload_id(set) : NULL;
}

static char *namer(void *ctx, const char *subnet, const struct ip_addr *addr)
{
	const struct api_workload *w = reserve_find(ctx, subnet, addr);

	return w ? api_workload_id(w) : NULL;
}

static const char *node(void *ctx, const struct ip_addr *addr)
{
	const struct app *app = ctx;
	const struct node_obj *n;
	const char *key = NULL;
	size_t pos = 0;

	while ((n = kube_store_each(app->store[STORE_NODES], &pos, &key))) {
		for (size_t i = 0; i < n->n_addrs; i++) {
			if (ip_eq(&n->addrs[i], addr))
				return key;
		}
	}
	return NULL;
}

static bool labels(void *ctx, const char *ns, const struct api_label **out, size_t *n)
{
	const struct ns_obj *o = cache_ns(ctx, ns);

	if (!o)
		return false;
	*out = o->labels;
	*n = o->n_labels;
	return true;
}

struct admit_world hook_view(struct app *app)
{
	return (struct admit_world){.system_ns = app->opt.system_ns,
				    .ctx = app,
				    .next_subnet = next_subnet,
				    .next_holder = next_holder,
				    .find_subnet = find_subnet,
				    .owner = owner,
				    .namer = namer,
				    .node = node,
				    .labels = labels};
}

bool hook_view_is_complete(const struct app *app)
{
	for (int i = 0; i < STORES; i++) {
		if (!kube_store_is_synced(app->store[i]))
			return false;
	}
	return true;
}
