/* SPDX-License-Identifier: Apache-2.0 */
#include "services/entry/entry.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/auto.h"
#include "lib/base/str.h"
#include "lib/bpf/map.h"
#include "lib/nl/netns.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

struct asking {
	const char *dir;
	uint64_t cookie;
};

/* See SERVICES_LEARN_ADDR: whether there is a route to it does not matter, the program runs before. */
static int learn(int fd, struct asking *a, struct err *e)
{
	struct sockaddr_in there = {.sin_family = AF_INET,
				    .sin_port = htons(SERVICES_LEARN_PORT),
				    .sin_addr.s_addr = htonl(SERVICES_LEARN_ADDR)};
	socklen_t len = sizeof(uint64_t);
	AUTO(fd) int map = -1;
	uint64_t own = 0;
	int rc;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &own, &len) < 0)
		return err_errno(e, ERR_KERNEL, errno, "ask for a socket's cookie");
	IGNORE(connect(fd, (struct sockaddr *)&there, sizeof(there)) < 0, "mostly there is no way");
	rc = bpf_map_open(a->dir, "learn", sizeof(own), sizeof(a->cookie), &map, e);
	if (rc > 0)
		rc = bpf_map_get(map, &own, &a->cookie, e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, 0,
			       "this kernel does not tell a namespace's cookie (Linux 5.14), and "
			       "no socket program is attached that would");
	return rc < 0 ? -1 : 0;
}

static int ask(void *ctx, struct err *e)
{
	struct asking *a = ctx;
	AUTO(fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(a->cookie);

	if (fd < 0)
		return err_errno(e, ERR_KERNEL, errno, "socket");
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &a->cookie, &len) == 0)
		return 0;
	if (errno != ENOPROTOOPT)
		return err_errno(e, ERR_KERNEL, errno, "ask for a namespace's cookie");
	return learn(fd, a, e);
}

int entry_own_cookie(const char *dir, uint64_t *out, struct err *e)
{
	struct asking a = {.dir = dir};

	if (ask(&a, e) < 0)
		return -1;
	*out = a.cookie;
	return 0;
}

int entry_cookie(int netns_fd, const char *dir, uint64_t *out, struct err *e)
{
	struct asking a = {.dir = dir};

	if (netns_call(netns_fd, ask, &a, e) < 0)
		return -1;
	*out = a.cookie;
	return 0;
}

uint32_t entry_scope(const char *master, uint16_t vlan, const struct ip_net *net)
{
	struct ip_addr base = ip_net_base(net);
	uint64_t h = hash_fnv1a(HASH_FNV1A_INIT, master, strlen(master) + 1);

	h = hash_fnv1a(h, &vlan, sizeof(vlan));
	h = hash_fnv1a(h, &base, sizeof(base));
	h = hash_fnv1a(h, &net->prefix, sizeof(net->prefix));
	h ^= h >> 32;
	return (uint32_t)h ? (uint32_t)h : 1;
}

int entry_map(const char *dir, int *out_fd, struct err *e)
{
	return bpf_map_open(dir, "netns", sizeof(uint64_t), sizeof(struct svc_pod), out_fd, e);
}
