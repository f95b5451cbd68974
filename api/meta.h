/* SPDX-License-Identifier: Apache-2.0 */
/* The part of metadata that every object of ours needs. */
#ifndef API_META_H
#define API_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct jval;
struct jw;

#define API_FINALIZERS_MAX 64

struct api_meta {
	char *ns; /* "" for a cluster-wide object */
	char *name;
	char *uid;
	char *resource_version;
	int64_t generation;
	int64_t created; /* seconds since 1970, 0 = not said */
	int64_t deletion; /* metadata.deletionTimestamp in seconds since 1970, 0 = not being deleted */
	char **finalizers;
	size_t n_finalizers;
};

/**
 * api_meta_decode - read obj.metadata.
 *
 * Name and UID must be there. ERR_DECODE names the key. End *out with api_meta_done().
 */
int api_meta_decode(const struct jval *obj, struct api_meta *out, struct err *e) FN_MUST;
void api_meta_done(struct api_meta *m);
DEFINE_AUTO_VALUE(struct api_meta, api_meta_done)

/** api_meta_has_finalizer - name stands in metadata.finalizers. */
bool api_meta_has_finalizer(const struct api_meta *m, const char *name);

/*
 * The fence: a write holds for the object that was read (its UID) in the state that was read (its
 * resourceVersion). Otherwise the API server answers 409 and changes nothing. Addresses stay unique because
 * every write of ours has these conditions, so they are written here alone.
 *
 * uid and version must be set and not empty: an empty one would be no condition. Both assert.
 */

/** api_meta_write_condition - both conditions, as members of a "metadata" that the caller has opened. */
void api_meta_write_condition(struct jw *w, const char *uid, const char *version);

/**
 * api_meta_write_uid - the UID alone: the write holds for this object in any state.
 *
 * Only where a write replaces nothing that it depends on, and a later one corrects it.
 */
void api_meta_write_uid(struct jw *w, const char *uid);

/** api_meta_begin_patch - start a merge patch with both conditions. Object and "metadata" are left open. */
void api_meta_begin_patch(struct jw *w, const char *uid, const char *version);

/** api_meta_delete_options - a DeleteOptions with both conditions. The caller frees it. */
char *api_meta_delete_options(const char *uid, const char *version);

/**
 * api_is_ready - whether the condition Ready of a "status" is True; *out stays as it is where none is told.
 *
 * ERR_DECODE. status may be empty.
 */
int api_is_ready(const struct jval *status, bool *out, struct err *e) FN_MUST;

/** api_name_ok - a DNS-1123 subdomain of 1..253 characters: what Kubernetes takes for a name. */
bool api_name_ok(const char *s);

#endif
