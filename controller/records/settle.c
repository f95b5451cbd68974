/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records held against the allocation of a subnet that we did not know. The order of the steps is
 * controller/takeover.h's.
 */
#include <stdlib.h>

#include "controller/records/internal.h"
#include "controller/records/question.h"
#include "controller/rules/plan.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* ------------------------------------------------------------------------------- in flight */

static bool mac_taken(void *ctx, const struct mac_addr *mac, const char *uid)
{
	return subnet_mac_taken(ctx, mac, uid);
}

/* The MAC is not in the record of what is in flight: work it out as it was then. False = it cannot come true. */
static bool work_out(struct subnet *subnet, struct entry *entry, struct plan_want *want)
{
	const struct api_subnet *spec = subnet_spec(subnet);
	struct plan_in in = {
		.ns = entry->all->in.process->system_ns,
		.name = subnet_name(subnet),
		.mac_taken = mac_taken,
		.ctx = subnet,
	};
	struct err e = {0};

	if (!spec || !ip_net_has(&spec->v.cidr, &want->addr) || !entry->pod)
		return false;
	if (ip_is_set(&want->addr6) && !ip_net_has(&spec->v6.cidr, &want->addr6))
		return false;
	/* Its card has that MAC already. */
	if (api_ip_is_asked(entry_record(entry))) {
		const struct api_ip_told *told = &entry_record(entry)->told;

		want->mac = told->mac;
		return api_ip_is_told(entry_record(entry)) && question_request(entry, &e) &&
		       mac_is_usable(&told->mac) &&
		       (ip_eq(&told->ips[0], &want->addr) || ip_eq(&told->ips[1], &want->addr));
	}
	return question_request(entry, &e) && plan_mac(&in, want, &want->mac);
}

static void settle_inflight(struct records *all, struct subnet *subnet,
			    const struct ipam_inflight *inflight)
{
	AUTO(free) char *key = xasprintf("%s/%s", inflight->ns, inflight->name);
	struct entry *entry = records_find(all, key);
	const struct api_ip *rec = entry ? entry_record(entry) : NULL;
	struct plan_want want = {.record_uid = inflight->record_uid,
				 .addr = inflight->addr,
				 .addr6 = inflight->addr6};

	if (!rec || !str_eq(rec->meta.uid, inflight->record_uid)) {
		if (entry && entry->lost && str_eq(entry->lost->meta.uid, inflight->record_uid)) {
			subnet_drop(subnet, &inflight->addr, inflight->record_uid);
			return;
		}
		subnet_release(subnet, &inflight->addr, inflight->record_uid);
		subnet_release(subnet, &inflight->addr6, inflight->record_uid);
		return;
	}
	if (api_ip_is_allocated(rec)) {
		if (ip_eq(&rec->cidr.addr, &inflight->addr))
			subnet_drop(subnet, &inflight->addr, inflight->record_uid);
		return;
	}
	if (entry->waiter.step == WAITER_COMMITTED || entry->waiter.step == WAITER_COMMITTING)
		return;
	waiter_dequeue(&entry->waiter);
	want.request = &entry->request;
	if (work_out(subnet, entry, &want)) {
		waiter_grant(&entry->waiter, subnet, &want);
	} else {
		/* To be taken back: the record goes first, then the address. */
		waiter_hold(&entry->waiter, subnet, &want);
		entry->forced_anew = true;
	}
	entry_claim(entry);
	entry_mark(entry);
}

void records_settle_inflight(struct records *all, struct subnet *subnet)
{
	const struct ipam_allocation *r = subnet_allocation(subnet);

	for (size_t i = 0; i < r->n_inflight; i++)
		settle_inflight(all, subnet, &r->inflight[i]);
}

/* ------------------------------------------------------------------------------- lost records */

/* A pod that has a network, wants this subnet, and has no record, or one that asks for its card: entry_may_ask(). */
static bool is_unknown(const struct entry *entry, const struct subnet *subnet)
{
	const struct api_ip *rec = entry_record(entry);

	return entry->pod && entry_could_have_card(entry) && !entry->lost &&
	       (!rec || (!entry->unreadable && api_ip_is_asked(rec))) &&
	       str_eq(entry->pod->annotations.text[API_ASKED_SUBNET], subnet_name(subnet));
}

size_t records_count_unknown(const struct records *all, const struct subnet *subnet)
{
	const struct entry *entry;
	size_t pos = 0, n = all->n_unreadable;

	while ((entry = map_each(&all->by_key, &pos)))
		n += is_unknown(entry, subnet);
	return n;
}

bool records_take_answered(struct records *all)
{
	bool answered = all->answered;

	all->answered = false;
	return answered;
}

/* ------------------------------------------------------------------------------- what records have */

static void hold_addr(struct subnet *subnet, const struct entry *entry, const struct ip_addr *addr,
		      const struct api_ip *rec, struct ipam_set *held)
{
	char text[IP_ADDR_LEN];

	if (!ip_is_set(addr))
		return;
	if (!ipam_set_add(held, addr))
		log_error("two records have one address", "subnet", subnet_name(subnet), "address",
			  ip_format(addr, text), "pod", entry->key);
	subnet_adopt(subnet, addr, rec);
}

static void hold_record(struct subnet *subnet, struct entry *entry, const struct api_ip *ip,
			struct ipam_set *held)
{
	if (!ip || !str_eq(ip->subnet, subnet_name(subnet)))
		return;
	if (!api_ip_is_allocated(ip)) {
		/* What a former controller had decided for it is not known: it must not come true. */
		if (subnet_is_fresh(subnet) && !entry->lost &&
		    !ipam_allocation_inflight_find(subnet_allocation(subnet), ip->meta.uid)) {
			entry->forced_anew = true;
			entry_mark(entry);
		}
		return;
	}
	hold_addr(subnet, entry, &ip->cidr.addr, ip, held);
	hold_addr(subnet, entry, &ip->cidr6.addr, ip, held);
}

void records_hold_used(struct records *all, struct subnet *subnet, struct ipam_set *held)
{
	struct entry *entry;
	size_t pos = 0;

	while ((entry = map_each(&all->by_key, &pos))) {
		hold_record(subnet, entry, entry_record(entry), held);
		hold_record(subnet, entry, entry->lost, held);
	}
}
