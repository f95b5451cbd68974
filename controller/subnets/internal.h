/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of subnets/ share. */
#ifndef CONTROLLER_SUBNETS_INTERNAL_H
#define CONTROLLER_SUBNETS_INTERNAL_H

#include "api/journal.h"
#include "controller/cluster/subnet_object.h"
#include "controller/process/process.h"
#include "controller/rules/conditions.h"
#include "controller/rules/largest.h"
#include "controller/rules/plan.h"
#include "controller/rules/status.h"
#include "controller/subnets/subnet.h"
#include "controller/subnets/waiter.h"
#include "lib/base/map.h"

struct kube_call;

struct subnets {
	struct subnets_in in;
	const struct subnets_ops *ops;
	void *ctx;
	struct map by_name;
	bool ranges_stale;
	unsigned int facts; /* as of which facts each has said what it is to say */
};

struct subnet {
	struct subnets *all;
	char *name;
	const struct subnet_object *obj; /* the cache's; NULL = gone */
	char *uid;                       /* of the object that the rest is about */
	char *version;                   /* newest resourceVersion known */
	bool has_finalizer;
	uint32_t delay_s; /* ipDelayReuse */

	/* The fence: commit.c */
	enum subnet_state state;
	struct ipam_allocation record; /* as on the server */
	uint64_t next_commit;
	bool fresh;     /* what stood in status was lost: what was in flight is not known */
	bool relisting; /* the list that it waits for has begun */
	bool reread;    /* GET it before the next write */

	/* What it may give: ranges.c */
	struct ipam_set own_range;          /* what the spec allows, without the nodes' addresses */
	struct ipam_set range;              /* ... and without what a neighbour allows too */
	struct ipam_set own_range6, range6; /* of spec.ipv6 */
	char overlap[400];                  /* "" or what is shared with whom */
	struct api_network network; /* with the cluster's service network: subnet_network() */
	unsigned int network_facts; /* facts_version() when that was made; 0 = it was not */

	/* Who waits, oldest first: waiter.c */
	struct waiter **queue;
	size_t n_queue, cap_queue;
	size_t vain_turn; /* of those who were refused for what they name: who comes next */

	/* What the next write brings: changes.c */
	struct plan_list releases, drops, adopts;
	struct ipam_conflict *conflicts; /* quarantines since the last write */
	size_t n_conflicts;
	struct mac_addr proxy;        /* that of a router with proxy ARP */
	int64_t conflicts_until_s;    /* so long the condition Conflicts is true, */
	const char *conflicts_reason; /* for this reason */
	char conflicts_why[400];
	struct largest largest; /* worked out once for a write: subnet_largest() */
	bool largest_known;
	size_t n_held;   /* used addresses that count as reserved */
	int64_t soft_ms; /* write at the latest then; 0 = nothing to write */
	bool hard;       /* write as soon as possible */

	/* Used, without a record: takeover.c */
	struct ipam_set orphans; /* a pod that lives has lost its own */
	int64_t orphans_ms;      /* to be released then; 0 = such a pod still lives */
	int64_t blind_ms; /* the first grants wait until then: nodes are asked which cards they have */
	bool blind; /* nor is the address of a card that lives: whoever gets one asks the LAN (allocation.lost) */

	/* Who had which address, as far as it is not in the journal yet: journal.c */
	struct api_lines lines;      /* in its status, and before them what had no room there */
	struct api_lines next_lines; /* come with the write that is under way, and */
	size_t n_sent_further;       /* these of them; */
	struct api_lines further;    /* changes that no write of its own was needed for */
	int64_t further_ms;          /* they are written by then; 0 = there are none */
	bool lines_stale;            /* some of those in its status are in the journal by now */

	/* The write that is under way: commit.c */
	struct kube_call *call;
	struct ipam_allocation next; /* what is being written */
	char *next_summary;
	char *doctor;         /* what nodes found of its LAN, JSON; NULL = nothing */
	char *summary;        /* the rest of status as last written */
	char *conditions;     /* of it, as in struct subnet_object */
	struct waiter **sent; /* the waiters that the write serves */
	struct plan_want *wants;
	size_t n_sent, n_sent_releases, n_sent_drops, n_sent_adopts, n_sent_conflicts;
	int64_t sent_ms,
		rest_ms; /* of the last write: when it left, until when the next may wait */
	int64_t retry_ms;
	unsigned int failures;

	int64_t told_ms[CONDITIONS]; /* when each was last told to have become true: tell.c */
};

/** subnet_hard - there is something to write, as soon as possible. */
void subnet_hard(struct subnet *subnet);
/** subnet_conflicts_cut - the first n of its conflicts have been written. */
void subnet_conflicts_cut(struct subnet *subnet, size_t n);
/** subnet_range6 - the range of spec.ipv6; NULL where the subnet is not dual stack. */
const struct ipam_set *subnet_range6(const struct subnet *subnet);
/** subnet_named - the addresses that workloads name: not for automatic pods. */
const struct ipam_set *subnet_named(const struct subnet *subnet);
/** subnet_run - send what is due. The monotonic time of the next thing to do, 0 = none. */
int64_t subnet_run(struct subnet *subnet);
/** subnet_requeue - a waiter whose write did not succeed waits again, in its old place. */
void subnet_requeue(struct subnet *subnet, struct waiter *w);
/** subnet_lost_term - another controller has written its term: log and exit at once. */
void subnet_lost_term(const struct subnet *subnet, uint64_t term, const char *holder)
	__attribute__((noreturn));
/** subnet_status - what its status says with that record in it. All lent. */
struct status_in subnet_status(const struct subnet *subnet, const struct ipam_allocation *record);
/**
 * subnet_tell_conditions - events: which of its conditions its last write has made true (Ready also: false); each
 * at most once in five minutes.
 * @before: its conditions as they stood before that write, JSON, may be NULL
 */
void subnet_tell_conditions(struct subnet *subnet, const char *before);

#endif
