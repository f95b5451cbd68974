/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners of pods that are none of the kinds that we watch: a CloneSet, an Argo Rollout, a VirtualMachineInstance.
 *
 * What a pod says of its owner anybody may have written. So the object is asked for, its metadata alone, and counts
 * when it exists in that namespace with that UID; then its own owner is, up to the top. Where the account may not
 * read it, it counts for a while.
 */
#ifndef CONTROLLER_CLUSTER_OWNERS_H
#define CONTROLLER_CLUSTER_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

struct api_owner;
struct owners;
struct process;

enum owners_proof {
	OWNERS_ASKING = 0, /* not known yet: whoever listens is told */
	OWNERS_EXISTS,
	OWNERS_UNREADABLE, /* the account has no right to read it, or nobody answers */
	OWNERS_GONE, /* it is not there, has another UID, or is of a kind that no namespace has */
};

/** owners_new - asks nothing before the process leads. process is lent. */
struct owners *owners_new(const struct process *process);
void owners_free(struct owners *all);

/** owners_listen - fn is called when an answer has changed what is known, and every OWNERS_PERIOD_MS. Three at most. */
void owners_listen(struct owners *all, void (*fn)(void *ctx), void *ctx);
#define OWNERS_PERIOD_MS (5 * 60 * 1000)

/**
 * owners_top - the id (api/owner.h, or api/workload.h where it is of a kind that we watch) of the topmost owner.
 *
 * *out is the caller's; NULL where there is none that counts. False: not known yet.
 */
bool owners_top(struct owners *all, const char *ns, const struct api_owner *owner, char **out);

/**
 * owners_keeps - what is kept for that owner stays kept.
 * @used: one of the addresses is used at present
 *
 * One that cannot be read keeps for OWNERS_UNREADABLE_MS after the last use that this process knows of.
 */
bool owners_keeps(struct owners *all, const char *id, bool used);
#define OWNERS_UNREADABLE_MS (10 * 60 * 1000)

/** owners_proof - of that id, as far as it is known. Asks for it. */
enum owners_proof owners_proof(struct owners *all, const char *id);

/** owners_run - ask again what was asked long ago; the monotonic time of the next look, 0 = none. */
int64_t owners_run(struct owners *all);

/** owners_set - as if the API server had said so: for who feeds the caches by hand. */
void owners_set(struct owners *all, const char *id, enum owners_proof proof);

#endif
