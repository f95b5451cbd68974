/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The installer: the plugin in the runtime's folder, our conf in front of the primary's, both kept there, and taken out
 * again by the ConfigMap's order alone.
 */
#ifndef NODE_INSTALL_INSTALL_H
#define NODE_INSTALL_INSTALL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct install;
struct kube_client;

struct install_options {
	bool on;
	const char *platform;           /* "auto" or a name */
	const char *conf_dir, *bin_dir; /* by the administrator's hand: both or neither */
	const char *source;             /* the plugin to be installed, as seen from here */
	const char *primary;            /* the name of the primary's conf; NULL = found */
	const char *readiness_file;     /* that the primary writes when it is ready; NULL = none */
	const char *taint;              /* to be taken from the Node; NULL = none */
	bool with_multus;               /* Multus may be in front of us */
};

/* All lent, as long as the installer lives. */
struct install_env {
	const struct install_options *opt;
	const char *root; /* where the node's / is; NULL = here */
	const char *state_dir, *socket, *node, *system_ns;
	struct kube_client *client;
	int64_t look_ms; /* between two looks at everything */
};

/** install_check - the options' names and paths. ERR_CONFIG names the option. */
int install_check(const struct install_options *opt, struct err *e) FN_MUST;

/** install_new - nothing is done before install_run(). ERR_IO. */
int install_new(const struct install_env *env, struct install **out, struct err *e) FN_MUST;
/** install_free - files stay as they are; before the client is freed. */
void install_free(struct install *in);
DEFINE_AUTO(struct install, install_free)

/** install_fd - readable when a folder has changed: call install_saw(). Lent. */
int install_fd(const struct install *in);
void install_saw(struct install *in);

/** install_next_ms - when install_run() has something to do (CLOCK_MONOTONIC). */
int64_t install_next_ms(const struct install *in);
void install_run(struct install *in);

/** install_is_ready - the conf is in front. Else *out_why says what is not so; lent. */
bool install_is_ready(const struct install *in, const char **out_why);

/**
 * install_plugin, install_bin_dirs - the plugin's path and where the primary's are, as the node names them. Lent
 * until install_run(); NULL: not known.
 */
const char *install_plugin(const struct install *in);
const char *install_bin_dirs(const struct install *in);
/** install_conf_copy - a file with the conf as it was last, which outlives that in the runtime's folder. Lent. */
const char *install_conf_copy(const struct install *in);

/** install_is_removing - what is left of sandboxes is waited for. install_is_removed: nothing is left on the node. */
bool install_is_removing(const struct install *in);
bool install_is_removed(const struct install *in);

/**
 * install_is_over - after a removal the order was taken back: the daemon is to end and to be started anew, since the
 * folders that it sees are those that were taken away.
 */
bool install_is_over(const struct install *in);

/** install_doctor - what the LAN doctor is to look at, NULL: nothing; *out_version is another when it has changed. Lent. */
const char *install_doctor(const struct install *in, unsigned int *out_version);

/** install_end - the daemon ends: after a removal the annotation and the socket's folder go, too. Else nothing. */
void install_end(struct install *in);

#endif
