/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys and values of the maps that the socket programs, the daemon and the plugin share.
 *
 * Addresses and ports are in network order; an IPv4 address stands as ::ffff:a.b.c.d, as sockets of both families
 * name it. No struct has a hole: a map's key is compared by its bytes.
 */
#ifndef SERVICES_DECIDE_LAYOUT_H
#define SERVICES_DECIDE_LAYOUT_H

#include <linux/types.h>

/* The number of the folder below the pins' folder: another one whenever a struct here changes. */
#define SERVICES_LAYOUT 1

#define SERVICES_MAX          65536
#define SERVICES_SLOTS_MAX    262144
#define SERVICES_PODS_MAX     16384
#define SERVICES_REVERSE_MAX  16384
#define SERVICES_AFFINITY_MAX 65536
#define SERVICES_LEARN_MAX    64
#define SERVICES_CHOICES      4 /* destinations that an unconnected socket remembers by itself */

/*
 * Where a kernel before 5.14 learns a namespace's cookie: a UDP connect() from inside to this address, the dummy
 * address of RFC 7600, is filed in the map "learn" under the socket's cookie.
 */
#define SERVICES_LEARN_ADDR 0xc0000008U
#define SERVICES_LEARN_PORT 7600

struct svc_addr {
	__u32 w[4];
};

struct svc_key {
	struct svc_addr addr;
	__u16 port;
	__u8 proto; /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 pad;
	__u32 scope; /* of the LAN that its backends are on; 0 = for everybody */
};

enum svc_flags {
	SVC_BY_HAND = 1, /* the daemon neither changes nor removes it */
	SVC_REFUSE = 2,  /* without backends: refuse, whatever the conf says */
	SVC_PASS = 4,    /* without backends: leave it to others, whatever the conf says */
};

struct svc_value {
	__u32 check; /* svc_check() of the key: memory of a removed value is used again at once */
	__u32 id;
	__u32 gen; /* of its slots */
	__u32 n;   /* slots of that generation: 0 .. n - 1 */
	__u32 affinity_s;
	__u32 flags; /* enum svc_flags */
};

struct svc_slot_key {
	__u32 id, gen, slot;
};

struct svc_slot {
	struct svc_addr addr;
	__u16 port;
	__u16 pad;
	__u32 id, gen; /* of the key, for the same reason */
};

/* That a backend is still one of its Service's. */
struct svc_live {
	struct svc_addr addr;
	__u16 port;
	__u16 pad;
	__u32 id;
};

enum svc_pod_flags {
	SVC_POD_SKIP = 1, /* nothing is translated for it */
	SVC_POD_SINGLE =
		2, /* its card is its only one: backends behind the cluster's network are none for it */
	SVC_POD_CUT = 4,     /* single, and its node is out of its reach as well */
	SVC_POD_BY_HAND = 8, /* the daemon neither changes nor removes it */
};

/* What is known of a network namespace, by its cookie. */
struct svc_pod {
	__u32 scope;             /* of its card's LAN; 0 = none */
	__u32 flags;             /* enum svc_pod_flags */
	struct svc_addr addr[2]; /* of its card, one of each family; zero = none */
	__u32 ifindex;           /* of the node's end: the veth's peer, the card's parent */
	__u8 mac[6];
	__u8 node_mac[6];
};

struct svc_choice {
	struct svc_addr service, backend;
	__u16 service_port, backend_port;
	__u32 id; /* 0 = the place is free */
};

struct svc_choices {
	struct svc_choice v[SERVICES_CHOICES];
};

/*
 * From the fifth destination of one socket on, and of every connected UDP socket: whoever ends those asks by their
 * cookies, since the kernel shows the storage of no UDP socket.
 */
struct svc_reverse_key {
	__u64 socket;
	struct svc_addr backend;
	__u16 port;
	__u16 pad[3];
};

struct svc_reverse {
	struct svc_addr service;
	__u16 port;
	__u16 pad;
	__u32 id;
};

struct svc_affinity_key {
	__u64 netns;
	__u32 id;
	__u32 pad;
};

struct svc_affinity {
	struct svc_addr backend;
	__u16 port;
	__u16 pad[3];
	__u64 used_ns; /* CLOCK_MONOTONIC */
};

enum svc_conf_flags {
	SVC_CONF_UDP = 1,    /* UDP is translated too */
	SVC_CONF_HOST = 2,   /* so is the node's own namespace */
	SVC_CONF_REFUSE = 4, /* a Service without backends is refused */
	SVC_CONF_OFF = 8,    /* nothing is translated */
};

struct svc_conf {
	__u32 flags; /* enum svc_conf_flags */
	__u32 next_id;
	__u64 host; /* cookie of the node's own namespace, where it is not the kernel's first; 0 */
	__u64 synced_s; /* wall clock of the last complete sync; 0 = none */
};

enum svc_counter {
	SVC_TRANSLATED,
	SVC_MISSED,
	SVC_REFUSED,
	SVC_FULL, /* a map had no place for what a translation has to remember: left alone */
	SVC_COUNTERS,
};

static inline __u32 svc_check(const struct svc_key *k)
{
	return k->addr.w[3] ^ k->addr.w[0] ^ k->scope * 0x9e3779b1U ^
	       ((__u32)k->port << 16 | (__u32)k->proto << 1 | 1);
}

#endif
