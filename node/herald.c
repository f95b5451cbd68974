/* SPDX-License-Identifier: Apache-2.0 */
#include "node/herald.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

/* RFC 5227: ANNOUNCE_INTERVAL. */
#define REPEAT_MS 2000
#define APART_MS  5
#define AGAIN_MS  10000

/* After the link has come up. */
static const int64_t rounds_ms[] = {0, REPEAT_MS, 35000};

struct herald_link {
	int index;
	uint32_t changes;
	bool seen;
	bool lost;          /* its carrier went, and has not been seen since */
	int64_t started_ms; /* of the last series; 0 = none yet */
	int64_t begin_ms;   /* of the series that is going on */
	int64_t due_ms;     /* the next round of it; 0 = it is over */
	size_t round;
};

void herald_done(struct herald *h)
{
	for (size_t i = 0; i < h->n_tasks; i++)
		free(h->tasks[i].file);
	free(h->tasks);
	free(h->links);
	*h = (struct herald){0};
}

/* ------------------------------------------------------------------------------- links */

static struct herald_link *find(const struct herald *h, int index)
{
	for (size_t i = 0; i < h->n_links; i++) {
		if (h->links[i].index == index)
			return &h->links[i];
	}
	return NULL;
}

static void begin(struct herald_link *l, int64_t now_ms)
{
	l->begin_ms = now_ms;
	if (l->started_ms && l->begin_ms < l->started_ms + AGAIN_MS)
		l->begin_ms = l->started_ms + AGAIN_MS;
	l->due_ms = l->begin_ms;
	l->round = 0;
}

static void look(struct herald *h, const struct herald_seen *seen, int64_t now_ms)
{
	struct herald_link *l = find(h, seen->index);

	if (!l) {
		h->links = xreallocarray(h->links, h->n_links + 1, sizeof(*h->links));
		l = &h->links[h->n_links++];
		*l = (struct herald_link){.index = seen->index, .changes = seen->changes};
		l->lost = !seen->carrier;
	}
	l->seen = true;
	/* It may have gone and come between two looks. */
	if (l->changes != seen->changes || !seen->carrier)
		l->lost = true;
	l->changes = seen->changes;
	if (!seen->carrier)
		l->due_ms = 0;
	else if (l->lost)
		begin(l, now_ms);
	if (seen->carrier)
		l->lost = false;
}

void herald_look(struct herald *h, const struct herald_seen *seen, size_t n, int64_t now_ms)
{
	size_t to = 0;

	for (size_t i = 0; i < h->n_links; i++)
		h->links[i].seen = false;
	for (size_t i = 0; i < n; i++)
		look(h, &seen[i], now_ms);
	for (size_t i = 0; i < h->n_links; i++) {
		if (h->links[i].seen)
			h->links[to++] = h->links[i];
	}
	h->n_links = to;
}

bool herald_round(struct herald *h, int64_t now_ms, int *out_index)
{
	for (size_t i = 0; i < h->n_links; i++) {
		struct herald_link *l = &h->links[i];

		if (!l->due_ms || l->due_ms > now_ms)
			continue;
		if (l->round == 0)
			l->started_ms = l->begin_ms;
		l->round++;
		l->due_ms = l->round < ARRAY_SIZE(rounds_ms) ? l->begin_ms + rounds_ms[l->round]
							     : 0;
		*out_index = l->index;
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------------------- cards */

/* One that waits already is not sent twice. */
static void add(struct herald *h, const char *file, int parent, int64_t at_ms)
{
	for (size_t i = 0; i < h->n_tasks; i++) {
		if (h->tasks[i].parent == parent && str_eq(h->tasks[i].file, file))
			return;
	}
	h->tasks = xreallocarray(h->tasks, h->n_tasks + 1, sizeof(*h->tasks));
	h->tasks[h->n_tasks++] = (struct herald_task){xstrdup(file), parent, at_ms};
}

void herald_add(struct herald *h, const char *file, int parent, size_t i, int64_t now_ms)
{
	add(h, file, parent, now_ms + (int64_t)i * APART_MS);
}

void herald_add_new(struct herald *h, const char *file, int64_t now_ms)
{
	add(h, file, 0, now_ms + REPEAT_MS);
}

bool herald_take(struct herald *h, int64_t now_ms, struct herald_task *out)
{
	for (size_t i = 0; i < h->n_tasks; i++) {
		if (h->tasks[i].at_ms > now_ms)
			continue;
		*out = h->tasks[i];
		memmove(&h->tasks[i], &h->tasks[i + 1],
			(h->n_tasks - i - 1) * sizeof(struct herald_task));
		h->n_tasks--;
		return true;
	}
	return false;
}

int64_t herald_when(const struct herald *h)
{
	int64_t when = 0;

	for (size_t i = 0; i < h->n_links; i++) {
		if (h->links[i].due_ms && (!when || h->links[i].due_ms < when))
			when = h->links[i].due_ms;
	}
	for (size_t i = 0; i < h->n_tasks; i++) {
		if (!when || h->tasks[i].at_ms < when)
			when = h->tasks[i].at_ms;
	}
	return when;
}
