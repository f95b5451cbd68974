/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/vlan.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/addr.h"
#include "lib/nl/link.h"
#include "lib/nl/neigh.h"
#include "macvlan/conf6.h"
#include "macvlan/macvlan.h"
#include "macvlan/temp.h"

#define BUSY_POLL_MS 5

static void full_name(const char *master, uint16_t vlan, char out[NL_ALTNAME_MAX + 8])
{
	snprintf(out, NL_ALTNAME_MAX + 8, "%.127s.%u", master, vlan);
}

void macvlan_vlan_name(const char *master, uint16_t vlan, char out[IFNAMSIZ])
{
	char full[NL_ALTNAME_MAX + 8];

	full_name(master, vlan, full);
	if (strlen(full) < IFNAMSIZ)
		memcpy(out, full, strlen(full) + 1);
	else
		snprintf(out, IFNAMSIZ, "tv%08" PRIx32,
			 (uint32_t)hash_fnv1a(HASH_FNV1A_INIT, full, strlen(full)));
}

/* Before it has its name and alias a VLAN is ours by its temporary name. */
static bool is_unfinished(const struct nl_link *l)
{
	return str_eq(l->kind, "vlan") && macvlan_is_temp_name(l->name);
}

bool macvlan_vlan_is_ours(const struct nl_link *l)
{
	return str_eq(l->kind, "vlan") &&
	       (str_eq(l->alias, MACVLAN_ALIAS) || str_starts(l->alias, MACVLAN_ALIAS " ") ||
		is_unfinished(l));
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

int macvlan_vlan_list(struct nl *host, struct macvlan_vlan **out, size_t *out_n, struct err *e)
{
	AUTO(free) struct nl_link *links = NULL;
	struct macvlan_vlan *v = NULL;
	size_t n_links = 0, n = 0, i;

	if (nl_link_list(host, &links, &n_links, e) < 0)
		return -1;
	for (i = 0; i < n_links; i++) {
		const struct nl_link *l = &links[i];
		const struct nl_link *master = nl_link_by_index(links, n_links, l->parent);
		struct macvlan_vlan found = {.id = l->vlan_id};

		if (!master || l->parent_elsewhere || !macvlan_vlan_is_ours(l))
			continue;
		macvlan_vlan_name(master->name, l->vlan_id, found.name);
		memcpy(found.master, master->name, sizeof(found.master));
		/* Its master was renamed: it is not known who calls it what. */
		if (!str_eq(l->name, found.name) && !is_unfinished(l))
			continue;
		v = xreallocarray(v, n + 1, sizeof(*v));
		v[n++] = found;
	}
	*out = v;
	*out_n = n;
	return 0;
}

/* ------------------------------------------------------------------ making */

static int refuse_taken(const char *name, const struct nl_link *there, struct err *e)
{
	char what[96], alias[80] = "";

	if (str_eq(there->kind, "vlan"))
		snprintf(what, sizeof(what), "VLAN %u%s", there->vlan_id,
			 macvlan_vlan_is_ours(there) ? " of another master" : "");
	else
		snprintf(what, sizeof(what), "%s",
			 there->kind[0] ? there->kind : "device of its own");
	if (there->alias[0])
		snprintf(alias, sizeof(alias), ", alias \"%.60s\"", there->alias);
	return err_set(e, ERR_AGAIN, EEXIST, "another link already has the name %s (%s%s)", name,
		       what, alias);
}

static int check_name(struct nl *host, const char *name, struct err *e)
{
	struct nl_link there = {0};
	int rc = nl_link_find(host, name, &there, e);

	return rc > 0 ? refuse_taken(name, &there, e) : rc;
}

/*
 * Name, mark and up in one message: a link with the name has the mark. The host has no business on the pods'
 * network and gets no IPv6 there; where it sends for its pods (routed cards) it needs a link-local
 * address, to ask for neighbours.
 */
static int vlan_finish(struct nl *host, const struct nl_link *master, uint16_t id, bool routed,
		       const struct nl_link *l, struct err *e)
{
	char name[IFNAMSIZ], full[NL_ALTNAME_MAX + 8], alias[NL_ALIAS_MAX];
	struct nl_link_change change = {
		.name = name, .alias = alias, .flags = IFF_UP, .flags_mask = IFF_UP};

	macvlan_vlan_name(master->name, id, name);
	full_name(master->name, id, full);
	snprintf(alias, sizeof(alias), MACVLAN_ALIAS " %s", full);
	if (check_name(host, name, e) < 0 ||
	    macvlan_conf6_set(l->name, routed ? MACVLAN_CONF6_ON : 0, e) < 0 ||
	    nl_link_set(host, l->index, &change, e) < 0)
		return err_wrap(e, "set up VLAN %s", name);
	return 0;
}

static int vlan_make(struct nl *host, const struct nl_link *master, uint16_t id, bool routed,
		     struct nl_link *out, struct err *e)
{
	char name[IFNAMSIZ], temp[IFNAMSIZ];
	struct err ignored = {0};
	int rc;

	macvlan_vlan_name(master->name, id, name);
	if (check_name(host, name, e) < 0)
		return err_wrap(e, "make VLAN %s", name);
	if (macvlan_temp_name(temp, e) < 0)
		return -1;
	/* Another program may be faster, which is as good. */
	if (nl_link_add_vlan(host, temp, master->index, id, e) < 0 && e->num != EEXIST)
		return err_wrap(e, "make VLAN %s", name);
	err_clear(e);
	rc = vlan_look(host, master, id, out, e);
	if (rc <= 0)
		return rc < 0 ? -1 : err_set(e, ERR_AGAIN, 0, "VLAN %s has vanished again", name);
	if (!str_eq(out->name, temp) || vlan_finish(host, master, id, routed, out, e) == 0)
		return 0;
	IGNORE(nl_link_delete(host, out->index, &ignored), "the first error counts");
	return -1;
}

/* What an ADD left that was stopped in the middle, or a VLAN whose master has grown since. */
static int vlan_mend(struct nl *host, const struct nl_link *master, uint16_t id, bool routed,
		     const struct nl_link *l, struct err *e)
{
	struct nl_link_change change = {.flags = IFF_UP, .flags_mask = IFF_UP, .mtu = master->mtu};

	if (!macvlan_vlan_is_ours(l))
		return 0;
	if (is_unfinished(l))
		return vlan_finish(host, master, id, routed, l, e);
	if ((l->flags & IFF_UP) && l->mtu >= master->mtu)
		return 0;
	if (nl_link_set(host, l->index, &change, e) < 0)
		return err_wrap(e, "set up VLAN %s", l->name);
	return 0;
}

int macvlan_vlan_ensure(struct nl *host, const struct nl_link *master, uint16_t id, bool routed,
			struct nl_link *out, struct err *e)
{
	struct nl_link l = {0};
	int rc = vlan_look(host, master, id, &l, e);

	if (rc < 0)
		return -1;
	if (rc == 0 && vlan_make(host, master, id, routed, &l, e) < 0)
		return -1;
	if (rc > 0 && vlan_mend(host, master, id, routed, &l, e) < 0)
		return -1;
	rc = nl_link_get(host, l.index, out, e);
	if (rc == 0)
		return err_set(e, ERR_AGAIN, 0, "VLAN %s has vanished", l.name);
	return rc < 0 ? -1 : 0;
}

/* ------------------------------------------------------------------ removing */

/* By its name, whatever its master is called by now; else one that never got its name. 1, 0 or -1. */
static int vlan_recall(struct nl *host, const struct macvlan_vlan *v, struct nl_link *out,
		       struct err *e)
{
	struct nl_link master = {0}, l = {0};
	int rc = nl_link_find(host, v->name, &l, e);

	if (rc > 0 && str_eq(l.kind, "vlan") && l.vlan_id == v->id) {
		*out = l;
		return 1;
	}
	if (rc >= 0)
		rc = nl_link_find(host, v->master, &master, e);
	if (rc <= 0)
		return rc;
	return vlan_look(host, &master, v->id, out, e);
}

/* What a call left that was killed while it tried whether there is room. */
static bool is_trial(const struct nl_link *l)
{
	return str_eq(l->kind, "macvlan") && macvlan_is_temp_name(l->name);
}

/* Other than the fdb this does not pass by itself. 1, 0 or -1. */
static int used_by_host(struct nl *host, const struct nl_link *l, struct err *e)
{
	AUTO(free) struct nl_link *links = NULL;
	AUTO(free) struct nl_addr *addrs = NULL;
	size_t n = 0, i;

	if (l->master)
		return 1;
	if (nl_addr_list(host, l->index, &addrs, &n, e) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (addrs[i].scope != RT_SCOPE_LINK)
			return 1;
	}
	if (nl_link_list(host, &links, &n, e) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (links[i].parent == l->index && !links[i].parent_elsewhere &&
		    !is_trial(&links[i]))
			return 1;
	}
	return 0;
}

/*
 * Links in other namespaces cannot be asked for. But a macvlan that is up has its MAC in its parent's
 * list of addresses, wherever it lives. 1, 0 or -1.
 */
static int used_by_cards(struct nl *host, const struct nl_link *l, const struct mac_addr *own,
			 struct err *e)
{
	AUTO(free) struct mac_addr *macs = NULL;
	size_t n = 0, i;

	if (nl_fdb_list(host, l->index, &macs, &n, e) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (mac_is_usable(&macs[i]) && !mac_eq(&macs[i], &l->mac) &&
		    !(own && mac_eq(&macs[i], own)))
			return 1;
	}
	return 0;
}

/*
 * An ipvlan shows in its own namespace alone, and a passthru card has its parent's MAC. But beside them the
 * kernel makes no macvlan: EBUSY, EINVAL. One that it does make goes with the VLAN. 1, 0 or -1.
 */
static int used_by_hidden(struct nl *host, const struct nl_link *l, struct err *e)
{
	char name[IFNAMSIZ];
	struct nl_card trial = {
		.name = name, .parent = l->index, .netns_fd = -1, .mode = NL_MODE_BRIDGE};

	if (macvlan_temp_name(name, e) < 0)
		return -1;
	if (nl_link_add_card(host, &trial, e) == 0)
		return 0;
	if (e->num == EBUSY || e->num == EINVAL) {
		err_clear(e);
		return 1;
	}
	/* A kernel without macvlan cannot be asked. */
	if (e->num != EOPNOTSUPP)
		return -1;
	err_clear(e);
	return 0;
}

static int used_by_pods(struct nl *host, const struct nl_link *l, const struct mac_addr *own,
			struct err *e)
{
	int rc = used_by_cards(host, l, own, e);

	return rc ? rc : used_by_hidden(host, l, e);
}

int macvlan_vlan_remove(struct nl *host, const struct macvlan_vlan *v, const struct mac_addr *own,
			int64_t deadline_ms, struct err *e)
{
	struct nl_link l = {0};
	int rc = vlan_recall(host, v, &l, e);

	if (rc < 0)
		return err_wrap(e, "look for VLAN %s", v->name);
	if (rc == 0 || !macvlan_vlan_is_ours(&l))
		return 1;
	rc = used_by_host(host, &l, e);
	if (rc)
		return rc < 0 ? err_wrap(e, "VLAN %s", l.name) : 0;
	/* Cards of pods whose namespace has just gone take a moment to follow. */
	while ((rc = used_by_pods(host, &l, own, e)) > 0 && clock_left_ms(deadline_ms))
		poll(NULL, 0, BUSY_POLL_MS);
	if (rc)
		return rc < 0 ? err_wrap(e, "VLAN %s", l.name) : 0;
	if (nl_link_delete(host, l.index, e) < 0)
		return err_wrap(e, "remove VLAN %s", l.name);
	return 1;
}
