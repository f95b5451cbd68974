/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/route.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/icmpv6.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/nl/nl.h"

/* Flags of a dump that a request may repeat; the kernel refuses those that report a state. */
#define ROUTE_FLAGS_KEPT (RTNH_F_ONLINK | RTNH_F_PERVASIVE)

/* ------------------------------------------------------------------ writing */

static void route_put_gw(struct nl_req *req, const struct nl_route *r)
{
	struct {
		uint16_t family;
		uint8_t addr[16];
	} via;

	if (!ip_is_set(&r->gw))
		return;
	if (r->gw.family == r->dst.addr.family) {
		nl_req_put(req, RTA_GATEWAY, r->gw.b, ip_bytes(&r->gw));
		return;
	}
	/* An IPv4 network behind an IPv6 neighbour. */
	via.family = r->gw.family;
	memcpy(via.addr, r->gw.b, sizeof(via.addr));
	nl_req_put(req, RTA_VIA, &via, sizeof(via.family) + ip_bytes(&r->gw));
}

static void route_put_more(struct nl_req *req, const struct nl_route *r)
{
	const struct nlattr *attr;

	mnl_attr_for_each_payload((const void *)r->more, r->more_len)
		nl_req_put(req, attr->nla_type, mnl_attr_get_payload(attr),
			   mnl_attr_get_payload_len(attr));
}

static void route_req(struct nl_req *req, uint16_t type, uint16_t flags, const struct nl_route *r)
{
	struct ip_addr base = ip_net_base(&r->dst);
	uint32_t table = r->table ? r->table : RT_TABLE_MAIN;
	struct rtmsg rtm = {
		.rtm_family = r->dst.addr.family,
		.rtm_dst_len = r->dst.prefix,
		.rtm_src_len = ip_is_set(&r->from.addr) ? r->from.prefix : 0,
		.rtm_tos = r->tos,
		.rtm_table = table < 256 ? (uint8_t)table : RT_TABLE_UNSPEC,
		.rtm_protocol = r->protocol ? r->protocol : RTPROT_BOOT,
		.rtm_scope = r->scope,
		.rtm_type = r->type ? r->type : RTN_UNICAST,
		.rtm_flags = r->onlink ? RTNH_F_ONLINK : 0,
	};

	nl_req_init(req, type, flags, &rtm, sizeof(rtm));
	if (r->dst.prefix)
		nl_req_put(req, RTA_DST, base.b, ip_bytes(&base));
	if (rtm.rtm_src_len)
		nl_req_put(req, RTA_SRC, r->from.addr.b, ip_bytes(&r->from.addr));
	route_put_gw(req, r);
	if (ip_is_set(&r->src))
		nl_req_put(req, RTA_PREFSRC, r->src.b, ip_bytes(&r->src));
	if (r->oif && !r->multipath)
		nl_req_put_u32(req, RTA_OIF, (uint32_t)r->oif);
	if (r->metric)
		nl_req_put_u32(req, RTA_PRIORITY, r->metric);
	nl_req_put_u32(req, RTA_TABLE, table);
	route_put_more(req, r);
}

/* What a listed route says beside its key, and may not be said again in a request. */
static bool route_attr_repeats(uint16_t type, bool has_nexthop_id)
{
	switch (type) {
	case RTA_CACHEINFO:
	case RTA_UID:
		return false;
	/* With a nexthop object the kernel refuses its parts beside it. */
	case RTA_GATEWAY:
	case RTA_VIA:
	case RTA_OIF:
	case RTA_MULTIPATH:
	case RTA_ENCAP:
	case RTA_ENCAP_TYPE:
		return !has_nexthop_id;
	default:
		return true;
	}
}

/* The next hops without what reports their state. The link that they share, or 0. */
static int route_clean_hops(uint8_t *hops, size_t len)
{
	size_t at = 0;
	int oif = 0;

	while (len - at >= sizeof(struct rtnexthop)) {
		struct rtnexthop hop;

		memcpy(&hop, hops + at, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > len - at)
			break;
		oif = at == 0 || oif == hop.rtnh_ifindex ? hop.rtnh_ifindex : 0;
		hop.rtnh_flags &= ROUTE_FLAGS_KEPT;
		memcpy(hops + at, &hop, sizeof(hop));
		at += MNL_ALIGN(hop.rtnh_len);
		if (at > len)
			break;
	}
	return oif;
}

static void route_put_multipath(struct nl_req *req, const struct nlattr *attr)
{
	uint8_t hops[NL_ROUTE_RAW_MAX];
	size_t len = mnl_attr_get_payload_len(attr);

	if (len > sizeof(hops)) {
		req->full = true;
		return;
	}
	memcpy(hops, mnl_attr_get_payload(attr), len);
	route_clean_hops(hops, len);
	nl_req_put(req, RTA_MULTIPATH, hops, len);
}

/* The kernel's own message again, as "ip route restore" does it. */
static void route_req_raw(struct nl_req *req, uint16_t type, uint16_t flags,
			  const struct nl_route *r)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)r->raw;
	const struct nlattr *attr;
	bool has_nexthop_id = false;
	struct rtmsg rtm;

	memcpy(&rtm, mnl_nlmsg_get_payload(nlh), sizeof(rtm));
	rtm.rtm_flags &= ROUTE_FLAGS_KEPT;
	nl_req_init(req, type, flags, &rtm, sizeof(rtm));
	mnl_attr_for_each(attr, nlh, sizeof(rtm)) {
		if (mnl_attr_get_type(attr) == RTA_NH_ID)
			has_nexthop_id = true;
	}
	mnl_attr_for_each(attr, nlh, sizeof(rtm)) {
		uint16_t t = mnl_attr_get_type(attr);

		if (!route_attr_repeats(t, has_nexthop_id))
			continue;
		if (t == RTA_MULTIPATH)
			route_put_multipath(req, attr);
		else
			nl_req_put(req, t, mnl_attr_get_payload(attr),
				   mnl_attr_get_payload_len(attr));
	}
}

static int route_send(struct nl *nl, uint16_t type, uint16_t flags, const struct nl_route *r,
		      struct err *e)
{
	struct nl_req req;

	if (r->raw_len)
		route_req_raw(&req, type, flags, r);
	else
		route_req(&req, type, flags, r);
	return nl_talk(nl, &req, e);
}

int nl_route_replace(struct nl *nl, const struct nl_route *r, struct err *e)
{
	return route_send(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, r, e);
}

int nl_route_add(struct nl *nl, const struct nl_route *r, struct err *e)
{
	return route_send(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, r, e);
}

int nl_route_append(struct nl *nl, const struct nl_route *r, struct err *e)
{
	return route_send(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, r, e);
}

int nl_route_delete(struct nl *nl, const struct nl_route *r, struct err *e)
{
	if (route_send(nl, RTM_DELROUTE, 0, r, e) == 0)
		return 0;
	/* Its link, table or itself has gone. */
	if (e->num != ESRCH && e->num != ENODEV)
		return -1;
	err_clear(e);
	return 0;
}

/* ------------------------------------------------------------------ reading */

struct route_list {
	struct nl_route *v;
	size_t n;
	uint32_t table;
	uint8_t family;
	size_t start; /* where this family's part begins */
};

static void route_reset(void *ctx)
{
	struct route_list *l = ctx;

	l->n = l->start;
}

static void route_read_addr(const struct nlattr *attr, uint8_t family, struct ip_addr *out)
{
	struct ip_addr a = {.family = family};

	if (mnl_attr_get_payload_len(attr) != ip_bytes(&a))
		return;
	memcpy(a.b, mnl_attr_get_payload(attr), ip_bytes(&a));
	*out = a;
}

static void route_read_via(const struct nlattr *attr, struct ip_addr *out)
{
	const uint8_t *p = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);
	struct ip_addr a = {0};
	uint16_t family;

	if (len < sizeof(family))
		return;
	memcpy(&family, p, sizeof(family));
	a.family = (uint8_t)family;
	if ((family != AF_INET && family != AF_INET6) || len != sizeof(family) + ip_bytes(&a))
		return;
	memcpy(a.b, p + sizeof(family), ip_bytes(&a));
	*out = a;
}

/* What a copy has to say again, byte for byte. */
static struct nlattr *route_keep(const struct nlattr *attr, struct nl_route *r)
{
	size_t len = MNL_ALIGN(attr->nla_len);
	struct nlattr *kept = (struct nlattr *)(void *)(r->more + r->more_len);

	if (len > sizeof(r->more) - r->more_len)
		return NULL;
	memcpy(kept, attr, attr->nla_len);
	r->more_len = (uint16_t)(r->more_len + len);
	return kept;
}

static void route_read_multipath(const struct nlattr *attr, struct nl_route *r)
{
	struct nlattr *kept = route_keep(attr, r);

	r->multipath = true;
	if (kept)
		r->oif = route_clean_hops(mnl_attr_get_payload(kept),
					  mnl_attr_get_payload_len(kept));
}

static void route_read_attr(const struct nlattr *attr, struct nl_route *r)
{
	uint8_t family = r->dst.addr.family;
	uint32_t u = mnl_attr_get_payload_len(attr) >= 4 ? mnl_attr_get_u32(attr) : 0;

	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		route_read_addr(attr, family, &r->dst.addr);
		break;
	case RTA_GATEWAY:
		route_read_addr(attr, family, &r->gw);
		break;
	case RTA_VIA:
		route_read_via(attr, &r->gw);
		break;
	case RTA_PREFSRC:
		route_read_addr(attr, family, &r->src);
		break;
	case RTA_OIF:
		r->oif = (int)u;
		break;
	case RTA_PRIORITY:
		r->metric = u;
		break;
	case RTA_TABLE:
		r->table = u;
		break;
	case RTA_SRC:
		route_read_addr(attr, family, &r->from.addr);
		break;
	case RTA_MULTIPATH:
		route_read_multipath(attr, r);
		break;
	/* State, or said again by what is read above. */
	case RTA_CACHEINFO:
	case RTA_UID:
	case RTA_NH_ID:
	case RTA_IIF:
	case RTA_EXPIRES:
		break;
	case RTA_PREF:
		if (*(const uint8_t *)mnl_attr_get_payload(attr) != ICMPV6_ROUTER_PREF_MEDIUM)
			route_keep(attr, r);
		break;
	default:
		route_keep(attr, r);
		break;
	}
}

static void route_read(const struct nlmsghdr *nlh, const struct rtmsg *rtm, struct nl_route *r)
{
	const struct nlattr *attr;

	*r = (struct nl_route){
		.dst = {.addr = {.family = rtm->rtm_family}, .prefix = rtm->rtm_dst_len},
		.from = {.prefix = rtm->rtm_src_len},
		.table = rtm->rtm_table,
		.scope = rtm->rtm_scope,
		.type = rtm->rtm_type,
		.protocol = rtm->rtm_protocol,
		.tos = rtm->rtm_tos,
		.onlink = rtm->rtm_flags & RTNH_F_ONLINK,
	};
	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
		route_read_attr(attr, r);
	if (nlh->nlmsg_len > sizeof(r->raw))
		return;
	memcpy(r->raw, nlh, nlh->nlmsg_len);
	r->raw_len = (uint16_t)nlh->nlmsg_len;
}

static int route_take(const struct nlmsghdr *nlh, void *ctx, struct err *e)
{
	struct route_list *l = ctx;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return 0;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return err_set(e, ERR_KERNEL, EBADMSG, "short route message");
	/* A kernel without that family answers with those that it has. */
	if (rtm->rtm_family != l->family || rtm->rtm_flags & RTM_F_CLONED)
		return 0;
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	route_read(nlh, rtm, &l->v[l->n]);
	if (!l->table || l->v[l->n].table == l->table)
		l->n++;
	return 0;
}

int nl_route_list(struct nl *nl, uint32_t table, struct nl_route **out, size_t *out_n,
		  struct err *e)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct route_list l = {.table = table};
	struct nl_sink sink = {route_take, route_reset, &l};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		struct rtmsg rtm = {.rtm_family = families[i]};
		struct nl_req r;

		l.family = families[i];
		l.start = l.n;
		nl_req_init(&r, RTM_GETROUTE, 0, &rtm, sizeof(rtm));
		if (nl_dump(nl, &r, &sink, e) < 0) {
			free(l.v);
			return -1;
		}
	}
	*out = l.v;
	*out_n = l.n;
	return 0;
}
