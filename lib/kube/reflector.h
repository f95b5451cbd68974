/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a store equal to a collection: list in pages, watch, resume, list again when it must. */
#ifndef LIB_KUBE_REFLECTOR_H
#define LIB_KUBE_REFLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct kube_client;
struct kube_reflector;
struct kube_store;

struct kube_reflector_options {
	const char *path;     /* of the collection, kube_path(); copied */
	const char *query;    /* selectors, kube_query_add(); copied; NULL = none */
	unsigned int page;    /* objects per page of a list; 0 = 500 */
	unsigned int watch_s; /* length of one watch; 0 = 300, and up to as much again at random */
	/* Longest pause after failures, 0 = 10000; a server that asks for more gets KUBE_RETRY_AFTER_MAX_S. */
	unsigned int backoff_max_ms;
	/* A watch that says nothing for so long, not even a bookmark, is asked for again; 0 = 75000. */
	unsigned int silence_ms;
	/*
	 * A list or a watch has failed and will be tried again: for the log, so once a minute at most, and
	 * not of a resourceVersion that is too old, which a new list mends. NULL = nobody is told.
	 */
	void (*failed)(const char *path, const struct err *why);
};

/**
 * kube_reflector_new - starts at once, inside the client's dispatch. Never gives up.
 * @store: fed from now on; lent; must outlive the reflector
 *
 * The list is always a consistent one (no resourceVersion). A page answered with 410 starts it
 * over; the server's token for an inconsistent rest is never used.
 */
struct kube_reflector *kube_reflector_new(struct kube_client *c, struct kube_store *store,
					  const struct kube_reflector_options *opt);

/** kube_reflector_free - stops it. The store stays as it is. Before the client is freed. */
void kube_reflector_free(struct kube_reflector *r);
DEFINE_AUTO(struct kube_reflector, kube_reflector_free)

/**
 * kube_reflector_relist - forget the watch and list again now, as a new leader must.
 *
 * The store's synced callback tells the end. Not from the store's callbacks.
 */
void kube_reflector_relist(struct kube_reflector *r);

struct kube_reflector_stats {
	uint64_t lists;   /* begun */
	uint64_t watches; /* begun */
	uint64_t events;
	uint64_t failures;
};

void kube_reflector_stats(const struct kube_reflector *r, struct kube_reflector_stats *out);

/**
 * kube_reflector_age_ms - how old the store may be: since the server last showed that it is there, by a
 * complete list, an event, a bookmark or by accepting a watch. -1 before the first list.
 *
 * While the server is there that is silence_ms at most, however little happens in the collection.
 * now_ms: CLOCK_MONOTONIC.
 */
int64_t kube_reflector_age_ms(const struct kube_reflector *r, int64_t now_ms);

/** kube_reflector_is_watching - a watch stands: the store is as new as the network is fast. */
bool kube_reflector_is_watching(const struct kube_reflector *r);

/** kube_reflector_error - why the last list or watch failed; ERR_NONE when it did not. Lent. */
const struct err *kube_reflector_error(const struct kube_reflector *r);

#endif
