/* SPDX-License-Identifier: Apache-2.0 */
/* Pods' namespaces and cards as data, and what a plan makes of them, for the tests of plans. */
#ifndef MACVLAN_PLAN_LAB_TEST_H
#define MACVLAN_PLAN_LAB_TEST_H

#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/base/sb.h"
#include "lib/base/test.h"
#include "lib/nl/addr.h"
#include "macvlan/plan.h"

#define LAB_UNUSED __attribute__((unused))

enum { LO = 1, ETH0 = 2, ETH1 = 3 };

static inline LAB_UNUSED struct ip_addr addr(const char *s)
{
	struct ip_addr a = {0};

	if (s)
		assert_int_equal(ip_parse(s, &a), 0);
	return a;
}

static inline LAB_UNUSED struct ip_net net(const char *s)
{
	struct ip_net n;

	assert_int_equal(ip_net_parse(s, &n), 0);
	return n;
}

/* A pod's namespace as the kernel would list it. */
struct pod {
	struct nl_route routes[16];
	struct nl_addr addrs[8];
	struct macvlan_seen seen;
};

static inline LAB_UNUSED struct nl_route *has_route(struct pod *p, const char *dst, const char *gw,
						    int oif)
{
	struct nl_route *r = &p->routes[p->seen.n_routes++];

	*r = (struct nl_route){
		.dst = net(dst),
		.gw = addr(gw),
		.oif = oif,
		.table = RT_TABLE_MAIN,
		.type = RTN_UNICAST,
		.scope = gw ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
	};
	if (r->dst.addr.family == AF_INET6) {
		r->scope = RT_SCOPE_UNIVERSE;
		r->metric = gw ? 1024 : 256;
	}
	p->seen.routes = p->routes;
	return r;
}

static inline LAB_UNUSED void has_addr(struct pod *p, const char *cidr, int index, uint8_t scope)
{
	p->addrs[p->seen.n_addrs++] =
		(struct nl_addr){.index = index, .addr = net(cidr), .scope = scope};
	p->seen.addrs = p->addrs;
}

static inline LAB_UNUSED struct pod empty_pod(void)
{
	struct pod p = {.seen = {.card_index = ETH1, .primary_index = ETH0}};

	has_addr(&p, "127.0.0.1/8", LO, RT_SCOPE_HOST);
	has_addr(&p, "::1/128", LO, RT_SCOPE_HOST);
	return p;
}

static inline LAB_UNUSED struct pod flannel_pod(const char *cidr)
{
	struct pod p = empty_pod();

	has_addr(&p, cidr, ETH0, RT_SCOPE_UNIVERSE);
	has_addr(&p, "fe80::1/64", ETH0, RT_SCOPE_LINK);
	has_route(&p, "0.0.0.0/0", "10.42.0.1", ETH0);
	has_route(&p, "10.42.0.0/24", NULL, ETH0)->src = p.addrs[2].addr.addr;
	has_route(&p, "10.42.0.0/16", "10.42.0.1", ETH0);
	return p;
}

static inline LAB_UNUSED struct pod calico_pod(void)
{
	struct pod p = empty_pod();

	has_addr(&p, "10.42.0.40/32", ETH0, RT_SCOPE_UNIVERSE);
	has_route(&p, "0.0.0.0/0", "169.254.1.1", ETH0);
	has_route(&p, "169.254.1.1/32", NULL, ETH0);
	return p;
}

static inline LAB_UNUSED struct macvlan_card card_of(const char *cidr, const char *gw)
{
	struct macvlan_card c = {
		.ifname = "eth1", .primary_ifname = "eth0", .addr = net(cidr), .gateway = addr(gw)};

	return c;
}

static inline LAB_UNUSED void expect(const struct macvlan_card *c, struct pod *p,
				     const char *const *lines)
{
	AUTO(macvlan_plan_done) struct macvlan_plan plan = {0};
	AUTO(sb_done) struct sb got = SB_INIT;
	AUTO(sb_done) struct sb want = SB_INIT;
	struct err e = {0};
	size_t i;

	p->seen.routes = p->routes;
	p->seen.addrs = p->addrs;
	if (macvlan_plan_make(c, &p->seen, &plan, &e) < 0)
		fail_msg("%s", e.msg);
	for (i = 0; i < plan.n; i++) {
		macvlan_op_format(&plan.ops[i], c, &p->seen, &got);
		sb_putc(&got, '\n');
	}
	for (i = 0; lines[i]; i++)
		sb_printf(&want, "%s\n", lines[i]);
	assert_string_equal(sb_get(&got), sb_get(&want));
}

static inline LAB_UNUSED void expect_err(const struct macvlan_card *c, struct pod *p,
					 const char *text)
{
	struct macvlan_plan plan = {0};
	struct err e = {0};

	p->seen.routes = p->routes;
	p->seen.addrs = p->addrs;
	assert_int_equal(macvlan_plan_make(c, &p->seen, &plan, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.msg, text);
	assert_null(plan.ops);
}

#define EXPECT(c, p, ...) expect(c, p, (const char *const[]){__VA_ARGS__, NULL})

static inline LAB_UNUSED struct macvlan_route route(const char *dst, const char *gw,
						    enum macvlan_iface iface)
{
	return (struct macvlan_route){.dst = net(dst), .gw = addr(gw), .iface = iface};
}

static inline LAB_UNUSED void with_routes(struct macvlan_card *c, const struct macvlan_route *r,
					  size_t n)
{
	c->routes = r;
	c->n_routes = n;
}

static struct ip_net service[2] LAB_UNUSED, cluster[2] LAB_UNUSED;

static inline LAB_UNUSED struct macvlan_card gateway_card(void)
{
	struct macvlan_card c = card_of("192.168.120.2/24", "192.168.120.1");

	service[0] = net("10.43.0.0/16");
	cluster[0] = net("10.42.0.0/16");
	c.default_gateway = true;
	c.service_cidrs = (struct macvlan_nets){service, 1};
	c.cluster_cidrs = (struct macvlan_nets){cluster, 1};
	return c;
}

#define HEAD(...)                                                                                \
	"address 192.168.120.2/24 dev eth1", "up eth1",                                          \
		"route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.18", __VA_ARGS__, \
		"route 192.168.120.0/24 dev eth1 table 2001 scope link src 192.168.120.2",       \
		"route default via 192.168.120.1 dev eth1 table 2001",                           \
		"rule 1000 from 10.42.0.18 lookup 2000",                                         \
		"rule 1001 from 192.168.120.2 lookup 2001"
#define FLANNEL_HEAD HEAD("route default via 10.42.0.1 dev eth0 table 2000")

#endif
