/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/heap.h"

#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/mem.h"

static bool is_before(const struct kube_heap_item *a, const struct kube_heap_item *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

static void place(struct kube_heap *h, size_t pos, struct kube_heap_item *item)
{
	h->at[pos] = item;
	item->pos = pos;
}

static void sift_up(struct kube_heap *h, size_t pos)
{
	struct kube_heap_item *item = h->at[pos];

	while (pos && is_before(item, h->at[(pos - 1) / 2])) {
		place(h, pos, h->at[(pos - 1) / 2]);
		pos = (pos - 1) / 2;
	}
	place(h, pos, item);
}

static void sift_down(struct kube_heap *h, size_t pos)
{
	struct kube_heap_item *item = h->at[pos];

	for (;;) {
		size_t child = 2 * pos + 1;

		if (child >= h->n)
			break;
		if (child + 1 < h->n && is_before(h->at[child + 1], h->at[child]))
			child++;
		if (!is_before(h->at[child], item))
			break;
		place(h, pos, h->at[child]);
		pos = child;
	}
	place(h, pos, item);
}

void kube_heap_add(struct kube_heap *h, struct kube_heap_item *item)
{
	if (h->n == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 16;
		h->at = xreallocarray(h->at, h->cap, sizeof(struct kube_heap_item *));
	}
	place(h, h->n++, item);
	sift_up(h, item->pos);
}

void kube_heap_remove(struct kube_heap *h, struct kube_heap_item *item)
{
	size_t pos = item->pos;
	struct kube_heap_item *last = h->at[--h->n];

	if (last == item)
		return;
	place(h, pos, last);
	kube_heap_update(h, last);
}

void kube_heap_update(struct kube_heap *h, struct kube_heap_item *item)
{
	sift_up(h, item->pos);
	sift_down(h, item->pos);
}

void kube_heap_done(struct kube_heap *h)
{
	free(h->at);
	*h = (struct kube_heap){0};
}
