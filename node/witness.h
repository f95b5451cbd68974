/* SPDX-License-Identifier: Apache-2.0 */
/* The node's witness: compares state files with records, and says in the records what it sees. */
#ifndef NODE_WITNESS_H
#define NODE_WITNESS_H

#include <stdint.h>

#include "lib/base/err.h"
#include "node/install/install.h"
#include "node/sweep.h"

struct witness_options {
	const char *kubeconfig; /* NULL = in-cluster */
	const char *node;
	const char *netns_dir;    /* where the runtime shows namespaces */
	const char *socket;       /* where the node's plugins ask */
	const char *metrics_bind; /* "0" = metrics are not served */
	int64_t sweep_ms;         /* between two looks at everything */
	bool doctor;              /* look at the LANs of the subnets */
	const char *system_ns;    /* NULL = the pod's own, else the usual one */
	struct install_options install;
	struct sweep_options sweep;
};

/** witness_run - until SIGTERM or SIGINT. ERR_IO, ERR_CONFIG and such when it cannot start or go on. */
int witness_run(const struct witness_options *opt, struct err *e) FN_MUST;

#endif
