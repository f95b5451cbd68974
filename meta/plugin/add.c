/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "api/annotations.h"
#include "api/ip.h"
#include "api/master.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/base/undo.h"
#include "lib/cni/args.h"
#include "lib/cni/conf.h"
#include "lib/cni/print.h"
#include "lib/cni/result.h"
#include "lib/nl/link_type.h"
#include "lib/nl/netns.h"
#include "macvlan/apply.h"
#include "macvlan/detect.h"
#include "meta/plugin/app.h"
#include "meta/plugin/card.h"
#include "meta/plugin/conflict.h"
#include "meta/plugin/del.h"
#include "meta/plugin/host.h"
#include "meta/masters/masters.h"
#include "meta/attachment/parent.h"
#include "meta/plugin/pod.h"
#include "meta/plugin/primary.h"
#include "meta/plugin/record.h"
#include "meta/attachment/state.h"
#include "meta/plugin/step.h"
#include "meta/plugin/stop.h"
#include "services/entry/pod.h"

/*
 * Taking things back needs time as well. So the primary is given less than the whole, by a quarter of it or this
 * much; and whatever it does, no plugin of its carries an ADD further past the deadline than that.
 */
#define ROLLBACK_MS 4000
#define OVERTIME_MS 500

/* One ADD on its way. */
struct add {
	struct app *app;
	struct pod pod;
	struct api_request request;
	int netns;
	struct primary primary;
	struct chain_env env;
	struct primary_add *running;
	struct state *state;
	struct api_ip *ip;
	struct card card;
	struct macvlan_link *link;
	struct undo undo;
	struct sb notes;                     /* of the delegates */
	int64_t api_us, primary_us, card_us; /* when each was through, since the start */
	int64_t start_us;
};

static void add_done(struct add *a)
{
	primary_add_free(a->running);
	pod_done(&a->pod);
	api_request_done(&a->request);
	fd_auto(&a->netns);
	primary_done(&a->primary);
	state_free(a->state);
	api_ip_free(a->ip);
	card_done(&a->card);
	macvlan_link_free(a->link);
	undo_done(&a->undo);
	sb_done(&a->notes);
}
DEFINE_AUTO_VALUE(struct add, add_done)

static bool is_single(const struct add *a)
{
	return a->request.wanted && str_eq(a->request.interface, "eth0");
}

static int64_t since_start(const struct add *a)
{
	return clock_now_us() - a->start_us;
}

static int64_t rollback_deadline(const struct app *app)
{
	int64_t end = clock_now_ms() + ROLLBACK_MS, last = app->deadline_ms + OVERTIME_MS;

	return end < last ? end : last;
}

static int64_t primary_deadline(const struct app *app)
{
	int64_t share = app->conf->deadline_s * 1000L / 4;

	return app->deadline_ms - (share < ROLLBACK_MS ? share : ROLLBACK_MS);
}

static int undo_primary(void *ctx, struct err *e)
{
	struct add *a = ctx;

	a->env.deadline_ms = rollback_deadline(a->app);
	a->env.cancel_fd = -1;
	a->env.prev_result = a->state->result ? jspan_of(a->state->result) : (struct jspan){0};
	return chain_del(a->primary.chain, &a->env, e);
}

static int undo_card(void *ctx, struct err *e)
{
	struct add *a = ctx;

	return a->link ? macvlan_rollback(a->link, e) : 0;
}

static int undo_host(void *ctx, struct err *e)
{
	struct add *a = ctx;

	return host_leave(a->app, a->state, e);
}

/* What an ADD of this container that was killed has left; a finished one must be deleted first. */
static int clear_remains(struct add *a, struct err *e)
{
	struct app *app = a->app;
	AUTO(state_free) struct state *old = NULL;
	AUTO(free) char *boot_id = NULL;
	bool damaged = false;
	int r = state_load(app->dir, app->args->container_id, app->args->ifname, &old, &damaged, e);

	if (damaged)
		log_warn("damaged state file set aside", "container", app->args->container_id);
	if (r <= 0)
		return r;
	boot_id = state_boot_id();
	if (old->complete && str_eq(old->boot_id, boot_id))
		return err_set(e, ERR_CONFIG, 0, "container %s has an interface %s already",
			       old->container_id, old->ifname);
	log_warn("undoing an unfinished ADD", "container", old->container_id);
	return del_attachment(app, old, e);
}

static void fill_state(struct add *a)
{
	const struct cni_args *args = a->app->args;
	const struct cni_conf *conf = a->app->conf;
	struct state *s = xcalloc(1, sizeof(*s));

	s->container_id = xstrdup(args->container_id);
	s->ifname = xstrdup(args->ifname);
	s->netns = xstrdup(args->netns);
	s->cni_args = xstrdup(args->cni_args);
	s->cni_version = xstrdup(cni_version_name(conf->version));
	s->network = xstrdup(conf->name);
	s->boot_id = state_boot_id();
	s->delegate = xstrdup(a->primary.text);
	if (conf->runtime_config.p)
		s->runtime_config = xmemdup(conf->runtime_config.p, conf->runtime_config.len);
	if (a->request.wanted)
		s->card = xstrdup(is_single(a) ? args->ifname : a->request.interface);
	a->state = s;
}

static int start_primary(struct add *a, struct err *e)
{
	/* From here on even a failed ADD of the primary wants its DEL. */
	undo_push(&a->undo, "the primary's ADD", undo_primary, a);
	return primary_add_start(a->primary.chain, &a->env, &a->running, e);
}

static void keep_results(struct add *a, const struct chain_results *r)
{
	struct state *s = a->state;
	size_t i;

	a->primary_us = since_start(a);
	s->plugin_results = xcalloc(r->n, sizeof(char *));
	for (i = 0; i < r->n; i++)
		s->plugin_results[s->n_plugin_results++] = xstrdup(r->v[i]);
	s->result = r->n ? xstrdup(r->v[r->n - 1]) : NULL;
}

static int join_primary(struct add *a, struct err *e)
{
	const struct chain_results *results;

	if (primary_add_join(a->running, &results, e) < 0)
		return -1;
	step_took(a->app, CALL_PRIMARY, primary_add_us(a->running));
	keep_results(a, results);
	return 0;
}

static int cancel_fd(const struct add *a)
{
	return a->running ? primary_add_over_fd(a->running) : a->app->stop_fd;
}

/* The first record, or another than the one that there is. */
static int wait_for_record(struct add *a, struct err *e)
{
	struct record_want want = {&a->pod, a->state, cancel_fd(a)};
	int64_t start = clock_now_us();

	if (pod_need_uid(a->app, &a->pod, e) < 0)
		return -1;
	if (record_wait(a->app, &want, &a->ip, e) < 0) {
		if (e->kind == ERR_AGAIN)
			state_hint_set(a->app->dir, a->pod.uid);
		if (!a->request.subnet)
			err_wrap(e,
				 "there is no primary here (delegate is none), and the pod has "
				 "no annotation " API_ANNOTATION_SUBNET
				 ", the conf no defaultSubnet; set one, or annotate the namespace");
		return -1;
	}
	a->api_us = since_start(a);
	step_done(a->app, CALL_RECORD, start);
	return 0;
}

static int wrap_card(const struct add *a, struct err *e)
{
	masters_wrap(&a->ip->network, a->app->conf->masters_file, &a->card.m, e);
	return err_wrap(e, "card %s of pod %s/%s", a->card.m.ifname, a->pod.ns, a->pod.name);
}

static int make_link(struct add *a, struct err *e)
{
	const struct io_limit limit = app_read_limit(a->app);
	char told[API_MASTER_TEXT];
	struct parent_claim claim = {.card = &a->card.m,
				     .told = api_master_text(&a->ip->network, told),
				     .ns = a->pod.ns,
				     .pod = a->pod.name,
				     .deadline_ms = a->app->deadline_ms};
	int64_t start = clock_now_us();

	card_done(&a->card);
	card_fill(a->ip, &a->request, a->app->conf, a->app->args->ifname, &a->card);
	undo_push(&a->undo, "the card", undo_card, a);
	if (card_check(&a->card, e) < 0 ||
	    masters_choose(&a->ip->network, a->app->conf->masters_file, &limit, &a->card.m, e) <
		    0 ||
	    parent_claim(a->app->dir, a->state, &claim, e) < 0 ||
	    macvlan_create(&a->card.m, a->netns, a->app->deadline_ms, &a->link, e) < 0)
		return wrap_card(a, e);
	macvlan_link_set_cancel_fd(a->link, a->app->stop_fd);
	step_done(a->app, CALL_CARD, start);
	return 0;
}

/* The next address may be in another network: its card is made again. */
static int drop_link(struct add *a, struct err *e)
{
	int r = macvlan_rollback(a->link, e);

	if (r == 0)
		macvlan_link_free(STEAL(a->link));
	return r < 0 ? wrap_card(a, e) : 0;
}

/* Until nobody else has the address: each time the controller gives the pod another. */
static int find_free_address(struct add *a, struct err *e)
{
	const struct macvlan_patience patience = {a->app->deadline_ms, cancel_fd(a)};
	struct macvlan_rival rival = {0};
	int r;

	if (!a->card.m.detect)
		return 0;
	while ((r = macvlan_detect(a->link, &a->card.m, &patience, &rival, e)) > 0) {
		if (conflict_tell(a->app, a->ip, &rival, e) < 0 || drop_link(a, e) < 0 ||
		    wait_for_record(a, e) < 0 || make_link(a, e) < 0)
			return -1;
		if (!a->card.m.detect)
			return 0;
	}
	return r < 0 ? wrap_card(a, e) : conflict_clear(a->app, a->ip, e);
}

/* Not before the address is known to be free: the node's route to it would cut another machine off. */
static int join_host(struct add *a, struct err *e)
{
	undo_push(&a->undo, "the node's side", undo_host, a);
	return host_join(a->app, a->state, a->link, &a->card, e) < 0 ? wrap_card(a, e) : 0;
}

/* For where no route of the primary's names its gateway. What cannot be read is refused when the result is made. */
static void take_primary_gateways(struct add *a)
{
	AUTO(cni_result_free) struct cni_result *r = NULL;
	struct err ignored = {0};
	size_t i;

	if (is_single(a) || !a->state->result ||
	    cni_result_parse("result of the primary", jspan_of(a->state->result),
			     chain_version(a->primary.chain), &r, &ignored) < 0)
		return;
	for (i = 0; i < r->n_ips; i++) {
		const struct ip_addr *gw = &r->ips[i].gateway;
		struct ip_addr *to = gw->family == AF_INET6 ? &a->card.m.primary_gateway6
							    : &a->card.m.primary_gateway;

		if (ip_is_set(gw) && !ip_is_set(to))
			*to = *gw;
	}
}

static int configure_link(struct add *a, struct err *e)
{
	AUTO(sb_done) struct sb made = SB_INIT;
	int64_t start = clock_now_us(), announce;
	char mac[MAC_ADDR_LEN];
	struct mac_addr used;

	take_primary_gateways(a);
	if (macvlan_configure(a->link, &a->card.m, a->app->deadline_ms, e) < 0 ||
	    macvlan_link_made(a->link, &a->card.m, &made, e) < 0)
		return wrap_card(a, e);
	used = macvlan_link_mac(a->link);
	a->state->card_mac = xstrdup(mac_format(&used, mac));
	a->state->made = sb_take(&made);
	a->state->mode = xstrdup(nl_link_mode_get(a->card.m.mode)->name);
	a->card_us = since_start(a);
	announce = macvlan_link_announce_us(a->link);
	step_took(a->app, CALL_ROUTES, clock_now_us() - start - announce);
	step_took(a->app, CALL_ANNOUNCE, announce);
	return 0;
}

/* The address and the link, while the primary works; its failure is the one that is told. */
static int make_card(struct add *a, struct err *e)
{
	struct err primary = {0};
	int r = 0;

	if (!a->ip)
		r = wait_for_record(a, e);
	if (r == 0)
		r = make_link(a, e);
	if (r == 0)
		r = find_free_address(a, e);
	if (r == 0)
		r = join_host(a, e);
	if (r < 0 && e->kind == ERR_CANCELLED && join_primary(a, &primary) < 0)
		*e = primary;
	return r;
}

static int add_annotated(struct add *a, struct err *e)
{
	/* Without a primary to overlap with, or after a try that failed for want of an address: ask first. */
	bool ask_first = is_single(a) || state_hint_is_set(a->app->dir, a->pod.uid);

	if (ask_first && wait_for_record(a, e) < 0)
		return -1;
	/* It may have been a conflict: so ask the LAN first, too. */
	if (ask_first && a->ip->network.conflict_detection == API_SWITCH_ON && make_card(a, e) < 0)
		return -1;
	if (!is_single(a) && start_primary(a, e) < 0)
		return -1;
	if (!a->link && make_card(a, e) < 0)
		return -1;
	if (a->running && join_primary(a, e) < 0)
		return -1;
	if (configure_link(a, e) < 0)
		return -1;
	state_hint_clear(a->app->dir, a->pod.uid);
	return 0;
}

static int add_plain(struct add *a, struct err *e)
{
	AUTO(chain_results_done) struct chain_results results = {0};
	int64_t start = clock_now_us();

	undo_push(&a->undo, "the primary's ADD", undo_primary, a);
	if (chain_add(a->primary.chain, &a->env, &results, e) < 0)
		return -1;
	step_done(a->app, CALL_PRIMARY, start);
	keep_results(a, &results);
	return 0;
}

static const struct ip_addr *result_gateway(const struct macvlan_card *m,
					    const struct macvlan_route *r)
{
	static const struct ip_addr none;

	if (r->onlink)
		return &none;
	if (ip_is_set(&r->gw))
		return &r->gw;
	return r->dst.addr.family == m->gateway6.family ? &m->gateway6 : &m->gateway;
}

/* The card is the pod's only one: the result is ours to tell, after that of a plugin before us. */
static int card_result(const struct add *a, struct cni_result **out, struct err *e)
{
	AUTO(cni_result_free) struct cni_result *r = NULL;
	const struct macvlan_card *m = &a->card.m;
	size_t i, index;

	if (cni_result_parse("prevResult", a->app->conf->prev_result, a->app->conf->version, &r,
			     e) < 0)
		return -1;
	index = cni_result_add_interface(r, m->ifname, a->state->card_mac, a->app->args->netns);
	cni_result_add_ip(r, &m->addr, &m->gateway, (int)index);
	if (ip_is_set(&m->addr6.addr))
		cni_result_add_ip(r, &m->addr6, &m->gateway6, (int)index);
	for (i = 0; i < m->n_routes; i++)
		cni_result_add_route(r, &m->routes[i].dst, result_gateway(m, &m->routes[i]));
	*out = STEAL(r);
	return 0;
}

static int make_result(const struct add *a, struct cni_result **out, struct err *e)
{
	AUTO(cni_result_free) struct cni_result *result = NULL;

	if (is_single(a))
		return card_result(a, out, e);
	/* The primary's alone: a runtime takes every address in a result for one of the pod's IPs. */
	if (cni_result_parse("result of the primary",
			     a->state->result ? jspan_of(a->state->result) : (struct jspan){0},
			     chain_version(a->primary.chain), &result, e) < 0)
		return -1;
	if (!result->n_ips)
		return err_set(e, ERR_DECODE, 0, "result of the primary (%s): no address",
			       chain_name(a->primary.chain));
	*out = STEAL(result);
	return 0;
}

static int undo_entry(void *ctx, struct err *e)
{
	const struct add *a = ctx;

	return entry_leave(a->netns, a->app->conf->services, e);
}

/* Which ClusterIPs its sockets see. Never a reason to fail: without it they are the cluster's own proxy's. */
static void enter_services(struct add *a)
{
	struct err e = {0};

	undo_push(&a->undo, "its place among the Services", undo_entry, a);
	if (entry_enter(a->state, a->netns, a->app->conf->services, &e) < 0)
		log_warn("ClusterIPs are not translated as its card wants", "container",
			 a->app->args->container_id, "error", e.msg);
}

static int finish(struct add *a, struct err *e)
{
	AUTO(cni_result_free) struct cni_result *result = NULL;
	int64_t start = clock_now_us();

	if (make_result(a, &result, e) < 0)
		return -1;
	/* From here on it is done, and says so. */
	if (stop_check(a->app->stop_fd, e) < 0)
		return -1;
	a->state->complete = true;
	a->state->pod_uid = *a->pod.uid ? xstrdup(a->pod.uid) : NULL;
	if (state_save(a->app->dir, a->state, e) < 0)
		return -1;
	enter_services(a);
	if (cni_result_print(result, a->app->conf->version, e) < 0)
		return -1;
	step_done(a->app, CALL_RESULT, start);
	return 0;
}

static void log_added(const struct add *a)
{
	char api[24], primary[24], card[24], all[24], addr[IP_NET_LEN] = "";

	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	snprintf(api, sizeof(api), "%" PRId64, a->api_us);
	snprintf(primary, sizeof(primary), "%" PRId64, a->primary_us);
	snprintf(card, sizeof(card), "%" PRId64, a->card_us);
	snprintf(all, sizeof(all), "%" PRId64, since_start(a));
	if (a->ip)
		ip_net_format(&a->ip->cidr, addr);
	log_info("ADD", "container", a->app->args->container_id, "namespace", a->pod.ns, "pod",
		 a->pod.name, "card", a->state->card, "address", addr, "mac", a->state->card_mac,
		 "primary_us", primary, "api_us", api, "card_us", card, "total_us", all);
}

/* Undo in reverse; the state file stays when something could not be undone, for DEL to try again. */
static void roll_back(struct add *a)
{
	struct err e = {0};

	primary_add_free(STEAL(a->running));
	state_dir_set_stop_fd(a->app->dir, -1);
	if (undo_run(&a->undo, &e) < 0 && e.kind != ERR_NOT_FOUND) {
		a->state->complete = false;
		log_warn("the rest is left for DEL to undo", "container",
			 a->app->args->container_id, "error", e.msg);
		return;
	}
	err_clear(&e);
	if (parent_release(a->app->dir, a->state, &e) < 0)
		log_warn("state file not removed", "error", e.msg);
}

/* The runtime runs several confs for a pod, and another one is the first. */
static int check_first(const struct add *a, struct err *e)
{
	const char *ifname = a->app->args->ifname;

	if (!a->request.wanted || is_single(a) || !str_eq(a->request.interface, ifname))
		return 0;
	return err_set(
		e, ERR_CONFIG, 0,
		"the runtime runs this conf for interface %s, which is the card's own: another "
		"conf stands before it; it must be the first, and the only one (max_conf_num "
		"1 in containerd's configuration)",
		ifname);
}

static int add_locked(struct add *a, struct err *e)
{
	struct app *app = a->app;
	int64_t start = clock_now_us();
	int r;

	if (clear_remains(a, e) < 0 || pod_request(app, &a->pod, &a->request, e) < 0 ||
	    check_first(a, e) < 0)
		return -1;
	app->call.card = a->request.wanted;
	step_done(app, CALL_ANNOTATIONS, start);
	if (!is_single(a) && primary_load(app, &a->primary, e) < 0)
		return -1;
	a->env = (struct chain_env){
		.args = app->args,
		.environ = app->environ,
		.runtime_config = app->conf->runtime_config,
		.prev_result = app->conf->prev_result,
		.deadline_ms = primary_deadline(app),
		.cancel_fd = app->stop_fd,
		.notes = &a->notes,
	};
	fill_state(a);
	if (state_save(app->dir, a->state, e) < 0)
		return -1;
	r = a->request.wanted ? add_annotated(a, e) : add_plain(a, e);
	if (r == 0)
		r = finish(a, e);
	if (r == 0)
		log_added(a);
	else
		roll_back(a);
	if (a->notes.len)
		log_warn("the primary's plugins", "notes", sb_get(&a->notes));
	return r;
}

/* Nobody would learn the result. A pipe that breaks later is found when the result is written. */
static int check_output(struct err *e)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY)
		return 0;
	return err_set(e, ERR_IO, EBADF, "standard output is closed: the result could not be told");
}

int plugin_add(struct app *app, struct err *e)
{
	AUTO(add_done) struct add a = {.app = app, .netns = -1, .start_us = clock_now_us()};
	AUTO(fd) int lock = -1;

	if (check_output(e) < 0 || pod_from_args(app->args->cni_args, &a.pod, e) < 0 ||
	    netns_open(app->args->netns, &a.netns, e) < 0 ||
	    state_lock(app->dir, app->args->container_id, app->deadline_ms, &lock, e) < 0)
		return -1;
	if (add_locked(&a, e) == 0)
		return 0;
	state_unlock_remove(app->dir, app->args->container_id, &lock);
	return -1;
}
