/* SPDX-License-Identifier: Apache-2.0 */
#include "services/entry/addr.h"

#include <arpa/inet.h>
#include <string.h>

struct svc_addr entry_addr(const struct ip_addr *a)
{
	struct svc_addr out = {{0, 0, htonl(0xffff), 0}};

	if (a->family == AF_INET6)
		memcpy(&out, a->b, sizeof(out));
	else
		memcpy(&out.w[3], a->b, 4);
	return out;
}

struct ip_addr entry_ip(const struct svc_addr *a)
{
	struct ip_addr out = {.family = AF_INET6};

	if (a->w[0] == 0 && a->w[1] == 0 && a->w[2] == htonl(0xffff)) {
		out.family = AF_INET;
		memcpy(out.b, &a->w[3], 4);
	} else {
		memcpy(out.b, a, sizeof(*a));
	}
	return out;
}
