/* SPDX-License-Identifier: Apache-2.0 */
#include "services/card.h"

#include <netinet/in.h>
#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/ip.h"
#include "lib/nl/addr.h"
#include "lib/nl/link.h"
#include "lib/nl/nl.h"
#include "services/table/table.h"

static int find(struct nl *nl, const char *ifname, struct nl_link *out, struct err *e)
{
	const char *name = ifname ? ifname : "eth1";
	int rc = nl_link_find(nl, name, out, e);

	if (rc == 0 && !ifname)
		rc = nl_link_find(nl, name = "eth0", out, e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, 0, "the namespace has no interface %s", name);
	return rc < 0 ? -1 : 0;
}

static bool is_link_local(const struct ip_addr *a)
{
	return a->family == AF_INET6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

static void take_address(struct svc_pod *pod, const struct ip_addr *a)
{
	struct svc_addr *to = &pod->addr[a->family == AF_INET6];

	if (!is_link_local(a) && !to->w[3])
		*to = entry_addr(a);
}

static int read_inside(int netns_fd, const char *ifname, struct nl_link *out_link,
		       struct svc_pod *pod, struct err *e)
{
	AUTO(free) struct nl_addr *addrs = NULL;
	AUTO(nl_close) struct nl *nl = NULL;
	size_t n = 0;

	if (nl_open_in(netns_fd, &nl, e) < 0 || find(nl, ifname, out_link, e) < 0 ||
	    nl_addr_list(nl, out_link->index, &addrs, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		take_address(pod, &addrs[i].addr.addr);
	memcpy(pod->mac, out_link->mac.b, sizeof(pod->mac));
	return 0;
}

int card_read(int netns_fd, const char *ifname, struct svc_pod *out, struct err *e)
{
	AUTO(nl_close) struct nl *nl = NULL;
	struct svc_pod pod = *out;
	struct nl_link card, end;
	int rc;

	if (nl_open(&nl, e) < 0 || read_inside(netns_fd, ifname, &card, &pod, e) < 0)
		return -1;
	/* The link below is the node's, as a rule; of one that is in a third namespace there is nothing to say. */
	rc = card.parent ? nl_link_get(nl, card.parent, &end, e) : 0;
	if (rc < 0)
		return -1;
	if (rc > 0) {
		pod.ifindex = (uint32_t)end.index;
		memcpy(pod.node_mac, end.mac.b, sizeof(pod.node_mac));
	}
	*out = pod;
	return 0;
}
