/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods, records and subnets that come, go and are edited at random, for model_test.c: what both sides are asked
 * about.
 */
#ifndef CONTROLLER_RULES_MODEL_WORLD_TEST_H
#define CONTROLLER_RULES_MODEL_WORLD_TEST_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/rules/model_ref_test.h"
#include "controller/rules/plan.h"
#include "lib/base/test.h"

#define SUBNETS  5
#define PODS     1400
#define PENDING  1500
#define BURST    650
#define WORKLOAD 2 /* numbers of workloads: 1.. */
#define OLD      8

enum pod_state { POD_IDLE = 0, POD_FLIGHT, POD_SERVED };

struct pod {
	enum pod_state state;
	int uid, subnet, at[2];
	bool unseen; /* in flight, and the cache knows nothing of it yet */
	struct mac_addr mac;
};

struct list {
	struct ref_release v[PENDING];
	int n;
};

/* One subnet: the model's side, and the controller's. */
struct subject {
	struct ref_subnet ref;
	struct ipam_allocation record;
	struct ipam_set range[2], named;
	struct list releases, drops, adopts;
	struct ref_release old[OLD]; /* released before, to be released again */
	int conflict_of;
	bool emptied; /* a burst comes next */
};

static struct {
	unsigned int seed;
	uint64_t random;
	unsigned long op;
	int64_t now;
	int last_uid;
	struct subject s[SUBNETS];
	struct pod pods[PODS];
	int holder[SUBNETS][2][REF_SIZE]; /* by wire: the record's UID, 0 = nobody */
	unsigned long given, refused, released, quarantined, lost;
} m;

/* ------------------------------------------------------------------------------- tools */

static inline void differ(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static inline void differ(const char *format, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	print_error("MODEL_SEED=%u, operation %lu: %s\n", m.seed, m.op, text);
	fail();
	abort();
}

/* xorshift64*: the same sequence everywhere. */
static inline unsigned int roll(unsigned int n)
{
	m.random ^= m.random >> 12;
	m.random ^= m.random << 25;
	m.random ^= m.random >> 27;
	return (unsigned int)((m.random * 2685821657736338717ULL) >> 33) % n;
}

static inline bool one_in(unsigned int n)
{
	return roll(n) == 0;
}

#define REACH (REF_SIZE + 2 * REF_NAMED + 20) /* those far away that are named included */

static inline struct ip_addr addr_of(const struct ref_subnet *s, int family, int at)
{
	static struct ip_addr table[SUBNETS][2][REACH];
	struct ip_addr base = {AF_INET, {10, (uint8_t)s->spaces, 0, 200}};
	struct ip_addr *a = &table[s->spaces][family][at];

	if (ip_is_set(a))
		return *a;
	if (family == REF_V6)
		base = (struct ip_addr){AF_INET6,
					{0xfd, [7] = (uint8_t)s->spaces, [14] = 0xff, [15] = 0x80}};
	if (ip_add(&base, (uint64_t)at, a) < 0)
		differ("no such address");
	return *a;
}

static inline uint8_t family_number(int family)
{
	return family == REF_V6 ? AF_INET6 : AF_INET;
}

static inline int number_in(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

static inline char *uid_text(int uid, char buf[12])
{
	snprintf(buf, 12, "r%d", uid);
	return buf;
}

/* ------------------------------------------------------------------------------- the world */

static inline bool ref_addr_taken(const struct ref_subnet *s, int family, int at, int uid)
{
	int holder = m.holder[s->spaces][family][at];

	return holder && holder != uid;
}

static inline bool ref_mac_taken(const struct mac_addr *mac, int uid)
{
	for (const struct pod *p = m.pods; p < m.pods + PODS; p++) {
		if (p->state != POD_IDLE && p->uid != uid && mac_eq(&p->mac, mac))
			return true;
	}
	return false;
}

static const struct ref_world world = {ref_addr_taken, ref_mac_taken, addr_of};

/* The same for the controller's side: ctx is the subject. */
static inline bool locate(const struct ref_subnet *s, const struct ip_addr *a, int *family, int *at)
{
	struct ip_addr base;
	uint64_t d;

	*family = a->family == AF_INET6 ? REF_V6 : REF_V4;
	base = addr_of(s, *family, 0);
	d = ip_distance(&base, a);
	*at = (int)d;
	return d < REF_SIZE;
}

static inline bool addr_taken(void *ctx, const struct ip_addr *addr, const char *uid)
{
	const struct subject *s = ctx;
	int family, at;

	return locate(&s->ref, addr, &family, &at) &&
	       ref_addr_taken(&s->ref, family, at, number_in(uid + 1));
}

static inline bool mac_taken(void *ctx, const struct mac_addr *mac, const char *uid)
{
	(void)ctx;
	return ref_mac_taken(mac, number_in(uid + 1));
}

static inline enum plan_kept kept(void *ctx, const struct ip_addr *addr, const char *owner)
{
	const struct subject *s = ctx;
	int family, at, by;

	if (!locate(&s->ref, addr, &family, &at))
		return PLAN_KEPT_NOT;
	by = s->ref.a[family][at].named_by;
	if (!by)
		return PLAN_KEPT_NOT;
	return owner && number_in(owner) == by ? PLAN_KEPT_OURS : PLAN_KEPT_OTHERS;
}

/* ------------------------------------------------------------------------------- edits */

static inline void set_in_range(struct subject *s, int family, int at, bool in)
{
	struct ip_addr a = addr_of(&s->ref, family, at);

	s->ref.a[family][at].in_range = in;
	if (in)
		ipam_set_add(&s->range[family], &a);
	else
		ipam_set_remove(&s->range[family], &a);
}

/* It has room for more than may be in flight. */
static inline bool is_large(const struct subject *s)
{
	return s == &m.s[SUBNETS - 1];
}

static inline void edit_ranges(struct subject *s)
{
	int family = (int)roll(2), from = (int)roll(REF_SIZE), n = 1 + (int)roll(12);
	bool in = is_large(s) ? !one_in(16) : one_in(2);

	for (int at = from; at < from + n && at < REF_SIZE; at++)
		set_in_range(s, family, at, in);
}

static inline void edit_named(struct subject *s)
{
	int family = (int)roll(2), at = (int)roll(REF_SIZE);
	struct ip_addr a = addr_of(&s->ref, family, at);

	s->ref.a[family][at].named_by = one_in(is_large(s) ? 16 : 2) ? 1 + (int)roll(WORKLOAD) : 0;
	if (s->ref.a[family][at].named_by)
		ipam_set_add(&s->named, &a);
	else
		ipam_set_remove(&s->named, &a);
}

static inline void edit(struct subject *s)
{
	if (one_in(8))
		edit_ranges(s);
	if (one_in(4))
		edit_named(s);
	if (s == &m.s[1] && one_in(100))
		s->ref.dual = !s->ref.dual;
}

static inline void pass_time(void)
{
	m.now += roll(20);
	if (one_in(50))
		m.now += roll(4000);
	/* Another machine's clock. */
	if (one_in(100))
		m.now -= roll(500);
}

/* ------------------------------------------------------------------------------- what is due */

static inline void push(struct list *l, struct ref_release r)
{
	if (l->n < PENDING)
		l->v[l->n++] = r;
}

/* From now on it is known who has the addresses: nobody else. */
static inline void claim(const struct subject *s, struct pod *p)
{
	for (int f = 0; f < 2; f++) {
		int *holder = &m.holder[s->ref.spaces][f][p->at[f] < 0 ? 0 : p->at[f]];

		if (p->at[f] == REF_NOWHERE)
			continue;
		if (*holder && *holder != p->uid)
			differ("%s: address %d of family %d is given twice", s->ref.name, p->at[f],
			       f);
		*holder = p->uid;
	}
	p->unseen = false;
}

/* The record is gone; then its addresses are free. */
static inline void end_pod(struct subject *s, struct pod *p, int64_t quarantine)
{
	for (int f = 0; f < 2; f++) {
		if (p->at[f] == REF_NOWHERE)
			continue;
		if (!p->unseen)
			m.holder[s->ref.spaces][f][p->at[f]] = 0;
		push(&s->releases, (struct ref_release){f, p->at[f], p->uid, quarantine});
		s->old[roll(OLD)] = s->releases.v[s->releases.n - 1];
	}
	p->state = POD_IDLE;
	m.released++;
	if (!quarantine)
		return;
	m.quarantined++;
	s->conflict_of = (int)(p - m.pods);
}

static inline void pods_end(struct subject *s, int subnet, unsigned int chance)
{
	for (struct pod *p = m.pods; p < m.pods + PODS; p++) {
		if (p->state == POD_IDLE || p->subnet != subnet || !one_in(chance))
			continue;
		end_pod(s, p, one_in(10) ? m.now + (one_in(2) ? 3600 : 5) : 0);
	}
}

static inline void records_written(struct subject *s, int subnet)
{
	for (struct pod *p = m.pods; p < m.pods + PODS; p++) {
		int f = p->at[REF_V6] != REF_NOWHERE && one_in(2) ? REF_V6 : s->ref.first;

		if (p->state != POD_FLIGHT || p->subnet != subnet || one_in(4))
			continue;
		p->state = POD_SERVED;
		claim(s, p);
		push(&s->drops, (struct ref_release){f, p->at[f], p->uid, 0});
	}
}

static inline void make_due(struct subject *s, int subnet)
{
	const struct ref_release *again = &s->old[roll(OLD)];

	s->emptied = is_large(s) && one_in(60);
	if (s->emptied || one_in(2))
		pods_end(s, subnet, s->emptied ? 1 : one_in(40) ? 2 : 12);
	if (one_in(2))
		records_written(s, subnet);
	if (one_in(5) && again->uid)
		push(&s->releases, *again);
	/* A record that somebody made by hand goes: what it names may be anybody's. */
	if (one_in(6))
		push(&s->releases,
		     (struct ref_release){(int)roll(2), (int)roll(REF_SIZE), ++m.last_uid,
					  one_in(4) ? m.now + 3600 : 0});
	if (one_in(30))
		push(&s->adopts, (struct ref_release){(int)roll(2), (int)roll(REF_SIZE), 0, 0});
}

/* ------------------------------------------------------------------------------- wants */

/* Somewhere that is mostly in range. */
static inline int some_address(const struct ref_subnet *s, int family)
{
	int at = (int)roll(REF_SIZE + 10);
	bool by_workload = one_in(2);

	for (int i = 0; i < 200 && (at >= REF_SIZE || !s->a[family][at].in_range ||
				    (by_workload && !s->a[family][at].named_by));
	     i++)
		at = (int)roll(REF_SIZE + 10);
	return at;
}

static inline void name_some(const struct ref_subnet *s, struct ref_want *w, int family, int n)
{
	w->n_named[family] = n;
	for (int i = 0; i < n; i++) {
		w->named[family][i] = some_address(s, family);
		for (int j = 0; j < i; j++) {
			/* A list never names one twice. */
			if (w->named[family][j] == w->named[family][i])
				w->named[family][i] = REF_SIZE + 20 + i;
		}
	}
}

static inline void random_want(const struct ref_subnet *s, struct ref_want *w)
{
	int n = 1 + (int)roll(REF_NAMED), of = (int)roll(4);
	bool lists = one_in(3);

	*w = (struct ref_want){.uid = ++m.last_uid, .keep = {REF_NOWHERE, REF_NOWHERE}};
	w->begin_at = (int)roll(6);
	if (lists && (of < 2 || s->first == REF_V4))
		name_some(s, w, of < 2 ? s->first : REF_V4, n);
	if (lists && of >= 2)
		name_some(s, w, REF_V6, n);
	w->owner = (int)roll(WORKLOAD + 1);
	/* A liar: any address is said to be its card's. */
	if (one_in(8)) {
		w->lies = true;
		w->n_named[0] = w->n_named[1] = 0;
		w->keep[s->first] = (int)roll(REF_SIZE + 4);
		if (s->dual && one_in(2))
			w->keep[REF_V6] = (int)roll(REF_SIZE + 4);
		return;
	}
	for (int f = 0; f < 2; f++) {
		if (w->n_named[f] && w->named[f][0] < REF_SIZE && one_in(2))
			w->owner = s->a[f][w->named[f][0]].named_by;
	}
	if (!one_in(6))
		return;
	w->n_macs = lists && one_in(2) ? n : 1;
	for (int i = 0; i < w->n_macs; i++)
		w->macs[i] = (struct mac_addr){{2, 0, 0, 0, (uint8_t)i, (uint8_t)roll(6)}};
}

static inline bool asked_already(const struct ref_want *wants, int n, const struct pod *p)
{
	for (int i = 0; i < n; i++) {
		if (wants[i].pod == (int)(p - m.pods))
			return true;
	}
	return false;
}

/* The entry of its former record has not left flight yet. */
static inline bool flies(const struct ref_subnet *s, const struct pod *p)
{
	for (int i = 0; i < s->n_flight; i++) {
		if (s->flight[i].uid == p->uid)
			return true;
	}
	return false;
}

/* A record that went by another hand is made again for the addresses that the pod's card has. */
static inline void want_again(struct subject *s, struct pod *p, struct ref_want *w)
{
	*w = (struct ref_want){.uid = ++m.last_uid, .keep = {p->at[0], p->at[1]}};
	w->pod = (int)(p - m.pods);
	for (int f = 0; f < 2; f++) {
		if (p->at[f] != REF_NOWHERE)
			m.holder[s->ref.spaces][f][p->at[f]] = w->uid;
	}
	p->uid = w->uid;
}

static inline int make_wants(struct subject *s, int subnet, bool burst, struct ref_want *wants)
{
	int n = 0, wanted = burst ? BURST : (int)roll(4);

	for (int tries = 0; n < wanted && tries < 20 * BURST; tries++) {
		struct pod *p = &m.pods[roll(PODS)];

		if (asked_already(wants, n, p))
			continue;
		if (p->state == POD_IDLE) {
			random_want(&s->ref, &wants[n]);
			wants[n++].pod = (int)(p - m.pods);
		} else if (p->state == POD_SERVED && p->subnet == subnet && one_in(20) &&
			   !flies(&s->ref, p)) {
			want_again(s, p, &wants[n++]);
		}
	}
	return n;
}

#endif
