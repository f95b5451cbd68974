/* SPDX-License-Identifier: Apache-2.0 */
/* The page's server: on 127.0.0.1 and nowhere else, for who knows its secret. */
#ifndef KUBECTL_UI_SERVER_H
#define KUBECTL_UI_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct http_request;
struct httpd_response;
struct ui_server;

/* A file of the page. */
struct ui_file {
	const char *path; /* "/", "/page.js" */
	const char *type;
	const char *bytes;
	size_t len;
};

struct ui_options {
	uint16_t port; /* 0 = any */
	const struct ui_file *files;
	size_t n_files;
	/* Answers what begins with /api/ once it has passed the guards; *res is empty. */
	void (*api)(void *ctx, const struct http_request *req, struct httpd_response *res);
	void *ctx;
};

/** ui_server_new - listen, with a new secret. ERR_IO. */
int ui_server_new(const struct ui_options *opt, struct ui_server **out, struct err *e) FN_MUST;
void ui_server_free(struct ui_server *s);
DEFINE_AUTO(struct ui_server, ui_server_free)

/** ui_server_url - what to open, the secret in its fragment: browsers send that to nobody. Lent. */
const char *ui_server_url(const struct ui_server *s);
/** ui_server_fd - to be watched for reading. Lent. */
int ui_server_fd(const struct ui_server *s);
/** ui_server_dispatch - answer who has asked. ERR_IO. */
int ui_server_dispatch(struct ui_server *s, struct err *e) FN_MUST;

#endif
