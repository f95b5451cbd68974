/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a subnet's addresses, written a second time and in another way, for model_test.c: an array
 * of plain states for each family, loops over all of it, no sets and no lists of runs.
 */
#ifndef CONTROLLER_RULES_MODEL_REF_TEST_H
#define CONTROLLER_RULES_MODEL_REF_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "controller/rules/decide.h"
#include "ipam/mac.h"
#include "ipam/allocation.h"
#include "lib/base/ip.h"

#define REF_SIZE    620 /* addresses of each family, from within one block of 256 to the third after */
#define REF_V4      0
#define REF_V6      1
#define REF_NAMED   4 /* entries in one list */
#define REF_FLIGHT  (IPAM_INFLIGHT_MAX + 1)
#define REF_NOWHERE (-1)

enum ref_state { REF_FREE = 0, REF_USED, REF_COOLING, REF_QUARANTINE };

struct ref_addr {
	enum ref_state state;
	int64_t until;
	bool in_range;
	int named_by; /* a workload's number, 0 = none */
};

struct ref_entry {
	int uid; /* of the record */
	int at[2];
};

struct ref_subnet {
	const char *name;
	int first;  /* the family of spec.cidr */
	bool dual;  /* and IPv6 beside it */
	int spaces; /* where its addresses are: on one wire, subnets may have the same */
	struct ref_addr a[2][REF_SIZE];
	int cursor[2]; /* REF_NOWHERE = at the start */
	struct ref_entry flight[REF_FLIGHT];
	int n_flight;
	struct {
		int64_t at;
		int pod;
	} conflicts[IPAM_CONFLICTS_MAX];
	int n_conflicts;
};

/* What a pod asks for, and what it is told. */
struct ref_want {
	int uid, pod, owner;
	int keep[2];
	int named[2][REF_NAMED], n_named[2]; /* by family; indexes beyond the array are far away */
	struct mac_addr macs[REF_NAMED];
	int n_macs;
	int begin_at;
	bool lies; /* what it is to keep was never its own */
	enum decide_reason told;
	int lacks; /* family, REF_NOWHERE = not told */
	int at[2];
	struct mac_addr mac;
};

struct ref_release {
	int family, at, uid;
	int64_t quarantine;
};

/* What records that are not of this subnet's own say. Both sides ask the same world. */
struct ref_world {
	bool (*addr_taken)(const struct ref_subnet *s, int family, int at, int uid);
	bool (*mac_taken)(const struct mac_addr *mac, int uid);
	struct ip_addr (*addr)(const struct ref_subnet *s, int family, int at);
};

struct ref_commit {
	const struct ref_world *world;
	int64_t now;
	uint32_t delay;
	const struct ref_release *releases, *drops, *adopts;
	int n_releases, n_drops, n_adopts;
	int conflict_of; /* a pod, REF_NOWHERE = none */
	struct ref_want *wants;
	int n_wants;
	bool touched[2][REF_SIZE]; /* released in this write */
};

static inline void ref_leave_flight(struct ref_subnet *s, const struct ref_release *r)
{
	for (int i = 0; i < s->n_flight; i++) {
		if (s->flight[i].uid != r->uid || s->flight[i].at[r->family] != r->at)
			continue;
		s->n_flight--;
		memmove(&s->flight[i], &s->flight[i + 1],
			(size_t)(s->n_flight - i) * sizeof(s->flight[0]));
		return;
	}
}

static inline bool ref_flies_for_another(const struct ref_subnet *s, const struct ref_release *r)
{
	for (int i = 0; i < s->n_flight; i++) {
		if (s->flight[i].uid != r->uid && s->flight[i].at[r->family] == r->at)
			return true;
	}
	return false;
}

static inline void ref_release_one(struct ref_subnet *s, struct ref_commit *c,
				   const struct ref_release *r)
{
	struct ref_addr *a = &s->a[r->family][r->at];
	int64_t grain = c->delay < 128 ? 1 : c->delay / 64, end = c->now + c->delay;

	ref_leave_flight(s, r);
	if (ref_flies_for_another(s, r) || c->world->addr_taken(s, r->family, r->at, r->uid))
		return;
	c->touched[r->family][r->at] = true;
	if (a->state != REF_USED)
		return;
	if (r->quarantine) {
		a->state = REF_QUARANTINE;
		a->until = r->quarantine > end ? r->quarantine : end;
		return;
	}
	a->state = c->delay ? REF_COOLING : REF_FREE;
	while (end % grain)
		end++;
	a->until = c->delay ? end : 0;
}

static inline void ref_expire_one(struct ref_addr *a, int64_t now)
{
	if (a->state < REF_COOLING || a->until > now)
		return;
	a->state = REF_FREE;
	a->until = 0;
}

static inline void ref_expire(struct ref_subnet *s, int64_t now)
{
	int kept = 0;

	for (int i = 0; i < REF_SIZE; i++) {
		ref_expire_one(&s->a[REF_V4][i], now);
		ref_expire_one(&s->a[REF_V6][i], now);
	}
	for (int i = 0; i < s->n_conflicts; i++) {
		if (now - s->conflicts[i].at < 3600)
			s->conflicts[kept++] = s->conflicts[i];
	}
	s->n_conflicts = kept;
}

static inline void ref_remember_conflict(struct ref_subnet *s, int64_t now, int pod)
{
	if (s->n_conflicts == IPAM_CONFLICTS_MAX)
		memmove(&s->conflicts[0], &s->conflicts[1],
			(size_t)--s->n_conflicts * sizeof(s->conflicts[0]));
	s->conflicts[s->n_conflicts].at = now;
	s->conflicts[s->n_conflicts++].pod = pod;
}

static inline bool ref_has(const struct ref_subnet *s, int family)
{
	return family == s->first || (s->dual && family == REF_V6);
}

/* May this pod have this address, which it names? */
static inline enum decide_reason ref_judge(const struct ref_subnet *s, const struct ref_commit *c,
					   const struct ref_want *w, int family, int at)
{
	const struct ref_addr *a;

	if (at >= REF_SIZE || !s->a[family][at].in_range)
		return DECIDE_OUTSIDE;
	a = &s->a[family][at];
	if (a->named_by && a->named_by != w->owner)
		return DECIDE_RESERVED;
	if (c->touched[family][at] || c->world->addr_taken(s, family, at, w->uid))
		return DECIDE_ADDRESS_IN_USE;
	if (a->state == REF_FREE || (a->state == REF_COOLING && a->named_by))
		return DECIDE_ALLOCATED;
	return DECIDE_ADDRESS_IN_USE;
}

/* Free of charge for a pod that names nothing: the first from the cursor on, round the whole space. */
static inline int ref_next(const struct ref_subnet *s, const struct ref_commit *c, int family,
			   int uid)
{
	int from = s->cursor[family] == REF_NOWHERE ? 0 : s->cursor[family];

	for (int n = 0; n < REF_SIZE; n++) {
		int at = (from + n) % REF_SIZE;
		const struct ref_addr *a = &s->a[family][at];

		if (a->in_range && a->state == REF_FREE && !a->named_by &&
		    !c->touched[family][at] && !c->world->addr_taken(s, family, at, uid))
			return at;
	}
	return REF_NOWHERE;
}

static inline bool ref_mac_free(const struct ref_commit *c, const struct ref_want *w,
				const struct mac_addr *mac)
{
	return !c->world->mac_taken(mac, w->uid);
}

static inline bool ref_pick_mac(const struct ref_subnet *s, const struct ref_commit *c,
				struct ref_want *w, int entry)
{
	int family = w->at[s->first] == REF_NOWHERE ? !s->first : s->first;
	struct ip_addr addr = c->world->addr(s, family, w->at[family]);
	bool free = false;

	if (w->n_macs) {
		w->mac = w->macs[w->n_macs == 1 ? 0 : entry];
		free = ref_mac_free(c, w, &w->mac);
	}
	for (unsigned int n = 0; !w->n_macs && !free && n < 16; n++) {
		w->mac = ipam_mac_compute("kube-system", s->name, &addr, n);
		free = ref_mac_free(c, w, &w->mac);
	}
	for (const struct ref_want *o = c->wants; o < w; o++)
		free &= o->told != DECIDE_ALLOCATED || !mac_eq(&o->mac, &w->mac);
	return free;
}

/* Which entry of its lists; the reason when there is none. */
static inline enum decide_reason
ref_entry_of(const struct ref_subnet *s, const struct ref_commit *c, struct ref_want *w, int *entry)
{
	int n = w->n_named[0] ? w->n_named[0] : w->n_named[1];
	bool in_use = false, reserved = false;

	for (int k = 0; k < n; k++) {
		int e = (w->begin_at + k) % n;
		bool outside = false, kept = false, busy = false;

		for (int f = 0; f < 2; f++) {
			enum decide_reason r = e < w->n_named[f]
						       ? ref_judge(s, c, w, f, w->named[f][e])
						       : DECIDE_ALLOCATED;

			outside |= r == DECIDE_OUTSIDE;
			kept |= r == DECIDE_RESERVED;
			busy |= r == DECIDE_ADDRESS_IN_USE;
		}
		if (!outside && !kept && !busy) {
			*entry = e;
			return DECIDE_ALLOCATED;
		}
		reserved |= kept && !outside;
		in_use |= busy && !kept && !outside;
	}
	return in_use ? DECIDE_ADDRESS_IN_USE : reserved ? DECIDE_RESERVED : DECIDE_OUTSIDE;
}

static inline enum decide_reason ref_choose(struct ref_subnet *s, const struct ref_commit *c,
					    struct ref_want *w, int *entry)
{
	for (int f = 0; f < 2; f++) {
		if (!w->n_named[f] || ref_has(s, f))
			continue;
		w->lacks = f;
		return DECIDE_OUTSIDE;
	}
	if (w->n_named[0] || w->n_named[1]) {
		enum decide_reason r = ref_entry_of(s, c, w, entry);

		if (r != DECIDE_ALLOCATED)
			return r;
	}
	for (int f = 0; f < 2; f++) {
		if (!ref_has(s, f))
			continue;
		w->at[f] = w->n_named[f] ? w->named[f][*entry] : ref_next(s, c, f, w->uid);
		if (w->at[f] != REF_NOWHERE)
			continue;
		if (s->dual)
			w->lacks = f;
		return DECIDE_EXHAUSTED;
	}
	return DECIDE_ALLOCATED;
}

static inline bool ref_flies_elsewhere(const struct ref_subnet *s, int family, int at, int uid)
{
	for (int i = 0; i < s->n_flight; i++) {
		if (s->flight[i].at[family] == at && s->flight[i].uid != uid)
			return true;
	}
	return false;
}

/* May a card that is said to have this address go on having it? */
static inline enum decide_reason ref_judge_kept(const struct ref_subnet *s,
						const struct ref_commit *c,
						const struct ref_want *w, int family, int at)
{
	const struct ref_addr *a = at < REF_SIZE ? &s->a[family][at] : NULL;

	if (!a || (!a->in_range && a->state != REF_USED))
		return DECIDE_OUTSIDE;
	if (a->state == REF_COOLING || a->state == REF_QUARANTINE || c->touched[family][at] ||
	    c->world->addr_taken(s, family, at, w->uid) ||
	    ref_flies_elsewhere(s, family, at, w->uid))
		return DECIDE_ADDRESS_IN_USE;
	return DECIDE_ALLOCATED;
}

static inline enum decide_reason ref_keep(const struct ref_subnet *s, const struct ref_commit *c,
					  const struct ref_want *w)
{
	for (int f = 0; f < 2; f++) {
		enum decide_reason r = w->keep[f] == REF_NOWHERE
					       ? DECIDE_ALLOCATED
					       : ref_judge_kept(s, c, w, f, w->keep[f]);

		if (r != DECIDE_ALLOCATED)
			return r;
	}
	return DECIDE_ALLOCATED;
}

static inline void ref_serve(struct ref_subnet *s, const struct ref_commit *c, struct ref_want *w)
{
	int entry = 0;
	bool keeps = w->keep[0] != REF_NOWHERE || w->keep[1] != REF_NOWHERE;

	w->lacks = REF_NOWHERE;
	w->at[0] = w->keep[0];
	w->at[1] = w->keep[1];
	w->told = keeps ? ref_keep(s, c, w) : ref_choose(s, c, w, &entry);
	if (w->told != DECIDE_ALLOCATED)
		return;
	if (!ref_pick_mac(s, c, w, entry) && !keeps) {
		w->told = DECIDE_MAC_IN_USE;
		return;
	}
	for (int f = 0; f < 2; f++) {
		if (w->at[f] == REF_NOWHERE)
			continue;
		s->a[f][w->at[f]].state = REF_USED;
		s->a[f][w->at[f]].until = 0;
		if (!keeps && !w->n_named[f])
			s->cursor[f] = w->at[f] + 1;
	}
	s->flight[s->n_flight++] = (struct ref_entry){w->uid, {w->at[0], w->at[1]}};
}

/* One write to the subnet's record. */
static inline void ref_commit(struct ref_subnet *s, struct ref_commit *c)
{
	for (int i = 0; i < c->n_drops; i++)
		ref_leave_flight(s, &c->drops[i]);
	for (int i = 0; i < c->n_adopts; i++) {
		s->a[c->adopts[i].family][c->adopts[i].at].state = REF_USED;
		s->a[c->adopts[i].family][c->adopts[i].at].until = 0;
	}
	ref_expire(s, c->now);
	if (c->conflict_of != REF_NOWHERE)
		ref_remember_conflict(s, c->now, c->conflict_of);
	for (int i = 0; i < c->n_releases; i++)
		ref_release_one(s, c, &c->releases[i]);
	for (int i = 0; i < c->n_wants; i++) {
		c->wants[i].told = DECIDE_NOTHING;
		if (s->n_flight < IPAM_INFLIGHT_MAX)
			ref_serve(s, c, &c->wants[i]);
	}
}

#endif
