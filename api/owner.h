/* SPDX-License-Identifier: Apache-2.0 */
/* The controlling owner that an object names, of whatever kind. Anybody who may write the object may name any. */
#ifndef API_OWNER_H
#define API_OWNER_H

#include <stdbool.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct jval;

struct api_owner {
	char *api_version; /* "apps/v1" */
	char *kind;        /* "" = the object has none */
	char *name;
	char *uid;
};

/**
 * api_owner_decode - of metadata: its ownerReference with controller: true. ERR_DECODE. *out is the caller's.
 *
 * One whose words could not be those of an object is none.
 */
int api_owner_decode(const struct jval *meta, struct api_owner *out, struct err *e) FN_MUST;
void api_owner_done(struct api_owner *o);
DEFINE_AUTO_VALUE(struct api_owner, api_owner_done)
/** api_owner_copy - *out becomes a copy of its own; what it held before is not freed. */
void api_owner_copy(const struct api_owner *o, struct api_owner *out);

/** api_owner_is - of that API group ("" = core) and kind. */
bool api_owner_is(const struct api_owner *o, const char *group, const char *kind);

/*
 * The id of an owner that is none of the kinds of api/workload.h: "CloneSet db/web apps.kruise.io/v1alpha1 UID". It
 * begins as those of workloads do, and goes on with what is needed to ask for the object.
 */

/** api_owner_id - of an owner in namespace ns. The caller frees it. */
char *api_owner_id(const struct api_owner *o, const char *ns);
/** api_owner_parse - false: it is no such id. *out and *ns are the caller's. */
bool api_owner_parse(const char *id, struct api_owner *out, char **ns);
/** api_owner_is_id - it is one of these, not a workload's. */
bool api_owner_is_id(const char *id);
/** api_owner_title - what people are shown of any id: "CloneSet db/web". The caller frees it. */
char *api_owner_title(const char *id);

#endif
