/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/del.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "lib/cni/conf.h"
#include "lib/nl/netns.h"
#include "macvlan/delete.h"
#include "meta/plugin/app.h"
#include "meta/plugin/host.h"
#include "meta/attachment/parent.h"
#include "meta/plugin/primary.h"
#include "meta/attachment/state.h"
#include "meta/plugin/step.h"
#include "services/entry/pod.h"
#include "meta/attachment/strays.h"

/* How long a missing binary of the primary holds a DEL up: an upgrade takes less, people take more. */
#define MISSING_SECONDS 600
#define CARD_WAIT_MS    2000

/* Remember the first failure; go on with the rest. */
static void note(struct err *first, const struct err *now)
{
	if (!first->kind)
		*first = *now;
	else
		log_warn("a further failure", "error", now->msg);
}

/*
 * The pod's namespace, or -1 when there is nothing to reach. The host's own is never entered: a
 * path of /proc may by now be that of another process.
 */
static int open_netns(const char *path)
{
	struct err e = {0};
	int fd = -1;

	if (!path || !*path)
		return -1;
	if (netns_open(path, &fd, &e) < 0) {
		if (e.num != ENOENT)
			log_warn("network namespace left alone", "netns", path, "error", e.msg);
		return -1;
	}
	return fd;
}

/* The runtime's view, with what it left out taken from the time of the ADD. */
static struct cni_args merged_args(const struct app *app, const struct state *s, bool has_netns)
{
	static char none[] = "";
	struct cni_args args = *app->args;

	if (!*args.netns && s->netns)
		args.netns = s->netns;
	if (!has_netns)
		args.netns = none;
	if (!*args.cni_args && s->cni_args)
		args.cni_args = s->cni_args;
	return args;
}

static int del_primary(struct app *app, const struct state *s, const struct cni_args *args,
		       struct err *e)
{
	AUTO(primary_done) struct primary p = {0};
	AUTO(sb_done) struct sb notes = SB_INIT;
	struct chain_env env = {
		.notes = &notes,
		.args = args,
		.environ = app->environ,
		.runtime_config = s->runtime_config ? jspan_of(s->runtime_config)
						    : app->conf->runtime_config,
		.prev_result = s->result ? jspan_of(s->result) : app->conf->prev_result,
		.deadline_ms = app->deadline_ms,
		.cancel_fd = app->stop_fd,
	};
	int64_t start = clock_now_us();
	int r;

	if (!s->delegate)
		return 0;
	if (primary_restore(s, &p, e) < 0)
		return -1;
	r = chain_del(p.chain, &env, e);
	step_done(app, CALL_PRIMARY, start);
	if (notes.len)
		log_warn("the primary's plugins", "notes", sb_get(&notes));
	return r;
}

/* 0: give the primary up. -1: not yet, and the state file knows since when. */
static int missing_binary(struct app *app, struct state *s, struct err *e)
{
	int64_t now = clock_wall_s();
	struct err why = *e, saving = {0};

	if (!s->missing_since || s->missing_since > now)
		s->missing_since = now;
	if (now - s->missing_since >= MISSING_SECONDS) {
		log_warn("the primary's binary is still missing: its part of DEL is skipped",
			 "container", s->container_id, "error", why.msg);
		return 0;
	}
	if (state_save(app->dir, s, &saving) < 0)
		log_warn("state not saved", "error", saving.msg);
	return err_set(e, ERR_AGAIN, 0, "the primary's DEL cannot run: %s", why.msg);
}

/* By name and MAC; the MAC of a card that was never finished is not known. */
static int start_card(int netns, const struct state *s, struct macvlan_deletion **out,
		      struct err *e)
{
	struct mac_addr mac;
	bool known = s->card_mac && mac_parse(s->card_mac, &mac) == 0;

	return macvlan_delete_start(netns, s->card, known ? &mac : NULL, out, e);
}

/* What is gone must not be taken away again: by then the address may be another pod's. */
static void forget_host(struct app *app, const struct state *s)
{
	struct err e = {0};

	if (state_save(app->dir, s, &e) < 0)
		log_warn("state not saved", "error", e.msg);
}

/* What stays because of a failure is taken out by the daemon: cookies are never another namespace's. */
static void leave_services(const struct app *app, int netns)
{
	struct err e = {0};

	if (netns >= 0 && entry_leave(netns, app->conf->services, &e) < 0)
		log_warn("the namespace stays among the Services' clients", "container",
			 app->args->container_id, "error", e.msg);
}

int del_attachment(struct app *app, struct state *s, struct err *e)
{
	AUTO(macvlan_deletion_free) struct macvlan_deletion *gone = NULL;
	AUTO(free) char *boot_id = state_boot_id();
	bool same_boot = str_eq(boot_id, s->boot_id ? s->boot_id : boot_id);
	bool had_host = same_boot && s->host.parent;
	struct err first = {0}, now = {0};
	AUTO(fd) int netns = -1;
	struct cni_args args;
	int64_t start;

	/* After a reboot the path, if it is there, is somebody else's. */
	if (same_boot)
		netns = open_netns(*app->args->netns ? app->args->netns : s->netns);
	leave_services(app, netns);
	args = merged_args(app, s, netns >= 0);
	/*
	 * Not in reverse order: the kernel removes links one after the other in the whole system, and answers each
	 * removal some 17 ms after the link has gone. Before the primary's, or beside it, the card's would cost
	 * those; behind it a child waits them out.
	 */
	if (del_primary(app, s, &args, &now) < 0 &&
	    (now.kind != ERR_NOT_FOUND || missing_binary(app, s, &now) < 0))
		note(&first, &now);
	err_clear(&now);
	start = clock_now_us();
	if (netns >= 0 && s->card && start_card(netns, s, &gone, &now) < 0)
		note(&first, &now);
	err_clear(&now);
	if (had_host && host_leave(app, s, &now) < 0)
		note(&first, &now);
	err_clear(&now);
	if (gone && macvlan_delete_wait(gone, clock_now_ms() + CARD_WAIT_MS, &now) < 0)
		note(&first, &now);
	else if (gone)
		step_done(app, CALL_CARD, start);
	if (first.kind) {
		if (had_host && !s->host.parent)
			forget_host(app, s);
		*e = first;
		return -1;
	}
	if (s->card && !s->parent && parent_recall(app->dir, s, e) < 0)
		return -1;
	return parent_release(app->dir, s, e);
}

/* A pod older than tandem, or one whose file was lost: the primary's conf as it is now. */
int del_without_state(struct app *app, struct err *e)
{
	AUTO(fd) int netns = open_netns(app->args->netns);
	AUTO(state_free) struct state *s = xcalloc(1, sizeof(*s));
	AUTO(primary_done) struct primary p = {0};
	struct err now = {0};

	if (primary_load(app, &p, e) < 0)
		return -1;
	s->container_id = xstrdup(app->args->container_id);
	s->ifname = xstrdup(app->args->ifname);
	s->network = xstrdup(app->conf->name);
	s->boot_id = state_boot_id();
	s->delegate = STEAL(p.text);
	if (app->conf->runtime_config.p)
		s->runtime_config =
			xmemdup(app->conf->runtime_config.p, app->conf->runtime_config.len);
	if (del_attachment(app, s, e) < 0)
		return -1;
	/* Only a macvlan is taken away; most pods of this kind have none. */
	if (netns >= 0 && (macvlan_delete(netns, "eth1", NULL, &now) < 0 ||
			   macvlan_delete(netns, app->args->ifname, NULL, &now) < 0)) {
		*e = now;
		return -1;
	}
	/* Strays end before the parent is let go, which they would hold, and this one's seat among them. */
	if (parent_recall(app->dir, s, e) < 0)
		return -1;
	if (strays_end(app->dir, &now) < 0)
		log_warn("what it may have left on the node is not removed yet", "error", now.msg);
	return parent_release(app->dir, s, e);
}

static int del_locked(struct app *app, struct err *e)
{
	AUTO(state_free) struct state *s = NULL;
	int64_t start = clock_now_us();
	bool damaged = false;
	int r = state_load(app->dir, app->args->container_id, app->args->ifname, &s, &damaged, e);

	if (r < 0) {
		log_warn("state file unreadable, going on without it", "error", e->msg);
		err_clear(e);
	}
	if (damaged)
		log_warn("damaged state file set aside", "container", app->args->container_id);
	app->call.card = s && s->card;
	step_done(app, CALL_STATE, start);
	return s ? del_attachment(app, s, e) : del_without_state(app, e);
}

static void log_deleted(const struct app *app, int64_t us)
{
	char all[24];

	snprintf(all, sizeof(all), "%" PRId64, us);
	log_info("DEL", "container", app->args->container_id, "total_us", all);
}

int plugin_del(struct app *app, struct err *e)
{
	int64_t start = clock_now_us();
	AUTO(fd) int lock = -1;

	if (state_lock(app->dir, app->args->container_id, app->deadline_ms, &lock, e) < 0) {
		/* A read-only disk must not keep a pod from ending. */
		if (e->kind != ERR_IO)
			return -1;
		log_warn("no lock, going on without it", "error", e->msg);
		err_clear(e);
	}
	/* What is left to wait for is over in seconds. */
	state_dir_set_stop_fd(app->dir, -1);
	if (del_locked(app, e) < 0)
		return -1;
	log_deleted(app, clock_now_us() - start);
	if (lock >= 0)
		state_unlock_remove(app->dir, app->args->container_id, &lock);
	return 0;
}
