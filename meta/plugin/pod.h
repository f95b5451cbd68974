/* SPDX-License-Identifier: Apache-2.0 */
/* Which pod is this, and what does it ask for? */
#ifndef META_PLUGIN_POD_H
#define META_PLUGIN_POD_H

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct api_request;
struct app;

/* Owned strings, "" for what the runtime did not say. */
struct pod {
	char *ns;
	char *name;
	char *uid;
};

void pod_done(struct pod *p);
DEFINE_AUTO_VALUE(struct pod, pod_done)

/** pod_from_args - K8S_POD_NAMESPACE, _NAME and _UID out of CNI_ARGS. ERR_ENV when those are malformed. */
int pod_from_args(const char *cni_args, struct pod *out, struct err *e) FN_MUST;

/**
 * pod_request - the pod's annotations as a request.
 *
 * From the conf where the runtime passes them, which costs nothing; else by one GET of the pod,
 * inside the deadline. The UID is filled in from that GET where the runtime did not give it. A
 * pod that is gone, or has another UID, is ERR_AGAIN: the runtime is behind and will stop by itself. A
 * call that is for no pod at all (no pod name in CNI_ARGS) asks for nothing.
 * ERR_CONFIG: an annotation that makes no sense, or a static pod, which has no address.
 */
int pod_request(struct app *app, struct pod *pod, struct api_request *out, struct err *e) FN_MUST;

/** pod_need_uid - make sure that the UID is known, by a GET where the runtime did not give it. */
int pod_need_uid(struct app *app, struct pod *pod, struct err *e) FN_MUST;

#endif
