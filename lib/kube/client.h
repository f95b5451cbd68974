/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the API server: one at a time and waited for, or many inside an epoll loop. */
#ifndef LIB_KUBE_CLIENT_H
#define LIB_KUBE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/kube/request.h"

struct kube_client;
struct kube_call;
struct kube_config;

struct kube_client_options {
	const char *user_agent;       /* NULL = "tandem/<version>" */
	double qps;                   /* requests per second, retries included; 0 = no limit */
	unsigned int burst;           /* how many may come at once under qps; 0 = qps + 1 */
	unsigned int max_connections; /* requests under way at once, watches apart; 0 = 8 */
	/* Asked before each request leaves the queue, for who may end the process there; NULL = none. */
	void (*before_send)(void *ctx);
	void *ctx;
};

/**
 * kube_client_new - a client for one server and account. No I/O yet.
 * @cfg: copied
 * @opt: NULL = all defaults
 *
 * Not for several threads at once. ERR_IO, ERR_INTERNAL.
 */
int kube_client_new(const struct kube_config *cfg, const struct kube_client_options *opt,
		    struct kube_client **out, struct err *e) FN_MUST;

/** kube_client_free - close everything. Calls still under way end without their callback. */
void kube_client_free(struct kube_client *c);
DEFINE_AUTO(struct kube_client, kube_client_free)

/** kube_client_set_cancel_fd - waits end (ERR_CANCELLED) once fd is readable. -1 = none. Lent. */
void kube_client_set_cancel_fd(struct kube_client *c, int fd);

/**
 * kube_do - send a request and wait for the answer.
 * @out: KUBE_RESPONSE_INIT or used before; emptied first. See struct kube_response for what
 *	stands in it after a failure.
 *
 * Reads (GET) are repeated inside the deadline after refused or cut connections, 429 and 5xx, with
 * growing pauses and Retry-After respected. Writes are repeated after 429 only. After 401 the token
 * file is read again and the request repeated once.
 *
 * ERR_NOT_FOUND (404), ERR_CONFLICT (409), ERR_GONE (410), ERR_API (others), each with num =
 * status, the server's message, and retry_after_ms; ERR_TRANSPORT: not reached, or the answer was
 * cut; ERR_TIMEOUT: no answer within the deadline (a write that may have been done is
 * ERR_TRANSPORT); ERR_DECODE: an answer above max_body; ERR_CANCELLED.
 */
int kube_do(struct kube_client *c, const struct kube_request *req, struct kube_response *out,
	    struct err *e) FN_MUST;

/*
 * The end of a call. e is NULL on success. res is lent until return: move what you keep with
 * kube_response_take(). The call's handle is void from here on. May submit and cancel calls, must
 * not free the client.
 */
typedef void kube_done_fn(void *ctx, struct kube_response *res, const struct err *e);

/*
 * A piece of a 2xx body as it comes; first once with len 0, when the server has accepted. -1 with e
 * ends the call. Must not free the client.
 */
typedef int kube_data_fn(void *ctx, const char *data, size_t len, struct err *e);

/**
 * kube_submit - the same without waiting. Never calls done before it returns.
 *
 * The request is copied. Exactly one of done and kube_cancel() ends the handle.
 */
struct kube_call *kube_submit(struct kube_client *c, const struct kube_request *req,
			      kube_done_fn *done, void *ctx);

/**
 * kube_submit_stream - for watches: the body goes to data piece by piece, max_body does not count.
 *
 * Not repeated but after a 401, and not counted in max_connections.
 */
struct kube_call *kube_submit_stream(struct kube_client *c, const struct kube_request *req,
				     kube_data_fn *data, kube_done_fn *done, void *ctx);

/** kube_cancel - end a call without its callback. NULL is ignored. A write may have been done. */
void kube_cancel(struct kube_call *call);

/** kube_client_fd - an epoll descriptor, readable when kube_client_dispatch() has work. Lent. */
int kube_client_fd(const struct kube_client *c);

/** kube_client_dispatch - do what is due and run callbacks. Never blocks. ERR_INTERNAL. */
int kube_client_dispatch(struct kube_client *c, struct err *e) FN_MUST;

/**
 * kube_client_wait - dispatch until *flag is set: for code that waits for its own callback.
 *
 * ERR_TIMEOUT at the deadline, ERR_CANCELLED, ERR_INTERNAL. Callbacks of all calls run meanwhile.
 */
int kube_client_wait(struct kube_client *c, const bool *flag, int64_t deadline_ms,
		     struct err *e) FN_MUST;

/* What the client did, for metrics. */
struct kube_client_stats {
	uint64_t requests; /* sent, repeats included */
	uint64_t retries;
	uint64_t failures;    /* calls that ended with an error of transport or a 5xx */
	uint64_t connections; /* opened */
	unsigned int queued;  /* wait for the rate limit or a connection */
	unsigned int running;
};

void kube_client_stats(const struct kube_client *c, struct kube_client_stats *out);

#endif
