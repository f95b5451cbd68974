/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/seen.h"

#include <linux/rtnetlink.h>

#include "lib/base/mem.h"
#include "lib/nl/addr.h"
#include "lib/nl/rule.h"
#include "macvlan/macvlan.h"
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

		if (!seen_is_default(r, family) || r->tos || (oif && r->oif != oif))
			continue;
		if (!best || r->metric < best->metric)
			best = r;
	}
	return best;
}

bool seen_is_primary(const struct macvlan_seen *s, const struct nl_route *r, uint8_t family)
{
	return r->dst.addr.family == family && r->oif == s->primary_index && r->type == RTN_UNICAST;
}

bool seen_is_nowhere(const struct nl_route *r)
{
	return r->type == RTN_BLACKHOLE || r->type == RTN_UNREACHABLE || r->type == RTN_PROHIBIT ||
	       r->type == RTN_THROW;
}

bool seen_has_gateway(const struct nl_route *r)
{
	return r->multipath || ip_is_set(&r->gw);
}

/* ------------------------------------------------------------------ tables that rules name */

static void tables_add(struct seen_tables *t, uint32_t table)
{
	size_t i;

	if (!table || table == RT_TABLE_MAIN || table == RT_TABLE_LOCAL || t->n == SEEN_TABLES_MAX)
		return;
	for (i = 0; i < t->n; i++) {
		if (t->v[i] == table)
			return;
	}
	t->v[t->n++] = table;
}

static bool rule_is_from_primary(const struct macvlan_seen *s, const struct nl_rule *r)
{
	size_t i;

	for (i = 0; ip_is_set(&r->from.addr) && i < s->n_addrs; i++) {
		if (seen_is_primary_addr(s, &s->addrs[i], r->family) &&
		    ip_net_has(&r->from, &s->addrs[i].addr.addr))
			return true;
	}
	return false;
}

void seen_tables(const struct macvlan_seen *s, uint8_t family, struct seen_tables *out)
{
	struct seen_tables t = {.n = 0};
	size_t i;

	for (i = 0; i < s->n_rules; i++) {
		if (s->rules[i].family == family && rule_is_from_primary(s, &s->rules[i]))
			tables_add(&t, s->rules[i].table);
	}
	t.n_from = t.n;
	for (i = 0; i < s->n_rules; i++) {
		if (s->rules[i].family == family && !ip_is_set(&s->rules[i].from.addr))
			tables_add(&t, s->rules[i].table);
	}
	/* The rule of VRFs names none. */
	for (i = 0; s->primary_enslaved && i < s->n_others; i++) {
		if (seen_is_primary(s, &s->others[i], family))
			tables_add(&t, s->others[i].table);
	}
	*out = t;
}

static bool is_own(const struct macvlan_seen *s, const struct nl_route *r, uint8_t family)
{
	return seen_is_primary(s, r, family) ||
	       (r->dst.addr.family == family && seen_is_nowhere(r));
}

/* Nothing is looked up in later tables. */
static bool is_end(const struct nl_route *r)
{
	return r->dst.prefix == 0 && r->type != RTN_THROW && !r->tos;
}

/* What is in tables before this one is found first, also where it is wider. */
static bool is_found_before(const struct nl_route *const *v, size_t n, const struct nl_route *r)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (v[i]->table != r->table && v[i]->type != RTN_THROW && !v[i]->tos &&
		    v[i]->dst.prefix <= r->dst.prefix && ip_net_has(&v[i]->dst, &r->dst.addr))
			return true;
	}
	return false;
}

const struct nl_route **seen_own(const struct macvlan_seen *s, uint8_t family, size_t *out_n)
{
	const struct nl_route **v = NULL;
	struct seen_tables t;
	size_t n = 0, i, k;
	bool any = false;

	seen_tables(s, family, &t);
	for (i = 0; !any && i <= t.n_from; i++) {
		bool last = i == t.n_from;
		const struct nl_route *r = last ? s->routes : s->others;
		size_t n_r = last ? s->n_routes : s->n_others;

		for (k = 0; k < n_r; k++) {
			if ((!last && r[k].table != t.v[i]) || !is_own(s, &r[k], family) ||
			    is_found_before(v, n, &r[k]))
				continue;
			v = xreallocarray(v, n + 1, sizeof(*v));
			v[n++] = &r[k];
			any = any || is_end(&r[k]);
		}
	}
	*out_n = n;
	return v;
}

/* ------------------------------------------------------------------ the primary's gateway */

/* In main, or in another table; of defaults the one that counts, else the first route with a gateway. */
static const struct nl_route *gateway_in(const struct macvlan_seen *s, uint8_t family,
					 uint32_t table, bool is_default)
{
	bool main = table == RT_TABLE_MAIN;
	const struct nl_route *r = main ? s->routes : s->others, *best = NULL;
	size_t n = main ? s->n_routes : s->n_others, i;

	for (i = 0; i < n; i++) {
		if ((!main && r[i].table != table) || !seen_is_primary(s, &r[i], family) ||
		    r[i].tos || (is_default ? r[i].dst.prefix > 0 : !seen_has_gateway(&r[i])))
			continue;
		if (!best || (is_default && r[i].metric < best->metric))
			best = &r[i];
	}
	return best;
}

bool seen_reaches(const struct macvlan_seen *s, const struct ip_addr *gw)
{
	size_t i;

	for (i = 0; i < s->n_routes; i++) {
		const struct nl_route *r = &s->routes[i];

		if (seen_is_primary(s, r, gw->family) && r->dst.prefix > 0 &&
		    !seen_has_gateway(r) && ip_net_has(&r->dst, gw))
			return true;
	}
	return gw->family == AF_INET6 && ip_is_linklocal(gw);
}

static const struct nl_route *gateway_route(const struct macvlan_seen *s, uint8_t family)
{
	static const bool defaults_first[] = {true, false};
	const struct nl_route *r = NULL;
	struct seen_tables t;
	size_t pass, i;

	seen_tables(s, family, &t);
	for (pass = 0; !r && pass < ARRAY_SIZE(defaults_first); pass++) {
		r = gateway_in(s, family, RT_TABLE_MAIN, defaults_first[pass]);
		for (i = 0; !r && i < t.n; i++)
			r = gateway_in(s, family, t.v[i], defaults_first[pass]);
	}
	return r;
}

struct seen_hop seen_gateway(const struct macvlan_seen *s, const struct macvlan_card *card,
			     uint8_t family)
{
	const struct ip_addr *told = family == AF_INET ? &card->primary_gateway
						       : &card->primary_gateway6;
	struct seen_hop h = {.oif = s->primary_index};

	if (!s->primary_index)
		return (struct seen_hop){0};
	h.like = gateway_route(s, family);
	if (h.like) {
		h.gw = h.like->gw;
		h.onlink = h.like->onlink;
	} else {
		h.gw = *told;
	}
	h.found = h.like || ip_is_set(told);
	/* Its network may be in the other table only. */
	if (ip_is_set(&h.gw) && (!h.like || h.like->table != RT_TABLE_MAIN))
		h.onlink = h.onlink || !seen_reaches(s, &h.gw);
	return h;
}

int seen_prefix(const struct macvlan_seen *s, const struct ip_net *net)
{
	int best = 0;
	size_t i;

	for (i = 0; i < s->n_routes; i++) {
		const struct nl_route *r = &s->routes[i];

		if (!r->tos && r->dst.prefix > best && r->dst.prefix <= net->prefix &&
		    ip_net_has(&r->dst, &net->addr))
			best = r->dst.prefix;
	}
	return best;
}

/* ------------------------------------------------------------------ addresses, metrics */

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
		const struct nl_route *r = &s->routes[i];

		if (!r->tos && ip_net_eq(&r->dst, dst) && r->metric < metric)
			metric = r->metric;
	}
	return metric;
}
