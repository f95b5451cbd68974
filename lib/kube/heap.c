#include "lib/base/mem.h"
#include "lib/kube/client_int.h"

static void place(struct kube_heap *h, size_t pos, struct kube_call *call)
{
	h->at[pos] = call;
	call->heap_pos = pos;
}

static void sift_up(struct kube_heap *h, size_t pos)
{
	struct kube_call *call = h->at[pos];

	while (pos && h->at[(pos - 1) / 2]->wake_ms > call->wake_ms) {
		place(h, pos, h->at[(pos - 1) / 2]);
		pos = (pos - 1) / 2;
	}
	place(h, pos, call);
}

static void sift_down(struct kube_heap *h, size_t pos)
{
	struct kube_call *call = h->at[pos];

	for (;;) {
		size_t child = 2 * pos + 1;

		if (child >= h->n)
			break;
		if (child + 1 < h->n && h->at[child + 1]->wake_ms < h->at[child]->wake_ms)
			child++;
		if (h->at[child]->wake_ms >= call->wake_ms)
			break;
		place(h, pos, h->at[child]);
		pos = child;
	}
	place(h, pos, call);
}

void kube_heap_add(struct kube_heap *h, struct kube_call *call)
{
	if (h->n == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 16;
		h->at = xreallocarray(h->at, h->cap, sizeof(*h->at));
	}
	place(h, h->n++, call);
	sift_up(h, call->heap_pos);
}

void kube_heap_remove(struct kube_heap *h, struct kube_call *call)
{
	size_t pos = call->heap_pos;
	struct kube_call *last = h->at[--h->n];

	if (last == call)
		return;
	place(h, pos, last);
	kube_heap_update(h, last);
}

void kube_heap_update(struct kube_heap *h, struct kube_call *call)
{
	sift_up(h, call->heap_pos);
	sift_down(h, call->heap_pos);
}
