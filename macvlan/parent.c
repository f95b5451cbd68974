/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/parent.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "macvlan/macvlan.h"
#include "macvlan/vlan.h"

#define VLAN_ID_MAX  4094
#define IPV6_MIN_MTU 1280

/* "node NODE: LINK" for messages. */
struct where {
	char text[320];
};

static struct where where(const struct macvlan_card *card, const char *link)
{
	struct where w;
	char host[65] = "?";

	if (!card->node && gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '?';
	snprintf(w.text, sizeof(w.text), "node %.64s: master %.127s",
		 card->node ? card->node : host, link);
	return w;
}

static int refuse(const struct macvlan_card *card, const char *link, const char *reason,
		  struct err *e)
{
	return err_set(e, ERR_AGAIN, 0, "%s %s", where(card, link).text, reason);
}

/* Up and connected: the kernel would take a dead master and say nothing. */
static int check_alive(const struct macvlan_card *card, const struct nl_link *l, struct err *e)
{
	if (!(l->flags & IFF_UP))
		return refuse(card, l->name, "is down", e);
	if (!l->carrier && !card->any_carrier)
		return refuse(card, l->name, "has no carrier", e);
	return 0;
}

/* A VRF only chooses their table: cards can be made beside it. */
bool macvlan_parent_takes_frames(const char *kind)
{
	static const char *const takers[] = {"bridge", "bond", "team", "openvswitch"};

	for (size_t i = 0; i < ARRAY_SIZE(takers); i++) {
		if (str_eq(kind, takers[i]))
			return true;
	}
	return false;
}

static int check_port(struct nl *host, const struct macvlan_card *card, const struct nl_link *l,
		      struct err *e)
{
	struct nl_link master = {0};
	char reason[96];
	int rc = l->master ? nl_link_get(host, l->master, &master, e) : 0;

	if (rc <= 0 || !macvlan_parent_takes_frames(master.kind))
		return rc < 0 ? -1 : 0;
	snprintf(reason, sizeof(reason), "is a port of %s, a %s", master.name, master.kind);
	return refuse(card, l->name, reason, e);
}

/* RFC 8200, section 5: below it the kernel has no IPv6 on a link, and says of it nothing but that. */
static int check_mtu6(const struct macvlan_card *card, const struct nl_link *l, struct err *e)
{
	uint32_t mtu = card->mtu ? card->mtu : l->mtu;
	char reason[96];

	if (mtu >= IPV6_MIN_MTU || !macvlan_card_has_ipv6(card))
		return 0;
	snprintf(reason, sizeof(reason), "gives the card an MTU of %" PRIu32 ", and IPv6 needs %d",
		 mtu, IPV6_MIN_MTU);
	return refuse(card, l->name, reason, e);
}

/* Reasons for which the kernel gives a bare EINVAL or EBUSY, or none at all. */
static int check_fit(struct nl *host, const struct macvlan_card *card, const struct nl_link *l,
		     struct err *e)
{
	char reason[96];

	if (l->flags & IFF_LOOPBACK || !mac_is_usable(&l->mac))
		return refuse(card, l->name, "is not an Ethernet device", e);
	if (nl_link_type_find(l->kind) || str_eq(l->kind, "macvtap")) {
		snprintf(reason, sizeof(reason), "is itself a %s", l->kind);
		return refuse(card, l->name, reason, e);
	}
	if (check_port(host, card, l, e) < 0)
		return -1;
	if (card->mtu > l->mtu) {
		snprintf(reason, sizeof(reason),
			 "has an MTU of %" PRIu32 ", the subnet asks for %" PRIu32, l->mtu,
			 card->mtu);
		return refuse(card, l->name, reason, e);
	}
	return check_mtu6(card, l, e);
}

static int find_master(struct nl *host, const struct macvlan_card *card, struct nl_link *out,
		       struct err *e)
{
	int rc;

	if (card->vlan > VLAN_ID_MAX)
		return err_set(e, ERR_CONFIG, 0, "VLAN %u is over %u", card->vlan, VLAN_ID_MAX);
	if (!card->master[0])
		return err_set(e, ERR_CONFIG, 0, "the subnet names no master");
	rc = nl_link_find(host, card->master, out, e);
	if (rc < 0)
		return err_wrap(e, "look for master %s", card->master);
	if (rc == 0)
		return refuse(card, card->master, "does not exist", e);
	return check_alive(card, out, e);
}

int macvlan_parent_name(struct nl *host, const struct macvlan_card *card, struct macvlan_vlan *out,
			struct err *e)
{
	struct nl_link master = {0};
	struct macvlan_vlan v = {.id = card->vlan};

	if (find_master(host, card, &master, e) < 0)
		return -1;
	memcpy(v.master, master.name, sizeof(v.master));
	if (card->vlan)
		macvlan_vlan_name(master.name, card->vlan, v.name);
	else
		memcpy(v.name, master.name, sizeof(v.name));
	*out = v;
	return 0;
}

int macvlan_parent_find(struct nl *host, const struct macvlan_card *card, struct nl_link *out,
			struct err *e)
{
	struct nl_link master = {0}, parent = {0};

	if (find_master(host, card, &master, e) < 0)
		return -1;
	parent = master;
	if (card->vlan) {
		if (macvlan_vlan_ensure(host, &master, card->vlan, macvlan_is_routed(card), &parent,
					e) < 0)
			return err_wrap(e, "%s, VLAN %u", where(card, master.name).text,
					card->vlan);
		if (check_alive(card, &parent, e) < 0)
			return -1;
	}
	if (check_fit(host, card, &parent, e) < 0)
		return -1;
	*out = parent;
	return 0;
}

void macvlan_parent_explain(struct nl *host, const struct nl_link *parent, struct err *e)
{
	AUTO(free) struct nl_link *links = NULL;
	struct err ignored = {0};
	size_t n = 0, i;

	if (e->kind != ERR_KERNEL || (e->num != EBUSY && e->num != EINVAL))
		return;
	IGNORE(nl_link_list(host, &links, &n, &ignored), "the error that is explained counts");
	/* What sits there may go. */
	e->kind = ERR_AGAIN;
	for (i = 0; i < n; i++) {
		if (links[i].parent != parent->index || links[i].parent_elsewhere ||
		    !links[i].kind[0] || str_eq(links[i].kind, "vlan"))
			continue;
		err_wrap(e, "%s carries the %s link %s, which excludes such a card", parent->name,
			 links[i].kind, links[i].name);
		return;
	}
	if (e->num == EBUSY)
		err_wrap(e, "%s carries links of another type (macvlan beside ipvlan)",
			 parent->name);
}
