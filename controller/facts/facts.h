/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cluster's own facts: which networks Services and pods have, and where DNS is. The leader finds them and
 * writes them, with the administrator's settings, into ConfigMap tandem-cluster; the others read them there.
 */
#ifndef CONTROLLER_FACTS_FACTS_H
#define CONTROLLER_FACTS_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "ipam/nets.h"

struct cluster;
struct facts;
struct process;

/* All lent. */
struct facts_in {
	struct process *process; /* its client may be NULL in tests: nothing is asked */
	struct cluster *cluster;
};

/** facts_new - nothing is asked for yet. */
struct facts *facts_new(const struct facts_in *in);
/** facts_free - before the client is freed. NULL is ignored. */
void facts_free(struct facts *f);

/** facts_run - ask, find, and write what is due. The monotonic time of the next thing to do, 0 = none. */
int64_t facts_run(struct facts *f);

/* Of these f may be NULL: nothing is known, nor ever will be. */

/** facts_version - another number each time that one of the following has changed. */
unsigned int facts_version(const struct facts *f);
/** facts_are_settled - everything has been asked for once: what is not known now may never be. */
bool facts_are_settled(const struct facts *f);
/** facts_services, facts_pods - the networks of Services and of pods; empty = not known. */
const struct ipam_nets *facts_services(const struct facts *f);
const struct ipam_nets *facts_pods(const struct facts *f);
/** facts_kubernetes - the addresses of the Service kubernetes, as networks of one; empty = not known. */
const struct ipam_nets *facts_kubernetes(const struct facts *f);
/** facts_is_uninstalling - tandem is being removed from the cluster: nothing is to be written any more. */
bool facts_is_uninstalling(const struct facts *f);

/**
 * facts_stand_aside - before anything else: while tandem is being removed nothing is watched, served or campaigned for.
 *
 * Returns when it is not, or when that cannot be found out.
 */
void facts_stand_aside(const struct process *p);

#endif
