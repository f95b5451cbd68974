/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of one collection as last seen, keyed by "namespace/name". No I/O. */
#ifndef LIB_KUBE_STORE_H
#define LIB_KUBE_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct jval;
struct kube_store;

/* Callbacks must not change the store. They run inside the client's dispatch: mark keys only. */
struct kube_store_ops {
	/*
	 * JSON -> own struct. 0 with *out = NULL: not of interest, counts as absent. -1: bad JSON,
	 * counts as absent too, and bad() is told.
	 */
	int (*decode)(void *ctx, const struct jval *obj, void **out, struct err *e);
	/* Frees what decode made. */
	void (*free)(void *obj);
	/*
	 * old NULL = came, obj NULL = went, both = changed, or deleted and made again unseen: compare
	 * UIDs. old and key are lent until return, obj while it stays. May be NULL.
	 */
	void (*changed)(void *ctx, const char *key, const void *old, const void *obj);
	/* A complete list has been taken in: the first, and each later one. May be NULL. */
	void (*synced)(void *ctx);
	/* An object that decode refused. May be NULL. */
	void (*bad)(void *ctx, const char *key, const struct err *why);
};

/** kube_store_new - ops and ctx are lent for the store's life. */
struct kube_store *kube_store_new(const struct kube_store_ops *ops, void *ctx);
/** kube_store_free - frees all objects, without callbacks. */
void kube_store_free(struct kube_store *s);
DEFINE_AUTO(struct kube_store, kube_store_free)

/** kube_store_get - the object or NULL. ns NULL or "" = cluster scope. Valid until it changes. */
void *kube_store_get(const struct kube_store *s, const char *ns, const char *name);
/** kube_store_get_key - the same by "namespace/name" (cluster scope: "name"). */
void *kube_store_get_key(const struct kube_store *s, const char *key);
/** kube_store_version - the object's resourceVersion as last seen, NULL if absent. */
const char *kube_store_version(const struct kube_store *s, const char *key);
/** kube_store_count - number of objects. */
size_t kube_store_count(const struct kube_store *s);
/** kube_store_is_synced - a complete list has been taken in. */
bool kube_store_is_synced(const struct kube_store *s);
/** kube_store_lists - how many complete lists have been taken in. */
unsigned int kube_store_lists(const struct kube_store *s);

/**
 * kube_store_each - the next object, in no particular order; NULL at the end. Start with *pos 0.
 *
 * The store must not change meanwhile. out_key may be NULL.
 */
void *kube_store_each(const struct kube_store *s, size_t *pos, const char **out_key);

/* What feeds a store: the reflector, or a caller that knows a newer state from its own write. */

/** kube_store_set - take an object in, unless its resourceVersion is known. ERR_DECODE: no name. */
int kube_store_set(struct kube_store *s, const struct jval *obj, struct err *e) FN_MUST;
/** kube_store_remove - the object is gone. ERR_DECODE: no name. */
int kube_store_remove(struct kube_store *s, const struct jval *obj, struct err *e) FN_MUST;
/** kube_store_remove_key - the object of this key is gone. */
void kube_store_remove_key(struct kube_store *s, const char *key);
/**
 * kube_store_unreadable - the object is there and cannot be read: bad() is told.
 *
 * It stays as it was last read: whoever holds something for it must not believe that it is gone.
 */
void kube_store_unreadable(struct kube_store *s, const char *key, const struct err *why);
/** kube_store_reconsider - what decode passed over is decoded again when it is next seen, in whatever version. */
void kube_store_reconsider(struct kube_store *s);
/** kube_store_list_begin - a list starts (again): what is not set until its end is gone. */
void kube_store_list_begin(struct kube_store *s);
/** kube_store_list_end - the list is complete: reports the missing ones, then synced. */
void kube_store_list_end(struct kube_store *s);

#endif
