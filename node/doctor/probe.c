/* SPDX-License-Identifier: Apache-2.0 */
#include "node/doctor/probe.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/subnet.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/addr.h"
#include "lib/nl/link.h"
#include "lib/nl/nl.h"
#include "macvlan/apply.h"
#include "macvlan/macvlan.h"
#include "meta/attachment/parent.h"
#include "meta/attachment/state.h"
#include "meta/masters/masters.h"
#include "node/doctor/frames.h"
#include "node/doctor/lan.h"
#include "node/doctor/verdict.h"

/* For pods' cards that are at work on the same parent, or ask with the same MAC. */
#define DEADLINE_MS 10000
/* A quiet LAN speaks within that time, mostly. */
#define OTHERS_MS 1500
#define SMALL     128

/* One run: all that is open, and what is seen. */
struct probe {
	const struct probe_env *env;
	struct macvlan_card card;
	struct nl *host;
	struct nl_link parent;
	struct state *state; /* a claim on the parent */
	struct macvlan_link *link;
	int card_fd, nic_fd, others_fd;
	struct verdict_seen seen;
	char text[512];
};

static void probe_done(struct probe *p)
{
	struct err e = {0};

	fd_auto(&p->card_fd);
	fd_auto(&p->nic_fd);
	fd_auto(&p->others_fd);
	p->card_fd = p->nic_fd = p->others_fd = -1;
	if (p->link && macvlan_rollback(p->link, &e) < 0)
		log_warn("doctor: the card stays", "error", e.msg);
	macvlan_link_free(STEAL(p->link));
	err_clear(&e);
	if (p->state && parent_release(p->env->dir, p->state, &e) < 0)
		log_warn("doctor: the parent is not released", "error", e.msg);
	state_free(STEAL(p->state));
	nl_close(STEAL(p->host));
}
DEFINE_AUTO_VALUE(struct probe, probe_done)

/* A reason's text outlives the error. */
static const char *keep(struct probe *p, const char *text)
{
	snprintf(p->text, sizeof(p->text), "%s", text);
	return p->text;
}

/* ------------------------------------------------------------------ before anybody is asked */

static void fill_card(const struct probe_env *env, const struct api_subnet *s,
		      struct macvlan_card *c)
{
	/* Never on the LAN: a card that asks has another one. */
	static const struct mac_addr unused = {{0x02, 't', 'd', 'o', 'c', 0}};

	*c = (struct macvlan_card){.ifname = "eth1",
				   .node = env->node,
				   .vlan = s->network.vlan,
				   .mode = s->network.mode,
				   .mtu = s->network.mtu,
				   .mac = unused,
				   .detect = true,
				   .any_carrier = s->network.require_carrier == API_SWITCH_OFF,
				   .single = true};
	if (s->network.master_by == API_MASTER_BY_NAME)
		snprintf(c->master, sizeof(c->master), "%s", s->network.master);
}

/* 0: go on. */
static int find_nic(struct probe *p, const struct api_subnet *s, struct err *e)
{
	const struct io_limit limit = {clock_now_ms() + DEADLINE_MS, -1};
	struct nl_link nic = {0};
	int rc;

	if (masters_choose(&s->network, p->env->masters_file, &limit, &p->card, e) < 0)
		return -1;
	rc = nl_link_find(p->host, p->card.master, &nic, e);
	if (rc == 0)
		return err_set(e, ERR_AGAIN, 0, "there is no NIC %.127s", p->card.master);
	if (rc < 0)
		return -1;
	memcpy(p->seen.nic, nic.name, sizeof(nic.name));
	p->seen.up = nic.flags & IFF_UP;
	p->seen.carrier = nic.carrier;
	return 0;
}

/* NULL: the LAN can be asked. */
static const char *why_untested(struct probe *p, const struct api_subnet *s)
{
	const struct nl_link_mode *mode = nl_link_mode_get(s->network.mode);
	char text[160];

	if (mode->alone || !nl_link_type_of(s->network.mode)->probes) {
		snprintf(text, sizeof(text), "a %s card of mode %s cannot ask beside the pods' own",
			 nl_link_type_of(s->network.mode)->kind, mode->name);
		return keep(p, text);
	}
	if (!ip_is_set(&s->network.gateway) && !ip_is_set(&s->network.gateway6))
		return "the subnet has no gateway that could be asked";
	return NULL;
}

static bool is_own(const struct nl_addr *addrs, size_t n, const struct ip_addr *a)
{
	for (size_t i = 0; i < n; i++) {
		if (ip_eq(&addrs[i].addr.addr, a))
			return true;
	}
	return false;
}

/* The node itself does not answer its own cards. */
static int set_gateways(struct probe *p, const struct api_subnet *s, struct err *e)
{
	const struct ip_addr *const gws[] = {&s->network.gateway, &s->network.gateway6};
	AUTO(free) struct nl_addr *addrs = NULL;
	size_t n = 0;

	if (nl_addr_list(p->host, 0, &addrs, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(gws); i++) {
		if (ip_is_set(gws[i]) && !is_own(addrs, n, gws[i]))
			p->seen.v[i].gateway = *gws[i];
	}
	if (!ip_is_set(&p->seen.v[0].gateway) && !ip_is_set(&p->seen.v[1].gateway))
		p->seen.untested = "the gateway is this node itself";
	return 0;
}

/* ------------------------------------------------------------------ the card */

static int claim(struct probe *p, struct err *e)
{
	struct parent_claim claim = {.card = &p->card,
				     .ns = "node",
				     .pod = "doctor",
				     .deadline_ms = clock_now_ms() + DEADLINE_MS};

	p->state = xcalloc(1, sizeof(*p->state));
	p->state->container_id = xasprintf("doctor-%ld", (long)getpid());
	p->state->ifname = xstrdup(p->card.ifname);
	p->state->boot_id = state_boot_id();
	return parent_claim(p->env->dir, p->state, &claim, e);
}

static int make_card(struct probe *p, struct err *e)
{
	int64_t deadline = clock_now_ms() + DEADLINE_MS;
	char mac[MAC_ADDR_LEN];
	int rc;

	if (claim(p, e) < 0 ||
	    macvlan_create(&p->card, p->env->netns_fd, deadline, &p->link, e) < 0)
		return -1;
	rc = nl_link_find(p->host, macvlan_link_parent(p->link), &p->parent, e);
	if (rc <= 0)
		return rc < 0 ? -1 : err_set(e, ERR_AGAIN, 0, "the parent has gone");
	memcpy(p->seen.parent, p->parent.name, sizeof(p->parent.name));
	p->seen.mtu = macvlan_link_mtu(p->link);
	p->seen.card_mac = macvlan_link_mac(p->link);
	p->seen.nic_mac = p->parent.mac;
	/* A VLAN is not kept by a card of ours that is just going. */
	p->state->card_mac = xstrdup(mac_format(&p->seen.card_mac, mac));
	return 0;
}

static int open_ears(struct probe *p, struct err *e)
{
	int index = macvlan_link_index(p->link);

	if (lan_open(-1, p->parent.index, LAN_OTHERS, &p->others_fd, e) < 0 ||
	    lan_open(-1, p->parent.index, LAN_ANSWERS, &p->nic_fd, e) < 0)
		return -1;
	return lan_open(p->env->netns_fd, index, LAN_ANSWERS, &p->card_fd, e);
}

/* ------------------------------------------------------------------ asking */

static int echo(int fd, struct frames_echo *q, struct probe *p, struct verdict_asked *a,
		struct err *e)
{
	int rc;

	q->to = a->gateway;
	q->to_mac = a->macs[0];
	q->id = (uint16_t)getpid();
	q->size = SMALL;
	rc = lan_echo(fd, q, LAN_ECHO_SMALL, e);
	if (rc <= 0)
		return rc;
	q->size = p->seen.mtu;
	rc = lan_echo(fd, q, LAN_ECHO_FULL, e);
	if (rc >= 0)
		a->echo = rc ? VERDICT_ECHO_FULL : VERDICT_ECHO_SMALL;
	return rc;
}

/* From the card, whose MAC other cards of the node wait for meanwhile. */
static int ask_from_card(struct probe *p, struct err *e)
{
	for (size_t i = 0; i < 2; i++) {
		struct verdict_asked *a = &p->seen.v[i];
		struct frames_echo q = {.from_mac = p->seen.card_mac,
					.from = frames_linklocal(&p->seen.card_mac)};

		if (!ip_is_set(&a->gateway))
			continue;
		if (lan_ask(p->card_fd, &p->seen.card_mac, a, &a->card, e) < 0)
			return -1;
		if (a->card && a->gateway.family == AF_INET6 && echo(p->card_fd, &q, p, a, e) < 0)
			return -1;
	}
	return 0;
}

/* An IPv4 packet needs an address; of the subnet none is taken, but the node may have one there. */
static int echo_from_nic(struct probe *p, struct verdict_asked *a, struct err *e)
{
	AUTO(free) struct nl_addr *addrs = NULL;
	struct frames_echo q = {.from_mac = p->seen.nic_mac};
	size_t n = 0;

	if (nl_addr_list(p->host, p->parent.index, &addrs, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (addrs[i].addr.addr.family != AF_INET ||
		    !ip_net_has(&addrs[i].addr, &a->gateway))
			continue;
		q.from = addrs[i].addr.addr;
		return echo(p->nic_fd, &q, p, a, e);
	}
	return 0;
}

static int ask_from_nic(struct probe *p, struct err *e)
{
	for (size_t i = 0; i < 2; i++) {
		struct verdict_asked *a = &p->seen.v[i];

		if (!ip_is_set(&a->gateway))
			continue;
		if (lan_ask(p->nic_fd, &p->seen.nic_mac, a, &a->nic, e) < 0)
			return -1;
		if (a->nic && a->gateway.family == AF_INET && echo_from_nic(p, a, e) < 0)
			return -1;
	}
	return 0;
}

static bool is_silent(const struct verdict_asked *a)
{
	return ip_is_set(&a->gateway) && !a->card && !a->nic;
}

static int ask(struct probe *p, struct err *e)
{
	const struct mac_addr own[] = {p->seen.card_mac, p->seen.nic_mac};
	int64_t deadline = clock_now_ms() + DEADLINE_MS;

	if (macvlan_link_raise(p->link, &p->card, deadline, e) < 0 || open_ears(p, e) < 0 ||
	    ask_from_card(p, e) < 0)
		return -1;
	/* Its MAC is free again. */
	fd_auto(&p->card_fd);
	p->card_fd = -1;
	if (macvlan_rollback(p->link, e) < 0)
		return -1;
	macvlan_link_free(STEAL(p->link));
	if (ask_from_nic(p, e) < 0)
		return -1;
	if (is_silent(&p->seen.v[0]) || is_silent(&p->seen.v[1]))
		p->seen.others = lan_hears_others(p->others_fd, own, ARRAY_SIZE(own), OTHERS_MS);
	return 0;
}

static void look(struct probe *p, const struct api_subnet *s)
{
	struct err e = {0};

	fill_card(p->env, s, &p->card);
	p->seen.vlan = s->network.vlan;
	if (nl_open(&p->host, &e) < 0 || find_nic(p, s, &e) < 0) {
		p->seen.missing = keep(p, e.msg);
		return;
	}
	if (p->seen.up && !p->seen.carrier && p->card.any_carrier) {
		p->seen.untested = "the NIC has no carrier, which the subnet allows";
		p->seen.carrier = true;
	}
	if (!p->seen.up || p->seen.untested || !p->seen.carrier)
		return;
	p->seen.untested = why_untested(p, s);
	if (p->seen.untested)
		return;
	if (set_gateways(p, s, &e) < 0)
		p->seen.untested = keep(p, e.msg);
	if (p->seen.untested)
		return;
	if (make_card(p, &e) < 0)
		p->seen.unfit = keep(p, e.msg);
	else if (ask(p, &e) < 0)
		p->seen.untested = keep(p, e.msg);
}

void probe_subnet(const struct probe_env *env, const struct api_subnet *s,
		  struct api_doctor_entry *out)
{
	AUTO(probe_done)
	struct probe p = {.env = env, .card_fd = -1, .nic_fd = -1, .others_fd = -1};

	look(&p, s);
	api_doctor_clean(s->meta.name, strlen(s->meta.name), out->subnet, sizeof(out->subnet));
	verdict_give(&p.seen, out);
}
