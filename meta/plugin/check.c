/* SPDX-License-Identifier: Apache-2.0 */
/* CHECK: what the state file tells must still be true. */
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/ip.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "lib/cni/conf.h"
#include "lib/json/jwrite.h"
#include "lib/nl/netns.h"
#include "macvlan/check.h"
#include "macvlan/made.h"
#include "meta/plugin/app.h"
#include "meta/plugin/primary.h"
#include "meta/attachment/state.h"
#include "meta/plugin/step.h"

/* The card leads to this network now, whatever the primary's result said. */
static bool is_taken_over(struct jspan route, const char *made)
{
	struct jspan value = {0};
	AUTO(free) char *dst = NULL;
	struct ip_net net;

	jspan_find(route, "dst", &value);
	dst = jspan_decode(value);
	return dst && ip_net_parse(dst, &net) == 0 && made_routes_net(made, &net);
}

static void put_routes(struct jw *w, struct jspan routes, const char *made)
{
	struct jspan_iter it = jspan_begin(routes);
	struct jspan route;

	jw_arr(w);
	while (jspan_next_element(&it, &route)) {
		if (!is_taken_over(route, made))
			jw_raw(w, route);
	}
	jw_end(w);
}

/*
 * The primary's result as it stands since our card came: plugins look for the routes that their
 * result names, and those that were moved to the card are looked for by ourselves. Caller frees.
 */
static char *result_beside_card(const char *result, const char *made)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct jspan key, value;
	struct jspan_iter it;

	if (!made || jspan_type(jspan_of(result)) != JTYPE_OBJECT)
		return xstrdup(result);
	jw_obj(&w);
	for (it = jspan_begin(jspan_of(result)); jspan_next_member(&it, &key, &value);) {
		if (!jspan_is(key, "routes") || jspan_type(value) != JTYPE_ARRAY) {
			jw_raw_member(&w, key, value);
			continue;
		}
		jw_key(&w, "routes");
		put_routes(&w, value, made);
	}
	jw_end(&w);
	return sb_take(&sb);
}

static int check_chain(struct app *app, const struct chain *c, struct jspan runtime_config,
		       struct jspan prev, struct err *e)
{
	AUTO(sb_done) struct sb notes = SB_INIT;
	struct chain_env env = {
		.notes = &notes,
		.args = app->args,
		.environ = app->environ,
		.runtime_config = runtime_config,
		.prev_result = prev,
		.deadline_ms = app->deadline_ms,
		.cancel_fd = app->stop_fd,
	};
	int64_t start = clock_now_us();
	int r = chain_check(c, &env, e);

	step_done(app, CALL_PRIMARY, start);

	if (notes.len)
		log_warn("the primary's plugins", "notes", sb_get(&notes));
	return r;
}

/* A file of a version that did not note what was made knows name and MAC. */
static int check_card(const struct state *s, int netns, struct err *e)
{
	struct macvlan_check_card card = {.ifname = s->card};
	struct mac_addr mac;

	if (!s->card)
		return 0;
	if (s->made)
		return macvlan_check(netns, s->made, e);
	if (s->card_mac && mac_parse(s->card_mac, &mac) == 0)
		card.mac = &mac;
	return macvlan_check_card(netns, &card, e);
}

static int check_primary(struct app *app, const struct state *s, struct err *e)
{
	AUTO(primary_done) struct primary p = {0};
	AUTO(free) char *prev = NULL;

	if (!s->delegate)
		return 0;
	if (primary_restore(s, &p, e) < 0)
		return -1;
	prev = s->result ? result_beside_card(s->result, s->made) : NULL;
	return check_chain(app, p.chain, jspan_of(s->runtime_config),
			   prev ? jspan_of(prev) : app->conf->prev_result, e);
}

static int check_known(struct app *app, const struct state *s, int netns, struct err *e)
{
	AUTO(free) char *boot_id = state_boot_id();
	int64_t start = clock_now_us();

	if (!s->complete)
		return err_set(e, ERR_MISSING, 0, "the ADD of container %s is not finished",
			       s->container_id);
	if (s->boot_id && !str_eq(boot_id, s->boot_id))
		return err_set(e, ERR_MISSING, 0, "container %s is older than the node's last boot",
			       s->container_id);
	app->call.card = s->card != NULL;
	if (check_card(s, netns, e) < 0)
		return err_wrap(e, "card %s", s->card);
	step_done(app, CALL_CARD, start);
	return check_primary(app, s, e);
}

/* A pod older than tandem, or one whose file was lost. */
static int check_unknown(struct app *app, int netns, struct err *e)
{
	const struct macvlan_check_card card = {.ifname = "eth1", .optional = true};
	AUTO(primary_done) struct primary p = {0};

	if (macvlan_check_card(netns, &card, e) < 0)
		return err_wrap(e, "card %s", card.ifname);
	if (primary_load(app, &p, e) < 0)
		return -1;
	return check_chain(app, p.chain, app->conf->runtime_config, app->conf->prev_result, e);
}

static int check_locked(struct app *app, int netns, bool *out_known, struct err *e)
{
	AUTO(state_free) struct state *s = NULL;
	bool damaged = false;

	if (state_load(app->dir, app->args->container_id, app->args->ifname, &s, &damaged, e) < 0) {
		log_warn("state file unreadable, going on without it", "error", e->msg);
		err_clear(e);
	}
	if (damaged)
		log_warn("damaged state file set aside", "container", app->args->container_id);
	*out_known = s != NULL;
	return s ? check_known(app, s, netns, e) : check_unknown(app, netns, e);
}

int plugin_check(struct app *app, struct err *e)
{
	AUTO(fd) int netns = -1;
	AUTO(fd) int lock = -1;
	bool known = true;
	int r;

	if (netns_open(app->args->netns, &netns, e) < 0)
		return -1;
	if (state_lock(app->dir, app->args->container_id, app->deadline_ms, &lock, e) < 0) {
		if (e->kind != ERR_IO)
			return -1;
		log_warn("no lock, going on without it", "error", e->msg);
		err_clear(e);
	}
	r = check_locked(app, netns, &known, e);
	/* Whose container has no file had no lock either. */
	if (!known && lock >= 0)
		state_unlock_remove(app->dir, app->args->container_id, &lock);
	return r;
}
