/* SPDX-License-Identifier: Apache-2.0 */
/* To which workload a pod belongs. What the pod says of it anybody may have written. */
#ifndef CONTROLLER_ADDRESSES_BELONGS_H
#define CONTROLLER_ADDRESSES_BELONGS_H

#include <stdbool.h>

struct api_pod;
struct cluster;
struct owners;

/** belongs_to - as reservations_pod_owner() has it. */
bool belongs_to(const struct cluster *c, struct owners *owners, const struct api_pod *pod,
		char **out);

#endif
