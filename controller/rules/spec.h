/* SPDX-License-Identifier: Apache-2.0 */
/* The spec of a MacvlanIP: copied, compared. */
#ifndef CONTROLLER_RULES_SPEC_H
#define CONTROLLER_RULES_SPEC_H

#include <stdbool.h>

#include "api/ip.h"

/** spec_copy - a record with the spec, name and UID of another, and what is known of its card's end. */
struct api_ip *spec_copy(const struct api_ip *ip);
/** spec_eq - same spec. */
bool spec_eq(const struct api_ip *a, const struct api_ip *b);

#endif
