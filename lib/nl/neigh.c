#include "lib/nl/neigh.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "lib/nl/nl.h"

static void neigh_req(struct nl_req *r, uint16_t type, uint16_t flags, int index,
		      const struct ip_addr *addr)
{
	struct ndmsg nd = {
		.ndm_family = addr->family,
		.ndm_ifindex = index,
		.ndm_state = NUD_PERMANENT,
	};

	nl_req_init(r, type, flags, &nd, sizeof(nd));
	nl_req_put(r, NDA_DST, addr->b, ip_bytes(addr));
}

int nl_neigh_set(struct nl *nl, int index, const struct ip_addr *addr, const struct mac_addr *mac,
		 struct err *e)
{
	struct nl_req r;

	neigh_req(&r, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, index, addr);
	nl_req_put(&r, NDA_LLADDR, mac->b, sizeof(mac->b));
	return nl_talk(nl, &r, e);
}

int nl_neigh_delete(struct nl *nl, int index, const struct ip_addr *addr, struct err *e)
{
	struct nl_req r;

	neigh_req(&r, RTM_DELNEIGH, 0, index, addr);
	if (nl_talk(nl, &r, e) == 0)
		return 0;
	if (e->num != ENOENT && e->num != ENODEV)
		return -1;
	err_clear(e);
	return 0;
}
