/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/seen.h"

#include <linux/rtnetlink.h>

#include "lib/nl/addr.h"
#include "macvlan/plan.h"

/* IP6_RT_PRIO_USER: what the kernel makes of an IPv6 route without a metric. */
#define METRIC_USER6 1024

bool seen_is_default(const struct nl_route *r, uint8_t family)
{
	return r->dst.addr.family == family && r->dst.prefix == 0 && r->type == RTN_UNICAST;
}

/* The default route that counts: of the lowest metric the first, through oif unless that is 0. */
const struct nl_route *seen_default(const struct macvlan_seen *s, uint8_t family, int oif)
{
	const struct nl_route *best = NULL;
	size_t i;

	for (i = 0; i < s->n_routes; i++) {
		const struct nl_route *r = &s->routes[i];

		if (!seen_is_default(r, family) || (oif && r->oif != oif))
			continue;
		if (!best || r->metric < best->metric)
			best = r;
	}
	return best;
}

bool seen_is_primary(const struct macvlan_seen *s, const struct nl_route *r, uint8_t family)
{
	return r->dst.addr.family == family && r->oif == s->primary_index &&
	       r->type == RTN_UNICAST && !r->multipath;
}

/*
 * The primary's gateway: that of its default route, else that of the first route that has one (a
 * primary that leaves the default to somebody else still routes the pod network).
 */
struct seen_hop seen_gateway(const struct macvlan_seen *s, uint8_t family)
{
	const struct nl_route *r = NULL;
	size_t i;

	if (!s->primary_index)
		return (struct seen_hop){0};
	r = seen_default(s, family, s->primary_index);
	for (i = 0; !r && i < s->n_routes; i++) {
		if (seen_is_primary(s, &s->routes[i], family) && ip_is_set(&s->routes[i].gw))
			r = &s->routes[i];
	}
	if (!r)
		return (struct seen_hop){0};
	return (struct seen_hop){true, r->gw, r->onlink, s->primary_index};
}

/* The primary routes all of net already without its default route. */
bool seen_covers(const struct macvlan_seen *s, const struct ip_net *net)
{
	size_t i;

	for (i = 0; i < s->n_routes; i++) {
		const struct nl_route *r = &s->routes[i];

		if (seen_is_primary(s, r, net->addr.family) && r->dst.prefix > 0 &&
		    r->dst.prefix <= net->prefix && ip_net_has(&r->dst, &net->addr))
			return true;
	}
	return false;
}

/* An address of the primary's card that the pod talks to others with. */
bool seen_is_primary_addr(const struct macvlan_seen *s, const struct nl_addr *a, uint8_t family)
{
	if (a->index != s->primary_index || a->addr.addr.family != family)
		return false;
	return family == AF_INET ? a->scope != RT_SCOPE_HOST : a->scope < RT_SCOPE_LINK;
}

bool seen_has_primary_addr(const struct macvlan_seen *s, uint8_t family)
{
	size_t i;

	for (i = 0; i < s->n_addrs; i++) {
		if (seen_is_primary_addr(s, &s->addrs[i], family))
			return true;
	}
	return false;
}

/* The metric at which a route of ours for dst wins over those that are there. */
uint32_t seen_metric(const struct macvlan_seen *s, const struct ip_net *dst)
{
	uint32_t metric = dst->addr.family == AF_INET ? 0 : METRIC_USER6;
	size_t i;

	for (i = 0; i < s->n_routes; i++) {
		if (ip_net_eq(&s->routes[i].dst, dst) && s->routes[i].metric < metric)
			metric = s->routes[i].metric;
	}
	return metric;
}
