/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/mac.h"

#include <string.h>

#include "lib/base/str.h"

struct mac_addr ipam_mac_compute(const char *ns, const char *name, const struct ip_addr *addr,
				 unsigned int try)
{
	uint8_t tail[2] = {(uint8_t)(try >> 8), (uint8_t)try};
	uint64_t h = hash_fnv1a(HASH_FNV1A_INIT, ns, strlen(ns));
	struct mac_addr m;

	h = hash_fnv1a(h, "/", 1);
	h = hash_fnv1a(h, name, strlen(name));
	h = hash_fnv1a(h, "/", 1);
	h = hash_fnv1a(h, addr->b, ip_bytes(addr));
	h = hash_fnv1a(h, tail, sizeof(tail));
	/* FNV's low bits mix best; fold the high ones in. */
	h ^= h >> 32;
	for (int i = 0; i < 6; i++)
		m.b[i] = (uint8_t)(h >> (8 * i));
	m.b[0] = (uint8_t)((m.b[0] & 0xfc) | 0x02);
	return m;
}
