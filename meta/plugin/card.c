/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/card.h"

#include <stdio.h>

#include "api/annotations.h"
#include "api/ip.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/cni/conf.h"

/* The node routes for such a card, by its own table: there is no neighbour that could be a gateway. */
static void drop_gateways(struct card *out)
{
	static const struct ip_addr none;
	size_t i;

	out->m.gateway = none;
	out->m.gateway6 = none;
	for (i = 0; i < out->m.n_routes; i++) {
		if (out->routes[i].iface == MACVLAN_IFACE_CARD)
			out->routes[i].gw = none;
	}
}

static void fill_routes(const struct api_network *net, struct card *out)
{
	size_t i;

	out->routes = xcalloc(net->n_routes, sizeof(*out->routes));
	for (i = 0; i < net->n_routes; i++) {
		const struct api_route *r = &net->routes[i];
		/* On a single card both names mean it: there is no other. */
		bool primary = !out->m.single && str_eq(r->iface, "eth0");

		out->routes[i] = (struct macvlan_route){
			.dst = r->dst,
			.gw = r->gw,
			.onlink = r->onlink,
			.iface = primary ? MACVLAN_IFACE_PRIMARY : MACVLAN_IFACE_CARD,
		};
	}
	out->m.routes = out->routes;
	out->m.n_routes = net->n_routes;
}

static void fill_networks(const struct api_network *net, const struct cni_conf *conf,
			  struct card *out)
{
	size_t i;

	out->services = api_network_services(net, conf->service_cidr.v, conf->service_cidr.n,
					     &out->m.service_cidrs.n);
	out->m.service_cidrs.v = out->services;
	out->m.cluster_cidrs = (struct macvlan_nets){conf->cluster_cidr.v, conf->cluster_cidr.n};
	out->m.via_primary = (struct macvlan_nets){conf->via_primary.v, conf->via_primary.n};
	out->nameservers = xcalloc(conf->nameservers.n, sizeof(*out->nameservers));
	for (i = 0; i < conf->nameservers.n; i++)
		out->nameservers[i] = conf->nameservers.v[i].addr;
	out->m.nameservers = out->nameservers;
	out->m.n_nameservers = conf->nameservers.n;
}

/* Without a primary it is what makes the kubelet's probes arrive, so it is on unless switched off. */
static bool host_access(const struct api_network *net, const struct macvlan_card *m)
{
	if (net->host_access != API_SWITCH_UNSET)
		return net->host_access == API_SWITCH_ON;
	return m->single && nl_link_mode_get(m->mode)->meets_host;
}

void card_fill(const struct api_ip *ip, const struct api_request *req, const struct cni_conf *conf,
	       const char *ifname, struct card *out)
{
	const struct api_network *net = &ip->network;
	struct macvlan_card *m = &out->m;

	*out = (struct card){0};
	m->single = str_eq(req->interface, "eth0");
	/* Both were checked to be names of links, so they fit. */
	snprintf(m->ifname, sizeof(m->ifname), "%s", m->single ? ifname : req->interface);
	snprintf(m->primary_ifname, sizeof(m->primary_ifname), "%s", ifname);
	/* masters_choose() says which NIC a selector means. */
	if (net->master_by == API_MASTER_BY_NAME)
		snprintf(m->master, sizeof(m->master), "%s", net->master);
	m->node = ip->node;
	m->vlan = net->vlan;
	m->mode = net->mode;
	m->mtu = net->mtu;
	m->mac = ip->mac;
	m->addr = ip->cidr;
	m->addr6 = ip->cidr6;
	m->gateway = net->gateway;
	m->gateway6 = net->gateway6;
	m->detect = net->conflict_detection == API_SWITCH_ON && nl_link_type_of(m->mode)->probes;
	m->forwarding = net->forwarding == API_SWITCH_ON;
	m->accept_ra = net->accept_ra == API_SWITCH_ON;
	m->any_carrier = net->require_carrier == API_SWITCH_OFF;
	m->default_gateway = net->pod_default_gateway;
	m->host_access = host_access(net, m);
	fill_routes(net, out);
	if (macvlan_is_routed(m))
		drop_gateways(out);
	fill_networks(net, conf, out);
}

static int check_addr(const struct ip_net *addr, const struct macvlan_nets *nets, const char *what,
		      struct err *e)
{
	char text[IP_ADDR_LEN], net[IP_NET_LEN];

	for (size_t i = 0; ip_is_set(&addr->addr) && i < nets->n; i++) {
		if (ip_net_has(&nets->v[i], &addr->addr))
			return err_set(e, ERR_CONFIG, 0,
				       "address %s is in %s %s, where it would not be reached; set "
				       "other ranges in the MacvlanSubnet and recreate the pod",
				       ip_format(&addr->addr, text), what,
				       ip_net_format(&nets->v[i], net));
	}
	return 0;
}

/* The kernel refuses both, without a word that names them. */
static int check_gateway(const struct macvlan_card *m, const char *what, const struct ip_addr *gw,
			 struct err *e)
{
	char text[IP_ADDR_LEN];

	if (!ip_is_set(gw))
		return 0;
	if (ip_is_multicast(gw))
		return err_set(
			e, ERR_CONFIG, 0,
			"%s %s is a multicast or broadcast address, not a router's; set another in the "
			"MacvlanSubnet and recreate the pod",
			what, ip_format(gw, text));
	if (ip_eq(gw, &m->addr.addr) || ip_eq(gw, &m->addr6.addr))
		return err_set(
			e, ERR_CONFIG, 0,
			"%s %s is the card's own address; set another in the MacvlanSubnet, or "
			"exclude the address there, and recreate the pod",
			what, ip_format(gw, text));
	return 0;
}

static int check_gateways(const struct macvlan_card *m, struct err *e)
{
	char what[32];

	if (check_gateway(m, "gateway", &m->gateway, e) < 0 ||
	    check_gateway(m, "ipv6.gateway", &m->gateway6, e) < 0)
		return -1;
	for (size_t i = 0; i < m->n_routes; i++) {
		snprintf(what, sizeof(what), "routes[%zu].gw", i);
		if (check_gateway(m, what, &m->routes[i].gw, e) < 0)
			return -1;
	}
	return 0;
}

/* rc 0 with Services looked for on the LAN would be a pod that runs, and cannot work. */
int card_check(const struct card *c, struct err *e)
{
	const struct macvlan_card *m = &c->m;

	if (check_gateways(m, e) < 0)
		return -1;
	if (m->default_gateway && !m->single && !m->service_cidrs.n)
		return err_set(
			e, ERR_CONFIG, 0,
			"podDefaultGateway: no service network is known, and Services would be "
			"looked for on the LAN; set serviceCIDR in the conf or in ConfigMap "
			"tandem-settings, or podDefaultGateway.serviceCidr in the MacvlanSubnet "
			"and recreate the pod");
	if (check_addr(&m->addr, &m->service_cidrs, "the service network", e) < 0 ||
	    check_addr(&m->addr6, &m->service_cidrs, "the service network", e) < 0 ||
	    check_addr(&m->addr, &m->cluster_cidrs, "the pod network", e) < 0)
		return -1;
	return check_addr(&m->addr6, &m->cluster_cidrs, "the pod network", e);
}

void card_done(struct card *c)
{
	free(c->routes);
	free(c->nameservers);
	free(c->services);
	*c = (struct card){0};
}
