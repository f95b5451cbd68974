#include "controller/ask.h"

#include <string.h>

#include "controller/cache.h"
#include "controller/ent.h"
#include "controller/events.h"
#include "controller/reserve.h"
#include "controller/sub.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

bool ask_request(struct ent *ent, struct err *e)
{
	const struct api_request *r;

	if (api_annotations_request(&ent->pod->annotations, &r, e) < 0)
		return false;
	api_request_done(&ent->request);
	ent->request = api_request_copy(r);
	free(ent->owner);
	ent->owner = reserve_pod_owner(ent->app, ent->pod);
	return true;
}

static enum decide_reason ask(struct ent *ent, bool has_card, struct sub **out, char *msg,
			      size_t size)
{
	const struct app *app = ent->app;
	const struct ns_obj *ns = cache_ns(app, ent->pod->meta.ns);
	const struct node_obj *node = cache_node(app, ent->pod->node);
	struct err e = {0};
	struct decide_new_in in = {
		.pod = ent->pod,
		.request_err = &e,
		.system_ns = app->opt.system_ns,
		.has_card = has_card,
	};
	struct sub *sub = NULL;

	if (ask_request(ent, &e)) {
		in.request = &ent->request;
		sub = ent->request.wanted ? sub_find(app, ent->request.subnet) : NULL;
	}
	if (sub && sub->obj) {
		in.subnet_found = true;
		in.subnet_terminating = sub->obj->meta.deletion != 0;
		in.subnet = sub->obj->spec;
		in.subnet_why = sub->obj->why.msg;
	}
	if (ns)
		in.ns = (struct decide_labels){true, ns->labels, ns->n_labels};
	if (node)
		in.node = (struct decide_labels){true, node->labels, node->n_labels};
	*out = sub;
	return decide_new(&in, msg, size);
}

enum decide_reason ask_new(struct ent *ent, struct sub **out, char *msg, size_t size)
{
	return ask(ent, false, out, msg, size);
}

bool ask_survivor(struct ent *ent)
{
	struct sub *sub;
	char msg[512];

	return ask(ent, true, &sub, msg, sizeof(msg)) == DECIDE_OK;
}

/* ------------------------------------------------------------------------------- kept records */

static bool is_statefulset_pod(const struct api_pod *pod)
{
	return str_eq(pod->owner_kind, api_workload_kind_name(API_STATEFULSET));
}

/* A record of a StatefulSet's pod has no owner, so that nothing collects it when the pod goes. */
static bool is_kept(const struct ent *ent, const struct api_ip *rec)
{
	return !*rec->owner_pod_uid && api_ip_is_allocated(rec) &&
	       reserve_statefulset(ent->app, rec->meta.ns, rec->meta.name);
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

bool ask_changed(const struct ent *ent, const struct api_ip *rec)
{
	const struct api_request *q = &ent->pod->annotations.request;

	if (ent->pod->annotations.why)
		return true;
	return q->wanted && (!str_eq(q->subnet, rec->subnet) || !asks_for(q, rec));
}

/* The subnet may have been edited since: what it cannot have any more is given anew. */
static bool still_in(const struct sub *sub, const struct api_ip *rec)
{
	const struct api_subnet *spec = sub->obj ? sub->obj->spec : NULL;

	return spec && ip_net_has(&spec->v.cidr, &rec->cidr.addr) &&
	       (!ip_is_set(&rec->cidr6.addr) || ip_net_has(&spec->v6.cidr, &rec->cidr6.addr));
}

static enum decide_heir heir_of(struct ent *ent, const struct api_ip *rec)
{
	struct sub *sub = NULL;
	enum decide_reason why;
	char msg[512];

	if (!ent->pod || str_eq(ent->pod->meta.uid, rec->pod_id))
		return DECIDE_HEIR_NONE;
	why = ask_new(ent, &sub, msg, sizeof(msg));
	if (why == DECIDE_NOTHING)
		return *ent->pod->node && !api_pod_is_annotated(ent->pod) ? DECIDE_HEIR_DIFFERS
									  : DECIDE_HEIR_NONE;
	if (!is_statefulset_pod(ent->pod) || (sub && !str_eq(sub->name, rec->subnet)))
		return DECIDE_HEIR_DIFFERS;
	/* A subnet that is being deleted still serves those that had an address of it. */
	if (why != DECIDE_OK && why != DECIDE_SUBNET_TERMINATING) {
		events_tell(ent, why, msg);
		return DECIDE_HEIR_NONE;
	}
	return sub && still_in(sub, rec) && asks_for(&ent->request, rec) ? DECIDE_HEIR_FITS
									 : DECIDE_HEIR_DIFFERS;
}

enum decide_record_verdict ask_record(struct ent *ent, const struct api_ip *rec, int64_t *wake_ms)
{
	const struct node_obj *node = cache_node(ent->app, rec->node);
	struct decide_record_in in = {
		.rec = rec,
		.pod = ent->pod,
		.holds_address = api_ip_is_allocated(rec) || ent->lost ||
				 ent->step == ENT_COMMITTED,
		.node_ready = node && node->ready,
		.node_fenced = node && node->out_of_service,
		.kept = rec != ent->lost && is_kept(ent, rec),
		.end = ent->end_sure && str_eq(ent->end_uid, rec->pod_id) ? ent->end
									  : DECIDE_END_UNKNOWN,
		.end_ms = ent->end_ms,
		.over_ms = ent->over_ms,
		.now_ms = clock_now_ms(),
		.now_s = app_now_s(ent->app),
	};

	if (in.kept)
		in.heir = heir_of(ent, rec);
	return decide_record(&in, &ent->app->opt.rules, wake_ms);
}
