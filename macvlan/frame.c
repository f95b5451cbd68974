/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/frame.h"

#include <arpa/inet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <stdint.h>
#include <string.h>

/* Fields are copied in and out: a frame has no alignment. */
struct arp_frame {
	struct ether_header eth;
	struct ether_arp arp;
} __attribute__((packed));

struct nd_frame {
	struct ether_header eth;
	struct ip6_hdr ip;
	struct nd_neighbor_solicit nd; /* an advertisement has the same shape */
} __attribute__((packed));

_Static_assert(sizeof(struct nd_frame) == FRAME_PROBE_MAX, "the longer of the two");

/* ------------------------------------------------------------------ asking */

static size_t arp_probe(const struct ip_addr *addr, const struct mac_addr *own, unsigned char *out)
{
	struct arp_frame f = {
		.eth.ether_type = htons(ETHERTYPE_ARP),
		.arp.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
			       .ar_pro = htons(ETHERTYPE_IP),
			       .ar_hln = 6,
			       .ar_pln = 4,
			       .ar_op = htons(ARPOP_REQUEST)},
	};

	memset(f.eth.ether_dhost, 0xff, 6);
	memcpy(f.eth.ether_shost, own->b, 6);
	memcpy(f.arp.arp_sha, own->b, 6);
	memcpy(f.arp.arp_tpa, addr->b, 4);
	memcpy(out, &f, sizeof(f));
	return sizeof(f);
}

struct mac_addr frame_group(const struct ip_addr *addr)
{
	return (struct mac_addr){{0x33, 0x33, 0xff, addr->b[13], addr->b[14], addr->b[15]}};
}

/* RFC 1071; n is even. */
static uint32_t sum_words(const void *data, size_t n, uint32_t sum)
{
	const unsigned char *b = data;

	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)b[i] << 8 | b[i + 1];
	return sum;
}

/* Over the pseudo-header too (RFC 8200, 8.1). */
static uint16_t nd_checksum(const struct nd_frame *f)
{
	uint32_t sum = sizeof(f->nd) + IPPROTO_ICMPV6;

	sum = sum_words((const unsigned char *)f + offsetof(struct nd_frame, ip.ip6_src), 32, sum);
	sum = sum_words((const unsigned char *)f + offsetof(struct nd_frame, nd), sizeof(f->nd),
			sum);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t) ~(sum + (sum >> 16)));
}

static size_t nd_probe(const struct ip_addr *addr, const struct mac_addr *own, unsigned char *out)
{
	static const unsigned char group[13] = {0xff, 0x02, [11] = 1, 0xff};
	struct mac_addr to = frame_group(addr);
	struct nd_frame f = {
		.eth.ether_type = htons(ETHERTYPE_IPV6),
		.ip = {.ip6_flow = htonl(6U << 28),
		       .ip6_plen = htons(sizeof(f.nd)),
		       .ip6_nxt = IPPROTO_ICMPV6,
		       .ip6_hlim = 255},
		.nd.nd_ns_type = ND_NEIGHBOR_SOLICIT,
	};

	memcpy(f.eth.ether_dhost, to.b, 6);
	memcpy(f.eth.ether_shost, own->b, 6);
	memcpy(&f.ip.ip6_dst, group, sizeof(group));
	memcpy(f.ip.ip6_dst.s6_addr + sizeof(group), addr->b + sizeof(group), 3);
	memcpy(&f.nd.nd_ns_target, addr->b, 16);
	f.nd.nd_ns_cksum = nd_checksum(&f);
	memcpy(out, &f, sizeof(f));
	return sizeof(f);
}

size_t frame_probe(const struct ip_addr *addr, const struct mac_addr *own,
		   unsigned char out[FRAME_PROBE_MAX])
{
	return addr->family == AF_INET6 ? nd_probe(addr, own, out) : arp_probe(addr, own, out);
}

/* ------------------------------------------------------------------ hearing */

static bool is_arp(const struct arp_frame *f)
{
	return f->eth.ether_type == htons(ETHERTYPE_ARP) &&
	       f->arp.ea_hdr.ar_hrd == htons(ARPHRD_ETHER) &&
	       f->arp.ea_hdr.ar_pro == htons(ETHERTYPE_IP) && f->arp.ea_hdr.ar_hln == 6 &&
	       f->arp.ea_hdr.ar_pln == 4;
}

static bool arp_rival(const unsigned char *frame, size_t n, const struct ip_addr *addr,
		      struct mac_addr *out)
{
	static const unsigned char none[4];
	struct arp_frame f;

	if (n < sizeof(f))
		return false;
	memcpy(&f, frame, sizeof(f));
	if (!is_arp(&f))
		return false;
	memcpy(out->b, f.arp.arp_sha, 6);
	if (!memcmp(f.arp.arp_spa, addr->b, 4))
		return true;
	return f.arp.ea_hdr.ar_op == htons(ARPOP_REQUEST) && !memcmp(f.arp.arp_spa, none, 4) &&
	       !memcmp(f.arp.arp_tpa, addr->b, 4);
}

/* What was routed here is not from the LAN: only hop limit 255 cannot be (RFC 4861, 3.1). */
static bool is_nd(const struct nd_frame *f)
{
	return f->eth.ether_type == htons(ETHERTYPE_IPV6) && f->ip.ip6_nxt == IPPROTO_ICMPV6 &&
	       f->ip.ip6_hlim == 255 && f->nd.nd_ns_code == 0;
}

static bool nd_rival(const unsigned char *frame, size_t n, const struct ip_addr *addr,
		     struct mac_addr *out)
{
	static const unsigned char none[16];
	struct nd_frame f;
	bool about;

	if (n < sizeof(f))
		return false;
	memcpy(&f, frame, sizeof(f));
	if (!is_nd(&f))
		return false;
	/* A probe has no option with the MAC, and an advertisement need not. */
	memcpy(out->b, f.eth.ether_shost, 6);
	about = !memcmp(&f.nd.nd_ns_target, addr->b, 16);
	if (f.nd.nd_ns_type == ND_NEIGHBOR_ADVERT)
		return about;
	if (f.nd.nd_ns_type != ND_NEIGHBOR_SOLICIT)
		return false;
	return !memcmp(&f.ip.ip6_src, addr->b, 16) || (about && !memcmp(&f.ip.ip6_src, none, 16));
}

bool frame_rival(const unsigned char *frame, size_t n, const struct ip_addr *addr,
		 const struct mac_addr *own, struct mac_addr *out)
{
	static const struct mac_addr nobody;
	struct mac_addr mac = nobody;
	bool rival = addr->family == AF_INET6 ? nd_rival(frame, n, addr, &mac)
					      : arp_rival(frame, n, addr, &mac);

	if (!rival || mac_eq(&mac, own) || mac_eq(&mac, &nobody))
		return false;
	*out = mac;
	return true;
}
