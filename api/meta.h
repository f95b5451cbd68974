/* The part of metadata that every object of ours needs. */
#ifndef API_META_H
#define API_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct jval;

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

/** api_name_ok - a DNS-1123 subdomain of 1..253 characters: what Kubernetes takes for a name. */
bool api_name_ok(const char *s);

#endif
