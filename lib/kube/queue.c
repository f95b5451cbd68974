/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/queue.h"

#include <assert.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#define BACKOFF_FIRST_MS 250
#define BACKOFF_MAX_MS   30000

int64_t kube_queue_backoff_ms(unsigned int failures)
{
	int64_t ms;

	if (!failures)
		return 0;
	ms = (int64_t)BACKOFF_FIRST_MS << (failures < 8 ? failures - 1 : 7);
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

void kube_queue_done(struct kube_queue *q)
{
	kube_heap_done(&q->heap);
}

/* ------------------------------------------------------------------ states */

static void wait_until(struct kube_queue *q, struct kube_queue_item *item, int64_t due_ms)
{
	if (due_ms < item->not_before_ms)
		due_ms = item->not_before_ms;
	item->state = KUBE_QUEUE_WAITING;
	item->heap.at_ms = due_ms > 0 ? due_ms : 1;
	item->heap.seq = q->seq++;
	kube_heap_add(&q->heap, &item->heap);
}

static void wait_earlier(struct kube_queue *q, struct kube_queue_item *item, int64_t due_ms)
{
	if (due_ms < item->not_before_ms)
		due_ms = item->not_before_ms;
	if (due_ms < 1)
		due_ms = 1;
	/* Who is marked twice for one time keeps the place in the line. */
	if (due_ms >= item->heap.at_ms)
		return;
	item->heap.at_ms = due_ms;
	item->heap.seq = q->seq++;
	kube_heap_update(&q->heap, &item->heap);
}

static void land(struct kube_queue *q, struct kube_queue_item *item)
{
	assert(item->state == KUBE_QUEUE_IN_FLIGHT);
	item->state = KUBE_QUEUE_IDLE;
	item->checked = false;
	q->n_in_flight--;
}

static int64_t take_again(struct kube_queue_item *item)
{
	int64_t again_ms = item->again_ms;

	item->again_ms = 0;
	return again_ms;
}

/* ------------------------------------------------------------------ marks */

void kube_queue_mark(struct kube_queue *q, struct kube_queue_item *item, int64_t due_ms)
{
	if (due_ms < 1)
		due_ms = 1;
	switch (item->state) {
	case KUBE_QUEUE_IDLE:
		wait_until(q, item, due_ms);
		break;
	case KUBE_QUEUE_WAITING:
		item->checked = false;
		wait_earlier(q, item, due_ms);
		break;
	case KUBE_QUEUE_IN_FLIGHT:
		item->again_ms = clock_earlier_ms(item->again_ms, due_ms);
		break;
	}
}

void kube_queue_check(struct kube_queue *q, struct kube_queue_item *item, int64_t due_ms)
{
	if (item->state != KUBE_QUEUE_IDLE)
		return;
	wait_until(q, item, due_ms);
	item->checked = true;
}

bool kube_queue_is_check(const struct kube_queue_item *item)
{
	return item->state == KUBE_QUEUE_IN_FLIGHT && item->checked;
}

/* ------------------------------------------------------------------ looks */

static bool is_full(const struct kube_queue *q)
{
	return q->max_in_flight && q->n_in_flight >= q->max_in_flight;
}

struct kube_queue_item *kube_queue_take(struct kube_queue *q, int64_t now_ms)
{
	struct kube_queue_item *item;

	if (!q->heap.n || q->heap.at[0]->at_ms > now_ms || is_full(q))
		return NULL;
	item = CONTAINER_OF(q->heap.at[0], struct kube_queue_item, heap);
	kube_heap_remove(&q->heap, &item->heap);
	item->state = KUBE_QUEUE_IN_FLIGHT;
	item->not_before_ms = 0;
	q->n_in_flight++;
	return item;
}

static void forget(struct kube_queue *q, struct kube_queue_item *item)
{
	q->n_retrying -= item->failures > 0;
	item->failures = 0;
}

void kube_queue_finish(struct kube_queue *q, struct kube_queue_item *item)
{
	int64_t again_ms = take_again(item);

	land(q, item);
	forget(q, item);
	if (again_ms)
		wait_until(q, item, again_ms);
}

void kube_queue_later(struct kube_queue *q, struct kube_queue_item *item, int64_t due_ms)
{
	int64_t again_ms = take_again(item);

	land(q, item);
	wait_until(q, item, clock_earlier_ms(again_ms, due_ms > 0 ? due_ms : 1));
}

void kube_queue_failed(struct kube_queue *q, struct kube_queue_item *item, int64_t now_ms,
		       int64_t least_ms)
{
	int64_t pause_ms;

	take_again(item);
	land(q, item);
	q->n_retrying += !item->failures;
	item->failures++;
	pause_ms = kube_queue_backoff_ms(item->failures);
	if (q->pause_max_ms && pause_ms > q->pause_max_ms)
		pause_ms = q->pause_max_ms;
	item->not_before_ms = now_ms + (least_ms > pause_ms ? least_ms : pause_ms);
	wait_until(q, item, item->not_before_ms);
}

void kube_queue_forget(struct kube_queue *q, struct kube_queue_item *item)
{
	assert(item->state == KUBE_QUEUE_IN_FLIGHT);
	forget(q, item);
}

void kube_queue_remove(struct kube_queue *q, struct kube_queue_item *item)
{
	if (item->state == KUBE_QUEUE_WAITING)
		kube_heap_remove(&q->heap, &item->heap);
	q->n_in_flight -= item->state == KUBE_QUEUE_IN_FLIGHT;
	q->n_retrying -= item->failures > 0;
	*item = (struct kube_queue_item){0};
}

/* ------------------------------------------------------------------ what waits */

int64_t kube_queue_next_ms(const struct kube_queue *q)
{
	return q->heap.n && !is_full(q) ? q->heap.at[0]->at_ms : 0;
}

void kube_queue_gauge(const struct kube_queue *q, int64_t now_ms, struct kube_queue_gauge *out)
{
	*out = (struct kube_queue_gauge){.in_flight = q->n_in_flight, .retrying = q->n_retrying};
	for (size_t i = 0; i < q->heap.n; i++)
		out->waiting += q->heap.at[i]->at_ms <= now_ms;
	out->later = q->heap.n - out->waiting;
	if (out->waiting)
		out->oldest_ms = now_ms - q->heap.at[0]->at_ms;
}
