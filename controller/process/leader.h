/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the replicas works: leader election, and what follows from losing it. */
#ifndef CONTROLLER_PROCESS_LEADER_H
#define CONTROLLER_PROCESS_LEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct kube_client;
struct leader;
struct process;

struct leader_options {
	bool elect;
	int64_t duration_ms, renew_deadline_ms, retry_ms;
	const char *name, *ns; /* of the Lease; ns NULL = the system namespace */
};

/** leader_defaults - elected, 15/10/2 s, Lease tandem-controller. */
struct leader_options leader_defaults(void);
/** leader_options_check - after all options: durations that go together, and the namespace. ERR_CONFIG. */
int leader_options_check(struct leader_options *l, const char *system_ns, struct err *e) FN_MUST;

/**
 * leader_new - who campaigns, not yet begun. Options are lent.
 * @client: of the Lease alone, so that renewals wait behind nothing; taken. NULL without election
 */
struct leader *leader_new(const struct leader_options *o, struct kube_client *client);
/** leader_start - begin to campaign under the process' name. Without election we lead at once. */
void leader_start(struct leader *l, const struct process *p);
/** leader_leads - we are the leader. NULL = there is nobody else. */
bool leader_leads(const struct leader *l);
/** leader_fd - to be watched for reading; -1 without election. */
int leader_fd(const struct leader *l);
/** leader_dispatch - answers about the Lease. ERR_IO, ERR_INTERNAL. */
int leader_dispatch(struct leader *l, struct err *e) FN_MUST;

/**
 * leader_check - before anything is sent: a leader whose lease is over by its own clock exits here.
 *
 * With status 3, as from a lost term.
 */
void leader_check(const struct leader *l);
/** leader_doubt - another leader may have written: read the Lease before the next write. */
void leader_doubt(struct leader *l);
/** leader_in_doubt - until then nothing is to be written. */
bool leader_in_doubt(const struct leader *l);

/** leader_free - at the end, when nothing is under way any more: release what we hold. NULL is ignored. */
void leader_free(struct leader *l);

#endif
