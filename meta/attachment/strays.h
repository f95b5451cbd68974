/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lost state files have left on the node: hostAccess for pods of which no file tells any more, their seats on the
 * node's links, VLANs of ours on which nobody sits.
 */
#ifndef META_ATTACHMENT_STRAYS_H
#define META_ATTACHMENT_STRAYS_H

#include "lib/base/err.h"

struct state_dir;

/**
 * strays_end - remove it, logging what there was. A parent that a verb is at work on is left to the next time.
 *
 * In the host's namespace. Files of an earlier boot tell nothing: what they name is not there. A file that
 * cannot be read stops all of it, since it may be somebody's. ERR_IO, ERR_KERNEL.
 */
int strays_end(const struct state_dir *d, struct err *e) FN_MUST;

#endif
