/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scripted HTTP(S) server on 127.0.0.1 for the tests of this folder: it answers each request with
 * the first unused reply that fits, and remembers what it was asked. Only for x_test.c files.
 */
#ifndef LIB_KUBE_FAKE_TEST_H
#define LIB_KUBE_FAKE_TEST_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/time_test.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/kube/client.h"
#include "lib/kube/config.h"

enum fake_kind {
	FAKE_ANSWER, /* headers with a length, body */
	FAKE_CUT,    /* promises more than it sends, then closes */
	FAKE_CLOSE,  /* closes without a word */
	FAKE_STREAM, /* the body as one chunk, then a proper end */
	FAKE_BREAK,  /* the body as one chunk, then closes without an end */
	FAKE_HOLD,   /* the body as one chunk, then stays open until the server stops */
};

struct fake_reply {
	const char *match; /* in "GET /path?query"; NULL = any request */
	enum fake_kind kind;
	int status;          /* 0 = 200 */
	const char *headers; /* whole lines with \r\n, or NULL */
	const char *body;
	int delay_ms;
	bool keep; /* for any number of requests */
	bool used;
};

#define FAKE_LOG 256

struct fake {
	int listener, port;
	struct fake_reply *replies;
	size_t n_replies;
	SSL_CTX *tls;
	int start_delay_ms;
	pthread_t thread;
	pthread_mutex_t lock;
	bool stop;
	pthread_t conns[64];
	size_t n_conns;
	char *log[FAKE_LOG]; /* whole requests */
	size_t n_log;
};

struct fake_conn {
	struct fake *fake;
	int fd;
	SSL *ssl;
};

static ssize_t fake_read(struct fake_conn *c, char *buf, size_t len)
{
	return c->ssl ? SSL_read(c->ssl, buf, (int)len) : recv(c->fd, buf, len, 0);
}

static void fake_write(struct fake_conn *c, const char *p, size_t len)
{
	while (len) {
		ssize_t n = c->ssl ? SSL_write(c->ssl, p, (int)len)
				   : send(c->fd, p, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

static bool fake_stopping(struct fake *f)
{
	bool stop;

	pthread_mutex_lock(&f->lock);
	stop = f->stop;
	pthread_mutex_unlock(&f->lock);
	return stop;
}

/* Slowness that a test asked for; cut short when the server stops or the client goes. */
static void fake_pause(struct fake_conn *c, int ms)
{
	int64_t until = clock_now_ms() + ms;
	char byte;

	while (clock_now_ms() < until && !fake_stopping(c->fake)) {
		struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};

		poll(&p, 1, 5);
		if (p.revents && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
			return;
	}
}

/* One whole request; false at the end of the connection. */
static bool fake_receive(struct fake_conn *c, struct sb *in)
{
	size_t body = 0;
	char buf[4096];

	sb_clear(in);
	for (;;) {
		const char *end = strstr(sb_get(in), "\r\n\r\n");
		const char *length = strcasestr(sb_get(in), "content-length:");
		ssize_t n;

		if (end && length && length < end)
			body = strtoul(length + 15, NULL, 10);
		if (end && in->len >= (size_t)(end + 4 - in->data) + body)
			return true;
		n = fake_read(c, buf, sizeof(buf));
		if (n <= 0)
			return false;
		sb_add(in, buf, (size_t)n);
	}
}

static struct fake_reply fake_choose(struct fake *f, const char *request)
{
	static const struct fake_reply none = {.status = 418, .body = "the script has no reply"};
	struct fake_reply chosen = none;
	size_t line = strcspn(request, "\r\n");
	AUTO(free) char *first = xstrndup(request, line);

	pthread_mutex_lock(&f->lock);
	if (f->n_log < FAKE_LOG)
		f->log[f->n_log++] = xstrdup(request);
	for (size_t i = 0; i < f->n_replies; i++) {
		struct fake_reply *r = &f->replies[i];

		if (r->used || (r->match && !strstr(first, r->match)))
			continue;
		r->used = !r->keep;
		chosen = *r;
		break;
	}
	pthread_mutex_unlock(&f->lock);
	return chosen;
}

/* False = the connection is to be closed. */
static bool fake_answer(struct fake_conn *c, const struct fake_reply *r)
{
	const char *body = r->body ? r->body : "";
	bool chunked = r->kind == FAKE_STREAM || r->kind == FAKE_BREAK || r->kind == FAKE_HOLD;
	AUTO(sb_done) struct sb out = SB_INIT;

	fake_pause(c, r->delay_ms);
	if (r->kind == FAKE_CLOSE)
		return false;
	sb_printf(&out, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%s",
		  r->status ? r->status : 200, r->headers ? r->headers : "");
	if (chunked)
		sb_puts(&out, "Transfer-Encoding: chunked\r\n\r\n");
	else
		sb_printf(&out, "Content-Length: %zu\r\n\r\n",
			  strlen(body) + (r->kind == FAKE_CUT ? 10 : 0));
	if (chunked && *body)
		sb_printf(&out, "%zx\r\n%s\r\n", strlen(body), body);
	else
		sb_puts(&out, body);
	if (r->kind == FAKE_STREAM)
		sb_puts(&out, "0\r\n\r\n");
	fake_write(c, out.data, out.len);
	if (r->kind == FAKE_HOLD)
		fake_pause(c, 20000);
	return r->kind == FAKE_ANSWER || r->kind == FAKE_STREAM;
}

static void *fake_serve(void *ctx)
{
	struct fake_conn *c = ctx;
	AUTO(sb_done) struct sb in = SB_INIT;

	if (c->fake->tls) {
		c->ssl = SSL_new(c->fake->tls);
		SSL_set_fd(c->ssl, c->fd);
		if (SSL_accept(c->ssl) <= 0)
			goto end;
	}
	while (fake_receive(c, &in)) {
		struct fake_reply r = fake_choose(c->fake, in.data);

		if (!fake_answer(c, &r))
			break;
	}
end:
	SSL_free(c->ssl);
	close(c->fd);
	free(c);
	return NULL;
}

static void fake_listen(struct fake *f)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f->port)};
	socklen_t len = sizeof(at);
	int on = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(f->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(f->listener, (struct sockaddr *)&at, sizeof(at)) || listen(f->listener, 64))
		abort();
	getsockname(f->listener, (struct sockaddr *)&at, &len);
	f->port = ntohs(at.sin_port);
}

static void *fake_accept(void *ctx)
{
	struct fake *f = ctx;
	sigset_t pipe;

	/* For this thread and those of the connections; the client must do without. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	if (f->start_delay_ms) {
		poll(NULL, 0, f->start_delay_ms);
		fake_listen(f);
	}
	while (!fake_stopping(f)) {
		struct pollfd p = {.fd = f->listener, .events = POLLIN};
		struct fake_conn *c;
		int fd;

		if (poll(&p, 1, 5) <= 0)
			continue;
		fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 || f->n_conns == 64)
			abort();
		c = xcalloc(1, sizeof(*c));
		c->fake = f;
		c->fd = fd;
		pthread_create(&f->conns[f->n_conns++], NULL, fake_serve, c);
	}
	return NULL;
}

/* f is zeroed but for replies, tls, and start_delay_ms with a port: comes up that much later. */
static inline void fake_start(struct fake *f)
{
	pthread_mutex_init(&f->lock, NULL);
	f->listener = -1;
	if (!f->start_delay_ms)
		fake_listen(f);
	pthread_create(&f->thread, NULL, fake_accept, f);
}

/* The client must be freed before: its open connections keep the server's threads. */
static inline void fake_stop(struct fake *f)
{
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	for (size_t i = 0; i < f->n_conns; i++)
		pthread_join(f->conns[i], NULL);
	if (f->listener >= 0)
		close(f->listener);
	for (size_t i = 0; i < f->n_log; i++)
		free(f->log[i]);
	pthread_mutex_destroy(&f->lock);
	f->n_log = f->n_conns = 0;
}

/* Number of requests so far whose text (headers and body too) has this in it. */
static inline size_t fake_count(struct fake *f, const char *what)
{
	size_t n = 0;

	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->n_log; i++)
		n += strstr(f->log[i], what) != NULL;
	pthread_mutex_unlock(&f->lock);
	return n;
}

/* A client of this server, with defaults where opt is NULL. */
static inline struct kube_client *fake_client(const struct fake *f,
					      const struct kube_client_options *opt)
{
	AUTO(free) char *server = xasprintf("http://127.0.0.1:%d", f->port);
	struct kube_config cfg = {.source = (char *)"test", .server = server};
	struct kube_client *c = NULL;
	struct err e = {0};

	if (kube_client_new(&cfg, opt, &c, &e))
		abort();
	return c;
}

static inline int64_t in_ms(int ms)
{
	return clock_now_ms() + ms;
}

#endif
