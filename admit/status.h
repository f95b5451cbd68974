/* SPDX-License-Identifier: Apache-2.0 */
/* Who may say what has become of a card: the record's own node. Pure. */
#ifndef ADMIT_STATUS_H
#define ADMIT_STATUS_H

#include "admit/review.h"

#define ADMIT_STATUS_ACCOUNT "tandem-node" /* the nodes' service account, in the system namespace */
#define ADMIT_STATUS_NODE    "authentication.kubernetes.io/node-name"

/**
 * admit_status_check - refuses an update of a MacvlanIP's status by the nodes' account from another node.
 *
 * API servers from 1.30 on tell which node a token belongs to that is bound to a pod or node. Where they do not, and for
 * all other accounts, it is allowed.
 */
void admit_status_check(const struct admit_review *r, const char *system_ns,
			struct admit_answer *a);

#endif
