/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers the one question that the plugin has, in a machine too small for an API server:
 *
 *	answer ADDRESS:PORT DIR
 *
 * GET .../macvlanips/NAME is answered with the file DIR/NAME, everything else with 404, over plain HTTP.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/io.h"
#include "lib/base/str.h"
#include "lib/httpd/httpd.h"

#define RECORD_MAX ((size_t)1 << 20)

static const char not_found[] =
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"NotFound\",\"code\":404}";

static void answer(void *ctx, const struct http_request *req, struct httpd_response *res)
{
	const char *name = strrchr(req->path, '/');
	AUTO(free) char *text = NULL;
	const int *dir = ctx;
	struct err e = {0};
	size_t len = 0;

	res->content_type = "application/json";
	if (strstr(req->path, "/macvlanips/") && name &&
	    io_read_own(*dir, name + 1, RECORD_MAX, &text, &len, &e) == 0) {
		sb_add(&res->body, text, len);
		return;
	}
	res->status = 404;
	sb_puts(&res->body, not_found);
}

int main(int argc, char **argv)
{
	AUTO(httpd_free) struct httpd *h = NULL;
	struct err e = {0};
	int dir;

	if (argc != 3) {
		fprintf(stderr, "answer ADDRESS:PORT DIR\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	dir = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	const struct httpd_options opt = {.bind = argv[1], .handler = answer, .ctx = &dir};

	if (httpd_new(&opt, &h, &e) < 0)
		goto failed;
	for (;;) {
		struct pollfd p = {.fd = httpd_fd(h), .events = POLLIN};

		poll(&p, 1, -1);
		if (httpd_dispatch(h, &e) < 0)
			goto failed;
	}
failed:
	fprintf(stderr, "answer: %s\n", e.msg);
	return 1;
}
