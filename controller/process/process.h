/* SPDX-License-Identifier: Apache-2.0 */
/* What the controller's process has one of. Made by app.c and lent to every room. */
#ifndef CONTROLLER_PROCESS_PROCESS_H
#define CONTROLLER_PROCESS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct kube_client;
struct leader;

/* The order in which a new leader gets to know the cluster; see controller/takeover.h. */
enum phase {
	PHASE_STANDBY = 0, /* another leads: all is watched, nothing is written */
	PHASE_SUBNETS,     /* subnets are listed */
	PHASE_CLAIM,       /* our term goes into every subnet's status */
	PHASE_IPS,         /* only then are records listed, */
	PHASE_PODS,        /* then pods, */
	PHASE_REST,        /* then all other kinds */
	PHASE_RUN,         /* records are compared with what is used; now it grants and releases */
};

struct process {
	const char *system_ns; /* whose MacvlanSubnets count */
	struct kube_client *client;
	struct leader *leader; /* NULL in tests: nobody else leads */
	enum phase phase;      /* written by takeover.c alone */
	char holder[40];       /* random, new with every process */
	int64_t wall_base_s, boot_base_ms;
};

/** process_init - the clock goes evenly from here on, and holder is chosen. ERR_INTERNAL: no random bytes. */
int process_init(struct process *p, struct err *e) FN_MUST;
/** process_now_s - seconds since 1970, going on evenly from the start whatever the wall clock does. */
int64_t process_now_s(const struct process *p);
/** process_watch_failed - log that a collection cannot be listed or watched for now: for every reflector. */
void process_watch_failed(const char *path, const struct err *why);

#endif
