/* SPDX-License-Identifier: Apache-2.0 */
/* The requests to the API server, under the same names in every program. */
#ifndef LIB_METRICS_REQUESTS_H
#define LIB_METRICS_REQUESTS_H

#include <stddef.h>

#include "lib/base/sb.h"

struct kube_client;

/** metrics_requests - of n clients together. */
void metrics_requests(struct sb *out, const struct kube_client *const *clients, size_t n);

#endif
