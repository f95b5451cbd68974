#include "controller/work.h"

#include <stdio.h>
#include <string.h>

#include "controller/ask.h"
#include "controller/cache.h"
#include "controller/calls.h"
#include "controller/conflict.h"
#include "controller/ent.h"
#include "controller/events.h"
#include "controller/reserve.h"
#include "controller/sub.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* ------------------------------------------------------------------------------- telling */

static void tell_allocated(struct ent *ent, const struct api_ip *rec)
{
	char msg[400], cidr[IP_NET_LEN], cidr6[IP_NET_LEN], mac[MAC_ADDR_LEN];

	ip_net_format(&rec->cidr6, cidr6);
	snprintf(msg, sizeof(msg), "MacvlanSubnet %s gave %s%s%s, MAC %s", rec->subnet,
		 ip_net_format(&rec->cidr, cidr), *cidr6 ? " and " : "", cidr6,
		 mac_format(&rec->mac, mac));
	events_tell(ent, DECIDE_ALLOCATED, msg);
}

/* The party that an address is kept for. */
static void reserved_text(struct sub *sub, const struct ip_addr *addr, char *msg, size_t size)
{
	const struct api_workload *holder = reserve_find(sub->app, sub->name, addr);
	AUTO(free) char *id = holder ? api_workload_id(holder) : xstrdup("another workload");
	char text[IP_ADDR_LEN];

	snprintf(msg, size,
		 "annotation " API_ANNOTATION_IP
		 ": %s is reserved by the pod template of %.300s; choose another address or remove "
		 "it there",
		 ip_format(addr, text), id);
}

static const char *family_name(uint8_t family)
{
	return family == AF_INET6 ? "IPv6 " : family == AF_INET ? "IPv4 " : "";
}

/* When the first of the addresses that a pod names has cooled down; 0 = none of them is cooling. */
static int64_t next_named(const struct sub *sub, const struct api_request *q)
{
	AUTO(ipam_set_done) struct ipam_set named = IPAM_SET_INIT;

	for (size_t i = 0; i < q->n_ips; i++)
		ipam_set_add(&named, &q->ips[i]);
	return ipam_pool_next_expiry(&sub->next.pool, &named);
}

static const char *asked_text(const struct ent *ent, enum api_annotation which)
{
	return ent->pod ? api_annotations_text(&ent->pod->annotations, which) : "";
}

void work_tell_waiting(struct sub *sub, struct ent *ent, const struct plan_want *want)
{
	bool second = want->family == AF_INET6 && sub_range6(sub);
	int64_t next = ipam_pool_next_expiry(&sub->next.pool, second ? &sub->range6 : &sub->range);
	const char *family = family_name(want->family);
	char msg[512], when[CLOCK_RFC3339_LEN];

	switch (want->result) {
	case DECIDE_RESERVED:
		reserved_text(sub, &want->addr, msg, sizeof(msg));
		break;
	case DECIDE_EXHAUSTED:
		snprintf(msg, sizeof(msg),
			 "MacvlanSubnet %s has no free %saddress; the pod gets one as soon as one "
			 "is free%s%s",
			 sub->name, family, next ? ", the next one at " : "",
			 next ? clock_rfc3339(next, when) : "");
		break;
	case DECIDE_OUTSIDE:
		snprintf(msg, sizeof(msg),
			 "annotation " API_ANNOTATION_IP ": \"%.120s\": MacvlanSubnet %s %s%s%s",
			 asked_text(ent, API_ASKED_IP), sub->name,
			 *family ? "has no " : "does not give that address", family,
			 *family ? "addresses" : "");
		break;
	case DECIDE_ADDRESS_IN_USE:
		next = next_named(sub, &ent->request);
		snprintf(msg, sizeof(msg),
			 "annotation " API_ANNOTATION_IP
			 ": \"%.120s\": in use or cooling down; the "
			 "pod gets one as soon as one is free%s%s",
			 asked_text(ent, API_ASKED_IP), next ? ", the next one at " : "",
			 next ? clock_rfc3339(next, when) : "");
		break;
	default:
		snprintf(msg, sizeof(msg),
			 "annotation " API_ANNOTATION_MAC ": \"%.120s\": another pod has that MAC",
			 asked_text(ent, API_ASKED_MAC));
		break;
	}
	events_tell(ent, want->result, msg);
}

/* ------------------------------------------------------------------------------- committed */

static bool mac_taken(void *ctx, const struct mac_addr *mac, const char *uid)
{
	return ent_mac_taken(ctx, mac, uid);
}

bool work_commit_known(struct sub *sub, struct ent *ent, const struct ipam_inflight *entry)
{
	const struct api_ip *rec = ent_record(ent);
	struct plan_in in = {
		.ns = sub->app->opt.system_ns,
		.name = sub->name,
		.mac_taken = mac_taken,
		.ctx = sub->app,
	};
	struct plan_want want = {
		.request = &ent->request,
		.record_uid = rec->meta.uid,
		.addr = entry->addr,
		.addr6 = entry->addr6,
	};
	struct err e = {0};

	if (!ent->pod || !ask_request(ent, &e) || !plan_mac(&in, &want, &want.mac))
		return false;
	sub_give(sub, ent, &want);
	free(ent->want_uid);
	ent->want_uid = xstrdup(rec->meta.uid);
	return true;
}

/* Committed or waiting for a record that is no more, or another by now. */
static void drop_stale_step(struct ent *ent, const struct api_ip *rec)
{
	struct sub *sub = ent->sub;

	if (ent->step == ENT_IDLE || (rec && str_eq(rec->meta.uid, ent->want_uid)))
		return;
	if (ent->step == ENT_QUEUED) {
		sub_dequeue(ent);
		return;
	}
	ent->step = ENT_IDLE;
	ent->sub = NULL;
	ent_claim(ent);
	if (ent->lost && ip_eq(&ent->lost->cidr.addr, &ent->addr))
		return;
	sub_release(sub, &ent->addr, ent->want_uid);
	sub_release(sub, &ent->addr6, ent->want_uid);
}

/* It was held until it was sure enough, but nobody knows: a machine that is cut off may run on. */
static bool is_unproven(const struct ent *ent, const struct api_ip *rec)
{
	const struct node_obj *node = cache_node(ent->app, rec->node);

	return rec->unwitnessed && !api_ip_card_is_down(rec) && !(node && node->out_of_service);
}

void work_released(struct ent *ent, const struct api_ip *rec)
{
	struct sub *sub = sub_find(ent->app, rec->subnet);
	struct ip_addr addr = rec->cidr.addr, addr6 = rec->cidr6.addr;
	AUTO(free) char *uid = xstrdup(rec->meta.uid);
	bool made_anew = ent->lost && rec != ent->lost && ent->pod &&
			 str_eq(ent->pod->meta.uid, rec->pod_id) && !api_pod_is_over(ent->pod);
	bool unproven;

	if (ent->step == ENT_COMMITTED && !ip_is_set(&addr)) {
		addr = ent->addr;
		addr6 = ent->addr6;
	}
	if (!ip_is_set(&addr) && ent->lost) {
		addr = ent->lost->cidr.addr;
		addr6 = ent->lost->cidr6.addr;
	}
	unproven = is_unproven(ent, rec);
	sub_dequeue(ent);
	ent->step = ENT_IDLE;
	ent->sub = NULL;
	ent->releasing = ent->forced_anew = false;
	ent_hold(ent, NULL);
	if (rec != ent->lost)
		ent_set_own(ent, NULL);
	if (made_anew) {
		/* The card has the address all the same: it is for the next attempt. */
		if (sub)
			sub_drop(sub, &addr, uid);
		ent_claim(ent);
		ent_mark(ent);
		return;
	}
	api_ip_free(ent->lost);
	ent->lost = NULL;
	api_ip_free(ent->good);
	ent->good = NULL;
	ent_claim(ent);
	log_debug("record is gone", "record", ent->key, "uid", uid);
	ent->app->n_released += ip_is_set(&addr);
	if (sub) {
		conflict_release(ent, sub, &addr, uid);
		conflict_release(ent, sub, &addr6, uid);
	}
	if (sub && unproven) {
		sub_doubt(sub, &addr, uid);
		sub_doubt(sub, &addr6, uid);
	}
	ent_mark(ent);
}

/* ------------------------------------------------------------------------------- pods that live */

/* The network as it is now, to be written along with the address; NULL = the record's is the same. */
static const struct api_network *fresh_network(const struct ent *ent, const struct api_ip *rec)
{
	const struct sub *sub = ent->sub;

	if (ent->lost || !sub->obj || !sub->obj->spec ||
	    api_network_eq(&rec->network, &sub->obj->spec->network))
		return NULL;
	return &sub->obj->spec->network;
}

static void live_allocated(struct ent *ent, const struct api_ip *rec)
{
	struct sub *sub = sub_find(ent->app, rec->subnet);

	if (ent->step == ENT_COMMITTED) {
		if (ip_eq(&ent->addr, &rec->cidr.addr)) {
			sub_drop(ent->sub, &ent->addr, rec->meta.uid);
			tell_allocated(ent, rec);
		}
		ent->step = ENT_IDLE;
		ent->sub = NULL;
		api_ip_free(ent->lost);
		ent->lost = NULL;
		ent_claim(ent);
	}
	if (sub && sub->state == SUB_READY && !sub->call) {
		sub_adopt(sub, &rec->cidr.addr, rec->meta.uid);
		sub_adopt(sub, &rec->cidr6.addr, rec->meta.uid);
	}
}

/* Made anew for a pod whose record went by another hand: it gets the address that its card has. */
static void live_lost(struct ent *ent, const struct api_ip *rec)
{
	struct sub *sub = sub_find(ent->app, ent->lost->subnet);
	struct err e = {0};

	if (!rec) {
		log_warn("record deleted while its pod lives: it is recreated", "record", ent->key);
		calls_create(ent, ent->lost->subnet, &ent->lost->network);
		return;
	}
	if (ent->step == ENT_IDLE && sub && sub->state >= SUB_SETTLING && ask_request(ent, &e))
		sub_enqueue(sub, ent);
}

static void live_pending(struct ent *ent, const struct api_ip *rec)
{
	struct sub *sub = NULL;
	char msg[512];
	enum decide_reason why = ask_new(ent, &sub, msg, sizeof(msg));

	if (why == DECIDE_NOTHING) {
		/* Its pod is being deleted: it needs no address any more. */
		sub_dequeue(ent);
		return;
	}
	if (why != DECIDE_OK || !sub || !str_eq(sub->name, rec->subnet)) {
		if (why != DECIDE_OK)
			events_tell(ent, why, msg);
		sub_dequeue(ent);
		calls_end(ent);
		return;
	}
	if (ent->step == ENT_IDLE && sub->state >= SUB_SETTLING)
		sub_enqueue(sub, ent);
}

/* It has been set up without its card, or nobody knows: it is told, and not published. */
static void live_missing(struct ent *ent, const struct api_ip *rec)
{
	const struct options *opt = &ent->app->opt;
	struct decide_missing_in in = {
		.rec = rec,
		.reports = !opt->attached_by_pod_ip,
		.has_ip = ent->pod->has_ip,
		.ending = ent->pod->meta.deletion != 0,
		.ip_ms = ent->ip_ms,
		.now_ms = clock_now_ms(),
	};
	char msg[400];
	int64_t wake_ms;

	if (!decide_missing(&in, &opt->rules, &wake_ms)) {
		if (wake_ms)
			ent_wake(ent, wake_ms - in.now_ms);
		return;
	}
	snprintf(msg, sizeof(msg),
		 "the pod runs, but node %.63s reports no card for it, so its address is not "
		 "published; check that tandem is the node's CNI and that tandem-node runs there, "
		 "then recreate the pod",
		 rec->node);
	events_tell(ent, DECIDE_MISSING, msg);
	if (rec->phase != API_IP_MISSING)
		calls_missing(ent);
}

static void tell_changed(struct ent *ent, const struct api_ip *rec)
{
	char msg[400], cidr[IP_NET_LEN];

	snprintf(
		msg, sizeof(msg),
		"the pod's annotations were changed after it was scheduled and have no effect: its "
		"card stays in MacvlanSubnet %s with %s; recreate the pod",
		rec->subnet, ip_net_format(&rec->cidr, cidr));
	events_tell(ent, DECIDE_TOO_LATE, msg);
}

static void live(struct ent *ent, const struct api_ip *rec)
{
	ent->releasing = false;
	if (rec && api_ip_is_allocated(rec)) {
		live_allocated(ent, rec);
		if (ask_changed(ent, rec))
			tell_changed(ent, rec);
		conflict_run(ent, rec);
		if (!ent->call)
			live_missing(ent, rec);
	} else if (rec && ent->forced_anew)
		calls_end(ent);
	else if (rec && ent->step == ENT_COMMITTED)
		calls_address(ent, ent->lost ? &ent->lost->network : fresh_network(ent, rec));
	else if (ent->lost)
		live_lost(ent, rec);
	else if (rec)
		live_pending(ent, rec);
}

/* ------------------------------------------------------------------------------- one entry */

static void end(struct ent *ent, const struct api_ip *rec)
{
	sub_dequeue(ent);
	if (rec == ent->lost)
		work_released(ent, rec);
	else
		calls_end(ent);
}

/* A StatefulSet's next pod takes its address over. */
static void bind_next(struct ent *ent, const struct api_ip *rec)
{
	struct sub *sub = sub_find(ent->app, rec->subnet);

	if (sub && sub->obj && sub->obj->spec)
		calls_bind(ent, sub->obj->spec);
}

static void suspect(struct ent *ent, const struct api_ip *rec)
{
	if (rec != ent->lost) {
		calls_suspect(ent);
		return;
	}
	/* There is no object to note it in. */
	ent->lost->unwitnessed = app_now_s(ent->app);
	ent_mark(ent);
}

static void run_record(struct ent *ent, const struct api_ip *rec)
{
	int64_t wake_ms = 0, now_ms = clock_now_ms();
	enum decide_record_verdict verdict = ask_record(ent, rec, &wake_ms);

	ent_hold(ent, verdict == DECIDE_HOLD ? rec->subnet : NULL);
	if (ent->pod && !str_eq(ent->pod->meta.uid, rec->pod_id) &&
	    (verdict == DECIDE_WAIT || verdict == DECIDE_HOLD || verdict == DECIDE_SUSPECT))
		events_tell(
			ent, DECIDE_FORMER_POD,
			"a former pod of this name still holds its address, since nobody saw it "
			"end; the pod waits until that card is certainly down");
	switch (verdict) {
	case DECIDE_KEEP:
		live(ent, rec == ent->lost ? NULL : rec);
		break;
	case DECIDE_RENEW:
	case DECIDE_RELEASE:
		end(ent, rec);
		break;
	case DECIDE_LOOK:
		sub_dequeue(ent);
		if (ent->look_ms > now_ms && str_eq(ent->look_uid, rec->pod_id))
			ent_wake(ent, ent->look_ms - now_ms);
		else
			calls_look(ent, rec->pod_id);
		break;
	case DECIDE_SUSPECT:
		suspect(ent, rec);
		break;
	case DECIDE_ASK:
		sub_dequeue(ent);
		calls_ask(ent);
		break;
	case DECIDE_VACATE:
		calls_vacate(ent);
		break;
	case DECIDE_VACANT:
		break;
	case DECIDE_BIND:
		bind_next(ent, rec);
		break;
	case DECIDE_WAIT:
	case DECIDE_HOLD:
		sub_dequeue(ent);
		ent_wake(ent, wake_ms - now_ms);
		break;
	}
}

static void run_pod(struct ent *ent)
{
	struct sub *sub = NULL;
	char msg[512];
	enum decide_reason why = ask_new(ent, &sub, msg, sizeof(msg));

	if (why == DECIDE_OK && sub) {
		/* Not before the subnet has been compared with the records; then all are looked at. */
		if (sub->state >= SUB_SETTLING)
			calls_create(ent, sub->name, &sub->obj->spec->network);
	} else if (why != DECIDE_NOTHING) {
		events_tell(ent, why, msg);
	}
}

static void run_one(struct ent *ent)
{
	int64_t now = clock_now_ms();
	const struct api_ip *rec;

	if (ent->app->phase != APP_RUN || ent->call || ent->step == ENT_COMMITTING ||
	    ent->unreadable || (ent->failures && ent->wake_ms > now))
		return;
	if (ent->wake_ms && ent->wake_ms <= now)
		ent->wake_ms = 0;
	rec = ent_record(ent);
	drop_stale_step(ent, rec);
	if (ent->good && rec && rec == ent->seen) {
		/* Before anything is decided on what it says. */
		events_tell(
			ent, DECIDE_RESTORED,
			"the pod's MacvlanIP was edited by hand and has been restored, since the "
			"pod's network is made from it");
		calls_restore(ent);
	} else if (rec || ent->lost)
		run_record(ent, rec ? rec : ent->lost);
	else if (ent->pod)
		run_pod(ent);
}

/* Refused before, or waiting in a subnet that may not be the same any more. */
static bool is_unserved(const struct ent *ent)
{
	const struct api_ip *rec = ent_record(ent);

	return !rec || !api_ip_is_allocated(rec) || ent->lost;
}

/* Nobody's at present: whether it is kept rests on its StatefulSet. */
static bool is_kept(const struct ent *ent)
{
	const struct api_ip *rec = ent_record(ent);

	return rec && !*rec->owner_pod_uid && (!ent->pod || api_ip_is_vacant(rec));
}

static void wake_due(struct app *app)
{
	int64_t now = clock_now_ms(), next = 0;
	struct ent *ent;
	size_t pos = 0;

	if (!app->look_all && !app->look_kept && (!app->wake_ms || app->wake_ms > now))
		return;
	while ((ent = map_each(&app->ents, &pos))) {
		if (ent->wake_ms && ent->wake_ms <= now)
			ent_mark(ent);
		else if (ent->wake_ms && (!next || ent->wake_ms < next))
			next = ent->wake_ms;
		if (app->look_all && (ent->held_by || (ent->pod && is_unserved(ent))))
			ent_mark(ent);
		if (app->look_kept && is_kept(ent))
			ent_mark(ent);
	}
	app->wake_ms = next;
	app->look_all = app->look_kept = false;
}

void work_run(struct app *app)
{
	if (app->phase == APP_RUN)
		wake_due(app);
	while (app->n_dirty) {
		struct ent *ent = app->dirty[--app->n_dirty];

		ent->dirty = false;
		run_one(ent);
		ent_free_idle(ent);
	}
}
