/* SPDX-License-Identifier: Apache-2.0 */
#include "node/install/install.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "api/node.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/cni/conf.h"
#include "lib/json/jwrite.h"
#include "node/install/watch.h"
#include "node/install/conf.h"
#include "node/install/confs.h"
#include "node/install/hostpath.h"
#include "node/install/put.h"
#include "node/install/state.h"
#include "node/install/voice.h"

/* Changes in a folder are gathered for so long: most come as two or three events. */
#define GATHER_MS 100
#define WATCHED   (IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR)

/* Where macvlan has no use, by the beginning of the Node's providerID: only MACs that they gave pass there. */
static const char *const clouds[] = {
	"aws", "gce",      "azure", "digitalocean", "hcloud",   "linode",  "vultr",
	"oci", "alicloud", "ibm",   "scaleway",     "exoscale", "upcloud", "civo",
};

/* ------------------------------------------------------------------------------- options */

static int check_path(const char *option, const char *value, struct err *e)
{
	if (!value || *value == '/')
		return 0;
	return err_set(e, ERR_CONFIG, 0, "--%s must be an absolute path", option);
}

int install_check(const struct install_options *opt, struct err *e)
{
	enum platform_kind kind;

	if (platform_parse(opt->platform, &kind) < 0)
		return err_set(e, ERR_CONFIG, 0,
			       "--platform: \"%.32s\" is not auto, kubeadm, k3s, k3s-old, rke2, "
			       "microk8s or crio",
			       opt->platform);
	if (!opt->conf_dir != !opt->bin_dir)
		return err_set(e, ERR_CONFIG, 0,
			       "--cni-conf-dir needs --cni-plugin-dir, and the "
			       "other way round");
	if (opt->primary && (strchr(opt->primary, '/') || !confs_is_name(opt->primary)))
		return err_set(e, ERR_CONFIG, 0,
			       "--primary: \"%.64s\" is not the name of a conf in the runtime's "
			       "folder",
			       opt->primary);
	if (check_path("cni-conf-dir", opt->conf_dir, e) < 0 ||
	    check_path("cni-plugin-dir", opt->bin_dir, e) < 0 ||
	    check_path("plugin-source", opt->source, e) < 0)
		return -1;
	return check_path("readiness-file", opt->readiness_file, e);
}

/* ------------------------------------------------------------------------------- what is so */

static char *report_text(const struct install *in)
{
	AUTO(sb_done) struct sb out = SB_INIT;
	struct jw w = jw_init(&out);

	jw_obj(&w);
	jw_kv_str(&w, "state", in->state);
	jw_kv_opt(&w, "message", in->message);
	if (str_eq(in->state, API_NODE_REMOVING))
		jw_kv_i64(&w, "left", (int64_t)in->left);
	if (in->platform.conf_dir && !in->removed) {
		jw_kv_str(&w, "platform", platform_name(in->platform.kind));
		jw_kv_str(&w, "confDir", in->platform.conf_dir);
		jw_kv_str(&w, "binDir", in->platform.bin_dir);
	}
	jw_kv_opt(&w, "primary", in->file);
	jw_kv_opt(&w, "network", in->network);
	jw_kv_str(&w, "version", TANDEM_VERSION);
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&out);
}

void install_state(struct install *in, const char *state, const char *fmt, ...)
{
	AUTO(free) char *text = NULL;
	va_list ap;

	in->state = state;
	va_start(ap, fmt);
	vsnprintf(in->message, sizeof(in->message), fmt, ap);
	va_end(ap);
	text = report_text(in);
	voice_report(in->voice, text);
	if (str_eq(state, API_NODE_INSTALLED))
		voice_ready(in->voice);
}

bool install_is_ready(const struct install *in, const char **out_why)
{
	*out_why = in->message;
	return str_eq(in->state, API_NODE_INSTALLED);
}

/* ------------------------------------------------------------------------------- the folders */

static void unwatch(const struct install *in, int *watch)
{
	if (*watch >= 0)
		inotify_rm_watch(in->inotify, *watch);
	*watch = -1;
}

/* The same folder gives the same number. */
static int watch(const struct install *in, const char *dir, int *w, struct err *e)
{
	int now = inotify_add_watch(in->inotify, dir, WATCHED);

	if (now < 0)
		return err_errno(e, ERR_IO, errno, "watch %s", dir);
	if (*w != now)
		unwatch(in, w);
	*w = now;
	return 0;
}

static int find_given(const struct install *in, struct platform *out, struct err *e)
{
	const char *conf = in->env.opt->conf_dir, *bin = in->env.opt->bin_dir;

	if (!hostpath_exists(in->env.root, conf) || !hostpath_exists(in->env.root, bin))
		return err_set(e, ERR_NOT_FOUND, 0, "the folder %s is not there",
			       hostpath_exists(in->env.root, conf) ? bin : conf);
	*out = (struct platform){.kind = PLATFORM_GIVEN,
				 .conf_dir = xstrdup(conf),
				 .bin_dir = xstrdup(bin),
				 .bin_dirs = xstrdup(bin),
				 .max_confs = -1};
	return 0;
}

static bool is_same(const struct platform *a, const struct platform *b)
{
	return a->kind == b->kind && str_eq(a->conf_dir, b->conf_dir) &&
	       str_eq(a->bin_dir, b->bin_dir);
}

static void tell_platform(struct install *in)
{
	AUTO(free)
	char *text = xasprintf("platform %s: confs in %s, plugins in %s",
			       platform_name(in->platform.kind), in->platform.conf_dir,
			       in->platform.bin_dir);

	voice_say(in->voice, VOICE_NORMAL, "PlatformFound", text);
}

/* containerd would give each pod a card of the second conf too. */
static void tell_max_confs(struct install *in)
{
	AUTO(free) char *text = NULL;

	if (in->platform.max_confs < 0 || in->platform.max_confs == 1)
		return;
	text = xasprintf("%s: max_conf_num = %lld lets containerd use the primary's conf a second "
			 "time, beside tandem's; set it to 1",
			 in->platform.runtime_file, (long long)in->platform.max_confs);
	voice_say(in->voice, VOICE_WARNING, "RuntimeSettings", text);
}

int install_find_platform(struct install *in, struct err *e)
{
	AUTO(platform_done) struct platform p = {.max_confs = -1};
	AUTO(free) char *conf_at = NULL, *bin_at = NULL;
	struct platform old = in->platform;
	bool changed;

	if ((in->env.opt->conf_dir ? find_given(in, &p, e)
				   : platform_find(in->env.root, in->wanted, &p, e)) < 0 ||
	    hostpath_resolve(in->env.root, p.conf_dir, &conf_at, e) < 0 ||
	    hostpath_resolve(in->env.root, p.bin_dir, &bin_at, e) < 0 ||
	    watch(in, conf_at, &in->conf_watch, e) < 0 || watch(in, bin_at, &in->bin_watch, e) < 0)
		return -1;
	changed = !old.conf_dir || !is_same(&old, &p);
	in->platform = p;
	p = old;
	free(in->conf_at);
	free(in->bin_at);
	free(in->plugin);
	in->conf_at = STEAL(conf_at);
	in->bin_at = STEAL(bin_at);
	in->plugin = xasprintf("%s/" INSTALL_PLUGIN, in->platform.bin_dir);
	if (changed)
		tell_platform(in);
	tell_max_confs(in);
	return 0;
}

/* ------------------------------------------------------------------------------- a look */

static void tell_cloud(struct install *in)
{
	const char *id = voice_provider(in->voice);

	for (size_t i = 0; id && i < ARRAY_SIZE(clouds); i++) {
		size_t n = strlen(clouds[i]);
		AUTO(free) char *text = NULL;

		if (strncmp(id, clouds[i], n) != 0 || strncmp(id + n, "://", 3) != 0)
			continue;
		text = xasprintf("the provider of this Node is %s, whose networks pass only MAC "
				 "addresses that they gave out: macvlan cards are of no use here",
				 clouds[i]);
		voice_say(in->voice, VOICE_WARNING, "CloudNetwork", text);
	}
}

static int take_lock(struct install *in, struct err *e)
{
	AUTO(free) char *path = NULL;

	if (in->lock >= 0)
		return 0;
	path = xasprintf("%s.install.lock", in->env.socket);
	return put_lock(path, &in->lock, e);
}

static void look(struct install *in)
{
	struct err e = {0};

	in->look_ms = clock_now_ms() + in->env.look_ms;
	if (take_lock(in, &e) < 0 || install_find_platform(in, &e) < 0) {
		/* What is in place works on. */
		install_state(in, in->front.placed ? API_NODE_IMPAIRED : API_NODE_WAITING, "%s",
			      e.msg);
		if (e.kind == ERR_AGAIN)
			log_info("another installer is at work on this node");
		else
			voice_say(in->voice, VOICE_WARNING, "InstallWaits", e.msg);
		in->look_ms = clock_now_ms() + INSTALL_RETRY_MS;
		return;
	}
	if (in->orders.uninstall)
		install_remove(in);
	else if (!in->removed)
		install_place(in);
}

static void look_at(struct install *in, int64_t at_ms)
{
	if (at_ms < in->look_ms)
		in->look_ms = at_ms;
}

static void orders_changed(void *ctx)
{
	struct install *in = ctx;

	look_at(in, clock_now_ms());
}

void install_saw(struct install *in)
{
	_Alignas(struct inotify_event) char buf[4096 + sizeof(struct inotify_event) + NAME_MAX];
	ssize_t n;

	while ((n = read(in->inotify, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR)) {
		for (char *at = buf; n > 0 && at < buf + n;) {
			const struct inotify_event *ev = (const void *)at;

			if (ev->wd == in->conf_watch && ev->len)
				front_saw(&in->front, ev->mask, ev->cookie, ev->name);
			at += sizeof(*ev) + ev->len;
		}
	}
	look_at(in, clock_now_ms() + GATHER_MS);
}

int64_t install_next_ms(const struct install *in)
{
	return clock_earlier_ms(in->look_ms, voice_next_ms(in->voice));
}

void install_run(struct install *in)
{
	if (clock_now_ms() >= in->look_ms)
		look(in);
	tell_cloud(in);
	voice_run(in->voice);
}

/* ------------------------------------------------------------------------------- start and end */

/* What a daemon before us has put in place, or a hand. */
static void recall(struct install *in)
{
	AUTO(conf_read_done) struct conf_read was = {0};
	AUTO(free) char *text = NULL;
	const char *slash;
	struct err e = {0};
	size_t len;

	if (access(in->copy, F_OK) < 0)
		return;
	if (io_read_file(in->copy, CNI_CONF_MAX, &text, &len, &e) < 0 ||
	    conf_parse(in->copy, text, len, &was, &e) < 0) {
		log_warn("the last conf cannot be read; it is made anew", "error", e.msg);
		return;
	}
	slash = was.delegate_file ? strrchr(was.delegate_file, '/') : NULL;
	if (!slash)
		return;
	in->file = xstrdup(slash + 1);
	in->network = STEAL(was.network);
	in->orders = was.orders;
	was.orders = (struct orders){0};
	in->front.placed = xstrdup(CONFS_OURS);
	in->front.text = STEAL(text);
}

int install_new(const struct install_env *env, struct install **out, struct err *e)
{
	AUTO(install_free) struct install *in = xcalloc(1, sizeof(*in));

	in->env = *env;
	in->lock = in->conf_watch = in->bin_watch = -1;
	in->state = API_NODE_WAITING;
	in->platform.max_confs = -1;
	in->copy = xasprintf("%s/" INSTALL_COPY, env->state_dir);
	in->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (in->inotify < 0)
		return err_errno(e, ERR_IO, errno, "inotify");
	if (platform_parse(env->opt->platform, &in->wanted) < 0)
		return err_set(e, ERR_CONFIG, 0, "--platform: unknown");
	recall(in);
	in->start_ms = in->look_ms = clock_now_ms();
	in->voice = voice_new(env->client, env->node, env->opt->taint);
	in->watch = orders_watch_new(env->client, env->system_ns, &in->orders, orders_changed, in);
	*out = STEAL(in);
	return 0;
}

void install_free(struct install *in)
{
	if (!in)
		return;
	orders_watch_free(in->watch);
	voice_free(in->voice);
	orders_done(&in->orders);
	front_done(&in->front);
	platform_done(&in->platform);
	fd_auto(&in->inotify);
	fd_auto(&in->lock);
	free(in->conf_at);
	free(in->bin_at);
	free(in->plugin);
	free(in->copy);
	free(in->file);
	free(in->network);
	free(in);
}

int install_fd(const struct install *in)
{
	return in->inotify;
}

const char *install_plugin(const struct install *in)
{
	return in->plugin;
}

const char *install_bin_dirs(const struct install *in)
{
	return in->platform.bin_dirs;
}

const char *install_conf_copy(const struct install *in)
{
	return in->copy;
}

const char *install_doctor(const struct install *in, unsigned int *out_version)
{
	*out_version = in->orders.doctors;
	return in->orders.uninstall ? NULL : in->orders.doctor;
}

bool install_is_removing(const struct install *in)
{
	return str_eq(in->state, API_NODE_REMOVING);
}

bool install_is_removed(const struct install *in)
{
	return in->removed;
}

bool install_is_over(const struct install *in)
{
	return in->removed && !in->orders.uninstall;
}
