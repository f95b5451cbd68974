/* SPDX-License-Identifier: Apache-2.0 */
/* The folder that the runtime has its confs in, as far as delegateFile lies there: what stands beside that file. */
#ifndef META_PLUGIN_NETD_H
#define META_PLUGIN_NETD_H

#include <stddef.h>

#include "lib/base/auto.h"

struct app;
struct sb;

/* Types of plugins. */
struct netd_types {
	char **v;
	size_t n;
};

void netd_types_done(struct netd_types *t);
DEFINE_AUTO_VALUE(struct netd_types, netd_types_done)

/** netd_names - append the names of the confs beside delegateFile, without it: "a.conflist, b.conf", or "none". */
void netd_names(const struct app *app, struct sb *out);

/**
 * netd_after_us - the plugins that stand behind us in the runtime's own list, which runs them itself.
 *
 * None where the list is not found: it has our network's name and our delegateFile.
 */
void netd_after_us(const struct app *app, struct netd_types *out);

#endif
