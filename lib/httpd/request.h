/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 requests out of bytes. No I/O: feed bytes in, take requests out. */
#ifndef LIB_HTTPD_REQUEST_H
#define LIB_HTTPD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"

#define HTTP_HEADERS_MAX 64

struct http_header {
	const char *name;
	const char *value; /* without blanks around it */
};

/* Texts are the parser's, valid until http_parser_release(). */
struct http_request {
	const char *method;
	const char *path;  /* as sent, not unescaped; begins with a slash; without the query */
	const char *query; /* what follows "?", "" for none */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	bool keep_alive; /* the client would send another request */
	const char *body;
	size_t body_len;
};

/** http_request_header - a header's value, NULL if it was not sent. Names in any case. */
const char *http_request_header(const struct http_request *r, const char *name);

struct http_limits {
	size_t head; /* bytes of request line and headers; of trailers too */
	size_t body; /* bytes, unpacked */
};

enum http_parse {
	HTTP_PARSE_MORE,    /* feed more */
	HTTP_PARSE_REQUEST, /* one request is complete */
	HTTP_PARSE_BAD,     /* for good: the connection cannot be understood any more */
};

struct http_parser;

struct http_parser *http_parser_new(const struct http_limits *limits);
void http_parser_free(struct http_parser *p);
DEFINE_AUTO(struct http_parser, http_parser_free)

/**
 * http_parser_feed - take n bytes of the connection.
 *
 * Not while a complete request waits, so that what is kept is bounded by the limits and the size of
 * one piece.
 */
void http_parser_feed(struct http_parser *p, const void *data, size_t n);

/**
 * http_parser_next - what has come so far.
 * @out: on HTTP_PARSE_REQUEST the request
 *
 * Strict where laxness lets two readers disagree on where a request ends: CRLF only, no folded headers,
 * no blank before a colon, one Content-Length, never together with Transfer-Encoding, which
 * must be chunked.
 */
enum http_parse http_parser_next(struct http_parser *p, const struct http_request **out);

/** http_parser_status - after HTTP_PARSE_BAD the status to answer with (400, 413, 417, 431, 501, 505). */
int http_parser_status(const struct http_parser *p);

/** http_parser_release - the request has been dealt with; the next one may be parsed. */
void http_parser_release(struct http_parser *p);

/** http_parser_wants_continue - true once, when the client waits for "100 Continue" before its body. */
bool http_parser_wants_continue(struct http_parser *p);
/** http_parser_is_idle - nothing of a next request has come. */
bool http_parser_is_idle(const struct http_parser *p);
/** http_parser_size - bytes of memory held for what has come. */
size_t http_parser_size(const struct http_parser *p);

#endif
