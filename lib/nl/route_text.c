/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/nl/route.h"

/* The words of ip-route(8), by RTAX_*. */
static const char *const metric_names[] = {
	[RTAX_MTU] = "mtu",           [RTAX_WINDOW] = "window",
	[RTAX_RTT] = "rtt",           [RTAX_RTTVAR] = "rttvar",
	[RTAX_SSTHRESH] = "ssthresh", [RTAX_CWND] = "cwnd",
	[RTAX_ADVMSS] = "advmss",     [RTAX_REORDERING] = "reordering",
	[RTAX_HOPLIMIT] = "hoplimit", [RTAX_INITCWND] = "initcwnd",
	[RTAX_FEATURES] = "features", [RTAX_RTO_MIN] = "rto_min",
	[RTAX_INITRWND] = "initrwnd", [RTAX_QUICKACK] = "quickack",
};

const char *nl_route_type_word(const struct nl_route *r)
{
	switch (r->type) {
	case RTN_BLACKHOLE:
		return "blackhole";
	case RTN_UNREACHABLE:
		return "unreachable";
	case RTN_PROHIBIT:
		return "prohibit";
	case RTN_THROW:
		return "throw";
	default:
		return NULL;
	}
}

static void text_hex(const struct nlattr *attr, struct sb *out)
{
	const uint8_t *p = mnl_attr_get_payload(attr);
	size_t i, n = mnl_attr_get_payload_len(attr);

	for (i = 0; i < n; i++)
		sb_printf(out, "%02x", p[i]);
}

static void text_metrics(const struct nlattr *metrics, struct sb *out)
{
	const struct nlattr *m;
	uint32_t locked = 0;

	mnl_attr_for_each_nested(m, metrics) {
		if (mnl_attr_get_type(m) == RTAX_LOCK && mnl_attr_get_payload_len(m) >= 4)
			locked = mnl_attr_get_u32(m);
	}
	mnl_attr_for_each_nested(m, metrics) {
		uint16_t t = mnl_attr_get_type(m);

		if (t == RTAX_LOCK)
			continue;
		if (t < ARRAY_SIZE(metric_names) && metric_names[t] &&
		    mnl_attr_get_payload_len(m) == sizeof(uint32_t)) {
			sb_printf(out, " %s%s %" PRIu32, metric_names[t],
				  locked & 1U << t ? " lock" : "", mnl_attr_get_u32(m));
			continue;
		}
		sb_printf(out, " metric%u ", t);
		text_hex(m, out);
	}
}

static void text_hop_gateway(const struct rtnexthop *hop, uint8_t family, struct sb *out)
{
	const void *data = RTNH_DATA(hop);
	const struct nlattr *attr;
	char buf[IP_ADDR_LEN];

	mnl_attr_for_each_payload(data, hop->rtnh_len - sizeof(*hop)) {
		struct ip_addr gw = {.family = family};

		if (mnl_attr_get_type(attr) != RTA_GATEWAY ||
		    mnl_attr_get_payload_len(attr) != ip_bytes(&gw))
			continue;
		memcpy(gw.b, mnl_attr_get_payload(attr), ip_bytes(&gw));
		sb_printf(out, " via %s", ip_format(&gw, buf));
	}
}

static void text_hops(const struct nlattr *attr, uint8_t family, struct sb *out)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attr);
	int left = mnl_attr_get_payload_len(attr);

	while (RTNH_OK(hop, left)) {
		sb_puts(out, " nexthop");
		text_hop_gateway(hop, family, out);
		sb_printf(out, " weight %d", hop->rtnh_hops + 1);
		left -= (int)RTNH_ALIGN(hop->rtnh_len);
		hop = RTNH_NEXT(hop);
	}
}

void nl_route_format_more(const struct nl_route *r, struct sb *out)
{
	const struct nlattr *attr;

	mnl_attr_for_each_payload((const void *)r->more, r->more_len) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_METRICS:
			text_metrics(attr, out);
			break;
		case RTA_MULTIPATH:
			text_hops(attr, r->dst.addr.family, out);
			break;
		default:
			sb_printf(out, " attribute%u ", mnl_attr_get_type(attr));
			text_hex(attr, out);
		}
	}
}

bool nl_route_same_way(const struct nl_route *a, const struct nl_route *b)
{
	return a->oif == b->oif && a->onlink == b->onlink && a->scope == b->scope &&
	       a->tos == b->tos && a->multipath == b->multipath && ip_eq(&a->gw, &b->gw) &&
	       ip_eq(&a->src, &b->src) && ip_eq(&a->from.addr, &b->from.addr) &&
	       a->from.prefix == b->from.prefix && a->more_len == b->more_len &&
	       memcmp(a->more, b->more, a->more_len) == 0;
}
