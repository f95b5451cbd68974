/* SPDX-License-Identifier: Apache-2.0 */
/* Plugin and conf into their places. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/network.h"
#include "api/node.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/door/message.h"
#include "node/install/watch.h"
#include "node/install/conf.h"
#include "node/install/confs.h"
#include "node/install/hostpath.h"
#include "node/install/put.h"
#include "node/install/state.h"
#include "node/install/voice.h"

#define PLUGIN_MAX (64 * 1024 * 1024)
#define STATE_DIR  "/var/lib/cni/tandem"
/* The first conf on a node waits so long for what the cluster has to say. */
#define ORDERS_MS 30000

static void look_soon(struct install *in)
{
	in->look_ms = clock_now_ms() + INSTALL_RETRY_MS;
}

/* ------------------------------------------------------------------------------- the plugin */

static bool stamp_of(const char *path, struct stamp *out)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	*out = (struct stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim};
	return true;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       same_time(a->mtime, b->mtime) && same_time(a->ctime, b->ctime);
}

static int place_plugin(struct install *in, struct err *e)
{
	AUTO(free) char *target = xasprintf("%s/" INSTALL_PLUGIN, in->bin_at);
	AUTO(free) char *bytes = NULL;
	struct put_file file = {.dir = in->bin_at, .name = INSTALL_PLUGIN, .mode = 0755};
	struct stamp source, now;

	if (stamp_of(in->env.opt->source, &source) && is_same(&source, &in->source) &&
	    stamp_of(target, &now) && is_same(&now, &in->target))
		return 0;
	if (io_read_file(in->env.opt->source, PLUGIN_MAX, &bytes, &file.len, e) < 0)
		return -1;
	file.p = bytes;
	if (put_file(&file, e) < 0)
		return -1;
	if (!stamp_of(in->env.opt->source, &in->source) || !stamp_of(target, &in->target))
		in->target = (struct stamp){0};
	return 0;
}

/* ------------------------------------------------------------------------------- the conf */

static char *render(const struct install *in, const char *network, const char *file)
{
	AUTO(free) char *path = xasprintf("%s/%s", in->platform.conf_dir, file);
	const struct install_env *env = &in->env;
	const struct conf_keys keys = {
		.network = network,
		.delegate_file = path,
		.socket = str_eq(env->socket, DOOR_SOCKET) ? NULL : env->socket,
		.system_ns = str_eq(env->system_ns, API_DEFAULT_SYSTEM_NAMESPACE) ? NULL
										  : env->system_ns,
		.state_dir = str_eq(env->state_dir, STATE_DIR) ? NULL : env->state_dir,
		.orders = &in->orders,
	};

	return conf_render(&keys);
}

static void tell_placed(struct install *in, const struct front_result *r)
{
	AUTO(free) char *text = NULL;

	if (r->what == FRONT_RESTORED) {
		text = xasprintf("%s in %s was put back: %s", in->front.placed,
				 in->platform.conf_dir, r->culprit);
		voice_say(in->voice, VOICE_WARNING, "ConfRestored", text);
	} else if (r->what == FRONT_NEW) {
		text = xasprintf("%s/%s is in front of %s, whose network is %s",
				 in->platform.conf_dir, in->front.placed, in->file, in->network);
		voice_say(in->voice, VOICE_NORMAL, "Installed", text);
	}
	if (*r->rival) {
		free(text);
		text = xasprintf("%s in %s comes before " CONFS_OURS
				 ": tandem's conf is named %s for as long as it is there",
				 r->rival, in->platform.conf_dir, CONFS_OURS_FIRST);
		voice_say(in->voice, VOICE_WARNING, "ConfInFront", text);
	}
}

/* The copy first: there is no state file whose conf could not be found. */
static int place_conf(struct install *in, const struct confs *confs, const char *text,
		      struct err *e)
{
	const struct put_file copy = {in->env.state_dir, INSTALL_COPY, 0600, text, strlen(text)};
	const struct front_wish wish = {in->conf_at, confs, text, in->env.opt->with_multus};
	struct front_result result;

	if (put_file(&copy, e) < 0 || front_assert(&in->front, &wish, &result, e) < 0)
		return -1;
	tell_placed(in, &result);
	if (in->front.again_ms && in->front.again_ms < in->look_ms)
		in->look_ms = in->front.again_ms;
	if (*result.before) {
		install_state(in, API_NODE_IMPAIRED, "%s in %s comes before tandem's conf %s",
			      result.before, in->platform.conf_dir, in->front.placed);
		voice_say(in->voice, VOICE_WARNING, "ConfInFront", in->message);
	} else if (in->front.missing) {
		install_state(
			in, API_NODE_IMPAIRED,
			"another program takes tandem's conf away; it is put back in a moment");
	} else {
		install_state(in, API_NODE_INSTALLED, "%s", "");
	}
	return 0;
}

static void follow(struct install *in, const char *file, const char *network)
{
	char *new_file = xstrdup(file), *new_network = xstrdup(network);

	free(in->file);
	free(in->network);
	in->file = new_file;
	in->network = new_network;
}

static void place(struct install *in, const struct confs *confs)
{
	AUTO(free) char *text = render(in, in->network, in->file);
	struct err e = {0};

	if (place_plugin(in, &e) == 0 && place_conf(in, confs, text, &e) == 0)
		return;
	install_state(in, in->front.placed ? API_NODE_IMPAIRED : API_NODE_WAITING, "%s", e.msg);
	voice_say(in->voice, VOICE_WARNING, "InstallFailed", e.msg);
	look_soon(in);
}

/* ------------------------------------------------------------------------------- what there is to follow */

/* The former conf stays, with the last good copy that the plugin has of what it follows. */
static void keep(struct install *in, const struct confs *confs, const char *why)
{
	if (in->file) {
		place(in, confs);
		return;
	}
	install_state(in, API_NODE_WAITING, "%s", why);
	voice_say(in->voice, VOICE_NORMAL, "InstallWaits", why);
	look_soon(in);
}

static void keep_gone(struct install *in, const struct confs *confs)
{
	AUTO(free)
	char *text =
		xasprintf("%s/%s, the primary's conf, is not there (network %s): its last copy "
			  "is used; name another with --primary",
			  in->platform.conf_dir, in->file, in->network);

	voice_say(in->voice, VOICE_WARNING, "PrimaryGone", text);
	place(in, confs);
}

static void refuse_multus(struct install *in, const struct confs_file *multus)
{
	install_state(in, in->front.placed ? API_NODE_IMPAIRED : API_NODE_WAITING,
		      "%s/%s: Multus is in front. Take it away, and have its networks imported as "
		      "MacvlanSubnets; or let it run tandem in its place as --with-multus allows",
		      in->platform.conf_dir, multus->name);
	voice_say(in->voice, VOICE_WARNING, "MultusInFront", in->message);
}

/* Until then the primary's conf is one of a moment. */
static bool is_awaited(struct install *in)
{
	const char *ready = in->env.opt->readiness_file;

	if (in->front.placed)
		return false;
	if (ready && !hostpath_exists(in->env.root, ready)) {
		install_state(in, API_NODE_WAITING, "%s: the primary has not written it yet",
			      ready);
	} else if (!orders_watch_knows(in->watch) && clock_now_ms() < in->start_ms + ORDERS_MS) {
		install_state(in, API_NODE_WAITING, "the API server has not answered yet");
	} else {
		return false;
	}
	look_soon(in);
	return true;
}

static void found(struct install *in, const struct confs *confs, const struct confs_file *primary)
{
	if (is_awaited(in))
		return;
	follow(in, primary->name, primary->network);
	place(in, confs);
}

static void decide(struct install *in, const struct confs *confs)
{
	const struct confs_wish wish = {in->env.opt->primary, in->platform.default_network,
					in->file, in->network, in->env.opt->with_multus};
	const struct confs_file *primary = NULL;
	AUTO(free) char *why = NULL;

	switch (confs_pick(confs, &wish, &primary)) {
	case CONFS_FOUND:
		found(in, confs, primary);
		return;
	case CONFS_GONE:
		keep_gone(in, confs);
		return;
	case CONFS_MULTUS:
		refuse_multus(in, primary);
		return;
	case CONFS_SETTLING:
		why = xasprintf("%s/%s is being written", in->platform.conf_dir, primary->name);
		break;
	case CONFS_NONE:
		why = xasprintf("no conf of a primary in %s yet", in->platform.conf_dir);
		break;
	}
	keep(in, confs, why);
	look_soon(in);
}

void install_place(struct install *in)
{
	AUTO(confs_done) struct confs confs = {0};
	struct err e = {0};

	in->removing_ms = 0;
	if (confs_read(in->conf_at, &confs, &e) == 0) {
		decide(in, &confs);
		return;
	}
	install_state(in, in->front.placed ? API_NODE_IMPAIRED : API_NODE_WAITING, "%s", e.msg);
	voice_say(in->voice, VOICE_WARNING, "InstallFailed", e.msg);
	look_soon(in);
}
