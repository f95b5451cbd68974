#include "macvlan/announce.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/auto.h"
#include "lib/nl/netns.h"

/* RFC 826 over Ethernet and IPv4. */
struct arp_frame {
	uint16_t hardware;
	uint16_t protocol;
	uint8_t hardware_len;
	uint8_t protocol_len;
	uint16_t operation;
	uint8_t sender_mac[6];
	uint8_t sender_ip[4];
	uint8_t target_mac[6];
	uint8_t target_ip[4];
} __attribute__((packed));

/* RFC 4861, 4.4 with one option, 4.6.1. */
struct na_body {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint32_t flags;
	uint8_t target[16];
	uint8_t option_type;
	uint8_t option_len; /* in units of 8 bytes */
	uint8_t option_mac[6];
} __attribute__((packed));

struct na_frame {
	struct ip6_hdr ip;
	struct na_body na;
} __attribute__((packed));

static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};

static int open_packet_socket(void *ctx, struct err *e)
{
	int *out = ctx;
	/* Protocol 0: nothing is to be received. The kernel writes the Ethernet header. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(e, ERR_KERNEL, errno, "open a packet socket");
	*out = fd;
	return 0;
}

static void make_arp(const struct mac_addr *mac, const struct ip_addr *addr, struct arp_frame *f)
{
	*f = (struct arp_frame){
		.hardware = htons(ARPHRD_ETHER),
		.protocol = htons(ETH_P_IP),
		.hardware_len = 6,
		.protocol_len = 4,
		.operation = htons(ARPOP_REQUEST),
	};
	memcpy(f->sender_mac, mac->b, 6);
	memcpy(f->sender_ip, addr->b, 4);
	memcpy(f->target_ip, addr->b, 4);
}

static uint32_t sum16(uint32_t sum, const void *p, size_t n)
{
	const uint8_t *b = p;
	size_t i;

	for (i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)b[i] << 8 | b[i + 1];
	return sum;
}

/* RFC 8200, 8.1: the sum covers a pseudo header too. */
static uint16_t na_checksum(const struct na_frame *f)
{
	uint32_t sum = sizeof(f->na) + IPPROTO_ICMPV6;

	sum = sum16(sum, &f->ip.ip6_src, 16);
	sum = sum16(sum, &f->ip.ip6_dst, 16);
	sum = sum16(sum, &f->na, sizeof(f->na));
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void make_na(const struct mac_addr *mac, const struct ip_addr *addr, struct na_frame *f)
{
	memset(f, 0, sizeof(*f));
	f->ip.ip6_flow = htonl(6U << 28);
	f->ip.ip6_plen = htons(sizeof(f->na));
	f->ip.ip6_nxt = IPPROTO_ICMPV6;
	f->ip.ip6_hlim = 255;
	memcpy(&f->ip.ip6_src, addr->b, 16);
	memcpy(&f->ip.ip6_dst, all_nodes, 16);
	f->na.type = ND_NEIGHBOR_ADVERT;
	f->na.flags = ND_NA_FLAG_OVERRIDE;
	memcpy(f->na.target, addr->b, 16);
	f->na.option_type = ND_OPT_TARGET_LINKADDR;
	f->na.option_len = 1;
	memcpy(f->na.option_mac, mac->b, 6);
	f->na.checksum = na_checksum(f);
}

static int send_frame(int fd, const struct sockaddr_ll *to, const void *frame, size_t n,
		      struct err *e)
{
	ssize_t sent;

	do
		sent = sendto(fd, frame, n, 0, (const struct sockaddr *)to, sizeof(*to));
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return err_errno(e, ERR_KERNEL, errno, "announce the address on the LAN");
	return 0;
}

int macvlan_announce(int netns_fd, int index, const struct mac_addr *mac,
		     const struct ip_addr *addr, struct err *e)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t multicast[6] = {0x33, 0x33, 0, 0, 0, 1};
	bool v4 = addr->family == AF_INET;
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(v4 ? ETH_P_ARP : ETH_P_IPV6),
		.sll_ifindex = index,
		.sll_halen = 6,
	};
	AUTO(fd) int fd = -1;
	struct arp_frame arp;
	struct na_frame na;

	if (netns_call(netns_fd, open_packet_socket, &fd, e) < 0)
		return -1;
	memcpy(to.sll_addr, v4 ? broadcast : multicast, 6);
	if (v4) {
		make_arp(mac, addr, &arp);
		return send_frame(fd, &to, &arp, sizeof(arp), e);
	}
	make_na(mac, addr, &na);
	return send_frame(fd, &to, &na, sizeof(na), e);
}
