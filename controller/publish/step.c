/* SPDX-License-Identifier: Apache-2.0 */
/* What is the next write for one Service: from the caches to svc_plan.h and svc_pack.h, and to svc_calls.c. */
#include <stdlib.h>
#include <string.h>

#include "api/labels.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/objects.h"
#include "controller/publish/internal.h"
#include "controller/records/entry.h"
#include "controller/rules/svc_plan.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"
#include "lib/kube/store.h"

/* ------------------------------------------------------------------------------- what is wanted */

static const char *zone_of(const struct cluster *cluster, const char *node_name)
{
	const struct cluster_node *node = cluster_node(cluster, node_name);

	for (size_t i = 0; node && i < node->n_labels; i++) {
		if (str_eq(node->labels[i].key, "topology.kubernetes.io/zone"))
			return node->labels[i].value;
	}
	return NULL;
}

struct seen {
	struct svc_pod *pods; /* whose cards are up */
	size_t n_pods;
	bool any_card; /* one has an address at least */
};

static bool selects(const struct svc *svc, const struct entry *entry)
{
	const struct api_pod *pod = entry_pod(entry);

	return pod && !pod->service_off && api_labels_have(pod->labels, svc->obj->selector);
}

static void look(const struct svc *svc, struct seen *out)
{
	const struct svc_ns *space = map_get(&svc->all->spaces, svc->obj->meta.ns);
	const struct entry *entry;
	size_t pos = 0;

	*out = (struct seen){
		.pods = xcalloc((space ? space->entries.count : 0) + 1, sizeof(*out->pods))};
	while (space && (entry = map_each(&space->entries, &pos))) {
		const struct api_pod *pod = entry_pod(entry);
		const struct api_ip *card;

		if (!selects(svc, entry) || !entry_address(entry))
			continue;
		out->any_card = true;
		card = entry_card(entry);
		if (!card)
			continue;
		out->pods[out->n_pods++] = (struct svc_pod){
			.pod = pod,
			.addr = card->cidr.addr,
			.addr6 = card->cidr6.addr,
			.zone = zone_of(svc->all->in.cluster, pod->node),
			.stateful = api_pod_is_stateful(pod),
		};
	}
}

/* A workload that makes such pods exists, though it has none at present. */
static bool is_awaited(const struct svc *svc)
{
	const struct cluster *cluster = svc->all->in.cluster;

	for (int kind = 0; kind < API_WORKLOADS; kind++) {
		const struct api_workload *w;
		size_t pos = 0;

		while ((w = cluster_each(cluster, (enum cluster_kind)(CLUSTER_WORKLOADS + kind),
					 &pos, NULL))) {
			if (str_eq(w->meta.ns, svc->obj->meta.ns) && !w->meta.deletion &&
			    !w->service_off && api_labels_have(w->labels, svc->obj->selector))
				return true;
		}
	}
	return false;
}

/* It bears the name of another Service's -macvlan half: it is that, whoever made it. */
static bool is_in_the_way(const struct svc *svc)
{
	const struct svc *other = map_get(&svc->all->by_head, svc->key);

	return other && other != svc && other->obj;
}

static bool is_wanted(const struct svc *svc, const struct api_service *head,
		      const struct seen *seen)
{
	return !svc->obj->disabled && (seen->any_card || (head && is_awaited(svc)));
}

static bool is_eligible(const struct svc *svc)
{
	const struct api_service *obj = svc->obj;

	return obj && obj->selector && !obj->external_name && !obj->meta.deletion &&
	       !obj->made_for && !is_in_the_way(svc) &&
	       map_get(&svc->all->by_head, svc->head_key) == svc;
}

/* ------------------------------------------------------------------------------- the next write */

static const char *head_name(const struct svc *svc)
{
	return svc->head_key + strcspn(svc->head_key, "/") + 1;
}

/* What is made for it, in this store; objects that are not ours are not in it. */
static const struct api_endpoints *endpoints_of(const struct svc *svc)
{
	return kube_store_get_key(svc->all->store[SVC_ENDPOINTS], svc->head_key);
}

static bool is_ours(const struct svc *svc, const struct api_service *head)
{
	const char *name = svc->key + strcspn(svc->key, "/") + 1;

	return head->made_for && str_eq(head->owner, name);
}

static const struct api_slice **slices_of(const struct svc *svc, size_t *n)
{
	const struct svc_slices *s = map_get(&svc->all->slices, svc->head_key);

	*n = s ? s->n : 0;
	return s ? s->list : NULL;
}

/* Written in this round already: what has changed since waits for the next. */
static bool in_round(const struct svc *svc, const char *plural, const char *name)
{
	AUTO(free) char *what = xasprintf("%s/%s", plural, name);

	for (size_t i = 0; i < svc->n_round; i++) {
		if (str_eq(svc->round[i], what))
			return true;
	}
	return false;
}

static enum svc_step drop_slices(struct svc *svc)
{
	size_t n;
	const struct api_slice **list = slices_of(svc, &n);

	if (!n)
		return SVC_STEP_RIGHT;
	svc_call_delete(svc, SVC_SLICES, &list[0]->meta);
	return SVC_STEP_SENT;
}

static enum svc_step drop_endpoints(struct svc *svc)
{
	const struct api_endpoints *have = endpoints_of(svc);

	if (!have)
		return SVC_STEP_RIGHT;
	svc_call_delete(svc, SVC_ENDPOINTS, &have->meta);
	return SVC_STEP_SENT;
}

static enum svc_step drop_all(struct svc *svc, const struct api_service *head)
{
	enum svc_step step;

	if (head && is_ours(svc, head) && !head->meta.deletion) {
		svc_call_delete(svc, SVC_SERVICES, &head->meta);
		return SVC_STEP_SENT;
	}
	step = drop_endpoints(svc);
	return step == SVC_STEP_RIGHT ? drop_slices(svc) : step;
}

static enum svc_step put_head(struct svc *svc, const struct api_service *head,
			      const struct svc_groups *groups)
{
	AUTO(free) char *body = NULL;
	uint8_t families[2];
	struct svc_head_in in = {svc->obj, families, svc->all->in.copy_labels};

	svc_plan_families(groups, head, families);
	if (!head) {
		body = svc_plan_head_new(&in, head_name(svc));
		svc_call_create(svc, SVC_SERVICES, head_name(svc), body);
		return SVC_STEP_SENT;
	}
	if (head->meta.deletion)
		return SVC_STEP_STOP;
	switch (svc_plan_head(&in, head)) {
	case SVC_HEAD_REPLACE:
		svc_call_delete(svc, SVC_SERVICES, &head->meta);
		return SVC_STEP_SENT;
	case SVC_HEAD_PATCH:
		if (in_round(svc, "services", head->meta.name))
			return SVC_STEP_LATER;
		body = svc_plan_head_patch(&in, head);
		svc_call_patch(svc, SVC_SERVICES, &head->meta, body);
		return SVC_STEP_SENT;
	default:
		return SVC_STEP_RIGHT;
	}
}

static enum svc_step put_endpoints(struct svc *svc, const struct api_endpoints_owner *owner,
				   const struct svc_groups *groups)
{
	const struct api_endpoints *have = endpoints_of(svc);
	bool terminating = svc->obj->publish_not_ready;
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	if (!have) {
		if (in_round(svc, "endpoints", owner->name))
			return SVC_STEP_LATER;
		api_endpoints_write_new(&w, owner, groups->items, groups->n, terminating);
		svc_call_create(svc, SVC_ENDPOINTS, owner->name, sb_get(&sb));
		return SVC_STEP_SENT;
	}
	if (have->hash == api_endpoints_hash(groups->items, groups->n, terminating) &&
	    str_eq(have->owner_uid, owner->uid))
		return drop_slices(svc);
	if (in_round(svc, "endpoints", owner->name))
		return SVC_STEP_LATER;
	api_meta_begin_patch(&w, have->meta.uid, have->meta.resource_version);
	api_endpoints_write_owner(&w, owner);
	jw_end(&w);
	api_endpoints_write_body(&w, groups->items, groups->n, terminating);
	jw_end(&w);
	svc_call_patch(svc, SVC_ENDPOINTS, &have->meta, sb_get(&sb));
	return SVC_STEP_SENT;
}

static void send_op(struct svc *svc, const struct api_endpoints_owner *owner,
		    const struct svc_pack_op *op)
{
	const struct api_slice_content content = {op->group, op->eps, op->n_eps};
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	switch (op->kind) {
	case SVC_PACK_CREATE:
		api_slice_write_new(&w, owner, op->name, &content);
		svc_call_create(svc, SVC_SLICES, op->name, sb_get(&sb));
		break;
	case SVC_PACK_UPDATE:
		api_meta_begin_patch(&w, op->have->meta.uid, op->have->meta.resource_version);
		jw_end(&w);
		api_slice_write_body(&w, &content);
		jw_end(&w);
		svc_call_patch(svc, SVC_SLICES, &op->have->meta, sb_get(&sb));
		break;
	case SVC_PACK_DELETE:
		svc_call_delete(svc, SVC_SLICES, &op->have->meta);
		break;
	}
}

static enum svc_step put_slices(struct svc *svc, const struct api_endpoints_owner *owner,
				const struct svc_groups *groups)
{
	AUTO(svc_pack_done) struct svc_pack plan = {0};
	struct svc_pack_in in = {
		.service = owner->name,
		.owner_uid = owner->uid,
		.groups = groups->items,
		.n_groups = groups->n,
		.max = API_SLICE_MAX,
	};
	bool later = false;

	in.have = slices_of(svc, &in.n_have);
	svc_pack_plan(&in, &plan);
	for (size_t i = 0; i < plan.n; i++) {
		const struct svc_pack_op *op = &plan.ops[i];

		if (op->kind == SVC_PACK_DELETE ? later
						: in_round(svc, "endpointslices", op->name)) {
			later = true;
			continue;
		}
		send_op(svc, owner, op);
		return SVC_STEP_SENT;
	}
	/* An Endpoints object left behind goes on being mirrored. */
	return later ? SVC_STEP_LATER : drop_endpoints(svc);
}

static enum svc_step put_all(struct svc *svc, const struct api_service *head,
			     const struct seen *seen)
{
	AUTO(svc_groups_done) struct svc_groups groups = {0};
	struct api_endpoints_owner owner;
	enum svc_step step;
	char label[64];

	svc_plan_groups(svc->obj, seen->pods, seen->n_pods, &groups);
	step = put_head(svc, head, &groups);
	if (step != SVC_STEP_RIGHT)
		return step;
	owner = (struct api_endpoints_owner){
		.ns = svc->obj->meta.ns,
		.name = head->meta.name,
		.uid = head->meta.uid,
		.made_for = api_label_value(svc->obj->meta.name, label),
	};
	return svc->all->mode == SVC_MODE_SLICES ? put_slices(svc, &owner, &groups)
						 : put_endpoints(svc, &owner, &groups);
}

enum svc_step svc_step(struct svc *svc)
{
	const struct api_service *head =
		kube_store_get_key(svc->all->store[SVC_SERVICES], svc->head_key);
	struct seen seen = {0};
	enum svc_step step;

	if (!is_eligible(svc))
		return drop_all(svc, head);
	look(svc, &seen);
	if (!is_wanted(svc, head && is_ours(svc, head) ? head : NULL, &seen)) {
		step = drop_all(svc, head);
	} else if (head && !is_ours(svc, head)) {
		svc_tell(
			svc, SVC_NAME_TAKEN,
			"another Service already has the name that the -macvlan Service needs, and "
			"is left alone; rename or delete it, or set the annotation " API_ANNOTATION_SERVICE
			": disabled");
		step = drop_all(svc, head);
	} else {
		step = put_all(svc, head, &seen);
	}
	free(seen.pods);
	return step;
}
