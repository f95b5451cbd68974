/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/rule.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/nl/nl.h"

static void rule_req(struct nl_req *req, uint16_t type, uint16_t flags, const struct nl_rule *r)
{
	struct fib_rule_hdr h = {
		.family = r->family,
		.table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_UNSPEC,
		.action = FR_ACT_TO_TBL,
		.src_len = ip_is_set(&r->from.addr) ? r->from.prefix : 0,
	};
	struct ip_addr base = ip_net_base(&r->from);

	nl_req_init(req, type, flags, &h, sizeof(h));
	if (h.src_len)
		nl_req_put(req, FRA_SRC, base.b, ip_bytes(&base));
	nl_req_put_u32(req, FRA_PRIORITY, r->preference);
	nl_req_put_u32(req, FRA_TABLE, r->table);
}

int nl_rule_add(struct nl *nl, const struct nl_rule *r, struct err *e)
{
	struct nl_req req;

	rule_req(&req, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r);
	if (nl_talk(nl, &req, e) == 0)
		return 0;
	if (e->num != EEXIST)
		return -1;
	err_clear(e);
	return 0;
}

int nl_rule_delete(struct nl *nl, const struct nl_rule *r, struct err *e)
{
	struct nl_req req;

	rule_req(&req, RTM_DELRULE, 0, r);
	if (nl_talk(nl, &req, e) == 0)
		return 0;
	if (e->num != ENOENT)
		return -1;
	err_clear(e);
	return 0;
}

struct rule_list {
	struct nl_rule *v;
	size_t n;
};

static void rule_reset(void *ctx)
{
	struct rule_list *l = ctx;

	l->n = 0;
}

static void rule_read_attrs(const struct nlmsghdr *nlh, struct nl_rule *r)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct fib_rule_hdr)) {
		uint16_t len = mnl_attr_get_payload_len(attr);

		switch (mnl_attr_get_type(attr)) {
		case FRA_TABLE:
			if (len >= 4)
				r->table = mnl_attr_get_u32(attr);
			break;
		case FRA_PRIORITY:
			if (len >= 4)
				r->preference = mnl_attr_get_u32(attr);
			break;
		case FRA_SRC:
			r->from.addr.family = r->family;
			if (len == ip_bytes(&r->from.addr))
				memcpy(r->from.addr.b, mnl_attr_get_payload(attr), len);
			break;
		default:
			break;
		}
	}
}

static int rule_take(const struct nlmsghdr *nlh, void *ctx, struct err *e)
{
	struct rule_list *l = ctx;
	const struct fib_rule_hdr *h = mnl_nlmsg_get_payload(nlh);
	struct nl_rule r = {0};

	if (nlh->nlmsg_type != RTM_NEWRULE)
		return 0;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*h))
		return err_set(e, ERR_KERNEL, EBADMSG, "short rule message");
	if (h->family != AF_INET && h->family != AF_INET6)
		return 0;
	r.family = h->family;
	r.table = h->table;
	r.from.prefix = h->src_len;
	rule_read_attrs(nlh, &r);
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = r;
	return 0;
}

int nl_rule_list(struct nl *nl, struct nl_rule **out, size_t *out_n, struct err *e)
{
	struct rule_list l = {0};
	struct nl_sink sink = {rule_take, rule_reset, &l};
	struct fib_rule_hdr h = {.family = AF_UNSPEC};
	struct nl_req r;

	nl_req_init(&r, RTM_GETRULE, 0, &h, sizeof(h));
	if (nl_dump(nl, &r, &sink, e) < 0) {
		free(l.v);
		return -1;
	}
	*out = l.v;
	*out_n = l.n;
	return 0;
}
