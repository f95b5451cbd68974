/* SPDX-License-Identifier: Apache-2.0 */
#include "node/install/hostpath.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

#define LINKS_MAX 40

struct walk {
	const char *root;
	struct sb done; /* of the path, without links */
	char *rest;
	unsigned int links;
};

static void walk_done(struct walk *w)
{
	sb_done(&w->done);
	free(w->rest);
}
DEFINE_AUTO_VALUE(struct walk, walk_done)

static void cut_last(struct sb *sb)
{
	const char *slash = sb->len ? strrchr(sb->data, '/') : NULL;

	sb->len = slash ? (size_t)(slash - sb->data) : 0;
	if (sb->data)
		sb->data[sb->len] = '\0';
}

/* What the link says comes next, then the rest. */
static int follow(struct walk *w, const char *target, struct err *e)
{
	char *rest;

	if (++w->links > LINKS_MAX)
		return err_set(e, ERR_IO, ELOOP, "%s%s: too many links", w->root, sb_get(&w->done));
	if (*target == '/')
		sb_clear(&w->done);
	else
		cut_last(&w->done);
	rest = xasprintf("%s/%s", target, w->rest);
	free(w->rest);
	w->rest = rest;
	return 0;
}

static int step(struct walk *w, const char *name, struct err *e)
{
	AUTO(free) char *at = NULL;
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (!*name || str_eq(name, "."))
		return 0;
	if (str_eq(name, "..")) {
		cut_last(&w->done);
		return 0;
	}
	sb_printf(&w->done, "/%s", name);
	at = xasprintf("%s%s", w->root, sb_get(&w->done));
	if (lstat(at, &st) < 0)
		return err_errno(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s", at);
	if (!S_ISLNK(st.st_mode))
		return 0;
	n = readlink(at, target, sizeof(target) - 1);
	if (n < 0)
		return err_errno(e, ERR_IO, errno, "read the link %s", at);
	target[n] = '\0';
	return follow(w, target, e);
}

int hostpath_resolve(const char *root, const char *path, char **out, struct err *e)
{
	AUTO(walk_done)
	struct walk w = {.root = root && !str_eq(root, "/") ? root : "", .rest = xstrdup(path)};

	while (*w.rest) {
		size_t n = strcspn(w.rest, "/");
		AUTO(free) char *name = xstrndup(w.rest, n);

		memmove(w.rest, w.rest + n + (w.rest[n] == '/'),
			strlen(w.rest + n + (w.rest[n] == '/')) + 1);
		if (step(&w, name, e) < 0)
			return -1;
	}
	*out = xasprintf("%s%s", w.root, w.done.len ? sb_get(&w.done) : "/");
	return 0;
}

bool hostpath_exists(const char *root, const char *path)
{
	AUTO(free) char *at = NULL;
	struct err e = {0};

	return hostpath_resolve(root, path, &at, &e) == 0;
}
