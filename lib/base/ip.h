/* SPDX-License-Identifier: Apache-2.0 */
/* Internet and Ethernet addresses: text <-> bytes, order and membership. No I/O. */
#ifndef LIB_BASE_IP_H
#define LIB_BASE_IP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

/* family 0 = unset. IPv4 uses the first 4 bytes, the rest is zero, so that memcmp works. */
struct ip_addr {
	uint8_t family; /* AF_INET, AF_INET6 or 0 */
	uint8_t b[16];  /* network order */
};

/* An address with a prefix length; host bits may be set ("192.168.100.50/24"). */
struct ip_net {
	struct ip_addr addr;
	uint8_t prefix;
};

struct mac_addr {
	uint8_t b[6];
};

#define IP_ADDR_LEN  INET6_ADDRSTRLEN
#define IP_NET_LEN   (INET6_ADDRSTRLEN + 4)
#define MAC_ADDR_LEN 18

/** ip_parse - a literal address without blanks, zone or leading zeros. -1 if it is not one. */
int ip_parse(const char *s, struct ip_addr *out) FN_MUST;
/** ip_net_parse - "address/prefix"; the prefix is required. -1 if it is not one. */
int ip_net_parse(const char *s, struct ip_net *out) FN_MUST;
/** ip_format, ip_net_format - the canonical text (RFC 5952 for IPv6), "" when unset. Return buf. */
char *ip_format(const struct ip_addr *a, char buf[IP_ADDR_LEN]);
char *ip_net_format(const struct ip_net *n, char buf[IP_NET_LEN]);

/** ip_is_set - the address has a family. */
bool ip_is_set(const struct ip_addr *a);
/** ip_bytes - 4 or 16. */
size_t ip_bytes(const struct ip_addr *a);
/** ip_bits - 32 or 128. */
unsigned int ip_bits(const struct ip_addr *a);
/** ip_cmp - order: IPv4 before IPv6, then numeric. */
int ip_cmp(const struct ip_addr *a, const struct ip_addr *b);
/** ip_eq - same family and bytes. */
bool ip_eq(const struct ip_addr *a, const struct ip_addr *b);
/** ip_add - *out = a + n within the family; -1 on wrap-around. */
int ip_add(const struct ip_addr *a, uint64_t n, struct ip_addr *out) FN_MUST;
/** ip_distance - b - a, UINT64_MAX when it does not fit, b is lower or families differ. */
uint64_t ip_distance(const struct ip_addr *a, const struct ip_addr *b);

/** ip_is_linklocal - in 169.254.0.0/16 or fe80::/10. */
bool ip_is_linklocal(const struct ip_addr *a);
/** ip_is_multicast - in 224.0.0.0/4 or ff00::/8, or 255.255.255.255: never a neighbour's own address. */
bool ip_is_multicast(const struct ip_addr *a);

/** ip_net_base - the network address (host bits cleared). */
struct ip_addr ip_net_base(const struct ip_net *n);
/** ip_net_last - the highest address of the network (IPv4: its broadcast address). */
struct ip_addr ip_net_last(const struct ip_net *n);
/** ip_net_has - a lies in the network. */
bool ip_net_has(const struct ip_net *n, const struct ip_addr *a);
/** ip_net_overlaps - the two networks share an address. */
bool ip_net_overlaps(const struct ip_net *a, const struct ip_net *b);
/** ip_net_eq - same network (base) and prefix; host bits do not count. */
bool ip_net_eq(const struct ip_net *a, const struct ip_net *b);
/** ip_net_host - a/32 or a/128. */
struct ip_net ip_net_host(const struct ip_addr *a);
/** ip_net_any - 0.0.0.0/0 or ::/0 of that family. */
struct ip_net ip_net_any(uint8_t family);

/** mac_parse - six pairs of hex digits with colons (or hyphens never: they separate lists). -1 if not. */
int mac_parse(const char *s, struct mac_addr *out) FN_MUST;
/** mac_format - lower case with colons. Returns buf. */
char *mac_format(const struct mac_addr *m, char buf[MAC_ADDR_LEN]);
/** mac_is_usable - unicast and not zero: what the kernel takes for a card. */
bool mac_is_usable(const struct mac_addr *m);
/** mac_is_local - locally administered unicast: no maker gives it to a machine. */
bool mac_is_local(const struct mac_addr *m);
bool mac_eq(const struct mac_addr *a, const struct mac_addr *b);

#endif
