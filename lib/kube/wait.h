/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, waited for: one object, a whole collection, or until an object is as wanted. */
#ifndef LIB_KUBE_WAIT_H
#define LIB_KUBE_WAIT_H

#include <stdint.h>

#include "lib/base/err.h"

struct jdoc;
struct jval;
struct kube_client;

/** kube_get - GET one object. *out is the caller's (jdoc_free). Errors of kube_do(), ERR_DECODE. */
int kube_get(struct kube_client *c, const char *path, int64_t deadline_ms, struct jdoc **out,
	     struct err *e) FN_MUST;

struct kube_list {
	const char *path;  /* of the collection */
	const char *query; /* selectors; NULL = none */
	unsigned int page; /* objects per page; 0 = 500 */
	int64_t deadline_ms;
	/* The list starts, or starts over after a 410: forget what came. May be NULL. */
	void (*begin)(void *ctx);
	/* One object, lent until return. -1 ends the list with that error. */
	int (*item)(void *ctx, const struct jval *obj, struct err *e);
	void *ctx;
};

/** kube_list_all - a consistent list, page by page. Errors of kube_do() and item, ERR_DECODE. */
int kube_list_all(struct kube_client *c, const struct kube_list *list, struct err *e) FN_MUST;

struct kube_wait {
	const char *collection; /* path of the collection, kube_path() without a name */
	const char *name;       /* of the object in it */
	/*
	 * 1 = as wanted, 0 = not yet, -1 = never will be, with e. obj is lent, NULL = the object is
	 * absent. On 0 it may put into e what is missing: the timeout's text ends with it.
	 */
	int (*ready)(void *ctx, const struct jval *obj, struct err *e);
	void *ctx;
	int64_t deadline_ms;
};

/**
 * kube_wait - until the object is as wanted: one GET when it is so already, else list and watch
 * with a field selector on the name. No polling.
 *
 * Goes on over cut watches, restarts of the API server and 410. ERR_TIMEOUT names the object and
 * what was missing; ERR_CANCELLED; the error of ready(); ERR_API at once when the first GET is
 * refused (401, 403).
 */
int kube_wait(struct kube_client *c, const struct kube_wait *wait, struct err *e) FN_MUST;

#endif
