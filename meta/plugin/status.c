/* SPDX-License-Identifier: Apache-2.0 */
/* STATUS: could an ADD succeed now? Asked every few seconds, so nothing is started that need not be. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "delegate/find.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "lib/cni/conf.h"
#include "meta/attachment/answer.h"
#include "meta/plugin/app.h"
#include "meta/plugin/primary.h"
#include "meta/attachment/state.h"

/* flannel's plugin has no STATUS; without this file of its daemon it cannot do an ADD. */
#define FLANNEL_FILE "/run/flannel/subnet.env"

/* Absent, null and what is no string: NULL. Caller frees. */
static char *text_member(struct jspan object, const char *key)
{
	struct jspan value = {0};

	if (!jspan_find(object, key, &value))
		return NULL;
	return jspan_decode(value);
}

static struct jspan member(struct jspan object, const char *key)
{
	struct jspan value = {0};

	jspan_find(object, key, &value);
	return value;
}

static int have_binary(const struct app *app, const char *type, struct err *e)
{
	AUTO(free) char *path = NULL;

	return find_plugin(type, app->args->path, NULL, &path, e);
}

/* The daemon writes it once it knows the node's share of the pod network. */
static int flannel_ready(struct jspan conf, struct err *e)
{
	AUTO(free) char *file = text_member(conf, "subnetFile");
	const char *path = file && *file ? file : FLANNEL_FILE;

	if (access(path, R_OK) == 0)
		return 0;
	return err_errno(e, ERR_UNREADY, errno, "flannel is not ready on this node: %s", path);
}

/* A plugin, what it will start in its turn, and what it waits for. */
static int plugin_ready(const struct app *app, const struct chain *c, size_t i, struct err *e)
{
	struct jspan conf = chain_conf(c, i);
	AUTO(free) char *ipam = text_member(member(conf, "ipam"), "type");
	AUTO(free) char *inner = NULL;

	if (have_binary(app, chain_type(c, i), e) < 0)
		return -1;
	if (str_eq(chain_type(c, i), "flannel")) {
		inner = text_member(member(conf, "delegate"), "type");
		if (have_binary(app, inner && *inner ? inner : "bridge", e) < 0)
			return -1;
		return flannel_ready(conf, e);
	}
	return ipam && *ipam ? have_binary(app, ipam, e) : 0;
}

static int run_status(const struct app *app, const struct chain *c, struct err *e)
{
	AUTO(sb_done) struct sb notes = SB_INIT;
	struct chain_env env = {
		.args = app->args,
		.environ = app->environ,
		.deadline_ms = app->deadline_ms,
		.cancel_fd = app->stop_fd,
		.notes = &notes,
	};
	int r = chain_status(c, &env, e);

	if (notes.len)
		log_debug("the primary's plugins", "notes", sb_get(&notes));
	return r;
}

static int ready(struct app *app, struct err *e)
{
	AUTO(primary_done) struct primary p = {0};
	size_t i;

	if (state_dir_open(app->conf->state_dir, &app->dir, e) < 0 ||
	    state_dir_writable(app->dir, e) < 0 || primary_load(app, &p, e) < 0)
		return -1;
	for (i = 0; i < chain_len(p.chain); i++) {
		if (plugin_ready(app, p.chain, i, e) < 0)
			return -1;
	}
	return run_status(app, p.chain, e);
}

int plugin_status(struct app *app, struct err *e)
{
	if (ready(app, e) == 0) {
		if (answer_is_new(app->dir, "ready"))
			log_info("STATUS", "answer", "ready");
		return 0;
	}
	/* A plugin's own code is passed up; what is wrong on our side is one thing to a runtime. */
	if (e->kind != ERR_DELEGATE || e->num <= 0)
		e->kind = ERR_UNREADY;
	app->was_said = app->dir && !answer_is_new(app->dir, e->msg);
	return -1;
}
