/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/addr.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/nl/nl.h"

static void addr_req(struct nl_req *r, uint16_t type, uint16_t flags, const struct nl_addr *a)
{
	struct ifaddrmsg ifa = {
		.ifa_family = a->addr.addr.family,
		.ifa_prefixlen = a->addr.prefix,
		/* The old field has 8 bits; the attribute below has all of them. */
		.ifa_flags = (uint8_t)a->flags,
		.ifa_index = (unsigned int)a->index,
	};
	size_t n = ip_bytes(&a->addr.addr);

	nl_req_init(r, type, flags, &ifa, sizeof(ifa));
	nl_req_put(r, IFA_LOCAL, a->addr.addr.b, n);
	nl_req_put(r, IFA_ADDRESS, a->addr.addr.b, n);
}

int nl_addr_add(struct nl *nl, int index, const struct ip_net *addr, uint32_t flags, struct err *e)
{
	struct nl_addr a = {.index = index, .addr = *addr, .flags = flags};
	struct nl_req r;

	addr_req(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &a);
	if (flags)
		nl_req_put_u32(&r, IFA_FLAGS, flags);
	if (addr->addr.family == AF_INET && addr->prefix <= 30) {
		struct ip_addr last = ip_net_last(addr);

		nl_req_put(&r, IFA_BROADCAST, last.b, 4);
	}
	if (nl_talk(nl, &r, e) == 0)
		return 0;
	if (e->num != EEXIST)
		return -1;
	err_clear(e);
	return 0;
}

int nl_addr_delete(struct nl *nl, int index, const struct ip_net *addr, struct err *e)
{
	struct nl_addr a = {.index = index, .addr = *addr};
	struct nl_req r;

	addr_req(&r, RTM_DELADDR, 0, &a);
	if (nl_talk(nl, &r, e) == 0)
		return 0;
	if (e->num != EADDRNOTAVAIL && e->num != ENODEV)
		return -1;
	err_clear(e);
	return 0;
}

struct addr_list {
	struct nl_addr *v;
	size_t n;
	int index;
};

static void addr_reset(void *ctx)
{
	struct addr_list *l = ctx;

	l->n = 0;
}

/* IFA_LOCAL is the own address; IFA_ADDRESS is the peer's on a point-to-point link. */
static void addr_read_attrs(const struct nlmsghdr *nlh, struct nl_addr *a)
{
	const struct nlattr *attr;
	size_t want = ip_bytes(&a->addr.addr);
	bool local = false;

	mnl_attr_for_each(attr, nlh, sizeof(struct ifaddrmsg)) {
		uint16_t type = mnl_attr_get_type(attr);
		uint16_t len = mnl_attr_get_payload_len(attr);

		if (type == IFA_FLAGS && len >= 4)
			a->flags = mnl_attr_get_u32(attr);
		if (len != want || (type != IFA_LOCAL && type != IFA_ADDRESS))
			continue;
		if (type == IFA_ADDRESS && local)
			continue;
		local = type == IFA_LOCAL;
		memcpy(a->addr.addr.b, mnl_attr_get_payload(attr), want);
	}
}

static int addr_take(const struct nlmsghdr *nlh, void *ctx, struct err *e)
{
	struct addr_list *l = ctx;
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct nl_addr a = {0};

	if (nlh->nlmsg_type != RTM_NEWADDR)
		return 0;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa))
		return err_set(e, ERR_KERNEL, EBADMSG, "short address message");
	if (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6)
		return 0;
	a.index = (int)ifa->ifa_index;
	a.addr.addr.family = ifa->ifa_family;
	a.addr.prefix = ifa->ifa_prefixlen;
	a.scope = ifa->ifa_scope;
	a.flags = ifa->ifa_flags;
	if (l->index && a.index != l->index)
		return 0;
	addr_read_attrs(nlh, &a);
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = a;
	return 0;
}

int nl_addr_list(struct nl *nl, int index, struct nl_addr **out, size_t *out_n, struct err *e)
{
	struct addr_list l = {.index = index};
	struct nl_sink sink = {addr_take, addr_reset, &l};
	struct ifaddrmsg ifa = {.ifa_family = AF_UNSPEC};
	struct nl_req r;

	nl_req_init(&r, RTM_GETADDR, 0, &ifa, sizeof(ifa));
	if (nl_dump(nl, &r, &sink, e) < 0) {
		free(l.v);
		return -1;
	}
	*out = l.v;
	*out_n = l.n;
	return 0;
}
