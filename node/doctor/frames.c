/* SPDX-License-Identifier: Apache-2.0 */
#include "node/doctor/frames.h"

#include <arpa/inet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "macvlan/frame.h"

/* Fields are copied in and out: a frame has no alignment. */
struct option {
	uint8_t type, length;
	struct mac_addr mac;
} __attribute__((packed));

struct nd_frame {
	struct ether_header eth;
	struct ip6_hdr ip;
	struct nd_neighbor_solicit nd; /* an advertisement has the same shape */
	struct option option;
} __attribute__((packed));

struct arp_frame {
	struct ether_header eth;
	struct ether_arp arp;
} __attribute__((packed));

struct echo4 {
	struct ether_header eth;
	struct iphdr ip;
	struct icmphdr icmp;
} __attribute__((packed));

struct echo6 {
	struct ether_header eth;
	struct ip6_hdr ip;
	struct icmp6_hdr icmp;
} __attribute__((packed));

struct ip_addr frames_linklocal(const struct mac_addr *mac)
{
	struct ip_addr a = {.family = AF_INET6, .b = {0xfe, 0x80}};
	const uint8_t *m = mac->b;
	const uint8_t id[8] = {(uint8_t)(m[0] ^ 2), m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};

	memcpy(a.b + 8, id, sizeof(id));
	return a;
}

/* ------------------------------------------------------------------ sums */

/* RFC 1071. */
static uint32_t sum_words(const void *data, size_t n, uint32_t sum)
{
	const unsigned char *b = data;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)b[i] << 8 | b[i + 1];
	return n % 2 ? sum + ((uint32_t)b[n - 1] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* @packet: an IPv6 header, and n bytes of ICMPv6 behind it; over the pseudo-header too (RFC 8200, 8.1). */
static uint16_t sum6(const unsigned char *packet, size_t n)
{
	uint32_t sum = (uint32_t)n + IPPROTO_ICMPV6;

	sum = sum_words(packet + offsetof(struct ip6_hdr, ip6_src), 32, sum);
	return fold(sum_words(packet + sizeof(struct ip6_hdr), n, sum));
}

/* ------------------------------------------------------------------ asking */

static size_t solicit(const struct ip_addr *gateway, const struct mac_addr *own, unsigned char *out)
{
	static const unsigned char group[13] = {0xff, 0x02, [11] = 1, 0xff};
	const size_t n = sizeof(struct nd_frame) - offsetof(struct nd_frame, nd);
	struct ip_addr from = frames_linklocal(own);
	struct mac_addr to = frame_group(gateway);
	struct nd_frame f = {
		.eth.ether_type = htons(ETHERTYPE_IPV6),
		.ip = {.ip6_flow = htonl(6U << 28),
		       .ip6_plen = htons((uint16_t)n),
		       .ip6_nxt = IPPROTO_ICMPV6,
		       .ip6_hlim = 255},
		.nd.nd_ns_type = ND_NEIGHBOR_SOLICIT,
		.option = {ND_OPT_SOURCE_LINKADDR, 1, *own},
	};
	uint16_t sum;

	memcpy(f.eth.ether_dhost, to.b, 6);
	memcpy(f.eth.ether_shost, own->b, 6);
	memcpy(&f.ip.ip6_src, from.b, 16);
	memcpy(&f.ip.ip6_dst, group, sizeof(group));
	memcpy(f.ip.ip6_dst.s6_addr + sizeof(group), gateway->b + sizeof(group), 3);
	memcpy(&f.nd.nd_ns_target, gateway->b, 16);
	memcpy(out, &f, sizeof(f));
	sum = sum6(out + sizeof(f.eth), n);
	memcpy(out + offsetof(struct nd_frame, nd.nd_ns_hdr.icmp6_cksum), &sum, sizeof(sum));
	return sizeof(f);
}

size_t frames_ask(const struct ip_addr *gateway, const struct mac_addr *own,
		  unsigned char out[FRAMES_MAX])
{
	return gateway->family == AF_INET6 ? solicit(gateway, own, out)
					   : frame_probe(gateway, own, out);
}

/* Only who has an address says so: a probe of another node for it is none. */
static bool arp_answers(const unsigned char *frame, size_t n, const struct ip_addr *addr,
			struct mac_addr *out)
{
	struct arp_frame f;

	if (n < sizeof(f))
		return false;
	memcpy(&f, frame, sizeof(f));
	if (f.eth.ether_type != htons(ETHERTYPE_ARP) ||
	    f.arp.ea_hdr.ar_hrd != htons(ARPHRD_ETHER) ||
	    f.arp.ea_hdr.ar_pro != htons(ETHERTYPE_IP) || f.arp.ea_hdr.ar_hln != 6 ||
	    f.arp.ea_hdr.ar_pln != 4 || memcmp(f.arp.arp_spa, addr->b, 4) != 0)
		return false;
	memcpy(out->b, f.arp.arp_sha, 6);
	return true;
}

/* What was routed here is not from the LAN: only hop limit 255 cannot be (RFC 4861, 3.1). */
static bool nd_answers(const unsigned char *frame, size_t n, const struct ip_addr *addr,
		       struct mac_addr *out)
{
	const size_t short_n = offsetof(struct nd_frame, option);
	struct nd_frame f = {0};

	if (n < short_n)
		return false;
	memcpy(&f, frame, n < sizeof(f) ? short_n : sizeof(f));
	if (f.eth.ether_type != htons(ETHERTYPE_IPV6) || f.ip.ip6_nxt != IPPROTO_ICMPV6 ||
	    f.ip.ip6_hlim != 255 || f.nd.nd_ns_type != ND_NEIGHBOR_ADVERT || f.nd.nd_ns_code ||
	    memcmp(&f.nd.nd_ns_target, addr->b, 16) != 0)
		return false;
	/* Who was asked by its group says its MAC; else it is the sender's. */
	if (f.option.type == ND_OPT_TARGET_LINKADDR && f.option.length == 1)
		*out = f.option.mac;
	else
		memcpy(out->b, f.eth.ether_shost, 6);
	return true;
}

bool frames_answers(const unsigned char *frame, size_t n, const struct ip_addr *addr,
		    struct mac_addr *out)
{
	struct mac_addr mac;

	if (!(addr->family == AF_INET6 ? nd_answers(frame, n, addr, &mac)
				       : arp_answers(frame, n, addr, &mac)) ||
	    !mac_is_usable(&mac))
		return false;
	*out = mac;
	return true;
}

bool frames_is_for(const unsigned char *frame, size_t n, const struct mac_addr *mac)
{
	struct arp_frame f;

	if (n >= sizeof(struct ether_header) && !memcmp(frame, mac->b, 6))
		return true;
	if (n < sizeof(f))
		return false;
	memcpy(&f, frame, sizeof(f));
	return f.eth.ether_type == htons(ETHERTYPE_ARP) &&
	       f.arp.ea_hdr.ar_op == htons(ARPOP_REPLY) && !memcmp(f.arp.arp_tha, mac->b, 6);
}

/* ------------------------------------------------------------------ an echo */

static void echo4_write(const struct frames_echo *q, unsigned char *out)
{
	const size_t n = q->size - sizeof(struct iphdr);
	struct echo4 f = {
		.eth.ether_type = htons(ETHERTYPE_IP),
		.ip = {.version = 4,
		       .ihl = 5,
		       .tot_len = htons((uint16_t)q->size),
		       .id = htons(q->seq),
		       .frag_off = htons(IP_DF),
		       .ttl = 1,
		       .protocol = IPPROTO_ICMP},
		.icmp = {.type = ICMP_ECHO,
			 .un.echo = {.id = htons(q->id), .sequence = htons(q->seq)}},
	};
	uint16_t sum;

	memcpy(f.eth.ether_dhost, q->to_mac.b, 6);
	memcpy(f.eth.ether_shost, q->from_mac.b, 6);
	memcpy(&f.ip.saddr, q->from.b, 4);
	memcpy(&f.ip.daddr, q->to.b, 4);
	memcpy(out, &f, sizeof(f));
	sum = fold(sum_words(out + sizeof(f.eth), sizeof(f.ip), 0));
	memcpy(out + offsetof(struct echo4, ip.check), &sum, sizeof(sum));
	sum = fold(sum_words(out + offsetof(struct echo4, icmp), n, 0));
	memcpy(out + offsetof(struct echo4, icmp.checksum), &sum, sizeof(sum));
}

static void echo6_write(const struct frames_echo *q, unsigned char *out)
{
	const size_t n = q->size - sizeof(struct ip6_hdr);
	struct echo6 f = {
		.eth.ether_type = htons(ETHERTYPE_IPV6),
		.ip = {.ip6_flow = htonl(6U << 28),
		       .ip6_plen = htons((uint16_t)n),
		       .ip6_nxt = IPPROTO_ICMPV6,
		       .ip6_hlim = 1},
		.icmp = {.icmp6_type = ICMP6_ECHO_REQUEST},
	};
	uint16_t sum;

	f.icmp.icmp6_id = htons(q->id);
	f.icmp.icmp6_seq = htons(q->seq);
	memcpy(f.eth.ether_dhost, q->to_mac.b, 6);
	memcpy(f.eth.ether_shost, q->from_mac.b, 6);
	memcpy(&f.ip.ip6_src, q->from.b, 16);
	memcpy(&f.ip.ip6_dst, q->to.b, 16);
	memcpy(out, &f, sizeof(f));
	sum = sum6(out + sizeof(f.eth), n);
	memcpy(out + offsetof(struct echo6, icmp.icmp6_cksum), &sum, sizeof(sum));
}

static bool is6(const struct frames_echo *q)
{
	return q->to.family == AF_INET6;
}

size_t frames_echo(const struct frames_echo *q, unsigned char out[FRAMES_MAX])
{
	const size_t head = sizeof(struct ether_header);
	size_t least = is6(q) ? sizeof(struct echo6) : sizeof(struct echo4);

	if (q->size + head < least || q->size + head > FRAMES_MAX)
		return 0;
	memset(out, 0, q->size + head);
	if (is6(q))
		echo6_write(q, out);
	else
		echo4_write(q, out);
	return q->size + head;
}

static bool is_reply4(const unsigned char *frame, size_t n, const struct frames_echo *q)
{
	struct echo4 f;

	if (n < sizeof(f))
		return false;
	memcpy(&f, frame, sizeof(f));
	return f.eth.ether_type == htons(ETHERTYPE_IP) && f.ip.version == 4 && f.ip.ihl == 5 &&
	       f.ip.protocol == IPPROTO_ICMP && !(f.ip.frag_off & htons(IP_MF | IP_OFFMASK)) &&
	       ntohs(f.ip.tot_len) == q->size && f.icmp.type == ICMP_ECHOREPLY &&
	       f.icmp.un.echo.id == htons(q->id) && f.icmp.un.echo.sequence == htons(q->seq) &&
	       !memcmp(&f.ip.saddr, q->to.b, 4);
}

static bool is_reply6(const unsigned char *frame, size_t n, const struct frames_echo *q)
{
	struct echo6 f;

	if (n < sizeof(f))
		return false;
	memcpy(&f, frame, sizeof(f));
	return f.eth.ether_type == htons(ETHERTYPE_IPV6) && f.ip.ip6_nxt == IPPROTO_ICMPV6 &&
	       ntohs(f.ip.ip6_plen) + sizeof(f.ip) == q->size &&
	       f.icmp.icmp6_type == ICMP6_ECHO_REPLY && f.icmp.icmp6_id == htons(q->id) &&
	       f.icmp.icmp6_seq == htons(q->seq) && !memcmp(&f.ip.ip6_src, q->to.b, 16);
}

bool frames_is_reply(const unsigned char *frame, size_t n, const struct frames_echo *q)
{
	return is6(q) ? is_reply6(frame, n, q) : is_reply4(frame, n, q);
}

/* ------------------------------------------------------------------ others */

bool frames_is_others(const unsigned char *frame, size_t n, const struct mac_addr *own,
		      size_t n_own)
{
	/* What no switch passes on (802.1Q, 8.6.3): STP, LLDP. */
	static const unsigned char reserved[5] = {0x01, 0x80, 0xc2, 0, 0};
	struct mac_addr from;

	if (n < sizeof(struct ether_header) ||
	    (!memcmp(frame, reserved, sizeof(reserved)) && frame[5] < 0x10))
		return false;
	memcpy(from.b, frame + 6, 6);
	if (!mac_is_usable(&from))
		return false;
	for (size_t i = 0; i < n_own; i++) {
		if (mac_eq(&from, &own[i]))
			return false;
	}
	return true;
}
