/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/admission/view.h"

#include <stdlib.h>
#include <string.h>

#include "api/workload.h"
#include "controller/addresses/reservations.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/objects.h"
#include "controller/cluster/subnet_object.h"
#include "controller/records/entry.h"
#include "controller/records/records.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

static void fill_subnet(const struct subnet_object *o, struct admit_subnet *out)
{
	*out = (struct admit_subnet){o->meta.name, o->spec, o->why.msg, o->meta.deletion != 0};
}

static bool next_subnet(void *ctx, size_t *pos, struct admit_subnet *out)
{
	const struct admission_view *v = ctx;
	const struct subnet_object *o = cluster_each(v->cluster, CLUSTER_SUBNETS, pos, NULL);

	if (o)
		fill_subnet(o, out);
	return o;
}

static bool find_subnet(void *ctx, const char *name, struct admit_subnet *out)
{
	const struct admission_view *v = ctx;
	const struct subnet_object *o = cluster_subnet(v->cluster, name);

	if (o)
		fill_subnet(o, out);
	return o;
}

static bool is_leaving(const struct entry *entry, const struct api_ip *ip)
{
	const struct api_pod *pod = entry_pod(entry);

	return !pod || pod->meta.deletion || api_pod_is_over(pod) ||
	       !str_eq(pod->meta.uid, ip->pod_id);
}

static bool next_holder(void *ctx, size_t *pos, struct admit_holder *out)
{
	const struct admission_view *v = ctx;
	const struct entry *entry;

	while ((entry = records_each(v->records, pos))) {
		const struct api_ip *ip = entry_home(entry);
		const struct holder *h = entry_holder(entry);

		if (!ip || !ip_is_set(&h->addr))
			continue;
		*out = (struct admit_holder){.pod = entry_key(entry),
					     .subnet = ip->subnet,
					     .network = &ip->network,
					     .addr = h->addr,
					     .addr6 = h->addr6,
					     .mac = h->mac,
					     .leaving = is_leaving(entry, ip),
					     .own = entry};
		return true;
	}
	return false;
}

static char *owner(void *ctx, const struct admit_holder *h)
{
	const struct admission_view *v = ctx;
	const struct entry *entry = h->own;
	AUTO(free) char *ns = xstrndup(entry_key(entry), strcspn(entry_key(entry), "/"));
	const struct api_workload *set;

	if (entry_pod(entry))
		return reservations_pod_owner(v->reservations, entry_pod(entry));
	/* A StatefulSet's record waits for its next pod. */
	set = reservations_statefulset(v->reservations, ns, entry_key(entry) + strlen(ns) + 1);
	return set ? api_workload_id(set) : NULL;
}

static char *namer(void *ctx, const char *subnet, const struct ip_addr *addr)
{
	const struct admission_view *v = ctx;
	const struct api_workload *w = reservations_find(v->reservations, subnet, addr);

	return w ? api_workload_id(w) : NULL;
}

static const char *node(void *ctx, const struct ip_addr *addr)
{
	const struct admission_view *v = ctx;
	const struct cluster_node *n;
	const char *key = NULL;
	size_t pos = 0;

	while ((n = cluster_each(v->cluster, CLUSTER_NODES, &pos, &key))) {
		for (size_t i = 0; i < n->n_addrs; i++) {
			if (ip_eq(&n->addrs[i], addr))
				return key;
		}
	}
	return NULL;
}

static bool labels(void *ctx, const char *ns, const struct api_label **out, size_t *n)
{
	const struct admission_view *v = ctx;
	const struct cluster_namespace *o = cluster_namespace(v->cluster, ns);

	if (!o)
		return false;
	*out = o->labels;
	*n = o->n_labels;
	return true;
}

struct admit_world admission_world(const struct admission_view *v)
{
	return (struct admit_world){.system_ns = v->system_ns,
				    .ctx = (void *)v,
				    .next_subnet = next_subnet,
				    .next_holder = next_holder,
				    .find_subnet = find_subnet,
				    .owner = owner,
				    .namer = namer,
				    .node = node,
				    .labels = labels};
}
