/* SPDX-License-Identifier: Apache-2.0 */
/* The text of our conf. Pure. */
#ifndef NODE_INSTALL_CONF_H
#define NODE_INSTALL_CONF_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "node/install/orders.h"

/* All lent; NULL for what is not known or has its default: the key is not there then. */
struct conf_keys {
	const char *network;       /* the primary's own name */
	const char *delegate_file; /* as the node names it */
	const char *socket, *kubeconfig, *system_ns, *state_dir;
	const struct orders *orders;
};

/** conf_render - the conflist; the caller frees it. */
char *conf_render(const struct conf_keys *keys);

/* What a conf of ours says; owned. */
struct conf_read {
	char *network, *delegate_file;
	struct orders orders;
};

/** conf_parse - of a conflist with our plugin. ERR_DECODE, ERR_CONFIG. End *out with conf_read_done(). */
int conf_parse(const char *what, const char *text, size_t len, struct conf_read *out,
	       struct err *e) FN_MUST;
void conf_read_done(struct conf_read *r);
DEFINE_AUTO_VALUE(struct conf_read, conf_read_done)

#endif
