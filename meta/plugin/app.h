/* SPDX-License-Identifier: Apache-2.0 */
/* One call of the plugin: what every step of a verb is given. */
#ifndef META_PLUGIN_APP_H
#define META_PLUGIN_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/io.h"
#include "lib/door/timing.h"

struct cni_args;
struct cni_conf;
struct kube_client;
struct state_dir;

struct app {
	const struct cni_args *args;
	const struct cni_conf *conf;
	struct state_dir *dir;
	int64_t deadline_ms;        /* CLOCK_MONOTONIC: everything ends by then */
	char *const *environ;       /* the runtime's, for the primary's plugins; ours is empty */
	int stop_fd;                /* readable = end now; see meta/plugin/stop.h */
	struct kube_client *client; /* NULL until app_client() was called */
	bool was_said;              /* STATUS has failed with the same words before */
	struct call call;           /* what it takes; see meta/plugin/step.h */
	bool no_door;               /* it was not there, or broke: the direct way from then on */
};

/**
 * app_client - the connection to the API server, made on first use and kept for the whole call.
 *
 * *out is lent. Errors as of kube_config_load().
 */
int app_client(struct app *app, struct kube_client **out, struct err *e) FN_MUST;

/** app_has_kubeconfig - the conf names one, or there is one where it is by default. */
bool app_has_kubeconfig(const struct app *app);

/** app_read_limit - for a file that somebody else owns: a few seconds, and never beyond the call itself. */
struct io_limit app_read_limit(const struct app *app);

/* The verbs. They print nothing but the result; errors are printed by main. */
int plugin_add(struct app *app, struct err *e) FN_MUST;
int plugin_del(struct app *app, struct err *e) FN_MUST;
/** plugin_check - ERR_MISSING says what is not as the ADD has made it; else the primary's own failure. */
int plugin_check(struct app *app, struct err *e) FN_MUST;
/** plugin_gc - everything is tried; the first failure is told. ERR_CONFIG, ERR_DECODE: nothing was done. */
int plugin_gc(struct app *app, struct err *e) FN_MUST;
/** plugin_status - opens app->dir by itself. ERR_UNREADY, or the failure of one of the primary's plugins. */
int plugin_status(struct app *app, struct err *e) FN_MUST;

#endif
