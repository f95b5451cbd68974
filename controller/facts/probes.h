/* SPDX-License-Identifier: Apache-2.0 */
/* What nodes are to look at on their LANs: the subnets as far as that needs them, and which nodes are asked to look now. */
#ifndef CONTROLLER_FACTS_PROBES_H
#define CONTROLLER_FACTS_PROBES_H

struct cluster;

#define PROBES_SUBNETS 256 /* as many as a node tells of */
#define PROBES_ASKED   64

/** probes_text - {"items": [MacvlanSubnets], "asked": {"node": "time"}}. The caller frees it; NULL: there are no subnets. */
char *probes_text(const struct cluster *c);

#endif
