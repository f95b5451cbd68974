/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/addresses/holders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/master.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* Who has this address or MAC: mostly one, more only after a mistake. */
struct slot {
	char text[IP_ADDR_LEN];
	struct holder **holders;
	size_t n;
};

/* What one namespace has in one subnet; freed with the last. */
struct holder_share {
	char *key; /* "subnet/namespace" */
	size_t n;
};

struct holders {
	struct map addrs; /* address text -> struct slot */
	struct map macs;
	struct map shares; /* struct holder_share */
};

struct holders *holders_new(void)
{
	return xcalloc(1, sizeof(struct holders));
}

void holders_free(struct holders *all)
{
	if (!all)
		return;
	map_done(&all->addrs);
	map_done(&all->macs);
	map_done(&all->shares);
	free(all);
}

static void slot_remove(struct map *index, const char *text, const struct holder *h)
{
	struct slot *s = map_get(index, text);
	size_t to = 0;

	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		if (s->holders[i] != h)
			s->holders[to++] = s->holders[i];
	}
	s->n = to;
	if (to)
		return;
	map_remove(index, text);
	free(s->holders);
	free(s);
}

static void slot_add(struct map *index, const char *text, struct holder *h)
{
	struct slot *s = map_get(index, text);

	if (!s) {
		s = xcalloc(1, sizeof(*s));
		snprintf(s->text, sizeof(s->text), "%s", text);
		map_put(index, s->text, s);
	}
	s->holders = xreallocarray(s->holders, s->n + 1, sizeof(struct holder *));
	s->holders[s->n++] = h;
}

static void clear(struct holders *all, struct holder *h)
{
	char text[IP_ADDR_LEN];

	if (!ip_is_set(&h->addr))
		return;
	slot_remove(&all->addrs, ip_format(&h->addr, text), h);
	if (ip_is_set(&h->addr6))
		slot_remove(&all->addrs, ip_format(&h->addr6, text), h);
	slot_remove(&all->macs, mac_format(&h->mac, text), h);
	h->addr = h->addr6 = (struct ip_addr){0};
}

void holder_set(struct holders *all, struct holder *h, const struct ip_addr *addr,
		const struct ip_addr *addr6, const struct mac_addr *mac)
{
	char text[IP_ADDR_LEN];

	if (ip_eq(addr, &h->addr) && ip_eq(addr6, &h->addr6) &&
	    (!ip_is_set(addr) || mac_eq(mac, &h->mac)))
		return;
	clear(all, h);
	if (!ip_is_set(addr))
		return;
	h->addr = *addr;
	h->addr6 = *addr6;
	h->mac = *mac;
	slot_add(&all->addrs, ip_format(addr, text), h);
	if (ip_is_set(addr6))
		slot_add(&all->addrs, ip_format(addr6, text), h);
	slot_add(&all->macs, mac_format(mac, text), h);
}

void holder_count(struct holders *all, struct holder *h, const char *subnet, const char *ns)
{
	AUTO(free) char *key = subnet ? xasprintf("%s/%s", subnet, ns) : NULL;
	struct holder_share *share = h->share;

	if (share && key && str_eq(share->key, key))
		return;
	h->share = NULL;
	if (share && !--share->n) {
		map_remove(&all->shares, share->key);
		free(share->key);
		free(share);
	}
	if (!key)
		return;
	share = map_get(&all->shares, key);
	if (!share) {
		share = xcalloc(1, sizeof(*share));
		share->key = STEAL(key);
		map_put(&all->shares, share->key, share);
	}
	share->n++;
	h->share = share;
}

size_t holders_count(const struct holders *all, const char *subnet, const char *ns)
{
	AUTO(free) char *key = xasprintf("%s/%s", subnet, ns);
	const struct holder_share *share = map_get(&all->shares, key);

	return share ? share->n : 0;
}

const char *holders_each_ns(const struct holders *all, const char *subnet, size_t *pos, size_t *n)
{
	const struct holder_share *share;
	size_t len = strlen(subnet);

	while ((share = map_each(&all->shares, pos))) {
		if (strncmp(share->key, subnet, len) != 0 || share->key[len] != '/')
			continue;
		*n = share->n;
		return share->key + len + 1;
	}
	return NULL;
}

static bool is_same_wire(const struct holder *h, const struct holder_wire *in)
{
	struct holder_wire w = h->ops->wire(h);

	if (!w.subnet || !w.network || !in->network || str_eq(w.subnet, in->subnet))
		return true;
	return api_master_may_meet(w.network, in->network);
}

bool holders_addr_taken(const struct holders *all, const struct holder_wire *in,
			const struct ip_addr *addr, const char *record_uid)
{
	char text[IP_ADDR_LEN];
	const struct slot *s = map_get(&all->addrs, ip_format(addr, text));

	for (size_t i = 0; s && i < s->n; i++) {
		const struct holder *h = s->holders[i];

		if (!h->ops->bears(h, record_uid) && is_same_wire(h, in))
			return true;
	}
	return false;
}

bool holders_mac_taken(const struct holders *all, const struct mac_addr *mac,
		       const char *record_uid)
{
	char text[MAC_ADDR_LEN];
	const struct slot *s = map_get(&all->macs, mac_format(mac, text));

	for (size_t i = 0; s && i < s->n; i++) {
		if (!s->holders[i]->ops->bears(s->holders[i], record_uid))
			return true;
	}
	return false;
}
