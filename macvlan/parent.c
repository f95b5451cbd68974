#include "macvlan/parent.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/str.h"
#include "macvlan/macvlan.h"

#define VLAN_ID_MAX 4094

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
	if (!l->carrier)
		return refuse(card, l->name, "has no carrier", e);
	return 0;
}

/* Reasons for which the kernel gives a bare EINVAL or EBUSY, or none at all. */
static int check_fit(const struct macvlan_card *card, const struct nl_link *l, struct err *e)
{
	char reason[96];

	if (l->flags & IFF_LOOPBACK || !mac_is_usable(&l->mac))
		return refuse(card, l->name, "is no Ethernet device", e);
	if (str_eq(l->kind, "macvlan") || str_eq(l->kind, "macvtap") || str_eq(l->kind, "ipvlan")) {
		snprintf(reason, sizeof(reason), "is itself a %s", l->kind);
		return refuse(card, l->name, reason, e);
	}
	if (l->master) {
		snprintf(reason, sizeof(reason),
			 "is a port of another device (bridge or bond, index %d)", l->master);
		return refuse(card, l->name, reason, e);
	}
	if (card->mtu > l->mtu) {
		snprintf(reason, sizeof(reason),
			 "has an MTU of %" PRIu32 ", the subnet asks for %" PRIu32, l->mtu,
			 card->mtu);
		return refuse(card, l->name, reason, e);
	}
	return 0;
}

void macvlan_vlan_name(const char *master, uint16_t vlan, char out[IFNAMSIZ])
{
	char full[NL_ALTNAME_MAX + 8];
	int n = snprintf(full, sizeof(full), "%s.%u", master, vlan);

	if (n > 0 && n < IFNAMSIZ) {
		memcpy(out, full, (size_t)n + 1);
		return;
	}
	snprintf(out, IFNAMSIZ, "tv%08" PRIx32,
		 (uint32_t)hash_fnv1a(HASH_FNV1A_INIT, full, strlen(full)));
}

static bool is_vlan_of(const struct nl_link *l, const struct nl_link *master, uint16_t id)
{
	return str_eq(l->kind, "vlan") && l->parent == master->index && !l->parent_elsewhere &&
	       l->vlan_id == id;
}

/*
 * The kernel allows one link for a master and id, whatever its name: mostly it has ours, and the
 * long list of a node's links need not be read. 1, 0 or -1.
 */
static int vlan_look(struct nl *host, const struct nl_link *master, uint16_t id,
		     struct nl_link *out, struct err *e)
{
	AUTO(free) struct nl_link *links = NULL;
	struct nl_link named = {0};
	char name[IFNAMSIZ];
	size_t n = 0, i;
	int rc;

	macvlan_vlan_name(master->name, id, name);
	rc = nl_link_find(host, name, &named, e);
	if (rc > 0 && is_vlan_of(&named, master, id)) {
		*out = named;
		return 1;
	}
	if (rc < 0 || nl_link_list(host, &links, &n, e) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (is_vlan_of(&links[i], master, id)) {
			*out = links[i];
			return 1;
		}
	}
	return 0;
}

/* Makes the link; another ADD may be faster, which is as good. */
static int vlan_make(struct nl *host, const struct nl_link *master, uint16_t id,
		     struct nl_link *out, struct err *e)
{
	struct nl_link_change change = {
		.alias = MACVLAN_ALIAS, .flags = IFF_UP, .flags_mask = IFF_UP};
	char name[IFNAMSIZ];
	int rc;

	macvlan_vlan_name(master->name, id, name);
	if (nl_link_add_vlan(host, name, master->index, id, e) < 0) {
		if (e->num != EEXIST)
			return err_wrap(e, "make VLAN %s", name);
		err_clear(e);
	}
	rc = vlan_look(host, master, id, out, e);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(e, ERR_AGAIN, 0, "the name %s is taken by another link", name);
	if (nl_link_set(host, out->index, &change, e) < 0)
		return err_wrap(e, "set up VLAN %s", name);
	return 0;
}

static int vlan_find(struct nl *host, const struct macvlan_card *card, const struct nl_link *master,
		     struct nl_link *out, struct err *e)
{
	struct nl_link_change up = {.flags = IFF_UP, .flags_mask = IFF_UP};
	int rc = vlan_look(host, master, card->vlan, out, e);

	if (rc == 0 && vlan_make(host, master, card->vlan, out, e) < 0)
		return -1;
	/* Ours, from an ADD that was stopped between making it and setting it up. */
	if (rc == 1 && !(out->flags & IFF_UP) && str_eq(out->alias, MACVLAN_ALIAS) &&
	    nl_link_set(host, out->index, &up, e) < 0)
		return -1;
	if (rc < 0)
		return -1;
	rc = nl_link_get(host, out->index, out, e);
	if (rc == 0)
		return refuse(card, master->name, "has just lost its VLAN link", e);
	return rc < 0 ? -1 : 0;
}

int macvlan_parent_find(struct nl *host, const struct macvlan_card *card, struct nl_link *out,
			struct err *e)
{
	struct nl_link master = {0}, parent = {0};
	int rc;

	if (card->vlan > VLAN_ID_MAX)
		return err_set(e, ERR_CONFIG, 0, "VLAN %u is over %u", card->vlan, VLAN_ID_MAX);
	if (!card->master[0])
		return err_set(e, ERR_CONFIG, 0, "the subnet names no master");
	rc = nl_link_find(host, card->master, &master, e);
	if (rc < 0)
		return err_wrap(e, "look for master %s", card->master);
	if (rc == 0)
		return refuse(card, card->master, "does not exist", e);
	if (check_alive(card, &master, e) < 0)
		return -1;
	parent = master;
	if (card->vlan) {
		if (vlan_find(host, card, &master, &parent, e) < 0)
			return err_wrap(e, "%s, VLAN %u", where(card, master.name).text,
					card->vlan);
		if (check_alive(card, &parent, e) < 0)
			return -1;
	}
	if (check_fit(card, &parent, e) < 0)
		return -1;
	*out = parent;
	return 0;
}
