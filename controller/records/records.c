/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/records/records.h"

#include <stdlib.h>

#include "controller/cluster/owners.h"
#include "controller/records/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

#define CHECK_MS (10 * 60 * 1000)

/* ------------------------------------------------------------------------------- told by the subnets */

static void subnet_changed(void *ctx)
{
	records_look_unserved(ctx);
}

/* No status bears witness of these addresses any more: the records are made again. */
static void subnet_forgotten(void *ctx, struct subnet *subnet)
{
	struct records *all = ctx;
	struct entry *entry;
	size_t pos = 0;

	while ((entry = map_each(&all->by_key, &pos))) {
		if (entry->waiter.subnet != subnet || entry->waiter.step != WAITER_COMMITTED)
			continue;
		waiter_leave(&entry->waiter);
		entry->forced_anew = true;
		entry_claim(entry);
		entry_mark(entry);
	}
}

/* Who waits for an owner to be known, or for what another one kept. */
static void owners_changed(void *ctx)
{
	records_look_unserved(ctx);
}

static void subnet_reread(void *ctx, struct subnet *subnet)
{
	records_settle_inflight(ctx, subnet);
}

static const struct subnets_ops subnets_ops = {
	.changed = subnet_changed, .forgotten = subnet_forgotten, .reread = subnet_reread};

/* ------------------------------------------------------------------------------- all of them */

struct records *records_new(const struct records_in *in)
{
	struct records *all = xcalloc(1, sizeof(*all));

	all->in = *in;
	subnets_tell(in->subnets, &subnets_ops, all);
	records_listen(all);
	owners_listen(in->owners, owners_changed, all);
	return all;
}

void records_free(struct records *all)
{
	struct entry *entry;
	size_t pos;

	if (!all)
		return;
	while (pos = 0, (entry = map_each(&all->by_key, &pos)))
		entry_free(entry);
	map_done(&all->by_key);
	kube_queue_done(&all->queue);
	free(all);
}

struct entry *records_each(const struct records *all, size_t *pos)
{
	return map_each(&all->by_key, pos);
}

void records_mark_all(struct records *all)
{
	struct entry *entry;
	size_t pos = 0;

	while ((entry = map_each(&all->by_key, &pos)))
		entry_mark(entry);
}

void records_look_unserved(struct records *all)
{
	all->look_all = true;
}

void records_listed(struct records *all, bool as_leader)
{
	all->known = as_leader;
}

/* ------------------------------------------------------------------------------- running */

/* Refused before, or waiting in a subnet that may not be the same any more. */
static bool is_unserved(const struct entry *entry)
{
	const struct api_ip *rec = entry_record(entry);

	return !rec || !api_ip_is_allocated(rec) || entry->lost;
}

/* Nobody's at present: whether it is kept rests on its StatefulSet. */
static bool is_kept(const struct entry *entry)
{
	const struct api_ip *rec = entry_record(entry);

	return rec && !*rec->owner_pod_uid && (!entry->pod || api_ip_is_vacant(rec));
}

/* Something has changed that many rest on. */
static void mark_concerned(struct records *all)
{
	struct entry *entry;
	size_t pos = 0;

	if (!all->look_all && !all->look_kept)
		return;
	while ((entry = map_each(&all->by_key, &pos))) {
		if (all->look_all && (entry->held_by || (entry->pod && is_unserved(entry))))
			entry_mark(entry);
		else if (all->look_kept && is_kept(entry))
			entry_mark(entry);
	}
	all->look_all = all->look_kept = false;
}

/* A mark that was lost must not leave a pod waiting for ever: now and then each is looked at. */
static void check_all(struct records *all, int64_t now)
{
	struct entry *entry;
	size_t pos = 0;

	if (all->check_ms > now)
		return;
	if (all->check_ms) {
		while ((entry = map_each(&all->by_key, &pos)))
			kube_queue_check(&all->queue, &entry->item, now);
	}
	all->check_ms = now + CHECK_MS;
}

/* What only the check has found to do: a request, a step on the way to an address, or a time to look again at. */
static void count_lost_mark(struct records *all, const struct entry *entry)
{
	all->n_lost_marks++;
	log_warn("nobody had this looked at, though there was something to do", "record",
		 entry->key);
}

static void look(struct records *all, struct entry *entry)
{
	bool check = kube_queue_is_check(&entry->item), was_lost = entry->lost;
	enum waiter_step step = entry->waiter.step;

	entry->wake_ms = 0;
	entry_run(entry);
	if (check && (entry->call || entry->wake_ms || entry->waiter.step != step ||
		      was_lost != (entry->lost != NULL)))
		count_lost_mark(all, entry);
	if (entry->call)
		return;
	if (entry_is_idle(entry) && !entry->wake_ms && !entry->item.again_ms) {
		/* Its record may have gone while it counted as reserved. */
		entry_hold(entry, NULL);
		entry_free(entry);
	} else if (entry->wake_ms) {
		kube_queue_later(&all->queue, &entry->item, entry->wake_ms);
	} else {
		kube_queue_finish(&all->queue, &entry->item);
	}
}

int64_t records_run(struct records *all)
{
	struct kube_queue_item *item;

	if (all->in.process->phase == PHASE_RUN) {
		mark_concerned(all);
		check_all(all, clock_now_ms());
	}
	while ((item = kube_queue_take(&all->queue, clock_now_ms())))
		look(all, CONTAINER_OF(item, struct entry, item));
	return records_next_ms(all);
}

int64_t records_next_ms(const struct records *all)
{
	int64_t next = kube_queue_next_ms(&all->queue);

	return all->in.process->phase == PHASE_RUN ? clock_earlier_ms(next, all->check_ms) : next;
}

/* ------------------------------------------------------------------------------- counted */

uint64_t records_n_told(const struct records *all, enum decide_reason reason)
{
	return all->n_told[reason];
}

const struct histogram *records_granted(const struct records *all)
{
	return &all->granted;
}

uint64_t records_n_held(const struct records *all)
{
	return all->n_held;
}

uint64_t records_n_quarantined(const struct records *all)
{
	return all->n_quarantined;
}

uint64_t records_n_released(const struct records *all)
{
	return all->n_released;
}

uint64_t records_n_lost(const struct records *all, enum records_lost result)
{
	return all->n_lost[result];
}

uint64_t records_n_contradicting(const struct records *all, enum contradict kind)
{
	return all->n_contradicting[kind];
}

uint64_t records_n_lost_marks(const struct records *all)
{
	return all->n_lost_marks;
}

void records_gauge(const struct records *all, struct kube_queue_gauge *out)
{
	kube_queue_gauge(&all->queue, clock_now_ms(), out);
}
