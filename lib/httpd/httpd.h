/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP/1.1 server, with TLS or without, inside an epoll loop. Requests are answered at once by a
 * function that does not wait. Everything that a client can make it keep is bounded: connections,
 * bytes, time.
 *
 * The process ignores SIGPIPE.
 */
#ifndef LIB_HTTPD_HTTPD_H
#define LIB_HTTPD_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/sb.h"
#include "lib/httpd/request.h"

struct httpd;

struct httpd_response {
	int status;               /* 200 unless changed */
	const char *content_type; /* text/plain unless changed; static */
	struct sb body;
	const char *headers; /* further ones, each ended by CRLF; NULL = none; static */
};

/* Fills in *res, which is empty. Must not free the server. */
typedef void httpd_handler_fn(void *ctx, const struct http_request *req,
			      struct httpd_response *res);

struct httpd_options {
	const char
		*bind; /* "ADDRESS:PORT", "[ADDRESS]:PORT", ":PORT" = every address; port 0 = any */
	bool tls;      /* connections are closed at once until httpd_use_certificate() */
	httpd_handler_fn *handler;
	void *ctx;
	size_t max_head;        /* bytes; 0 = 16 KiB */
	size_t max_body;        /* bytes; 0 = 8 MiB */
	size_t max_buffered;    /* bytes of all connections together; 0 = 32 MiB */
	unsigned int max_conns; /* 0 = 256; the one that has been idle longest makes room */
	int request_ms; /* for the handshake, for a request to come, for an answer to go; 0 = 10 s */
	int idle_ms;    /* between requests; 0 = 180 s, beyond what clients keep a connection for */
};

/** httpd_new - listen. ERR_CONFIG: not an address; ERR_IO. */
int httpd_new(const struct httpd_options *opt, struct httpd **out, struct err *e) FN_MUST;
void httpd_free(struct httpd *h);
DEFINE_AUTO(struct httpd, httpd_free)

/**
 * httpd_use_certificate - what new connections are shown from now on; those that stand go on.
 *
 * ERR_CONFIG, then the one before stays.
 */
int httpd_use_certificate(struct httpd *h, const char *cert_pem, const char *key_pem,
			  struct err *e) FN_MUST;

/** httpd_port - the port that it listens on. */
uint16_t httpd_port(const struct httpd *h);
/** httpd_fd - an epoll descriptor, readable when httpd_dispatch() has work. Lent. */
int httpd_fd(const struct httpd *h);
/** httpd_dispatch - do what is due: accept, read, answer, close. Never blocks. ERR_IO. */
int httpd_dispatch(struct httpd *h, struct err *e) FN_MUST;

struct httpd_stats {
	unsigned int conns; /* open */
	uint64_t accepted;
	uint64_t refused;  /* no room, or no certificate */
	uint64_t requests; /* answered by the handler */
	uint64_t bad;      /* answered with an error before */
	uint64_t timeouts;
	uint64_t handshakes_failed;
	size_t buffered; /* bytes */
};

void httpd_stats(const struct httpd *h, struct httpd_stats *out);

#endif
