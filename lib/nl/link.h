/* SPDX-License-Identifier: Apache-2.0 */
/* Links: what they are, made, changed and removed. */
#ifndef LIB_NL_LINK_H
#define LIB_NL_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/ip.h"
#include "lib/nl/link_type.h"

struct nl;

#define NL_ALIAS_MAX   256 /* IFALIASZ */
#define NL_ALTNAME_MAX 128 /* ALTIFNAMSIZ */

struct nl_link {
	int index;
	char name[IFNAMSIZ];
	char kind[16]; /* "veth", "macvlan", "vlan"; "" for a plain device */
	char alias[NL_ALIAS_MAX];
	uint32_t flags; /* IFF_UP and so on */
	uint32_t mtu;
	bool carrier;
	uint32_t carrier_changes; /* how often it came or went; 0 where the kernel does not count */
	int master;            /* index of the bridge, bond or VRF that it is a port of, 0 = none */
	int parent;            /* IFLA_LINK: index of the device below, 0 = none */
	bool parent_elsewhere; /* the device below is in another namespace */
	struct mac_addr mac;   /* zero where the link has none */
	uint32_t mode;         /* the kernel's number, of a type in lib/nl/link_type.h */
	uint16_t vlan_id;      /* of a vlan */
};

/** nl_ifname_ok - a name that the kernel takes: 1..15 bytes, no '/', ':' or space, not "." or "..". */
bool nl_ifname_ok(const char *name);

/** nl_link_get - by index. 1 found, 0 no such link, -1 error. */
int nl_link_get(struct nl *nl, int index, struct nl_link *out, struct err *e) FN_MUST;
/** nl_link_find - by name or alternative name. 1 found, 0 no such link, -1 error. */
int nl_link_find(struct nl *nl, const char *name, struct nl_link *out, struct err *e) FN_MUST;
/** nl_link_list - all links of the namespace; the caller frees *out. */
int nl_link_list(struct nl *nl, struct nl_link **out, size_t *out_n, struct err *e) FN_MUST;
/** nl_link_by_index - the one of that number in a list; NULL: there is none. Lent. */
const struct nl_link *nl_link_by_index(const struct nl_link *links, size_t n, int index);

struct nl_card {
	const char *name;
	int parent;   /* index in the namespace of the socket */
	int netns_fd; /* where it shall live; -1 = the namespace of the socket */
	enum nl_mode
		mode; /* and with it the type; always sent: a kernel's own default may be another */
	uint32_t mtu; /* 0 = the parent's */
	struct mac_addr
		mac; /* zero = the kernel makes one; unused where the type has none of its own */
};

/** nl_link_add_card - make one, straight in its namespace. ERR_KERNEL, EEXIST: the name is taken. */
int nl_link_add_card(struct nl *nl, const struct nl_card *c, struct err *e) FN_MUST;

/** nl_link_add_vlan - make an 802.1Q link on parent. ERR_KERNEL, EEXIST: name or id is taken. */
int nl_link_add_vlan(struct nl *nl, const char *name, int parent, uint16_t id,
		     struct err *e) FN_MUST;

/* What nl_link_set() changes in one message; zero and NULL leave alone. */
struct nl_link_change {
	const char *name;
	const char *alias;
	uint32_t mtu;
	const struct mac_addr *mac;
	uint32_t flags; /* values of those in flags_mask, IFF_UP above all */
	uint32_t flags_mask;
};

/** nl_link_set - change a link. When bringing up fails the new name may stay (kernel order). */
int nl_link_set(struct nl *nl, int index, const struct nl_link_change *c, struct err *e) FN_MUST;

struct nl_ipv4_conf {
	int id; /* IPV4_DEVCONF_* of <linux/ip.h> */
	uint32_t value;
};

/** nl_link_set_ipv4_conf - per-link IPv4 settings as in /proc/sys/net/ipv4/conf, all in one message. */
int nl_link_set_ipv4_conf(struct nl *nl, int index, const struct nl_ipv4_conf *conf, size_t n,
			  struct err *e) FN_MUST;

/** nl_link_set_no_linklocal - IPv6 addrgenmode none; success where the kernel has no IPv6. */
int nl_link_set_no_linklocal(struct nl *nl, int index, struct err *e) FN_MUST;

/** nl_link_delete - remove it; one that is gone already is a success. Waits ~17 ms in the kernel. */
int nl_link_delete(struct nl *nl, int index, struct err *e) FN_MUST;

#endif
