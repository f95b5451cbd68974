#include "controller/sub.h"

#include <stdio.h>
#include <string.h>

#include "controller/ent.h"
#include "controller/takeover.h"
#include "ipam/range.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/kube/client.h"
#include "lib/kube/store.h"

#define SOFT_MS 1000

struct sub *sub_find(const struct app *app, const char *name)
{
	return map_get(&app->subs, name);
}

struct sub *sub_get(struct app *app, const char *name)
{
	struct sub *sub = map_get(&app->subs, name);

	if (sub)
		return sub;
	sub = xcalloc(1, sizeof(*sub));
	sub->app = app;
	sub->name = xstrdup(name);
	sub->delay_s = API_DELAY_REUSE_DEFAULT;
	map_put(&app->subs, sub->name, sub);
	return sub;
}

void sub_free(struct sub *sub)
{
	if (!sub)
		return;
	map_remove(&sub->app->subs, sub->name);
	kube_cancel(sub->call);
	ipam_record_done(&sub->record);
	ipam_record_done(&sub->next);
	ipam_set_done(&sub->own_range);
	ipam_set_done(&sub->range);
	ipam_set_done(&sub->named);
	ipam_set_done(&sub->orphans);
	ipam_set_done(&sub->own_range6);
	ipam_set_done(&sub->range6);
	plan_list_done(&sub->releases);
	plan_list_done(&sub->drops);
	plan_list_done(&sub->adopts);
	sub_conflicts_cut(sub, sub->n_conflicts);
	free(sub->conflicts);
	free(sub->conditions);
	free(sub->queue);
	free(sub->sent);
	free(sub->wants);
	free(sub->next_summary);
	free(sub->summary);
	free(sub->uid);
	free(sub->version);
	free(sub->name);
	free(sub);
}

void sub_hard(struct sub *sub)
{
	sub->hard = true;
}

void sub_soft(struct sub *sub)
{
	if (!sub->soft_ms)
		sub->soft_ms = clock_now_ms() + SOFT_MS;
}

/* ------------------------------------------------------------------------------- waiters */

static bool older(const struct ent *a, const struct ent *b)
{
	int64_t ta = a->pod ? a->pod->meta.created : 0, tb = b->pod ? b->pod->meta.created : 0;

	return ta < tb;
}

static void insert_waiter(struct sub *sub, struct ent *ent)
{
	size_t at = sub->n_queue;

	if (sub->n_queue == sub->cap_queue) {
		sub->cap_queue = sub->cap_queue ? sub->cap_queue * 2 : 64;
		sub->queue = xreallocarray(sub->queue, sub->cap_queue, sizeof(struct ent *));
	}
	while (at > 0 && older(ent, sub->queue[at - 1]))
		at--;
	memmove(&sub->queue[at + 1], &sub->queue[at], (sub->n_queue - at) * sizeof(struct ent *));
	sub->queue[at] = ent;
	sub->n_queue++;
	ent->sub = sub;
	ent->step = ENT_QUEUED;
}

void sub_enqueue(struct sub *sub, struct ent *ent)
{
	const struct api_ip *rec = ent_record(ent);

	free(ent->want_uid);
	ent->want_uid = xstrdup(rec->meta.uid);
	insert_waiter(sub, ent);
	sub_hard(sub);
}

void sub_dequeue(struct ent *ent)
{
	struct sub *sub = ent->sub;
	size_t to = 0;

	if (ent->step != ENT_QUEUED)
		return;
	for (size_t i = 0; i < sub->n_queue; i++) {
		if (sub->queue[i] != ent)
			sub->queue[to++] = sub->queue[i];
	}
	sub->n_queue = to;
	ent->step = ENT_IDLE;
	ent->sub = NULL;
}

void sub_release(struct sub *sub, const struct ip_addr *addr, const char *uid)
{
	/* Before it has been compared with the records, what is not in one of them goes anyway. */
	if (sub->state < SUB_SETTLING || !ip_is_set(addr))
		return;
	plan_list_add(&sub->releases, addr, uid);
	sub_hard(sub);
}

void sub_doubt(struct sub *sub, const struct ip_addr *addr, const char *uid)
{
	if (sub->state >= SUB_SETTLING && ip_is_set(addr))
		plan_list_add(&sub->releases, addr, uid)->unproven = true;
}

void sub_quarantine(struct sub *sub, const struct ip_addr *addr, const char *uid, int64_t until_s)
{
	if (sub->state < SUB_SETTLING || !ip_is_set(addr))
		return;
	plan_list_add(&sub->releases, addr, uid)->quarantine_s = until_s;
	sub_hard(sub);
}

void sub_conflict(struct sub *sub, const struct ipam_conflict *c)
{
	sub->conflicts =
		xreallocarray(sub->conflicts, sub->n_conflicts + 1, sizeof(*sub->conflicts));
	sub->conflicts[sub->n_conflicts] = *c;
	sub->conflicts[sub->n_conflicts++].pod_uid = xstrdup(c->pod_uid);
	sub_hard(sub);
}

void sub_conflicts_cut(struct sub *sub, size_t n)
{
	if (n > sub->n_conflicts)
		n = sub->n_conflicts;
	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		free(sub->conflicts[i].pod_uid);
	sub->n_conflicts -= n;
	memmove(sub->conflicts, sub->conflicts + n, sub->n_conflicts * sizeof(*sub->conflicts));
}

void sub_drop(struct sub *sub, const struct ip_addr *addr, const char *uid)
{
	plan_list_add(&sub->drops, addr, uid);
	sub_soft(sub);
}

void sub_adopt(struct sub *sub, const struct ip_addr *addr, const char *uid)
{
	if (!ip_is_set(addr) || ipam_set_has(&sub->record.pool.used, addr))
		return;
	plan_list_add(&sub->adopts, addr, uid);
	sub_hard(sub);
}

/* The prefix of the subnet that the address is in; 0 when it is in none of the two. */
static uint8_t prefix_of(const struct sub *sub, const struct ip_addr *addr)
{
	const struct api_subnet *spec = sub->obj ? sub->obj->spec : NULL;

	if (!spec || !ip_is_set(addr))
		return 0;
	if (ip_net_has(&spec->v.cidr, addr))
		return spec->v.cidr.prefix;
	return ip_net_has(&spec->v6.cidr, addr) ? spec->v6.cidr.prefix : 0;
}

void sub_give(struct sub *sub, struct ent *ent, const struct plan_want *want)
{
	ent->step = ENT_COMMITTED;
	ent->sub = sub;
	ent->addr = want->addr;
	ent->addr6 = want->addr6;
	ent->mac = want->mac;
	ent->prefix = ent->lost ? ent->lost->cidr.prefix : prefix_of(sub, &want->addr);
	ent->prefix6 = ent->lost ? ent->lost->cidr6.prefix : prefix_of(sub, &want->addr6);
	ent->probe = !ent->lost &&
		     (sub->blind || ipam_set_has(&sub->record.pool.unproven, &want->addr) ||
		      ipam_set_has(&sub->record.pool.unproven, &want->addr6));
	/* The CIDR was edited meanwhile: the record goes, then the address. */
	if (!ent->prefix || (ip_is_set(&want->addr6) && !ent->prefix6))
		ent->forced_anew = true;
	ent_claim(ent);
	ent_mark(ent);
}

/* ------------------------------------------------------------------------------- the object */

/* Whatever was known is about an object that is no more. */
static void forget(struct sub *sub)
{
	size_t pos = 0;
	struct ent *ent;

	while (sub->n_queue) {
		ent = sub->queue[0];
		sub_dequeue(ent);
		ent_mark(ent);
	}
	while ((ent = map_each(&sub->app->ents, &pos))) {
		if (ent->sub != sub || ent->step != ENT_COMMITTED)
			continue;
		/* No status bears witness of this address any more: the record is made anew. */
		ent->step = ENT_IDLE;
		ent->sub = NULL;
		ent->forced_anew = true;
		ent_claim(ent);
		ent_mark(ent);
	}
	ipam_record_done(&sub->record);
	plan_list_done(&sub->releases);
	plan_list_done(&sub->drops);
	plan_list_done(&sub->adopts);
	ipam_set_done(&sub->orphans);
	sub_conflicts_cut(sub, sub->n_conflicts);
	sub->conflicts_until_s = 0;
	free(sub->conditions);
	sub->conditions = NULL;
	free(sub->summary);
	sub->summary = NULL;
	free(sub->uid);
	sub->uid = NULL;
	free(sub->version);
	sub->version = NULL;
	sub->state = SUB_NEW;
	sub->relisting = sub->reread = sub->has_finalizer = sub->hard = false;
	sub->soft_ms = sub->retry_ms = 0;
	sub->next_commit = 0;
}

static bool is_newer(const char *version, const char *than)
{
	int64_t a, b;

	return !than || parse_i64(version, &a) < 0 || parse_i64(than, &b) < 0 || a > b;
}

static void take_version(struct sub *sub, const struct subnet_obj *obj)
{
	if (!is_newer(obj->meta.resource_version, sub->version))
		return;
	if (sub->state != SUB_NEW) {
		if (obj->term != sub->record.term || !str_eq(obj->holder, sub->record.holder))
			app_lost_term(sub, obj->term, obj->holder);
		if (sub->call)
			return;
		if (obj->commit != sub->record.commit) {
			/* A write of ours that had been given up for lost. */
			sub->reread = true;
			sub_hard(sub);
			return;
		}
	}
	free(sub->version);
	sub->version = xstrdup(obj->meta.resource_version);
	sub->has_finalizer = api_meta_has_finalizer(&obj->meta, API_FINALIZER_IN_USE);
}

void sub_changed(struct sub *sub, const struct subnet_obj *obj)
{
	struct app *app = sub->app;
	bool anew = obj && (!sub->obj || sub->obj->meta.generation != obj->meta.generation ||
			    sub->obj->meta.deletion != obj->meta.deletion ||
			    !str_eq(sub->uid, obj->meta.uid));

	if (sub->uid && (!obj || !str_eq(sub->uid, obj->meta.uid))) {
		log_info("subnet is gone", "subnet", sub->name);
		forget(sub);
	}
	sub->obj = obj;
	if (!obj) {
		app->ranges_stale = app->look_all = true;
		return;
	}
	if (!sub->uid)
		sub->uid = xstrdup(obj->meta.uid);
	take_version(sub, obj);
	if (!anew)
		return;
	if (obj->spec)
		sub->delay_s = obj->spec->delay_reuse_s;
	else
		log_warn("subnet is invalid", "subnet", sub->name, "why", obj->why.msg);
	app->ranges_stale = app->reservations_stale = app->look_all = true;
	sub_soft(sub);
}

/* ------------------------------------------------------------------------------- ranges */

static struct ipam_span *spans_of(const struct api_range *ranges, size_t n)
{
	struct ipam_span *spans = xcalloc(n + 1, sizeof(*spans));

	for (size_t i = 0; i < n; i++)
		spans[i] = (struct ipam_span){ranges[i].start, ranges[i].end};
	return spans;
}

static int build_range(const struct api_subnet *s, const struct api_family *v, struct ipam_set *out,
		       struct err *e)
{
	AUTO(free) struct ipam_span *ranges = spans_of(v->ranges, v->n_ranges);
	AUTO(free) struct ipam_span *exclude = spans_of(s->exclude, s->n_exclude);
	struct ipam_range_spec spec = {
		.cidr = v->cidr,
		.gateway = v->gateway,
		.ranges = ranges,
		.n_ranges = v->n_ranges,
		.exclude = exclude,
		.n_exclude = s->n_exclude,
	};

	return ipam_range_build(&spec, out, e);
}

static bool is_dual(const struct api_subnet *s)
{
	return s && ip_is_set(&s->v6.cidr.addr);
}

const struct ipam_set *sub_range6(const struct sub *sub)
{
	return sub->obj && is_dual(sub->obj->spec) ? &sub->range6 : NULL;
}

static void own_range(struct sub *sub)
{
	const struct api_subnet *spec = sub->obj ? sub->obj->spec : NULL;
	const struct node_obj *node;
	struct err ignored;
	size_t pos = 0;

	ipam_set_done(&sub->own_range);
	ipam_set_done(&sub->own_range6);
	if (!spec)
		return;
	IGNORE(build_range(spec, &spec->v, &sub->own_range, &ignored), "checked when decoded");
	if (is_dual(spec))
		IGNORE(build_range(spec, &spec->v6, &sub->own_range6, &ignored), "likewise");
	while ((node = kube_store_each(sub->app->store[STORE_NODES], &pos, NULL))) {
		for (size_t i = 0; i < node->n_addrs; i++) {
			ipam_set_remove(&sub->own_range, &node->addrs[i]);
			ipam_set_remove(&sub->own_range6, &node->addrs[i]);
		}
	}
}

static bool one_wire(const struct sub *a, const struct sub *b)
{
	const struct api_network *na, *nb;

	if (!a->obj || !a->obj->spec || !b->obj || !b->obj->spec)
		return false;
	na = &a->obj->spec->network;
	nb = &b->obj->spec->network;
	return na->vlan == nb->vlan && str_eq(na->master, nb->master);
}

/* All that a subnet's spec allows, of both families. The caller ends it. */
static struct ipam_set whole_range(const struct sub *sub)
{
	struct ipam_set s;

	ipam_set_copy(&sub->own_range, &s);
	ipam_set_unite(&s, &sub->own_range6);
	return s;
}

/* Take away what a neighbour allows too, and say so. */
static void share_with(struct sub *sub, const struct sub *other, struct sb *told)
{
	AUTO(ipam_set_done) struct ipam_set mine = whole_range(sub);
	AUTO(ipam_set_done) struct ipam_set theirs = whole_range(other);
	size_t n = ipam_set_common(&mine, &theirs);
	char text[IP_ADDR_LEN];
	struct ip_addr first;

	if (!ipam_set_first_common(&mine, &theirs, &first))
		return;
	ipam_set_subtract(&sub->range, &theirs);
	ipam_set_subtract(&sub->range6, &theirs);
	sb_printf(told, "%s%zu with MacvlanSubnet %.60s (%s%s)", told->len ? ", " : "", n,
		  other->name, n > 1 ? "from " : "", ip_format(&first, text));
}

static void shared_range(struct sub *sub)
{
	AUTO(ipam_set_done) struct ipam_set was = sub->range;
	AUTO(ipam_set_done) struct ipam_set was6 = sub->range6;
	AUTO(sb_done) struct sb told = SB_INIT;
	struct sub *other;
	size_t pos = 0;

	ipam_set_copy(&sub->own_range, &sub->range);
	ipam_set_copy(&sub->own_range6, &sub->range6);
	while ((other = map_each(&sub->app->subs, &pos))) {
		if (other != sub && one_wire(sub, other))
			share_with(sub, other, &told);
	}
	sub->overlap[0] = '\0';
	if (told.len)
		snprintf(sub->overlap, sizeof(sub->overlap),
			 "addresses shared on the same master and VLAN, given by neither: %.250s; "
			 "set ranges that do not overlap",
			 sb_get(&told));
	if (ipam_set_eq(&was, &sub->range) && ipam_set_eq(&was6, &sub->range6))
		return;
	sub_soft(sub);
	if (sub->n_queue)
		sub_hard(sub);
}

void sub_refresh_ranges(struct app *app)
{
	struct sub *sub;
	size_t pos = 0;

	while ((sub = map_each(&app->subs, &pos)))
		own_range(sub);
	pos = 0;
	while ((sub = map_each(&app->subs, &pos)))
		shared_range(sub);
	app->ranges_stale = false;
}

int sub_check_range(const struct api_subnet *s, struct err *e)
{
	AUTO(ipam_set_done) struct ipam_set set = IPAM_SET_INIT;

	if (build_range(s, &s->v, &set, e) < 0)
		return err_wrap(e, "spec.ranges");
	ipam_set_done(&set);
	if (is_dual(s) && build_range(s, &s->v6, &set, e) < 0)
		return err_wrap(e, "spec.ipv6.ranges");
	return 0;
}

void sub_requeue(struct sub *sub, struct ent *ent)
{
	insert_waiter(sub, ent);
}
