/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allocation of each MacvlanSubnet: our term in it, the writes to its record, its ranges, its status. What is
 * written stands in subnets/commit.c, who gets what in rules/plan.h.
 */
#ifndef CONTROLLER_SUBNETS_SUBNET_H
#define CONTROLLER_SUBNETS_SUBNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/rules/numbers.h"
#include "ipam/allocation.h"

struct api_ip;
struct api_lines;
struct api_request;
struct api_subnet;
struct cluster;
struct facts;
struct holders;
struct ip_addr;
struct ipam_set;
struct largest;
struct process;
struct owners;
struct reservations;
struct subnet;
struct subnet_object;
struct subnets;

enum subnet_state {
	SUBNET_NEW = 0, /* our term is not in it */
	SUBNET_CLAIMED,
	SUBNET_LISTING,  /* claimed late: records are listed again first */
	SUBNET_SETTLING, /* compared; the first write of ours has not been answered */
	SUBNET_READY,
};

/* Told to whoever stands above the subnets. */
struct subnets_ops {
	/* Another state of the object, another spec, or none: who was refused is looked at again. */
	void (*changed)(void *ctx);
	/* The object is gone: no status bears witness of what was committed in it. */
	void (*forgotten)(void *ctx, struct subnet *subnet);
	/* It was read again after an unknown outcome: hold what is in flight against the records. */
	void (*reread)(void *ctx, struct subnet *subnet);
};

/* All lent for the life of struct subnets. */
struct subnets_in {
	struct process *process;
	struct cluster *cluster;
	const struct facts *facts; /* NULL = nothing is known of the cluster's networks */
	struct holders *holders;
	struct reservations *reservations;
	struct owners *owners;
	bool journal; /* who had which address is written down */
};

/** subnets_new - listens to the cluster's subnets, nodes and workloads. */
struct subnets *subnets_new(const struct subnets_in *in);
void subnets_free(struct subnets *all);
/** subnets_tell - who is told; lent. */
void subnets_tell(struct subnets *all, const struct subnets_ops *ops, void *ctx);
struct subnet *subnets_find(const struct subnets *all, const char *name);
/** subnets_each - in no particular order; *pos 0 first. */
struct subnet *subnets_each(const struct subnets *all, size_t *pos);
/** subnets_refresh - work out what each may give, where a subnet or a node has changed. */
void subnets_refresh(struct subnets *all);
/** subnets_run - send what is due. The monotonic time of the next thing to do, 0 = none. */
int64_t subnets_run(struct subnets *all);

/* ------------------------------------------------------------------------------- a new leader */

/** subnets_are_claimed - our term is in each. */
bool subnets_are_claimed(const struct subnets *all);
/** subnets_relist - some were claimed late, and records must be listed again for them: begin now. */
bool subnets_relist(struct subnets *all);
/** subnets_records_listed - a complete list of records has been taken in. */
void subnets_records_listed(struct subnets *all);
/** subnet_settle - its allocation is compared with the records from here on. */
void subnet_settle(struct subnet *subnet);
/**
 * subnet_settled - what is used beside held and in flight has no record; the first write follows.
 * @recordless: pods live whose records are not known; the addresses may be theirs, and are kept
 */
void subnet_settled(struct subnet *subnet, const struct ipam_set *held, bool recordless);
/**
 * subnet_run_orphans - release what stood without a record when its hold is over.
 * @unclaimed: a pod has gone, and none is left whose record is not known: the hold begins
 *
 * The monotonic time at which to ask again, 0 = not before a pod goes.
 */
int64_t subnet_run_orphans(struct subnet *subnet, int64_t now_ms, int64_t hold_ms, bool unclaimed);
/** subnet_has_orphans - some addresses are used without a record. */
bool subnet_has_orphans(const struct subnet *subnet);
/** subnet_lost_some - addresses are used without a record, or the subnet's own allocation was lost. */
bool subnet_lost_some(const struct subnet *subnet);
/** subnet_is_blind - the subnet's own allocation was lost, and cards may live whose addresses are not known. */
bool subnet_is_blind(const struct subnet *subnet);
/** subnet_end_blind - none may any more. */
void subnet_end_blind(struct subnet *subnet);
/** subnet_blind_ms - so long new pods have to wait, since nodes are asked which addresses their cards have. */
int64_t subnet_blind_ms(const struct subnet *subnet);
/**
 * subnet_may_restore - an address that a node tells of: one that the subnet could have given, and that stands without
 *	a record (used, or the allocation was lost). NULL, or why not.
 */
const char *subnet_may_restore(const struct subnet *subnet, const struct ip_addr *addr);
/** subnet_is_fresh - what stood in status was lost when it was claimed: what was in flight is not known. */
bool subnet_is_fresh(const struct subnet *subnet);

/* ------------------------------------------------------------------------------- what is known of one */

const char *subnet_name(const struct subnet *subnet);
enum subnet_state subnet_state(const struct subnet *subnet);
/** subnet_object - as the cache has it; NULL = gone. */
const struct subnet_object *subnet_object(const struct subnet *subnet);
/** subnet_spec - NULL while it is gone or breaks a rule. */
const struct api_subnet *subnet_spec(const struct subnet *subnet);
/**
 * subnet_network - what a card of it is like: the spec's, and in gateway mode with no service network in it the
 * cluster's own. NULL where there is no spec. Valid until the spec or the facts change.
 */
const struct api_network *subnet_network(struct subnet *subnet);
/** subnet_network_is_known - false while the cluster's own may still become known, and is needed. */
bool subnet_network_is_known(const struct subnet *subnet);
/** subnet_is_writing - a write of ours is under way. */
bool subnet_is_writing(const struct subnet *subnet);
/** subnet_allocation - as on the server. */
const struct ipam_allocation *subnet_allocation(const struct subnet *subnet);
/** subnet_conflicts - quarantines since the last write, *n of them. */
const struct ipam_conflict *subnet_conflicts(const struct subnet *subnet, size_t *n);
/** subnet_proxy - the MAC of a router that answers for any address; zero = none is known. */
struct mac_addr subnet_proxy(const struct subnet *subnet);
/** subnet_is_refusing - conflicts are not acted on for that reason at present. */
bool subnet_is_refusing(const struct subnet *subnet, const char *reason);
/** subnet_is_dual - each card gets an address of both families. */
bool subnet_is_dual(const struct subnet *subnet);
/** subnet_prefix_of - the prefix of the family that the address is in; 0 when it is in none of the two. */
uint8_t subnet_prefix_of(const struct subnet *subnet, const struct ip_addr *addr);
/** subnet_must_probe - nobody saw the card go that had the address last: its next one asks the LAN. */
bool subnet_must_probe(const struct subnet *subnet, const struct ip_addr *addr);
/** subnet_next_free_s - when the first address (of spec.ipv6: second) has cooled down; 0 = none is cooling. */
int64_t subnet_next_free_s(const struct subnet *subnet, bool second);
/** subnet_next_free_of_s - likewise of those in the set. */
int64_t subnet_next_free_of_s(const struct subnet *subnet, const struct ipam_set *set);
/** subnet_numbers - as its status shows them. */
struct numbers subnet_numbers(const struct subnet *subnet);
/** subnet_has_free - an address for that request, as far as is known: one of those that it names, or any. */
bool subnet_has_free(const struct subnet *subnet, const struct api_request *request);
/** subnet_largest - who has the most of it, and keeps the most, as the write that is being made up has it. Lent. */
const struct largest *subnet_largest(struct subnet *subnet);
/** subnet_n_waiting - pods that wait for an address. */
size_t subnet_n_waiting(const struct subnet *subnet);
/** subnet_addr_taken, subnet_mac_taken - somebody other than the record with this UID has it. */
bool subnet_addr_taken(const struct subnet *subnet, const struct ip_addr *addr, const char *uid);
bool subnet_mac_taken(const struct subnet *subnet, const struct mac_addr *mac, const char *uid);

/** subnet_lines - what of the journal waits in it. Lent. */
const struct api_lines *subnet_lines(const struct subnet *subnet);
/** subnet_lines_kept - those with numbers below that one are in the journal. */
void subnet_lines_kept(struct subnet *subnet, uint64_t below);

/* ------------------------------------------------------------------------------- for its next write */

/** subnet_soft - there is something to write, within a second. */
void subnet_soft(struct subnet *subnet);
/** subnet_release - the record with this UID is gone: its address is free. Of unset nothing is done. */
void subnet_release(struct subnet *subnet, const struct ip_addr *addr, const char *uid);
/** subnet_quarantine - likewise, but another machine on the LAN has it: not to be given until then. */
void subnet_quarantine(struct subnet *subnet, const struct ip_addr *addr, const char *uid,
		       int64_t until_s);
/** subnet_doubt - of one that is released: nobody saw its card go, so that the next one has to ask the LAN. */
void subnet_doubt(struct subnet *subnet, const struct ip_addr *addr, const char *uid);
/** subnet_drop - the address stands in the record with this UID. */
void subnet_drop(struct subnet *subnet, const struct ip_addr *addr, const char *uid);
/** subnet_adopt - it stands in that record; if it is not used, it shall be. */
void subnet_adopt(struct subnet *subnet, const struct ip_addr *addr, const struct api_ip *rec);
/** subnet_conflict - one more to be counted; copied. */
void subnet_conflict(struct subnet *subnet, const struct ipam_conflict *c);
/**
 * subnet_refuse_conflicts - its condition Conflicts holds for an hour.
 * @reason: static; @why: copied; @proxy: the router that answers for any address, NULL = none
 */
void subnet_refuse_conflicts(struct subnet *subnet, const char *reason, const char *why,
			     const struct mac_addr *proxy);
/** subnet_note_end - of one that is released: whose it was, and why it ended (api_change_why()). */
void subnet_note_end(struct subnet *subnet, const struct ip_addr *addr, const struct api_ip *rec,
		     const char *why);
/**
 * subnet_note_pod - a record that is kept has changed its pod, without a write to the subnet.
 * @why: the end of that pod's card; NULL = it begins
 */
void subnet_note_pod(struct subnet *subnet, const struct api_ip *rec, const char *why);
/** subnet_doctor - what nodes found of its LAN, for its status: a JSON object; NULL: nothing. Copied. */
void subnet_doctor(struct subnet *subnet, const char *json);
/** subnet_hold - n addresses more, or fewer, count as reserved. */
void subnet_hold(struct subnet *subnet, int n);

#endif
