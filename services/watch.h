/* SPDX-License-Identifier: Apache-2.0 */
/* The Services of the cluster, where they lead, and the LANs that cards are on, as the API server has them. */
#ifndef SERVICES_WATCH_H
#define SERVICES_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/kube/queue.h"
#include "services/plan.h"

struct kube_client;
struct watch;

/* What is known of one Service's name, or of a former one's. Kept as long as anything of it is. */
struct watch_entry {
	char *key; /* "namespace/name" */
	struct kube_queue_item item;
	const struct api_backends **own, **cards; /* lent by the stores */
	size_t n_own, n_cards;
	char **placed; /* keys of what the owner of the entry has placed; his to use */
	struct table_service *placed_at;
	size_t n_placed;
};

/** watch_new - nothing is asked yet. node: whose endpoints are local. */
struct watch *watch_new(struct kube_client *client, const char *node);
void watch_free(struct watch *w);
DEFINE_AUTO(struct watch, watch_free)

/** watch_run - begin and go on; *next_ms: when to call again, 0 = not by the clock. */
void watch_run(struct watch *w, int64_t *next_ms);

/** watch_is_complete - every list has been taken in whole. */
bool watch_is_complete(const struct watch *w);

/** watch_age_ms - since when the API server has not shown that it is there, at the worst of its lists; -1: never. */
int64_t watch_age_ms(const struct watch *w, int64_t now_ms);

/** watch_queue - entries that have changed. Lent. */
struct kube_queue *watch_queue(struct watch *w);
/** watch_mark_all - look at every entry. */
void watch_mark_all(struct watch *w);

/** watch_plan - what is to stand in the maps for that entry; nothing for a Service that is gone. */
void watch_plan(struct watch *w, const struct watch_entry *entry, struct plan *out);

/** watch_forget_placed - nothing that any entry has placed stands any more, as far as is known. */
void watch_forget_placed(struct watch *w);

/** watch_settle - the entry has been done: it is freed when nothing of it is left. */
void watch_settle(struct watch *w, struct watch_entry *entry);

#endif
