/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of the server. For the files of this folder only. */
#ifndef LIB_HTTPD_CONN_H
#define LIB_HTTPD_CONN_H

#include <openssl/ssl.h>
#include <sys/queue.h>

#include "lib/httpd/httpd.h"

enum conn_state {
	CONN_HANDSHAKE,
	CONN_OPEN,
	CONN_LINGER, /* told to go: what it still sends is thrown away, so that it reads the answer */
	CONN_DEAD,   /* in h->dead, until no event can name it any more */
};

struct conn {
	struct httpd *httpd;
	TAILQ_ENTRY(conn) link;
	int fd;
	SSL *ssl;
	enum conn_state state;
	uint32_t events; /* that epoll watches */
	uint32_t want;   /* what the last read or write waits for */
	bool again;      /* has more to do without an event */
	bool closing;    /* close when out has gone */
	bool served;     /* has had an answer */
	int64_t began_ms;
	int64_t deadline_ms;
	struct http_parser *parser;
	size_t counted; /* of the parser's bytes, in httpd->stats.buffered */
	struct sb out;
	size_t out_at;
};

TAILQ_HEAD(conns, conn);

struct httpd {
	struct httpd_options opt;
	int epfd, timerfd, listener;
	uint16_t port;
	SSL_CTX *ctx;
	struct conns conns; /* the one that has been quiet longest first */
	struct conns dead;
	struct httpd_stats stats;
	int64_t accept_ms; /* out of descriptors: not before */
	int64_t timer_ms;  /* what the timer is set to; 0 = off */
};

/** conn_new - take an accepted socket. */
struct conn *conn_new(struct httpd *h, int fd);
/** conn_run - everything that can be done now. */
void conn_run(struct conn *c);
/** conn_close - end it now; freed by conn_reap(). */
void conn_close(struct conn *c);
/** conn_is_idle - between two requests. */
bool conn_is_idle(const struct conn *c);
/** conn_reap - free what has been closed. */
void conn_reap(struct httpd *h);

#endif
