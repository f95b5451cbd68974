/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses a subnet may give: by its spec, without those of nodes and of its neighbours. */
#include <stdio.h>

#include "api/master.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/objects.h"
#include "controller/facts/facts.h"
#include "controller/rules/range.h"
#include "controller/subnets/internal.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

static void own_range(struct subnet *subnet)
{
	const struct api_subnet *spec = subnet->obj ? subnet->obj->spec : NULL;
	const struct cluster_node *node;
	struct err ignored;
	size_t pos = 0;

	ipam_set_done(&subnet->own_range);
	ipam_set_done(&subnet->own_range6);
	if (!spec)
		return;
	IGNORE(range_build(spec, &spec->v, &subnet->own_range, &ignored), "checked when decoded");
	if (range_is_dual(spec))
		IGNORE(range_build(spec, &spec->v6, &subnet->own_range6, &ignored), "likewise");
	while ((node = cluster_each(subnet->all->in.cluster, CLUSTER_NODES, &pos, NULL))) {
		for (size_t i = 0; i < node->n_addrs; i++) {
			ipam_set_remove(&subnet->own_range, &node->addrs[i]);
			ipam_set_remove(&subnet->own_range6, &node->addrs[i]);
		}
	}
}

static bool may_meet(const struct subnet *a, const struct subnet *b)
{
	return a->obj && a->obj->spec && b->obj && b->obj->spec &&
	       api_master_may_meet(&a->obj->spec->network, &b->obj->spec->network);
}

/* All that a subnet's spec allows, of both families. The caller ends it. */
static struct ipam_set whole_range(const struct subnet *subnet)
{
	struct ipam_set s;

	ipam_set_copy(&subnet->own_range, &s);
	ipam_set_unite(&s, &subnet->own_range6);
	return s;
}

/* Take away what a neighbour allows too, and say so. */
static bool share_with(struct subnet *subnet, const struct subnet *other, struct sb *told)
{
	AUTO(ipam_set_done) struct ipam_set mine = whole_range(subnet);
	AUTO(ipam_set_done) struct ipam_set theirs = whole_range(other);
	size_t n = ipam_set_common(&mine, &theirs);
	char text[IP_ADDR_LEN];
	struct ip_addr first;

	if (!ipam_set_first_common(&mine, &theirs, &first))
		return false;
	ipam_set_subtract(&subnet->range, &theirs);
	ipam_set_subtract(&subnet->range6, &theirs);
	sb_printf(told, "%s%zu with MacvlanSubnet %.60s (%s%s)", told->len ? ", " : "", n,
		  other->name, n > 1 ? "from " : "", ip_format(&first, text));
	return true;
}

static void shared_range(struct subnet *subnet)
{
	AUTO(ipam_set_done) struct ipam_set was = subnet->range;
	AUTO(ipam_set_done) struct ipam_set was6 = subnet->range6;
	AUTO(sb_done) struct sb told = SB_INIT;
	struct subnet *other;
	bool sure = true;
	size_t pos = 0;

	ipam_set_copy(&subnet->own_range, &subnet->range);
	ipam_set_copy(&subnet->own_range6, &subnet->range6);
	while ((other = map_each(&subnet->all->by_name, &pos))) {
		if (other == subnet || !may_meet(subnet, other) ||
		    !share_with(subnet, other, &told))
			continue;
		sure = sure &&
		       api_master_eq(&subnet->obj->spec->network, &other->obj->spec->network);
	}
	subnet->overlap[0] = '\0';
	if (told.len)
		snprintf(subnet->overlap, sizeof(subnet->overlap),
			 "addresses shared on %s, given by neither: %.250s; "
			 "set ranges that do not overlap",
			 sure ? "the same master and VLAN" : "what may be the same LAN",
			 sb_get(&told));
	if (ipam_set_eq(&was, &subnet->range) && ipam_set_eq(&was6, &subnet->range6))
		return;
	subnet_soft(subnet);
	if (subnet->n_queue)
		subnet_hard(subnet);
}

/* What each says of them. Settled is a change too: what is not known now is said. */
static void facts_changed(struct subnets *all)
{
	const struct facts *facts = all->in.facts;
	unsigned int now = facts_version(facts) * 2 + facts_are_settled(facts);
	struct subnet *subnet;
	size_t pos = 0;

	if (all->facts == now)
		return;
	all->facts = now;
	while ((subnet = map_each(&all->by_name, &pos)))
		subnet_soft(subnet);
}

void subnets_refresh(struct subnets *all)
{
	struct subnet *subnet;
	size_t pos = 0;

	facts_changed(all);
	if (!all->ranges_stale)
		return;
	all->ranges_stale = false;
	while ((subnet = map_each(&all->by_name, &pos)))
		own_range(subnet);
	pos = 0;
	while ((subnet = map_each(&all->by_name, &pos)))
		shared_range(subnet);
}
