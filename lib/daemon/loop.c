/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/daemon/loop.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/daemon/daemon.h"

struct source {
	int fd;
	loop_fn *ready;
	void *ctx;
};

struct loop {
	int epoll, signals;
	struct source *sources;
	size_t n;
};

void loop_free(struct loop *l)
{
	if (!l)
		return;
	fd_auto(&l->signals);
	fd_auto(&l->epoll);
	free(l->sources);
	free(l);
}

static int watch(struct loop *l, int fd, struct err *e)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return err_errno(e, ERR_IO, errno, "epoll");
	return 0;
}

int loop_new(struct loop **out, struct err *e)
{
	AUTO(loop_free) struct loop *l = xcalloc(1, sizeof(*l));

	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->signals = daemon_signals(e);
	if (l->signals < 0)
		return -1;
	if (l->epoll < 0)
		return err_errno(e, ERR_IO, errno, "epoll");
	if (watch(l, l->signals, e) < 0)
		return -1;
	*out = STEAL(l);
	return 0;
}

static struct source *find(struct loop *l, int fd)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->sources[i].fd == fd)
			return &l->sources[i];
	}
	return NULL;
}

int loop_add(struct loop *l, int fd, loop_fn *ready, void *ctx, struct err *e)
{
	if (watch(l, fd, e) < 0)
		return -1;
	l->sources = xreallocarray(l->sources, l->n + 1, sizeof(*l->sources));
	l->sources[l->n++] = (struct source){fd, ready, ctx};
	return 0;
}

void loop_remove(struct loop *l, int fd)
{
	struct source *s = find(l, fd);

	if (!s)
		return;
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
	*s = l->sources[--l->n];
}

int loop_turn(struct loop *l, int64_t deadline_ms, struct err *e)
{
	struct epoll_event events[16];
	int n = epoll_wait(l->epoll, events, ARRAY_SIZE(events), clock_left_ms(deadline_ms));

	if (n < 0 && errno != EINTR)
		return err_errno(e, ERR_IO, errno, "epoll_wait");
	for (int i = 0; i < n; i++) {
		if (events[i].data.fd == l->signals)
			return 0;
	}
	for (int i = 0; i < n; i++) {
		/* One before it may have removed it. */
		const struct source *s = find(l, events[i].data.fd);

		if (s && s->ready(s->ctx, e) < 0)
			return -1;
	}
	return 1;
}
