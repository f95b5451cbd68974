/* SPDX-License-Identifier: Apache-2.0 */
#include "node/cards.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "api/ip.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/addr.h"
#include "lib/nl/link.h"
#include "lib/nl/link_type.h"
#include "lib/nl/netns.h"
#include "lib/nl/nl.h"

static struct mac_addr mac_of(const struct nl_link *links, size_t n, int index)
{
	for (size_t i = 0; i < n; i++) {
		if (links[i].index == index)
			return links[i].mac;
	}
	return (struct mac_addr){{0}};
}

/* 1 added, 0 there is no such namespace, -1. */
static int add_from(const char *path, struct cards *out, struct err *e)
{
	AUTO(nl_close) struct nl *nl = NULL;
	AUTO(free) struct nl_addr *addrs = NULL;
	AUTO(free) struct nl_link *links = NULL;
	AUTO(fd) int fd = -1;
	size_t n = 0, n_links = 0;

	if (netns_open(path, &fd, e) < 0) {
		/* EPERM: by now the path leads to the node's own, which has no cards of pods. */
		if (e->num != ENOENT && e->num != EPERM)
			return -1;
		err_clear(e);
		return 0;
	}
	if (nl_open_in(fd, &nl, e) < 0 || nl_addr_list(nl, 0, &addrs, &n, e) < 0 ||
	    nl_link_list(nl, &links, &n_links, e) < 0)
		return -1;
	out->v = xreallocarray(out->v, out->n + n + 1, sizeof(*out->v));
	for (size_t i = 0; i < n; i++)
		out->v[out->n++] = (struct cards_addr){addrs[i].addr.addr,
						       mac_of(links, n_links, addrs[i].index)};
	return 1;
}

void cards_scan(const char *dir, struct cards *out)
{
	AUTO(closedir) DIR *d = opendir(dir);
	const struct dirent *ent;

	*out = (struct cards){NULL, 0};
	while (d && (ent = readdir(d))) {
		AUTO(free) char *path = xasprintf("%s/%s", dir, ent->d_name);
		struct err e = {0};

		if (*ent->d_name != '.' && add_from(path, out, &e) < 0)
			log_debug("cannot look into the namespace", "netns", path, "error", e.msg);
	}
}

void cards_done(struct cards *c)
{
	free(c->v);
	*c = (struct cards){NULL, 0};
}

/* A rival's, by its MAC: what bears the record's, or none that is known, may be the pod's. */
static bool is_other(const struct cards_addr *a, const struct api_ip *rec)
{
	const struct mac_addr none = {{0}};

	return rec->phase == API_IP_CONFLICT && nl_link_type_get(rec->network.link_type)->own_mac &&
	       !mac_eq(&a->mac, &none) && !mac_eq(&a->mac, &rec->mac);
}

bool cards_have(const struct cards *c, const struct api_ip *rec)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct ip_addr *addr = &c->v[i].addr;

		if (!ip_eq(addr, &rec->cidr.addr) &&
		    !(ip_is_set(&rec->cidr6.addr) && ip_eq(addr, &rec->cidr6.addr)))
			continue;
		if (!is_other(&c->v[i], rec))
			return true;
	}
	return false;
}

bool cards_may_be_in(const char *path, const struct api_ip *rec)
{
	AUTO(cards_done) struct cards c = {NULL, 0};
	struct err e = {0};

	if (!*path)
		return false;
	if (add_from(path, &c, &e) < 0) {
		log_warn("cannot look into the namespace", "netns", path, "error", e.msg);
		return true;
	}
	return cards_have(&c, rec);
}

bool cards_netns_is_gone(const char *path)
{
	AUTO(free) char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	struct stat st;

	if (*path != '/' || str_starts(path, "/proc/") || slash == dir)
		return false;
	*slash = '\0';
	return lstat(path, &st) < 0 && errno == ENOENT && stat(dir, &st) == 0 &&
	       S_ISDIR(st.st_mode);
}
