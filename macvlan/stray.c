/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/stray.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/nl/link.h"
#include "lib/nl/neigh.h"
#include "lib/nl/nl.h"
#include "lib/nl/route.h"
#include "macvlan/plan_host.h"

/* A device as it was seen. */
struct seen {
	struct nl *nl;
	struct nl_link device, parent;
	struct nl_route *routes;
	struct nl_neigh *neighs;
	struct mac_addr *macs; /* that the parent takes frames for */
	size_t n_routes, n_neighs, n_macs;
};

static void seen_done(struct seen *s)
{
	nl_close(s->nl);
	free(s->routes);
	free(s->neighs);
	free(s->macs);
}
DEFINE_AUTO_VALUE(struct seen, seen_done)

int macvlan_stray_devices(struct macvlan_stray_device **out, size_t *out_n, struct err *e)
{
	AUTO(nl_close) struct nl *nl = NULL;
	AUTO(free) struct nl_link *links = NULL;
	struct macvlan_stray_device *v = NULL;
	size_t n_links = 0, n = 0, i;

	if (nl_open(&nl, e) < 0 || nl_link_list(nl, &links, &n_links, e) < 0)
		return err_wrap(e, "look for devices of hostAccess");
	for (i = 0; i < n_links; i++) {
		const struct nl_link *l = &links[i];
		const struct nl_link *parent = nl_link_by_index(links, n_links, l->parent);

		if (!parent || !macvlan_host_is_ours(l, parent))
			continue;
		v = xreallocarray(v, n + 1, sizeof(*v));
		v[n] = (struct macvlan_stray_device){.index = l->index};
		memcpy(v[n].name, l->name, sizeof(v[n].name));
		memcpy(v[n].parent, parent->name, sizeof(v[n].parent));
		n++;
	}
	*out = v;
	*out_n = n;
	return 0;
}

/* 1 it is there, and on that parent still; 0 not; -1. */
static int find(struct seen *s, const struct macvlan_stray_device *d, struct err *e)
{
	int rc;

	if (nl_open(&s->nl, e) < 0)
		return -1;
	rc = nl_link_get(s->nl, d->index, &s->device, e);
	if (rc > 0)
		rc = nl_link_find(s->nl, d->parent, &s->parent, e);
	return rc > 0 ? macvlan_host_is_ours(&s->device, &s->parent) : rc;
}

static int observe(struct seen *s, struct err *e)
{
	if (nl_route_list(s->nl, RT_TABLE_MAIN, &s->routes, &s->n_routes, e) < 0 ||
	    nl_neigh_list(s->nl, s->device.index, &s->neighs, &s->n_neighs, e) < 0 ||
	    nl_fdb_list(s->nl, s->parent.index, &s->macs, &s->n_macs, e) < 0)
		return -1;
	return 0;
}

/* The shape of macvlan_host_route(). */
static bool is_made_by_us(const struct nl_route *r)
{
	return ip_is_set(&r->src) && !ip_is_set(&r->gw);
}

static bool is_known(const struct macvlan_stray_known *known, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < known->n_addrs; i++) {
		if (ip_eq(&known->addrs[i], addr))
			return true;
	}
	return false;
}

static bool has_mac(const struct seen *s, const struct mac_addr *mac)
{
	size_t i;

	for (i = 0; i < s->n_macs; i++) {
		if (mac_eq(&s->macs[i], mac))
			return true;
	}
	return false;
}

/* Without a neighbour nothing gets from here to the card, whether it lives or not. */
static bool is_alive(const struct seen *s, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < s->n_neighs; i++) {
		if (ip_eq(&s->neighs[i].addr, addr))
			return has_mac(s, &s->neighs[i].mac);
	}
	return false;
}

/* *out_left: routes that stay. */
static int end_routes(const struct seen *s, const struct macvlan_stray_known *known,
		      size_t *out_left, size_t *out_ended, struct err *e)
{
	size_t i;

	*out_left = 0;
	for (i = 0; i < s->n_routes; i++) {
		const struct nl_route *r = &s->routes[i];
		const struct ip_addr *pod = &r->dst.addr;

		if (!macvlan_host_route_is_pods(r, s->device.index))
			continue;
		if (!is_made_by_us(r) || is_known(known, pod) || is_alive(s, pod)) {
			++*out_left;
			continue;
		}
		if (nl_route_delete(s->nl, r, e) < 0 ||
		    nl_neigh_delete(s->nl, s->device.index, pod, e) < 0)
			return -1;
		++*out_ended;
	}
	return 0;
}

int macvlan_stray_end(const struct macvlan_stray_device *d, const struct macvlan_stray_known *known,
		      size_t *out_ended, struct err *e)
{
	AUTO(seen_done) struct seen s = {0};
	size_t left = 0, ended = 0;
	int rc = find(&s, d, e);

	if (rc > 0 && (observe(&s, e) < 0 || end_routes(&s, known, &left, &ended, e) < 0))
		rc = -1;
	/* Its pods may have lost their routes, as when a hand sets the device down: theirs it is still. */
	if (rc > 0 && !left && !known->device) {
		ended++;
		rc = nl_link_delete(s.nl, s.device.index, e);
	}
	if (rc < 0)
		return err_wrap(e, "hostAccess: %s", d->name);
	*out_ended = ended;
	return 0;
}
