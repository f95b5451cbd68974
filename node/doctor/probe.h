/* SPDX-License-Identifier: Apache-2.0 */
/* One subnet on this node: what is seen of it from a short-lived card, which gets no address. */
#ifndef NODE_DOCTOR_PROBE_H
#define NODE_DOCTOR_PROBE_H

#include "lib/base/err.h"

struct api_doctor_entry;
struct api_subnet;
struct state_dir;

/* All lent. */
struct probe_env {
	const char *node;         /* its name, for messages */
	const char *masters_file; /* aliases of NICs */
	const struct state_dir *dir;
	int netns_fd; /* a namespace for the cards, empty */
};

/**
 * probe_subnet - fills in all but the switch.
 *
 * In the host's namespace. What the card sits on is claimed as a pod's card claims it; killed in between, the namespace
 * takes the card with it and the next sweep ends the rest. Whatever fails is a reason.
 */
void probe_subnet(const struct probe_env *env, const struct api_subnet *s,
		  struct api_doctor_entry *out);

#endif
