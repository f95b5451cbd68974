/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/primary.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/cni/conf.h"
#include "meta/plugin/app.h"
#include "meta/plugin/netd.h"
#include "meta/attachment/answer.h"
#include "meta/attachment/state.h"

#define HALF_WRITTEN_S 30

/* In place of a primary's conf, where there is none. */
#define NO_PRIMARY "{}"

void primary_done(struct primary *p)
{
	free(p->text);
	chain_free(p->chain);
	*p = (struct primary){0};
}

/* Takes text, of src->text.len bytes, over, whether it succeeds or not. */
static int load_take(struct chain_source src, char *text, struct primary *out, struct err *e)
{
	AUTO(primary_done) struct primary p = {text, NULL};
	struct err half = {0};

	src.text.p = text;
	if (chain_load(&src, &p.chain, e) < 0) {
		/* One whole JSON text is not half a file: nothing that is still to come mends it. */
		if (e->kind == ERR_DECODE && src.text.len <= CNI_CONF_MAX &&
		    jscan_check_lax(src.what, src.text, NULL, &half) == 0)
			e->kind = ERR_CONFIG;
		return -1;
	}
	*out = p;
	p = (struct primary){0};
	return 0;
}

/*
 * Nothing from <name>/(any).conf beside the file: our list has the primary's name and lies in its folder, so that a
 * runtime that knows such folders (libcni 1.3) runs what is there after us already.
 */
static struct chain_source source_of(const struct cni_conf *conf, const char *what, size_t len)
{
	const char *file = conf->delegate_file;

	return (struct chain_source){.what = what,
				     .text = {NULL, len},
				     .fallback_name = conf->name,
				     .own_type = conf->type,
				     .by_type = file && !str_ends(file, ".conflist")};
}

/* Since when there is no whole file: since it was first missed, or since it was last written. */
static int64_t bad_since_s(const struct app *app, const char *path, const struct err *why)
{
	struct stat st;

	if (why->kind == ERR_IO && why->num == ENOENT)
		return state_delegate_gone_s(app->dir);
	return why->kind == ERR_DECODE && stat(path, &st) == 0 ? st.st_mtime : INT64_MAX;
}

static bool is_old(const struct app *app, const char *path, const struct err *why)
{
	int64_t since_s = bad_since_s(app, path, why);

	return since_s != INT64_MAX && time(NULL) - since_s >= HALF_WRITTEN_S;
}

/* A file that is gone may come back; what is broken for longer is no matter of time, and another code says so. */
static int too_late(const struct app *app, const struct err *why, struct err *e)
{
	AUTO(sb_done) struct sb names = SB_INIT;

	netd_names(app, &names);
	return err_set(e, why->kind == ERR_DECODE ? ERR_DECODE : ERR_AGAIN, 0,
		       "delegateFile cannot be used, for more than %d s: %s; other confs in its "
		       "folder: %s",
		       HALF_WRITTEN_S, why->msg, sb_get(&names));
}

/* No good copy is there either. */
static int no_copy(const struct app *app, const char *path, const struct err *why, struct err *e)
{
	if (is_old(app, path, why))
		return too_late(app, why, e);
	/* A folder, a FIFO, no right to read it. */
	if (why->kind == ERR_IO && why->num != ENOENT)
		return err_set(e, ERR_IO, why->num, "delegateFile cannot be used: %s", why->msg);
	return err_set(e, ERR_AGAIN, 0, "delegateFile cannot be used yet: %s", why->msg);
}

/*
 * Half a file passes by itself within seconds. What is so for longer has been renamed, taken away or broken, and a
 * copy of what stood there once is not what the node's network is now. What is there is still ended by the copy.
 */
static int check_fresh(const struct app *app, const char *path, const struct err *why,
		       struct err *e)
{
	if ((app->args->command != CNI_ADD && app->args->command != CNI_STATUS) ||
	    !is_old(app, path, why))
		return 0;
	return too_late(app, why, e);
}

static int load_file(struct app *app, struct primary *out, struct err *e)
{
	const struct io_limit limit = app_read_limit(app);
	const char *path = app->conf->delegate_file;
	struct err why = {0}, ignored = {0};
	char *text = NULL;
	size_t len = 0;
	int r;

	/* May be a link: it is another installer's file. */
	if (io_read_file_by(path, CNI_CONF_MAX, &limit, &text, &len, &why) == 0 &&
	    load_take(source_of(app->conf, path, len), text, out, &why) == 0) {
		if (state_keep_delegate(app->dir, out->text, len, &ignored) < 0)
			log_warn("delegateFile could not be copied", "file", path, "error",
				 ignored.msg);
		state_delegate_back(app->dir);
		return 0;
	}
	/* A whole file that makes no sense is its owner's mistake; half a one passes by itself. */
	if (why.kind != ERR_IO && why.kind != ERR_DECODE && why.kind != ERR_TIMEOUT) {
		*e = why;
		return -1;
	}
	if (check_fresh(app, path, &why, e) < 0)
		return -1;
	text = NULL;
	r = state_last_delegate(app->dir, &text, &len, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return no_copy(app, path, &why, e);
	log_warn("using the last good copy of the delegate's file", "file", path, "error", why.msg);
	return load_take(source_of(app->conf, "last good copy of delegateFile", len), text, out, e);
}

/* A mesh that has put itself behind us and behind the primary: the runtime runs it once, and we do not. */
static void drop_doubles(const struct app *app, struct chain *c)
{
	AUTO(netd_types_done) struct netd_types after = {0};

	netd_after_us(app, &after);
	for (size_t i = 0; i < after.n; i++) {
		if (chain_drop(c, after.v[i]))
			log_warn("a plugin stands behind us and in the primary's list: it runs "
				 "once, behind us",
				 "type", after.v[i]);
	}
}

/* What is kept of it for DEL has no file's name to go by. */
static void keep_form(struct primary *p)
{
	char *list = chain_list(p->chain);

	if (!list)
		return;
	free(p->text);
	p->text = list;
}

int primary_load(struct app *app, struct primary *out, struct err *e)
{
	const struct cni_conf *conf = app->conf;
	AUTO(primary_done) struct primary p = {0};

	if (conf->no_primary) {
		*out = (struct primary){xstrdup(NO_PRIMARY), chain_none(conf->name, conf->version)};
		return 0;
	}
	if (conf->delegate.p) {
		if (load_take(source_of(conf, "delegate", conf->delegate.len),
			      xmemdup(conf->delegate.p, conf->delegate.len), &p, e) < 0)
			return -1;
	} else if (load_file(app, &p, e) < 0) {
		return -1;
	}
	keep_form(&p);
	if (cni_conf_nests((struct jspan){p.text, strlen(p.text)}, conf->type))
		return err_set(e, ERR_CONFIG, 0, "the delegate runs plugin \"%s\" itself",
			       conf->type);
	if (chain_note(p.chain))
		log_warn(chain_note(p.chain));
	drop_doubles(app, p.chain);
	*out = p;
	p = (struct primary){0};
	return 0;
}

/* Kept as that by who had no primary. */
static bool is_none(const struct state *s)
{
	return str_eq(s->delegate, NO_PRIMARY);
}

/* Without plugins a version that cannot be read is nobody's. */
static enum cni_version version_of(const struct state *s)
{
	enum cni_version version = CNI_VERSION_OLDEST;

	IGNORE(cni_version_parse(s->cni_version ? s->cni_version : "", &version), "said above");
	return version;
}

int primary_restore(const struct state *s, struct primary *out, struct err *e)
{
	const struct chain_source src = {.what = "delegate in the state file",
					 .text = {NULL, strlen(s->delegate)},
					 .fallback_name = s->network ? s->network : ""};

	if (is_none(s)) {
		*out = (struct primary){xstrdup(NO_PRIMARY),
					chain_none(s->network ? s->network : "", version_of(s))};
		return 0;
	}
	return load_take(src, xstrdup(s->delegate), out, e);
}

struct primary_add {
	const struct chain *chain;
	struct chain_env env;
	struct chain_results results;
	struct err err;
	int rc;
	int64_t us;
	int failed_fd; /* raised by either side */
	int over_fd;   /* that, or the caller's own cancel_fd */
	pthread_t thread;
	bool running;
};

static void raise_flag(int fd)
{
	const uint64_t one = 1;

	IGNORE(write(fd, &one, sizeof(one)) < 0, "an eventfd takes one number at any time");
}

static void *run(void *ctx)
{
	struct primary_add *a = ctx;
	int64_t start = clock_now_us();

	a->rc = chain_add(a->chain, &a->env, &a->results, &a->err);
	a->us = clock_now_us() - start;
	if (a->rc < 0)
		raise_flag(a->failed_fd);
	return NULL;
}

static int add_to(int epoll, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN};

	return fd < 0 ? 0 : epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* A descriptor for poll() that is readable when one of two is. */
static int watch_either(struct primary_add *a, int cancel_fd, struct err *e)
{
	a->failed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	a->over_fd = epoll_create1(EPOLL_CLOEXEC);
	if (a->failed_fd < 0 || a->over_fd < 0 || add_to(a->over_fd, a->failed_fd) < 0 ||
	    add_to(a->over_fd, cancel_fd) < 0)
		return err_errno(e, ERR_IO, errno, "descriptors for the primary");
	return 0;
}

int primary_add_start(const struct chain *chain, const struct chain_env *env,
		      struct primary_add **out, struct err *e)
{
	AUTO(primary_add_free) struct primary_add *a = xcalloc(1, sizeof(*a));
	int rc;

	a->chain = chain;
	a->env = *env;
	a->failed_fd = a->over_fd = -1;
	if (watch_either(a, env->cancel_fd, e) < 0)
		return -1;
	a->env.cancel_fd = a->over_fd;
	rc = pthread_create(&a->thread, NULL, run, a);
	if (rc)
		return err_errno(e, ERR_IO, rc, "start a thread for the primary");
	a->running = true;
	*out = STEAL(a);
	return 0;
}

int primary_add_over_fd(const struct primary_add *a)
{
	return a->over_fd;
}

static void join(struct primary_add *a)
{
	if (a->running)
		pthread_join(a->thread, NULL);
	a->running = false;
}

int64_t primary_add_us(const struct primary_add *a)
{
	return a->us;
}

int primary_add_join(struct primary_add *a, const struct chain_results **out, struct err *e)
{
	join(a);
	if (a->rc < 0) {
		*e = a->err;
		return -1;
	}
	*out = &a->results;
	return 0;
}

void primary_add_free(struct primary_add *a)
{
	if (!a)
		return;
	if (a->running)
		raise_flag(a->failed_fd);
	join(a);
	chain_results_done(&a->results);
	fd_auto(&a->over_fd);
	fd_auto(&a->failed_fd);
	free(a);
}
