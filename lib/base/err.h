/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: one struct, owned by the caller, that needs no freeing. */
#ifndef LIB_BASE_ERR_H
#define LIB_BASE_ERR_H

#include <stdarg.h>

/* The result of the function says whether it failed; ignoring it is a compile error. */
#define FN_MUST __attribute__((warn_unused_result))

/* For the rare call whose failure changes nothing. gcc ignores a (void) cast for FN_MUST. */
#define IGNORE(call, reason)             \
	do {                             \
		if (call) { /* reason */ \
		}                        \
	} while (0)

/* What went wrong, in classes a caller can act on. lib/cni/cnierr.c maps them to CNI codes. */
enum err_kind {
	ERR_NONE = 0,
	ERR_INTERNAL,    /* a bug, or something that cannot happen */
	ERR_VERSION,     /* cniVersion that we or a delegate do not speak */
	ERR_UNSUPPORTED, /* a field or verb that is valid but not supported here */
	ERR_ENV,         /* a missing or malformed CNI environment variable */
	ERR_IO,          /* a file or pipe: num is errno */
	ERR_DECODE,      /* text that is not what it should be: JSON, YAML, base64 */
	ERR_CONFIG,      /* a conf that parses but makes no sense */
	ERR_NETNS,       /* the network namespace is missing, not one, or the host's */
	ERR_KERNEL,      /* netlink: num is errno */
	ERR_DELEGATE,    /* a delegate failed: num is its own CNI code, 0 when it gave none */
	ERR_API,         /* the API server said no: num is the HTTP status */
	ERR_TRANSPORT,   /* the API server was not reached or the answer was cut */
	ERR_NOT_FOUND,   /* the named thing does not exist (HTTP 404) */
	ERR_CONFLICT,    /* HTTP 409: another writer was first, or the name is taken */
	ERR_GONE,        /* HTTP 410: the resourceVersion is too old */
	ERR_TIMEOUT,     /* our own deadline ran out */
	ERR_CANCELLED,   /* stopped on request of another part */
	ERR_AGAIN,       /* not ready yet: the runtime should try again later */
	ERR_MISSING,     /* CHECK: something of an attachment is not as it was made */
	ERR_UNREADY,     /* STATUS: an ADD could not succeed now */
};

struct err {
	enum err_kind kind;
	int num; /* errno, HTTP status or CNI code, as the kind says; 0 when there is none */
	int retry_after_ms; /* how long the API server asked us to wait; 0 when it did not */
	char msg[512];      /* for people; cut at the end, always terminated */
};

/**
 * err_set - fill in an error.
 *
 * Returns -1 always, so that "return err_set(...)" is the whole failure path.
 */
int err_set(struct err *e, enum err_kind kind, int num, const char *fmt, ...)
	__attribute__((format(printf, 4, 5), cold));

/** err_set_v - err_set() for callers that have a va_list. Returns -1. */
int err_set_v(struct err *e, enum err_kind kind, int num, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0), cold));

/** err_errno - err_set() with ": strerror(num)" appended to the text. Returns -1. */
int err_errno(struct err *e, enum err_kind kind, int num, const char *fmt, ...)
	__attribute__((format(printf, 4, 5), cold));

/**
 * err_wrap - put context in front of an error: "context: what it said".
 *
 * Kind, number and retry time stay. Once per layer. Returns -1.
 */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/** err_clear - make the error empty again, for a retry. */
void err_clear(struct err *e);

/** err_kind_name - a short word for logs and metrics ("kernel", "timeout"). Never NULL. */
const char *err_kind_name(enum err_kind kind);

#endif
