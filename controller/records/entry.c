/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/records/entry.h"

#include <stdlib.h>
#include <string.h>

#include "controller/records/conflict.h"
#include "controller/records/internal.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* ------------------------------------------------------------------------------- what it has */

static const struct entry *of_holder(const struct holder *h)
{
	return CONTAINER_OF(h, struct entry, holder);
}

static bool bears(const struct holder *h, const char *uid)
{
	const struct entry *entry = of_holder(h);
	const struct api_ip *ip = entry_record(entry);

	return (ip && str_eq(ip->meta.uid, uid)) ||
	       (entry->lost && str_eq(entry->lost->meta.uid, uid));
}

/* The record that its address stands in, or will. */
static struct holder_wire wire(const struct holder *h)
{
	const struct entry *entry = of_holder(h);
	const struct api_ip *ip = entry_record(entry);

	if (!ip || !api_ip_is_allocated(ip))
		ip = entry->lost ? entry->lost : ip;
	if (!ip)
		return (struct holder_wire){0};
	return (struct holder_wire){ip->subnet, &ip->network};
}

static const struct holder_ops holder_ops = {.bears = bears, .wire = wire};

/* What it has, and the subnet that it is of; a held address counts as much as a used one. */
struct having {
	const char *subnet; /* NULL = it has nothing */
	struct ip_addr addr, addr6;
	struct mac_addr mac;
};

static struct having having_of(const struct entry *entry)
{
	const struct api_ip *ip = entry_record(entry);
	const struct waiter *w = &entry->waiter;

	if (!ip || !api_ip_is_allocated(ip))
		ip = entry->lost;
	if (ip && api_ip_is_allocated(ip))
		return (struct having){ip->subnet, ip->cidr.addr, ip->cidr6.addr, ip->mac};
	if (w->step == WAITER_COMMITTED)
		return (struct having){subnet_name(w->subnet), w->addr, w->addr6, w->mac};
	return (struct having){0};
}

static void enter(struct entry *entry, const struct having *h)
{
	AUTO(free) char *ns = xstrndup(entry->key, strcspn(entry->key, "/"));
	struct holders *all = entry->all->in.holders;

	holder_set(all, &entry->holder, &h->addr, &h->addr6, &h->mac);
	holder_count(all, &entry->holder, h->subnet, ns);
}

void entry_claim(struct entry *entry)
{
	struct having h = having_of(entry);

	enter(entry, &h);
}

void entry_hold(struct entry *entry, const char *name)
{
	struct subnets *subnets = entry->all->in.subnets;
	struct subnet *subnet;

	if (str_eq(entry->held_by, name))
		return;
	subnet = entry->held_by ? subnets_find(subnets, entry->held_by) : NULL;
	if (subnet)
		subnet_hold(subnet, -1);
	free(entry->held_by);
	entry->held_by = NULL;
	subnet = name ? subnets_find(subnets, name) : NULL;
	if (!subnet)
		return;
	entry->held_by = xstrdup(name);
	subnet_hold(subnet, 1);
	entry->all->n_held++;
}

/* ------------------------------------------------------------------------------- made and freed */

struct entry *records_find(const struct records *all, const char *key)
{
	return map_get(&all->by_key, key);
}

struct entry *entry_get(struct records *all, const char *key)
{
	struct entry *entry = map_get(&all->by_key, key);

	if (entry)
		return entry;
	entry = xcalloc(1, sizeof(*entry));
	entry->all = all;
	entry->key = xstrdup(key);
	entry->holder.ops = &holder_ops;
	entry->waiter.ops = &entry_waiter_ops;
	map_put(&all->by_key, entry->key, entry);
	return entry;
}

void entry_free(struct entry *entry)
{
	enter(entry, &(struct having){0});
	kube_queue_remove(&entry->all->queue, &entry->item);
	map_remove(&entry->all->by_key, entry->key);
	api_ip_free(entry->own);
	api_ip_free(entry->lost);
	api_ip_free(entry->good);
	api_ip_free(entry->expect);
	api_request_done(&entry->request);
	waiter_done(&entry->waiter);
	conflict_free(entry);
	free(entry->gone_uid);
	free(entry->cardless);
	free(entry->owner);
	free(entry->choice);
	free(entry->made_version);
	free(entry->end_uid);
	free(entry->look_uid);
	free(entry->held_by);
	free(entry->key);
	free(entry);
}

bool entry_is_idle(const struct entry *entry)
{
	return !entry->pod && !entry->seen && !entry->own && !entry->lost && !entry->call &&
	       entry->waiter.step == WAITER_IDLE;
}

void entry_mark(struct entry *entry)
{
	kube_queue_mark(&entry->all->queue, &entry->item, clock_now_ms());
}

void entry_wake(struct entry *entry, int64_t delay_ms)
{
	int64_t when = clock_now_ms() + delay_ms;

	if (!entry->wake_ms || when < entry->wake_ms)
		entry->wake_ms = when;
}

/* ------------------------------------------------------------------------------- its record */

/*
 * resourceVersions are said to be opaque, but they are etcd's revisions. Only used to tell which of two
 * states of one object is newer; a wrong answer costs a 409.
 */
static bool newer(const struct api_ip *a, const struct api_ip *b)
{
	int64_t va, vb;

	if (parse_i64(a->meta.resource_version, &va) < 0 ||
	    parse_i64(b->meta.resource_version, &vb) < 0)
		return false;
	return va > vb;
}

const struct api_ip *entry_record(const struct entry *entry)
{
	if (entry->own)
		return entry->own;
	if (entry->seen && entry->gone_uid && str_eq(entry->seen->meta.uid, entry->gone_uid))
		return NULL;
	return entry->seen;
}

void entry_catch_up(struct entry *entry)
{
	if (entry->own && entry->seen && !newer(entry->own, entry->seen)) {
		api_ip_free(entry->own);
		entry->own = NULL;
	}
	if (entry->gone_uid && (!entry->seen || !str_eq(entry->seen->meta.uid, entry->gone_uid))) {
		free(entry->gone_uid);
		entry->gone_uid = NULL;
	}
	entry_claim(entry);
}

void entry_set_own(struct entry *entry, struct api_ip *own)
{
	const struct api_ip *was = entry_record(entry);

	if (!own && was) {
		free(entry->gone_uid);
		entry->gone_uid = xstrdup(was->meta.uid);
	}
	api_ip_free(entry->own);
	entry->own = own;
	entry_catch_up(entry);
}

/* ------------------------------------------------------------------------------- what others may know */

const char *entry_key(const struct entry *entry)
{
	return entry->key;
}

const struct api_pod *entry_pod(const struct entry *entry)
{
	return entry->pod;
}

const struct holder *entry_holder(const struct entry *entry)
{
	return &entry->holder;
}

const struct api_ip *entry_home(const struct entry *entry)
{
	const struct api_ip *ip = entry_record(entry);

	ip = ip ? ip : entry->lost;
	return ip && ip->subnet ? ip : NULL;
}

/* What has been edited is published as it stood: it is being put back. */
const struct api_ip *entry_address(const struct entry *entry)
{
	const struct api_ip *rec = entry->good ? entry->good : entry->seen;

	if (!entry->pod || entry->unreadable || !rec || !api_ip_is_allocated(rec) ||
	    !str_eq(rec->pod_id, entry->pod->meta.uid) || entry->pod->host_network ||
	    api_pod_is_over(entry->pod))
		return NULL;
	return rec;
}

const struct api_ip *entry_card(const struct entry *entry)
{
	const struct api_ip *rec = entry_address(entry);

	if (!rec)
		return NULL;
	/* What has been put back for a moment has no status of its own. */
	switch (entry->seen ? entry->seen->phase : rec->phase) {
	case API_IP_ATTACHED:
		return rec;
	case API_IP_MISSING:
	case API_IP_CONFLICT:
		return NULL;
	default:
		return entry->all->in.opt->attached_by_pod_ip && entry->pod->has_ip ? rec : NULL;
	}
}
