/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the plugin asks of the API server: at the node's door, which answers for it (docs/plugin.md). Where there is
 * no door, or it breaks, directly with the conf's kubeconfig. Whichever way, an answer comes from a read that
 * began after the call here.
 */
#ifndef META_PLUGIN_ASK_H
#define META_PLUGIN_ASK_H

#include <stdbool.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/json/jread.h"

struct api_ip_word;
struct app;

/* An object and the document that it is in. */
struct asked {
	struct jval object;
	struct jdoc *doc;
};

void asked_done(struct asked *a);
DEFINE_AUTO_VALUE(struct asked, asked_done)

/*
 * All of these: ERR_NOT_FOUND, and what else kube_do() says, inside the deadline of the call. ERR_AGAIN naming the
 * socket: nobody answers there, and the conf has no kubeconfig. ERR_CANCELLED.
 */

/** ask_pod - at least its name, UID and annotations. */
int ask_pod(struct app *app, const char *ns, const char *name, struct asked *out,
	    struct err *e) FN_MUST;

/** ask_namespace - a Namespace: its annotations. As ask_pod(). */
int ask_namespace(struct app *app, const char *name, struct asked *out, struct err *e) FN_MUST;

/** ask_record - a MacvlanIP as it is now. */
int ask_record(struct app *app, const char *ns, const char *name, struct asked *out,
	       struct err *e) FN_MUST;

struct ask_wait {
	const char *ns, *name;
	const char *
		pod_uid; /* the record is to be this pod's and to have an address, or it is "not yet" anyway */
	/* As in struct kube_wait. */
	int (*ready)(void *ctx, const struct jval *obj, struct err *e);
	void *ctx;
	int cancel_fd;
};

/** ask_wait - until ready() says that a pod's MacvlanIP is as wanted. Errors as of kube_wait(). */
int ask_wait(struct app *app, const struct ask_wait *wait, struct err *e) FN_MUST;

struct ask_patch {
	const char *ns, *name;
	const struct api_ip_word *word;
	int cancel_fd; /* readable = ERR_CANCELLED */
};

/**
 * ask_patch - put a word into the status of a MacvlanIP.
 * @unknown: set when it failed and may have been done all the same
 *
 * After a door that broke it may have been done, and is sent once more: its conditions see to it that it is done
 * once. Then it is ERR_CONFLICT.
 */
int ask_patch(struct app *app, const struct ask_patch *patch, bool *unknown, struct err *e) FN_MUST;

#endif
