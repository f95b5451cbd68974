/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/err.h"

#include <stdio.h>
#include <string.h>

int err_set_v(struct err *e, enum err_kind kind, int num, const char *fmt, va_list ap)
{
	char msg[sizeof(e->msg)];

	/* Formatted aside, since an argument may point into e->msg. */
	vsnprintf(msg, sizeof(msg), fmt, ap);
	e->kind = kind;
	e->num = num;
	e->retry_after_ms = 0;
	memcpy(e->msg, msg, sizeof(msg));
	return -1;
}

int err_set(struct err *e, enum err_kind kind, int num, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_set_v(e, kind, num, fmt, ap);
	va_end(ap);
	return -1;
}

int err_errno(struct err *e, enum err_kind kind, int num, const char *fmt, ...)
{
	char text[128];
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	err_set_v(e, kind, num, fmt, ap);
	va_end(ap);
	len = strlen(e->msg);
	/* The GNU strerror_r: returns the text, which may or may not lie in our buffer. */
	snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", strerror_r(num, text, sizeof(text)));
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->msg)];
	va_list ap;
	size_t len;

	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	len = strlen(e->msg);
	snprintf(e->msg + len, sizeof(e->msg) - len, ": %.*s", (int)(sizeof(old) - 1), old);
	return -1;
}

void err_clear(struct err *e)
{
	memset(e, 0, sizeof(*e));
}

const char *err_kind_name(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		return "none";
	case ERR_INTERNAL:
		return "internal";
	case ERR_VERSION:
		return "version";
	case ERR_UNSUPPORTED:
		return "unsupported";
	case ERR_ENV:
		return "environment";
	case ERR_IO:
		return "io";
	case ERR_DECODE:
		return "decode";
	case ERR_CONFIG:
		return "config";
	case ERR_NETNS:
		return "netns";
	case ERR_KERNEL:
		return "kernel";
	case ERR_DELEGATE:
		return "delegate";
	case ERR_API:
		return "api";
	case ERR_TRANSPORT:
		return "transport";
	case ERR_NOT_FOUND:
		return "not-found";
	case ERR_CONFLICT:
		return "conflict";
	case ERR_GONE:
		return "gone";
	case ERR_TIMEOUT:
		return "timeout";
	case ERR_CANCELLED:
		return "cancelled";
	case ERR_AGAIN:
		return "again";
	case ERR_MISSING:
		return "missing";
	case ERR_UNREADY:
		return "unready";
	}
	return "unknown";
}
