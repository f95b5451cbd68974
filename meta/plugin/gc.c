/* SPDX-License-Identifier: Apache-2.0 */
/* GC: what the runtime no longer counts among its attachments is ended as DEL ends it. */
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "lib/cni/conf.h"
#include "lib/json/jread.h"
#include "meta/plugin/app.h"
#include "meta/plugin/del.h"
#include "meta/plugin/primary.h"
#include "meta/attachment/state.h"
#include "meta/plugin/stop.h"
#include "meta/attachment/strays.h"
#include "meta/attachment/sweep.h"

/* One that hangs must not keep the others from their turn, nor be cut off by their number. */
#define TURN_MIN_MS 2000

struct gc {
	struct app *app;
	struct timespec start;
	struct sweep_list valid; /* what the runtime has */
	struct sweep_list ours;
	struct err first; /* failure; the number of all is in failed */
	size_t ended, failed;
};

static void gc_done(struct gc *g)
{
	sweep_list_done(&g->valid);
	sweep_list_done(&g->ours);
}
DEFINE_AUTO_VALUE(struct gc, gc_done)

static void note(struct gc *g, const struct err *now)
{
	if (!g->failed++)
		g->first = *now;
	else
		log_warn("a further failure", "command", "GC", "error", now->msg);
}

static int take_valid(struct gc *g, const struct jval *item, struct err *e)
{
	const char *id, *ifname;
	struct sweep_list *l = &g->valid;

	if (jas_obj(item, e) < 0 || jneed_str(item, "containerID", &id, e) < 0 ||
	    jneed_str(item, "ifname", &ifname, e) < 0)
		return -1;
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct sweep_entry){xstrdup(id), xstrdup(ifname), false};
	return 0;
}

/* Read to its end before anything is done: half a list would end what is alive. */
static int read_valid(struct gc *g, struct err *e)
{
	struct jspan text = g->app->conf->valid_attachments;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root, item;
	struct jiter it;

	if (!text.p)
		return err_set(e, ERR_CONFIG, 0,
			       "GC needs the conf key \"cni.dev/valid-attachments\"");
	if (jdoc_parse("cni.dev/valid-attachments", text.p, text.len, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	for (it = jiter_of(&root); jiter_next(&it, &item);) {
		if (take_valid(g, &item, e) < 0)
			return -1;
	}
	return 0;
}

static bool is_valid(const struct gc *g, const struct sweep_entry *a)
{
	size_t i;

	for (i = 0; i < g->valid.n; i++) {
		if (str_eq(g->valid.v[i].container_id, a->container_id) &&
		    str_eq(g->valid.v[i].ifname, a->ifname))
			return true;
	}
	return false;
}

/* The same call, as if it were the DEL of this attachment. */
struct turn {
	struct app app;
	struct cni_args args;
};

static void turn_of(const struct gc *g, const struct sweep_entry *a, size_t left, struct turn *t)
{
	static char none[] = "";
	int64_t now = clock_now_ms(), all = clock_left_ms(g->app->deadline_ms);
	int64_t ms = left ? all / (int64_t)left : all;

	if (ms < TURN_MIN_MS)
		ms = all < TURN_MIN_MS ? all : TURN_MIN_MS;
	t->args = (struct cni_args){.command = CNI_DEL,
				    .container_id = a->container_id,
				    .netns = none,
				    .ifname = a->ifname,
				    .cni_args = none,
				    .path = g->app->args->path};
	t->app = *g->app;
	t->app.args = &t->args;
	t->app.deadline_ms = now + ms;
}

/* 1 ended, 0 not ours to end, -1. Under the container's lock. */
static int end_locked(struct gc *g, struct app *app, const struct sweep_entry *a, struct err *e)
{
	AUTO(state_free) struct state *s = NULL;
	bool damaged = false;

	/* An ADD that began before the list was made may have ended since. */
	if (sweep_is_newer(app->dir, a, &g->start))
		return 0;
	if (state_load(app->dir, a->container_id, a->ifname, &s, &damaged, e) < 0)
		return -1;
	if (s && !str_eq(s->network, app->conf->name))
		return 0;
	if (s)
		return del_attachment(app, s, e) < 0 ? -1 : 1;
	/* Gone meanwhile; or a damaged one, of which the name is all that is known. */
	if ((damaged || a->damaged) &&
	    (del_without_state(app, e) < 0 || sweep_remove_damaged(app->dir, a, e) < 0))
		return -1;
	return state_remove(app->dir, a->container_id, a->ifname, e) < 0 ? -1 : 1;
}

static void end_one(struct gc *g, const struct sweep_entry *a, size_t left)
{
	AUTO(fd) int lock = -1;
	struct err e = {0};
	struct turn t;
	int r;

	turn_of(g, a, left, &t);
	/* Whoever holds it is at work on this very attachment. */
	if (state_lock(t.app.dir, a->container_id, clock_now_ms(), &lock, &e) < 0) {
		if (e.kind == ERR_AGAIN)
			log_info("left alone: another call is at work on it", "command", "GC",
				 "container", a->container_id);
		else
			note(g, &e);
		return;
	}
	r = end_locked(g, &t.app, a, &e);
	if (r < 0) {
		err_wrap(&e, "container %s, interface %s", a->container_id, a->ifname);
		note(g, &e);
	}
	if (r <= 0)
		return;
	g->ended++;
	log_info("ended", "command", "GC", "container", a->container_id, "interface", a->ifname);
	state_unlock_remove(t.app.dir, a->container_id, &lock);
}

static void end_all(struct gc *g)
{
	struct err stopped = {0};
	size_t i, n = 0;

	for (i = 0; i < g->ours.n; i++) {
		if (!is_valid(g, &g->ours.v[i]))
			n++;
	}
	for (i = 0; i < g->ours.n && !stop_asked(g->app->stop_fd); i++) {
		if (!is_valid(g, &g->ours.v[i]))
			end_one(g, &g->ours.v[i], n--);
	}
	if (stop_check(g->app->stop_fd, &stopped) < 0)
		note(g, &stopped);
}

static int forward(struct app *app, struct err *e)
{
	AUTO(primary_done) struct primary p = {0};
	AUTO(sb_done) struct sb notes = SB_INIT;
	struct chain_env env = {
		.args = app->args,
		.environ = app->environ,
		.deadline_ms = app->deadline_ms,
		.cancel_fd = app->stop_fd,
		.valid_attachments = app->conf->valid_attachments,
		.notes = &notes,
	};
	int r;

	if (primary_load(app, &p, e) < 0)
		return -1;
	r = chain_gc(p.chain, &env, e);
	if (notes.len)
		log_warn("the primary's plugins", "notes", sb_get(&notes));
	return r;
}

int plugin_gc(struct app *app, struct err *e)
{
	AUTO(gc_done) struct gc g = {.app = app};
	struct err now = {0};

	clock_gettime(CLOCK_REALTIME, &g.start);
	if (read_valid(&g, e) < 0)
		return -1;
	if (sweep_list_read(app->dir, &g.ours, &now) < 0)
		note(&g, &now);
	end_all(&g);
	err_clear(&now);
	if (strays_end(app->dir, &now) < 0)
		note(&g, &now);
	err_clear(&now);
	if (forward(app, &now) < 0)
		note(&g, &now);
	sweep_leftovers(app->dir);
	if (!g.failed)
		return 0;
	*e = g.first;
	return g.failed > 1 ? err_wrap(e, "%zu failures, the first", g.failed) : -1;
}
