/* SPDX-License-Identifier: Apache-2.0 */
/* Rules between MacvlanSubnets, and between a subnet and the pods that have its addresses. Pure. */
#ifndef ADMIT_SUBNET_H
#define ADMIT_SUBNET_H

#include "admit/review.h"
#include "admit/world.h"

/*
 * What a subnet must keep by itself is api_subnet_decode()'s. Here: no address belongs to two subnets of one LAN, or
 * of what may be one (both families, every neighbour), macvlan and ipvlan do not meet on one master and VLAN, a
 * passthru card is alone there, no address is one of the cluster's own networks, and what running pods stand on does
 * not change under them.
 */

/**
 * admit_subnet_check - a subnet is made or its spec changed.
 * @was: NULL for a new one, and where the former spec broke a rule
 */
void admit_subnet_check(const struct admit_world *w, const struct api_subnet *was,
			const struct api_subnet *now, struct admit_answer *a);

/** admit_subnet_delete - one that pods have addresses of must stay. */
void admit_subnet_delete(const struct admit_world *w, const char *name, struct admit_answer *a);

#endif
