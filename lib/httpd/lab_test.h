/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server with real sockets on loopback for the tests of this folder: its loop runs in a thread, clients
 * block in the test's. Only for x_test.c files.
 */
#ifndef LIB_HTTPD_LAB_TEST_H
#define LIB_HTTPD_LAB_TEST_H

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/httpd/httpd.h"
#include "lib/pki/cert.h"

#define BIG ((size_t)3 << 20)

struct server {
	struct httpd *httpd;
	pthread_t thread;
	pthread_mutex_t lock;
	bool stop;
	struct pki_pair ca, pair;
};

/* ------------------------------------------------------------------------------- the server */

/* Echoes; /big gives BIG bytes, /none a 404. */
static inline void handle(void *ctx, const struct http_request *req, struct httpd_response *res)
{
	(void)ctx;
	if (str_eq(req->path, "/none")) {
		res->status = 404;
		return;
	}
	if (str_eq(req->path, "/big")) {
		for (size_t i = 0; i < BIG / 16; i++)
			sb_puts(&res->body, "0123456789abcdef");
		return;
	}
	res->content_type = "text/x";
	sb_printf(&res->body, "%s %s?%s %zu:", req->method, req->path, req->query, req->body_len);
	sb_add(&res->body, req->body, req->body_len < 100 ? req->body_len : 100);
}

static inline void *run(void *ctx)
{
	struct server *s = ctx;
	struct err e = {0};

	for (bool stop = false; !stop;) {
		struct pollfd p = {.fd = httpd_fd(s->httpd), .events = POLLIN};

		poll(&p, 1, 20);
		pthread_mutex_lock(&s->lock);
		assert_int_equal(httpd_dispatch(s->httpd, &e), 0);
		stop = s->stop;
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

static inline void new_pair(struct server *s)
{
	static const char *const names[] = {"127.0.0.1"};
	int64_t now = clock_wall_s();
	struct pki_spec spec = {"test", names, 1, now - 60, now + 3600};
	struct err e = {0};

	pki_pair_done(&s->pair);
	pki_pair_done(&s->ca);
	assert_int_equal(pki_make_authority(&spec, &s->ca, &e), 0);
	assert_int_equal(pki_make_server(&s->ca, &spec, &s->pair, &e), 0);
}

static inline void use_pair(struct server *s)
{
	struct err e = {0};

	pthread_mutex_lock(&s->lock);
	assert_int_equal(httpd_use_certificate(s->httpd, s->pair.cert, s->pair.key, &e), 0);
	pthread_mutex_unlock(&s->lock);
}

static inline void start(struct server *s, struct httpd_options opt)
{
	struct err e = {0};

	memset(s, 0, sizeof(*s));
	opt.bind = "127.0.0.1:0";
	opt.handler = handle;
	assert_int_equal(httpd_new(&opt, &s->httpd, &e), 0);
	pthread_mutex_init(&s->lock, NULL);
	if (opt.tls) {
		new_pair(s);
		use_pair(s);
	}
	pthread_create(&s->thread, NULL, run, s);
}

static inline struct httpd_stats stop(struct server *s)
{
	struct httpd_stats stats;

	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	httpd_stats(s->httpd, &stats);
	httpd_free(s->httpd);
	pki_pair_done(&s->ca);
	pki_pair_done(&s->pair);
	pthread_mutex_destroy(&s->lock);
	return stats;
}

static inline struct httpd_stats stats_of(struct server *s)
{
	struct httpd_stats stats;

	pthread_mutex_lock(&s->lock);
	httpd_stats(s->httpd, &stats);
	pthread_mutex_unlock(&s->lock);
	return stats;
}

/* ------------------------------------------------------------------------------- clients */

struct client {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
	struct sb in;
};

static inline int dial(const struct server *s)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(httpd_port(s->httpd))};
	struct timeval limit = {.tv_sec = 30};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static inline struct client plain(const struct server *s)
{
	return (struct client){.fd = dial(s)};
}

/* Trusts the server's authority; max_version 0 = the newest. */
static inline bool shake(struct client *c, const struct server *s, int max_version)
{
	BIO *bio = BIO_new_mem_buf(s->ca.cert, -1);
	X509 *ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	c->fd = dial(s);
	c->ctx = SSL_CTX_new(TLS_client_method());
	X509_STORE_add_cert(SSL_CTX_get_cert_store(c->ctx), ca);
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_security_level(c->ctx, 0);
	if (max_version)
		SSL_CTX_set_max_proto_version(c->ctx, max_version);
	c->ssl = SSL_new(c->ctx);
	X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl), "127.0.0.1");
	SSL_set_fd(c->ssl, c->fd);
	X509_free(ca);
	BIO_free(bio);
	return SSL_connect(c->ssl) == 1;
}

static inline void hang_up(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	close(c->fd);
	sb_done(&c->in);
}

static inline ssize_t client_read(struct client *c, char *buf, size_t n)
{
	return c->ssl ? SSL_read(c->ssl, buf, (int)n) : recv(c->fd, buf, n, 0);
}

/* False when the server does not take it all. */
static inline bool say_n(struct client *c, const char *p, size_t n)
{
	while (n) {
		ssize_t w = c->ssl ? SSL_write(c->ssl, p, (int)n) : send(c->fd, p, n, MSG_NOSIGNAL);

		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

static inline bool say(struct client *c, const char *text)
{
	return say_n(c, text, strlen(text));
}

/* The answer at the front of what has come, head bytes of headers and length of body, goes to *body. */
static inline int take_answer(struct client *c, size_t head, size_t length, struct sb *body)
{
	int status = (int)strtol(sb_get(&c->in) + 9, NULL, 10);
	size_t left = c->in.len - head - length;
	AUTO(free) char *rest = xmemdup(c->in.data + head + length, left);

	sb_clear(body);
	sb_add(body, c->in.data + head, length);
	sb_clear(&c->in);
	sb_add(&c->in, rest, left);
	return status;
}

/* The next answer: its status, its body in *body; 0 = the connection ended. */
static inline int hear(struct client *c, struct sb *body, bool head_only)
{
	char buf[65536];

	for (;;) {
		char *end = strstr(sb_get(&c->in), "\r\n\r\n"), *at;
		size_t head = end ? (size_t)(end - c->in.data) + 4 : 0, length = 0;
		ssize_t n;

		at = end ? strstr(sb_get(&c->in), "Content-Length: ") : NULL;
		if (at && !head_only)
			length = strtoul(at + 16, NULL, 10);
		if (end && c->in.len >= head + length)
			return take_answer(c, head, length, body);
		n = client_read(c, buf, sizeof(buf));
		if (n <= 0)
			return 0;
		sb_add(&c->in, buf, (size_t)n);
	}
}

static inline int ask(struct client *c, const char *request, struct sb *body)
{
	return say(c, request) ? hear(c, body, false) : 0;
}

/* Until the server has closed the connection. */
static inline bool ended(struct client *c)
{
	char buf[256];

	while (client_read(c, buf, sizeof(buf)) > 0)
		continue;
	return errno != EAGAIN;
}

#define GET(path)         "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define PUT(path, length) "PUT " path " HTTP/1.1\r\nHost: a\r\nContent-Length: " length "\r\n\r\n"
#define OPT(...)          ((struct httpd_options){__VA_ARGS__})

#endif
