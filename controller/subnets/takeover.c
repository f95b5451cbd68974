/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subnet that we did not know: its allocation is held against the records. The order of the steps is
 * controller/takeover.h's.
 */
#include "controller/subnets/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

/* Nodes answer within a second; who does not is not waited for. */
#define BLIND_MS 10000

bool subnets_are_claimed(const struct subnets *all)
{
	const struct subnet *subnet;
	size_t pos = 0;

	while ((subnet = map_each(&all->by_name, &pos))) {
		if (subnet->obj && subnet->state == SUBNET_NEW)
			return false;
	}
	return true;
}

bool subnets_relist(struct subnets *all)
{
	struct subnet *subnet;
	bool begin = false;
	size_t pos = 0;

	while ((subnet = map_each(&all->by_name, &pos)))
		begin |= subnet->state == SUBNET_LISTING && !subnet->relisting;
	if (!begin)
		return false;
	pos = 0;
	while ((subnet = map_each(&all->by_name, &pos)))
		subnet->relisting |= subnet->state == SUBNET_LISTING;
	return true;
}

void subnets_records_listed(struct subnets *all)
{
	struct subnet *subnet;
	size_t pos = 0;

	while ((subnet = map_each(&all->by_name, &pos))) {
		if (subnet->state == SUBNET_LISTING && subnet->relisting)
			subnet->state = SUBNET_CLAIMED;
	}
}

void subnet_settle(struct subnet *subnet)
{
	subnet->state = SUBNET_SETTLING;
}

bool subnet_is_fresh(const struct subnet *subnet)
{
	return subnet->fresh;
}

bool subnet_has_orphans(const struct subnet *subnet)
{
	return subnet->orphans.n != 0;
}

bool subnet_lost_some(const struct subnet *subnet)
{
	return subnet->orphans.n || subnet->blind;
}

int64_t subnet_blind_ms(const struct subnet *subnet)
{
	int64_t left = subnet->blind ? subnet->blind_ms - clock_now_ms() : 0;

	return left > 0 ? left : 0;
}

const char *subnet_may_restore(const struct subnet *subnet, const struct ip_addr *addr)
{
	const struct ipam_allocation *r = &subnet->record;

	if (!ipam_set_has(&subnet->range, addr) && !ipam_set_has(&subnet->range6, addr))
		return "the MacvlanSubnet does not give it";
	for (size_t i = 0; i < r->n_inflight; i++) {
		if (ip_eq(&r->inflight[i].addr, addr) || ip_eq(&r->inflight[i].addr6, addr))
			return "it has been given to another pod";
	}
	if (subnet_addr_taken(subnet, addr, ""))
		return "another pod has it";
	if (ipam_set_has(&r->pool.used, addr))
		return ipam_set_has(&subnet->orphans, addr) ? NULL : "another pod has it";
	if (ipam_set_has(&r->pool.cooling_all, addr))
		return "it is cooling down";
	return subnet->blind ? NULL : "no record of it was lost";
}

bool subnet_is_blind(const struct subnet *subnet)
{
	return subnet->blind;
}

void subnet_end_blind(struct subnet *subnet)
{
	subnet->blind = false;
	log_info("every card is known again", "subnet", subnet->name);
	/* Whoever waits need not wait any longer. */
	subnet_hard(subnet);
	subnet->all->ops->changed(subnet->all->ctx);
}

static void release_orphans(struct subnet *subnet)
{
	const struct ip_addr start = {0};
	struct ip_addr a;
	char text[IP_ADDR_LEN];

	while (ipam_set_next(&subnet->orphans, &start, NULL, 0, &a)) {
		ipam_set_remove(&subnet->orphans, &a);
		log_info("address without a record is released", "subnet", subnet->name, "address",
			 ip_format(&a, text));
		/* How the card went that had it is not known. */
		plan_list_add(&subnet->releases, &a, "")->unproven = true;
	}
	subnet_hard(subnet);
}

/* Used, and neither in a record nor in flight. */
static void find_orphans(struct subnet *subnet, const struct ipam_set *held)
{
	const struct ipam_allocation *r = &subnet->record;

	ipam_set_done(&subnet->orphans);
	ipam_set_copy(&r->pool.used, &subnet->orphans);
	ipam_set_subtract(&subnet->orphans, held);
	for (size_t i = 0; i < r->n_inflight; i++) {
		ipam_set_remove(&subnet->orphans, &r->inflight[i].addr);
		if (ip_is_set(&r->inflight[i].addr6))
			ipam_set_remove(&subnet->orphans, &r->inflight[i].addr6);
	}
}

void subnet_settled(struct subnet *subnet, const struct ipam_set *held, bool recordless)
{
	find_orphans(subnet, held);
	subnet->orphans_ms = 0;
	subnet->blind = subnet->fresh && recordless;
	subnet->blind_ms = clock_now_ms() + BLIND_MS;
	if (!recordless)
		release_orphans(subnet);
	else if (subnet->orphans.n)
		log_warn("addresses without a record are held: a pod has lost its record", "subnet",
			 subnet->name);
	subnet->fresh = false;
	subnet_hard(subnet);
	log_info("subnet is taken over", "subnet", subnet->name);
}

/* Nobody can tell how the pod that had it went: it is held as one whose end was not seen. */
int64_t subnet_run_orphans(struct subnet *subnet, int64_t now_ms, int64_t hold_ms, bool unclaimed)
{
	if (!subnet->orphans.n)
		return 0;
	if (!subnet->orphans_ms && unclaimed)
		subnet->orphans_ms = now_ms + hold_ms;
	if (subnet->orphans_ms && subnet->orphans_ms <= now_ms) {
		release_orphans(subnet);
		subnet->orphans_ms = 0;
	}
	return subnet->orphans_ms;
}
