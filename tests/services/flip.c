/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes a Service as the daemon does, quickly, for the tests:
 *
 *	flip DIR IP PORT N A:PORT B:PORT	N times from one list of backends to the other; DIR: of the pinned maps
 *	flip fill DIR N M			N Services 10.97.x.y:80, TCP, with M backends each; says how long it took
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "services/address.h"
#include "services/table/table.h"

static int fail(const struct err *e)
{
	fprintf(stderr, "flip: %s\n", e->msg);
	return 1;
}

static int flip(char **argv)
{
	AUTO(free) char *at = xasprintf("%s:%s", argv[1], argv[2]);
	AUTO(table_free) struct table *t = NULL;
	struct table_endpoint to[2];
	struct table_service s = {.proto = IPPROTO_TCP, .flags = SVC_BY_HAND, .backends = to};
	struct err e = {0};

	if (table_open(argv[0], &t, &e) < 0 || address_read(at, &s.at, NULL, &e) < 0)
		return fail(&e);
	for (long i = 0, n = strtol(argv[3], NULL, 10); i < n; i++) {
		/* A, B, both, A, B, both ... */
		s.n_backends = 1 + (i % 3 == 2);
		if (address_read(argv[4 + i % 3 % 2], &to[0], NULL, &e) < 0 ||
		    address_read(argv[5 - i % 3 % 2], &to[1], NULL, &e) < 0 ||
		    table_put(t, &s, NULL, &e) < 0)
			return fail(&e);
	}
	printf("flipped\n");
	return 0;
}

static int fill(char **argv)
{
	AUTO(free) struct table_endpoint *to = NULL;
	AUTO(table_free) struct table *t = NULL;
	struct table_service s = {.proto = IPPROTO_TCP, .at.port = 80};
	long n = strtol(argv[1], NULL, 10), full = 0;
	int64_t start = clock_now_ms();
	struct err e = {0};

	s.n_backends = strtoul(argv[2], NULL, 10);
	s.backends = to = xcalloc(s.n_backends + 1, sizeof(*to));
	if (table_open(argv[0], &t, &e) < 0)
		return fail(&e);
	for (long i = 0; i < n; i++) {
		s.at.addr = (struct ip_addr){
			AF_INET, {10, 97 + (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
		for (size_t k = 0; k < s.n_backends; k++) {
			to[k].port = (uint16_t)(8000 + k);
			to[k].addr =
				(struct ip_addr){AF_INET, {10, 42, (uint8_t)(i >> 8), (uint8_t)i}};
		}
		if (table_put(t, &s, NULL, &e) == 0)
			continue;
		if (e.num != ENOSPC)
			return fail(&e);
		full++;
		err_clear(&e);
	}
	printf("%ld full, %lld ms\n", full, (long long)(clock_now_ms() - start));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "fill") == 0)
		return fill(argv + 2);
	if (argc == 7)
		return flip(argv + 1);
	fprintf(stderr, "usage: see tests/services/flip.c\n");
	return 2;
}
