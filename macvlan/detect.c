/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/detect.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/nl/addr.h"
#include "lib/nl/link.h"
#include "lib/nl/nl.h"
#include "macvlan/apply.h"
#include "macvlan/macvlan.h"
#include "macvlan/probe.h"

#define HELD_PAUSE_MS 5

static bool is_wanted(const struct macvlan_card *card, const struct ip_addr *a)
{
	return ip_eq(a, &card->addr.addr) || ip_eq(a, &card->addr6.addr);
}

/*
 * The node does not hear the broadcasts of the macvlans on its NIC, so it would not answer. The LAN hears it
 * answer for any address that it has, with the NIC's MAC.
 */
static int ask_node(const struct macvlan_link *l, const struct macvlan_card *card,
		    struct macvlan_rival *out, struct err *e)
{
	AUTO(nl_close) struct nl *host = NULL;
	AUTO(free) struct nl_addr *addrs = NULL;
	struct nl_link parent = {0}, holder = {0};
	size_t n = 0, i = 0;

	if (nl_open(&host, e) < 0 || nl_addr_list(host, 0, &addrs, &n, e) < 0)
		return err_wrap(e, "list the node's addresses");
	while (i < n && !is_wanted(card, &addrs[i].addr.addr))
		i++;
	if (i == n)
		return 0;
	if (nl_link_find(host, macvlan_link_parent(l), &parent, e) < 0 ||
	    nl_link_get(host, addrs[i].index, &holder, e) < 0)
		return -1;
	*out = (struct macvlan_rival){.addr = addrs[i].addr.addr, .mac = parent.mac};
	snprintf(out->link, sizeof(out->link), "%s", holder.name);
	return 1;
}

static int ask_lan(const struct macvlan_link *l, const struct macvlan_card *card, int cancel_fd,
		   struct macvlan_rival *out, struct err *e)
{
	struct probe p = {
		.netns_fd = macvlan_link_netns(l),
		.index = macvlan_link_index(l),
		.mac = macvlan_link_mac(l),
		.cancel_fd = cancel_fd,
	};
	struct probe_answer a = {0};
	int rc;

	p.addrs[p.n_addrs++] = card->addr.addr;
	if (ip_is_set(&card->addr6.addr))
		p.addrs[p.n_addrs++] = card->addr6.addr;
	rc = probe_run(&p, &a, e);
	if (rc > 0)
		*out = (struct macvlan_rival){.addr = a.addr, .mac = a.mac};
	return rc;
}

/* Whether another card on this node's NIC has the final MAC: then the kernel does not give it twice. */
static int is_held_here(struct macvlan_link *l, const struct macvlan_card *card,
			int64_t deadline_ms, struct err *e)
{
	struct mac_addr temporary = macvlan_link_mac(l);

	if (macvlan_link_set_mac(l, &card->mac, e) < 0) {
		if (e->num != EADDRINUSE)
			return -1;
		err_clear(e);
		return 1;
	}
	/* Meanwhile the next one asks, perhaps. */
	return macvlan_link_wait_mac(l, &temporary, deadline_ms, e);
}

static int pause_for(int cancel_fd, int ms, struct err *e)
{
	struct pollfd p = {.fd = cancel_fd, .events = POLLIN};

	if (poll(&p, 1, ms) > 0)
		return err_set(e, ERR_CANCELLED, 0, "stopped while waiting for a MAC");
	return 0;
}

/*
 * An answer from our own final MAC is a card of ours. One on this node is a former sandbox's that is going
 * away, and no conflict: 1 = ask again. That it has gone may show only after it has answered, so 0 is said
 * the second time only.
 */
static int ask_again(struct macvlan_link *l, const struct macvlan_card *card, bool *sure,
		     int64_t deadline_ms, struct err *e)
{
	char mac[MAC_ADDR_LEN];
	int held = is_held_here(l, card, deadline_ms, e);
	bool before = *sure;

	if (held < 0)
		return err_wrap(e, "try MAC %s", mac_format(&card->mac, mac));
	*sure = !held;
	if (!held)
		return !before;
	if (!clock_left_ms(deadline_ms))
		return err_set(e, ERR_AGAIN, EADDRINUSE,
			       "MAC %s and its address are still held on %s, by a former pod",
			       mac_format(&card->mac, mac), macvlan_link_parent(l));
	return 1;
}

static int ask_until_sure(struct macvlan_link *l, const struct macvlan_card *card,
			  const struct macvlan_patience *patience, struct macvlan_rival *out,
			  struct err *e)
{
	bool sure = false;

	for (;;) {
		int rc = ask_lan(l, card, patience->cancel_fd, out, e);

		if (rc <= 0 || !macvlan_link_is_disguised(l) || !mac_eq(&out->mac, &card->mac))
			return rc;
		rc = ask_again(l, card, &sure, patience->deadline_ms, e);
		if (rc <= 0)
			return rc < 0 ? -1 : 1;
		if (pause_for(patience->cancel_fd, HELD_PAUSE_MS, e) < 0)
			return -1;
	}
}

int macvlan_detect(struct macvlan_link *l, const struct macvlan_card *card,
		   const struct macvlan_patience *patience, struct macvlan_rival *out,
		   struct err *e)
{
	struct macvlan_rival found = {0};
	int rc = ask_node(l, card, &found, e);

	if (rc == 0 && macvlan_link_raise(l, card, patience->deadline_ms, e) < 0)
		return -1;
	if (rc == 0)
		rc = ask_until_sure(l, card, patience, &found, e);
	if (rc == 0)
		rc = macvlan_link_unmask(l, card, patience->deadline_ms, e);
	if (rc > 0)
		*out = found;
	return rc;
}
