/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/neigh.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/nl/nl.h"

static void neigh_req(struct nl_req *r, uint16_t type, struct ndmsg nd, const struct ip_addr *addr)
{
	uint16_t flags = type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_REPLACE : 0;

	nd.ndm_family = addr->family;
	nl_req_init(r, type, flags, &nd, sizeof(nd));
	nl_req_put(r, NDA_DST, addr->b, ip_bytes(addr));
}

int nl_neigh_set(struct nl *nl, int index, const struct ip_addr *addr, const struct mac_addr *mac,
		 struct err *e)
{
	struct ndmsg nd = {.ndm_ifindex = index, .ndm_state = NUD_PERMANENT};
	struct nl_req r;

	neigh_req(&r, RTM_NEWNEIGH, nd, addr);
	nl_req_put(&r, NDA_LLADDR, mac->b, sizeof(mac->b));
	return nl_talk(nl, &r, e);
}

int nl_neigh_probe(struct nl *nl, int index, const struct ip_addr *addr, struct err *e)
{
	struct ndmsg nd = {.ndm_ifindex = index, .ndm_state = NUD_NONE, .ndm_flags = NTF_USE};
	struct nl_req r;

	neigh_req(&r, RTM_NEWNEIGH, nd, addr);
	return nl_talk(nl, &r, e);
}

struct found {
	struct mac_addr mac;
	bool known;
};

static int found_take(const struct nlmsghdr *nlh, void *ctx, struct err *e)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct found *f = ctx;

	if (nlh->nlmsg_type != RTM_NEWNEIGH)
		return 0;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*nd))
		return err_set(e, ERR_KERNEL, EBADMSG, "short neighbour message");
	/* What has not answered lately may still show a MAC. */
	if (nd->ndm_state & (NUD_FAILED | NUD_INCOMPLETE))
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(*nd)) {
		if (mnl_attr_get_type(attr) != NDA_LLADDR ||
		    mnl_attr_get_payload_len(attr) != sizeof(f->mac.b))
			continue;
		memcpy(f->mac.b, mnl_attr_get_payload(attr), sizeof(f->mac.b));
		f->known = true;
	}
	return 0;
}

int nl_neigh_find(struct nl *nl, int index, const struct ip_addr *addr, struct mac_addr *out,
		  struct err *e)
{
	struct ndmsg nd = {.ndm_ifindex = index};
	struct found f = {0};
	struct nl_sink sink = {found_take, NULL, &f};
	struct nl_req r;

	neigh_req(&r, RTM_GETNEIGH, nd, addr);
	if (nl_query(nl, &r, &sink, e) < 0) {
		if (e->num != ENOENT && e->num != EOPNOTSUPP)
			return -1;
		err_clear(e);
		return 0;
	}
	if (f.known)
		*out = f.mac;
	return f.known;
}

int nl_neigh_delete(struct nl *nl, int index, const struct ip_addr *addr, struct err *e)
{
	struct ndmsg nd = {.ndm_ifindex = index};
	struct nl_req r;

	neigh_req(&r, RTM_DELNEIGH, nd, addr);
	if (nl_talk(nl, &r, e) == 0)
		return 0;
	if (e->num != ENOENT && e->num != ENODEV)
		return -1;
	err_clear(e);
	return 0;
}

struct fdb {
	int index;
	struct mac_addr *v;
	size_t n;
};

static void fdb_reset(void *ctx)
{
	struct fdb *f = ctx;

	f->n = 0;
}

static int fdb_take(const struct nlmsghdr *nlh, void *ctx, struct err *e)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct fdb *f = ctx;

	if (nlh->nlmsg_type != RTM_NEWNEIGH)
		return 0;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*nd))
		return err_set(e, ERR_KERNEL, EBADMSG, "short fdb message");
	/* Kernels differ in whether they heed the index that was asked for. */
	if (nd->ndm_ifindex != f->index || !(nd->ndm_flags & NTF_SELF))
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(*nd)) {
		if (mnl_attr_get_type(attr) != NDA_LLADDR ||
		    mnl_attr_get_payload_len(attr) != sizeof(f->v->b))
			continue;
		f->v = xreallocarray(f->v, f->n + 1, sizeof(*f->v));
		memcpy(f->v[f->n++].b, mnl_attr_get_payload(attr), sizeof(f->v->b));
	}
	return 0;
}

int nl_fdb_list(struct nl *nl, int index, struct mac_addr **out, size_t *out_n, struct err *e)
{
	struct ndmsg nd = {.ndm_family = AF_BRIDGE, .ndm_ifindex = index};
	struct fdb f = {.index = index};
	struct nl_sink sink = {fdb_take, fdb_reset, &f};
	struct nl_req r;

	nl_req_init(&r, RTM_GETNEIGH, 0, &nd, sizeof(nd));
	if (nl_dump(nl, &r, &sink, e) < 0) {
		free(f.v);
		return -1;
	}
	*out = f.v;
	*out_n = f.n;
	return 0;
}

struct neigh_list {
	int index;
	struct nl_neigh *v;
	size_t n;
};

static void list_reset(void *ctx)
{
	struct neigh_list *l = ctx;

	l->n = 0;
}

static void take_addr(const struct nlattr *attr, uint8_t family, struct ip_addr *out)
{
	*out = (struct ip_addr){.family = family};
	if ((family == AF_INET || family == AF_INET6) &&
	    mnl_attr_get_payload_len(attr) == ip_bytes(out))
		memcpy(out->b, mnl_attr_get_payload(attr), ip_bytes(out));
	else
		out->family = 0;
}

static int list_take(const struct nlmsghdr *nlh, void *ctx, struct err *e)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct neigh_list *l = ctx;
	struct nl_neigh entry = {0};

	if (nlh->nlmsg_type != RTM_NEWNEIGH)
		return 0;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*nd))
		return err_set(e, ERR_KERNEL, EBADMSG, "short neighbour message");
	if (nd->ndm_ifindex != l->index || !(nd->ndm_state & NUD_PERMANENT))
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(*nd)) {
		if (mnl_attr_get_type(attr) == NDA_DST)
			take_addr(attr, nd->ndm_family, &entry.addr);
		else if (mnl_attr_get_type(attr) == NDA_LLADDR &&
			 mnl_attr_get_payload_len(attr) == sizeof(entry.mac.b))
			memcpy(entry.mac.b, mnl_attr_get_payload(attr), sizeof(entry.mac.b));
	}
	if (!ip_is_set(&entry.addr))
		return 0;
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = entry;
	return 0;
}

int nl_neigh_list(struct nl *nl, int index, struct nl_neigh **out, size_t *out_n, struct err *e)
{
	struct ndmsg nd = {.ndm_family = AF_UNSPEC, .ndm_ifindex = index};
	struct neigh_list l = {.index = index};
	struct nl_sink sink = {list_take, list_reset, &l};
	struct nl_req r;

	nl_req_init(&r, RTM_GETNEIGH, 0, &nd, sizeof(nd));
	if (nl_dump(nl, &r, &sink, e) < 0) {
		free(l.v);
		return -1;
	}
	*out = l.v;
	*out_n = l.n;
	return 0;
}
