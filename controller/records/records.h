/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pods that ask for a card and their MacvlanIPs: what is known under one name is an entry. Changes mark it; when
 * it is its turn, everything about it is looked at and the next request is sent.
 */
#ifndef CONTROLLER_RECORDS_RECORDS_H
#define CONTROLLER_RECORDS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/rules/contradict.h"
#include "controller/rules/decide.h"

struct histogram;
struct cluster;
struct entry;
struct holders;
struct ip_addr;
struct ipam_set;
struct kube_queue_gauge;
struct process;
struct records;
struct owners;
struct reservations;
struct subnet;
struct subnets;

/* What has become of records that were lost, by their nodes' word. */
enum records_lost {
	RECORDS_LOST_NONE = 0,
	RECORDS_LOST_ASKED,
	RECORDS_LOST_UNANSWERED, /* not yet, after --missing-after */
	RECORDS_LOST_RESTORED,
	RECORDS_LOST_REFUSED,  /* the address may not be that card's */
	RECORDS_LOST_CARDLESS, /* the pod has no card: nothing was lost */
	RECORDS_LOST_RESULTS,
};

struct records_options {
	struct decide_rules rules;
	bool attached_by_pod_ip; /* a pod IP counts as proof of the card: nobody reports better */
};

/* All lent for the life of struct records. */
struct records_in {
	const struct records_options *opt;
	struct process *process;
	struct cluster *cluster;
	struct holders *holders;
	struct reservations *reservations;
	struct subnets *subnets;
	struct owners *owners;
};

/** records_new - listens to the cluster and is told by the subnets. */
struct records *records_new(const struct records_in *in);
/** records_free - when nothing is under way any more. NULL is ignored. */
void records_free(struct records *all);

/** records_find - by "namespace/name"; NULL if there is nothing under that name. */
struct entry *records_find(const struct records *all, const char *key);
/** records_each - in no particular order; *pos 0 first. */
struct entry *records_each(const struct records *all, size_t *pos);

/** records_mark_all - look at each soon. */
void records_mark_all(struct records *all);
/** records_look_unserved - something that refused pods has changed. */
void records_look_unserved(struct records *all);
/** records_run - look at what is marked or due. The monotonic time of what comes next, 0 = nothing. */
int64_t records_run(struct records *all);
/** records_next_ms - when there is something to look at; may be past. 0 = when something happens. */
int64_t records_next_ms(const struct records *all);

/* ------------------------------------------------------------------------------- a new leader */

/** records_listed - a complete list has been taken in; as_leader: what changes from now on is known to us. */
void records_listed(struct records *all, bool as_leader);
/**
 * records_settle_inflight - hold the subnet's entries in flight against the records.
 *
 * A record that waits gets its address; one that has it needs the entry no more; where the record has gone
 * the address is released. Also after a read that followed an unknown outcome.
 */
void records_settle_inflight(struct records *all, struct subnet *subnet);
/** records_hold_used - the addresses that records of the subnet have; what is not used yet is adopted. */
void records_hold_used(struct records *all, struct subnet *subnet, struct ipam_set *held);
/** records_count_unknown - pods that live in the subnet and whose records are not known. */
size_t records_count_unknown(const struct records *all, const struct subnet *subnet);
/** records_take_answered - a node has answered since it was asked last: the count may be lower. */
bool records_take_answered(struct records *all);

/* ------------------------------------------------------------------------------- counted since the start */

/** records_n_told - events about pods for that reason. */
uint64_t records_n_told(const struct records *all, enum decide_reason reason);
/** records_granted - how long pods have waited for an address: from the first look at them to their record. Lent. */
const struct histogram *records_granted(const struct records *all);
/** records_n_held, records_n_quarantined - addresses that were held back since nobody saw the card go, or put away. */
uint64_t records_n_held(const struct records *all);
uint64_t records_n_quarantined(const struct records *all);
/** records_n_released - records that ended with their addresses. */
uint64_t records_n_released(const struct records *all);
/** records_n_lost - records that were lost, by what has become of them. */
uint64_t records_n_lost(const struct records *all, enum records_lost result);
/** records_n_contradicting - reports of nodes that contradict each other or what the API shows, seen as the leader. */
uint64_t records_n_contradicting(const struct records *all, enum contradict kind);
/** records_n_lost_marks - what the look at everything every ten minutes found undone: a defect, if not 0. */
uint64_t records_n_lost_marks(const struct records *all);
/** records_gauge - how many wait to be looked at. */
void records_gauge(const struct records *all, struct kube_queue_gauge *out);

#endif
