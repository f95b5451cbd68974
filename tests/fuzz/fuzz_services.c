/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision of the socket programs over maps that the bytes fill, then a row of sockets' calls. Each record is ten
 * bytes: what it is, and numbers small enough that keys meet.
 */
#include "services/decide/world_test.h"
#include "tests/fuzz/fuzz.h"

#define RECORD  10
#define SOCKETS 4

static struct world_socket sockets[SOCKETS];

static void fill(const uint8_t *b)
{
	switch (b[0] % 6) {
	case 0:
		if (world.n_services < WORLD_N && world.n_slots + b[3] % 4 <= WORLD_N &&
		    world.n_lives + b[3] % 4 <= WORLD_N) {
			struct svc_value *v = world_service(b[1] % 8U + 1,
							    b[2] & 1 ? DECIDE_TCP : DECIDE_UDP,
							    b[4] % 3U, b[3] % 4U);

			v->affinity_s = b[5] & 1 ? b[6] : 0;
			v->flags = b[7] & 7;
			v->n += b[8] & 1; /* a slot that is not there */
			v->check ^= (b[9] & 15) == 15;
		}
		return;
	case 1:
		if (world.n_pods < WORLD_N) {
			world.pods[world.n_pods].cookie = b[1] % 4;
			world.pods[world.n_pods++].pod = (struct svc_pod){
				.scope = b[2] % 3U, .flags = b[3] & 15, .addr = {world_v4(b[4])}};
		}
		return;
	case 2:
		world.conf = (struct svc_conf){.flags = b[1] & 15, .host = b[2] % 4U};
		return;
	case 3: /* a backend goes */
		if (world.n_lives)
			world.lives[b[1] % world.n_lives].id = 0;
		return;
	case 4:
		world.full = b[1] & 1;
		world.no_conf = b[1] & 2;
		world.now_ns += (uint64_t)b[2] << 28;
		return;
	default:
		if (world.n_slots)
			world.slots[b[1] % world.n_slots].v.gen = b[2];
	}
}

static void call(const uint8_t *b)
{
	struct decide_ask a = {.sk = &sockets[b[1] % SOCKETS],
			       .socket = b[1] % SOCKETS,
			       .addr = world_v4(0x0a600000 + b[2] % 9U),
			       .netns = b[3] % 4U,
			       .port = htons(80),
			       .proto = b[4] & 1 ? DECIDE_TCP : DECIDE_UDP,
			       .connects = b[5] & 1};
	struct decide_socket s = {.sk = a.sk, .cookie = a.socket};
	struct decide_answer to = {0}, service = {0};
	enum decide_verdict verdict;

	if (b[6] & 1)
		a.source = world_v4(b[7]);
	world.random = b[8] * 0x01010101U;
	verdict = decide(&a, &to);
	FUZZ_ASSERT(verdict != DECIDE_REFUSE || world.counters[SVC_REFUSED]);
	if (verdict != DECIDE_TRANSLATE)
		return;
	/* It goes to one of that Service's backends, as they were filled in, and the socket knows it by the Service. */
	FUZZ_ASSERT(to.port == htons(80) && to.addr.w[2] == htonl(0xffff) &&
		    ntohl(to.addr.w[3]) >> 16 == 0x0a00);
	FUZZ_ASSERT(world.conf.flags & SVC_CONF_UDP || a.proto == DECIDE_TCP);
	FUZZ_ASSERT(a.netns != world.conf.host || world.conf.flags & SVC_CONF_HOST);
	FUZZ_ASSERT(decide_reverse(&s, &to, &service));
	FUZZ_ASSERT(service.port == a.port && addr_eq(&service.addr, &a.addr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&world, 0, sizeof(world));
	memset(sockets, 0, sizeof(sockets));
	world.conf.flags = SVC_CONF_UDP;
	world.conf.host = 3;
	for (size_t at = 0; at + RECORD <= size; at += RECORD) {
		if (data[at] & 0x80)
			call(data + at);
		else
			fill(data + at);
	}
	return 0;
}
