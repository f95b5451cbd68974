/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/httpd/conn.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define READ_BYTES 16384
#define TURN_STEPS 64 /* then the other connections' turn */
#define LINGER_MS  1000
#define KEEP_BYTES 65536
#define CONTINUE   "HTTP/1.1 100 Continue\r\n\r\n"

enum io { IO_OK, IO_AGAIN, IO_END };

/* ------------------------------------------------------------------------------- bytes */

static enum io tls_result(struct conn *c, int rc)
{
	switch (SSL_get_error(c->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		c->want = EPOLLIN;
		return IO_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		c->want = EPOLLOUT;
		return IO_AGAIN;
	default:
		return IO_END;
	}
}

static enum io plain_result(struct conn *c, ssize_t rc, uint32_t want, size_t *n)
{
	if (rc > 0) {
		*n = (size_t)rc;
		return IO_OK;
	}
	c->want = want;
	return rc < 0 && (errno == EAGAIN || errno == EINTR) ? IO_AGAIN : IO_END;
}

static enum io read_some(struct conn *c, char *buf, size_t *n)
{
	int rc;

	if (!c->ssl)
		return plain_result(c, recv(c->fd, buf, READ_BYTES, 0), EPOLLIN, n);
	ERR_clear_error();
	rc = SSL_read_ex(c->ssl, buf, READ_BYTES, n);
	return rc == 1 ? IO_OK : tls_result(c, rc);
}

static enum io write_some(struct conn *c, const char *p, size_t len, size_t *n)
{
	int rc;

	if (!c->ssl)
		return plain_result(c, send(c->fd, p, len, MSG_NOSIGNAL), EPOLLOUT, n);
	ERR_clear_error();
	rc = SSL_write_ex(c->ssl, p, len, n);
	return rc == 1 ? IO_OK : tls_result(c, rc);
}

static enum io shake_hands(struct conn *c)
{
	int rc;

	ERR_clear_error();
	rc = SSL_accept(c->ssl);
	return rc == 1 ? IO_OK : tls_result(c, rc);
}

/* ------------------------------------------------------------------------------- life */

static void set_deadline(struct conn *c, int ms)
{
	c->deadline_ms = clock_now_ms() + ms;
}

/* Now the one that has been quiet for the shortest time. */
static void touch(struct conn *c)
{
	TAILQ_REMOVE(&c->httpd->conns, c, link);
	TAILQ_INSERT_TAIL(&c->httpd->conns, c, link);
}

struct conn *conn_new(struct httpd *h, int fd)
{
	struct http_limits limits = {h->opt.max_head, h->opt.max_body};
	struct conn *c = xcalloc(1, sizeof(*c));

	c->httpd = h;
	c->fd = fd;
	c->state = CONN_OPEN;
	c->want = EPOLLIN;
	c->parser = http_parser_new(&limits);
	if (h->ctx) {
		c->state = CONN_HANDSHAKE;
		c->ssl = SSL_new(h->ctx);
		if (!c->ssl || SSL_set_fd(c->ssl, fd) != 1)
			abort(); /* only without memory */
	}
	c->began_ms = clock_now_ms();
	set_deadline(c, h->opt.request_ms);
	TAILQ_INSERT_TAIL(&h->conns, c, link);
	h->stats.conns++;
	return c;
}

bool conn_is_idle(const struct conn *c)
{
	return c->state == CONN_OPEN && c->out_at == c->out.len && http_parser_is_idle(c->parser);
}

static void count(struct conn *c, size_t now)
{
	c->httpd->stats.buffered += now - c->counted;
	c->counted = now;
}

void conn_close(struct conn *c)
{
	struct httpd *h = c->httpd;

	if (c->state == CONN_DEAD)
		return;
	if (c->ssl && c->state == CONN_OPEN) {
		ERR_clear_error();
		SSL_shutdown(c->ssl);
	}
	c->state = CONN_DEAD;
	count(c, 0);
	close(c->fd);
	TAILQ_REMOVE(&h->conns, c, link);
	TAILQ_INSERT_TAIL(&h->dead, c, link);
	h->stats.conns--;
}

void conn_reap(struct httpd *h)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&h->dead))) {
		TAILQ_REMOVE(&h->dead, c, link);
		SSL_free(c->ssl);
		http_parser_free(c->parser);
		sb_done(&c->out);
		free(c);
	}
}

/* ------------------------------------------------------------------------------- answers */

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{200, "OK"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{417, "Expectation Failed"},
		{421, "Misdirected Request"},
		{422, "Unprocessable Content"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].text;
	}
	return "Status";
}

static void put_answer(struct conn *c, const struct httpd_response *res, bool head_only)
{
	sb_printf(&c->out,
		  "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
		  "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s%s\r\n",
		  res->status, reason_of(res->status), res->content_type, res->body.len,
		  res->headers ? res->headers : "", c->closing ? "Connection: close\r\n" : "");
	if (!head_only)
		sb_add(&c->out, sb_get(&res->body), res->body.len);
	set_deadline(c, c->httpd->opt.request_ms);
}

static void refuse(struct conn *c, int status)
{
	struct httpd_response res = {status, "text/plain; charset=utf-8", SB_INIT, NULL};

	sb_printf(&res.body, "%s\n", reason_of(status));
	c->closing = true;
	c->httpd->stats.bad++;
	put_answer(c, &res, false);
	sb_done(&res.body);
}

static void serve(struct conn *c, const struct http_request *req)
{
	struct httpd_response res = {200, "text/plain; charset=utf-8", SB_INIT, NULL};
	const struct httpd_options *opt = &c->httpd->opt;
	bool head_only = str_eq(req->method, "HEAD");

	opt->handler(opt->ctx, req, &res);
	c->closing = !req->keep_alive;
	c->served = true;
	c->httpd->stats.requests++;
	put_answer(c, &res, head_only);
	sb_done(&res.body);
	http_parser_release(c->parser);
	count(c, http_parser_size(c->parser));
}

static void linger(struct conn *c)
{
	if (c->ssl) {
		ERR_clear_error();
		SSL_shutdown(c->ssl);
	}
	shutdown(c->fd, SHUT_WR);
	http_parser_free(c->parser);
	c->parser = NULL;
	count(c, 0);
	c->state = CONN_LINGER;
	c->want = EPOLLIN;
	set_deadline(c, LINGER_MS);
}

/* ------------------------------------------------------------------------------- one step */

/* True = go on, false = wait for c->want, or it is closed. */

static bool step_handshake(struct conn *c)
{
	enum io rc = shake_hands(c);

	if (rc == IO_END) {
		c->httpd->stats.handshakes_failed++;
		conn_close(c);
	}
	if (rc != IO_OK)
		return false;
	c->state = CONN_OPEN;
	set_deadline(c, c->httpd->opt.request_ms);
	return true;
}

static bool step_write(struct conn *c)
{
	size_t n = 0;
	enum io rc = write_some(c, c->out.data + c->out_at, c->out.len - c->out_at, &n);

	if (rc == IO_END)
		conn_close(c);
	if (rc != IO_OK)
		return false;
	c->out_at += n;
	if (c->out_at < c->out.len)
		return true;
	c->out_at = 0;
	if (c->out.cap > KEEP_BYTES)
		sb_done(&c->out);
	sb_clear(&c->out);
	touch(c);
	if (c->closing)
		linger(c);
	else if (http_parser_is_idle(c->parser))
		set_deadline(c, c->httpd->opt.idle_ms);
	return true;
}

static bool step_linger(struct conn *c)
{
	char buf[READ_BYTES];
	ssize_t n = recv(c->fd, buf, sizeof(buf), 0);

	if (n > 0)
		return true;
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		conn_close(c);
	return false;
}

static bool step_read(struct conn *c)
{
	struct httpd *h = c->httpd;
	bool was_idle = http_parser_is_idle(c->parser);
	char buf[READ_BYTES];
	size_t n = 0;
	enum io rc = read_some(c, buf, &n);

	if (rc == IO_END)
		conn_close(c);
	if (rc != IO_OK)
		return false;
	if (was_idle)
		set_deadline(c, h->opt.request_ms);
	touch(c);
	http_parser_feed(c->parser, buf, n);
	count(c, http_parser_size(c->parser));
	if (h->stats.buffered > h->opt.max_buffered)
		refuse(c, 503);
	return true;
}

static bool step_parse(struct conn *c)
{
	const struct http_request *req = NULL;

	switch (http_parser_next(c->parser, &req)) {
	case HTTP_PARSE_REQUEST:
		serve(c, req);
		return true;
	case HTTP_PARSE_BAD:
		refuse(c, http_parser_status(c->parser));
		return true;
	default:
		break;
	}
	count(c, http_parser_size(c->parser));
	if (http_parser_wants_continue(c->parser)) {
		sb_puts(&c->out, CONTINUE);
		return true;
	}
	return step_read(c);
}

static bool step(struct conn *c)
{
	if (c->state == CONN_HANDSHAKE)
		return step_handshake(c);
	if (c->state == CONN_LINGER)
		return step_linger(c);
	if (c->out_at < c->out.len)
		return step_write(c);
	return step_parse(c);
}

void conn_run(struct conn *c)
{
	struct epoll_event ev = {.data.ptr = c};
	int steps = 0;

	if (c->state == CONN_DEAD)
		return;
	while (steps < TURN_STEPS && step(c))
		steps++;
	c->again = c->state != CONN_DEAD && steps == TURN_STEPS;
	if (c->state == CONN_DEAD || c->events == c->want)
		return;
	ev.events = c->events = c->want;
	if (epoll_ctl(c->httpd->epfd, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		conn_close(c);
}
