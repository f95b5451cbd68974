/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_commit() and all below it against a second writing of the rules (model_ref_test.h): random writes to the
 * records of several subnets, the same answers and the same record after each. Every record goes through
 * its text, as if another leader went on from it; one write in ten is lost, and what follows is decided again.
 *
 *	MODEL_OPS=100000 MODEL_SEED=7 build/dev/controller/model_test
 */
#include <string.h>
#include <time.h>

#include "controller/rules/model_world_test.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

#define OPS 20000

/* ------------------------------------------------------------------------------- both sides */

struct asked {
	struct plan_want want;
	struct api_request request;
	struct ip_addr ips[2 * REF_NAMED];
	char uid[12], pod[12], owner[12];
};

static void ask(const struct ref_subnet *s, const struct ref_want *w, struct asked *a)
{
	struct api_request *q = &a->request;
	int first = s->first;

	*a = (struct asked){0};
	for (int f = 0; f < 2; f++) {
		for (int i = 0; i < w->n_named[f]; i++)
			a->ips[q->n_ips++] = addr_of(s, f, w->named[f][i]);
	}
	q->wanted = true;
	q->ips = a->ips;
	q->macs = (struct mac_addr *)w->macs;
	q->n_macs = (size_t)w->n_macs;
	snprintf(a->pod, sizeof(a->pod), "p%d", w->pod);
	snprintf(a->owner, sizeof(a->owner), "%d", w->owner);
	a->want = (struct plan_want){
		.request = q,
		.record_uid = uid_text(w->uid, a->uid),
		.pod_uid = a->pod,
		.ns = "n",
		.name = a->pod,
		.owner = w->owner ? a->owner : NULL,
		.first = (size_t)w->begin_at,
	};
	if (w->keep[first] != REF_NOWHERE)
		a->want.keep = addr_of(s, first, w->keep[first]);
	if (first == REF_V4 && w->keep[REF_V6] != REF_NOWHERE)
		a->want.keep6 = addr_of(s, REF_V6, w->keep[REF_V6]);
}

static struct plan_list list_of(const struct subject *s, const struct list *l)
{
	struct plan_list out = {0};

	for (int i = 0; i < l->n; i++) {
		struct ip_addr a = addr_of(&s->ref, l->v[i].family, l->v[i].at);
		char uid[12];
		struct plan_entry *e = plan_list_add(&out, &a, uid_text(l->v[i].uid, uid));

		if (l->v[i].quarantine)
			e->quarantine_s = l->v[i].quarantine;
	}
	return out;
}

static void same_answer(const struct ref_subnet *s, const struct ref_want *w,
			const struct plan_want *got)
{
	int first = s->first;
	struct ip_addr a = {0}, a6 = {0};
	uint8_t lacks = w->lacks == REF_NOWHERE ? 0 : family_number(w->lacks);

	if (got->result != w->told)
		differ("%s: %s instead of %s", got->record_uid, decide_reason_name(got->result),
		       decide_reason_name(w->told));
	if (w->told != DECIDE_ALLOCATED) {
		if (w->told != DECIDE_NOTHING && got->family != lacks)
			differ("%s: lacks family %u instead of %u", got->record_uid, got->family,
			       lacks);
		return;
	}
	a = addr_of(s, first, w->at[first]);
	if (first == REF_V4 && w->at[REF_V6] != REF_NOWHERE)
		a6 = addr_of(s, REF_V6, w->at[REF_V6]);
	if (!ip_eq(&a, &got->addr) || !ip_eq(&a6, &got->addr6))
		differ("%s: another address than %d and %d", got->record_uid, w->at[0], w->at[1]);
	if (!mac_eq(&w->mac, &got->mac))
		differ("%s: another MAC", got->record_uid);
}

static void through_text(struct ipam_allocation *r)
{
	struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;
	char *text = NULL;

	if (ipam_allocation_encode(r, &text, &e) < 0 ||
	    jdoc_parse("record", text, strlen(text), &doc, &e) < 0)
		differ("%s", e.msg);
	ipam_allocation_done(r);
	root = jdoc_root(doc);
	if (ipam_allocation_decode(&root, r, &e) < 0)
		differ("%s", e.msg);
	jdoc_free(doc);
	free(text);
}

/* ------------------------------------------------------------------------------- compared */

static void real_state(const struct ipam_pool *p, const struct ip_addr *a, struct ref_addr *out)
{
	*out = (struct ref_addr){.state = ipam_set_has(&p->used, a) ? REF_USED : REF_FREE};
	if (!ipam_set_has(&p->cooling_all, a))
		return;
	for (size_t i = 0; i < p->n_cooling; i++) {
		if (!ipam_set_has(&p->cooling[i].set, a))
			continue;
		out->state = p->cooling[i].quarantine ? REF_QUARANTINE : REF_COOLING;
		out->until = p->cooling[i].until;
	}
}

static void same_addresses(const struct subject *s, int family, struct ipam_counts *n,
			   int64_t *next)
{
	for (int i = 0; i < REF_SIZE; i++) {
		const struct ref_addr *want = &s->ref.a[family][i];
		struct ip_addr a = addr_of(&s->ref, family, i);
		struct ref_addr got;

		real_state(&s->record.pool, &a, &got);
		if (got.state != want->state || got.until != want->until)
			differ("%s, family %d, address %d: state %d until %lld instead of %d until %lld",
			       s->ref.name, family, i, got.state, (long long)got.until, want->state,
			       (long long)want->until);
		n->used += want->state == REF_USED;
		if (!want->in_range)
			continue;
		n->total++;
		n->cooling += want->state >= REF_COOLING;
		n->quarantined += want->state == REF_QUARANTINE;
		n->named += want->state == REF_FREE && want->named_by;
		n->free += want->state == REF_FREE && !want->named_by;
		if (want->state >= REF_COOLING && (!*next || want->until < *next))
			*next = want->until;
	}
}

static void same_counts(const struct subject *s)
{
	struct ipam_counts want[2] = {{0}, {0}}, got;
	int64_t next[2] = {0, 0};

	for (int f = 0; f < 2; f++)
		same_addresses(s, f, &want[f], &next[f]);
	for (int f = 0; f < 2; f++) {
		if (!ref_has(&s->ref, f))
			continue;
		got = ipam_pool_count(&s->record.pool, &s->range[f], &s->named,
				      s->ref.dual ? family_number(f) : 0);
		if (!s->ref.dual)
			want[f].used += want[!f].used;
		if (memcmp(&got, &want[f], sizeof(got)) != 0)
			differ("%s: other counts: %zu used, %zu free instead of %zu and %zu",
			       s->ref.name, got.used, got.free, want[f].used, want[f].free);
		if (ipam_pool_next_expiry(&s->record.pool, &s->range[f]) != next[f])
			differ("%s: another time of the next free address", s->ref.name);
	}
}

static void same_cursor(const struct subject *s, int family, const struct ip_addr *got)
{
	int at = s->ref.cursor[family];
	struct ip_addr want = {0};

	if (at != REF_NOWHERE)
		want = addr_of(&s->ref, family, at);
	if (!ip_eq(got, &want))
		differ("%s: the cursor of family %d is not at %d", s->ref.name, family, at);
}

static void same_flight(const struct subject *s)
{
	const struct ipam_allocation *r = &s->record;

	if (r->n_inflight != (size_t)s->ref.n_flight)
		differ("%s: %zu in flight instead of %d", s->ref.name, r->n_inflight,
		       s->ref.n_flight);
	for (int i = 0; i < s->ref.n_flight; i++) {
		const struct ref_entry *e = &s->ref.flight[i];
		struct ip_addr a = addr_of(&s->ref, s->ref.first, e->at[s->ref.first]), a6 = {0};
		char uid[12];

		if (s->ref.first == REF_V4 && e->at[REF_V6] != REF_NOWHERE)
			a6 = addr_of(&s->ref, REF_V6, e->at[REF_V6]);
		if (strcmp(r->inflight[i].record_uid, uid_text(e->uid, uid)) != 0 ||
		    !ip_eq(&r->inflight[i].addr, &a) || !ip_eq(&r->inflight[i].addr6, &a6))
			differ("%s: entry %d in flight is not %s's", s->ref.name, i, uid);
	}
	if (r->n_conflicts != (size_t)s->ref.n_conflicts)
		differ("%s: %zu conflicts instead of %d", s->ref.name, r->n_conflicts,
		       s->ref.n_conflicts);
	for (int i = 0; i < s->ref.n_conflicts; i++) {
		if (r->conflicts[i].at != s->ref.conflicts[i].at ||
		    number_in(r->conflicts[i].pod_uid + 1) != s->ref.conflicts[i].pod)
			differ("%s: conflict %d is another", s->ref.name, i);
	}
}

static void same_record(const struct subject *s)
{
	same_counts(s);
	same_cursor(s, REF_V4, &s->record.pool.cursor);
	same_cursor(s, REF_V6, &s->record.pool.cursor6);
	same_flight(s);
}

/* ------------------------------------------------------------------------------- one write */

/* The answers reach the records: each address is one pod's alone. */
static void take_answers(struct subject *s, int subnet, const struct ref_want *wants, int n)
{
	for (int i = 0; i < n; i++) {
		const struct ref_want *w = &wants[i];
		struct pod *p = &m.pods[w->pod];

		m.refused += w->told != DECIDE_ALLOCATED;
		if (w->told != DECIDE_ALLOCATED)
			continue;
		m.given++;
		*p = (struct pod){.state = POD_FLIGHT,
				  .uid = w->uid,
				  .subnet = subnet,
				  .at = {w->at[0], w->at[1]},
				  .unseen = s->ref.spaces && w->keep[s->ref.first] == REF_NOWHERE &&
					    one_in(2),
				  .mac = w->mac};
		if (!p->unseen)
			claim(s, p);
	}
}

static void plan_real(struct subject *s, const struct ref_commit *c, struct asked *asked,
		      struct ipam_allocation *next)
{
	struct plan_want *wants = xcalloc((size_t)c->n_wants + 1, sizeof(*wants));
	struct plan_list releases = list_of(s, &s->releases), drops = list_of(s, &s->drops),
			 adopts = list_of(s, &s->adopts);
	char pod[12];
	struct ipam_conflict conflict = {.at = c->now, .pod_uid = pod};
	struct plan_in in = {
		.base = &s->record,
		.ns = "kube-system",
		.name = s->ref.name,
		.family = family_number(s->ref.first),
		.range = &s->range[s->ref.first],
		.range6 = s->ref.dual ? &s->range[REF_V6] : NULL,
		.named = &s->named,
		.delay_s = c->delay,
		.now_s = c->now,
		.commit = m.op,
		.wants = wants,
		.n_wants = (size_t)c->n_wants,
		.releases = &releases,
		.drops = &drops,
		.adopts = &adopts,
		.conflicts = &conflict,
		.n_conflicts = c->conflict_of != REF_NOWHERE,
		.addr_taken = addr_taken,
		.mac_taken = mac_taken,
		.kept = kept,
		.ctx = s,
	};

	snprintf(pod, sizeof(pod), "p%d", c->conflict_of);
	for (int i = 0; i < c->n_wants; i++) {
		ask(&s->ref, &c->wants[i], &asked[i]);
		wants[i] = asked[i].want;
	}
	plan_commit(&in, next);
	for (int i = 0; i < c->n_wants; i++)
		asked[i].want = wants[i];
	plan_list_done(&releases);
	plan_list_done(&drops);
	plan_list_done(&adopts);
	free(wants);
}

/* Whatever others say, those who live have lost nothing. */
static void all_keep_theirs(const struct subject *s, int subnet)
{
	for (int i = 0; i < PODS; i++) {
		const struct pod *p = &m.pods[i];

		for (int f = 0; f < 2; f++) {
			struct ref_addr got;
			struct ip_addr a;

			if (p->state == POD_IDLE || p->subnet != subnet || p->at[f] == REF_NOWHERE)
				continue;
			a = addr_of(&s->ref, f, p->at[f]);
			real_state(&s->record.pool, &a, &got);
			if (got.state != REF_USED)
				differ("%s: pod %d has lost its address %d of family %d",
				       s->ref.name, i, p->at[f], f);
		}
	}
}

/* By this very commit it counts as used: whoever has it is not known to the model. */
static bool is_adopted(const struct ref_commit *c, int family, int at)
{
	for (int i = 0; i < c->n_adopts; i++) {
		if (c->adopts[i].family == family && c->adopts[i].at == at)
			return true;
	}
	return false;
}

/* A liar has got what is another's, or cooling down, or nobody's to give. */
static void no_lie_succeeds(const struct ref_subnet *before, const struct ref_want *w,
			    const struct ref_commit *c)
{
	for (int f = 0; f < 2; f++) {
		const struct ref_addr *a;
		int holder;

		if (!w->lies || w->keep[f] == REF_NOWHERE || w->told != DECIDE_ALLOCATED ||
		    is_adopted(c, f, w->keep[f]))
			continue;
		a = &before->a[f][w->keep[f]];
		holder = m.holder[before->spaces][f][w->keep[f]];
		if ((holder && holder != w->uid) ||
		    (a->state >= REF_COOLING && a->until > c->now) ||
		    (!a->in_range && a->state != REF_USED))
			differ("%s: a liar got address %d of family %d", before->name, w->keep[f],
			       f);
	}
}

/* The write went through: the record is read back from its text. */
static void written(struct subject *s, int subnet, const struct ref_commit *c,
		    const struct ref_subnet *before, struct ipam_allocation *next)
{
	ipam_allocation_done(&s->record);
	s->record = *next;
	*next = (struct ipam_allocation){0};
	through_text(&s->record);
	same_record(s);
	for (int i = 0; i < c->n_wants; i++)
		no_lie_succeeds(before, &c->wants[i], c);
	take_answers(s, subnet, c->wants, c->n_wants);
	all_keep_theirs(s, subnet);
	s->releases.n = s->drops.n = s->adopts.n = 0;
	s->conflict_of = REF_NOWHERE;
}

static void one_write(struct subject *s, int subnet, bool burst)
{
	static const uint32_t delays[] = {0, 1, 60, 200, 3600};
	static struct ref_want wants[BURST + 4];
	static struct ref_subnet before;
	static struct asked asked[BURST + 4];
	AUTO(ipam_allocation_done) struct ipam_allocation next = {0};
	struct ref_commit c = {
		.world = &world,
		.now = m.now,
		.delay = delays[roll(5)],
		.releases = s->releases.v,
		.n_releases = s->releases.n,
		.drops = s->drops.v,
		.n_drops = s->drops.n,
		.adopts = s->adopts.v,
		.n_adopts = s->adopts.n,
		.conflict_of = s->conflict_of,
		.wants = wants,
	};

	c.n_wants = make_wants(s, subnet, burst, wants);
	before = s->ref;
	plan_real(s, &c, asked, &next);
	ref_commit(&s->ref, &c);
	for (int i = 0; i < c.n_wants; i++)
		same_answer(&s->ref, &wants[i], &asked[i].want);
	if (!one_in(10)) {
		written(s, subnet, &c, &before, &next);
		return;
	}
	m.lost++;
	s->ref = before;
	same_record(s);
}

/* ------------------------------------------------------------------------------- all of it */

static void begin_subject(int i, const char *name, int first, int spaces)
{
	struct subject *s = &m.s[i];
	int few = 40 + (int)roll(30), n = i == SUBNETS - 1 ? REF_SIZE : few;

	s->ref.name = name;
	s->ref.first = first;
	s->ref.spaces = spaces;
	s->ref.cursor[0] = s->ref.cursor[1] = s->conflict_of = REF_NOWHERE;
	s->record.holder = xstrdup("h");
	for (int at = REF_SIZE / 2 - n / 2; at < REF_SIZE / 2 + n / 2; at++) {
		set_in_range(s, REF_V4, at, true);
		set_in_range(s, REF_V6, at, true);
	}
}

static unsigned long number_of(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static void as_the_model(void **state)
{
	unsigned long ops = number_of("MODEL_OPS", OPS);

	(void)state;
	m.seed = (unsigned int)number_of("MODEL_SEED", (unsigned long)time(NULL));
	m.random = m.seed * 2654435761ULL + 1;
	m.now = 1767225600;
	print_message("MODEL_SEED=%u MODEL_OPS=%lu\n", m.seed, ops);
	begin_subject(0, "left", REF_V4, 0);
	begin_subject(1, "dual", REF_V4, 1);
	begin_subject(2, "six", REF_V6, 2);
	begin_subject(3, "right", REF_V4, 0);
	begin_subject(4, "large", REF_V4, 3);
	m.s[1].ref.dual = true;
	for (m.op = 1; m.op <= ops; m.op++) {
		int subnet = one_in(8) ? SUBNETS - 1 : (int)roll(SUBNETS - 1);
		struct subject *s = &m.s[subnet];
		bool burst = s->emptied;

		pass_time();
		m.now += burst ? 8000 : 0;
		edit(s);
		make_due(s, subnet);
		one_write(s, subnet, burst);
	}
	print_message(
		"%lu given, %lu refused, %lu released, %lu of them into quarantine, %lu writes "
		"lost\n",
		m.given, m.refused, m.released, m.quarantined, m.lost);
	for (int i = 0; i < SUBNETS; i++) {
		ipam_allocation_done(&m.s[i].record);
		ipam_set_done(&m.s[i].range[0]);
		ipam_set_done(&m.s[i].range[1]);
		ipam_set_done(&m.s[i].named);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
