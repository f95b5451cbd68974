/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/announce.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/nl/neigh.h"
#include "lib/nl/netns.h"

int macvlan_announce_arp(struct nl *pod, int index, const struct ip_addr *addr, struct err *e)
{
	/*
	 * Asking for one's own address is "who has A, tell A" to all: the announcement. The entry
	 * goes at once, before the kernel asks again.
	 */
	if (nl_neigh_probe(pod, index, addr, e) < 0 || nl_neigh_delete(pod, index, addr, e) < 0)
		return err_wrap(e, "announce the address on the LAN");
	return 0;
}

int macvlan_announce_gateway(struct nl *pod, int index, const struct ip_addr *gateway,
			     struct err *e)
{
	/* Unlike the entry of our own address this one may stay: the pod's first packet wants it. */
	if (nl_neigh_probe(pod, index, gateway, e) < 0)
		return err_wrap(e, "ask for the gateway");
	return 0;
}

/* RFC 4861, 4.4 with one option, 4.6.1. */
struct na_frame {
	struct nd_neighbor_advert na;
	struct nd_opt_hdr option;
	uint8_t mac[6];
} __attribute__((packed));

static int open_icmp6(void *ctx, struct err *e)
{
	int *out = ctx;
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);

	if (fd < 0)
		return err_errno(e, ERR_KERNEL, errno, "open an ICMPv6 socket");
	*out = fd;
	return 0;
}

static int set_options(int fd, int index, struct err *e)
{
	/* Neighbours drop what has crossed a router: 255 shows that this has not. */
	const struct {
		int name;
		int value;
	} options[] = {
		{IPV6_MULTICAST_IF, index},
		{IPV6_MULTICAST_HOPS, 255},
		/* The address may not have left the kernel's queue for DAD yet, which it skips. */
		{IPV6_FREEBIND, 1},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (setsockopt(fd, IPPROTO_IPV6, options[i].name, &options[i].value, sizeof(int)) <
		    0)
			return err_errno(e, ERR_KERNEL, errno, "prepare an ICMPv6 socket");
	}
	return 0;
}

int macvlan_announce_na(int netns_fd, int index, const struct mac_addr *mac,
			const struct ip_addr *addr, struct err *e)
{
	struct sockaddr_in6 from = {.sin6_family = AF_INET6};
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_scope_id = (uint32_t)index};
	struct na_frame f = {.option = {ND_OPT_TARGET_LINKADDR, 1}};
	AUTO(fd) int fd = -1;
	ssize_t n;

	if (netns_call(netns_fd, open_icmp6, &fd, e) < 0 || set_options(fd, index, e) < 0)
		return -1;
	memcpy(&from.sin6_addr, addr->b, 16);
	to.sin6_addr = (struct in6_addr){{{0xff, 0x02, [15] = 1}}};
	f.na.nd_na_type = ND_NEIGHBOR_ADVERT;
	f.na.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
	memcpy(&f.na.nd_na_target, addr->b, 16);
	memcpy(f.mac, mac->b, sizeof(f.mac));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		return err_errno(e, ERR_KERNEL, errno, "use the card's IPv6 address");
	do
		n = sendto(fd, &f, sizeof(f), 0, (struct sockaddr *)&to, sizeof(to));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, ERR_KERNEL, errno, "announce the IPv6 address on the LAN");
	return 0;
}
