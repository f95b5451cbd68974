/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry had goes back to its subnet. */
#include <stdlib.h>

#include "controller/cluster/cluster.h"
#include "controller/cluster/objects.h"
#include "controller/records/conflict.h"
#include "controller/records/internal.h"
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

void entry_released(struct entry *entry, const struct api_ip *rec)
{
	struct subnet *subnet = subnets_find(entry->all->in.subnets, rec->subnet);
	struct ip_addr addr = rec->cidr.addr, addr6 = rec->cidr6.addr;
	AUTO(free) char *uid = xstrdup(rec->meta.uid);
	bool made_anew = entry->lost && rec != entry->lost && entry->pod &&
			 str_eq(entry->pod->meta.uid, rec->pod_id) && !api_pod_is_over(entry->pod);
	bool unproven;

	if (entry->waiter.step == WAITER_COMMITTED && !ip_is_set(&addr)) {
		addr = entry->waiter.addr;
		addr6 = entry->waiter.addr6;
	}
	if (!ip_is_set(&addr) && entry->lost) {
		addr = entry->lost->cidr.addr;
		addr6 = entry->lost->cidr6.addr;
	}
	unproven = is_unproven(entry, rec);
	waiter_dequeue(&entry->waiter);
	waiter_leave(&entry->waiter);
	entry->releasing = entry->forced_anew = false;
	entry_hold(entry, NULL);
	if (rec != entry->lost)
		entry_set_own(entry, NULL);
	if (made_anew) {
		/* The card has the address all the same: it is for the next attempt. */
		if (subnet)
			subnet_drop(subnet, &addr, uid);
		entry_claim(entry);
		entry_mark(entry);
		return;
	}
	api_ip_free(entry->lost);
	entry->lost = NULL;
	api_ip_free(entry->good);
	entry->good = NULL;
	entry_claim(entry);
	log_debug("record is gone", "record", entry->key, "uid", uid);
	entry->all->n_released += ip_is_set(&addr);
	if (subnet) {
		conflict_release(entry, subnet, &addr, uid);
		conflict_release(entry, subnet, &addr6, uid);
	}
	if (subnet && unproven) {
		subnet_doubt(subnet, &addr, uid);
		subnet_doubt(subnet, &addr6, uid);
	}
	entry_mark(entry);
}
