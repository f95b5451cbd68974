/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of the API server and what it answers; both kinds of calls share these. No I/O. */
#ifndef LIB_KUBE_REQUEST_H
#define LIB_KUBE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct jdoc;
struct jval;

#define KUBE_BODY_MAX   ((size_t)64 << 20)
#define KUBE_TIMEOUT_MS 30000
/*
 * A server that asks for a longer pause is asked again after this one all the same: otherwise a cache is blind,
 * or a pod waits, for as long as anything between us and the API server likes to say.
 */
#define KUBE_RETRY_AFTER_MAX_S 30

/* Which requests leave first when more wait than may be under way at once. */
enum kube_priority {
	KUBE_NORMAL = 0,
	KUBE_URGENT, /* finishes what has been begun; watches are so always */
	KUBE_IDLE,   /* only when nothing else waits, and few at once */
};

/* Strings are lent for the call. */
struct kube_request {
	const char *method;       /* GET POST PUT PATCH DELETE */
	const char *path;         /* kube_path(): begins with a slash, escaped */
	const char *query;        /* kube_query_add(): escaped, without "?"; NULL or "" = none */
	const char *content_type; /* of the body; NULL = application/json */
	const char *accept;       /* of the answer; NULL = application/json */
	const char *body;         /* NULL = none */
	size_t body_len;
	int64_t deadline_ms; /* CLOCK_MONOTONIC; 0 = KUBE_TIMEOUT_MS from now */
	size_t max_body; /* of the answer, unpacked; 0 = KUBE_BODY_MAX. More: ERR_DECODE, num EFBIG */
	enum kube_priority priority;
	int64_t max_silence_ms; /* of a stream: ERR_TIMEOUT when nothing comes for so long; 0 = no limit */
};

/*
 * After success status is 2xx and the body is there. After a failure that the server answered,
 * status and reason are set and the body is empty; otherwise status is 0.
 */
struct kube_response {
	int status;
	char reason[40]; /* of the Status: "AlreadyExists", "Conflict", "Forbidden"; "" if none */
	bool unknown;    /* a failed write that the server may have done all the same: cut or late
			 answer, 5xx. Read before writing again. */
	char *body;      /* terminated */
	size_t body_len;
};

#define KUBE_RESPONSE_INIT            \
	{                             \
		0, "", false, NULL, 0 \
	}

/** kube_response_done - free the body; the struct can be used again. */
void kube_response_done(struct kube_response *r);
DEFINE_AUTO_VALUE(struct kube_response, kube_response_done)

/** kube_response_take - move from into to; from is empty afterwards. */
void kube_response_take(struct kube_response *to, struct kube_response *from);

/** kube_response_parse - the body as JSON; *out is the caller's (jdoc_free). ERR_DECODE. */
int kube_response_parse(const struct kube_response *r, struct jdoc **out, struct err *e) FN_MUST;

/**
 * kube_is_refusal - the server says no (400, 403, 422): a quota, a policy, a webhook, a right or the schema.
 *
 * Nothing was written. The same request may pass once whoever keeps the rule has changed it.
 */
bool kube_is_refusal(const struct err *e);

/** kube_response_is_reason - the server gave this reason ("AlreadyExists"). */
bool kube_response_is_reason(const struct kube_response *r, const char *reason);

/* The usual requests; strings are lent to the result. body is a terminated JSON text. */
struct kube_request kube_request_get(const char *path, const char *query, int64_t deadline_ms);
struct kube_request kube_request_create(const char *collection, const char *body,
					int64_t deadline_ms);
/** kube_request_merge_patch - RFC 7386. A metadata.resourceVersion in it is a condition (409). */
struct kube_request kube_request_merge_patch(const char *path, const char *body,
					     int64_t deadline_ms);
/** kube_request_replace - PUT. A metadata.resourceVersion or uid in it is a condition (409). */
struct kube_request kube_request_replace(const char *path, const char *body, int64_t deadline_ms);
/** kube_request_delete - options: a DeleteOptions (its preconditions may answer 409), or NULL. */
struct kube_request kube_request_delete(const char *path, const char *options, int64_t deadline_ms);

/** kube_retry_after_ms - what of a Retry-After (seconds, not negative) is respected. */
int kube_retry_after_ms(int64_t asked_s);

/**
 * kube_status_err - a Status object (a failure's body, an ERROR event's object) as an error.
 * @code: the HTTP status; 0 = take it from the object
 * @out_reason: NULL, or where to put the reason
 *
 * Returns -1. Anything else than a Status gives an error that says so.
 */
int kube_status_err(const struct jval *status, int code, char out_reason[40], struct err *e);

#endif
