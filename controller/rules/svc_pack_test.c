/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/svc_pack.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/test.h"

#define MAX    4
#define PODS   40
#define SLICES 64

/* The plain model: slices as a server would keep them, and a plan carried out on them. */
struct model {
	struct api_slice *slices[SLICES];
	size_t n;
	struct api_endpoint_port ports[2];
	struct api_endpoint eps[2][PODS];
	char names[2][PODS][16];
	struct api_endpoint_group groups[2];
	size_t creates, updates, deletes; /* of the last plan */
};

static void model_init(struct model *m)
{
	*m = (struct model){
		.ports = {{.protocol = "TCP", .port = 80}, {.protocol = "TCP", .port = 81}}};
	for (int g = 0; g < 2; g++)
		m->groups[g] = (struct api_endpoint_group){
			.family = AF_INET,
			.ports = &m->ports[g],
			.n_ports = 1,
			.ports_hash = api_endpoint_ports_hash(&m->ports[g], 1),
			.eps = m->eps[g],
		};
}

static void model_done(struct model *m)
{
	for (size_t i = 0; i < m->n; i++)
		api_slice_free(m->slices[i]);
}

/* What each pod is from now on. */
enum pod { NO = 0, READY, UNREADY };

static void want(struct model *m, int g, const enum pod pods[PODS])
{
	struct api_endpoint_group *group = &m->groups[g];

	group->n_eps = 0;
	for (int i = 0; i < PODS; i++) {
		if (pods[i] == NO)
			continue;
		snprintf(m->names[g][i], sizeof(m->names[g][i]), "g%d-%d", g, i);
		group->eps[group->n_eps++] = (struct api_endpoint){
			.addr = {AF_INET, {10, (uint8_t)g, 0, (uint8_t)i}},
			.ready = pods[i] == READY,
			.serving = pods[i] == READY,
			.pod = m->names[g][i],
			.uid = m->names[g][i],
		};
	}
}

static void first(struct model *m, int g, int n)
{
	enum pod pods[PODS] = {NO};

	for (int i = 0; i < n; i++)
		pods[i] = READY;
	want(m, g, pods);
}

static struct api_slice *find(const struct model *m, const char *name, size_t *at)
{
	for (*at = 0; *at < m->n; (*at)++) {
		if (str_eq(m->slices[*at]->meta.name, name))
			return m->slices[*at];
	}
	return NULL;
}

static void fill(struct api_slice *s, const struct svc_pack_op *op)
{
	assert_in_range(op->n_eps, 1, MAX);
	free(s->entries);
	s->entries = xcalloc(op->n_eps, sizeof(*s->entries));
	s->n_entries = op->n_eps;
	s->ports_hash = op->group->ports_hash;
	assert_int_equal(s->family, op->group->family);
	for (size_t i = 0; i < op->n_eps; i++)
		s->entries[i] = api_slice_entry_of(op->eps[i]);
}

static void carry_out(struct model *m, const struct svc_pack_op *op)
{
	size_t at;
	struct api_slice *s = find(m, op->name, &at);

	switch (op->kind) {
	case SVC_PACK_CREATE:
		assert_null(s);
		assert_true(m->n < SLICES);
		s = xcalloc(1, sizeof(*s));
		s->meta.name = xstrdup(op->name);
		s->owner_uid = xstrdup("9");
		s->family = op->group->family;
		m->slices[m->n++] = s;
		fill(s, op);
		m->creates++;
		break;
	case SVC_PACK_UPDATE:
		assert_ptr_equal(s, op->have);
		fill(s, op);
		m->updates++;
		break;
	case SVC_PACK_DELETE:
		assert_ptr_equal(s, op->have);
		api_slice_free(s);
		m->slices[at] = m->slices[--m->n];
		m->deletes++;
		break;
	}
}

/* How many entries there are for this endpoint, and whether they say what it says. */
static size_t times(const struct model *m, const struct api_endpoint_group *g,
		    const struct api_endpoint *ep)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++) {
		for (size_t k = 0; k < m->slices[i]->n_entries; k++) {
			const struct api_slice_entry *entry = &m->slices[i]->entries[k];

			if (entry->id != api_endpoint_id(ep))
				continue;
			assert_true(api_slice_entry_is(entry, ep));
			assert_true(m->slices[i]->ports_hash == g->ports_hash);
			n++;
		}
	}
	return n;
}

static size_t entries(const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += m->slices[i]->n_entries;
	return n;
}

static void step(struct model *m)
{
	const struct svc_pack_in in = {
		.service = "s",
		.owner_uid = "9",
		.groups = m->groups,
		.n_groups = 2,
		.have = (const struct api_slice *const *)m->slices,
		.n_have = m->n,
		.max = MAX,
	};
	AUTO(svc_pack_done) struct svc_pack plan = {0};
	bool deleting = false;

	m->creates = m->updates = m->deletes = 0;
	svc_pack_plan(&in, &plan);
	for (size_t i = 0; i < plan.n; i++) {
		deleting |= plan.ops[i].kind == SVC_PACK_DELETE;
		assert_true(!deleting || plan.ops[i].kind == SVC_PACK_DELETE);
		carry_out(m, &plan.ops[i]);
	}
	for (int g = 0; g < 2; g++) {
		for (size_t i = 0; i < m->groups[g].n_eps; i++)
			assert_int_equal(times(m, &m->groups[g], &m->groups[g].eps[i]), 1);
	}
	assert_int_equal(entries(m), m->groups[0].n_eps + m->groups[1].n_eps);
}

/* A second plan on what the first one made has nothing to do. */
static void settled(struct model *m)
{
	step(m);
	assert_int_equal(m->creates + m->updates + m->deletes, 0);
}

#define writes(c, u, d)                         \
	do {                                    \
		assert_int_equal(m.creates, c); \
		assert_int_equal(m.updates, u); \
		assert_int_equal(m.deletes, d); \
		settled(&m);                    \
	} while (0)

static void grows_and_shrinks(void **state)
{
	struct model m;

	(void)state;
	model_init(&m);
	first(&m, 0, 10);
	step(&m);
	writes(3, 0, 0);
	/* Two more fit in the slice of two. */
	first(&m, 0, 12);
	step(&m);
	writes(0, 1, 0);
	first(&m, 0, 13);
	step(&m);
	writes(1, 0, 0);
	first(&m, 0, 12);
	step(&m);
	writes(0, 0, 1);
	first(&m, 0, 0);
	step(&m);
	writes(0, 0, 3);
	model_done(&m);
}

static void one_change_is_one_write(void **state)
{
	enum pod pods[PODS] = {NO};
	struct model m;

	(void)state;
	model_init(&m);
	for (int i = 0; i < 12; i++)
		pods[i] = READY;
	want(&m, 0, pods);
	step(&m);
	pods[5] = UNREADY;
	want(&m, 0, pods);
	step(&m);
	writes(0, 1, 0);
	/* One goes and one comes: its place is taken in the same write. */
	pods[5] = NO;
	pods[20] = READY;
	want(&m, 0, pods);
	step(&m);
	writes(0, 1, 0);
	model_done(&m);
}

/* A rollout: all pods are exchanged. */
static void exchanged_within_the_same_slices(void **state)
{
	enum pod pods[PODS] = {NO};
	struct model m;

	(void)state;
	model_init(&m);
	first(&m, 0, 12);
	step(&m);
	for (int i = 20; i < 32; i++)
		pods[i] = READY;
	want(&m, 0, pods);
	step(&m);
	writes(0, 3, 0);
	model_done(&m);
}

static void ports_renamed_in_place(void **state)
{
	struct model m;

	(void)state;
	model_init(&m);
	first(&m, 0, 12);
	step(&m);
	first(&m, 0, 0);
	first(&m, 1, 12);
	step(&m);
	writes(0, 3, 0);
	model_done(&m);
}

/* Ten slices of which one each is left are drawn together. */
static void drawn_together(void **state)
{
	enum pod pods[PODS] = {NO};
	struct model m;

	(void)state;
	model_init(&m);
	first(&m, 0, 40);
	step(&m);
	writes(10, 0, 0);
	for (int i = 0; i < 40; i += 4)
		pods[i] = READY;
	want(&m, 0, pods);
	step(&m);
	writes(0, 3, 7);
	model_done(&m);
}

static void another_services_slices_go(void **state)
{
	struct model m;

	(void)state;
	model_init(&m);
	first(&m, 0, 2);
	step(&m);
	free(m.slices[0]->owner_uid);
	m.slices[0]->owner_uid = xstrdup("8");
	step(&m);
	writes(1, 0, 1);
	assert_string_equal(m.slices[0]->owner_uid, "9");
	model_done(&m);
}

static void families_apart(void **state)
{
	struct model m;

	(void)state;
	model_init(&m);
	first(&m, 0, 2);
	step(&m);
	m.groups[0].family = AF_INET6;
	for (size_t i = 0; i < 2; i++)
		m.eps[0][i].addr.family = AF_INET6;
	step(&m);
	writes(1, 0, 1);
	model_done(&m);
}

/* Anything after anything: checked by step(); and no more writes than slices that were or are. */
static void random_walk(void **state)
{
	enum pod pods[2][PODS] = {{NO}, {NO}};
	struct model m;
	size_t before;

	(void)state;
	srand(5);
	model_init(&m);
	for (int round = 0; round < 3000; round++) {
		int changes = rand() % 4 ? rand() % 4 : rand() % 40;

		for (int i = 0; i < changes; i++)
			pods[rand() % 2][rand() % PODS] = (enum pod)(rand() % 3);
		want(&m, 0, pods[0]);
		want(&m, 1, pods[1]);
		before = m.n;
		step(&m);
		assert_true(m.updates + m.deletes <= before);
		assert_true(m.creates + m.updates <= m.n);
		assert_true(m.creates + m.updates + m.deletes <= (size_t)(2 * changes + 1));
		settled(&m);
	}
	model_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_shrinks),
		cmocka_unit_test(one_change_is_one_write),
		cmocka_unit_test(exchanged_within_the_same_slices),
		cmocka_unit_test(ports_renamed_in_place),
		cmocka_unit_test(drawn_together),
		cmocka_unit_test(another_services_slices_go),
		cmocka_unit_test(families_apart),
		cmocka_unit_test(random_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
