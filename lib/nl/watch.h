/* SPDX-License-Identifier: Apache-2.0 */
/* To be told when links of the namespace change. What they are now is asked for: see lib/nl/link.h. */
#ifndef LIB_NL_WATCH_H
#define LIB_NL_WATCH_H

#include "lib/base/err.h"

/** nl_watch_links - *out_fd is readable when a link has changed, come or gone. The caller closes it. ERR_KERNEL. */
int nl_watch_links(int *out_fd, struct err *e) FN_MUST;

/** nl_watch_drain - forget what has come so far. */
void nl_watch_drain(int fd);

#endif
