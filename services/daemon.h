/* SPDX-License-Identifier: Apache-2.0 */
/* The node's daemon: from what the API server says to what stands in the maps. */
#ifndef SERVICES_DAEMON_H
#define SERVICES_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "services/load/load.h"

struct daemon_options {
	const char *kubeconfig; /* NULL = in the cluster */
	const char *node;
	const char *state_dir; /* of the plugin */
	const char *netns_dir;
	const char *lock;
	const char *metrics; /* where they are served; "0" = nowhere */
	struct load_where where;
	bool udp, host;
	const char *no_endpoints; /* "refuse", "pass"; NULL = refuse where the kernel can say so */
	int64_t sweep_ms;
	int64_t stale_ms; /* without the API server for so long: translate nothing; 0 = never */
};

/** daemon_run - until a signal. 0, or -1: what kept it from starting. */
int daemon_run(const struct daemon_options *o, struct err *e) FN_MUST;

#endif
