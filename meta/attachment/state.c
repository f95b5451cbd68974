/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/attachment/state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "meta/attachment/state_priv.h"
#include "meta/attachment/sweep.h"

#define MAGIC "tandem-state 1"
/* A conf of 1 MiB may double when it is escaped, and results come on top. */
#define STATE_MAX     (16UL * 1024 * 1024)
#define PLUGINS_MAX   64
#define LOCK_NAP_MS   2
#define DELEGATE_COPY "delegate.json"

void state_host_clear(struct state_host *h)
{
	free(h->parent);
	free(h->device);
	free(h->addrs[0]);
	free(h->addrs[1]);
	*h = (struct state_host){0};
}

void state_free(struct state *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->n_plugin_results; i++)
		free(s->plugin_results[i]);
	free(s->plugin_results);
	free(s->container_id);
	free(s->ifname);
	free(s->netns);
	free(s->cni_args);
	free(s->pod_uid);
	free(s->given_up);
	free(s->cni_version);
	free(s->network);
	free(s->delegate);
	free(s->runtime_config);
	free(s->result);
	free(s->card);
	free(s->card_mac);
	free(s->made);
	free(s->parent);
	free(s->master);
	free(s->told_master);
	free(s->link);
	free(s->mode);
	free(s->boot_id);
	state_host_clear(&s->host);
	free(s);
}

/* Made when it is missing; that is once in a node's life, so opening comes first. */
static int open_sub(const char *dir, const char *sub, int *out, struct err *e)
{
	AUTO(free) char *path = xasprintf("%s%s%s", dir, *sub ? "/" : "", sub);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		if (io_mkdirs(path, 0700, e) < 0)
			return -1;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "open %s", path);
	*out = fd;
	return 0;
}

int state_dir_open(const char *dir, struct state_dir **out, struct err *e)
{
	AUTO(state_dir_free) struct state_dir *d = xmalloc(sizeof(*d));

	*d = (struct state_dir){-1, -1, -1, -1, -1};
	if (open_sub(dir, "", &d->top, e) < 0 ||
	    open_sub(dir, STATE_ATTACHMENTS, &d->attachments, e) < 0 ||
	    open_sub(dir, "locks", &d->locks, e) < 0 || open_sub(dir, "hints", &d->hints, e) < 0)
		return err_wrap(e, "state directory");
	*out = STEAL(d);
	return 0;
}

void state_dir_free(struct state_dir *d)
{
	if (!d)
		return;
	fd_auto(&d->top);
	fd_auto(&d->attachments);
	fd_auto(&d->locks);
	fd_auto(&d->hints);
	free(d);
}

int state_dir_writable(const struct state_dir *d, struct err *e)
{
	if (faccessat(d->attachments, ".", W_OK, 0) < 0 || faccessat(d->locks, ".", W_OK, 0) < 0)
		return err_errno(e, ERR_IO, errno, "state directory");
	return 0;
}

void state_dir_set_stop_fd(struct state_dir *d, int fd)
{
	d->stop_fd = fd;
}

int state_dir_fd(const struct state_dir *d)
{
	return d->top;
}

/* A lock is held for milliseconds, so short naps are enough. */
int state_flock_until(int fd, int64_t deadline_ms, int stop_fd)
{
	struct pollfd stop = {stop_fd, POLLIN, 0};

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		if (!clock_left_ms(deadline_ms)) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (poll(&stop, 1, LOCK_NAP_MS) > 0) {
			errno = ECANCELED;
			return -1;
		}
	}
	return 0;
}

/* The file of that name below locks/; what says in errors whose it is. */
static int lock_file(const struct state_dir *d, const char *name, const char *what,
		     int64_t deadline_ms, int *out_fd, struct err *e)
{
	for (;;) {
		AUTO(fd)
		int fd = openat(d->locks, name,
				O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
				0600);
		struct stat ours, there;

		if (fd < 0)
			return err_errno(e, ERR_IO, errno, "open lock of %s", what);
		if (state_flock_until(fd, deadline_ms, d->stop_fd) < 0) {
			if (errno == ETIMEDOUT)
				return err_set(e, ERR_AGAIN, 0,
					       "another call for %s is still running", what);
			return err_errno(e, errno == ECANCELED ? ERR_CANCELLED : ERR_IO, errno,
					 "lock %s", what);
		}
		/* The holder before us may have removed the file while we waited for it. */
		if (fstat(fd, &ours) == 0 &&
		    fstatat(d->locks, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		    ours.st_ino == there.st_ino && ours.st_dev == there.st_dev) {
			*out_fd = fd_steal(&fd);
			return 0;
		}
	}
}

int state_lock(const struct state_dir *d, const char *container_id, int64_t deadline_ms,
	       int *out_fd, struct err *e)
{
	AUTO(free) char *what = xasprintf("container %s", container_id);

	return lock_file(d, container_id, what, deadline_ms, out_fd, e);
}

void state_unlock_remove(const struct state_dir *d, const char *container_id, int *fd)
{
	unlinkat(d->locks, container_id, 0);
	fd_auto(fd);
	*fd = -1;
}

/* '@' cannot stand in a container ID. A link's name has no '/'. */
static char *parent_lock_name(const char *parent)
{
	return xasprintf(STATE_PARENT_LOCK "%s", parent);
}

int state_lock_parent(const struct state_dir *d, const char *parent, int64_t deadline_ms,
		      int *out_fd, struct err *e)
{
	AUTO(free) char *name = parent_lock_name(parent);
	AUTO(free) char *what = xasprintf("link %s", parent);

	return lock_file(d, name, what, deadline_ms, out_fd, e);
}

void state_unlock_parent(const struct state_dir *d, const char *parent, int *fd)
{
	AUTO(free) char *name = parent_lock_name(parent);

	state_unlock_remove(d, name, fd);
}

char *state_file_name(const char *container_id, const char *ifname)
{
	return xasprintf("%s@%s", container_id, ifname);
}

/* The first line: format, length and checksum of all that follows. */
static void add_header(struct sb *out, const struct sb *body)
{
	sb_printf(out, "%s %zu %016llx\n", MAGIC, body->len,
		  (unsigned long long)hash_fnv1a(HASH_FNV1A_INIT, body->data, body->len));
}

static const char *check_header(const char *text, size_t len, size_t *body_len)
{
	AUTO(sb_done) struct sb want = SB_INIT;
	const char *nl = memchr(text, '\n', len);
	struct sb body = SB_INIT;

	if (!nl)
		return NULL;
	body.data = (char *)nl + 1;
	body.len = len - (size_t)(nl + 1 - text);
	add_header(&want, &body);
	if (want.len != (size_t)(nl + 1 - text) || memcmp(want.data, text, want.len) != 0)
		return NULL;
	*body_len = body.len;
	return body.data;
}

static void write_host(struct jw *w, const struct state_host *h)
{
	size_t i;

	if (!h->parent)
		return;
	jw_kv_obj(w, "hostAccess");
	jw_kv_str(w, "parent", h->parent);
	jw_kv_str(w, "device", h->device);
	jw_kv_arr(w, "addresses");
	for (i = 0; i < ARRAY_SIZE(h->addrs); i++) {
		if (h->addrs[i])
			jw_str(w, h->addrs[i]);
	}
	jw_end(w);
	jw_end(w);
}

static void write_body(struct sb *sb, const struct state *s)
{
	struct jw w = jw_init(sb);
	size_t i;

	jw_obj(&w);
	jw_kv_str(&w, "containerID", s->container_id);
	jw_kv_str(&w, "ifname", s->ifname);
	jw_kv_opt(&w, "netns", s->netns);
	jw_kv_opt(&w, "cniArgs", s->cni_args);
	jw_kv_opt(&w, "podUID", s->pod_uid);
	jw_kv_opt(&w, "givenUp", s->given_up);
	jw_kv_opt(&w, "cniVersion", s->cni_version);
	jw_kv_opt(&w, "network", s->network);
	jw_kv_opt(&w, "bootID", s->boot_id);
	jw_kv_bool(&w, "complete", s->complete);
	jw_kv_opt(&w, "card", s->card);
	jw_kv_opt(&w, "cardMAC", s->card_mac);
	write_host(&w, &s->host);
	jw_kv_opt(&w, "made", s->made);
	jw_kv_opt(&w, "parent", s->parent);
	jw_kv_opt(&w, "master", s->master);
	jw_kv_opt(&w, "toldMaster", s->told_master);
	if (s->vlan)
		jw_kv_i64(&w, "vlan", s->vlan);
	jw_kv_opt(&w, "link", s->link);
	jw_kv_opt(&w, "mode", s->mode);
	if (s->missing_since)
		jw_kv_i64(&w, "missingSince", s->missing_since);
	/* As strings, so that every byte comes back as it was. */
	jw_kv_opt(&w, "delegate", s->delegate);
	jw_kv_opt(&w, "runtimeConfig", s->runtime_config);
	jw_kv_opt(&w, "result", s->result);
	jw_kv_arr(&w, "pluginResults");
	for (i = 0; i < s->n_plugin_results; i++)
		jw_str(&w, s->plugin_results[i]);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
}

int state_save(const struct state_dir *d, const struct state *s, struct err *e)
{
	AUTO(free) char *name = state_file_name(s->container_id, s->ifname);
	AUTO(free) char *temp = xasprintf("%s" STATE_TEMP, name);
	AUTO(sb_done) struct sb body = SB_INIT, whole = SB_INIT;

	write_body(&body, s);
	add_header(&whole, &body);
	sb_add(&whole, body.data, body.len);
	struct io_place place = {d->attachments, temp, name, 0600};

	if (io_place_file(&place, whole.data, whole.len, e) < 0)
		return err_wrap(e, "state file");
	return 0;
}

static int read_str(const struct jval *root, const char *key, char **out, struct err *e)
{
	const char *s = NULL;
	int r = jget_str(root, key, &s, e);

	if (r > 0)
		*out = xstrdup(s);
	return r < 0 ? -1 : 0;
}

static int read_results(const struct jval *root, struct state *s, struct err *e)
{
	struct jval arr, v;
	struct jiter it;
	int r = jget_arr(root, "pluginResults", &arr, e);

	if (r <= 0)
		return r;
	s->plugin_results = xcalloc(PLUGINS_MAX, sizeof(*s->plugin_results));
	for (it = jiter_of(&arr); s->n_plugin_results < PLUGINS_MAX && jiter_next(&it, &v);) {
		const char *text = NULL;

		if (jas_str(&v, &text, e) < 0)
			return -1;
		s->plugin_results[s->n_plugin_results++] = xstrdup(text);
	}
	return 0;
}

/* Absent in files of pods without, and in those that an older tandem wrote. */
static int read_host(const struct jval *root, struct state_host *h, struct err *e)
{
	struct jval host, addrs, v;
	struct jiter it;
	size_t n = 0;
	int r = jget_obj(root, "hostAccess", &host, e);

	if (r <= 0)
		return r;
	if (read_str(&host, "parent", &h->parent, e) < 0 ||
	    read_str(&host, "device", &h->device, e) < 0 ||
	    jneed_arr(&host, "addresses", &addrs, e) < 0)
		return -1;
	for (it = jiter_of(&addrs); n < ARRAY_SIZE(h->addrs) && jiter_next(&it, &v);) {
		const char *text = NULL;

		if (jas_str(&v, &text, e) < 0)
			return -1;
		h->addrs[n++] = xstrdup(text);
	}
	if (!h->parent || !h->device)
		return jerr(&host, NULL, e, ERR_DECODE, "no parent or device");
	return 0;
}

static int decode(const char *what, const char *text, size_t len, struct state **out, struct err *e)
{
	AUTO(state_free) struct state *s = xcalloc(1, sizeof(*s));
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root;
	int64_t vlan = 0;
	size_t i;

	if (jdoc_parse(what, text, len, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	const struct {
		const char *key;
		char **to;
	} strings[] = {
		{"containerID", &s->container_id},
		{"ifname", &s->ifname},
		{"netns", &s->netns},
		{"cniArgs", &s->cni_args},
		{"podUID", &s->pod_uid},
		{"givenUp", &s->given_up},
		{"cniVersion", &s->cni_version},
		{"network", &s->network},
		{"bootID", &s->boot_id},
		{"card", &s->card},
		{"cardMAC", &s->card_mac},
		{"made", &s->made},
		{"parent", &s->parent},
		{"master", &s->master},
		{"toldMaster", &s->told_master},
		{"link", &s->link},
		{"mode", &s->mode},
		{"delegate", &s->delegate},
		{"runtimeConfig", &s->runtime_config},
		{"result", &s->result},
	};

	for (i = 0; i < ARRAY_SIZE(strings); i++) {
		if (read_str(&root, strings[i].key, strings[i].to, e) < 0)
			return -1;
	}
	if (jget_bool(&root, "complete", &s->complete, e) < 0 ||
	    jget_i64(&root, "missingSince", JRANGE(0, INT64_MAX), &s->missing_since, e) < 0 ||
	    jget_i64(&root, "vlan", JRANGE(0, 4094), &vlan, e) < 0 ||
	    read_results(&root, s, e) < 0 || read_host(&root, &s->host, e) < 0)
		return -1;
	s->vlan = (uint16_t)vlan;
	if (!s->container_id || !s->ifname)
		return err_set(e, ERR_DECODE, 0, "%s: no container ID or interface name", what);
	*out = STEAL(s);
	return 0;
}

static int set_aside(const struct state_dir *d, const char *name, struct err *e)
{
	AUTO(free) char *aside = xasprintf("%s" STATE_CORRUPT, name);

	if (renameat(d->attachments, name, d->attachments, aside) < 0 && errno != ENOENT)
		return err_errno(e, ERR_IO, errno, "set damaged state file %s aside", name);
	return 0;
}

/* 1 and *out, 0 there is none or it is damaged, -1. */
static int read_file(const struct state_dir *d, const char *name, struct state **out,
		     bool *out_damaged, struct err *e)
{
	AUTO(state_free) struct state *s = NULL;
	AUTO(free) char *text = NULL, *own_name = NULL;
	const char *body;
	size_t len, body_len;

	*out_damaged = false;
	if (io_read_own(d->attachments, name, STATE_MAX, &text, &len, e) < 0) {
		if (e->kind == ERR_IO && e->num == ENOENT) {
			err_clear(e);
			return 0;
		}
		return err_wrap(e, "state file");
	}
	body = check_header(text, len, &body_len);
	if (body && decode(name, body, body_len, &s, e) == 0)
		own_name = state_file_name(s->container_id, s->ifname);
	if (!own_name || !str_eq(own_name, name)) {
		err_clear(e);
		*out_damaged = true;
		return 0;
	}
	*out = STEAL(s);
	return 1;
}

int state_load(const struct state_dir *d, const char *container_id, const char *ifname,
	       struct state **out, bool *out_damaged, struct err *e)
{
	AUTO(free) char *name = state_file_name(container_id, ifname);
	int rc = read_file(d, name, out, out_damaged, e);

	return rc == 0 && *out_damaged ? set_aside(d, name, e) : rc;
}

/* Beside the attachments lie files on their way into place and damaged ones. */
static bool is_attachment(const char *name)
{
	const char *at = strchr(name, '@');

	return at && !str_ends(at, ".corrupt") && !strstr(at, ".tmp.");
}

int state_peek(const struct state_dir *d, const char *name, struct state **out, bool *out_damaged,
	       struct err *e)
{
	*out_damaged = false;
	return is_attachment(name) ? read_file(d, name, out, out_damaged, e) : 0;
}

int state_dir_files(const struct state_dir *d)
{
	return d->attachments;
}

int state_remove(const struct state_dir *d, const char *container_id, const char *ifname,
		 struct err *e)
{
	AUTO(free) char *name = state_file_name(container_id, ifname);
	AUTO(free) char *temp = xasprintf("%s" STATE_TEMP, name);

	/* Left by a call that was killed while it wrote. */
	if (unlinkat(d->attachments, temp, 0) < 0 && errno != ENOENT)
		return err_errno(e, ERR_IO, errno, "remove state file %s", temp);
	if (unlinkat(d->attachments, name, 0) < 0 && errno != ENOENT)
		return err_errno(e, ERR_IO, errno, "remove state file %s", name);
	return 0;
}

char *state_boot_id(void)
{
	struct err e = {0};
	char *id = NULL;
	size_t len;

	if (io_read_own(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 256, &id, &len, &e) < 0)
		return xstrdup("");
	id[strcspn(id, "\n")] = '\0';
	return id;
}

int state_last_delegate(const struct state_dir *d, char **out, size_t *out_len, struct err *e)
{
	if (io_read_own(d->top, DELEGATE_COPY, STATE_MAX, out, out_len, e) == 0)
		return 1;
	if (e->kind != ERR_IO || e->num != ENOENT)
		return -1;
	err_clear(e);
	return 0;
}

int state_keep_delegate(const struct state_dir *d, const char *text, size_t len, struct err *e)
{
	const struct io_place place = {d->top, DELEGATE_COPY STATE_TEMP, DELEGATE_COPY, 0600};
	AUTO(free) char *old = NULL;
	struct err ignored = {0};
	size_t old_len = 0;
	int rc;

	if (state_last_delegate(d, &old, &old_len, &ignored) == 1 && old_len == len &&
	    memcmp(old, text, len) == 0)
		return 0;
	/* One writer at a time under the temporary name; another has the same to write. */
	if (flock(d->top, LOCK_EX | LOCK_NB) < 0)
		return 0;
	rc = io_place_file(&place, text, len, e);
	flock(d->top, LOCK_UN);
	return rc;
}

/* The UID comes from outside; only what a UID can be becomes a file name. */
static bool uid_ok(const char *uid)
{
	size_t n = strlen(uid);

	return n && n <= 64 && strspn(uid, "0123456789abcdefABCDEF-") == n;
}

void state_hint_set(const struct state_dir *d, const char *pod_uid)
{
	AUTO(fd) int fd = -1;

	sweep_hints(d);
	if (uid_ok(pod_uid))
		fd = openat(d->hints, pod_uid,
			    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
				    O_NOCTTY,
			    0600);
}

bool state_hint_is_set(const struct state_dir *d, const char *pod_uid)
{
	struct stat st;

	return uid_ok(pod_uid) && fstatat(d->hints, pod_uid, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void state_hint_clear(const struct state_dir *d, const char *pod_uid)
{
	if (uid_ok(pod_uid))
		unlinkat(d->hints, pod_uid, 0);
}
