/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/subnets/waiter.h"

#include <stdlib.h>
#include <string.h>

#include "controller/subnets/internal.h"
#include "lib/base/mem.h"

static void insert(struct subnet *subnet, struct waiter *w)
{
	size_t at = subnet->n_queue;

	if (subnet->n_queue == subnet->cap_queue) {
		subnet->cap_queue = subnet->cap_queue ? subnet->cap_queue * 2 : 64;
		subnet->queue =
			xreallocarray(subnet->queue, subnet->cap_queue, sizeof(struct waiter *));
	}
	while (at > 0 && w->since < subnet->queue[at - 1]->since)
		at--;
	memmove(&subnet->queue[at + 1], &subnet->queue[at],
		(subnet->n_queue - at) * sizeof(struct waiter *));
	subnet->queue[at] = w;
	subnet->n_queue++;
	w->subnet = subnet;
	w->step = WAITER_QUEUED;
}

static void set_record(struct waiter *w, const char *uid)
{
	char *copy = xstrdup(uid);

	free(w->record_uid);
	w->record_uid = copy;
}

void waiter_enqueue(struct waiter *w, struct subnet *subnet, const char *record_uid, int64_t since)
{
	set_record(w, record_uid);
	w->since = since;
	w->in_vain = false;
	insert(subnet, w);
	subnet_hard(subnet);
}

void subnet_requeue(struct subnet *subnet, struct waiter *w)
{
	insert(subnet, w);
}

void waiter_dequeue(struct waiter *w)
{
	struct subnet *subnet = w->subnet;
	size_t to = 0;

	if (w->step != WAITER_QUEUED)
		return;
	for (size_t i = 0; i < subnet->n_queue; i++) {
		if (subnet->queue[i] != w)
			subnet->queue[to++] = subnet->queue[i];
	}
	subnet->n_queue = to;
	waiter_leave(w);
}

void waiter_hold(struct waiter *w, struct subnet *subnet, const struct plan_want *want)
{
	set_record(w, want->record_uid);
	w->step = WAITER_COMMITTED;
	w->subnet = subnet;
	w->addr = want->addr;
	w->addr6 = want->addr6;
	w->mac = want->mac;
}

void waiter_grant(struct waiter *w, struct subnet *subnet, const struct plan_want *want)
{
	waiter_hold(w, subnet, want);
	w->ops->granted(w);
}

void waiter_leave(struct waiter *w)
{
	w->step = WAITER_IDLE;
	w->subnet = NULL;
}

void waiter_done(struct waiter *w)
{
	free(w->record_uid);
	w->record_uid = NULL;
}
