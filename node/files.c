/* SPDX-License-Identifier: Apache-2.0 */
#include "node/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "meta/attachment/state.h"

/* What went is remembered for its namespace alone: beyond this the oldest is forgotten. */
#define GONE_MAX 1024

static void file_free(struct node_file *file)
{
	if (!file)
		return;
	free(file->name);
	free(file->container_id);
	free(file->ifname);
	free(file->netns);
	free(file->ns);
	free(file->pod);
	free(file->uid);
	free(file->card);
	free(file->given_up);
	free(file->nic);
	free(file->parent);
	free(file);
}

void files_init(struct files *f)
{
	*f = (struct files){.boot_id = state_boot_id()};
}

void files_done(struct files *f)
{
	for (size_t i = 0; i < f->n; i++)
		file_free(f->v[i]);
	for (size_t i = 0; i < f->n_gone; i++)
		file_free(f->gone[i]);
	free(f->v);
	free(f->gone);
	free(f->boot_id);
	*f = (struct files){0};
}

static char *text_or_empty(const char *s)
{
	return xstrdup(s ? s : "");
}

static char *arg(const char *cni_args, const char *key)
{
	struct err ignored = {0};
	char *value = NULL;

	if (!cni_args || cni_args_get(cni_args, key, &value, &ignored) <= 0)
		return xstrdup("");
	return value;
}

/* The addresses that the ADD has put on the card, from the lines of macvlan/made.h. */
static void read_ips(const struct state *s, struct ip_addr out[2])
{
	AUTO(free) char *lines = text_or_empty(s->made);
	AUTO(free) char *dev = xasprintf(" dev %s", s->card ? s->card : "");
	char *save = NULL;
	size_t n = 0;

	for (char *at = strtok_r(lines, "\n", &save); at && n < 2;
	     at = strtok_r(NULL, "\n", &save)) {
		char *end = str_starts(at, "address ") ? strstr(at, dev) : NULL;
		struct ip_net net;

		if (!end || !str_eq(end, dev))
			continue;
		*end = '\0';
		if (ip_net_parse(at + strlen("address "), &net) == 0)
			out[n++] = net.addr;
	}
}

static struct node_file *file_of(const struct files *f, const struct state *s)
{
	struct node_file *file = xcalloc(1, sizeof(*file));

	file->container_id = text_or_empty(s->container_id);
	file->ifname = text_or_empty(s->ifname);
	file->netns = text_or_empty(s->netns);
	file->ns = arg(s->cni_args, "K8S_POD_NAMESPACE");
	file->pod = arg(s->cni_args, "K8S_POD_NAME");
	file->uid = s->pod_uid ? xstrdup(s->pod_uid) : arg(s->cni_args, "K8S_POD_UID");
	file->card = text_or_empty(s->card);
	file->given_up = text_or_empty(s->given_up);
	file->nic = text_or_empty(s->told_master ? s->master : NULL);
	file->parent = text_or_empty(s->parent);
	if (!s->card_mac || mac_parse(s->card_mac, &file->mac) < 0)
		file->mac = (struct mac_addr){{0}};
	read_ips(s, file->ips);
	file->complete = s->complete;
	/* Where the boot's ID cannot be read nothing is called old. */
	file->this_boot = !s->boot_id || !*f->boot_id || str_eq(s->boot_id, f->boot_id);
	return file;
}

static struct node_file *find(const struct files *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++) {
		if (str_eq(f->v[i]->name, name))
			return f->v[i];
	}
	return NULL;
}

static void append(struct node_file ***list, size_t *n, struct node_file *file)
{
	*list = xreallocarray(*list, *n + 1, sizeof(**list));
	(*list)[(*n)++] = file;
}

void files_add(struct files *f, const char *name, uint64_t stamp, const struct state *s)
{
	struct node_file *file = file_of(f, s), *old = find(f, name);

	file->name = xstrdup(name);
	file->stamp = stamp;
	file->listed = true;
	file->fresh = file->complete && (!old || !old->complete || old->fresh);
	for (size_t i = 0; old && i < f->n; i++) {
		if (f->v[i] != old)
			continue;
		file_free(old);
		f->v[i] = file;
		return;
	}
	append(&f->v, &f->n, file);
}

void files_forget(struct files *f, size_t i)
{
	file_free(f->gone[i]);
	memmove(&f->gone[i], &f->gone[i + 1], (f->n_gone - i - 1) * sizeof(struct node_file *));
	f->n_gone--;
}

/* Those that are listed no more. */
static void move_gone(struct files *f)
{
	size_t to = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct node_file *file = f->v[i];

		if (file->listed) {
			f->v[to++] = file;
			continue;
		}
		/* Without a card there is nothing to be said about it. */
		if (*file->card && file->this_boot)
			append(&f->gone, &f->n_gone, file);
		else
			file_free(file);
	}
	f->n = to;
	while (f->n_gone > GONE_MAX)
		files_forget(f, 0);
}

static void look(struct files *f, const struct state_dir *dir, const char *name, uint64_t stamp)
{
	struct node_file *known = find(f, name);
	AUTO(state_free) struct state *s = NULL;
	const struct state nothing = {0};
	struct err e = {0};
	bool damaged = false;
	int rc;

	if (known && known->stamp == stamp) {
		known->listed = true;
		return;
	}
	rc = state_peek(dir, name, &s, &damaged, &e);
	if (rc > 0)
		files_add(f, name, stamp, s);
	/* None of ours, or it went between the list and the look. */
	if (rc > 0 || (rc == 0 && !damaged))
		return;
	log_warn("state file skipped: it cannot be read", "file", name, "error",
		 damaged ? "damaged" : e.msg);
	if (!known) {
		/* It stands for nobody's attachment, and is not read again. */
		files_add(f, name, stamp, &nothing);
		return;
	}
	known->stamp = stamp;
	known->listed = true;
}

/* Another inode or time is another content: files are exchanged as a whole. */
static uint64_t stamp_of(const struct stat *st)
{
	uint64_t h = hash_fnv1a(HASH_FNV1A_INIT, &st->st_ino, sizeof(st->st_ino));

	return hash_fnv1a(h, &st->st_mtim, sizeof(st->st_mtim));
}

int files_scan(struct files *f, const struct state_dir *state, struct err *e)
{
	AUTO(fd)
	int fd = openat(state_dir_files(state), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *ent;
	struct stat st;

	if (!dir)
		return err_errno(e, ERR_IO, errno, "list the state files");
	fd_steal(&fd);
	for (size_t i = 0; i < f->n; i++)
		f->v[i]->listed = false;
	while ((errno = 0, ent = readdir(dir))) {
		if (fstatat(state_dir_files(state), ent->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			look(f, state, ent->d_name, stamp_of(&st));
	}
	if (errno)
		return err_errno(e, ERR_IO, errno, "list the state files");
	move_gone(f);
	return 0;
}

bool files_is_pod(const struct node_file *file, const char *ns, const char *pod, const char *uid)
{
	if (*file->uid)
		return str_eq(file->uid, uid);
	return str_eq(file->ns, ns) && str_eq(file->pod, pod);
}
