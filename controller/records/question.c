/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/records/question.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/addresses/reservations.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/objects.h"
#include "controller/cluster/subnet_object.h"
#include "controller/records/internal.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

/* Where the pod names no subnet its namespace's default counts. */
static int read_request(struct entry *entry, struct err *e)
{
	const struct api_pod *pod = entry->pod;
	const char *subnet = cluster_default_subnet(entry->all->in.cluster, pod->meta.ns);
	const struct api_request *r;
	int rc = subnet ? api_annotations_by_default(&pod->annotations, subnet, &entry->request, e)
			: 0;

	entry->by_default = rc != 0;
	if (rc)
		return rc < 0 ? -1 : 0;
	if (api_annotations_request(&pod->annotations, &r, e) < 0)
		return -1;
	entry->request = api_request_copy(r);
	return 0;
}

bool question_request(struct entry *entry, struct err *e)
{
	api_request_done(&entry->request);
	if (read_request(entry, e) < 0)
		return false;
	free(entry->owner);
	entry->owner_known =
		reservations_pod_owner(entry->all->in.reservations, entry->pod, &entry->owner);
	return true;
}

/* Of the subnets that a pod names: may it have that one, and is there an address for it? */
struct candidate {
	char *name;
	struct subnet *subnet;
	enum decide_reason why;
	char msg[512];
	bool has_free;
};

static void look_at(struct entry *entry, struct decide_new_in *in, struct candidate *c)
{
	const struct subnet_object *obj;

	if (c->name) {
		free(entry->request.subnet);
		entry->request.subnet = xstrdup(c->name);
	}
	c->subnet = c->name ? subnets_find(entry->all->in.subnets, c->name) : NULL;
	obj = c->subnet ? subnet_object(c->subnet) : NULL;
	in->subnet_found = obj != NULL;
	in->subnet_terminating = obj && obj->meta.deletion;
	in->subnet = obj ? obj->spec : NULL;
	in->subnet_why = obj ? obj->why.msg : NULL;
	c->why = decide_new(in, c->msg, sizeof(c->msg));
	c->has_free = c->why == DECIDE_OK && subnet_has_free(c->subnet, &entry->request);
}

/* Which is the one: decide_subnet() says so by what is known of each. */
static size_t choose(const struct entry *entry, const struct candidate *all, size_t n)
{
	const struct api_ip *rec = entry_record(entry);
	struct decide_subnet_in in[API_REQUEST_SUBNETS_MAX];

	for (size_t i = 0; i < n; i++)
		in[i] = (struct decide_subnet_in){
			.fits = all[i].why == DECIDE_OK,
			.has_free = all[i].has_free,
			.is_own = rec && str_eq(rec->subnet, all[i].name),
			.has_address = rec && api_ip_is_allocated(rec),
		};
	return decide_subnet(in, n);
}

/* Which subnet, and why not those that stand before it: for the record, and whoever reads it. */
static void note_choice(struct entry *entry, const struct candidate *all, size_t chosen, size_t n)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	free(entry->choice);
	entry->choice = NULL;
	if (n < 2 && !entry->by_default)
		return;
	sb_puts(&sb, all[chosen].name);
	if (entry->by_default)
		sb_printf(&sb, ", the default of namespace %s", entry->pod->meta.ns);
	for (size_t i = 0; i < chosen; i++)
		sb_printf(&sb, "; not %s: %s", all[i].name,
			  all[i].why != DECIDE_OK ? decide_reason_name(all[i].why)
			  : all[i].has_free       ? "the pod has another"
						  : "SubnetExhausted");
	entry->choice = sb_take(&sb);
}

enum decide_reason question_new(struct entry *entry, struct subnet **out, char *msg, size_t size)
{
	const struct records_in *room = &entry->all->in;
	const struct cluster_namespace *ns = cluster_namespace(room->cluster, entry->pod->meta.ns);
	const struct cluster_node *node = cluster_node(room->cluster, entry->pod->node);
	struct candidate all[API_REQUEST_SUBNETS_MAX] = {{0}};
	struct err e = {0};
	struct decide_new_in in = {
		.pod = entry->pod,
		.request_err = &e,
		.system_ns = room->process->system_ns,
	};
	size_t n = 0, pos = 0, chosen;
	enum decide_reason why;
	char *name = NULL;

	if (question_request(entry, &e))
		in.request = &entry->request;
	in.by_default = entry->by_default;
	if (ns)
		in.ns = (struct decide_labels){true, ns->labels, ns->n_labels};
	if (node)
		in.node = (struct decide_labels){true, node->labels, node->n_labels};
	while (n < API_REQUEST_SUBNETS_MAX && in.request &&
	       api_request_next_subnet(&entry->request, &pos, &name))
		all[n++].name = STEAL(name);
	for (size_t i = 0; i < n || !i; i++)
		look_at(entry, &in, &all[i]);
	chosen = n > 1 ? choose(entry, all, n) : 0;
	if (n > 1)
		look_at(entry, &in, &all[chosen]);
	if (n)
		note_choice(entry, all, chosen, n);
	*out = all[chosen].subnet;
	why = all[chosen].why;
	snprintf(msg, size, "%s", all[chosen].msg);
	for (size_t i = 0; i < n; i++)
		free(all[i].name);
	return why;
}

/* ------------------------------------------------------------------------------- kept records */

/* A record of a StatefulSet's pod has no owner, so that nothing collects it when the pod goes. */
static bool is_kept(const struct entry *entry, const struct api_ip *rec)
{
	return !*rec->owner_pod_uid && api_ip_is_allocated(rec) &&
	       reservations_statefulset(entry->all->in.reservations, rec->meta.ns, rec->meta.name);
}

/* The entry names no other address of that family. */
static bool fits_entry(const struct api_request *q, long entry, uint8_t family,
		       const struct api_ip *rec)
{
	const struct ip_addr *named = api_request_ip(q, family, (size_t)entry);

	return !named || ip_eq(named, &rec->cidr.addr) || ip_eq(named, &rec->cidr6.addr);
}

static bool asks_for(const struct api_request *q, const struct api_ip *rec)
{
	const struct mac_addr *mac;
	long entry = 0;

	if (q->n_ips) {
		entry = api_request_find(q, &rec->cidr.addr);
		if (entry < 0)
			entry = api_request_find(q, &rec->cidr6.addr);
		if (entry < 0 || !fits_entry(q, entry, AF_INET, rec) ||
		    !fits_entry(q, entry, AF_INET6, rec))
			return false;
	}
	mac = api_request_mac(q, (size_t)entry);
	return !mac || mac_eq(mac, &rec->mac);
}

bool question_changed(const struct entry *entry, const struct api_ip *rec)
{
	const struct api_request *q = &entry->pod->annotations.request;

	if (entry->pod->annotations.why)
		return true;
	return q->wanted && (!api_request_has_subnet(q, rec->subnet) || !asks_for(q, rec));
}

/* The subnet may have been edited since: what it cannot have any more is given again. */
static bool still_in(const struct subnet *subnet, const struct api_ip *rec)
{
	const struct api_subnet *spec = subnet_spec(subnet);

	return spec && ip_net_has(&spec->v.cidr, &rec->cidr.addr) &&
	       (!ip_is_set(&rec->cidr6.addr) || ip_net_has(&spec->v6.cidr, &rec->cidr6.addr));
}

static enum decide_heir heir_of(struct entry *entry, const struct api_ip *rec)
{
	struct subnet *subnet = NULL;
	enum decide_reason why;
	char msg[512];

	if (!entry->pod || str_eq(entry->pod->meta.uid, rec->pod_id))
		return DECIDE_HEIR_NONE;
	why = question_new(entry, &subnet, msg, sizeof(msg));
	if (why == DECIDE_NOTHING)
		return *entry->pod->node && !api_pod_is_annotated(entry->pod) ? DECIDE_HEIR_DIFFERS
									      : DECIDE_HEIR_NONE;
	if (!api_pod_is_stateful(entry->pod) ||
	    (subnet && !str_eq(subnet_name(subnet), rec->subnet)))
		return DECIDE_HEIR_DIFFERS;
	/* A subnet that is being deleted still serves those that had an address of it. */
	if (why != DECIDE_OK && why != DECIDE_SUBNET_TERMINATING) {
		entry_tell(entry, why, msg);
		return DECIDE_HEIR_NONE;
	}
	return subnet && still_in(subnet, rec) && asks_for(&entry->request, rec)
		       ? DECIDE_HEIR_FITS
		       : DECIDE_HEIR_DIFFERS;
}

enum decide_record_verdict question_record(struct entry *entry, const struct api_ip *rec,
					   int64_t *wake_ms)
{
	const struct cluster_node *node = cluster_node(entry->all->in.cluster, rec->node);
	struct decide_record_in in = {
		.rec = rec,
		.pod = entry->pod,
		.holds_address = api_ip_is_allocated(rec) || entry->lost ||
				 entry->waiter.step == WAITER_COMMITTED,
		.node_ready = node && node->ready,
		.node_fenced = node && node->out_of_service,
		.kept = rec != entry->lost && is_kept(entry, rec),
		.end = entry->end_sure && str_eq(entry->end_uid, rec->pod_id) ? entry->end
									      : DECIDE_END_UNKNOWN,
		.end_ms = entry->end_ms,
		.over_ms = entry->over_ms,
		.now_ms = clock_now_ms(),
		.now_s = process_now_s(entry->all->in.process),
	};

	if (in.kept)
		in.heir = heir_of(entry, rec);
	return decide_record(&in, &entry->all->in.opt->rules, wake_ms);
}
