/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/ui/server.h"

#include <stdio.h>
#include <stdlib.h>

#include "kubectl/ui/guard.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/httpd/httpd.h"

#define URL_LEN    96
#define BODY_MAX   (256 << 10)
#define KEEP_MAX   (4 << 20)
#define CONNS_MAX  32
#define REQUEST_MS 20000

/* What stands in a name or an annotation can never run: there is no script but ours, and it makes no HTML of texts. */
#define HEADERS                                                                              \
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; " \
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "  \
	"require-trusted-types-for 'script'; trusted-types 'none'\r\n"                       \
	"Referrer-Policy: no-referrer\r\n"                                                   \
	"X-Frame-Options: DENY\r\n"                                                          \
	"Cross-Origin-Opener-Policy: same-origin\r\n"                                        \
	"Cross-Origin-Resource-Policy: same-origin\r\n"

struct ui_server {
	struct httpd *httpd;
	struct ui_options opt;
	struct guard guard;
	char url[URL_LEN];
};

static void refuse(struct httpd_response *res, int status, const char *why)
{
	res->status = status;
	sb_printf(&res->body, "%s\n", why);
}

static void serve_file(const struct ui_server *s, const struct http_request *req,
		       struct httpd_response *res)
{
	for (size_t i = 0; i < s->opt.n_files; i++) {
		const struct ui_file *f = &s->opt.files[i];

		if (!str_eq(f->path, req->path))
			continue;
		if (!str_eq(req->method, "GET"))
			return refuse(res, 405, "this can only be read");
		res->content_type = f->type;
		sb_add(&res->body, f->bytes, f->len);
		return;
	}
	refuse(res, 404, "there is nothing of that name");
}

static void serve(void *ctx, const struct http_request *req, struct httpd_response *res)
{
	struct ui_server *s = ctx;
	const char *why = "";
	int status = guard_check_origin(&s->guard, req, &why);

	res->headers = HEADERS;
	if (!status && !str_starts(req->path, "/api/"))
		return serve_file(s, req, res);
	if (!status)
		status = guard_check_secret(&s->guard, req, &why);
	if (status)
		return refuse(res, status, why);
	s->opt.api(s->opt.ctx, req, res);
}

int ui_server_new(const struct ui_options *opt, struct ui_server **out, struct err *e)
{
	AUTO(ui_server_free) struct ui_server *s = xcalloc(1, sizeof(*s));
	char bind[32];
	struct httpd_options http = {.bind = bind,
				     .handler = serve,
				     .ctx = s,
				     .max_body = BODY_MAX,
				     .max_buffered = KEEP_MAX,
				     .max_conns = CONNS_MAX,
				     .request_ms = REQUEST_MS};

	s->opt = *opt;
	/* Always this address: who wants the page elsewhere takes ssh -L. */
	snprintf(bind, sizeof(bind), "127.0.0.1:%u", (unsigned int)opt->port);
	if (guard_make_secret(&s->guard, e) || httpd_new(&http, &s->httpd, e))
		return -1;
	s->guard.port = httpd_port(s->httpd);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/#%s", (unsigned int)s->guard.port,
		 s->guard.secret);
	*out = STEAL(s);
	return 0;
}

void ui_server_free(struct ui_server *s)
{
	if (!s)
		return;
	httpd_free(s->httpd);
	free(s);
}

const char *ui_server_url(const struct ui_server *s)
{
	return s->url;
}

int ui_server_fd(const struct ui_server *s)
{
	return httpd_fd(s->httpd);
}

int ui_server_dispatch(struct ui_server *s, struct err *e)
{
	return httpd_dispatch(s->httpd, e);
}
