/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/nic.h"

#include <fnmatch.h>
#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/nl/nl.h"
#include "macvlan/macvlan.h"
#include "macvlan/parent.h"

#define SHOWN 8 /* in a message */

/* ------------------------------------------------------------------------------- what may be one */

/* What speaks no ARP is on no LAN: kube-ipvs0 has addresses of Services, and our own device the node's. */
static bool may_be_nic(const struct nl_link *l)
{
	return !(l->flags & (IFF_LOOPBACK | IFF_POINTOPOINT | IFF_NOARP)) &&
	       mac_is_usable(&l->mac) && !nl_link_type_find(l->kind) &&
	       !str_eq(l->kind, "macvtap") && !str_eq(l->kind, "ipvtap") &&
	       !str_eq(l->alias, MACVLAN_ALIAS) && !str_starts(l->alias, MACVLAN_ALIAS " ");
}

static bool is_port(const struct macvlan_nic_seen *seen, const struct nl_link *l)
{
	const struct nl_link *above =
		l->master ? nl_link_by_index(seen->links, seen->n_links, l->master) : NULL;

	return above && macvlan_parent_takes_frames(above->kind);
}

static bool has_address(const struct macvlan_nic_seen *seen, const struct nl_link *l,
			const struct ip_net *net)
{
	for (size_t i = 0; i < seen->n_addrs; i++) {
		if (seen->addrs[i].index == l->index && ip_net_has(net, &seen->addrs[i].addr.addr))
			return true;
	}
	return false;
}

static bool fits(const struct macvlan_nic_want *want, const struct macvlan_nic_seen *seen, size_t i)
{
	const struct nl_link *l = &seen->links[i];

	if (!may_be_nic(l))
		return false;
	switch (want->by) {
	case MACVLAN_NIC_ADDRESS:
		return has_address(seen, l, &want->net);
	case MACVLAN_NIC_MAC:
		return mac_eq(&l->mac, &want->mac) && !str_eq(l->kind, "vlan");
	case MACVLAN_NIC_DRIVER:
		return str_eq(seen->drivers[i], want->text) && !str_eq(l->kind, "vlan");
	default:
		return fnmatch(want->text, l->name, 0) == 0;
	}
}

/* ------------------------------------------------------------------------------- choosing */

/* "ens3 (10.0.0.5/24, fd00::5/64)": what was asked for, as that NIC has it. */
static void say_nic(const struct macvlan_nic_want *want, const struct macvlan_nic_seen *seen,
		    size_t at, struct sb *out)
{
	const struct nl_link *l = &seen->links[at];
	char text[IP_NET_LEN];
	size_t n = 0;

	sb_puts(out, l->name);
	if (want->by == MACVLAN_NIC_MAC)
		sb_printf(out, " (%s)", mac_format(&l->mac, text));
	if (want->by == MACVLAN_NIC_DRIVER)
		sb_printf(out, " (%s)", *seen->drivers[at] ? seen->drivers[at] : "no driver");
	if (want->by != MACVLAN_NIC_ADDRESS)
		return;
	for (size_t i = 0; i < seen->n_addrs; i++) {
		const struct nl_addr *a = &seen->addrs[i];

		/* Every NIC has a link-local one: only where such a network was asked for. */
		if (a->index == l->index &&
		    ip_is_linklocal(&a->addr.addr) == ip_is_linklocal(&want->net.addr))
			sb_printf(out, "%s%s", n++ ? ", " : " (", ip_net_format(&a->addr, text));
	}
	sb_puts(out, n ? ")" : " (no address)");
}

struct choice {
	size_t found[SHOWN];
	size_t n;
};

static void add(struct choice *c, size_t i)
{
	if (c->n < SHOWN)
		c->found[c->n] = i;
	c->n++;
}

/* Of many pods' ends one address is none. */
static bool is_worth_telling(const struct macvlan_nic_want *want,
			     const struct macvlan_nic_seen *seen, size_t i)
{
	static const struct ip_net any4 = {{AF_INET, {0}}, 0}, any6 = {{AF_INET6, {0}}, 0};

	return want->by != MACVLAN_NIC_ADDRESS || has_address(seen, &seen->links[i], &any4) ||
	       has_address(seen, &seen->links[i], &any6);
}

static int refuse(const struct macvlan_nic_want *want, const struct macvlan_nic_seen *seen,
		  const struct choice *c, const char *what, struct err *e)
{
	AUTO(sb_done) struct sb list = SB_INIT;

	for (size_t i = 0; i < c->n && i < SHOWN; i++) {
		sb_puts(&list, i ? ", " : "");
		say_nic(want, seen, c->found[i], &list);
	}
	if (c->n > SHOWN)
		sb_printf(&list, " and %zu more", c->n - SHOWN);
	return err_set(e, ERR_AGAIN, 0, "node %.64s: masterSelector %.160s: %s %.200s", want->node,
		       want->told, what, c->n ? sb_get(&list) : "none");
}

int macvlan_nic_choose(const struct macvlan_nic_want *want, const struct macvlan_nic_seen *seen,
		       char out[IFNAMSIZ], struct err *e)
{
	struct choice all = {0}, whole = {0}, ports = {0};
	const struct choice *fit;

	for (size_t i = 0; i < seen->n_links; i++) {
		bool port = is_port(seen, &seen->links[i]);

		if (!port && may_be_nic(&seen->links[i]) && is_worth_telling(want, seen, i))
			add(&all, i);
		if (fits(want, seen, i))
			add(port ? &ports : &whole, i);
	}
	fit = whole.n ? &whole : &ports;
	if (!fit->n)
		return refuse(want, seen, &all, "no NIC fits; there are", e);
	if (fit->n > 1)
		return refuse(want, seen, fit, "exactly one NIC must fit, and these do:", e);
	memcpy(out, seen->links[fit->found[0]].name, IFNAMSIZ);
	return 0;
}

/* ------------------------------------------------------------------------------- looking */

static int read_drivers(const struct nl_link *links, size_t n, char (**out)[NL_DRIVER_MAX],
			struct err *e)
{
	AUTO(free) char(*drivers)[NL_DRIVER_MAX] = xcalloc(n + 1, sizeof(*drivers));

	for (size_t i = 0; i < n; i++) {
		if (may_be_nic(&links[i]) && nl_driver_of(links[i].name, drivers[i], e) < 0)
			return -1;
	}
	*out = STEAL(drivers);
	return 0;
}

int macvlan_nic_find(struct nl *host, const struct macvlan_nic_want *want, char out[IFNAMSIZ],
		     struct err *e)
{
	AUTO(free) char(*drivers)[NL_DRIVER_MAX] = NULL;
	AUTO(free) struct nl_link *links = NULL;
	AUTO(free) struct nl_addr *addrs = NULL;
	struct macvlan_nic_seen seen = {0};

	if (nl_link_list(host, &links, &seen.n_links, e) < 0 ||
	    (want->by == MACVLAN_NIC_ADDRESS &&
	     nl_addr_list(host, 0, &addrs, &seen.n_addrs, e) < 0) ||
	    (want->by == MACVLAN_NIC_DRIVER && read_drivers(links, seen.n_links, &drivers, e) < 0))
		return err_wrap(e, "look for the NIC of masterSelector %.160s", want->told);
	seen.links = links;
	seen.addrs = addrs;
	seen.drivers = (const char(*)[NL_DRIVER_MAX])drivers;
	return macvlan_nic_choose(want, &seen, out, e);
}
