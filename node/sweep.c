/* SPDX-License-Identifier: Apache-2.0 */
#include "node/sweep.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "delegate/exec.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/cni/conf.h"
#include "lib/json/jwrite.h"
#include "meta/attachment/state.h"
#include "node/cards.h"
#include "node/files.h"

/* The plugin ends by its own deadline, which is below 30 s; this is for one that hangs. */
#define DEL_MS 60000

struct target {
	char *container_id, *ifname, *name;
};

struct sweep {
	struct sweep_options opt; /* its strings are ours: the thread outlives the caller's */
	struct state_dir *dir;
	char *boot_id;
	struct target *v;
	size_t n, n_ended;
	pthread_t thread;
	bool started;
	int done, cancel; /* eventfds */
};

bool sweep_is_dead(const struct node_file *file)
{
	return !file->this_boot || cards_netns_is_gone(file->netns);
}

/* ------------------------------------------------------------------------------- the conf */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool find_plugin(struct jspan list, const char *type, struct jspan *out)
{
	struct jspan plugins, own_type;
	struct jspan_iter it;

	if (!jspan_find(list, "plugins", &plugins))
		return false;
	for (it = jspan_begin(plugins); jspan_next_element(&it, out);) {
		if (jspan_find(*out, "type", &own_type) && jspan_is(own_type, type))
			return true;
	}
	return false;
}

static void copy_members(struct jw *w, struct jspan plugin)
{
	struct jspan_iter it = jspan_begin(plugin);
	struct jspan key, value;

	while (jspan_next_member(&it, &key, &value)) {
		if (!jspan_is(key, "cniVersion") && !jspan_is(key, "name") &&
		    !jspan_is(key, "stateDir"))
			jw_raw_member(w, key, value);
	}
}

int sweep_conf(const struct sweep_options *opt, const char *text, size_t len, struct sb *out,
	       struct err *e)
{
	const char *type = base_name(opt->plugin);
	struct jspan list = {text, len}, plugin, version, name;
	struct jw w = jw_init(out);

	if (jscan_check(opt->conf, list, JSCAN_OBJECT | JSCAN_BIG_INTS, e) < 0)
		return -1;
	list = jspan_trim(list);
	if (!jspan_find(list, "cniVersion", &version) || !jspan_find(list, "name", &name) ||
	    !find_plugin(list, type, &plugin))
		return err_set(e, ERR_CONFIG, 0,
			       "%s: no conflist with cniVersion, name and a plugin %s", opt->conf,
			       type);
	jw_obj(&w);
	jw_kv_raw(&w, "cniVersion", version);
	jw_kv_raw(&w, "name", name);
	/* Where the files are that this is about. */
	jw_kv_str(&w, "stateDir", opt->state_dir);
	copy_members(&w, plugin);
	jw_end(&w);
	jw_finish(&w);
	return 0;
}

static int load_conf(const struct sweep_options *opt, struct sb *out, struct err *e)
{
	AUTO(free) char *text = NULL;
	size_t len;

	if (io_read_file(opt->conf, CNI_CONF_MAX, &text, &len, e) < 0)
		return -1;
	return sweep_conf(opt, text, len, out, e);
}

/* ------------------------------------------------------------------------------- the thread */

/* The namespace is not given: it is gone, and what it was stands in the file. */
static int run_del(const struct sweep *s, const struct target *t, const struct sb *conf,
		   struct err *e)
{
	AUTO(free) char *id = xasprintf("CNI_CONTAINERID=%s", t->container_id);
	AUTO(free) char *ifname = xasprintf("CNI_IFNAME=%s", t->ifname);
	AUTO(free) char *path = xasprintf("CNI_PATH=%s", s->opt.cni_bin);
	char command[] = "CNI_COMMAND=DEL";
	char search[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *const env[] = {command, id, ifname, path, search, NULL};
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	struct exec_run run = {
		.name = base_name(s->opt.plugin),
		.path = s->opt.plugin,
		.root = s->opt.root,
		.env = env,
		.input = {conf->data, conf->len},
		.deadline_ms = clock_now_ms() + DEL_MS,
		.cancel_fd = s->cancel,
	};

	return exec_run(&run, &out, e);
}

/*
 * Under the container's lock, so that no verb is on its way, and by the file as it is now. The lock is let go
 * before the plugin takes it: in between only a verb for a sandbox that has ended could come, and that is a DEL.
 */
static bool is_still_dead(const struct sweep *s, const struct target *t)
{
	AUTO(state_free) struct state *now = NULL;
	AUTO(fd) int lock = -1;
	bool damaged = false;
	struct err e = {0};

	if (state_lock(s->dir, t->container_id, clock_now_ms(), &lock, &e) < 0)
		return false;
	if (state_peek(s->dir, t->name, &now, &damaged, &e) == 1)
		return (now->boot_id && *s->boot_id && !str_eq(now->boot_id, s->boot_id)) ||
		       (now->netns && cards_netns_is_gone(now->netns));
	if (!e.kind && !damaged)
		state_unlock_remove(s->dir, t->container_id, &lock);
	return false;
}

static void end_one(struct sweep *s, const struct target *t, const struct sb *conf)
{
	struct err e = {0};

	if (!is_still_dead(s, t))
		return;
	if (run_del(s, t, conf, &e) < 0) {
		log_warn("cannot yet undo what a DEL has left", "container", t->container_id,
			 "interface", t->ifname, "error", e.msg);
		return;
	}
	s->n_ended++;
	log_info("undid what a DEL had left", "container", t->container_id, "interface", t->ifname);
}

static bool is_cancelled(const struct sweep *s)
{
	uint64_t n;

	return read(s->cancel, &n, sizeof(n)) == (ssize_t)sizeof(n);
}

static void *run_all(void *ctx)
{
	struct sweep *s = ctx;
	AUTO(sb_done) struct sb conf = SB_INIT;
	struct err e = {0};

	if (load_conf(&s->opt, &conf, &e) < 0)
		log_warn("ended sandboxes wait for the conf", "error", e.msg);
	for (size_t i = 0; !e.kind && i < s->n && !is_cancelled(s); i++)
		end_one(s, &s->v[i], &conf);
	IGNORE(eventfd_write(s->done, 1) < 0, "the counter cannot overflow");
	return NULL;
}

/* ------------------------------------------------------------------------------- start and end */

static void take_dead(struct sweep *s, const struct files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct node_file *f = files->v[i];

		if (!sweep_is_dead(f))
			continue;
		s->v = xreallocarray(s->v, s->n + 1, sizeof(*s->v));
		s->v[s->n++] = (struct target){xstrdup(f->container_id), xstrdup(f->ifname),
					       xstrdup(f->name)};
	}
}

int sweep_start(const struct sweep_options *opt, const struct files *files, struct sweep **out,
		struct err *e)
{
	AUTO(sweep_free) struct sweep *s = xcalloc(1, sizeof(*s));
	int rc;

	s->opt = (struct sweep_options){xstrdup(opt->state_dir), xstrdup(opt->conf),
					xstrdup(opt->plugin), xstrdup(opt->cni_bin),
					xstrdup(opt->root)};
	s->done = s->cancel = -1;
	take_dead(s, files);
	if (!s->n)
		return 0;
	s->boot_id = state_boot_id();
	if (state_dir_open(opt->state_dir, &s->dir, e) < 0)
		return -1;
	s->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->done < 0 || s->cancel < 0)
		return err_errno(e, ERR_IO, errno, "eventfd");
	rc = pthread_create(&s->thread, NULL, run_all, s);
	if (rc)
		return err_errno(e, ERR_INTERNAL, rc, "start a thread");
	s->started = true;
	*out = STEAL(s);
	return 1;
}

int sweep_fd(const struct sweep *s)
{
	return s->done;
}

size_t sweep_n_ended(const struct sweep *s)
{
	return s->n_ended;
}

static void stop(struct sweep *s)
{
	if (!s->started)
		return;
	IGNORE(eventfd_write(s->cancel, 1) < 0, "the counter cannot overflow");
	pthread_join(s->thread, NULL);
}

void sweep_free(struct sweep *s)
{
	if (!s)
		return;
	stop(s);
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].container_id);
		free(s->v[i].ifname);
		free(s->v[i].name);
	}
	free(s->v);
	free((char *)s->opt.state_dir);
	free((char *)s->opt.conf);
	free((char *)s->opt.plugin);
	free((char *)s->opt.cni_bin);
	free((char *)s->opt.root);
	state_dir_free(s->dir);
	free(s->boot_id);
	fd_auto(&s->done);
	fd_auto(&s->cancel);
	free(s);
}
