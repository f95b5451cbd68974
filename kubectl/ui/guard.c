/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/ui/guard.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/httpd/request.h"

#define HOST_LEN 64

int guard_make_secret(struct guard *g, struct err *e)
{
	unsigned char bytes[(GUARD_SECRET_LEN - 1) / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_errno(e, ERR_IO, errno, "getrandom");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(g->secret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int no(const char **why, int status, const char *text)
{
	*why = text;
	return status;
}

/* The value of a header that may stand there once; NULL: it does not. */
static const char *only(const struct http_request *req, const char *name, bool *twice)
{
	const char *value = NULL;

	for (size_t i = 0; i < req->n_headers; i++) {
		if (strcasecmp(req->headers[i].name, name) != 0)
			continue;
		*twice = *twice || value;
		value = req->headers[i].value;
	}
	return value;
}

/* After DNS rebinding a foreign name stands here, which leads to this machine all the same. */
static bool is_ours(const struct guard *g, const char *scheme, const char *value)
{
	static const char *const names[] = {"127.0.0.1", "localhost"};
	char text[HOST_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(text, sizeof(text), "%s%s:%u", scheme, names[i], (unsigned int)g->port);
		if (str_eq(text, value))
			return true;
	}
	return false;
}

int guard_check_origin(const struct guard *g, const struct http_request *req, const char **why)
{
	bool twice = false;
	const char *host = only(req, "Host", &twice);
	const char *site = only(req, "Sec-Fetch-Site", &twice);
	const char *origin = only(req, "Origin", &twice);

	if (twice)
		return no(why, 400, "a header that counts stands there twice");
	if (!host || !is_ours(g, "", host))
		return no(why, 421, "this server is 127.0.0.1 with its port, and nothing else");
	if (origin && !is_ours(g, "http://", origin))
		return no(why, 403, "another page has sent this");
	if (site && !str_eq(site, "same-origin") && !str_eq(site, "none"))
		return no(why, 403, "another page has sent this");
	return 0;
}

/* Takes as long for every text. */
static bool same_secret(const struct guard *g, const char *given)
{
	size_t n = strlen(given);
	volatile unsigned char different = n != GUARD_SECRET_LEN - 1;

	for (size_t i = 0; i < GUARD_SECRET_LEN - 1; i++)
		different |= (unsigned char)(g->secret[i] ^ (i < n ? given[i] : 0));
	return !different;
}

int guard_check_secret(const struct guard *g, const struct http_request *req, const char **why)
{
	bool twice = false, writes = str_eq(req->method, "POST") || str_eq(req->method, "PATCH");
	const char *given = only(req, GUARD_HEADER, &twice);
	const char *type = only(req, "Content-Type", &twice);

	if (twice)
		return no(why, 400, "a header that counts stands there twice");
	if (!given || !same_secret(g, given))
		return no(
			why, 401,
			"the secret is wrong: open the address that kubectl macvlan ui has printed");
	/* What a form of another page can send is never this. */
	if (writes && !str_eq(type, "application/json"))
		return no(why, 415, "the body must be application/json");
	if (!writes && req->body_len)
		return no(why, 400, "there must be no body");
	return 0;
}
