/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/httpd/httpd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/ip.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/httpd/conn.h"
#include "lib/httpd/tls.h"

#define EVENTS        64
#define ACCEPTS       64
#define BACKLOG       128
#define NO_ROOM_PAUSE 100
#define NEWCOMER_MS   1000 /* a client's time to say what it wants, when there is no room left */

/* ------------------------------------------------------------------------------- listening */

static int parse_bind(const char *text, struct ip_addr *addr, uint32_t *port, struct err *e)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	char host[IP_ADDR_LEN + 2];

	*addr = (struct ip_addr){0};
	if (!colon || n >= sizeof(host) || parse_u32(colon + 1, 65535, port) < 0)
		goto bad;
	memcpy(host, text, n);
	host[n] = '\0';
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		if (ip_parse(host + 1, addr) == 0 && addr->family == AF_INET6)
			return 0;
	} else if (!n || (ip_parse(host, addr) == 0 && addr->family == AF_INET)) {
		return 0;
	}
bad:
	return err_set(e, ERR_CONFIG, 0,
		       "\"%.80s\" is not an address to listen on: ADDRESS:PORT, [ADDRESS]:PORT or "
		       ":PORT",
		       text);
}

static socklen_t socket_address(const struct ip_addr *a, uint32_t port,
				struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (a->family == AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		memcpy(&v4->sin_addr, a->b, 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	memcpy(&v6->sin6_addr, a->b, 16);
	return sizeof(*v6);
}

/* An unset address is every one of both families. */
static int open_listener(const struct ip_addr *addr, uint32_t port, struct err *e)
{
	AUTO(fd) int fd = -1;
	struct ip_addr any4 = {.family = AF_INET};
	struct sockaddr_storage sa;
	int on = 1, off = 0;
	socklen_t len;

	fd = socket(addr->family == AF_INET ? AF_INET : AF_INET6,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 && errno == EAFNOSUPPORT && !ip_is_set(addr))
		return open_listener(&any4, port, e);
	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!ip_is_set(addr))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	len = socket_address(addr, port, &sa);
	if (bind(fd, (struct sockaddr *)&sa, len) < 0)
		return err_errno(e, ERR_IO, errno, "bind");
	if (listen(fd, BACKLOG) < 0)
		return err_errno(e, ERR_IO, errno, "listen");
	return fd_steal(&fd);
}

static uint16_t port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} sa = {{0}};
	socklen_t len = sizeof(sa);

	if (getsockname(fd, &sa.any, &len) < 0)
		return 0;
	return ntohs(sa.any.sa_family == AF_INET ? sa.v4.sin_port : sa.v6.sin6_port);
}

static void set_defaults(struct httpd_options *o)
{
	o->max_head = o->max_head ? o->max_head : 16 << 10;
	o->max_body = o->max_body ? o->max_body : 8 << 20;
	o->max_buffered = o->max_buffered ? o->max_buffered : 32 << 20;
	o->max_conns = o->max_conns ? o->max_conns : 256;
	o->request_ms = o->request_ms ? o->request_ms : 10000;
	o->idle_ms = o->idle_ms ? o->idle_ms : 180000;
}

static int watch_fd(int epfd, int fd, void *what, struct err *e)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = what};

	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return err_errno(e, ERR_IO, errno, "epoll");
	return 0;
}

int httpd_new(const struct httpd_options *opt, struct httpd **out, struct err *e)
{
	AUTO(httpd_free) struct httpd *h = xcalloc(1, sizeof(*h));
	struct ip_addr addr;
	uint32_t port = 0;

	h->opt = *opt;
	h->opt.bind = NULL;
	h->listener = h->epfd = h->timerfd = -1;
	TAILQ_INIT(&h->conns);
	TAILQ_INIT(&h->dead);
	set_defaults(&h->opt);
	if (parse_bind(opt->bind, &addr, &port, e) < 0)
		return -1;
	h->listener = open_listener(&addr, port, e);
	if (h->listener < 0)
		return err_wrap(e, "listen on %.80s", opt->bind);
	h->port = port_of(h->listener);
	h->epfd = epoll_create1(EPOLL_CLOEXEC);
	h->timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (h->epfd < 0 || h->timerfd < 0)
		return err_errno(e, ERR_IO, errno, "epoll");
	if (watch_fd(h->epfd, h->listener, &h->listener, e) < 0 ||
	    watch_fd(h->epfd, h->timerfd, &h->timerfd, e) < 0)
		return -1;
	*out = STEAL(h);
	return 0;
}

void httpd_free(struct httpd *h)
{
	struct conn *c;

	if (!h)
		return;
	while ((c = TAILQ_FIRST(&h->conns)))
		conn_close(c);
	conn_reap(h);
	SSL_CTX_free(h->ctx);
	if (h->listener >= 0)
		close(h->listener);
	if (h->timerfd >= 0)
		close(h->timerfd);
	if (h->epfd >= 0)
		close(h->epfd);
	free(h);
}

int httpd_use_certificate(struct httpd *h, const char *cert_pem, const char *key_pem, struct err *e)
{
	SSL_CTX *ctx = NULL;

	if (httpd_tls_new(cert_pem, key_pem, &ctx, e) < 0)
		return -1;
	SSL_CTX_free(h->ctx);
	h->ctx = ctx;
	return 0;
}

uint16_t httpd_port(const struct httpd *h)
{
	return h->port;
}

int httpd_fd(const struct httpd *h)
{
	return h->epfd;
}

void httpd_stats(const struct httpd *h, struct httpd_stats *out)
{
	*out = h->stats;
}

/* ------------------------------------------------------------------------------- accepting */

/*
 * Room for one more, if need be that of another: of the quietest one that has never asked for anything,
 * else of the one that has been idle longest.
 */
static bool make_room(struct httpd *h)
{
	int64_t now = clock_now_ms();
	struct conn *c, *victim = NULL;

	if (h->stats.conns < h->opt.max_conns)
		return true;
	for (c = TAILQ_FIRST(&h->conns); c; c = TAILQ_NEXT(c, link)) {
		if (!c->served && now - c->began_ms > NEWCOMER_MS) {
			victim = c;
			break;
		}
		if (!victim && c->served && conn_is_idle(c))
			victim = c;
	}
	if (victim)
		conn_close(victim);
	return victim;
}

static void begin(struct httpd *h, int fd)
{
	struct conn *c;
	struct epoll_event ev = {.events = EPOLLIN};
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	h->stats.accepted++;
	if ((h->opt.tls && !h->ctx) || !make_room(h)) {
		h->stats.refused++;
		close(fd);
		return;
	}
	c = conn_new(h, fd);
	c->events = EPOLLIN;
	ev.data.ptr = c;
	if (epoll_ctl(h->epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
		conn_close(c);
}

static void listen_again(struct httpd *h, bool on)
{
	struct epoll_event ev = {.events = on ? EPOLLIN : 0, .data.ptr = &h->listener};

	epoll_ctl(h->epfd, EPOLL_CTL_MOD, h->listener, &ev);
	h->accept_ms = on ? 0 : clock_now_ms() + NO_ROOM_PAUSE;
}

static void accept_some(struct httpd *h)
{
	for (int i = 0; i < ACCEPTS; i++) {
		int fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			begin(h, fd);
		else if (errno == EAGAIN)
			return;
		else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			return listen_again(h, false);
	}
}

/* ------------------------------------------------------------------------------- time */

static void set_timer(struct httpd *h, int64_t due_ms)
{
	struct itimerspec spec = {
		.it_value = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000}};

	if (h->timer_ms == due_ms)
		return;
	timerfd_settime(h->timerfd, TFD_TIMER_ABSTIME, &spec, NULL);
	h->timer_ms = due_ms;
}

/* Ends what is late; the time of what comes next, 1 = at once, 0 = nothing. */
static int64_t expire(struct httpd *h)
{
	int64_t now = clock_now_ms(), due = h->accept_ms;
	struct conn *c, *next;

	for (c = TAILQ_FIRST(&h->conns); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->again)
			due = 1;
		if (c->deadline_ms <= now) {
			h->stats.timeouts += !conn_is_idle(c) && c->state != CONN_LINGER;
			conn_close(c);
		} else if (!due || c->deadline_ms < due) {
			due = c->deadline_ms;
		}
	}
	return due;
}

static void run_again(struct httpd *h)
{
	struct conn *c = TAILQ_FIRST(&h->conns), *last = TAILQ_LAST(&h->conns, conns), *next;

	/* Those that do something move behind the last one. */
	for (bool more = c; more; c = next) {
		next = TAILQ_NEXT(c, link);
		more = c != last;
		if (c->again)
			conn_run(c);
	}
}

static void on_timer(struct httpd *h)
{
	uint64_t ticks;

	if (read(h->timerfd, &ticks, sizeof(ticks)) < 0)
		return;
	h->timer_ms = 0;
	if (h->accept_ms && h->accept_ms <= clock_now_ms())
		listen_again(h, true);
	run_again(h);
}

int httpd_dispatch(struct httpd *h, struct err *e)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(h->epfd, events, EVENTS, 0);

	if (n < 0 && errno != EINTR)
		return err_errno(e, ERR_IO, errno, "epoll_wait");
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == &h->listener)
			accept_some(h);
		else if (events[i].data.ptr == &h->timerfd)
			on_timer(h);
		else
			conn_run(events[i].data.ptr);
	}
	set_timer(h, expire(h));
	conn_reap(h);
	return 0;
}
