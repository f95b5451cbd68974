/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything of tandem's out of the node, in the order in which nobody misses it: the conf, so that the primary's is the
 * first again; what the sandboxes have; the plugin; the rest.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/node.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "meta/attachment/state.h"
#include "meta/attachment/strays.h"
#include "meta/attachment/sweep.h"
#include "node/install/confs.h"
#include "node/install/hostpath.h"
#include "node/install/put.h"
#include "node/install/state.h"
#include "node/install/voice.h"

/* A verb that the runtime has just begun with our conf has its state file by then. */
#define GRACE_MS  5000
#define DEPTH_MAX 4

static const char *const logs[] = {"tandem.log", "tandem.log.1"};
static const char *const conf_files[] = {"kubeconfig", "token", "ca.crt", "masters.json"};

static void again(struct install *in)
{
	in->look_ms = clock_now_ms() + INSTALL_RETRY_MS;
}

static void waits(struct install *in, const char *why)
{
	install_state(in, API_NODE_REMOVING, "%s", why);
	again(in);
}

/* ------------------------------------------------------------------------------- folders of ours */

/* What goes with it: files and folders, no link is followed. */
static int empty_dir(int at, const char *name, unsigned int depth, struct err *e)
{
	AUTO(fd) int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO(closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *ent;
	int list;

	if (!dir)
		return errno == ENOENT ? 0 : err_errno(e, ERR_IO, errno, "open %s", name);
	list = fd_steal(&fd);
	while ((errno = 0, ent = readdir(dir))) {
		if (str_eq(ent->d_name, ".") || str_eq(ent->d_name, ".."))
			continue;
		if (unlinkat(list, ent->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR || !depth)
			return err_errno(e, ERR_IO, errno, "remove %s", ent->d_name);
		if (empty_dir(list, ent->d_name, depth - 1, e) < 0)
			return -1;
		if (unlinkat(list, ent->d_name, AT_REMOVEDIR) < 0)
			return err_errno(e, ERR_IO, errno, "remove %s", ent->d_name);
	}
	return errno ? err_errno(e, ERR_IO, errno, "list %s", name) : 0;
}

/*
 * By the path as the node names it: where it is mounted a second time, for us, it could not be taken away. Not there
 * is fine.
 */
static int remove_tree(const struct install *in, const char *path, struct err *e)
{
	AUTO(free) char *at = NULL;
	struct err none = {0};

	if (hostpath_resolve(in->env.root, path, &at, &none) < 0)
		return 0;
	if (empty_dir(AT_FDCWD, at, DEPTH_MAX, e) < 0)
		return err_wrap(e, "%s", path);
	return rmdir(at) < 0 && errno != ENOENT ? err_errno(e, ERR_IO, errno, "remove %s", path)
						: 0;
}

static int remove_files(const char *dir, const char *const files[], size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (put_remove(dir, files[i], e) < 0)
			return -1;
	}
	return 0;
}

static int remove_conf_files(const struct install *in, struct err *e)
{
	AUTO(free) char *dir = xasprintf("%s/tandem.d", in->conf_at);

	if (access(dir, F_OK) < 0)
		return 0;
	if (remove_files(dir, conf_files, ARRAY_SIZE(conf_files), e) < 0)
		return -1;
	if (rmdir(dir) < 0)
		log_warn("a folder is left, since it has files of others", "folder", dir);
	return 0;
}

static int remove_logs(const struct install *in, struct err *e)
{
	AUTO(free) char *dir = NULL;
	struct err none = {0};

	if (hostpath_resolve(in->env.root, "/var/log", &dir, &none) < 0)
		return 0;
	return remove_files(dir, logs, ARRAY_SIZE(logs), e);
}

/* ------------------------------------------------------------------------------- the conf */

/* 1: it is out, 0: another program's conf runs our plugin, -1. */
static int remove_conf(struct install *in, struct err *e)
{
	AUTO(confs_done) struct confs confs = {0};

	if (front_remove(&in->front, in->conf_at, e) < 0 || confs_read(in->conf_at, &confs, e) < 0)
		return -1;
	for (size_t i = 0; i < confs.n; i++) {
		if (!confs.v[i].runs_us)
			continue;
		install_state(in, API_NODE_REMOVING, "%s/%s runs tandem, and is not tandem's own",
			      in->platform.conf_dir, confs.v[i].name);
		return 0;
	}
	return 1;
}

/* ------------------------------------------------------------------------------- the sandboxes */

/* CRI-O ends a sandbox by the conf that it was made with, which names our plugin. */
static bool runtime_keeps_confs(const struct install *in)
{
	return hostpath_exists(in->env.root, "/run/crio/crio.sock");
}

/*
 * Without a card there is nothing that the primary's own DEL, to which the runtime turns from now on, would not end: by
 * its conf as it is now and by the result that libcni has kept under the network's name.
 */
static bool is_plain(const struct state *s)
{
	return !s->card && !s->parent && !s->host.parent;
}

/* Under the container's lock: no verb is on its way with it. */
static int end_plain(const struct state_dir *dir, const struct sweep_entry *a, struct err *e)
{
	AUTO(free) char *name = xasprintf("%s@%s", a->container_id, a->ifname);
	AUTO(state_free) struct state *s = NULL;
	AUTO(fd) int lock = -1;
	bool damaged = false;
	int rc;

	if (state_lock(dir, a->container_id, clock_now_ms(), &lock, e) < 0)
		return e->kind == ERR_AGAIN ? 0 : -1;
	rc = state_peek(dir, name, &s, &damaged, e);
	if (rc < 0)
		return -1;
	if (rc > 0 && !is_plain(s))
		return 0;
	if (state_remove(dir, a->container_id, a->ifname, e) < 0)
		return -1;
	state_unlock_remove(dir, a->container_id, &lock);
	return 0;
}

/* A damaged file says nothing, and nobody can end anything by it. */
static int end_one(const struct state_dir *dir, const struct sweep_entry *a, bool plain_too,
		   struct err *e)
{
	if (a->damaged)
		return sweep_remove_damaged(dir, a, e);
	return plain_too ? end_plain(dir, a, e) : 0;
}

/* How many are left. */
static int end_sandboxes(struct install *in, struct state_dir *dir, struct err *e)
{
	AUTO(sweep_list_done) struct sweep_list list = {0};
	bool plain_too = !runtime_keeps_confs(in);

	if (sweep_list_read(dir, &list, e) < 0)
		return -1;
	for (size_t i = 0; i < list.n; i++) {
		struct err one = {0};

		if (end_one(dir, &list.v[i], plain_too, &one) < 0)
			log_warn("a state file cannot be ended", "container",
				 list.v[i].container_id, "error", one.msg);
	}
	sweep_list_done(&list);
	if (sweep_list_read(dir, &list, e) < 0)
		return -1;
	return (int)list.n;
}

static int count_left(struct install *in, struct err *e)
{
	AUTO(state_dir_free) struct state_dir *dir = NULL;
	int left;

	if (!hostpath_exists(NULL, in->env.state_dir))
		return 0;
	if (state_dir_open(in->env.state_dir, &dir, e) < 0)
		return -1;
	left = end_sandboxes(in, dir, e);
	if (left != 0)
		return left;
	/* VLANs, hostAccess and seats that nobody is left for. */
	return strays_end(dir, e);
}

/* ------------------------------------------------------------------------------- the steps */

static int remove_rest(struct install *in, struct err *e)
{
	if (put_remove(in->bin_at, INSTALL_PLUGIN, e) < 0 || remove_conf_files(in, e) < 0 ||
	    remove_logs(in, e) < 0)
		return -1;
	return remove_tree(in, in->env.state_dir, e);
}

static void forget(struct install *in)
{
	free(STEAL(in->file));
	free(STEAL(in->network));
	in->target = (struct stamp){0};
}

static void fails(struct install *in, const struct err *e)
{
	waits(in, e->msg);
	voice_say(in->voice, VOICE_WARNING, "RemovalFailed", e->msg);
}

static const char *left_text(const struct install *in)
{
	return runtime_keeps_confs(in)
		       ? "sandboxes that were made by tandem's conf: CRI-O ends them by it"
		       : "sandboxes with cards";
}

void install_remove(struct install *in)
{
	struct err e = {0};
	int rc = remove_conf(in, &e);

	if (rc < 0) {
		fails(in, &e);
		return;
	}
	if (rc == 0) {
		again(in);
		return;
	}
	if (in->removed)
		return;
	if (!in->removing_ms) {
		in->removing_ms = clock_now_ms();
		voice_say(in->voice, VOICE_NORMAL, "Removing",
			  "tandem's conf is gone by the ConfigMap's order; the rest follows");
	}
	if (clock_now_ms() < in->removing_ms + GRACE_MS) {
		waits(in, "the runtime turns to the primary's conf");
		return;
	}
	rc = count_left(in, &e);
	if (rc < 0 || (rc == 0 && remove_rest(in, &e) < 0)) {
		fails(in, &e);
		return;
	}
	in->left = (size_t)rc;
	if (rc > 0) {
		waits(in, left_text(in));
		return;
	}
	in->removed = true;
	forget(in);
	install_state(in, API_NODE_REMOVED, "%s", "");
	voice_say(in->voice, VOICE_NORMAL, "Removed", "nothing of tandem's is left on this node");
}

/* ------------------------------------------------------------------------------- the end */

void install_end(struct install *in)
{
	AUTO(free) char *folder = NULL;
	struct err e = {0};

	if (!in || !in->removed)
		return;
	voice_end(in->voice);
	folder = xstrdup(in->env.socket);
	if (remove_tree(in, dirname(folder), &e) < 0)
		log_warn("the socket's folder is left", "error", e.msg);
}
