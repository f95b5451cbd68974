/* SPDX-License-Identifier: Apache-2.0 */
/* One page of a list: its query and its answer. No I/O. */
#ifndef LIB_KUBE_LIST_H
#define LIB_KUBE_LIST_H

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct jval;
struct kube_response;

#define KUBE_PAGE 500

struct kube_page {
	char *next;    /* token of the next page, NULL = this was the last */
	char *version; /* resourceVersion of the list: where a watch goes on */
};

void kube_page_done(struct kube_page *p);
DEFINE_AUTO_VALUE(struct kube_page, kube_page_done)

/** kube_page_query - token and selectors may be NULL, limit 0 = KUBE_PAGE. The caller frees it. */
char *kube_page_query(const char *selectors, unsigned int limit, const char *token);

/* Who takes the objects of a page. */
struct kube_page_taker {
	int (*item)(void *ctx, const struct jval *obj, struct err *e);
	/*
	 * An object that cannot be read, or that item refused; the others of the page follow. key: its
	 * "namespace/name", or "(unknown)". NULL = one such object fails the page.
	 */
	void (*bad)(void *ctx, const char *key, const struct err *why);
	void *ctx;
};

/**
 * kube_page_read - hand each object of the page to its taker, then tell how to go on.
 *
 * *out as from kube_page_done(). ERR_DECODE, errors of item.
 */
int kube_page_read(const struct kube_response *res, const struct kube_page_taker *taker,
		   struct kube_page *out, struct err *e) FN_MUST;

#endif
