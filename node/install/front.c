/* SPDX-License-Identifier: Apache-2.0 */
#include "node/install/front.h"

#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "node/install/confs.h"
#include "node/install/put.h"

/* Two programs that each put their own in place do not fight all day long; five seconds are promised. */
#define RESTORE_MS 3000
#define CONF_MODE  0600
/* What Cilium adds to the names of all confs but its own, where it is told to be the only one. */
#define CILIUM_SUFFIX ".cilium_bak"

static const char *const names[] = {CONFS_OURS, CONFS_OURS_FIRST};
static const char *const leftovers[] = {CONFS_OURS CILIUM_SUFFIX, CONFS_OURS_FIRST CILIUM_SUFFIX};

void front_done(struct front *f)
{
	free(f->placed);
	free(f->text);
	free(f->moved);
	*f = (struct front){0};
}

void front_saw(struct front *f, uint32_t mask, uint32_t cookie, const char *name)
{
	if (mask & IN_MOVED_FROM && f->placed && str_eq(name, f->placed))
		f->cookie = cookie;
	if (mask & IN_MOVED_TO && cookie && cookie == f->cookie) {
		free(f->moved);
		f->moved = xstrdup(name);
		f->cookie = 0;
	}
}

/* 1 when there was one. */
static int remove_leftovers(const char *dir, struct err *e)
{
	int found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(leftovers); i++) {
		int rc = put_remove(dir, leftovers[i], e);

		if (rc < 0)
			return -1;
		found |= rc;
	}
	return found;
}

static void name_culprit(const struct front *f, const struct front_wish *wish, bool cilium,
			 struct front_result *out)
{
	const struct confs_file *now = confs_find(wish->confs, f->placed), *first = NULL;

	for (size_t i = 0; i < wish->confs->n && !first; i++) {
		if (!wish->confs->v[i].runs_us)
			first = &wish->confs->v[i];
	}
	if (cilium || (f->moved && str_ends(f->moved, CILIUM_SUFFIX)))
		snprintf(out->culprit, sizeof(out->culprit),
			 "Cilium has renamed it to %s" CILIUM_SUFFIX
			 "; set its value cni.exclusive=false",
			 f->placed);
	else if (f->moved)
		snprintf(out->culprit, sizeof(out->culprit), "it was renamed to %.200s", f->moved);
	else
		snprintf(out->culprit, sizeof(out->culprit), "it was %s%s%.160s",
			 now ? "changed" : "removed", first ? "; the first of the others is " : "",
			 first ? first->name : "");
}

static void remember(struct front *f, const char *name, const char *text)
{
	char *new_name = xstrdup(name), *new_text = xstrdup(text);

	free(f->placed);
	free(f->text);
	free(STEAL(f->moved));
	f->placed = new_name;
	f->text = new_text;
	f->missing = false;
	f->again_ms = 0;
}

/* What else there is of ours: under the other name. */
static int remove_other(const struct front_wish *wish, const char *name, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!str_eq(names[i], name) && put_remove(wish->dir, names[i], e) < 0)
			return -1;
	}
	return 0;
}

static bool must_wait(struct front *f, const struct front_wish *wish)
{
	const int64_t until = f->restored_ms + RESTORE_MS;

	if (!f->placed || confs_find(wish->confs, f->placed) || !f->restored_ms ||
	    clock_now_ms() >= until)
		return false;
	f->missing = true;
	f->again_ms = until;
	return true;
}

static void copy_name(char *to, size_t size, const struct confs_file *f)
{
	snprintf(to, size, "%s", f ? f->name : "");
}

int front_assert(struct front *f, const struct front_wish *wish, struct front_result *out,
		 struct err *e)
{
	const struct confs_file *rival = confs_before(wish->confs, CONFS_OURS, wish->with_multus);
	const char *name = rival ? CONFS_OURS_FIRST : CONFS_OURS;
	const struct put_file file = {wish->dir, name, CONF_MODE, wish->text, strlen(wish->text)};
	bool known = str_eq(f->placed, name) && str_eq(f->text, wish->text);
	int rc, cilium;

	*out = (struct front_result){0};
	copy_name(out->rival, sizeof(out->rival), rival);
	copy_name(out->before, sizeof(out->before),
		  confs_before(wish->confs, name, wish->with_multus));
	if (must_wait(f, wish))
		return 0;
	rc = put_file(&file, e);
	if (rc < 0)
		return -1;
	cilium = remove_leftovers(wish->dir, e);
	if (cilium < 0 || remove_other(wish, name, e) < 0)
		return -1;
	if (rc && known) {
		out->what = FRONT_RESTORED;
		name_culprit(f, wish, cilium, out);
		f->restored_ms = clock_now_ms();
	} else if (!known) {
		out->what = FRONT_NEW;
	}
	remember(f, name, wish->text);
	return 0;
}

int front_remove(struct front *f, const char *dir, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (put_remove(dir, names[i], e) < 0)
			return -1;
	}
	if (remove_leftovers(dir, e) < 0)
		return -1;
	front_done(f);
	return 0;
}
