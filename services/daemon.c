/* SPDX-License-Identifier: Apache-2.0 */
#include "services/daemon.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/daemon/loop.h"
#include "lib/kube/client.h"
#include "lib/kube/config.h"
#include "lib/metrics/server.h"
#include "services/daemon_int.h"
#include "services/entry/entry.h"
#include "services/tool.h"

#define TICK_MS 10000
/* The API server is heard of at least so often while it is there: see kube_reflector_age_ms(). */
#define FRESH_MS 90000

static void daemon_done(struct daemon *d)
{
	sync_free(d->sync);
	watch_free(d->watch);
	pods_free(d->pods);
	metrics_server_free(d->metrics);
	kube_client_free(d->client);
	loop_free(d->loop);
	free(d->dir);
	free(d->trouble);
}
DEFINE_AUTO_VALUE(struct daemon, daemon_done)

/* Said once, as long as it is the same. */
static void trouble(struct daemon *d, const char *reason, const struct err *e)
{
	if (d->trouble && str_eq(d->trouble, e->msg))
		return;
	free(d->trouble);
	d->trouble = xstrdup(e->msg);
	log_error("no ClusterIP is translated", "error", e->msg);
	daemon_event(d, reason, e->msg);
}

/* ------------------------------------------------------------------------------- the programs */
static int have_loaded(struct daemon *d, struct err *e)
{
	const struct tool_options o = {.where = d->o->where,
				       .udp = d->o->udp,
				       .host = d->o->host,
				       .no_endpoints = d->o->no_endpoints};

	return tool_load_again(&o, e);
}

static int begin_sync(struct daemon *d, struct err *e)
{
	const struct sync_options o = {
		.dir = d->dir, .netns_dir = d->o->netns_dir, .tell = daemon_tell, .ctx = d};

	if (have_loaded(d, e) < 0 || sync_new(&o, d->watch, &d->sync, e) < 0)
		return -1;
	d->pods_ms = clock_now_ms();
	d->strangers = true;
	watch_mark_all(d->watch);
	free(STEAL(d->trouble));
	log_info("the socket programs are attached", "pins", d->dir);
	return 0;
}

/* Somebody has removed a pin, or another daemon's upgrade has replaced them: begin again. */
static void check_loaded(struct daemon *d)
{
	struct load_state state = {0};
	struct err e = {0};

	d->tick_ms = clock_now_ms() + TICK_MS;
	if (load_look(&d->o->where, &state, &e) == 0 && state.attached == LOAD_HOOKS &&
	    state.maps && d->sync) {
		load_state_done(&state);
		return;
	}
	load_state_done(&state);
	err_clear(&e);
	/* What it has placed is forgotten with it. */
	sync_free(STEAL(d->sync));
	watch_forget_placed(d->watch);
	if (begin_sync(d, &e) < 0) {
		sync_free(STEAL(d->sync));
		trouble(d, "ServicesNotTranslated", &e);
	}
}

/* ------------------------------------------------------------------------------- what is due */
static void note_time(struct daemon *d)
{
	int64_t now = clock_now_ms(), age = watch_age_ms(d->watch, now);
	bool off = d->o->stale_ms && d->complete && age > d->o->stale_ms;
	struct err e = {0};

	if (age >= 0 && age < FRESH_MS)
		d->synced_s = (uint64_t)clock_wall_s();
	if (off != d->off) {
		log_warn(off ? "the API server has been away for too long: nothing is translated"
			     : "the API server is back: ClusterIPs are translated again");
		d->off = off;
	}
	if (sync_set_state(d->sync, d->synced_s, off, &e) < 0)
		log_warn("the state cannot be written", "error", e.msg);
}

static void run_sync(struct daemon *d)
{
	struct err e = {0};

	sync_run(d->sync, &d->sync_ms);
	if (!d->strangers)
		return;
	if (sync_remove_strangers(d->sync, &e) < 0)
		log_warn("what an earlier daemon has left stays", "error", e.msg);
	d->strangers = false;
	note_time(d);
}

static void run_pods(struct daemon *d)
{
	struct err e = {0};

	d->pods_ms = clock_now_ms() + d->o->sweep_ms;
	if (pods_run(d->pods, &e) < 0)
		log_warn("the pods' state files cannot be read", "error", e.msg);
}

static void locked(struct daemon *d, bool tick)
{
	AUTO(fd) int lock = -1;
	struct err e = {0};
	int64_t now = clock_now_ms();

	if (tool_lock(d->o->lock, &lock, &e) < 0) {
		log_warn("the maps are left as they are", "error", e.msg);
		d->tick_ms = now + TICK_MS;
		return;
	}
	if (tick)
		check_loaded(d);
	if (!d->sync)
		return;
	if (d->complete)
		run_sync(d);
	if (d->pods_ms <= now)
		run_pods(d);
	if (tick && d->complete)
		note_time(d);
}

static void do_what_is_due(struct daemon *d)
{
	int64_t now = clock_now_ms(), watch_ms = 0, queue_ms;
	bool tick;

	watch_run(d->watch, &watch_ms);
	if (!d->complete && watch_is_complete(d->watch)) {
		d->complete = true;
		watch_mark_all(d->watch);
		log_info("the cluster's Services are known");
	}
	tick = d->tick_ms <= now;
	queue_ms = kube_queue_next_ms(watch_queue(d->watch));
	if (tick || (d->sync && d->pods_ms <= now) ||
	    (d->sync && d->complete && (d->strangers || (queue_ms && queue_ms <= now))))
		locked(d, tick);
	queue_ms = d->sync && d->complete ? kube_queue_next_ms(watch_queue(d->watch)) : 0;
	d->next_ms = clock_earlier_ms(clock_earlier_ms(d->tick_ms, watch_ms), queue_ms);
	if (d->sync)
		d->next_ms = clock_earlier_ms(d->next_ms, d->pods_ms);
}

/* ------------------------------------------------------------------------------- beginning */
static int api_ready(void *ctx, struct err *e)
{
	struct daemon *d = ctx;

	return kube_client_dispatch(d->client, e);
}

static int metrics_ready(void *ctx, struct err *e)
{
	struct daemon *d = ctx;

	return metrics_server_dispatch(d->metrics, e);
}

static int connect_api(struct daemon *d, struct err *e)
{
	AUTO(kube_config_free) struct kube_config *cfg = NULL;
	struct kube_client_options opt = {
		.user_agent = "tandem-services/" TANDEM_VERSION,
		.max_connections = 4,
	};
	int rc = kube_config_of(d->o->kubeconfig, &cfg, e);

	return rc < 0 ? -1 : kube_client_new(cfg, &opt, &d->client, e);
}

static int start(struct daemon *d, struct err *e)
{
	if (loop_new(&d->loop, e) < 0 || connect_api(d, e) < 0 ||
	    metrics_server_new(d->o->metrics, daemon_metrics, d, &d->metrics, e) < 0 ||
	    loop_add(d->loop, kube_client_fd(d->client), api_ready, d, e) < 0 ||
	    (d->metrics &&
	     loop_add(d->loop, metrics_server_fd(d->metrics), metrics_ready, d, e) < 0))
		return -1;
	d->watch = watch_new(d->client, d->o->node);
	d->pods = pods_new(d->o->state_dir, d->dir);
	return 0;
}

int daemon_run(const struct daemon_options *o, struct err *e)
{
	AUTO(daemon_done) struct daemon d = {.o = o, .start_s = clock_wall_s()};
	int rc;

	d.dir = load_dir(o->where.pins);
	if (start(&d, e) < 0)
		return -1;
	do {
		do_what_is_due(&d);
		rc = loop_turn(d.loop, d.next_ms, e);
	} while (rc > 0);
	return rc;
}
