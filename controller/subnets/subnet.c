/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/subnets/subnet.h"

#include <stdlib.h>

#include "controller/cluster/cluster.h"
#include "controller/cluster/owners.h"
#include "controller/subnets/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

struct subnet *subnets_find(const struct subnets *all, const char *name)
{
	return map_get(&all->by_name, name);
}

static struct subnet *get(struct subnets *all, const char *name)
{
	struct subnet *subnet = map_get(&all->by_name, name);

	if (subnet)
		return subnet;
	subnet = xcalloc(1, sizeof(*subnet));
	subnet->all = all;
	subnet->name = xstrdup(name);
	subnet->delay_s = API_DELAY_REUSE_DEFAULT;
	map_put(&all->by_name, subnet->name, subnet);
	return subnet;
}

static void subnet_free(struct subnet *subnet)
{
	map_remove(&subnet->all->by_name, subnet->name);
	ipam_allocation_done(&subnet->record);
	ipam_allocation_done(&subnet->next);
	ipam_set_done(&subnet->own_range);
	ipam_set_done(&subnet->range);
	ipam_set_done(&subnet->orphans);
	ipam_set_done(&subnet->own_range6);
	ipam_set_done(&subnet->range6);
	api_network_done(&subnet->network);
	plan_list_done(&subnet->releases);
	plan_list_done(&subnet->drops);
	plan_list_done(&subnet->adopts);
	subnet_conflicts_cut(subnet, subnet->n_conflicts);
	api_lines_done(&subnet->lines);
	api_lines_done(&subnet->next_lines);
	api_lines_done(&subnet->further);
	free(subnet->conflicts);
	free(subnet->doctor);
	free(subnet->conditions);
	free(subnet->queue);
	free(subnet->sent);
	free(subnet->wants);
	free(subnet->next_summary);
	free(subnet->summary);
	free(subnet->uid);
	free(subnet->version);
	free(subnet->name);
	free(subnet);
}

/* ------------------------------------------------------------------------------- the object */

/* Whatever was known is about an object that is no more. */
static void forget(struct subnet *subnet)
{
	while (subnet->n_queue) {
		struct waiter *w = subnet->queue[0];

		waiter_dequeue(w);
		w->ops->look_again(w);
	}
	subnet->all->ops->forgotten(subnet->all->ctx, subnet);
	ipam_allocation_done(&subnet->record);
	plan_list_done(&subnet->releases);
	plan_list_done(&subnet->drops);
	plan_list_done(&subnet->adopts);
	ipam_set_done(&subnet->orphans);
	subnet_conflicts_cut(subnet, subnet->n_conflicts);
	subnet->conflicts_until_s = 0;
	free(subnet->doctor);
	subnet->doctor = NULL;
	free(subnet->conditions);
	subnet->conditions = NULL;
	free(subnet->summary);
	subnet->summary = NULL;
	free(subnet->uid);
	subnet->uid = NULL;
	free(subnet->version);
	subnet->version = NULL;
	subnet->state = SUBNET_NEW;
	subnet->relisting = subnet->reread = subnet->has_finalizer = subnet->hard = false;
	subnet->soft_ms = subnet->retry_ms = 0;
	subnet->next_commit = 0;
}

static bool is_newer(const char *version, const char *than)
{
	int64_t a, b;

	return !than || parse_i64(version, &a) < 0 || parse_i64(than, &b) < 0 || a > b;
}

static void take_version(struct subnet *subnet, const struct subnet_object *obj)
{
	if (!is_newer(obj->meta.resource_version, subnet->version))
		return;
	if (subnet->state != SUBNET_NEW) {
		if (obj->term != subnet->record.term || !str_eq(obj->holder, subnet->record.holder))
			subnet_lost_term(subnet, obj->term, obj->holder);
		if (subnet->call)
			return;
		if (obj->commit != subnet->record.commit) {
			/* A write of ours that had been given up for lost. */
			subnet->reread = true;
			subnet_hard(subnet);
			return;
		}
	}
	free(subnet->version);
	subnet->version = xstrdup(obj->meta.resource_version);
	subnet->has_finalizer = api_meta_has_finalizer(&obj->meta, API_FINALIZER_IN_USE);
}

/* Everything that rests on its spec is worked out again. */
static void spec_changed(struct subnets *all)
{
	all->ranges_stale = true;
	all->ops->changed(all->ctx);
}

static void object_changed(struct subnet *subnet, const struct subnet_object *obj)
{
	bool changed = obj &&
		       (!subnet->obj || subnet->obj->meta.generation != obj->meta.generation ||
			subnet->obj->meta.deletion != obj->meta.deletion ||
			!str_eq(subnet->uid, obj->meta.uid));

	if (subnet->uid && (!obj || !str_eq(subnet->uid, obj->meta.uid))) {
		log_info("subnet is gone", "subnet", subnet->name);
		forget(subnet);
	}
	subnet->obj = obj;
	subnet->network_facts = 0;
	if (!obj) {
		spec_changed(subnet->all);
		return;
	}
	if (!subnet->uid)
		subnet->uid = xstrdup(obj->meta.uid);
	take_version(subnet, obj);
	if (!changed)
		return;
	if (obj->spec)
		subnet->delay_s = obj->spec->delay_reuse_s;
	else
		log_warn("subnet is invalid", "subnet", subnet->name, "why", obj->why.msg);
	spec_changed(subnet->all);
	subnet_soft(subnet);
}

/* Others' addresses are kept now: the numbers in each status, and who waits. */
static void reservations_changed(struct subnets *all)
{
	struct subnet *subnet;
	size_t pos = 0;

	while ((subnet = map_each(&all->by_name, &pos))) {
		subnet_soft(subnet);
		if (subnet->n_queue)
			subnet_hard(subnet);
	}
}

static void changed(void *ctx, enum cluster_kind kind, const char *key, const void *old,
		    const void *obj)
{
	const struct subnet_object *o = obj ? obj : old;
	struct subnets *all = ctx;

	(void)key;
	if (kind == CLUSTER_SUBNETS)
		object_changed(get(all, o->meta.name), obj);
	else if (kind == CLUSTER_NODES)
		all->ranges_stale = true;
	else if (!old || !obj || !api_workload_asks_eq(old, obj))
		reservations_changed(all);
}

/* ------------------------------------------------------------------------------- all of them */

static void owners_changed(void *ctx)
{
	reservations_changed(ctx);
}

static const struct cluster_listener listener = {.changed = changed};

struct subnets *subnets_new(const struct subnets_in *in)
{
	struct subnets *all = xcalloc(1, sizeof(*all));

	all->in = *in;
	cluster_listen(in->cluster,
		       CLUSTER_BIT(CLUSTER_SUBNETS) | CLUSTER_BIT(CLUSTER_NODES) |
			       CLUSTER_ALL_WORKLOADS,
		       &listener, all);
	owners_listen(in->owners, owners_changed, all);
	return all;
}

void subnets_tell(struct subnets *all, const struct subnets_ops *ops, void *ctx)
{
	all->ops = ops;
	all->ctx = ctx;
}

void subnets_free(struct subnets *all)
{
	struct subnet *subnet;
	size_t pos;

	if (!all)
		return;
	while (pos = 0, (subnet = map_each(&all->by_name, &pos)))
		subnet_free(subnet);
	map_done(&all->by_name);
	free(all);
}

struct subnet *subnets_each(const struct subnets *all, size_t *pos)
{
	return map_each(&all->by_name, pos);
}

int64_t subnets_run(struct subnets *all)
{
	struct subnet *subnet;
	int64_t next = 0;
	size_t pos = 0;

	while ((subnet = map_each(&all->by_name, &pos)))
		next = clock_earlier_ms(next, subnet_run(subnet));
	return next;
}
