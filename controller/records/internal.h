/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of records/ share. */
#ifndef CONTROLLER_RECORDS_INTERNAL_H
#define CONTROLLER_RECORDS_INTERNAL_H

#include "controller/process/process.h"
#include "controller/records/entry.h"
#include "controller/records/records.h"
#include "controller/subnets/subnet.h"
#include "controller/subnets/waiter.h"
#include "lib/base/log_quota.h"
#include "lib/base/map.h"
#include "lib/kube/queue.h"
#include "lib/metrics/histogram.h"

struct conflict_memory;
struct err;
struct kube_call;
struct kube_response;

struct records {
	struct records_in in;
	struct map by_key; /* struct entry */
	bool known;     /* listed as the leader: what changes in them from now on is known to us */
	bool look_all;  /* something that refused pods has changed */
	bool answered;  /* a node has said which card a pod has, see records_take_answered() */
	bool look_kept; /* a StatefulSet has changed: who is kept for it? */
	size_t n_unreadable;
	struct kube_queue queue; /* of the entries */
	int64_t check_ms;        /* each is looked at then, whatever is marked */
	uint64_t n_lost_marks;   /* what that look found to do */
	uint64_t n_told[DECIDE_REASONS];
	uint64_t n_released;
	uint64_t n_held, n_quarantined;
	struct histogram granted; /* from the first look at a bound pod to its address */
	uint64_t n_lost[RECORDS_LOST_RESULTS];
	uint64_t n_contradicting[CONTRADICT_KINDS];
	struct log_quota contradicting; /* their lines */
};

struct entry {
	struct records *all;
	char *key;

	/* The pod, and how the former one ended: watch.c */
	const struct api_pod *pod; /* the cache's */
	bool graceful;             /* the pod's deletion began with time for the kubelet to act */
	int64_t over_ms;           /* when its terminal phase was noticed, 0 = it is not over */
	int64_t ip_ms;             /* when its IP was noticed, 0 = it has none */
	char *end_uid;             /* the former pod whose end was noticed */
	enum decide_end end;
	bool end_sure; /* we saw it as the leader, or the API server has said so since */
	int64_t end_ms;

	/* The record in its states: entry.c, watch.c */
	const struct api_ip *seen; /* the cache's */
	struct api_ip *own;        /* after a write of ours that the cache has not shown yet */
	char *gone_uid;            /* a record that is gone, though the cache may still show it */
	struct api_ip *lost;       /* one that went with its address and not by us; spec only */
	struct api_ip *good;   /* the spec that somebody has edited, to be restored; spec only */
	struct api_ip *expect; /* the spec that a write of ours makes; spec only */
	bool unreadable;       /* the record could not be read: nothing is done about it */
	struct holder holder;  /* what it has */

	/* Its way to an address: reconcile.c, granted.c */
	struct api_request request; /* while it waits */
	bool by_default;            /* by its namespace's annotation, or the controller's option */
	char *choice;               /* which of several subnets, and why; NULL = there was none */
	char *owner;                /* the pod's workload, NULL = none; with request */
	bool owner_known;           /* else the API server is being asked for it */
	struct waiter waiter;
	bool probe;              /* nobody saw the card go that had the address last */
	uint8_t prefix, prefix6; /* of the committed addresses */
	int64_t bound_us;        /* since when it is to get one; 0 = it has, or is not */
	bool forced_anew;        /* its record must be ended and made again */
	char *cardless;          /* the pod whose node has said that it has no card; NULL = none */
	int64_t asked_ms;        /* since when its node is asked for its card; 0 = it is not */
	enum records_lost lost_told; /* what has been counted of that: lost.c */
	char *held_by; /* the subnet that counts its address as reserved, NULL = none */
	struct conflict_memory *conflict; /* mostly NULL: conflict.c */
	uint64_t attached; /* which record of which pod was last seen Attached, as a hash */

	/* The request that is under way: requests.c */
	struct kube_call *call;
	/* What its answer means. */
	void (*answer)(struct entry *entry, struct kube_response *res, const struct err *e);
	char *made_version; /* of its record, as our creation left it */
	bool releasing;     /* its record is being ended by us */
	char *look_uid;     /* the pod that was last asked for */
	int64_t look_ms;    /* not to be asked for again before */

	/* When it is looked at: records.c */
	struct kube_queue_item item;
	int64_t wake_ms; /* during a look: look again then; 0 = when something happens */

	int64_t told_ms[DECIDE_REASONS]; /* when each event was last written for this pod: tell.c */
};

/** entry_get - the entry, made when it is not there. */
struct entry *entry_get(struct records *all, const char *key);
/** entry_is_idle - nothing is left to remember. */
bool entry_is_idle(const struct entry *entry);
void entry_free(struct entry *entry);

/** entry_mark - have it looked at soon. */
void entry_mark(struct entry *entry);
/** entry_wake - while it is looked at: have it looked at again in delay_ms, or earlier if that was asked for. */
void entry_wake(struct entry *entry, int64_t delay_ms);

/** entry_set_own - a state from the answer to a write of ours; taken. NULL = gone. */
void entry_set_own(struct entry *entry, struct api_ip *own);
/** entry_catch_up - the cache has changed: is what we knew still newer? */
void entry_catch_up(struct entry *entry);
/** entry_claim - enter into the index what it has now: by record, commit or loss. */
void entry_claim(struct entry *entry);
/** entry_hold - count it as reserved in the subnet of that name, or (NULL) no longer. */
void entry_hold(struct entry *entry, const char *name);

/** records_listen - to the cluster: what the caches say becomes marks of entries. */
void records_listen(struct records *all);
/** entry_waiter_ops - what an entry answers to the subnet in which it waits. */
extern const struct waiter_ops entry_waiter_ops;

/** entry_released - the record is gone for good: its address goes back to its subnet. */
void entry_released(struct entry *entry, const struct api_ip *rec);
/** entry_drop_stale - committed or waiting for a record that is no more, or another by now. */
void entry_drop_stale(struct entry *entry, const struct api_ip *rec);
/** entry_run - look at it, given its pod and its record: decide.h decides, requests.h does. */
void entry_run(struct entry *entry);

/** entry_could_have_card - its pod has a network of its own, is not over, and its node has not said that it has none. */
bool entry_could_have_card(const struct entry *entry);

/** entry_may_ask - its pod runs, and its record may have been lost: *out is its subnet. */
bool entry_may_ask(struct entry *entry, struct subnet **out);
/** entry_ask - make a record that asks its node for the card. */
void entry_ask(struct entry *entry, struct subnet *subnet);
/** entry_asked - the record asks: has the node answered, and may the card have its address again? */
void entry_asked(struct entry *entry, const struct api_ip *rec);
/** entry_count_lost - once for each outcome. */
void entry_count_lost(struct entry *entry, enum records_lost result);

/** entry_tell - an event for its pod: Normal for DECIDE_ALLOCATED, else Warning; one in five minutes. */
void entry_tell(struct entry *entry, enum decide_reason reason, const char *msg);
/** entry_tell_allocated - which addresses it has been given. */
void entry_tell_allocated(struct entry *entry, const struct api_ip *rec);
/** entry_tell_waiting - it did not get an address: want->result says why not. */
void entry_tell_waiting(struct subnet *subnet, struct entry *entry, const struct plan_want *want);

#endif
