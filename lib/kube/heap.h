/* SPDX-License-Identifier: Apache-2.0 */
/* A binary heap of things that wait for a time; the items are embedded in their owners. */
#ifndef LIB_KUBE_HEAP_H
#define LIB_KUBE_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* Set at_ms and seq before kube_heap_add() and kube_heap_update(); pos is the heap's own. */
struct kube_heap_item {
	int64_t at_ms;
	uint64_t seq; /* decides between equal times: the lower comes first */
	size_t pos;
};

/* All zero is an empty heap. at[0] is the earliest. */
struct kube_heap {
	struct kube_heap_item **at;
	size_t n, cap;
};

/* O(log n) each. Items are lent; the array grows by doubling and never shrinks. */
void kube_heap_add(struct kube_heap *h, struct kube_heap_item *item);
/** kube_heap_remove - item must be in the heap. */
void kube_heap_remove(struct kube_heap *h, struct kube_heap_item *item);
/** kube_heap_update - at_ms or seq of an item in the heap have changed. */
void kube_heap_update(struct kube_heap *h, struct kube_heap_item *item);
/** kube_heap_done - free the array; the items are not touched. */
void kube_heap_done(struct kube_heap *h);

#endif
