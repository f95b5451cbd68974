/* SPDX-License-Identifier: Apache-2.0 */
#include "admit/subnet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/master.h"
#include "ipam/nets.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define NAMES_SHOWN 4
#define MASTER_TEXT (API_MASTER_TEXT + 16)
#define LAN_TEXT    (2 * MASTER_TEXT + 80)

/* ------------------------------------------------------------------------------- pods */

struct pod_row {
	const char *pod;
	struct ip_addr addr;
};

/* "default/p1 (10.1.0.5), default/p2 (10.1.0.6) and 7 more" */
struct pod_list {
	struct pod_row *rows;
	size_t n, cap;
	struct sb text;
};

static void list_add(struct pod_list *l, const struct admit_holder *h, const struct ip_addr *addr)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->rows = xreallocarray(l->rows, l->cap, sizeof(*l->rows));
	}
	l->rows[l->n++] = (struct pod_row){h->pod, *addr};
}

static int by_pod(const void *a, const void *b)
{
	const struct pod_row *x = a, *y = b;

	return strcmp(x->pod, y->pod);
}

static const char *list_text(struct pod_list *l)
{
	char text[IP_ADDR_LEN];

	if (l->n)
		qsort(l->rows, l->n, sizeof(*l->rows), by_pod);
	sb_clear(&l->text);
	for (size_t i = 0; i < l->n && i < NAMES_SHOWN; i++)
		sb_printf(&l->text, "%s%s (%s)", i ? ", " : "", l->rows[i].pod,
			  ip_format(&l->rows[i].addr, text));
	if (l->n > NAMES_SHOWN)
		sb_printf(&l->text, " and %zu more", l->n - NAMES_SHOWN);
	return sb_get(&l->text);
}

static void list_done(struct pod_list *l)
{
	free(l->rows);
	sb_done(&l->text);
}
DEFINE_AUTO_VALUE(struct pod_list, list_done)

static void list_users(const struct admit_world *w, const char *subnet, struct pod_list *l)
{
	struct admit_holder h;
	size_t pos = 0;

	while (w->next_holder(w->ctx, &pos, &h)) {
		if (str_eq(h.subnet, subnet))
			list_add(l, &h, &h.addr);
	}
}

void admit_subnet_delete(const struct admit_world *w, const char *name, struct admit_answer *a)
{
	AUTO(list_done) struct pod_list users = {0};

	list_users(w, name, &users);
	if (users.n)
		admit_refuse(
			a,
			"MacvlanSubnet %s is in use by pods %s; delete the pods first, then the "
			"subnet once their addresses are free",
			name, list_text(&users));
}

/* ------------------------------------------------------------------------------- neighbours */

struct check {
	const struct admit_world *world;
	const struct api_subnet *was, *now;
	struct ipam_set before, after; /* what it may give */
	struct admit_answer *answer;
};

static const char *vlan_text(const struct api_subnet *s, char buf[24])
{
	if (!s->network.vlan)
		return "untagged";
	snprintf(buf, 24, "VLAN %u", s->network.vlan);
	return buf;
}

/* "master ens4" or "masterSelector addressIn=192.168.100.0/24" */
static const char *master_text(const struct api_subnet *s, char buf[MASTER_TEXT])
{
	char text[API_MASTER_TEXT];

	snprintf(buf, MASTER_TEXT, "%s %s",
		 s->network.master_by == API_MASTER_BY_NAME ? "master" : "masterSelector",
		 api_master_text(&s->network, text));
	return buf;
}

static bool is_one_lan(const struct api_subnet *a, const struct api_subnet *b)
{
	return api_master_eq(&a->network, &b->network) && a->network.vlan == b->network.vlan;
}

/* How it is known that the two meet. */
static const char *lan_text(const struct check *c, const struct admit_subnet *other,
			    char buf[LAN_TEXT])
{
	char ours[MASTER_TEXT], theirs[MASTER_TEXT], vlan[24];

	master_text(c->now, ours);
	master_text(other->spec, theirs);
	if (is_one_lan(c->now, other->spec))
		snprintf(buf, LAN_TEXT, "the same %s, %s", ours, vlan_text(c->now, vlan));
	else
		snprintf(buf, LAN_TEXT, "what may be the same LAN (%s here, %s there)", ours,
			 theirs);
	return buf;
}

static const char *lan_word(const struct check *c, const struct admit_subnet *other)
{
	return is_one_lan(c->now, other->spec) ? "the same master and VLAN"
					       : "what may be the same LAN";
}

static bool moved(const struct check *c)
{
	return !c->was || !is_one_lan(c->was, c->now);
}

/* What this change brings about is refused; what was so before does not stand in the way of others. */
static bool complain(const struct check *c, bool is_new, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static bool complain(const struct check *c, bool is_new, const char *fmt, ...)
{
	char text[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (is_new)
		return admit_refuse(c->answer, "%s", text);
	admit_warn(c->answer, "%s", text);
	return true;
}

static const char *range_field(const struct check *c, const struct ip_addr *addr)
{
	const struct api_subnet *s = c->now;

	if (addr->family != s->v.cidr.addr.family)
		return s->v6.n_ranges ? "ipv6.ranges" : "ipv6.cidr";
	return s->v.n_ranges ? "ranges" : "cidr";
}

/* The first address that becomes common to both; else, that has been so. */
static bool first_shared(const struct check *c, const struct ipam_set *theirs, bool *is_new,
			 struct ip_addr *first)
{
	AUTO(ipam_set_done) struct ipam_set gained = IPAM_SET_INIT;

	ipam_set_copy(&c->after, &gained);
	if (!moved(c))
		ipam_set_subtract(&gained, &c->before);
	*is_new = ipam_set_first_common(&gained, theirs, first);
	return *is_new || ipam_set_first_common(&c->after, theirs, first);
}

static bool check_overlap(const struct check *c, const struct admit_subnet *other)
{
	AUTO(ipam_set_done) struct ipam_set theirs = IPAM_SET_INIT;
	char text[IP_ADDR_LEN], cidr[IP_NET_LEN], lan[LAN_TEXT];
	struct ip_addr first;
	bool is_new = false;
	size_t n;

	admit_range_of(other->spec, &theirs);
	if (!first_shared(c, &theirs, &is_new, &first))
		return true;
	n = ipam_set_common(&c->after, &theirs);
	return complain(
		c, is_new,
		"spec.%s: shares %zu address%s, from %s on, with MacvlanSubnet %s (%s) on %s; set "
		"ranges that do not overlap",
		range_field(c, &first), n, n > 1 ? "es" : "", ip_format(&first, text), other->name,
		ip_net_format(&other->spec->v.cidr, cidr), lan_text(c, other, lan));
}

static bool same_gateway(const struct check *c, const struct ip_addr *gateway)
{
	return !moved(c) &&
	       (ip_eq(gateway, &c->was->v.gateway) || ip_eq(gateway, &c->was->v6.gateway));
}

/* The router's address in the hands of a pod takes the whole network down. */
static bool check_gateway(const struct check *c, const struct api_family *f,
			  const struct admit_subnet *other)
{
	AUTO(ipam_set_done) struct ipam_set theirs = IPAM_SET_INIT;
	bool v6 = f->gateway.family != c->now->v.cidr.addr.family;
	char text[IP_ADDR_LEN];

	admit_range_of(other->spec, &theirs);
	if (!ip_is_set(&f->gateway) || !ipam_set_has(&theirs, &f->gateway))
		return true;
	return complain(
		c, f->gateway_given && !same_gateway(c, &f->gateway),
		"spec.%sgateway: \"%s\"%s is in the ranges of MacvlanSubnet %s on %s; exclude it there, or set another gateway",
		v6 ? "ipv6." : "", ip_format(&f->gateway, text),
		f->gateway_given ? "" : " (the default)", other->name, lan_word(c, other));
}

static bool check_their_gateway(const struct check *c, const struct api_family *f,
				const struct admit_subnet *other)
{
	char text[IP_ADDR_LEN];

	if (!f->gateway_given || !ipam_set_has(&c->after, &f->gateway))
		return true;
	return complain(
		c, moved(c) || !ipam_set_has(&c->before, &f->gateway),
		"spec.%s: %s is the gateway of MacvlanSubnet %s on %s; add it to spec.exclude",
		range_field(c, &f->gateway), ip_format(&f->gateway, text), other->name,
		lan_word(c, other));
}

static bool is_alone(const struct api_subnet *s)
{
	return nl_link_mode_get(s->network.mode)->alone;
}

/* The plugin refuses what a NIC cannot carry; here it is only known that it may come to that. */
static bool warn_kinds(const struct check *c, const struct admit_subnet *other)
{
	const struct api_network *theirs = &other->spec->network;

	if (c->now->network.link_type != theirs->link_type || is_alone(c->now) ||
	    is_alone(other->spec))
		admit_warn(c->answer,
			   "MacvlanSubnet %s (%s, mode %s) may be on the same NIC: where it is, "
			   "pods of one of the two do not start",
			   other->name, nl_link_type_get(theirs->link_type)->kind,
			   nl_link_mode_get(theirs->mode)->name);
	return true;
}

static bool check_kinds(const struct check *c, const struct admit_subnet *other)
{
	const struct api_network *ours = &c->now->network, *theirs = &other->spec->network;
	bool is_new = moved(c) || c->was->network.link_type != ours->link_type;
	char vlan[24], master[MASTER_TEXT];

	if (!is_one_lan(c->now, other->spec))
		return warn_kinds(c, other);
	master_text(c->now, master);
	if (ours->link_type != theirs->link_type)
		return complain(c, is_new,
				"spec.linkType: \"%s\" cannot be on %s, %s, where MacvlanSubnet %s "
				"is %s: a NIC carries links of one type only",
				nl_link_type_get(ours->link_type)->kind, master,
				vlan_text(c->now, vlan), other->name,
				nl_link_type_get(theirs->link_type)->kind);
	is_new = moved(c) || is_alone(c->was) != is_alone(c->now);
	if (is_alone(c->now))
		return complain(c, is_new,
				"spec.mode: \"%s\" needs %s, %s for itself, where "
				"MacvlanSubnet %s is already",
				nl_link_mode_get(ours->mode)->name, master, vlan_text(c->now, vlan),
				other->name);
	if (is_alone(other->spec))
		return complain(
			c, is_new,
			"spec.master: \"%s\", %s belongs to MacvlanSubnet %s alone (mode %s); choose another master or VLAN",
			ours->master, vlan_text(c->now, vlan), other->name,
			nl_link_mode_get(theirs->mode)->name);
	return true;
}

static bool check_one_wire(const struct check *c, const struct admit_subnet *other)
{
	return check_kinds(c, other) && check_overlap(c, other) &&
	       check_gateway(c, &c->now->v, other) && check_gateway(c, &c->now->v6, other) &&
	       check_their_gateway(c, &other->spec->v, other) &&
	       check_their_gateway(c, &other->spec->v6, other);
}

/* Two names of a card may lead to one network: on other nodes, or over another card of this one. */
static void look_at_other_wire(const struct check *c, const struct admit_subnet *other)
{
	AUTO(ipam_set_done) struct ipam_set theirs = IPAM_SET_INIT;
	char text[IP_ADDR_LEN];
	struct ip_addr first;

	if (other->spec->network.vlan != c->now->network.vlan)
		return;
	admit_range_of(other->spec, &theirs);
	if (ipam_set_first_common(&c->after, &theirs, &first))
		admit_warn(
			c->answer,
			"%s is also in the ranges of MacvlanSubnet %s on master %s; if that and %s are one network, set ranges that do not overlap",
			ip_format(&first, text), other->name, other->spec->network.master,
			c->now->network.master);
}

static int by_name(const void *a, const void *b)
{
	const struct admit_subnet *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* In an order of their own, so that the same mistake is always told in the same words. */
static struct admit_subnet *neighbours_of(const struct check *c, size_t *n)
{
	struct admit_subnet *all = NULL, other;
	size_t pos = 0, cap = 0;

	*n = 0;
	while (c->world->next_subnet(c->world->ctx, &pos, &other)) {
		if (!other.spec || str_eq(other.name, c->now->meta.name))
			continue;
		if (*n == cap) {
			cap = cap ? cap * 2 : 16;
			all = xreallocarray(all, cap, sizeof(*all));
		}
		all[(*n)++] = other;
	}
	if (*n)
		qsort(all, *n, sizeof(*all), by_name);
	return all;
}

static bool check_neighbours(const struct check *c)
{
	size_t n;
	AUTO(free) struct admit_subnet *all = neighbours_of(c, &n);

	for (size_t i = 0; i < n; i++) {
		if (!api_master_may_meet(&c->now->network, &all[i].spec->network))
			look_at_other_wire(c, &all[i]);
		else if (!check_one_wire(c, &all[i]))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------------------- the cluster's networks */

/* The first of its addresses that can be given; else, that could be given before. */
static bool first_kept(const struct check *c, const struct ip_net *net, bool *is_new,
		       struct ip_addr *first)
{
	AUTO(ipam_set_done) struct ipam_set gained = IPAM_SET_INIT;

	ipam_set_copy(&c->after, &gained);
	if (!moved(c))
		ipam_set_subtract(&gained, &c->before);
	*is_new = ipam_net_first_common(net, &gained, first);
	return *is_new || ipam_net_first_common(net, &c->after, first);
}

static bool meets_cidr(const struct api_subnet *s, const struct ip_net *net)
{
	return ip_net_overlaps(&s->v.cidr, net) ||
	       (ip_is_set(&s->v6.cidr.addr) && ip_net_overlaps(&s->v6.cidr, net));
}

static bool check_kept(const struct check *c, const struct admit_kept *kept)
{
	char text[IP_ADDR_LEN], net[IP_NET_LEN];
	struct ip_addr first;
	bool is_new = false;

	if (!first_kept(c, &kept->net, &is_new, &first))
		return true;
	return complain(c, is_new,
			"spec.%s: %s is in the %s network %s%s%s, where it would not be reached; "
			"set ranges outside of it",
			range_field(c, &first), ip_format(&first, text), kept->kind,
			ip_net_format(&kept->net, net), kept->node ? " of node " : "",
			kept->node ? kept->node : "");
}

/* A LAN that is wider than the cluster's networks is one that people have: those stay on eth0. Once for each kind. */
static void tell_wider(const struct check *c, const char *kind)
{
	char cidr[IP_NET_LEN], net[IP_NET_LEN];
	struct admit_kept kept;
	struct ip_addr first;
	bool is_new = false;
	size_t pos = 0;

	while (c->world->next_kept(c->world->ctx, &pos, &kept)) {
		if (!str_eq(kept.kind, kind) || !meets_cidr(c->now, &kept.net) ||
		    first_kept(c, &kept.net, &is_new, &first))
			continue;
		admit_warn(
			c->answer,
			"spec.cidr: \"%s\" meets the %s network %s, which pods go on reaching by "
			"eth0",
			ip_net_format(ip_net_overlaps(&c->now->v.cidr, &kept.net)
					      ? &c->now->v.cidr
					      : &c->now->v6.cidr,
				      cidr),
			kind, ip_net_format(&kept.net, net));
		return;
	}
}

static bool check_cluster(const struct check *c)
{
	struct admit_kept kept;
	size_t pos = 0;

	while (c->world->next_kept(c->world->ctx, &pos, &kept)) {
		if (!check_kept(c, &kept))
			return false;
	}
	tell_wider(c, "service");
	tell_wider(c, "pod");
	return true;
}

/* ------------------------------------------------------------------------------- in use */

static bool keep(const struct check *c, const char *field, const char *was, const char *now,
		 struct pod_list *users)
{
	if (str_eq(was, now))
		return true;
	return admit_refuse(
		c->answer,
		"spec.%s: cannot change from \"%s\" to \"%s\" while pods have addresses "
		"of this subnet: %s",
		field, was, now, list_text(users));
}

static bool keep_cidr(const struct check *c, const char *field, const struct ip_net *was,
		      const struct ip_net *now, struct pod_list *users)
{
	char a[IP_NET_LEN], b[IP_NET_LEN];

	return keep(c, field, ip_net_format(was, a), ip_net_format(now, b), users);
}

static bool check_unchanged(const struct check *c)
{
	AUTO(list_done) struct pod_list users = {0};
	const struct api_subnet *was = c->was, *now = c->now;
	char a[API_MASTER_TEXT], b[API_MASTER_TEXT];

	list_users(c->world, now->meta.name, &users);
	if (!users.n)
		return true;
	api_master_text(&was->network, a);
	api_master_text(&now->network, b);
	if (!keep(c, now->network.master_by == API_MASTER_BY_NAME ? "master" : "masterSelector", a,
		  b, &users))
		return false;
	snprintf(a, sizeof(a), "%u", was->network.vlan);
	snprintf(b, sizeof(b), "%u", now->network.vlan);
	if (!keep(c, "vlan", a, b, &users) ||
	    !keep(c, "linkType", nl_link_type_get(was->network.link_type)->kind,
		  nl_link_type_get(now->network.link_type)->kind, &users) ||
	    !keep_cidr(c, "cidr", &was->v.cidr, &now->v.cidr, &users))
		return false;
	if (is_alone(was) != is_alone(now))
		return keep(c, "mode", nl_link_mode_get(was->network.mode)->name,
			    nl_link_mode_get(now->network.mode)->name, &users);
	/* A second family may come; once there it stays as it is. */
	return !ip_is_set(&was->v6.cidr.addr) ||
	       keep_cidr(c, "ipv6.cidr", &was->v6.cidr, &now->v6.cidr, &users);
}

static bool check_address(const struct check *c, const struct admit_holder *h,
			  const struct ip_addr *addr, struct pod_list *outside)
{
	char text[IP_ADDR_LEN];

	if (!ip_is_set(addr))
		return true;
	if (ip_eq(addr, &c->now->v.gateway) || ip_eq(addr, &c->now->v6.gateway))
		return admit_refuse(c->answer, "spec.gateway: \"%s\" is the address of pod %s",
				    ip_format(addr, text), h->pod);
	if (ipam_set_has(&c->before, addr) && !ipam_set_has(&c->after, addr))
		list_add(outside, h, addr);
	return true;
}

static bool check_addresses(const struct check *c)
{
	AUTO(list_done) struct pod_list outside = {0};
	struct admit_holder h;
	size_t pos = 0;

	while (c->world->next_holder(c->world->ctx, &pos, &h)) {
		if (!api_master_may_meet(&c->now->network, h.network))
			continue;
		if (!check_address(c, &h, &h.addr, &outside) ||
		    !check_address(c, &h, &h.addr6, &outside))
			return false;
	}
	if (outside.n)
		admit_warn(
			c->answer,
			"pods keep addresses that the subnet no longer gives, until they end: %s",
			list_text(&outside));
	return true;
}

/* The families of which spec.exclude takes all: [0] is spec.cidr's. */
static bool excludes_all(const struct api_subnet *s, const struct api_family *f)
{
	AUTO(ipam_set_done) struct ipam_set left = IPAM_SET_INIT;
	AUTO(ipam_set_done) struct ipam_set all = IPAM_SET_INIT;
	struct api_subnet without = *s;

	if (!ip_is_set(&f->cidr.addr) || !s->n_exclude)
		return false;
	without.n_exclude = 0;
	admit_range_of_family(s, f, &left);
	admit_range_of_family(&without, f, &all);
	return all.n && !left.n;
}

/* Whoever changes something else of such a subnet is let. */
static bool check_exclude(const struct check *c)
{
	const struct api_subnet *now = c->now, *was = c->was;
	bool four = excludes_all(now, &now->v), six = excludes_all(now, &now->v6);

	if ((!four && !six) || (was && (excludes_all(was, &was->v) || excludes_all(was, &was->v6))))
		return true;
	return admit_refuse(c->answer,
			    "spec.exclude: leaves no %saddress for pods; exclude less, or extend "
			    "the %sranges",
			    !ip_is_set(&now->v6.cidr.addr) ? ""
			    : four                         ? "IPv4 "
							   : "IPv6 ",
			    four ? "" : "ipv6 ");
}

/* Right for a /32 and for IPv6's link-local routers; else more often a slip. */
static void warn_gateway(const struct api_family *f, const char *field, struct admit_answer *a)
{
	char text[IP_ADDR_LEN];

	if (!f->gateway_given || ip_net_has(&f->cidr, &f->gateway) ||
	    (f->gateway.family == AF_INET6 && ip_is_linklocal(&f->gateway)))
		return;
	admit_warn(a, "%s: %s lies outside the cidr: pods look for it on the link itself", field,
		   ip_format(&f->gateway, text));
}

/* ------------------------------------------------------------------------------- all of it */

void admit_subnet_check(const struct admit_world *w, const struct api_subnet *was,
			const struct api_subnet *now, struct admit_answer *a)
{
	struct check c = {.world = w, .was = was, .now = now, .answer = a};

	admit_range_of(now, &c.after);
	if (was)
		admit_range_of(was, &c.before);
	if ((!was || check_unchanged(&c)) && check_exclude(&c) && check_neighbours(&c) &&
	    check_cluster(&c) && check_addresses(&c) && !c.after.n)
		admit_warn(a, "no address is left for pods after the gateway and spec.exclude");
	warn_gateway(&now->v, "spec.gateway", a);
	warn_gateway(&now->v6, "spec.ipv6.gateway", a);
	ipam_set_done(&c.after);
	ipam_set_done(&c.before);
}
