/* SPDX-License-Identifier: Apache-2.0 */
#include "services/pods.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/bpf/map.h"
#include "lib/nl/netns.h"
#include "meta/attachment/state.h"
#include "services/entry/entry.h"
#include "services/entry/pod.h"

/* A namespace of the map, or of a state file. */
struct known {
	uint64_t cookie;
	struct svc_pod pod;
	bool stays; /* a state file has it, or a hand has made it */
};

struct list {
	struct known *v;
	size_t n;
};

struct pods {
	char *state_dir, *dir;
	uint64_t *doubtful; /* without a state file in the last run */
	size_t n_doubtful;
};

struct pods *pods_new(const char *state_dir, const char *dir)
{
	struct pods *p = xcalloc(1, sizeof(*p));

	p->state_dir = xstrdup(state_dir);
	p->dir = xstrdup(dir);
	return p;
}

void pods_free(struct pods *p)
{
	if (!p)
		return;
	free(p->state_dir);
	free(p->dir);
	free(p->doubtful);
	free(p);
}

static int read_map(int map, struct list *out, struct err *e)
{
	uint64_t key = 0, next = 0;
	int rc = bpf_map_next(map, NULL, &next, e);

	out->v = xcalloc(SERVICES_PODS_MAX, sizeof(*out->v));
	for (; rc > 0 && out->n < SERVICES_PODS_MAX; rc = bpf_map_next(map, &key, &next, e)) {
		struct known *k = &out->v[out->n];

		key = k->cookie = next;
		rc = bpf_map_get(map, &key, &k->pod, e);
		if (rc < 0)
			return -1;
		k->stays = k->pod.flags & SVC_POD_BY_HAND;
		out->n += rc > 0;
	}
	return rc < 0 ? -1 : 0;
}

static struct known *find(const struct list *l, uint64_t cookie)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].cookie == cookie)
			return &l->v[i];
	}
	return NULL;
}

/* What the plugin does not fill in says nothing. */
static bool same(const struct svc_pod *a, const struct svc_pod *b)
{
	return a->scope == b->scope && a->flags == b->flags &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static void look(const struct pods *p, int map, struct list *l, const struct state *s)
{
	AUTO(fd) int netns = -1;
	struct known *there;
	struct svc_pod pod;
	struct err e = {0};
	uint64_t cookie = 0;

	if (!s->complete || !entry_of_state(s, &pod) || !s->netns)
		return;
	if (netns_open(s->netns, &netns, &e) < 0 || entry_cookie(netns, p->dir, &cookie, &e) < 0) {
		log_debug("a pod's namespace cannot be asked", "netns", s->netns, "error", e.msg);
		return;
	}
	there = find(l, cookie);
	if (there && !there->stays)
		there->stays = true;
	else if (there)
		return;
	if ((!there || !same(&there->pod, &pod)) && bpf_map_set(map, &cookie, &pod, &e) < 0)
		log_warn("a pod cannot be entered", "netns", s->netns, "error", e.msg);
}

static int look_at_files(const struct pods *p, int map, struct list *l, struct err *e)
{
	AUTO(state_dir_free) struct state_dir *dir = NULL;
	AUTO(closedir) DIR *d = NULL;
	AUTO(free) char *boot_id = state_boot_id();
	const struct dirent *entry;
	int fd;

	if (state_dir_open(p->state_dir, &dir, e) < 0)
		return -1;
	fd = openat(state_dir_files(dir), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return err_errno(e, ERR_IO, errno, "list the state files");
	while ((entry = readdir(d))) {
		AUTO(state_free) struct state *s = NULL;
		struct err ignored = {0};
		bool damaged = false;

		if (entry->d_name[0] != '.' &&
		    state_peek(dir, entry->d_name, &s, &damaged, &ignored) > 0 &&
		    (!s->boot_id || str_eq(s->boot_id, boot_id)))
			look(p, map, l, s);
	}
	return 0;
}

static bool was_doubtful(const struct pods *p, uint64_t cookie)
{
	for (size_t i = 0; i < p->n_doubtful; i++) {
		if (p->doubtful[i] == cookie)
			return true;
	}
	return false;
}

/* An ADD enters before its state file says that it is through: so nobody goes at first sight. */
static void take_out(struct pods *p, int map, const struct list *l)
{
	uint64_t *doubtful = xcalloc(l->n + 1, sizeof(*doubtful));
	struct err e = {0};
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		uint64_t cookie = l->v[i].cookie;

		if (l->v[i].stays)
			continue;
		if (!was_doubtful(p, cookie))
			doubtful[n++] = cookie;
		else if (bpf_map_drop(map, &cookie, &e) < 0)
			log_warn("a pod that is gone cannot be taken out", "error", e.msg);
	}
	free(p->doubtful);
	p->doubtful = doubtful;
	p->n_doubtful = n;
}

int pods_run(struct pods *p, struct err *e)
{
	struct list l = {0};
	AUTO(free) struct known *v = NULL;
	AUTO(fd) int map = -1;
	int rc = entry_map(p->dir, &map, e);

	if (rc > 0)
		rc = read_map(map, &l, e) < 0 ? -1 : 1;
	v = l.v;
	if (rc > 0)
		rc = look_at_files(p, map, &l, e) < 0 ? -1 : 1;
	if (rc > 0)
		take_out(p, map, &l);
	return rc < 0 ? -1 : 0;
}
