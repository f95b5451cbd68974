/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/httpd/request.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

#define CHUNK_LINE_MAX 256
#define KEEP_BYTES     16384 /* buffers above this are given back between requests */

enum state {
	IN_HEAD = 0,
	IN_BODY,       /* left more bytes of it */
	IN_CHUNK_SIZE, /* a line with its size */
	IN_CHUNK,      /* left more bytes of it */
	IN_CHUNK_END,  /* the line break behind it */
	IN_TRAILERS,
	COMPLETE,
	BROKEN,
};

struct http_parser {
	struct http_limits limits;
	enum state state;
	int status;
	struct sb in; /* not looked at yet, from at on */
	size_t at;
	size_t scanned; /* of the head, behind at */
	struct sb head; /* of the present request, cut into strings */
	struct sb body;
	size_t left;
	size_t trailers;
	bool waits; /* for 100 Continue */
	struct http_request req;
};

struct http_parser *http_parser_new(const struct http_limits *limits)
{
	struct http_parser *p = xcalloc(1, sizeof(*p));

	p->limits = *limits;
	return p;
}

void http_parser_free(struct http_parser *p)
{
	if (!p)
		return;
	sb_done(&p->in);
	sb_done(&p->head);
	sb_done(&p->body);
	free(p);
}

const char *http_request_header(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		if (!strcasecmp(r->headers[i].name, name))
			return r->headers[i].value;
	}
	return NULL;
}

static enum http_parse broken(struct http_parser *p, int status)
{
	p->state = BROKEN;
	p->status = status;
	return HTTP_PARSE_BAD;
}

/* The functions below return 0, or the status that tells what is wrong. */

/* ------------------------------------------------------------------------------- head */

static bool is_token(const char *s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (const char *c = s; *c; c++) {
		bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');

		if (!letter && !(*c >= '0' && *c <= '9') && !strchr(others, *c))
			return false;
	}
	return *s != '\0';
}

static int parse_target(struct http_parser *p, char *target)
{
	char *query = strchr(target, '?');

	if (*target != '/')
		return 400;
	for (const char *c = target; *c; c++) {
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return 400;
	}
	if (query)
		*query++ = '\0';
	p->req.path = target;
	p->req.query = query ? query : "";
	return 0;
}

static int parse_request_line(struct http_parser *p, char *line, bool *old)
{
	char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version || strchr(version + 1, ' '))
		return 400;
	*target++ = '\0';
	*version++ = '\0';
	if (!is_token(line) || !str_starts(version, "HTTP/"))
		return 400;
	*old = str_eq(version, "HTTP/1.0");
	if (!*old && !str_eq(version, "HTTP/1.1"))
		return 505;
	p->req.method = line;
	return parse_target(p, target);
}

static int parse_header(struct http_parser *p, char *line)
{
	char *colon = strchr(line, ':'), *value, *end;

	if (!colon)
		return 400;
	*colon = '\0';
	if (!is_token(line))
		return 400;
	if (p->req.n_headers == HTTP_HEADERS_MAX)
		return 431;
	value = colon + 1 + strspn(colon + 1, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	p->req.headers[p->req.n_headers++] = (struct http_header){line, value};
	return 0;
}

/* How often a header was sent; its first value goes to *out. */
static size_t find_header(const struct http_request *r, const char *name, const char **out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_headers; i++) {
		if (strcasecmp(r->headers[i].name, name) != 0)
			continue;
		if (!n++)
			*out = r->headers[i].value;
	}
	return n;
}

/* One of the words that commas separate. */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		size_t n;

		list += strspn(list, " \t,");
		n = strcspn(list, " \t,");
		if (n == len && !strncasecmp(list, word, len))
			return true;
		list += n;
	}
	return false;
}

static int parse_length(struct http_parser *p, const char *text)
{
	uint32_t n;

	if (!*text || text[strspn(text, "0123456789")])
		return 400;
	if (parse_u32(text, UINT32_MAX, &n) < 0 || n > p->limits.body)
		return 413;
	p->left = n;
	p->state = n ? IN_BODY : COMPLETE;
	return 0;
}

/* Where the body ends. */
static int parse_framing(struct http_parser *p, bool old)
{
	const char *length = "", *coding = "", *host = "", *expect = "", *connection = "";
	size_t n_length = find_header(&p->req, "Content-Length", &length);
	size_t n_coding = find_header(&p->req, "Transfer-Encoding", &coding);
	size_t n_host = find_header(&p->req, "Host", &host);

	if (n_length > 1 || n_coding > 1 || n_host > 1 || (n_length && n_coding))
		return 400;
	if (old ? n_coding : !n_host)
		return 400;
	find_header(&p->req, "Connection", &connection);
	p->req.keep_alive = !old && !has_word(connection, "close");
	if (find_header(&p->req, "Expect", &expect)) {
		if (strcasecmp(expect, "100-continue") != 0)
			return 417;
		p->waits = !old;
	}
	p->state = COMPLETE;
	if (n_coding) {
		if (strcasecmp(coding, "chunked") != 0)
			return 501;
		p->state = IN_CHUNK_SIZE;
	}
	return n_length ? parse_length(p, length) : 0;
}

static int parse_head(struct http_parser *p)
{
	bool old = false, first = true;
	int status;

	/* Every line ends with "\r\n", the last one is empty: find_head_end() has seen to it. */
	for (char *line = p->head.data, *end; *line != '\r'; line = end + 2) {
		end = strchr(line, '\r');
		*end = '\0';
		status = first ? parse_request_line(p, line, &old) : parse_header(p, line);
		if (status)
			return status;
		first = false;
	}
	return first ? 400 : parse_framing(p, old);
}

/* The empty line has come: *len is what stands before the body, else 0. */
static int find_head_end(struct http_parser *p, size_t *len)
{
	const char *data = p->in.data + p->at;
	size_t n = p->in.len - p->at;

	*len = 0;
	for (; p->scanned < n; p->scanned++) {
		size_t i = p->scanned;
		unsigned char c = (unsigned char)data[i];
		bool after_cr = i > 0 && data[i - 1] == '\r';

		if ((c == '\n') != after_cr || (c < ' ' && !strchr("\r\n\t", c)) || c == 0x7f || !c)
			return 400;
		if (i >= p->limits.head)
			return 431;
		if (c == '\n' && i >= 3 && data[i - 2] == '\n') {
			*len = i + 1;
			return 0;
		}
	}
	return 0;
}

/* Some clients send one behind a body. */
static void skip_empty_line(struct http_parser *p)
{
	if (p->in.len - p->at >= 2 && !memcmp(p->in.data + p->at, "\r\n", 2)) {
		p->at += 2;
		p->scanned = 0;
	}
}

static int take_head(struct http_parser *p, bool *more)
{
	size_t len;
	int status;

	if (!p->scanned)
		skip_empty_line(p);
	*more = true;
	if (p->in.len - p->at == 1 && p->in.data[p->at] == '\r')
		return 0;
	status = find_head_end(p, &len);
	*more = !len;
	if (status || !len)
		return status;
	sb_clear(&p->head);
	sb_add(&p->head, p->in.data + p->at, len);
	p->at += len;
	p->scanned = 0;
	return parse_head(p);
}

/* ------------------------------------------------------------------------------- body */

static void take_body(struct http_parser *p)
{
	size_t n = p->in.len - p->at;

	if (n > p->left)
		n = p->left;
	sb_add(&p->body, p->in.data + p->at, n);
	p->at += n;
	p->left -= n;
}

/* A line without its end, which must come within max bytes; NULL = not yet, or *status is set. */
static char *take_line(struct http_parser *p, size_t max, int *status)
{
	char *line = p->in.data + p->at, *end;
	size_t n = p->in.len - p->at;

	end = memchr(line, '\n', n);
	if ((end ? (size_t)(end - line) : n) > max) {
		*status = 400;
		return NULL;
	}
	if (!end)
		return NULL;
	if (end == line || end[-1] != '\r') {
		*status = 400;
		return NULL;
	}
	end[-1] = '\0';
	p->at += (size_t)(end - line) + 1;
	return line;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int take_chunk_size(struct http_parser *p, bool *more)
{
	int status = 0;
	char *line = take_line(p, CHUNK_LINE_MAX, &status);
	size_t size = 0, i;

	*more = !line;
	if (!line)
		return status;
	for (i = 0; hex_value(line[i]) >= 0; i++) {
		size = size << 4 | (size_t)hex_value(line[i]);
		if (size > p->limits.body - p->body.len)
			return 413;
	}
	/* Extensions mean nothing to us. */
	if (!i || !(line[i] == '\0' || strchr("; \t", line[i])))
		return 400;
	p->left = size;
	p->trailers = 0;
	p->state = size ? IN_CHUNK : IN_TRAILERS;
	return 0;
}

static int take_chunk_end(struct http_parser *p, bool *more)
{
	int status = 0;
	char *line = take_line(p, 1, &status);

	*more = !line;
	if (line && *line)
		return 400;
	if (line)
		p->state = IN_CHUNK_SIZE;
	return status;
}

static int take_trailer(struct http_parser *p, bool *more)
{
	int status = 0;
	char *line = take_line(p, p->limits.head, &status);

	*more = !line;
	if (!line)
		return status;
	p->trailers += strlen(line) + 2;
	if (p->trailers > p->limits.head)
		return 431;
	if (!*line)
		p->state = COMPLETE;
	return 0;
}

/* ------------------------------------------------------------------------------- steps */

static int step(struct http_parser *p, bool *more)
{
	switch (p->state) {
	case IN_HEAD:
		return take_head(p, more);
	case IN_BODY:
		take_body(p);
		*more = p->left > 0;
		if (!p->left)
			p->state = COMPLETE;
		return 0;
	case IN_CHUNK_SIZE:
		return take_chunk_size(p, more);
	case IN_CHUNK:
		take_body(p);
		*more = p->left > 0;
		if (!p->left)
			p->state = IN_CHUNK_END;
		return 0;
	case IN_CHUNK_END:
		return take_chunk_end(p, more);
	case IN_TRAILERS:
		return take_trailer(p, more);
	default:
		return 0;
	}
}

/* What has been taken goes; what is left moves to the front. */
static void compact(struct http_parser *p)
{
	size_t left = p->in.len - p->at;

	if (!p->at)
		return;
	if (left)
		memmove(p->in.data, p->in.data + p->at, left);
	p->in.len = left;
	p->in.data[left] = '\0';
	p->at = 0;
	if (!left && p->in.cap > KEEP_BYTES)
		sb_done(&p->in);
}

void http_parser_feed(struct http_parser *p, const void *data, size_t n)
{
	if (p->state != BROKEN)
		sb_add(&p->in, data, n);
}

enum http_parse http_parser_next(struct http_parser *p, const struct http_request **out)
{
	bool more = false;
	int status = 0;

	while (p->state < COMPLETE && !more && !status && p->in.len)
		status = step(p, &more);
	compact(p);
	if (status)
		return broken(p, status);
	if (p->state == BROKEN)
		return HTTP_PARSE_BAD;
	if (p->state != COMPLETE)
		return HTTP_PARSE_MORE;
	p->req.body = sb_get(&p->body);
	p->req.body_len = p->body.len;
	*out = &p->req;
	return HTTP_PARSE_REQUEST;
}

int http_parser_status(const struct http_parser *p)
{
	return p->status;
}

void http_parser_release(struct http_parser *p)
{
	if (p->state == BROKEN)
		return;
	p->state = IN_HEAD;
	p->req = (struct http_request){0};
	p->waits = false;
	sb_clear(&p->head);
	if (p->body.cap > KEEP_BYTES)
		sb_done(&p->body);
	sb_clear(&p->body);
}

bool http_parser_wants_continue(struct http_parser *p)
{
	bool waits = p->waits && p->state > IN_HEAD && p->state < COMPLETE;

	p->waits = false;
	return waits;
}

bool http_parser_is_idle(const struct http_parser *p)
{
	return p->state == IN_HEAD && p->in.len == p->at;
}

size_t http_parser_size(const struct http_parser *p)
{
	return p->in.cap + p->head.cap + p->body.cap;
}
