/* SPDX-License-Identifier: Apache-2.0 */
/* The maps as short arrays, for the table of tests and the fuzzer: what decide.h looks into. */
#ifndef SERVICES_DECIDE_WORLD_TEST_H
#define SERVICES_DECIDE_WORLD_TEST_H

#include <netinet/in.h>
#include <string.h>

#include "services/decide/decide.h"

#define WORLD_N 64

struct world_socket {
	struct svc_choices choices;
	bool made;
};

static struct world {
	struct svc_conf conf;
	bool no_conf;
	struct {
		__u64 cookie;
		struct svc_pod pod;
	} pods[WORLD_N];
	struct {
		struct svc_key k;
		struct svc_value v;
	} services[WORLD_N];
	struct {
		struct svc_slot_key k;
		struct svc_slot v;
	} slots[WORLD_N];
	struct svc_live lives[WORLD_N];
	struct {
		struct svc_affinity_key k;
		struct svc_affinity v;
	} affinities[WORLD_N];
	struct {
		struct svc_reverse_key k;
		struct svc_reverse v;
	} reverses[WORLD_N];
	size_t n_pods, n_services, n_slots, n_lives, n_affinities, n_reverses;
	bool full; /* maps take nothing more */
	__u64 now_ns;
	__u32 random;
	__u64 counters[SVC_COUNTERS];
	/* Called at each look for a Service: what happens meanwhile. */
	void (*meanwhile)(void);
} world;

#define WORLD_FIND(list, n, key)                                           \
	for (size_t i = 0; i < (n); i++) {                                 \
		if (memcmp(&(list)[i].k, (key), sizeof((list)[i].k)) == 0) \
			return &(list)[i].v;                               \
	}                                                                  \
	return NULL

/* Sets an entry, or makes it. */
#define WORLD_KEEP(list, n, key, value)                                          \
	do {                                                                     \
		size_t at = 0;                                                   \
                                                                                 \
		while (at < (n) && memcmp(&(list)[at].k, (key), sizeof(*(key)))) \
			at++;                                                    \
		if (at == WORLD_N)                                               \
			return false;                                            \
		(list)[at].k = *(key);                                           \
		(list)[at].v = *(value);                                         \
		(n) += at == (n);                                                \
	} while (0)

DECIDE_INLINE const struct svc_conf *look_conf(void)
{
	return world.no_conf ? NULL : &world.conf;
}

DECIDE_INLINE const struct svc_pod *look_pod(__u64 netns)
{
	for (size_t i = 0; i < world.n_pods; i++) {
		if (world.pods[i].cookie == netns)
			return &world.pods[i].pod;
	}
	return NULL;
}

static inline const struct svc_value *world_find_service(const struct svc_key *k)
{
	WORLD_FIND(world.services, world.n_services, k);
}

DECIDE_INLINE const struct svc_value *look_service(const struct svc_key *k)
{
	const struct svc_value *v = world_find_service(k);
	static struct svc_value seen;

	if (!v)
		return NULL;
	seen = *v;
	if (world.meanwhile)
		world.meanwhile();
	return &seen;
}

DECIDE_INLINE const struct svc_slot *look_slot(const struct svc_slot_key *k)
{
	WORLD_FIND(world.slots, world.n_slots, k);
}

DECIDE_INLINE bool look_live(const struct svc_live *k)
{
	for (size_t i = 0; i < world.n_lives; i++) {
		if (memcmp(&world.lives[i], k, sizeof(*k)) == 0)
			return true;
	}
	return false;
}

DECIDE_INLINE const struct svc_affinity *look_affinity(const struct svc_affinity_key *k)
{
	WORLD_FIND(world.affinities, world.n_affinities, k);
}

DECIDE_INLINE bool keep_affinity(const struct svc_affinity_key *k, const struct svc_affinity *v)
{
	if (world.full)
		return false;
	WORLD_KEEP(world.affinities, world.n_affinities, k, v);
	return true;
}

DECIDE_INLINE struct svc_choices *look_choices(void *sk, bool make)
{
	struct world_socket *s = sk;

	if (!s || (!s->made && (!make || world.full)))
		return NULL;
	s->made = true;
	return &s->choices;
}

DECIDE_INLINE const struct svc_reverse *look_reverse(const struct svc_reverse_key *k)
{
	WORLD_FIND(world.reverses, world.n_reverses, k);
}

DECIDE_INLINE bool keep_reverse(const struct svc_reverse_key *k, const struct svc_reverse *v)
{
	if (world.full)
		return false;
	WORLD_KEEP(world.reverses, world.n_reverses, k, v);
	return true;
}

DECIDE_INLINE void drop_reverse(const struct svc_reverse_key *k)
{
	for (size_t i = 0; i < world.n_reverses; i++) {
		if (memcmp(&world.reverses[i].k, k, sizeof(*k)) == 0)
			world.reverses[i] = world.reverses[--world.n_reverses];
	}
}

DECIDE_INLINE __u64 look_now_ns(void)
{
	return world.now_ns;
}

DECIDE_INLINE __u32 look_random(void)
{
	return world.random;
}

DECIDE_INLINE void count(enum svc_counter what)
{
	world.counters[what]++;
}

/* ------------------------------------------------------------------------------- filling it */
static inline struct svc_addr world_v4(__u32 host_order)
{
	return (struct svc_addr){{0, 0, htonl(0xffff), htonl(host_order)}};
}

/* n backends 10.0.<id>.<first> and up, port 80, in generation gen. */
static inline void world_backends(__u32 id, __u32 gen, __u32 first, __u32 n)
{
	for (__u32 i = 0; i < n; i++) {
		struct svc_addr addr = world_v4(0x0a000000 + (id << 8) + first + i);
		struct svc_live live = {.addr = addr, .port = htons(80), .id = id};

		world.slots[world.n_slots].k =
			(struct svc_slot_key){.id = id, .gen = gen, .slot = i};
		world.slots[world.n_slots++].v =
			(struct svc_slot){.addr = addr, .port = htons(80), .id = id, .gen = gen};
		if (!look_live(&live))
			world.lives[world.n_lives++] = live;
	}
}

/* 10.96.0.<id>:80, TCP and UDP alike: returns its value. */
static inline struct svc_value *world_service(__u32 id, __u8 proto, __u32 scope, __u32 n)
{
	struct svc_key k = {.addr = world_v4(0x0a600000 + (id & 0xff)),
			    .port = htons(80),
			    .proto = proto,
			    .scope = scope};
	struct svc_value v = {.check = svc_check(&k), .id = id, .gen = 1, .n = n};

	world.services[world.n_services].k = k;
	world.services[world.n_services].v = v;
	world_backends(id, 1, 1, n);
	return &world.services[world.n_services++].v;
}

#endif
