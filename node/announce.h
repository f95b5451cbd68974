/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Announces the node's cards again, from their own namespaces: watches the host's links, and does what
 * node/herald.h says.
 */
#ifndef NODE_ANNOUNCE_H
#define NODE_ANNOUNCE_H

#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct announcer;
struct files;
struct tell;

/** announcer_new - in the host's namespace. tell is lent. ERR_KERNEL. */
int announcer_new(const struct tell *tell, struct announcer **out, struct err *e) FN_MUST;
void announcer_free(struct announcer *a);
DEFINE_AUTO(struct announcer, announcer_free)

/** announcer_fd - readable when a link of the host has changed. Lent. */
int announcer_fd(const struct announcer *a);

/** announcer_drain - it is not readable any more. */
void announcer_drain(struct announcer *a);

/** announcer_look - the links as they are now. */
void announcer_look(struct announcer *a);

/** announcer_files - the files were read again: cards that have come since are announced once more, later. */
void announcer_files(struct announcer *a, struct files *files);

/**
 * announcer_run - announce what is due. When to run again, monotonic ms; 0 = nothing waits.
 *
 * A card counts when its file is complete and of this boot, its pod has a record that is not ending, and the
 * link in the file's namespace is the card: name, kind, MAC, and the record's addresses on it. What does not
 * fit is passed over: it has gone, or somebody else may have the address by now.
 */
int64_t announcer_run(struct announcer *a, const struct files *files);

/** announcer_n_announced - how many cards were announced. */
uint64_t announcer_n_announced(const struct announcer *a);

#endif
