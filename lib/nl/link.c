/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/nl.h"

bool nl_ifname_ok(const char *name)
{
	const unsigned char *p = (const unsigned char *)name;

	if (!name || !*name || strlen(name) >= IFNAMSIZ || str_eq(name, ".") || str_eq(name, ".."))
		return false;
	/* '%' makes the name a template to the kernel; ':' once stood for an alias. */
	for (; *p; p++) {
		if (*p <= ' ' || *p >= 0x7f || strchr("/:%", *p))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------ reading */

static uint32_t link_u32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= 4 ? mnl_attr_get_u32(attr) : 0;
}

/* A name longer than its field is none that we could use, and stays empty. */
static void link_str(const struct nlattr *attr, char *dst, size_t size)
{
	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0 ||
	    str_copy(dst, size, mnl_attr_get_str(attr)) < 0)
		*dst = '\0';
}

static uint32_t link_number(const struct nlattr *attr, size_t size)
{
	if (size == sizeof(uint32_t))
		return link_u32(attr);
	return mnl_attr_get_payload_len(attr) >= size ? mnl_attr_get_u16(attr) : 0;
}

static void link_read_data(const struct nlattr *data, struct nl_link *l)
{
	const struct nl_link_type *card = nl_link_type_find(l->kind);
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, data) {
		uint16_t type = mnl_attr_get_type(attr);

		if (card && type == card->mode_attr)
			l->mode = link_number(attr, card->mode_size);
		if (str_eq(l->kind, "vlan") && type == IFLA_VLAN_ID &&
		    mnl_attr_get_payload_len(attr) >= 2)
			l->vlan_id = mnl_attr_get_u16(attr);
	}
}

static void link_read_info(const struct nlattr *info, struct nl_link *l)
{
	const struct nlattr *attr, *data = NULL;

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			link_str(attr, l->kind, sizeof(l->kind));
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (data)
		link_read_data(data, l);
}

static void link_read_attr(const struct nlattr *attr, struct nl_link *l)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		link_str(attr, l->name, sizeof(l->name));
		break;
	case IFLA_IFALIAS:
		link_str(attr, l->alias, sizeof(l->alias));
		break;
	case IFLA_MTU:
		l->mtu = link_u32(attr);
		break;
	case IFLA_CARRIER:
		l->carrier = mnl_attr_get_payload_len(attr) >= 1 && mnl_attr_get_u8(attr);
		break;
	case IFLA_CARRIER_CHANGES:
		l->carrier_changes = link_u32(attr);
		break;
	case IFLA_MASTER:
		l->master = (int)link_u32(attr);
		break;
	case IFLA_LINK:
		l->parent = (int)link_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		l->parent_elsewhere = true;
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(l->mac.b))
			memcpy(l->mac.b, mnl_attr_get_payload(attr), sizeof(l->mac.b));
		break;
	case IFLA_LINKINFO:
		link_read_info(attr, l);
		break;
	default:
		break;
	}
}

static int link_read(const struct nlmsghdr *nlh, struct nl_link *out, struct err *e)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct nl_link l = {0};

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return err_set(e, ERR_KERNEL, EBADMSG, "short link message");
	l.index = ifi->ifi_index;
	l.flags = ifi->ifi_flags;
	mnl_attr_for_each(attr, nlh, sizeof(*ifi))
		link_read_attr(attr, &l);
	*out = l;
	return 0;
}

static int link_take_one(const struct nlmsghdr *nlh, void *ctx, struct err *e)
{
	return nlh->nlmsg_type == RTM_NEWLINK ? link_read(nlh, ctx, e) : 0;
}

static int link_query(struct nl *nl, struct nl_req *r, struct nl_link *out, struct err *e)
{
	struct nl_link found = {0};
	struct nl_sink sink = {link_take_one, NULL, &found};

	nl_req_put_u32(r, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (nl_query(nl, r, &sink, e) < 0) {
		if (e->num != ENODEV)
			return -1;
		err_clear(e);
		return 0;
	}
	if (!found.index)
		return err_set(e, ERR_KERNEL, EBADMSG, "the kernel described no link");
	*out = found;
	return 1;
}

int nl_link_get(struct nl *nl, int index, struct nl_link *out, struct err *e)
{
	struct ifinfomsg ifi = {.ifi_index = index};
	struct nl_req r;

	/* Index 0 would ask by a name that is not there: EINVAL. */
	if (index <= 0)
		return 0;
	nl_req_init(&r, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	return link_query(nl, &r, out, e);
}

int nl_link_find(struct nl *nl, const char *name, struct nl_link *out, struct err *e)
{
	struct ifinfomsg ifi = {0};
	size_t len = strlen(name);
	struct nl_req r;
	int rc;

	if (!len || len >= NL_ALTNAME_MAX)
		return 0;
	nl_req_init(&r, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	/* Since 5.5 the kernel looks up alternative names too, for either attribute. */
	nl_req_put_str(&r, len < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, name);
	rc = link_query(nl, &r, out, e);
	/* Before 5.5 no link can have such a name. */
	if (rc < 0 && len >= IFNAMSIZ && e->num == EINVAL) {
		err_clear(e);
		return 0;
	}
	return rc;
}

struct link_list {
	struct nl_link *v;
	size_t n;
};

static void link_reset(void *ctx)
{
	struct link_list *l = ctx;

	l->n = 0;
}

static int link_take(const struct nlmsghdr *nlh, void *ctx, struct err *e)
{
	struct link_list *l = ctx;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	if (link_read(nlh, &l->v[l->n], e) < 0)
		return -1;
	l->n++;
	return 0;
}

int nl_link_list(struct nl *nl, struct nl_link **out, size_t *out_n, struct err *e)
{
	struct link_list l = {0};
	struct nl_sink sink = {link_take, link_reset, &l};
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC};
	struct nl_req r;

	nl_req_init(&r, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	nl_req_put_u32(&r, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (nl_dump(nl, &r, &sink, e) < 0) {
		free(l.v);
		return -1;
	}
	*out = l.v;
	*out_n = l.n;
	return 0;
}

const struct nl_link *nl_link_by_index(const struct nl_link *links, size_t n, int index)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (links[i].index == index)
			return &links[i];
	}
	return NULL;
}

/* ------------------------------------------------------------------ making and changing */

static int link_bad_name(const char *name, struct err *e)
{
	return err_set(e, ERR_CONFIG, EINVAL, "\"%.32s\" is not a name for a link", name);
}

static void put_mode(struct nl_req *r, enum nl_mode mode)
{
	const struct nl_link_type *type = nl_link_type_of(mode);
	uint32_t value = nl_link_mode_get(mode)->kernel;
	struct nlattr *info = nl_req_nest(r, IFLA_LINKINFO), *data;

	nl_req_put_str(r, IFLA_INFO_KIND, type->kind);
	data = nl_req_nest(r, IFLA_INFO_DATA);
	if (type->mode_size == sizeof(uint32_t))
		nl_req_put_u32(r, type->mode_attr, value);
	else
		nl_req_put_u16(r, type->mode_attr, (uint16_t)value);
	nl_req_nest_end(r, data);
	nl_req_nest_end(r, info);
}

int nl_link_add_card(struct nl *nl, const struct nl_card *c, struct err *e)
{
	struct ifinfomsg ifi = {0};
	struct nl_req r;

	if (!nl_ifname_ok(c->name))
		return link_bad_name(c->name, e);
	nl_req_init(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	nl_req_put_str(&r, IFLA_IFNAME, c->name);
	nl_req_put_u32(&r, IFLA_LINK, (uint32_t)c->parent);
	if (c->netns_fd >= 0)
		nl_req_put_u32(&r, IFLA_NET_NS_FD, (uint32_t)c->netns_fd);
	if (c->mtu)
		nl_req_put_u32(&r, IFLA_MTU, c->mtu);
	if (nl_link_type_of(c->mode)->own_mac && mac_is_usable(&c->mac))
		nl_req_put(&r, IFLA_ADDRESS, c->mac.b, sizeof(c->mac.b));
	put_mode(&r, c->mode);
	return nl_talk(nl, &r, e);
}

int nl_link_add_vlan(struct nl *nl, const char *name, int parent, uint16_t id, struct err *e)
{
	struct ifinfomsg ifi = {0};
	struct nlattr *info, *data;
	struct nl_req r;

	if (!nl_ifname_ok(name))
		return link_bad_name(name, e);
	nl_req_init(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	nl_req_put_str(&r, IFLA_IFNAME, name);
	nl_req_put_u32(&r, IFLA_LINK, (uint32_t)parent);
	info = nl_req_nest(&r, IFLA_LINKINFO);
	nl_req_put_str(&r, IFLA_INFO_KIND, "vlan");
	data = nl_req_nest(&r, IFLA_INFO_DATA);
	nl_req_put_u16(&r, IFLA_VLAN_ID, id);
	nl_req_nest_end(&r, data);
	nl_req_nest_end(&r, info);
	return nl_talk(nl, &r, e);
}

int nl_link_set(struct nl *nl, int index, const struct nl_link_change *c, struct err *e)
{
	struct ifinfomsg ifi = {
		.ifi_index = index,
		.ifi_flags = c->flags & c->flags_mask,
		.ifi_change = c->flags_mask,
	};
	struct nl_req r;

	if (c->name && !nl_ifname_ok(c->name))
		return link_bad_name(c->name, e);
	nl_req_init(&r, RTM_SETLINK, 0, &ifi, sizeof(ifi));
	if (c->name)
		nl_req_put_str(&r, IFLA_IFNAME, c->name);
	/* Without the terminator: the kernel would count it as a character of the alias. */
	if (c->alias)
		nl_req_put(&r, IFLA_IFALIAS, c->alias, strlen(c->alias));
	if (c->mtu)
		nl_req_put_u32(&r, IFLA_MTU, c->mtu);
	if (c->mac)
		nl_req_put(&r, IFLA_ADDRESS, c->mac->b, sizeof(c->mac->b));
	return nl_talk(nl, &r, e);
}

int nl_link_set_ipv4_conf(struct nl *nl, int index, const struct nl_ipv4_conf *conf, size_t n,
			  struct err *e)
{
	struct ifinfomsg ifi = {.ifi_index = index};
	struct nlattr *spec, *inet, *values;
	struct nl_req r;
	size_t i;

	nl_req_init(&r, RTM_SETLINK, 0, &ifi, sizeof(ifi));
	spec = nl_req_nest(&r, IFLA_AF_SPEC);
	inet = nl_req_nest(&r, AF_INET);
	values = nl_req_nest(&r, IFLA_INET_CONF);
	for (i = 0; i < n; i++)
		nl_req_put_u32(&r, (uint16_t)conf[i].id, conf[i].value);
	nl_req_nest_end(&r, values);
	nl_req_nest_end(&r, inet);
	nl_req_nest_end(&r, spec);
	return nl_talk(nl, &r, e);
}

int nl_link_set_no_linklocal(struct nl *nl, int index, struct err *e)
{
	struct ifinfomsg ifi = {.ifi_index = index};
	struct nlattr *spec, *inet6;
	struct nl_req r;

	nl_req_init(&r, RTM_SETLINK, 0, &ifi, sizeof(ifi));
	spec = nl_req_nest(&r, IFLA_AF_SPEC);
	inet6 = nl_req_nest(&r, AF_INET6);
	nl_req_put_u8(&r, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	nl_req_nest_end(&r, inet6);
	nl_req_nest_end(&r, spec);
	if (nl_talk(nl, &r, e) == 0)
		return 0;
	if (e->num != EAFNOSUPPORT)
		return -1;
	err_clear(e);
	return 0;
}

int nl_link_delete(struct nl *nl, int index, struct err *e)
{
	struct ifinfomsg ifi = {.ifi_index = index};
	struct nl_req r;

	nl_req_init(&r, RTM_DELLINK, 0, &ifi, sizeof(ifi));
	if (nl_talk(nl, &r, e) == 0)
		return 0;
	if (e->num != ENODEV)
		return -1;
	err_clear(e);
	return 0;
}
