/* SPDX-License-Identifier: Apache-2.0 */
/* Ends what a DEL that failed or never came has left: the plugin's own DEL, in a thread of its own. */
#ifndef NODE_SWEEP_H
#define NODE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/sb.h"

struct files;
struct node_file;
struct sweep;

struct sweep_options {
	const char *state_dir;
	const char *conf;    /* the conflist that the runtime uses */
	const char *plugin;  /* our plugin's path */
	const char *cni_bin; /* CNI_PATH: where it finds the primary's */
	const char *root; /* the node's / as seen from here, in which the plugin runs; NULL = ours */
};

/**
 * sweep_is_dead - nothing of the attachment can be alive: the machine has been started since, or its
 * namespace has ended.
 */
bool sweep_is_dead(const struct node_file *file);

/**
 * sweep_start - end the dead ones among the files. 1 it runs (*out), 0 there is none, -1.
 *
 * Only one at a time. A container for which a verb runs is left to that verb.
 */
int sweep_start(const struct sweep_options *opt, const struct files *files, struct sweep **out,
		struct err *e) FN_MUST;

/** sweep_fd - readable when it is through. Lent. */
int sweep_fd(const struct sweep *s);

/** sweep_n_ended - how many it has ended; once sweep_fd() is readable. */
size_t sweep_n_ended(const struct sweep *s);

/** sweep_free - join it; a plugin that still runs is killed, for the next sweep to call it again. */
void sweep_free(struct sweep *s);
DEFINE_AUTO(struct sweep, sweep_free)

/** sweep_conf - the plugin's conf out of the conflist, as a runtime would hand it over. ERR_DECODE, ERR_CONFIG. */
int sweep_conf(const struct sweep_options *opt, const char *text, size_t len, struct sb *out,
	       struct err *e) FN_MUST;

#endif
