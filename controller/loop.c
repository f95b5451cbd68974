#include "controller/loop.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "controller/cache.h"
#include "controller/hook.h"
#include "controller/leader.h"
#include "controller/metrics.h"
#include "controller/netstatus.h"
#include "controller/reserve.h"
#include "controller/sub.h"
#include "controller/svc.h"
#include "controller/takeover.h"
#include "controller/work.h"
#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/daemon/daemon.h"
#include "lib/kube/client.h"

#define IDLE_MS 60000

void loop_init_clock(struct app *app)
{
	app->wall_base_s = clock_wall_s();
	app->boot_base_ms = clock_boot_ms();
}

int64_t app_now_s(const struct app *app)
{
	return app->wall_base_s + (clock_boot_ms() - app->boot_base_ms) / 1000;
}

int64_t app_backoff_ms(unsigned int failures)
{
	return failures < 7 ? 250LL << failures : 30000;
}

void app_lost_term(const struct sub *sub, uint64_t term, const char *holder)
{
	char theirs[24], ours[24];

	snprintf(theirs, sizeof(theirs), "%llu", (unsigned long long)term);
	snprintf(ours, sizeof(ours), "%llu", (unsigned long long)sub->record.term);
	log_error("another controller has taken over: exiting at once", "subnet", sub->name, "term",
		  theirs, "holder", holder, "our-term", ours, "our-holder", sub->app->holder);
	/* Nothing may be sent any more, not even what is under way when buffers are flushed. */
	_exit(3);
}

static int watch_fd(int epoll, int fd, struct err *e)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return err_errno(e, ERR_IO, errno, "epoll");
	return 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

/* Everything that can be done now; the monotonic time of what comes next, 0 = nothing. */
static int64_t work(struct app *app)
{
	int64_t next = 0;
	struct sub *sub;
	size_t pos = 0;

	leader_check(app);
	cache_follow_versions(app);
	takeover_advance(app);
	if (app->ranges_stale && app->phase == APP_RUN)
		sub_refresh_ranges(app);
	if (app->reservations_stale && app->phase == APP_RUN)
		reserve_refresh(app);
	work_run(app);
	while ((sub = map_each(&app->subs, &pos))) {
		next = earlier(next, takeover_orphans(sub, clock_now_ms()));
		next = earlier(next, sub_run(sub));
	}
	app->pods_went = false;
	next = earlier(next, hook_run(app->hook));
	next = earlier(next, svc_run(app));
	next = earlier(next, netstatus_run(app));
	return earlier(next, app->phase == APP_RUN ? app->wake_ms : 0);
}

static int wait_ms(const struct app *app, int64_t next)
{
	int left;

	if (app->n_dirty && !leader_in_doubt(app))
		return 0;
	left = next ? clock_left_ms(next) : IDLE_MS;
	return left < IDLE_MS ? left : IDLE_MS;
}

/* What the API server has said, and what is due to be sent. */
static int dispatch(struct app *app, struct err *e)
{
	leader_check(app);
	if (app->lease && kube_client_dispatch(app->lease_client, e) < 0)
		return -1;
	if (kube_client_dispatch(app->client, e) < 0)
		return -1;
	if (metrics_dispatch(app->metrics, e) < 0)
		return -1;
	return hook_dispatch(app->hook, e);
}

static int open_all(struct app *app, int epoll, int signals, struct err *e)
{
	if (signals < 0 || watch_fd(epoll, signals, e) < 0 ||
	    watch_fd(epoll, kube_client_fd(app->client), e) < 0)
		return -1;
	if (app->lease && watch_fd(epoll, kube_client_fd(app->lease_client), e) < 0)
		return -1;
	if (metrics_start(app, e) < 0 || hook_start(app, e) < 0)
		return -1;
	if (metrics_fd(app->metrics) >= 0 && watch_fd(epoll, metrics_fd(app->metrics), e) < 0)
		return -1;
	return hook_fd(app->hook) >= 0 ? watch_fd(epoll, hook_fd(app->hook), e) : 0;
}

int loop_run(struct app *app, struct err *e)
{
	AUTO(fd) int epoll = epoll_create1(EPOLL_CLOEXEC);
	AUTO(fd) int signals = daemon_signals(e);
	struct epoll_event events[5];

	if (epoll < 0)
		return err_errno(e, ERR_IO, errno, "epoll");
	leader_start(app);
	if (open_all(app, epoll, signals, e) < 0)
		return -1;
	for (;;) {
		enum app_phase phase = app->phase;
		int64_t next = leader_in_doubt(app) ? 0 : work(app);
		int n;

		if (app->phase != phase)
			continue;
		n = epoll_wait(epoll, events, ARRAY_SIZE(events), wait_ms(app, next));
		if (n < 0 && errno != EINTR)
			return err_errno(e, ERR_IO, errno, "epoll_wait");
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == signals)
				return 0;
		}
		if (dispatch(app, e) < 0)
			return -1;
	}
}
