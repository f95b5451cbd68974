/* SPDX-License-Identifier: Apache-2.0 */
#include "node/witness.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/daemon/loop.h"
#include "lib/kube/client.h"
#include "lib/kube/config.h"
#include "meta/attachment/state.h"
#include "meta/attachment/strays.h"
#include "node/announce.h"
#include "node/door/door.h"
#include "node/files.h"
#include "node/tell.h"

/* Changes are gathered for so long: a node that starts many pods at once writes in one go. */
#define GATHER_MS 150
/* What a pod's start waits for is gathered for less. */
#define AWAITED_MS 5
/* Between two tries to open the door: another daemon may still have the socket. */
#define OPEN_AGAIN_MS 1000
/* Requests of waiting plugins that are under way at once. */
#define DOOR_CONNECTIONS 4

struct witness {
	const struct witness_options *opt;
	struct kube_client *client, *door_client;
	struct door *door;
	struct state_dir *dir;
	struct files files;
	struct tell *tell;
	struct sweep *sweep;
	struct announcer *announcer;
	struct loop *loop;
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
	door_free(w->door);
	tell_free(w->tell);
	kube_client_free(w->client);
	kube_client_free(w->door_client);
	files_done(&w->files);
	state_dir_free(w->dir);
	fd_auto(&w->inotify);
	loop_free(w->loop);
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
	int rc = w->opt->kubeconfig ? kube_config_load(w->opt->kubeconfig, &cfg, e)
				    : kube_config_in_cluster(&cfg, e);

	if (rc < 0 || kube_client_new(cfg, &opt, &w->client, e) < 0)
		return -1;
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
	loop_remove(w->loop, sweep_fd(w->sweep));
	sweep_free(w->sweep);
	w->sweep = NULL;
	compare_at(w, clock_now_ms() + GATHER_MS);
	return 0;
}

static void end_leftovers(struct witness *w)
{
	struct err e = {0};

	if (scan(w) && !w->sweep &&
	    (sweep_start(&w->opt->sweep, &w->files, &w->sweep, &e) < 0 ||
	     (w->sweep && loop_add(w->loop, sweep_fd(w->sweep), sweep_through, w, &e) < 0)))
		log_error("cannot undo what DELs have left", "error", e.msg);
	err_clear(&e);
	if (strays_end(w->dir, &e) < 0)
		log_error("cannot undo what lost state files have left", "error", e.msg);
}

static void look_at_everything(struct witness *w)
{
	struct err e = {0};

	w->sweep_ms = clock_now_ms() + w->opt->sweep_ms;
	if (open_dir(w, &e) < 0)
		log_error("state directory", "error", e.msg);
	else
		end_leftovers(w);
	compare_at(w, clock_now_ms());
}

/* Without a door plugins have their direct way, and cards are to be witnessed all the same. */
static void open_door(struct witness *w)
{
	struct err e = {0};

	if (door_open(w->door, &e) == 0) {
		w->open_ms = 0;
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
	const int64_t others[] = {w->compare_ms, w->links_ms, w->announce_ms, w->open_ms,
				  door_next_ms(w->door)};
	int64_t next = w->sweep_ms;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (others[i] && others[i] < next)
			next = others[i];
	}
	return next;
}

/* One after the other, as they are due. */
static void do_what_is_due(struct witness *w)
{
	int64_t now_ms = clock_now_ms();

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

static int start_door(struct witness *w, struct err *e)
{
	if (door_new(w->opt->socket, w->door_client, &w->door, e) < 0 ||
	    loop_add(w->loop, door_fd(w->door), door_ready, w, e) < 0 ||
	    loop_add(w->loop, kube_client_fd(w->door_client), door_api_ready, w, e) < 0)
		return -1;
	tell_listen(w->tell, record_changed, w);
	w->open_ms = clock_now_ms();
	return 0;
}

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
	if (start_door(w, e) < 0 || announcer_new(w->tell, &w->announcer, e) < 0)
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
	} while (rc > 0);
	return rc;
}
