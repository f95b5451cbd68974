/* SPDX-License-Identifier: Apache-2.0 */
#include "node/card.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/addr.h"
#include "lib/nl/link.h"
#include "lib/nl/netns.h"
#include "lib/nl/nl.h"
#include "macvlan/announce.h"

static bool is_card(const struct card_place *p, const struct nl_link *l)
{
	const struct nl_link_type *type = nl_link_type_find(l->kind);

	if (p->parent && (l->parent != p->parent || !l->parent_elsewhere))
		return false;
	if (!(l->flags & IFF_UP) || (l->flags & IFF_NOARP) || !l->carrier)
		return false;
	return type && (!type->own_mac || (mac_is_usable(&p->mac) && mac_eq(&l->mac, &p->mac)));
}

/* 1 it is there, 0 not, -1. */
static int open_card(const struct card_place *p, int *out_netns, struct nl **out_pod,
		     struct nl_link *out, struct err *e)
{
	int rc;

	if (netns_open(p->netns, out_netns, e) < 0) {
		/* EPERM: by now the path leads to the node's own. */
		if (e->num != ENOENT && e->num != EPERM)
			return -1;
		err_clear(e);
		return 0;
	}
	if (nl_open_in(*out_netns, out_pod, e) < 0)
		return -1;
	rc = nl_link_find(*out_pod, p->name, out, e);
	return rc > 0 ? is_card(p, out) : rc;
}

static bool has_addr(const struct nl_addr *addrs, size_t n, const struct ip_addr *addr)
{
	for (size_t i = 0; i < n; i++) {
		if (ip_eq(&addrs[i].addr.addr, addr))
			return true;
	}
	return false;
}

int card_announce(const struct card_place *p, struct err *e)
{
	AUTO(nl_close) struct nl *pod = NULL;
	AUTO(free) struct nl_addr *addrs = NULL;
	AUTO(fd) int netns = -1;
	struct nl_link l = {0};
	int rc = open_card(p, &netns, &pod, &l, e), done = 0;
	size_t n = 0;

	if (rc <= 0 || nl_addr_list(pod, l.index, &addrs, &n, e) < 0)
		return rc <= 0 ? rc : -1;
	for (size_t i = 0; i < ARRAY_SIZE(p->addrs); i++) {
		const struct ip_addr *a = &p->addrs[i];

		if (!ip_is_set(a) || !has_addr(addrs, n, a))
			continue;
		rc = a->family == AF_INET ? macvlan_announce_arp(pod, l.index, a, e)
					  : macvlan_announce_na(netns, l.index, &l.mac, a, e);
		if (rc < 0)
			return -1;
		done = 1;
	}
	return done;
}
