#include "lib/nl/neigh.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

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
