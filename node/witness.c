/* SPDX-License-Identifier: Apache-2.0 */
#include "node/witness.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "api/network.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/daemon/loop.h"
#include "lib/kube/client.h"
#include "lib/kube/config.h"
#include "lib/metrics/server.h"
#include "meta/attachment/state.h"
#include "meta/attachment/strays.h"
#include "meta/attachment/sweep.h"
#include "node/announce.h"
#include "node/calls.h"
#include "node/doctor/rounds.h"
#include "node/door/door.h"
#include "node/files.h"
#include "node/metrics.h"
#include "node/tell.h"

/* Changes are gathered for so long: a node that starts many pods at once writes in one go. */
#define GATHER_MS 150
/* What a pod's start waits for is gathered for less. */
#define AWAITED_MS 5
/* Between two tries to open the door: another daemon may still have the socket. */
#define OPEN_AGAIN_MS 1000
/* Requests of waiting plugins that are under way at once. */
#define DOOR_CONNECTIONS 4
/* While the node is waited for: see install_is_removing(). */
#define REMOVAL_SWEEP_MS 3000

struct witness {
	const struct witness_options *opt;
	struct kube_client *client, *door_client;
	struct door *door;
	struct state_dir *dir;
	struct files files;
	struct tell *tell;
	struct sweep *sweep;
	struct announcer *announcer;
	struct calls *calls;
	struct metrics_server *metrics;
	struct install *install; /* NULL: files are put in place by others */
	struct rounds *doctor;   /* NULL: likewise */
	unsigned int doctors;    /* what it was told last */
	struct loop *loop;
	char *system_ns;
	uint64_t n_ended; /* by sweeps that are through */
	int64_t start_s;
	int inotify;
	int64_t compare_ms;  /* when to compare files and records; 0 = nothing has changed */
	int64_t sweep_ms;    /* when to look at everything */
	int64_t links_ms;    /* when to look at the host's links; 0 = none has changed */
	int64_t announce_ms; /* when a card is to be announced; 0 = none is */
	int64_t open_ms;     /* when to try to open the door; 0 = it is open */
	bool dir_failed;     /* and said so */
	bool open_failed;    /* the same */
};

static void witness_done(struct witness *w)
{
	sweep_free(w->sweep);
	announcer_free(w->announcer);
	metrics_server_free(w->metrics);
	calls_free(w->calls);
	door_free(w->door);
	rounds_free(w->doctor);
	install_end(w->install);
	install_free(w->install);
	tell_free(w->tell);
	kube_client_free(w->client);
	kube_client_free(w->door_client);
	files_done(&w->files);
	state_dir_free(w->dir);
	fd_auto(&w->inotify);
	loop_free(w->loop);
	free(w->system_ns);
}
DEFINE_AUTO_VALUE(struct witness, witness_done)

static int connect_api(struct witness *w, struct err *e)
{
	AUTO(kube_config_free) struct kube_config *cfg = NULL;
	/* One connection: reports are never waited for. And plugins never wait for reports. */
	struct kube_client_options opt = {
		.user_agent = "tandem-node/" TANDEM_VERSION,
		.max_connections = 1,
	};
	int rc = kube_config_of(w->opt->kubeconfig, &cfg, e);

	if (rc < 0 || kube_client_new(cfg, &opt, &w->client, e) < 0)
		return -1;
	w->system_ns = xstrdup(w->opt->system_ns ? w->opt->system_ns
			       : !w->opt->kubeconfig && cfg->namespace
				       ? cfg->namespace
				       : API_DEFAULT_SYSTEM_NAMESPACE);
	opt.user_agent = "tandem-node-door/" TANDEM_VERSION;
	opt.max_connections = DOOR_CONNECTIONS;
	return kube_client_new(cfg, &opt, &w->door_client, e);
}

/* The directory may have been made again since: then the open one shows nothing any more. */
static int open_dir(struct witness *w, struct err *e)
{
	AUTO(free)
	char *path = xasprintf("%s/" STATE_ATTACHMENTS, w->opt->sweep.state_dir);
	struct state_dir *dir = NULL;

	if (state_dir_open(w->opt->sweep.state_dir, &dir, e) < 0)
		return -1;
	state_dir_free(w->dir);
	w->dir = dir;
	if (inotify_add_watch(w->inotify, path,
			      IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR) < 0)
		return err_errno(e, ERR_IO, errno, "watch %s", path);
	return 0;
}

/* What exactly has changed is of no interest: the directory is listed. */
static void drain(int fd)
{
	_Alignas(struct inotify_event) char buf[4096 + sizeof(struct inotify_event) + NAME_MAX];
	ssize_t n;

	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0 || (n < 0 && errno == EINTR));
}

static void compare_at(struct witness *w, int64_t at_ms)
{
	if (!w->compare_ms || at_ms < w->compare_ms)
		w->compare_ms = at_ms;
}

static void compare_soon(struct witness *w)
{
	compare_at(w, clock_now_ms() + (tell_is_awaited(w->tell) ? AWAITED_MS : GATHER_MS));
}

static void announce(struct witness *w)
{
	w->announce_ms = announcer_run(w->announcer, &w->files);
}

static void look_at_links(struct witness *w)
{
	w->links_ms = 0;
	announcer_look(w->announcer);
	announce(w);
	if (w->doctor)
		rounds_links(w->doctor);
}

/* Without the files nothing can be said about any card. */
static bool scan(struct witness *w)
{
	struct err e = {0};
	int rc = files_scan(&w->files, w->dir, &e);

	if (rc < 0 && !w->dir_failed)
		log_error("state files cannot be read", "error", e.msg);
	w->dir_failed = rc < 0;
	if (rc < 0)
		return false;
	announcer_files(w->announcer, &w->files);
	announce(w);
	return true;
}

static void compare(struct witness *w)
{
	int64_t next;

	w->compare_ms = 0;
	if (!scan(w))
		return;
	next = tell_run(w->tell, &w->files);
	if (next)
		compare_at(w, next);
}

static int sweep_through(void *ctx, struct err *e)
{
	struct witness *w = ctx;

	(void)e;
	w->n_ended += sweep_n_ended(w->sweep);
	loop_remove(w->loop, sweep_fd(w->sweep));
	sweep_free(w->sweep);
	w->sweep = NULL;
	compare_at(w, clock_now_ms() + GATHER_MS);
	return 0;
}

/* Where the installer has put what a sweep needs; false: it does not know yet. */
static bool sweep_options_now(const struct witness *w, struct sweep_options *out)
{
	*out = w->opt->sweep;
	if (!w->install)
		return true;
	out->conf = install_conf_copy(w->install);
	out->plugin = install_plugin(w->install);
	out->cni_bin = install_bin_dirs(w->install);
	return out->plugin;
}

static void end_leftovers(struct witness *w)
{
	struct sweep_options opt;
	struct err e = {0};

	if (scan(w) && !w->sweep && sweep_options_now(w, &opt) &&
	    (sweep_start(&opt, &w->files, &w->sweep, &e) < 0 ||
	     (w->sweep && loop_add(w->loop, sweep_fd(w->sweep), sweep_through, w, &e) < 0)))
		log_error("cannot undo what DELs have left", "error", e.msg);
	err_clear(&e);
	if (strays_end(w->dir, &e) < 0)
		log_error("cannot undo what lost state files have left", "error", e.msg);
	sweep_leftovers(w->dir);
}

static void look_at_everything(struct witness *w)
{
	struct err e = {0};

	w->sweep_ms = clock_now_ms() + w->opt->sweep_ms;
	if (w->install && install_is_removing(w->install) && w->opt->sweep_ms > REMOVAL_SWEEP_MS)
		w->sweep_ms = clock_now_ms() + REMOVAL_SWEEP_MS;
	/* The folder is gone, and is not to be made again. */
	if (w->install && install_is_removed(w->install))
		return;
	if (open_dir(w, &e) < 0)
		log_error("state directory", "error", e.msg);
	else
		end_leftovers(w);
	compare_at(w, clock_now_ms());
	if (door_is_open(w->door))
		calls_read(w->calls);
}

/* Without a door plugins have their direct way, and cards are to be witnessed all the same. */
static void open_door(struct witness *w)
{
	struct err e = {0};

	if (door_open(w->door, &e) == 0) {
		w->open_ms = 0;
		calls_read(w->calls);
		log_info("the door is open", "socket", w->opt->socket);
		return;
	}
	if (!w->open_failed)
		log_error("the door cannot be opened yet", "error", e.msg);
	w->open_failed = true;
	w->open_ms = clock_now_ms() + OPEN_AGAIN_MS;
}

static int64_t next_ms(const struct witness *w)
{
	const int64_t others[] = {w->compare_ms,
				  w->links_ms,
				  w->announce_ms,
				  w->open_ms,
				  door_next_ms(w->door),
				  w->install ? install_next_ms(w->install) : 0,
				  w->doctor ? rounds_next_ms(w->doctor) : 0};
	int64_t next = w->sweep_ms;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (others[i] && others[i] < next)
			next = others[i];
	}
	return next;
}

/* What is left of sandboxes is ended at once, now that they are waited for. */
static void run_installer(struct witness *w)
{
	bool before = install_is_removing(w->install);

	install_run(w->install);
	if (!before && install_is_removing(w->install))
		w->sweep_ms = clock_now_ms();
}

static void run_doctor(struct witness *w)
{
	unsigned int version = 0;
	const char *text = install_doctor(w->install, &version);

	if (version != w->doctors)
		rounds_told(w->doctor, text);
	w->doctors = version;
	/* The node is about to have nothing of ours. */
	if (!install_is_removing(w->install) && !install_is_removed(w->install))
		rounds_run(w->doctor);
}

/* One after the other, as they are due. */
static void do_what_is_due(struct witness *w)
{
	int64_t now_ms = clock_now_ms();

	/* First of all: what is to be swept is swept with what it has put in place. */
	if (w->install && now_ms >= install_next_ms(w->install))
		run_installer(w);
	if (now_ms >= w->sweep_ms)
		look_at_everything(w);
	if (w->compare_ms && now_ms >= w->compare_ms)
		compare(w);
	if (w->links_ms && now_ms >= w->links_ms)
		look_at_links(w);
	if (w->announce_ms && now_ms >= w->announce_ms)
		announce(w);
	if (w->open_ms && now_ms >= w->open_ms)
		open_door(w);
	if (door_next_ms(w->door) && now_ms >= door_next_ms(w->door))
		door_run(w->door);
	if (w->doctor)
		run_doctor(w);
}

static int links_changed(void *ctx, struct err *e)
{
	struct witness *w = ctx;

	(void)e;
	announcer_drain(w->announcer);
	if (!w->links_ms)
		w->links_ms = clock_now_ms() + GATHER_MS;
	return 0;
}

static int files_changed(void *ctx, struct err *e)
{
	struct witness *w = ctx;

	(void)e;
	drain(w->inotify);
	compare_soon(w);
	return 0;
}

static int api_ready(void *ctx, struct err *e)
{
	struct witness *w = ctx;

	return kube_client_dispatch(w->client, e);
}

static int door_api_ready(void *ctx, struct err *e)
{
	struct witness *w = ctx;

	return kube_client_dispatch(w->door_client, e);
}

static int door_ready(void *ctx, struct err *e)
{
	struct witness *w = ctx;

	(void)e;
	door_run(w->door);
	return 0;
}

static void record_changed(void *ctx, const char *key)
{
	struct witness *w = ctx;

	door_record_changed(w->door, key);
}

static bool is_ready(void *ctx, const char **out_why)
{
	struct witness *w = ctx;

	return !w->install || install_is_ready(w->install, out_why);
}

static int start_door(struct witness *w, struct err *e)
{
	if (door_new(w->opt->socket, w->door_client, &w->door, e) < 0 ||
	    loop_add(w->loop, door_fd(w->door), door_ready, w, e) < 0 ||
	    loop_add(w->loop, kube_client_fd(w->door_client), door_api_ready, w, e) < 0)
		return -1;
	tell_listen(w->tell, record_changed, w);
	door_judge(w->door, is_ready, w);
	w->open_ms = clock_now_ms();
	return 0;
}

/* ------------------------------------------------------------------------------- metrics */

static void write_metrics(void *ctx, struct sb *out)
{
	struct witness *w = ctx;
	struct door_stats door = door_stats(w->door);
	int64_t age_ms = tell_age_ms(w->tell);
	const char *why;
	struct node_numbers n = {
		.files = &w->files,
		.calls = w->calls,
		.client = w->client,
		.door_client = w->door_client,
		.start_s = w->start_s,
		.api_age_s = age_ms < 0 ? -1 : age_ms / 1000,
		.announced = announcer_n_announced(w->announcer),
		.ended = w->n_ended,
		.asked = door.asked,
		.refused = door.refused,
		.door_open = door_is_open(w->door),
		.ready = door_is_open(w->door) && is_ready(w, &why),
	};

	if (n.door_open)
		calls_read(w->calls);
	metrics_write(&n, out);
}

static int metrics_ready(void *ctx, struct err *e)
{
	struct witness *w = ctx;

	return metrics_server_dispatch(w->metrics, e);
}

/* Cards are to be witnessed whoever has the port. */
static int start_metrics(struct witness *w, struct err *e)
{
	struct err why = {0};

	w->start_s = clock_wall_s();
	w->calls = calls_new(w->opt->socket);
	if (metrics_server_new(w->opt->metrics_bind, write_metrics, w, &w->metrics, &why) < 0)
		log_error("metrics are not served", "error", why.msg);
	return w->metrics ? loop_add(w->loop, metrics_server_fd(w->metrics), metrics_ready, w, e)
			  : 0;
}

/* ------------------------------------------------------------------------------- the installer */

static int folders_changed(void *ctx, struct err *e)
{
	struct witness *w = ctx;

	(void)e;
	install_saw(w->install);
	return 0;
}

static int doctor_ready(void *ctx, struct err *e)
{
	struct witness *w = ctx;

	(void)e;
	rounds_run(w->doctor);
	return 0;
}

/* What it is to look at comes with the installer's orders. */
static int start_doctor(struct witness *w, struct err *e)
{
	const struct rounds_env env = {.client = w->client,
				       .node = w->opt->node,
				       .state_dir = w->opt->sweep.state_dir,
				       .root = w->opt->sweep.root};

	if (rounds_new(&env, &w->doctor, e) < 0)
		return -1;
	return loop_add(w->loop, rounds_fd(w->doctor), doctor_ready, w, e);
}

static int start_installer(struct witness *w, struct err *e)
{
	const struct install_env env = {.opt = &w->opt->install,
					.root = w->opt->sweep.root,
					.state_dir = w->opt->sweep.state_dir,
					.socket = w->opt->socket,
					.node = w->opt->node,
					.system_ns = w->system_ns,
					.client = w->client,
					.look_ms = w->opt->sweep_ms};

	if (!w->opt->install.on)
		return 0;
	if (install_new(&env, &w->install, e) < 0 || (w->opt->doctor && start_doctor(w, e) < 0))
		return -1;
	return loop_add(w->loop, install_fd(w->install), folders_changed, w, e);
}

/* ------------------------------------------------------------------------------- the whole */

static int start(struct witness *w, struct err *e)
{
	w->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->inotify < 0)
		return err_errno(e, ERR_IO, errno, "inotify");
	if (loop_new(&w->loop, e) < 0 || connect_api(w, e) < 0 || open_dir(w, e) < 0 ||
	    loop_add(w->loop, w->inotify, files_changed, w, e) < 0 ||
	    loop_add(w->loop, kube_client_fd(w->client), api_ready, w, e) < 0)
		return -1;
	w->tell = tell_new(w->client, w->opt->node, w->opt->netns_dir);
	if (start_metrics(w, e) < 0 || start_door(w, e) < 0 || start_installer(w, e) < 0 ||
	    announcer_new(w->tell, &w->announcer, e) < 0)
		return -1;
	return loop_add(w->loop, announcer_fd(w->announcer), links_changed, w, e);
}

int witness_run(const struct witness_options *opt, struct err *e)
{
	AUTO(witness_done) struct witness w = {.opt = opt, .inotify = -1};
	int rc;

	files_init(&w.files);
	if (start(&w, e) < 0)
		return -1;
	do {
		do_what_is_due(&w);
		rc = loop_turn(w.loop, next_ms(&w), e);
		if (tell_changed(w.tell))
			compare_soon(&w);
	} while (rc > 0 && !(w.install && install_is_over(w.install)));
	if (rc > 0)
		log_info("the order to remove was taken back: to be started anew");
	return rc < 0 ? -1 : 0;
}
