/* SPDX-License-Identifier: Apache-2.0 */
/* The watch decoder: bytes in, events out, no I/O. Lines of JSON as the API server streams them. */
#ifndef LIB_KUBE_WATCH_H
#define LIB_KUBE_WATCH_H

#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct jval;

/* One object. etcd itself takes no more than 1.5 MiB, which the server's escapes make six times as long. */
#define KUBE_WATCH_LINE_MAX ((size_t)16 << 20)

enum kube_event_type {
	KUBE_EVENT_ADDED,
	KUBE_EVENT_MODIFIED,
	KUBE_EVENT_DELETED,
	KUBE_EVENT_BOOKMARK, /* the object has nothing but a resourceVersion */
	KUBE_EVENT_ERROR,    /* the object is a Status: kube_status_err() */
};

struct kube_event {
	enum kube_event_type type;
	/*
	 * Lent until the next call with this decoder. NULL = an ADDED, MODIFIED or DELETED object that
	 * cannot be read: key is its "namespace/name", why says what is wrong with it.
	 */
	const struct jval *object;
	const char *key;
	const struct err *why;
};

struct kube_decoder;

struct kube_decoder *kube_decoder_new(void);
void kube_decoder_free(struct kube_decoder *d);
DEFINE_AUTO(struct kube_decoder, kube_decoder_free)

/** kube_decoder_feed - add bytes in pieces of any size. ERR_DECODE: a line above the limit. */
int kube_decoder_feed(struct kube_decoder *d, const char *data, size_t len, struct err *e) FN_MUST;

/**
 * kube_decoder_next - take the next complete event out.
 *
 * 1 = *out is filled in, 0 = more bytes are needed. -1 ERR_DECODE: not an event; the stream is
 * lost, and every further call fails.
 */
int kube_decoder_next(struct kube_decoder *d, struct kube_event *out, struct err *e) FN_MUST;

/** kube_decoder_pending - bytes of an unfinished line (a stream that ends here was cut). */
size_t kube_decoder_pending(const struct kube_decoder *d);

/** kube_event_name - "ADDED" and so on. */
const char *kube_event_name(enum kube_event_type type);

#endif
