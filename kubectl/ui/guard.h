/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which requests the page's server answers. It listens on loopback, where every user of the machine, and every page in the
 * user's browser, can reach it: see the table in docs/page.md. Pure.
 */
#ifndef KUBECTL_UI_GUARD_H
#define KUBECTL_UI_GUARD_H

#include <stdint.h>

#include "lib/base/err.h"

struct http_request;

#define GUARD_SECRET_LEN 33 /* 128 bits in hexadecimal digits, terminated */
#define GUARD_HEADER     "X-Tandem-Secret"

struct guard {
	uint16_t port;                 /* that it listens on */
	char secret[GUARD_SECRET_LEN]; /* of this run */
};

/** guard_make_secret - a new one, from the kernel. ERR_IO. */
int guard_make_secret(struct guard *g, struct err *e) FN_MUST;

/**
 * guard_check_origin - of every request: who it was meant for, and which page sent it.
 *
 * 0: it may pass; otherwise the status to answer with, and *why in words.
 */
int guard_check_origin(const struct guard *g, const struct http_request *req, const char **why);

/** guard_check_secret - of everything but the page itself: it knows the secret, and a body is JSON. As above. */
int guard_check_secret(const struct guard *g, const struct http_request *req, const char **why);

#endif
