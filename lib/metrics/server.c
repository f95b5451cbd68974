/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/metrics/server.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/httpd/httpd.h"

#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_server {
	struct httpd *httpd;
	metrics_write_fn *write;
	void *ctx;
};

static void serve(void *ctx, const struct http_request *req, struct httpd_response *res)
{
	struct metrics_server *s = ctx;

	if (!str_eq(req->method, "GET")) {
		res->status = 405;
	} else if (str_eq(req->path, "/metrics")) {
		res->content_type = CONTENT_TYPE;
		s->write(s->ctx, &res->body);
	} else if (str_eq(req->path, "/healthz")) {
		sb_puts(&res->body, "ok\n");
	} else {
		res->status = 404;
	}
}

int metrics_server_new(const char *bind, metrics_write_fn *write, void *ctx,
		       struct metrics_server **out, struct err *e)
{
	struct httpd_options opt = {.bind = bind, .handler = serve, .max_body = 1, .max_conns = 16};
	AUTO(metrics_server_free) struct metrics_server *s = NULL;

	if (!*bind || str_eq(bind, "0"))
		return 0;
	s = xcalloc(1, sizeof(*s));
	s->write = write;
	s->ctx = ctx;
	opt.ctx = s;
	if (httpd_new(&opt, &s->httpd, e) < 0)
		return err_wrap(e, "--metrics-bind-address");
	log_info("metrics are served", "address", bind);
	*out = STEAL(s);
	return 0;
}

int metrics_server_fd(const struct metrics_server *s)
{
	return s ? httpd_fd(s->httpd) : -1;
}

int metrics_server_dispatch(struct metrics_server *s, struct err *e)
{
	return s ? httpd_dispatch(s->httpd, e) : 0;
}

void metrics_server_free(struct metrics_server *s)
{
	if (!s)
		return;
	httpd_free(s->httpd);
	free(s);
}
