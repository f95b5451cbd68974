/* SPDX-License-Identifier: Apache-2.0 */
#include "node/door/door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/meta.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/log_quota.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/door/frame.h"
#include "lib/door/message.h"
#include "node/door/ask.h"
#include "node/door/socket.h"

/*
 * A node has some hundred pods at most, and each ADD has one connection. One too many is closed at once: its
 * plugin goes the direct way, or comes again.
 */
#define CONNS_MAX 512
/* A plugin sends its question in one go, and reads the answer as it comes. */
#define PEER_MS 2000
/* When there is no descriptor left for who comes. */
#define PAUSE_MS 100

/* The rest comes in the next round, after what else the daemon has to do. */
#define BATCH 64

enum conn_state {
	CONN_READS,
	CONN_WAITS,
	CONN_WRITES,
	CONN_OVER, /* to be freed when no event of this round can name it any more */
};

struct conn {
	struct door *door;
	int fd;
	enum conn_state state;
	int64_t until_ms; /* of the peer's turn */
	struct door_frame in;
	struct door_request req;
	struct question *question;
	struct sb out;
	size_t sent;
};

struct door {
	const char *path;
	struct door_socket socket;
	struct asker *asker;
	int epoll;
	struct conn *conns[CONNS_MAX];
	size_t n_conns;
	struct log_quota refused;
	struct door_stats stats;
	door_ready_fn *ready;
	void *ready_ctx;
	int64_t paused_ms; /* nobody is let in until then; 0 = who comes is */
};

/* ------------------------------------------------------------------------------- a connection */

static void conn_free(struct conn *c)
{
	question_drop(c->question);
	fd_auto(&c->fd);
	door_frame_done(&c->in);
	door_request_done(&c->req);
	sb_done(&c->out);
	free(c);
}

/* The descriptor goes now, the rest with its round. */
static void conn_end(struct conn *c)
{
	question_drop(STEAL(c->question));
	close(fd_steal(&c->fd));
	c->state = CONN_OVER;
}

static void conn_wants(struct conn *c, uint32_t events)
{
	struct epoll_event ev = {.events = events | EPOLLRDHUP, .data.ptr = c};

	if (epoll_ctl(c->door->epoll, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		conn_end(c);
}

static void conn_write(struct conn *c)
{
	while (c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		c->sent += (size_t)n;
	}
	conn_end(c);
}

/* The text is what follows; a slow reader gets the rest as it reads. */
static void conn_answer(struct conn *c)
{
	c->state = CONN_WRITES;
	c->until_ms = clock_now_ms() + PEER_MS;
	conn_write(c);
	if (c->state == CONN_WRITES)
		conn_wants(c, EPOLLOUT);
}

static void conn_answered(void *ctx, struct sb *answer)
{
	struct conn *c = ctx;

	c->question = NULL;
	c->out = *answer;
	*answer = (struct sb)SB_INIT;
	conn_answer(c);
}

static void conn_refuse(struct conn *c, const struct err *why)
{
	unsigned int held = 0;
	char n[16];

	c->door->stats.refused++;
	if (log_quota_take(&c->door->refused, clock_now_ms(), &held)) {
		snprintf(n, sizeof(n), "%u", held);
		log_warn("a question at the door makes no sense", "error", why->msg, "more",
			 held ? n : NULL);
	}
	door_answer_error(why, false, &c->out);
	conn_answer(c);
}

static int read_request(struct conn *c, struct err *e)
{
	size_t len;
	const char *text = door_frame_text(&c->in, &len);

	if (door_request_read(text, len, &c->req, e) < 0)
		return -1;
	if (c->req.verb != DOOR_READY && (!api_name_ok(c->req.ns) || !api_name_ok(c->req.name)))
		return err_set(e, ERR_DECODE, 0, "request: not a name of Kubernetes'");
	return 0;
}

static void conn_say_ready(struct conn *c)
{
	const struct door *d = c->door;
	const char *why = "";
	bool ready = !d->ready || d->ready(d->ready_ctx, &why);

	door_answer_ready(ready, why, &c->out);
	conn_answer(c);
}

static void conn_ask(struct conn *c)
{
	struct err e = {0};

	if (read_request(c, &e) < 0) {
		conn_refuse(c, &e);
		return;
	}
	door_frame_done(&c->in);
	if (c->req.verb == DOOR_READY) {
		conn_say_ready(c);
		return;
	}
	c->door->stats.asked++;
	c->state = CONN_WAITS;
	c->question = asker_ask(c->door->asker, &c->req, conn_answered, c);
	/* From now on no more than whether it goes away. */
	conn_wants(c, 0);
}

static void conn_read(struct conn *c)
{
	char buf[4096];
	struct err e = {0};
	ssize_t n = recv(c->fd, buf, sizeof(buf), 0);
	int rc;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_end(c);
		return;
	}
	rc = door_frame_feed(&c->in, buf, (size_t)n, &e);
	if (rc < 0)
		conn_refuse(c, &e);
	else if (rc > 0)
		conn_ask(c);
}

static void conn_event(struct conn *c, uint32_t events)
{
	if (c->state == CONN_OVER)
		return;
	/* Who has gone away, or has no more to say than it has said: a plugin keeps its side open. */
	if (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR))
		conn_end(c);
	else if (c->state == CONN_READS)
		conn_read(c);
	else if (c->state == CONN_WRITES)
		conn_write(c);
}

/* ------------------------------------------------------------------------------- the door */

int door_new(const char *path, struct kube_client *client, struct door **out, struct err *e)
{
	AUTO(door_free) struct door *d = xcalloc(1, sizeof(*d));

	d->path = path;
	d->socket = (struct door_socket){NULL, -1, -1};
	d->asker = asker_new(client);
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (d->epoll < 0)
		return err_errno(e, ERR_IO, errno, "epoll");
	*out = STEAL(d);
	return 0;
}

void door_free(struct door *d)
{
	if (!d)
		return;
	door_socket_close(&d->socket);
	for (size_t i = 0; i < d->n_conns; i++)
		conn_free(d->conns[i]);
	asker_free(d->asker);
	fd_auto(&d->epoll);
	free(d);
}

/* data.ptr NULL is the listening socket. */
static int let_in(struct door *d, bool on, struct err *e)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};

	if (epoll_ctl(d->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, d->socket.fd, &ev) < 0)
		return err_errno(e, ERR_IO, errno, "epoll");
	return 0;
}

int door_open(struct door *d, struct err *e)
{
	if (door_socket_open(d->path, &d->socket, e) < 0)
		return -1;
	if (let_in(d, true, e) == 0)
		return 0;
	door_socket_close(&d->socket);
	return -1;
}

struct door_stats door_stats(const struct door *d)
{
	return d->stats;
}

bool door_is_open(const struct door *d)
{
	return d->socket.fd >= 0;
}

void door_judge(struct door *d, door_ready_fn *ready, void *ctx)
{
	d->ready = ready;
	d->ready_ctx = ctx;
}

int door_fd(const struct door *d)
{
	return d->epoll;
}

static void pause_letting_in(struct door *d)
{
	struct err e = {0};

	log_warn("nobody is let in at the door for a moment", "error", strerror(errno));
	if (let_in(d, false, &e) == 0)
		d->paused_ms = clock_now_ms() + PAUSE_MS;
}

static void end_pause(struct door *d)
{
	struct err e = {0};

	d->paused_ms = let_in(d, true, &e) < 0 ? clock_now_ms() + PAUSE_MS : 0;
}

static void conn_new(struct door *d, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP};
	struct conn *c = xcalloc(1, sizeof(*c));

	c->door = d;
	c->fd = fd;
	c->until_ms = clock_now_ms() + PEER_MS;
	c->in.max = DOOR_REQUEST_MAX;
	ev.data.ptr = c;
	if (d->n_conns == CONNS_MAX || epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		conn_free(c);
	else
		d->conns[d->n_conns++] = c;
}

static void let_some_in(struct door *d)
{
	for (int i = 0; i < BATCH; i++) {
		int fd = door_socket_accept(&d->socket);

		if (fd < 0) {
			if (errno != EAGAIN)
				pause_letting_in(d);
			return;
		}
		conn_new(d, fd);
	}
}

static void take_events(struct door *d)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(d->epoll, events, ARRAY_SIZE(events), 0);

	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr)
			conn_event(events[i].data.ptr, events[i].events);
		else
			let_some_in(d);
	}
}

static bool is_slow(const struct conn *c, int64_t now_ms)
{
	return c->state != CONN_WAITS && c->until_ms <= now_ms;
}

static void clean_up(struct door *d)
{
	int64_t now_ms = clock_now_ms();
	size_t to = 0;

	for (size_t i = 0; i < d->n_conns; i++) {
		struct conn *c = d->conns[i];

		if (c->state == CONN_OVER || is_slow(c, now_ms))
			conn_free(c);
		else
			d->conns[to++] = c;
	}
	d->n_conns = to;
}

void door_run(struct door *d)
{
	if (d->paused_ms && clock_now_ms() >= d->paused_ms)
		end_pause(d);
	/* First of all room is made for who comes. */
	clean_up(d);
	take_events(d);
	asker_run(d->asker);
	clean_up(d);
}

int64_t door_next_ms(const struct door *d)
{
	int64_t next = clock_earlier_ms(d->paused_ms, asker_next_ms(d->asker));

	for (size_t i = 0; i < d->n_conns; i++) {
		const struct conn *c = d->conns[i];

		/* One that is over was ended by an answer: nothing of it is left but its memory. */
		if (c->state != CONN_WAITS)
			next = clock_earlier_ms(next, c->until_ms);
	}
	return next;
}

void door_record_changed(struct door *d, const char *key)
{
	asker_changed(d->asker, key);
}
