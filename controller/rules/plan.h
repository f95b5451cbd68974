/* SPDX-License-Identifier: Apache-2.0 */
/* The next content of a subnet's allocation record: who gets what, what is freed. Pure. */
#ifndef CONTROLLER_RULES_PLAN_H
#define CONTROLLER_RULES_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/annotations.h"
#include "controller/rules/decide.h"
#include "ipam/allocation.h"

/* One record without address, oldest waiter first. */
struct plan_want {
	const struct api_request *request;
	/* Unset; or the address that its pod has already (a record made again). Refused where it is not its own. */
	struct ip_addr keep;
	struct ip_addr keep6;
	struct mac_addr keep_mac; /* its card's, with keep; zero = not known */
	const char *record_uid;
	const char *pod_uid;
	const char *ns;
	const char *name;
	const char *node;  /* for the journal; NULL = not known */
	const char *owner; /* workload of the pod, as api_workload_id() has it; NULL = none */
	size_t first;      /* a list is tried from this entry on: a StatefulSet's ordinal */
	enum decide_reason result; /* out: DECIDE_ALLOCATED, or why not; DECIDE_NOTHING = not now */
	size_t ns_has;  /* out: with DECIDE_NAMESPACE_LIMIT what its namespace has already */
	uint8_t family; /* out: the one that is lacking, where that can be told; else 0 */
	struct ip_addr
		addr; /* out; when refused the address that it cannot have, where one is named */
	struct ip_addr addr6; /* out: of the second family, in a dual-stack subnet */
	struct mac_addr mac;  /* out */
};

/* Whom a workload's annotation keeps an address for, as seen by one pod. */
enum plan_kept { PLAN_KEPT_NOT = 0, PLAN_KEPT_OURS, PLAN_KEPT_OTHERS };

/* An address that belonged to a record. */
struct plan_entry {
	struct ip_addr addr;
	char *record_uid;
	int64_t quarantine_s; /* of a release: not to be given until then; 0 = cools down as others do */
	bool unproven;        /* of a release: nobody saw its card go */
	char *note; /* for the journal: whose it was, see api_change_tail(); NULL = not known */
};

struct plan_list {
	struct plan_entry *items;
	size_t n;
	size_t cap;
};

/** plan_list_add - uid is copied; the same entry twice is kept once. Lent until the next call. */
struct plan_entry *plan_list_add(struct plan_list *l, const struct ip_addr *addr, const char *uid);
void plan_list_done(struct plan_list *l);

struct plan_in {
	const struct ipam_allocation *base;
	const char *ns; /* of the subnet */
	const char *name;
	uint8_t family; /* of range; 0 = not known */
	const struct ipam_set *range;
	const struct ipam_set *range6; /* dual stack: a card gets one of each; else NULL */
	const struct ipam_set *named;  /* by workloads: not for automatic pods; NULL = none */
	uint32_t delay_s;              /* ipDelayReuse */
	uint32_t max_per_ns;           /* maxPerNamespace; 0 = no limit */
	int64_t now_s;
	uint64_t commit; /* number of this write */
	struct plan_want *wants;
	size_t n_wants;
	const struct plan_list *releases; /* record gone: address free or cooling */
	const struct plan_list *drops;    /* address stands in its record: no longer in flight */
	const struct plan_list *adopts;   /* stands in a record: is used */
	const struct ipam_conflict *conflicts; /* to be counted from now on */
	size_t n_conflicts;
	/* An address or MAC that a record other than uid's has, as far as the cache knows. */
	bool (*addr_taken)(void *ctx, const struct ip_addr *addr, const char *uid);
	bool (*mac_taken)(void *ctx, const struct mac_addr *mac, const char *uid);
	/* Cards of the namespace in this subnet, before this write. Asked where there is a limit. */
	size_t (*ns_has)(void *ctx, const char *ns);
	/* NULL = nothing is kept. */
	enum plan_kept (*kept)(void *ctx, const struct ip_addr *addr, const char *owner);
	void *ctx;
};

/**
 * plan_commit - the record to write, in *out (the caller ends it), and an answer for every want.
 *
 * What is released here is not given again in the same write, so that each write can be told from
 * what it left. In a dual-stack subnet a want gets an address of each family or none. At most
 * IPAM_INFLIGHT_MAX entries are in flight; later wants are told DECIDE_NOTHING.
 *
 * A namespace gets no more than max_per_ns, but a pod that has its addresses already keeps them.
 *
 * What a workload names goes to its own pods alone, and to those also while it cools down: the MAC
 * stays with the address, so that no neighbour is led astray.
 */
void plan_commit(const struct plan_in *in, struct ipam_allocation *out);

/**
 * plan_mac - the MAC for want->addr and addr6: the annotation's, else one computed from addr that nobody
 * has. False = taken.
 */
bool plan_mac(const struct plan_in *in, const struct plan_want *want, struct mac_addr *out);

#endif
