/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/plan_host.h"

#include <inttypes.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/addr.h"
#include "lib/nl/link.h"
#include "lib/nl/route.h"
#include "macvlan/macvlan.h"

/* IP6_RT_PRIO_USER */
#define METRIC_USER6 1024

/* An address that others should not be told of, or that is not here to stay. */
#define ADDR_UNFIT (IFA_F_SECONDARY | IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TENTATIVE)

void macvlan_host_name(const char *parent, char out[IFNAMSIZ])
{
	char full[NL_ALTNAME_MAX + 8];
	int n = snprintf(full, sizeof(full), "%s.host", parent);

	if (n > 0 && n < IFNAMSIZ)
		memcpy(out, full, (size_t)n + 1);
	else
		snprintf(out, IFNAMSIZ, "%.2s%08" PRIx32 ".host", parent,
			 (uint32_t)hash_fnv1a(HASH_FNV1A_INIT, parent, strlen(parent)));
}

/* Two nodes have different parents, and two VLANs of one NIC its MAC but not its name. */
static struct mac_addr mac_for(const struct nl_link *parent, const char *use)
{
	uint64_t h = hash_fnv1a(HASH_FNV1A_INIT, use, strlen(use));
	struct mac_addr mac;
	size_t i;

	h = hash_fnv1a(h, parent->mac.b, sizeof(parent->mac.b));
	h = hash_fnv1a(h, parent->name, strlen(parent->name));
	for (i = 0; i < sizeof(mac.b); i++)
		mac.b[i] = (uint8_t)(h >> (8 * i));
	/* Locally administered, unicast. */
	mac.b[0] = (uint8_t)((mac.b[0] & 0xfc) | 2);
	return mac;
}

struct mac_addr macvlan_host_mac(const struct nl_link *parent)
{
	return mac_for(parent, MACVLAN_ALIAS " host");
}

struct mac_addr macvlan_probe_mac(const struct nl_link *parent)
{
	return mac_for(parent, MACVLAN_ALIAS " probe");
}

/* The MAC tells as well: an ADD may have been killed before the alias was set. */
bool macvlan_host_is_ours(const struct nl_link *l, const struct nl_link *parent)
{
	struct mac_addr mac = macvlan_host_mac(parent);

	return str_eq(l->kind, "macvlan") && l->parent == parent->index && !l->parent_elsewhere &&
	       (str_eq(l->alias, MACVLAN_ALIAS) || mac_eq(&l->mac, &mac));
}

/* ------------------------------------------------------------------ the node's own addresses */

static bool addr_fits(const struct nl_addr *a, uint8_t family)
{
	return a->addr.addr.family == family && a->scope == RT_SCOPE_UNIVERSE &&
	       !(a->flags & ADDR_UNFIT) && !ip_is_linklocal(&a->addr.addr);
}

/*
 * A link's own address. The kernel lists the first IPv4 address first and the newest IPv6 address
 * first; of those, one with a network of its own is more likely to stay than a /128.
 */
static const struct ip_addr *link_addr(const struct macvlan_host_seen *s, int index, uint8_t family)
{
	const struct nl_addr *best = NULL;
	size_t i;

	for (i = 0; i < s->n_addrs; i++) {
		const struct nl_addr *a = &s->addrs[i];

		if (a->index != index || !addr_fits(a, family))
			continue;
		if (!best || (family == AF_INET6 && a->addr.prefix <= best->addr.prefix))
			best = a;
	}
	return best ? &best->addr.addr : NULL;
}

static const struct ip_addr *own_addr(const struct macvlan_host_seen *s, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < s->n_addrs; i++) {
		if (ip_eq(&s->addrs[i].addr.addr, addr))
			return &s->addrs[i].addr.addr;
	}
	return NULL;
}

static const struct ip_addr *default_addr(const struct macvlan_host_seen *s, uint8_t family)
{
	const struct nl_route *best = NULL;
	size_t i;

	for (i = 0; i < s->n_routes; i++) {
		const struct nl_route *r = &s->routes[i];

		if (r->dst.addr.family != family || r->dst.prefix || r->type != RTN_UNICAST ||
		    !r->oif)
			continue;
		if (!best || r->metric < best->metric)
			best = r;
	}
	if (!best)
		return NULL;
	if (ip_is_set(&best->src))
		return own_addr(s, &best->src);
	return link_addr(s, best->oif, family);
}

/* Software devices have addresses of the primary's, of tunnels or of name servers' caches. */
static bool may_be_nic(const struct nl_link *l)
{
	return !(l->flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) && !l->master &&
	       (!l->kind[0] || str_eq(l->kind, "bond") || str_eq(l->kind, "team") ||
		str_eq(l->kind, "vlan"));
}

static const struct ip_addr *nic_addr(const struct macvlan_host_seen *s, uint8_t family)
{
	const struct ip_addr *a = NULL;
	size_t i;

	for (i = 0; !a && i < s->n_links; i++) {
		if (may_be_nic(&s->links[i]))
			a = link_addr(s, s->links[i].index, family);
	}
	return a;
}

static void take(struct macvlan_node *n, const struct ip_addr *a)
{
	if (a && !macvlan_host_has(n, a) && n->n_addrs < ARRAY_SIZE(n->addrs))
		n->addrs[n->n_addrs++] = *a;
}

void macvlan_host_addrs(const struct macvlan_host_seen *s, struct macvlan_node *out)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	size_t i;

	out->n_addrs = 0;
	for (i = 0; i < ARRAY_SIZE(families); i++) {
		size_t before = out->n_addrs;

		take(out, default_addr(s, families[i]));
		take(out, link_addr(s, s->parent->index, families[i]));
		if (out->n_addrs == before)
			take(out, nic_addr(s, families[i]));
	}
}

const struct ip_addr *macvlan_host_src(const struct macvlan_node *n, uint8_t family)
{
	size_t i;

	for (i = 0; i < n->n_addrs; i++) {
		if (n->addrs[i].family == family)
			return &n->addrs[i];
	}
	return NULL;
}

bool macvlan_host_has(const struct macvlan_node *n, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < n->n_addrs; i++) {
		if (ip_eq(&n->addrs[i], addr))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ routes */

/* The source is named: the kernel would take the first address of the namespace, whosever it is. */
struct nl_route macvlan_host_route(const struct ip_addr *pod, const struct ip_addr *src, int device)
{
	return (struct nl_route){
		.dst = ip_net_host(pod),
		.src = *src,
		.oif = device,
		.table = RT_TABLE_MAIN,
		.metric = pod->family == AF_INET6 ? METRIC_USER6 : 0,
		.scope = pod->family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
	};
}

bool macvlan_host_route_is_pods(const struct nl_route *r, int device)
{
	return r->oif == device && r->type == RTN_UNICAST && r->protocol != RTPROT_KERNEL &&
	       r->dst.prefix == ip_bits(&r->dst.addr);
}
