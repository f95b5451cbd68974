/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/attachment/parent.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/nl.h"
#include "macvlan/macvlan.h"
#include "macvlan/parent.h"
#include "meta/attachment/state.h"
#include "meta/attachment/seats.h"

/* For others at work on the same parent, and for cards of pods that have just gone. */
#define RELEASE_LOCK_MS 5000
#define RELEASE_BUSY_MS 1000

static void set_string(char **at, const char *value)
{
	free(*at);
	*at = xstrdup(value);
}

/* @told: how the record tells the NIC; NULL = not known */
static void fill_state(struct state *s, const struct seat *who, const char *told)
{
	set_string(&s->told_master, told);
	if (told && str_eq(told, who->at.master))
		set_string(&s->told_master, NULL);
	set_string(&s->parent, who->at.name);
	set_string(&s->master, who->at.master);
	set_string(&s->link, who->link);
	s->vlan = who->at.id;
}

static int check_others(struct seats *u, const struct state *s, const struct seat *who,
			const char *article, struct err *e)
{
	struct seat other = {0};
	int rc = seats_other(u, s, &other, e);

	if (rc <= 0 || links_agree(who->link, other.link))
		return rc < 0 ? -1 : 0;
	return err_set(
		e, ERR_AGAIN, 0,
		"%s cannot get %s %s card beside the %s card of pod %s: a link carries cards of "
		"one type only",
		who->at.name, article, who->link, other.link, other.pod);
}

/* The seat is taken before the VLAN is looked for, under the lock that its removal needs. */
static int sit_down(struct seats *u, const struct state *s, const struct seat *who, struct nl *host,
		    const struct macvlan_card *card, struct err *e)
{
	const char *article = nl_link_type_of(card->mode)->article;
	struct nl_link parent;

	if (check_others(u, s, who, article, e) < 0 || seats_add(u, s, who, e) < 0)
		return -1;
	return card->vlan ? macvlan_parent_find(host, card, &parent, e) : 0;
}

static int remove_vlan(const struct state *s, struct err *e)
{
	AUTO(nl_close) struct nl *host = NULL;
	struct macvlan_vlan v = {.id = s->vlan};
	struct mac_addr mac;
	bool known = s->card_mac && mac_parse(s->card_mac, &mac) == 0;
	int rc;

	if (str_copy(v.name, sizeof(v.name), s->parent) < 0 ||
	    str_copy(v.master, sizeof(v.master), s->master ? s->master : "") < 0)
		return err_set(e, ERR_DECODE, 0, "state file: %s is not a name of a link",
			       s->parent);
	if (nl_open(&host, e) < 0)
		return -1;
	rc = macvlan_vlan_remove(host, &v, known ? &mac : NULL, clock_now_ms() + RELEASE_BUSY_MS,
				 e);
	if (rc == 0)
		log_warn("VLAN not removed: something unknown uses it", "vlan", s->parent);
	return rc < 0 ? -1 : 0;
}

static int stand_up(const struct state_dir *d, const struct state *s, struct err *e)
{
	AUTO(seats_close) struct seats *u = NULL;
	struct seat other;
	int rc;

	if (seats_open(d, s->parent, clock_now_ms() + RELEASE_LOCK_MS, &u, e) < 0 ||
	    seats_remove(u, s, e) < 0)
		return -1;
	if (!s->vlan)
		return 0;
	rc = seats_other(u, s, &other, e);
	return rc == 0 ? remove_vlan(s, e) : rc < 0 ? -1 : 0;
}

int parent_claim(const struct state_dir *d, struct state *s, const struct parent_claim *claim,
		 struct err *e)
{
	const struct macvlan_card *card = claim->card;
	AUTO(seats_close) struct seats *u = NULL;
	AUTO(nl_close) struct nl *host = NULL;
	struct seat who = {0};

	snprintf(who.link, sizeof(who.link), "%s", nl_link_mode_get(card->mode)->sort);
	snprintf(who.pod, sizeof(who.pod), "%s/%s", claim->ns, claim->pod);
	if (nl_open(&host, e) < 0 || macvlan_parent_name(host, card, &who.at, e) < 0)
		return -1;
	/* A second claim, after a conflict: the subnet may have another master by now. */
	if (s->parent && !str_eq(s->parent, who.at.name) && stand_up(d, s, e) < 0)
		return -1;
	/* Saved with what comes next: until then the seat itself tells, see parent_recall(). */
	fill_state(s, &who, claim->told);
	if (seats_open(d, who.at.name, claim->deadline_ms, &u, e) < 0)
		return -1;
	return sit_down(u, s, &who, host, card, e);
}

int parent_release(const struct state_dir *d, const struct state *s, struct err *e)
{
	if (s->parent && stand_up(d, s, e) < 0)
		return -1;
	return state_remove(d, s->container_id, s->ifname, e);
}

int parent_recall(const struct state_dir *d, struct state *s, struct err *e)
{
	struct seat who = {0};
	int rc = seats_find(d, s->container_id, s->ifname, &who, e);

	if (rc > 0)
		fill_state(s, &who, NULL);
	return rc < 0 ? -1 : 0;
}
