/* SPDX-License-Identifier: Apache-2.0 */
/* The node's own names for network cards: where machines differ, a subnet's spec.master may be an alias. */
#ifndef META_PLUGIN_MASTERS_H
#define META_PLUGIN_MASTERS_H

#include <stddef.h>

#include "lib/base/err.h"

struct io_limit;

/**
 * masters_resolve - what this node calls that master: the masters file's word for it, else its own name.
 * @file: a JSON object of alias to NIC, such as {"lan": "ens4"}; where there is none, there are no aliases
 * @limit: how long to wait for the file
 * @name: replaced where the file knows it
 *
 * An alias of an alias is none. ERR_DECODE and ERR_CONFIG with file and key; else as io_read_file_by().
 */
int masters_resolve(const char *file, const struct io_limit *limit, char *name, size_t size,
		    struct err *e) FN_MUST;

#endif
