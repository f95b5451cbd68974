/* SPDX-License-Identifier: Apache-2.0 */
#include "services/sync.h"

#include <errno.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "services/ends.h"
#include "services/table/table.h"
#include "services/watch.h"

struct sync {
	struct sync_options o;
	struct watch *watch;
	struct table *table;
	struct ends ends;
	struct map owners; /* struct watch_entry, by the keys that it has placed */
	struct sync_numbers n;
};

int sync_new(const struct sync_options *o, struct watch *w, struct sync **out, struct err *e)
{
	AUTO(sync_free) struct sync *s = xcalloc(1, sizeof(*s));

	s->o = *o;
	s->watch = w;
	if (table_open(o->dir, &s->table, e) < 0)
		return -1;
	table_on_gone(s->table, ends_note, &s->ends);
	*out = STEAL(s);
	return 0;
}

void sync_free(struct sync *s)
{
	if (!s)
		return;
	table_free(s->table);
	ends_done(&s->ends);
	map_done(&s->owners);
	free(s);
}

/* The caller frees it. */
static char *key_of(const struct table_service *v)
{
	char ip[IP_ADDR_LEN];

	return xasprintf("%s/%u/%u/%u", ip_format(&v->at.addr, ip), v->at.port, v->proto, v->scope);
}

/* ------------------------------------------------------------------------------- placing */
static bool is_placed(const struct watch_entry *entry, const char *key)
{
	for (size_t i = 0; i < entry->n_placed; i++) {
		if (str_eq(entry->placed[i], key))
			return true;
	}
	return false;
}

static void note_placed(struct sync *s, struct watch_entry *entry, const struct table_service *v)
{
	AUTO(free) char *key = key_of(v);
	struct watch_entry *owner = map_get(&s->owners, key);
	size_t n = entry->n_placed;

	if (owner == entry && is_placed(entry, key))
		return;
	/* An address that has changed hands: the former owner's removal comes later, and finds it is not his. */
	map_remove(&s->owners, key);
	entry->placed = xreallocarray(entry->placed, n + 1, sizeof(*entry->placed));
	entry->placed_at = xreallocarray(entry->placed_at, n + 1, sizeof(*entry->placed_at));
	entry->placed[n] = STEAL(key);
	entry->placed_at[n] = *v;
	entry->placed_at[n].backends = NULL;
	map_put(&s->owners, entry->placed[n], entry);
	entry->n_placed++;
}

static void tell_failure(struct sync *s, const struct watch_entry *entry, const struct err *e)
{
	bool full = e->num == ENOSPC, conflict = e->kind == ERR_CONFLICT;

	s->n.full += full;
	s->n.conflicts += conflict;
	log_warn("a Service is not translated", "service", entry->key, "error", e->msg);
	if (entry->item.failures == 0 && (full || conflict))
		s->o.tell(s->o.ctx, full ? "ServicesMapFull" : "ServiceMadeByHand", e->msg);
}

static int place(struct sync *s, struct watch_entry *entry, const struct plan *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct err e = {0};
		bool changed = false;

		if (table_put(s->table, &p->v[i], &changed, &e) < 0) {
			tell_failure(s, entry, &e);
			rc = -1;
			continue;
		}
		s->n.written += changed;
		note_placed(s, entry, &p->v[i]);
	}
	return rc;
}

static bool plan_has(const struct plan *p, const char *key)
{
	for (size_t i = 0; i < p->n; i++) {
		AUTO(free) char *other = key_of(&p->v[i]);

		if (str_eq(other, key))
			return true;
	}
	return false;
}

static void forget(struct sync *s, struct watch_entry *entry, size_t i)
{
	if (map_get(&s->owners, entry->placed[i]) == entry)
		map_remove(&s->owners, entry->placed[i]);
	free(entry->placed[i]);
	entry->n_placed--;
	entry->placed[i] = entry->placed[entry->n_placed];
	entry->placed_at[i] = entry->placed_at[entry->n_placed];
}

static int take_away(struct sync *s, struct watch_entry *entry, const struct plan *p)
{
	int rc = 0;

	for (size_t i = entry->n_placed; i-- > 0;) {
		struct err e = {0};
		bool is_owner = map_get(&s->owners, entry->placed[i]) == entry;

		if (plan_has(p, entry->placed[i]))
			continue;
		if (is_owner && table_remove(s->table, &entry->placed_at[i], false, &e) < 0 &&
		    e.kind != ERR_CONFLICT) {
			log_warn("a Service cannot be removed", "service", entry->key, "error",
				 e.msg);
			rc = -1;
			continue;
		}
		s->n.removed += is_owner;
		forget(s, entry, i);
	}
	return rc;
}

static void step(struct sync *s, struct watch_entry *entry, int64_t now)
{
	struct kube_queue *q = watch_queue(s->watch);
	AUTO(plan_done) struct plan p = {0};
	int rc;

	watch_plan(s->watch, entry, &p);
	rc = take_away(s, entry, &p);
	if (place(s, entry, &p) < 0 || rc < 0) {
		kube_queue_failed(q, &entry->item, now, 0);
		return;
	}
	kube_queue_finish(q, &entry->item);
	watch_settle(s->watch, entry);
}

void sync_run(struct sync *s, int64_t *next_ms)
{
	struct kube_queue *q = watch_queue(s->watch);
	struct kube_queue_item *item;
	int64_t now = clock_now_ms();
	struct err e = {0};
	size_t ended = 0;

	while ((item = kube_queue_take(q, now)))
		step(s, CONTAINER_OF(item, struct watch_entry, item), now);
	if (ends_run(&s->ends, s->o.netns_dir, s->o.dir, &ended, &e) < 0)
		log_warn("UDP sockets of backends that are gone stay", "error", e.msg);
	s->n.ended += ended;
	*next_ms = kube_queue_next_ms(q);
}

/* ------------------------------------------------------------------------------- the whole */
int sync_remove_strangers(struct sync *s, struct err *e)
{
	AUTO(free) const struct table_service **all = NULL;
	size_t n = table_list(s->table, &all);

	for (size_t i = 0; i < n; i++) {
		AUTO(free) char *key = key_of(all[i]);
		struct table_service gone = *all[i];

		if (gone.flags & SVC_BY_HAND || map_get(&s->owners, key))
			continue;
		if (table_remove(s->table, &gone, false, e) < 0)
			return -1;
		s->n.removed++;
	}
	return 0;
}

void sync_numbers(const struct sync *s, struct sync_numbers *out)
{
	*out = s->n;
	out->services = s->owners.count;
}

int sync_set_state(struct sync *s, uint64_t synced_s, bool off, struct err *e)
{
	struct svc_conf conf;
	uint32_t flags;

	if (table_conf(s->table, &conf, e) < 0)
		return -1;
	flags = off ? conf.flags | SVC_CONF_OFF : conf.flags & ~(uint32_t)SVC_CONF_OFF;
	if (flags == conf.flags && synced_s == conf.synced_s)
		return 0;
	conf.flags = flags;
	conf.synced_s = synced_s;
	return table_set_conf(s->table, &conf, e);
}
