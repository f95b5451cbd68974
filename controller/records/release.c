/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry had goes back to its subnet. */
#include <stdlib.h>

#include "controller/cluster/cluster.h"
#include "controller/cluster/objects.h"
#include "controller/records/conflict.h"
#include "controller/records/internal.h"
#include "controller/rules/spec.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* Committed or waiting for a record that is no more, or another by now. */
void entry_drop_stale(struct entry *entry, const struct api_ip *rec)
{
	struct subnet *subnet = entry->waiter.subnet;

	if (entry->waiter.step == WAITER_IDLE ||
	    (rec && str_eq(rec->meta.uid, entry->waiter.record_uid)))
		return;
	if (entry->waiter.step == WAITER_QUEUED) {
		waiter_dequeue(&entry->waiter);
		return;
	}
	waiter_leave(&entry->waiter);
	entry_claim(entry);
	if (entry->lost && ip_eq(&entry->lost->cidr.addr, &entry->waiter.addr)) {
		/* It stood in the record that went, and stays used for the next one. */
		subnet_drop(subnet, &entry->waiter.addr, entry->waiter.record_uid);
		return;
	}
	subnet_release(subnet, &entry->waiter.addr, entry->waiter.record_uid);
	subnet_release(subnet, &entry->waiter.addr6, entry->waiter.record_uid);
}

/* It was held until it was sure enough, but nobody knows: a machine that is cut off may run on. */
static bool is_unproven(const struct entry *entry, const struct api_ip *rec)
{
	const struct cluster_node *node = cluster_node(entry->all->in.cluster, rec->node);

	return rec->unwitnessed && !api_ip_card_is_down(rec) && !(node && node->out_of_service);
}

/* In a word, for the journal. */
static const char *end_of(const struct entry *entry, const struct api_ip *rec, bool unproven)
{
	const struct cluster_node *node = cluster_node(entry->all->in.cluster, rec->node);
	bool known = str_eq(entry->end_uid, rec->pod_id);

	if (rec->phase == API_IP_CONFLICT)
		return "conflict";
	if (!api_ip_is_allocated(rec) && entry->forced_anew)
		return "taken-back";
	if (unproven)
		return "unwitnessed";
	if (api_ip_card_is_down(rec))
		return "card-down";
	if (known && entry->end == DECIDE_END_FINISHED)
		return "finished";
	if (known && entry->end == DECIDE_END_IDLE)
		return "idle";
	if (node && node->out_of_service)
		return "out-of-service";
	return entry->pod && api_pod_is_over(entry->pod) ? "over" : "ended";
}

/* What it had goes back, and whose it was is noted. */
static void give_back(struct entry *entry, const struct api_ip *rec, const struct ip_addr addr[2],
		      const char *why, bool unproven)
{
	struct subnet *subnet = subnets_find(entry->all->in.subnets, rec->subnet);

	for (size_t i = 0; subnet && i < 2; i++) {
		conflict_release(entry, subnet, &addr[i], rec->meta.uid);
		subnet_note_end(subnet, &addr[i], rec, why);
		if (unproven)
			subnet_doubt(subnet, &addr[i], rec->meta.uid);
	}
}

void entry_released(struct entry *entry, const struct api_ip *rec)
{
	struct subnet *subnet = subnets_find(entry->all->in.subnets, rec->subnet);
	struct ip_addr addr[2] = {rec->cidr.addr, rec->cidr6.addr};
	/* It is freed with what we know of it. */
	AUTO(api_ip_free) struct api_ip *was = spec_copy(rec);
	bool made_anew = entry->lost && rec != entry->lost && entry->pod &&
			 str_eq(entry->pod->meta.uid, rec->pod_id) && !api_pod_is_over(entry->pod);
	bool unproven = is_unproven(entry, rec);
	const char *why = end_of(entry, rec, unproven);

	if (entry->waiter.step == WAITER_COMMITTED && !ip_is_set(&addr[0])) {
		addr[0] = entry->waiter.addr;
		addr[1] = entry->waiter.addr6;
	}
	if (!ip_is_set(&addr[0]) && entry->lost) {
		addr[0] = entry->lost->cidr.addr;
		addr[1] = entry->lost->cidr6.addr;
	}
	waiter_dequeue(&entry->waiter);
	waiter_leave(&entry->waiter);
	entry->releasing = entry->forced_anew = false;
	entry_hold(entry, NULL);
	if (rec != entry->lost)
		entry_set_own(entry, NULL);
	if (made_anew) {
		/* The card has the address all the same: it is for the next attempt. */
		if (subnet)
			subnet_drop(subnet, &addr[0], was->meta.uid);
		entry_claim(entry);
		entry_mark(entry);
		return;
	}
	api_ip_free(entry->lost);
	entry->lost = NULL;
	api_ip_free(entry->good);
	entry->good = NULL;
	entry_claim(entry);
	log_debug("record is gone", "record", entry->key, "uid", was->meta.uid);
	entry->all->n_released += ip_is_set(&addr[0]);
	give_back(entry, was, addr, why, unproven);
	entry_mark(entry);
}
