/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/host.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/addr.h"
#include "lib/nl/link.h"
#include "lib/nl/neigh.h"
#include "lib/nl/nl.h"
#include "lib/nl/route.h"
#include "macvlan/conf6.h"
#include "macvlan/delete.h"
#include "macvlan/macvlan.h"
#include "macvlan/plan_host.h"

/* The host's namespace as it was seen, and what shall be in it. */
struct host {
	struct nl *nl;
	struct nl_link parent, device;
	struct nl_link *links;
	struct nl_addr *addrs;
	struct nl_route *routes;
	size_t n_links, n_addrs, n_routes;
	char name[IFNAMSIZ];
	struct macvlan_node node;
};

static void host_done(struct host *h)
{
	nl_close(h->nl);
	free(h->links);
	free(h->addrs);
	free(h->routes);
}
DEFINE_AUTO_VALUE(struct host, host_done)

/* 1 there, 0 not. */
static int host_open(struct host *h, const char *parent, struct err *e)
{
	if (nl_open(&h->nl, e) < 0)
		return -1;
	return nl_link_find(h->nl, parent, &h->parent, e);
}

static int observe(struct host *h, struct err *e)
{
	if (nl_link_list(h->nl, &h->links, &h->n_links, e) < 0 ||
	    nl_addr_list(h->nl, 0, &h->addrs, &h->n_addrs, e) < 0 ||
	    nl_route_list(h->nl, RT_TABLE_MAIN, &h->routes, &h->n_routes, e) < 0)
		return err_wrap(e, "read the node's addresses");
	struct macvlan_host_seen seen = {
		.parent = &h->parent,
		.links = h->links,
		.n_links = h->n_links,
		.addrs = h->addrs,
		.n_addrs = h->n_addrs,
		.routes = h->routes,
		.n_routes = h->n_routes,
	};

	macvlan_host_addrs(&seen, &h->node);
	return 0;
}

/* ------------------------------------------------------------------ the device */

static int device_find(struct host *h, struct err *e)
{
	int rc = nl_link_find(h->nl, h->name, &h->device, e);

	if (rc > 0 && !macvlan_host_is_ours(&h->device, &h->parent))
		return err_set(e, ERR_AGAIN, EEXIST, "another link already has the name (%s)",
			       h->device.kind[0] ? h->device.kind : "device");
	return rc;
}

static int device_make(struct host *h, struct err *e)
{
	struct nl_card m = {
		.name = h->name,
		.parent = h->parent.index,
		.netns_fd = -1,
		.mode = NL_MODE_BRIDGE,
		.mac = macvlan_host_mac(&h->parent),
	};
	int rc;

	if (nl_link_add_card(h->nl, &m, e) < 0)
		return -1;
	rc = device_find(h, e);
	return rc == 0 ? err_set(e, ERR_KERNEL, ENODEV, "it does not exist") : rc < 0 ? -1 : 0;
}

/*
 * Without ARP: the parent answers for the node's addresses already, and a second answer would give
 * the LAN a MAC at which the node cannot be reached when rp_filter is on.
 */
static int device_silence(struct host *h, struct err *e)
{
	struct nl_link_change change = {
		.alias = MACVLAN_ALIAS, .flags = IFF_NOARP, .flags_mask = IFF_NOARP};

	if (nl_link_set(h->nl, h->device.index, &change, e) < 0 ||
	    nl_link_set_no_linklocal(h->nl, h->device.index, e) < 0)
		return -1;
	return macvlan_conf6_set(h->name,
				 macvlan_host_src(&h->node, AF_INET6) ? MACVLAN_CONF6_ON : 0, e);
}

static bool device_has(const struct host *h, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < h->n_addrs; i++) {
		if (h->addrs[i].index == h->device.index && ip_eq(&h->addrs[i].addr.addr, addr))
			return true;
	}
	return false;
}

/* As /32 without a route: the address stays where it was and is here too. */
static int add_addrs(struct host *h, struct err *e)
{
	size_t i;

	for (i = 0; i < h->node.n_addrs; i++) {
		const struct ip_addr *a = &h->node.addrs[i];
		struct ip_net host = ip_net_host(a);

		if (device_has(h, a))
			continue;
		/* It was made when the node had none of that family. */
		if (a->family == AF_INET6 && macvlan_conf6_set(h->name, MACVLAN_CONF6_ON, e) < 0)
			return -1;
		if (nl_addr_add(h->nl, h->device.index, &host, IFA_F_NODAD | IFA_F_NOPREFIXROUTE,
				e) < 0)
			return -1;
	}
	return 0;
}

/* Routes of pods that name an address which the node has no more: the kernel would drop them. */
static int move_routes(struct host *h, struct err *e)
{
	size_t i;

	for (i = 0; i < h->n_routes; i++) {
		const struct nl_route *r = &h->routes[i];
		const struct ip_addr *src = macvlan_host_src(&h->node, r->dst.addr.family);
		struct nl_route moved;

		if (!macvlan_host_route_is_pods(r, h->device.index) || !src ||
		    macvlan_host_has(&h->node, &r->src))
			continue;
		moved = macvlan_host_route(&r->dst.addr, src, h->device.index);
		if (nl_route_replace(h->nl, &moved, e) < 0)
			return -1;
	}
	return 0;
}

/* After the new ones are there: with its last address a device loses its routes and neighbours. */
static int drop_addrs(struct host *h, struct err *e)
{
	size_t i;

	for (i = 0; i < h->n_addrs; i++) {
		const struct nl_addr *a = &h->addrs[i];

		if (a->index != h->device.index || macvlan_host_has(&h->node, &a->addr.addr) ||
		    !macvlan_host_src(&h->node, a->addr.addr.family))
			continue;
		if (nl_addr_delete(h->nl, a->index, &a->addr, e) < 0)
			return -1;
	}
	return 0;
}

static int device_ensure(struct host *h, struct err *e)
{
	struct nl_link_change up = {.flags = IFF_UP, .flags_mask = IFF_UP};
	int rc = device_find(h, e);

	if (rc < 0 || (rc == 0 && device_make(h, e) < 0))
		return -1;
	/* Also one whose maker was killed half-way: up comes last. */
	bool fresh = !(h->device.flags & IFF_UP) || !(h->device.flags & IFF_NOARP);

	if (fresh && device_silence(h, e) < 0)
		return -1;
	if (add_addrs(h, e) < 0 || move_routes(h, e) < 0 || drop_addrs(h, e) < 0)
		return -1;
	return fresh ? nl_link_set(h->nl, h->device.index, &up, e) : 0;
}

/* ------------------------------------------------------------------ the pod */

static int pod_join(struct host *h, const struct ip_net *pod, const struct mac_addr *mac,
		    struct err *e)
{
	const struct ip_addr *src = macvlan_host_src(&h->node, pod->addr.family);
	struct nl_route r;

	if (!ip_is_set(&pod->addr) || !src)
		return 0;
	r = macvlan_host_route(&pod->addr, src, h->device.index);
	if (nl_neigh_set(h->nl, h->device.index, &pod->addr, mac, e) < 0)
		return err_wrap(e, "neighbour for the pod");
	if (nl_route_replace(h->nl, &r, e) < 0)
		return err_wrap(e, "route to the pod");
	return 0;
}

static int join(struct host *h, const struct macvlan_card *card, const struct mac_addr *mac,
		struct err *e)
{
	if (!macvlan_host_src(&h->node, card->addr.addr.family) &&
	    !macvlan_host_src(&h->node, card->addr6.addr.family)) {
		h->node.n_addrs = 0;
		return 0;
	}
	macvlan_host_name(h->parent.name, h->name);
	if (device_ensure(h, e) < 0 || pod_join(h, &card->addr, mac, e) < 0 ||
	    pod_join(h, &card->addr6, mac, e) < 0)
		return err_wrap(e, "hostAccess: %s", h->name);
	h->node.mac = h->device.mac;
	return 0;
}

int macvlan_host_join(const struct macvlan_card *card, const char *parent,
		      const struct mac_addr *mac, struct macvlan_node *out, struct err *e)
{
	AUTO(host_done) struct host h = {0};
	int rc = host_open(&h, parent, e);

	if (rc == 0)
		return err_set(e, ERR_AGAIN, ENODEV, "hostAccess: %s is gone", parent);
	if (rc < 0 || observe(&h, e) < 0 || join(&h, card, mac, e) < 0)
		return -1;
	*out = h.node;
	return 0;
}

/* ------------------------------------------------------------------ leaving */

static bool is_users(const struct nl_route *r, const struct macvlan_host_user *u)
{
	size_t i;

	for (i = 0; i < u->n_addrs; i++) {
		if (ip_eq(&r->dst.addr, &u->addrs[i]))
			return true;
	}
	return false;
}

/* Removes what is the user's; *out_left counts what other pods have. */
static int pod_leave(struct host *h, const struct macvlan_host_user *u, size_t *out_left,
		     struct err *e)
{
	size_t left = 0, i;

	if (nl_route_list(h->nl, RT_TABLE_MAIN, &h->routes, &h->n_routes, e) < 0)
		return -1;
	for (i = 0; i < h->n_routes; i++) {
		const struct nl_route *r = &h->routes[i];

		if (!macvlan_host_route_is_pods(r, h->device.index))
			continue;
		if (!is_users(r, u))
			left++;
		else if (nl_route_delete(h->nl, r, e) < 0)
			return -1;
	}
	for (i = 0; i < u->n_addrs; i++) {
		if (nl_neigh_delete(h->nl, h->device.index, &u->addrs[i], e) < 0)
			return -1;
	}
	*out_left = left;
	return 0;
}

int macvlan_host_leave(const struct macvlan_host_user *u, int64_t deadline_ms, struct err *e)
{
	AUTO(host_done) struct host h = {0};
	size_t left = 0;
	int rc = host_open(&h, u->parent, e);

	if (rc > 0)
		rc = nl_link_find(h.nl, u->device, &h.device, e);
	/* A parent takes the links on it along. */
	if (rc <= 0)
		return rc;
	if (!macvlan_host_is_ours(&h.device, &h.parent))
		return 0;
	if (pod_leave(&h, u, &left, e) < 0)
		return err_wrap(e, "hostAccess: %s", u->device);
	return left ? 0 : macvlan_delete_own(h.device.index, deadline_ms, e);
}
