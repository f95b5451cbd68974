/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/nets.h"

#include <stdlib.h>
#include <string.h>

#include "ipam/set.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"

void ipam_nets_done(struct ipam_nets *l)
{
	free(l->v);
	*l = (struct ipam_nets)IPAM_NETS_INIT;
}

void ipam_nets_add(struct ipam_nets *l, const struct ip_net *net)
{
	if (l->n == IPAM_NETS_MAX)
		return;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 8;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = (struct ip_net){ip_net_base(net), net->prefix};
}

int ipam_nets_parse(struct ipam_nets *l, const char *text, struct err *e)
{
	const char *blank = " \t\r\n";

	for (text += strspn(text, blank); *text;) {
		size_t len = strcspn(text, ","), used = len;
		char one[IP_NET_LEN] = "";
		struct ip_net net;

		while (used && strchr(blank, text[used - 1]))
			used--;
		if (used < sizeof(one))
			memcpy(one, text, used);
		if (ip_net_parse(one, &net) < 0)
			return err_set(e, ERR_CONFIG, 0, "\"%.*s\" is not a CIDR",
				       (int)(used < 64 ? used : 64), text);
		ipam_nets_add(l, &net);
		text += len;
		if (*text == ',' && !*(text += 1 + strspn(text + 1, blank)))
			return err_set(e, ERR_CONFIG, 0, "nothing stands behind the last comma");
	}
	return 0;
}

static bool contains(const struct ip_net *a, const struct ip_net *b)
{
	return a->prefix <= b->prefix && ip_net_has(a, &b->addr);
}

/* Wider ones first of those that begin together. */
static int by_place(const void *a, const void *b)
{
	const struct ip_net *x = a, *y = b;
	int order = ip_cmp(&x->addr, &y->addr);

	return order ? order : x->prefix - y->prefix;
}

/* The two halves of one network. */
static bool are_halves(const struct ip_net *a, const struct ip_net *b)
{
	struct ip_net whole = *a;

	if (!a->prefix || a->prefix != b->prefix)
		return false;
	whole.prefix--;
	whole.addr = ip_net_base(&whole);
	return ip_eq(&whole.addr, &a->addr) && ip_net_has(&whole, &b->addr);
}

/* In their order each can only be inside the last one, or be its other half. */
void ipam_nets_join(struct ipam_nets *l)
{
	size_t n = 0;

	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_place);
	for (size_t i = 0; i < l->n; i++) {
		if (n && contains(&l->v[n - 1], &l->v[i]))
			continue;
		l->v[n++] = l->v[i];
		while (n > 1 && are_halves(&l->v[n - 2], &l->v[n - 1]))
			l->v[--n - 1].prefix--;
	}
	l->n = n;
}

bool ipam_nets_widen(struct ipam_nets *l, size_t max)
{
	bool wider = false;

	for (ipam_nets_join(l); l->n > max && max > 1; ipam_nets_join(l)) {
		for (size_t i = 0; i < l->n; i++) {
			l->v[i].prefix -= l->v[i].prefix > 0;
			l->v[i].addr = ip_net_base(&l->v[i]);
		}
		wider = true;
	}
	return wider;
}

char *ipam_nets_text(const struct ipam_nets *l)
{
	AUTO(sb_done) struct sb text = SB_INIT;
	char one[IP_NET_LEN];

	for (size_t i = 0; i < l->n; i++)
		sb_printf(&text, "%s%s", i ? "," : "", ip_net_format(&l->v[i], one));
	return sb_take(&text);
}

bool ipam_nets_eq(const struct ipam_nets *a, const struct ipam_nets *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!ip_net_eq(&a->v[i], &b->v[i]))
			return false;
	}
	return true;
}

bool ipam_nets_has(const struct ipam_nets *l, const struct ip_addr *a)
{
	for (size_t i = 0; i < l->n; i++) {
		if (ip_net_has(&l->v[i], a))
			return true;
	}
	return false;
}

bool ipam_nets_covers(const struct ipam_nets *l, const struct ip_net *net)
{
	for (size_t i = 0; i < l->n; i++) {
		if (contains(&l->v[i], net))
			return true;
	}
	return false;
}

bool ipam_net_first_common(const struct ip_net *net, const struct ipam_set *set,
			   struct ip_addr *out)
{
	struct ip_addr base = ip_net_base(net), found;

	if (!ipam_set_next(set, &base, NULL, 0, &found) || !ip_net_has(net, &found))
		return false;
	*out = found;
	return true;
}
