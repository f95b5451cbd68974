/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/admission/view.h"

#include <stdlib.h>
#include <string.h>

#include "api/owner.h"
#include "api/workload.h"
#include "controller/addresses/reservations.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/objects.h"
#include "controller/cluster/subnet_object.h"
#include "controller/facts/facts.h"
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

static bool kept_of(const struct ipam_nets *l, size_t at, const char *kind, struct admit_kept *out)
{
	if (at < l->n)
		*out = (struct admit_kept){l->v[at], kind, NULL};
	return at < l->n;
}

/*
 * The nodes' own, of which each has one for a family. *pos is where the caches are to go on, and below that bit which
 * of the node's.
 */
static bool node_kept(const struct admission_view *v, size_t *pos, struct admit_kept *out)
{
	const struct cluster_node *n;
	const char *key = NULL;
	size_t next = *pos >> 1, at = *pos & 1;

	while ((n = cluster_each(v->cluster, CLUSTER_NODES, &next, &key))) {
		bool more = !at && n->pod_cidrs.n > 1;

		*out = (struct admit_kept){.kind = "pod", .node = key};
		*pos = more ? *pos | 1 : next << 1;
		if (at < n->pod_cidrs.n) {
			out->net = n->pod_cidrs.v[at];
			return true;
		}
		at = 0;
	}
	return false;
}

/* Those that are known, and of each node what is not in them: it may be new. */
static bool next_kept(void *ctx, size_t *pos, struct admit_kept *out)
{
	const struct admission_view *v = ctx;
	const struct ipam_nets *services = facts_services(v->facts), *pods = facts_pods(v->facts);
	size_t known = services->n + pods->n, at;
	bool found;

	if (*pos < known) {
		at = (*pos)++;
		return kept_of(services, at, "service", out) ||
		       kept_of(pods, at - services->n, "pod", out);
	}
	at = *pos - known;
	do {
		found = node_kept(v, &at, out);
	} while (found && ipam_nets_covers(pods, &out->net));
	*pos = at + known;
	return found;
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

/* Who is not known yet is nobody of the workload's. */
static char *pod_owner(const struct admission_view *v, const struct api_pod *pod)
{
	char *id = NULL;

	IGNORE(reservations_pod_owner(v->reservations, pod, &id), "said above");
	return id;
}

static char *owner(void *ctx, const struct admit_holder *h)
{
	const struct admission_view *v = ctx;
	const struct entry *entry = h->own;
	AUTO(free) char *ns = xstrndup(entry_key(entry), strcspn(entry_key(entry), "/"));
	const struct api_workload *set;

	if (entry_pod(entry))
		return pod_owner(v, entry_pod(entry));
	/* A StatefulSet's record waits for its next pod. */
	set = reservations_statefulset(v->reservations, ns, entry_key(entry) + strlen(ns) + 1);
	return set ? api_workload_id(set) : NULL;
}

static char *namer(void *ctx, const char *subnet, const struct ip_addr *addr)
{
	const struct admission_view *v = ctx;
	const char *id = reservations_find(v->reservations, subnet, addr);

	return id ? api_owner_title(id) : NULL;
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
				    .next_kept = next_kept,
				    .find_subnet = find_subnet,
				    .owner = owner,
				    .namer = namer,
				    .node = node,
				    .labels = labels};
}
