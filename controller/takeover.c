#include "controller/takeover.h"

#include <string.h>

#include "controller/ask.h"
#include "controller/cache.h"
#include "controller/ent.h"
#include "controller/reserve.h"
#include "controller/sub.h"
#include "controller/work.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/reflector.h"
#include "lib/kube/store.h"

static bool bears_uid(const struct api_ip *ip, const char *uid)
{
	return ip && str_eq(ip->meta.uid, uid);
}

/* The MAC is not in the record of what is in flight: work it out as it was then. */
static bool commit_entry(struct sub *sub, struct ent *ent, const struct ipam_inflight *entry)
{
	const struct api_subnet *spec = sub->obj->spec;

	if (!spec || !ip_net_has(&spec->v.cidr, &entry->addr) || !ent->pod)
		return false;
	if (ip_is_set(&entry->addr6) && !ip_net_has(&spec->v6.cidr, &entry->addr6))
		return false;
	return work_commit_known(sub, ent, entry);
}

static void settle_entry(struct sub *sub, const struct ipam_inflight *entry)
{
	AUTO(free) char *key = xasprintf("%s/%s", entry->ns, entry->name);
	struct ent *ent = ent_find(sub->app, key);
	const struct api_ip *rec = ent ? ent_record(ent) : NULL;

	if (!ent || !rec || !str_eq(rec->meta.uid, entry->record_uid)) {
		if (ent && bears_uid(ent->lost, entry->record_uid))
			return;
		sub_release(sub, &entry->addr, entry->record_uid);
		sub_release(sub, &entry->addr6, entry->record_uid);
		return;
	}
	if (api_ip_is_allocated(rec)) {
		if (ip_eq(&rec->cidr.addr, &entry->addr))
			sub_drop(sub, &entry->addr, entry->record_uid);
		return;
	}
	if (ent->step == ENT_COMMITTED || ent->step == ENT_COMMITTING)
		return;
	sub_dequeue(ent);
	if (!commit_entry(sub, ent, entry)) {
		/* To be taken back: the record goes first, then the address. */
		ent->step = ENT_COMMITTED;
		ent->sub = sub;
		ent->addr = entry->addr;
		ent->addr6 = entry->addr6;
		free(ent->want_uid);
		ent->want_uid = xstrdup(entry->record_uid);
		ent->forced_anew = true;
	}
	ent_claim(ent);
	ent_mark(ent);
}

void takeover_inflight(struct sub *sub)
{
	for (size_t i = 0; i < sub->record.n_inflight; i++)
		settle_entry(sub, &sub->record.inflight[i]);
}

/* A pod that has a network, wants this subnet, and has no record. */
static bool is_recordless(const struct ent *ent, const struct sub *sub)
{
	return ent->pod && ent->pod->has_ip && !api_pod_is_over(ent->pod) && !ent_record(ent) &&
	       !ent->lost && str_eq(ent->pod->annotations.text[API_ASKED_SUBNET], sub->name);
}

static bool is_for(const struct sub *sub, const struct ent *ent, const struct ip_addr *addr)
{
	const struct api_workload *holder = reserve_find(sub->app, sub->name, addr);

	return !ent_addr_taken(sub->app, sub, addr, "") &&
	       (!holder || reserve_is_for(holder, ent->owner));
}

/* The card's addresses, of the families that the subnet has; false when one of them cannot be its own. */
static bool card_nets(const struct sub *sub, const struct ent *ent, struct ip_net *v,
		      struct ip_net *v6)
{
	const struct api_subnet *spec = sub->obj->spec;
	const struct ip_addr *ips = ent->pod->card->ips;

	for (size_t i = 0; i < ARRAY_SIZE(ent->pod->card->ips) && ip_is_set(&ips[i]); i++) {
		bool first = ip_net_has(&spec->v.cidr, &ips[i]);

		if ((!first && !ip_net_has(&spec->v6.cidr, &ips[i])) || !is_for(sub, ent, &ips[i]))
			return false;
		*(first ? v : v6) =
			(struct ip_net){ips[i], first ? spec->v.cidr.prefix : spec->v6.cidr.prefix};
	}
	return ip_is_set(&v->addr);
}

/*
 * The record went while nobody led who knew it: with its definition, or by a backup that is older. The pod itself
 * tells which address its card has, and gets a record of it again. Whoever may edit the pod may have made that
 * up; so it gets no more than it would get by the annotation for a fixed address.
 */
static void recall(struct sub *sub, struct ent *ent)
{
	const struct api_pod *pod = ent->pod;
	struct api_ip ip = {.subnet = sub->name, .network = sub->obj->spec->network};
	static char none[] = "";

	if (!pod->card || !str_eq(pod->card->ns, sub->app->opt.system_ns) || !ask_survivor(ent) ||
	    !card_nets(sub, ent, &ip.cidr, &ip.cidr6))
		return;
	ip.meta =
		(struct api_meta){.ns = pod->meta.ns, .name = pod->meta.name, .uid = pod->meta.uid};
	ip.pod_id = ip.owner_pod_uid = pod->meta.uid;
	ip.card_down = none;
	ip.node = pod->node;
	ip.mac = pod->card->mac;
	ent->lost = ent_spec_copy(&ip);
	ent_claim(ent);
	ent_mark(ent);
}

static void recall_all(struct sub *sub)
{
	struct ent *ent;
	size_t pos = 0;

	while (sub->obj && sub->obj->spec && (ent = map_each(&sub->app->ents, &pos))) {
		if (is_recordless(ent, sub))
			recall(sub, ent);
	}
}

static void hold_addr(struct sub *sub, const struct ent *ent, const struct ip_addr *addr,
		      const char *uid, struct ipam_set *held)
{
	char text[IP_ADDR_LEN];

	if (!ip_is_set(addr))
		return;
	if (!ipam_set_add(held, addr))
		log_error("two records have one address", "subnet", sub->name, "address",
			  ip_format(addr, text), "pod", ent->key);
	if (!ipam_set_has(&sub->record.pool.used, addr))
		plan_list_add(&sub->adopts, addr, uid);
}

static void hold_record(struct sub *sub, struct ent *ent, const struct api_ip *ip,
			struct ipam_set *held)
{
	if (!ip || !str_eq(ip->subnet, sub->name))
		return;
	if (!api_ip_is_allocated(ip)) {
		/* What a former controller had decided for it is not known: it must not come true. */
		if (sub->fresh && !ent->lost &&
		    !ipam_record_inflight_find(&sub->record, ip->meta.uid)) {
			ent->forced_anew = true;
			ent_mark(ent);
		}
		return;
	}
	hold_addr(sub, ent, &ip->cidr.addr, ip->meta.uid, held);
	hold_addr(sub, ent, &ip->cidr6.addr, ip->meta.uid, held);
}

static void release_set(struct sub *sub, struct ipam_set *set)
{
	const struct ip_addr start = {0};
	struct ip_addr a;
	char text[IP_ADDR_LEN];

	while (ipam_set_next(set, &start, NULL, 0, &a)) {
		ipam_set_remove(set, &a);
		log_info("address without a record is released", "subnet", sub->name, "address",
			 ip_format(&a, text));
		/* How the card went that had it is not known. */
		plan_list_add(&sub->releases, &a, "")->unproven = true;
	}
	sub_hard(sub);
}

static void find_orphans(struct sub *sub, struct ipam_set *held, struct ipam_set *orphans)
{
	for (size_t i = 0; i < sub->record.n_inflight; i++) {
		ipam_set_add(held, &sub->record.inflight[i].addr);
		if (ip_is_set(&sub->record.inflight[i].addr6))
			ipam_set_add(held, &sub->record.inflight[i].addr6);
	}
	ipam_set_copy(&sub->record.pool.used, orphans);
	ipam_set_subtract(orphans, held);
}

static size_t count_recordless(const struct sub *sub)
{
	const struct ent *ent;
	size_t pos = 0, n = sub->app->n_unreadable;

	while ((ent = map_each(&sub->app->ents, &pos)))
		n += is_recordless(ent, sub);
	return n;
}

/* Nobody can tell how the pod that had it went: it is held as one whose end was not seen. */
int64_t takeover_orphans(struct sub *sub, int64_t now_ms)
{
	if (!sub->orphans.n)
		return 0;
	if (!sub->orphans_ms && sub->app->pods_went && !count_recordless(sub))
		sub->orphans_ms = now_ms + sub->app->opt.rules.hold_s * 1000;
	if (sub->orphans_ms && sub->orphans_ms <= now_ms) {
		release_set(sub, &sub->orphans);
		sub->orphans_ms = 0;
	}
	return sub->orphans_ms;
}

static void settle(struct sub *sub)
{
	AUTO(ipam_set_done) struct ipam_set held = IPAM_SET_INIT;
	struct ent *ent;
	size_t pos = 0, recordless;

	sub->state = SUB_SETTLING;
	recall_all(sub);
	takeover_inflight(sub);
	while ((ent = map_each(&sub->app->ents, &pos))) {
		hold_record(sub, ent, ent_record(ent), &held);
		hold_record(sub, ent, ent->lost, &held);
	}
	ipam_set_done(&sub->orphans);
	find_orphans(sub, &held, &sub->orphans);
	sub->orphans_ms = 0;
	recordless = count_recordless(sub);
	sub->blind = sub->fresh && recordless;
	if (!recordless)
		release_set(sub, &sub->orphans);
	else if (sub->orphans.n)
		log_warn("addresses without a record are held: a pod has lost its record", "subnet",
			 sub->name);
	sub->fresh = false;
	sub->app->look_all = true;
	sub_hard(sub);
	log_info("subnet is taken over", "subnet", sub->name);
}

static bool all_claimed(const struct app *app)
{
	const struct sub *sub;
	size_t pos = 0;

	while ((sub = map_each(&app->subs, &pos))) {
		if (sub->obj && sub->state == SUB_NEW)
			return false;
	}
	return true;
}

static void begin_running(struct app *app)
{
	struct sub *sub;
	struct ent *ent;
	size_t pos = 0;

	app->phase = APP_RUN;
	sub_refresh_ranges(app);
	reserve_refresh(app);
	while ((sub = map_each(&app->subs, &pos))) {
		if (sub->state == SUB_CLAIMED)
			settle(sub);
	}
	pos = 0;
	while ((ent = map_each(&app->ents, &pos)))
		ent_mark(ent);
	log_info("caches are filled, allocation begins");
}

void takeover_listed(struct app *app)
{
	struct sub *sub;
	size_t pos = 0;

	app->records_known = app->phase >= APP_IPS;
	while ((sub = map_each(&app->subs, &pos))) {
		if (sub->state == SUB_LISTING && sub->relisting)
			sub->state = SUB_CLAIMED;
	}
}

/* Subnets that came while we run: records are listed again after our term is in them. */
static void late_subnets(struct app *app)
{
	bool begin = false;
	struct sub *sub;
	size_t pos = 0;

	while ((sub = map_each(&app->subs, &pos))) {
		if (sub->state == SUB_CLAIMED)
			settle(sub);
		begin |= sub->state == SUB_LISTING && !sub->relisting;
	}
	if (!begin)
		return;
	pos = 0;
	while ((sub = map_each(&app->subs, &pos)))
		sub->relisting |= sub->state == SUB_LISTING;
	kube_reflector_relist(app->reflector[STORE_IPS]);
}

/* ------------------------------------------------------------------------------- phases */

/* Have that kind listed, whatever is known of it. */
static void list(struct app *app, int which)
{
	app->lists[which] = kube_store_lists(app->store[which]);
	if (app->reflector[which])
		kube_reflector_relist(app->reflector[which]);
	else
		cache_start(app, which);
}

static bool is_listed(const struct app *app, int which)
{
	return kube_store_lists(app->store[which]) > app->lists[which];
}

/* One kind after the other: of pods without annotation only those are kept that have a record. */
static void warm_up(struct app *app)
{
	for (int i = 0; i < STORES; i++) {
		if (!app->reflector[i])
			cache_start(app, i);
		if (!kube_store_is_synced(app->store[i]))
			return;
	}
}

static void list_rest(struct app *app)
{
	for (int i = STORE_PODS + 1; i < STORES; i++)
		list(app, i);
}

static bool is_rest_listed(const struct app *app)
{
	for (int i = STORE_PODS + 1; i < STORES; i++) {
		if (!is_listed(app, i))
			return false;
	}
	return true;
}

/* From the present phase to the next, which begins with a list of that kind. */
static void go_on(struct app *app, enum app_phase next, int which)
{
	app->phase = next;
	list(app, which);
}

void takeover_advance(struct app *app)
{
	switch (app->phase) {
	case APP_STANDBY:
		if (app->leading)
			go_on(app, APP_SUBNETS, STORE_SUBNETS);
		else
			warm_up(app);
		break;
	case APP_SUBNETS:
		if (is_listed(app, STORE_SUBNETS))
			app->phase = APP_CLAIM;
		break;
	case APP_CLAIM:
		if (all_claimed(app))
			go_on(app, APP_IPS, STORE_IPS);
		break;
	case APP_IPS:
		if (is_listed(app, STORE_IPS))
			go_on(app, APP_PODS, STORE_PODS);
		break;
	case APP_PODS:
		if (!is_listed(app, STORE_PODS))
			break;
		app->phase = APP_REST;
		list_rest(app);
		break;
	case APP_REST:
		if (is_rest_listed(app))
			begin_running(app);
		break;
	case APP_RUN:
		late_subnets(app);
		break;
	}
}
