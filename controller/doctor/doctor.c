/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/doctor/doctor.h"

#include <stdlib.h>

#include "api/network.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/objects.h"
#include "controller/cluster/subnet_object.h"
#include "controller/doctor/sum.h"
#include "controller/process/events.h"
#include "controller/process/process.h"
#include "controller/subnets/subnet.h"
#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* Many nodes that come at once are one look, and one event. */
#define LOOK_EVERY_MS 2000
#define TELL_EVERY_MS 60000

/* One subnet. */
struct patient {
	char *name;
	struct sum sum; /* of the present look; names in it are the cache's */
	struct doctor_numbers numbers;
	char *told; /* which nodes fail, as last told; NULL = not known yet */
	int64_t told_ms;
};

struct doctor {
	struct doctor_in in;
	struct map patients;
	bool changed;
	int64_t looked_ms;
};

static void changed(void *ctx, enum cluster_kind kind, const char *key, const void *old,
		    const void *obj)
{
	struct doctor *d = ctx;

	(void)key;
	/* Of a subnet only that it has come or gone. */
	if (kind == CLUSTER_NODES || !old || !obj)
		d->changed = true;
}

static void listed(void *ctx, enum cluster_kind kind)
{
	struct doctor *d = ctx;

	(void)kind;
	d->changed = true;
}

static const struct cluster_listener listener = {.changed = changed, .listed = listed};

struct doctor *doctor_new(const struct doctor_in *in)
{
	struct doctor *d = xcalloc(1, sizeof(*d));

	d->in = *in;
	cluster_listen(in->cluster, CLUSTER_BIT(CLUSTER_NODES) | CLUSTER_BIT(CLUSTER_SUBNETS),
		       &listener, d);
	return d;
}

static void patient_free(struct patient *p)
{
	sum_done(&p->sum);
	free(p->name);
	free(p->told);
	free(p);
}

void doctor_free(struct doctor *d)
{
	struct patient *p;

	if (!d)
		return;
	for (size_t pos = 0; (p = map_each(&d->patients, &pos));)
		patient_free(p);
	map_done(&d->patients);
	free(d);
}

/* ------------------------------------------------------------------ gathering */

static struct patient *get(struct doctor *d, const char *name)
{
	struct patient *p = map_get(&d->patients, name);

	if (p)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->name = xstrdup(name);
	map_put(&d->patients, p->name, p);
	return p;
}

static void gather_node(struct doctor *d, const char *name, const struct cluster_node *node)
{
	for (size_t i = 0; i < node->doctor.n; i++) {
		const struct api_doctor_entry *x = &node->doctor.v[i];

		/* It may name what was never there. */
		if (cluster_subnet(d->in.cluster, x->subnet))
			sum_add(&get(d, x->subnet)->sum, name, x->reason);
	}
}

/* Those whose subnet is gone. One at a time: the table changes. */
static struct patient *any_gone(const struct doctor *d)
{
	struct patient *p;

	for (size_t pos = 0; (p = map_each(&d->patients, &pos));) {
		if (!cluster_subnet(d->in.cluster, p->name))
			return p;
	}
	return NULL;
}

static void tell(struct doctor *d, struct patient *p, const char *set)
{
	AUTO(free) char *text = sum_sentence(&p->sum);
	struct event v = {.api_version = API_GROUP_VERSION,
			  .kind = API_KIND_SUBNET,
			  .about = &cluster_subnet(d->in.cluster, p->name)->meta,
			  .warning = p->sum.failed,
			  .reason = p->sum.failed ? "NodesCannotServe" : "NodesServe",
			  .message = text};

	event_send(d->in.process, &v);
	free(p->told);
	p->told = xstrdup(set);
	p->told_ms = clock_now_ms();
}

/* When to look again for its event's sake, 0 = no need. What a former leader has told is not told again. */
static int64_t tell_if_others(struct doctor *d, struct patient *p, bool first)
{
	AUTO(free) char *set = sum_set(&p->sum);

	if (!p->told)
		p->told = xstrdup(first ? set : "");
	if (str_eq(p->told, set))
		return 0;
	if (p->told_ms && clock_now_ms() < p->told_ms + TELL_EVERY_MS)
		return p->told_ms + TELL_EVERY_MS;
	tell(d, p, set);
	return 0;
}

static int64_t take(struct doctor *d, struct patient *p, bool first)
{
	struct subnet *subnet = subnets_find(d->in.subnets, p->name);
	AUTO(free) char *json = NULL;
	int64_t next;

	sum_sort(&p->sum);
	json = sum_json(&p->sum);
	if (subnet)
		subnet_doctor(subnet, json);
	next = tell_if_others(d, p, first);
	p->numbers = (struct doctor_numbers){p->sum.ok, p->sum.failed, p->sum.untested};
	sum_done(&p->sum);
	return next;
}

static int64_t look(struct doctor *d)
{
	bool first = !d->looked_ms;
	const struct cluster_node *node;
	struct patient *p;
	const char *key;
	int64_t next = 0;

	d->changed = false;
	d->looked_ms = clock_now_ms();
	while ((p = any_gone(d))) {
		map_remove(&d->patients, p->name);
		patient_free(p);
	}
	for (size_t pos = 0; (node = cluster_each(d->in.cluster, CLUSTER_NODES, &pos, &key));)
		gather_node(d, key, node);
	for (size_t pos = 0; (p = map_each(&d->patients, &pos));)
		next = clock_earlier_ms(next, take(d, p, first));
	/* Then it is looked at as a whole again: names are not kept. */
	d->changed = next != 0;
	return next;
}

int64_t doctor_run(struct doctor *d)
{
	int64_t now = clock_now_ms();

	if (d->in.process->phase != PHASE_RUN || !d->changed)
		return 0;
	if (d->looked_ms && now < d->looked_ms + LOOK_EVERY_MS)
		return d->looked_ms + LOOK_EVERY_MS;
	return look(d);
}

struct doctor_numbers doctor_numbers(const struct doctor *d, const char *subnet)
{
	const struct patient *p = map_get(&d->patients, subnet);

	return p ? p->numbers : (struct doctor_numbers){0};
}
