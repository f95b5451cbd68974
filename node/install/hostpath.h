/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of the node, whose / may be mounted somewhere else: links in them lead to where the node sees them lead. */
#ifndef NODE_INSTALL_HOSTPATH_H
#define NODE_INSTALL_HOSTPATH_H

#include <stdbool.h>

#include "lib/base/err.h"

/**
 * hostpath_resolve - where a path of the node is, as seen from here.
 * @root: where the node's / is; NULL or "/" = here
 * @path: absolute, as the node names it
 *
 * Everything in it must be there. The caller frees *out. ERR_NOT_FOUND names what is not, ERR_IO (a circle of
 * links among them). The node's folders are root's: nobody exchanges them in between who could not do worse.
 */
int hostpath_resolve(const char *root, const char *path, char **out, struct err *e) FN_MUST;

/** hostpath_exists - there is something at the end of the path. */
bool hostpath_exists(const char *root, const char *path);

#endif
