/* SPDX-License-Identifier: Apache-2.0 */
/* What tandem-node knows in numbers, as Prometheus reads it. */
#ifndef NODE_METRICS_H
#define NODE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/sb.h"

struct calls;
struct files;
struct kube_client;

struct node_numbers {
	const struct files *files;
	const struct calls *calls;
	const struct kube_client *client, *door_client;
	int64_t start_s;   /* of the process, since 1970 */
	int64_t api_age_s; /* since the API server last showed that it is there; -1 = it never has */
	uint64_t announced, ended;
	uint64_t asked, refused; /* at the door */
	bool door_open;
	bool ready; /* the conf is in front, where this daemon installs it, and plugins can ask */
};

/** metrics_write - everything that is there. */
void metrics_write(const struct node_numbers *n, struct sb *out);

#endif
