/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses a MacvlanSubnet may give, by its spec alone. Pure. */
#ifndef CONTROLLER_RULES_RANGE_H
#define CONTROLLER_RULES_RANGE_H

#include <stdbool.h>

#include "api/subnet.h"
#include "ipam/set.h"

/** range_build - of one family of the spec, v = &s->v or &s->v6, into *out. ERR_CONFIG. */
int range_build(const struct api_subnet *s, const struct api_family *v, struct ipam_set *out,
		struct err *e) FN_MUST;
/** range_is_dual - it gives each card an address of both families. NULL = no. */
bool range_is_dual(const struct api_subnet *s);
/** range_check - the rules that need the ranges worked out. ERR_CONFIG. */
int range_check(const struct api_subnet *s, struct err *e) FN_MUST;

#endif
