/* SPDX-License-Identifier: Apache-2.0 */
/* What is to stand in the next write to a subnet. */
#include <stdlib.h>
#include <string.h>

#include "api/ip.h"
#include "controller/subnets/internal.h"
#include "controller/subnets/journal.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define SOFT_MS 1000

void subnet_hard(struct subnet *subnet)
{
	subnet->hard = true;
}

void subnet_soft(struct subnet *subnet)
{
	if (!subnet->soft_ms)
		subnet->soft_ms = clock_now_ms() + SOFT_MS;
}

void subnet_release(struct subnet *subnet, const struct ip_addr *addr, const char *uid)
{
	/* Before it has been compared with the records, what is not in one of them goes anyway. */
	if (subnet->state < SUBNET_SETTLING || !ip_is_set(addr))
		return;
	plan_list_add(&subnet->releases, addr, uid);
	subnet_hard(subnet);
}

void subnet_doubt(struct subnet *subnet, const struct ip_addr *addr, const char *uid)
{
	if (subnet->state >= SUBNET_SETTLING && ip_is_set(addr))
		plan_list_add(&subnet->releases, addr, uid)->unproven = true;
}

void subnet_quarantine(struct subnet *subnet, const struct ip_addr *addr, const char *uid,
		       int64_t until_s)
{
	if (subnet->state < SUBNET_SETTLING || !ip_is_set(addr))
		return;
	plan_list_add(&subnet->releases, addr, uid)->quarantine_s = until_s;
	subnet_hard(subnet);
}

void subnet_conflict(struct subnet *subnet, const struct ipam_conflict *c)
{
	subnet->conflicts = xreallocarray(subnet->conflicts, subnet->n_conflicts + 1,
					  sizeof(*subnet->conflicts));
	subnet->conflicts[subnet->n_conflicts] = *c;
	subnet->conflicts[subnet->n_conflicts++].pod_uid = xstrdup(c->pod_uid);
	subnet_hard(subnet);
}

void subnet_conflicts_cut(struct subnet *subnet, size_t n)
{
	if (n > subnet->n_conflicts)
		n = subnet->n_conflicts;
	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		free(subnet->conflicts[i].pod_uid);
	subnet->n_conflicts -= n;
	memmove(subnet->conflicts, subnet->conflicts + n,
		subnet->n_conflicts * sizeof(*subnet->conflicts));
}

void subnet_drop(struct subnet *subnet, const struct ip_addr *addr, const char *uid)
{
	plan_list_add(&subnet->drops, addr, uid);
	subnet_soft(subnet);
}

void subnet_adopt(struct subnet *subnet, const struct ip_addr *addr, const struct api_ip *rec)
{
	struct plan_entry *entry;

	if (!ip_is_set(addr) || ipam_set_has(&subnet->record.pool.used, addr))
		return;
	entry = plan_list_add(&subnet->adopts, addr, rec->meta.uid);
	if (!entry->note)
		entry->note = journal_note(rec, NULL);
	subnet_hard(subnet);
}

void subnet_doctor(struct subnet *subnet, const char *json)
{
	if (str_eq(subnet->doctor, json))
		return;
	free(subnet->doctor);
	subnet->doctor = xstrdup(json);
	subnet_soft(subnet);
}

void subnet_hold(struct subnet *subnet, int n)
{
	subnet->n_held += (size_t)n;
	subnet_soft(subnet);
}

void subnet_refuse_conflicts(struct subnet *subnet, const char *reason, const char *why,
			     const struct mac_addr *proxy)
{
	subnet->conflicts_reason = reason;
	subnet->conflicts_until_s = process_now_s(subnet->all->in.process) + IPAM_CONFLICTS_S;
	snprintf(subnet->conflicts_why, sizeof(subnet->conflicts_why), "%s", why);
	if (proxy)
		subnet->proxy = *proxy;
	subnet_soft(subnet);
}
