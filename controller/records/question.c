/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/records/question.h"

#include <stdlib.h>
#include <string.h>

#include "controller/addresses/reservations.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/objects.h"
#include "controller/cluster/subnet_object.h"
#include "controller/records/internal.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

bool question_request(struct entry *entry, struct err *e)
{
	const struct api_request *r;

	if (api_annotations_request(&entry->pod->annotations, &r, e) < 0)
		return false;
	api_request_done(&entry->request);
	entry->request = api_request_copy(r);
	free(entry->owner);
	entry->owner = reservations_pod_owner(entry->all->in.reservations, entry->pod);
	return true;
}

enum decide_reason question_new(struct entry *entry, struct subnet **out, char *msg, size_t size)
{
	const struct records_in *room = &entry->all->in;
	const struct cluster_namespace *ns = cluster_namespace(room->cluster, entry->pod->meta.ns);
	const struct cluster_node *node = cluster_node(room->cluster, entry->pod->node);
	struct err e = {0};
	struct decide_new_in in = {
		.pod = entry->pod,
		.request_err = &e,
		.system_ns = room->process->system_ns,
	};
	const struct subnet_object *obj;
	struct subnet *subnet = NULL;

	if (question_request(entry, &e)) {
		in.request = &entry->request;
		subnet = entry->request.wanted ? subnets_find(room->subnets, entry->request.subnet)
					       : NULL;
	}
	obj = subnet ? subnet_object(subnet) : NULL;
	if (obj) {
		in.subnet_found = true;
		in.subnet_terminating = obj->meta.deletion != 0;
		in.subnet = obj->spec;
		in.subnet_why = obj->why.msg;
	}
	if (ns)
		in.ns = (struct decide_labels){true, ns->labels, ns->n_labels};
	if (node)
		in.node = (struct decide_labels){true, node->labels, node->n_labels};
	*out = subnet;
	return decide_new(&in, msg, size);
}

/* ------------------------------------------------------------------------------- kept records */

static bool is_statefulset_pod(const struct api_pod *pod)
{
	return str_eq(pod->owner_kind, api_workload_kind_name(API_STATEFULSET));
}

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
	return q->wanted && (!str_eq(q->subnet, rec->subnet) || !asks_for(q, rec));
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
	if (!is_statefulset_pod(entry->pod) ||
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
