/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/svc_pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

/* One slice while it is being planned. */
struct bin {
	const struct api_slice *have;           /* NULL = to be made */
	const struct api_endpoint_group *group; /* NULL = of no use so far */
	const struct api_endpoint **eps;
	size_t n;
	bool dirty;
	bool alien; /* another Service's, or one's of the same name that is gone */
};

/* A wanted endpoint. */
struct item {
	uint64_t id;
	const struct api_endpoint *ep;
	const struct api_endpoint_group *group;
	bool placed;
};

struct work {
	const struct svc_pack_in *in;
	struct bin *bins;
	size_t n_bins;
	struct item *items; /* sorted by id */
	size_t n_items;
};

static int cmp_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void collect(struct work *w)
{
	const struct svc_pack_in *in = w->in;
	size_t total = 0;

	for (size_t i = 0; i < in->n_groups; i++)
		total += in->groups[i].n_eps;
	w->items = xcalloc(total + 1, sizeof(*w->items));
	for (size_t i = 0; i < in->n_groups; i++) {
		for (size_t k = 0; k < in->groups[i].n_eps; k++)
			w->items[w->n_items++] = (struct item){
				.id = api_endpoint_id(&in->groups[i].eps[k]),
				.ep = &in->groups[i].eps[k],
				.group = &in->groups[i],
			};
	}
	qsort(w->items, w->n_items, sizeof(*w->items), cmp_items);
}

static struct item *find(const struct work *w, uint64_t id)
{
	struct item key = {.id = id};

	return bsearch(&key, w->items, w->n_items, sizeof(key), cmp_items);
}

static void put(struct bin *b, struct item *item)
{
	b->eps[b->n++] = item->ep;
	item->placed = true;
}

static const struct api_endpoint_group *group_like(const struct svc_pack_in *in,
						   const struct api_slice *s)
{
	for (size_t i = 0; i < in->n_groups; i++) {
		if (in->groups[i].family == s->family && in->groups[i].ports_hash == s->ports_hash)
			return &in->groups[i];
	}
	return NULL;
}

static struct bin *add_bin(struct work *w, const struct api_slice *have)
{
	struct bin *b = &w->bins[w->n_bins++];

	b->have = have;
	b->eps = xcalloc(w->in->max, sizeof(struct api_endpoint *));
	return b;
}

/* What a slice has that is still wanted stays where it is. */
static void keep(struct work *w, const struct api_slice *s)
{
	struct bin *b = add_bin(w, s);

	b->alien = !str_eq(s->owner_uid, w->in->owner_uid);
	b->group = b->alien ? NULL : group_like(w->in, s);
	for (size_t i = 0; b->group && i < s->n_entries; i++) {
		struct item *item = find(w, s->entries[i].id);

		if (!item || item->group != b->group || item->placed || b->n == w->in->max) {
			b->dirty = true;
			continue;
		}
		b->dirty |= !api_slice_entry_is(&s->entries[i], item->ep);
		put(b, item);
	}
}

/* Slices that are written anyway are drawn together: the last ones' rest moves into the first ones. */
static void draw_together(struct work *w, const struct api_endpoint_group *g)
{
	size_t i = 0, k = w->n_bins;

	while (i < k) {
		struct bin *to = &w->bins[i], *from = k ? &w->bins[k - 1] : NULL;

		if (to->group != g || !to->dirty || to->n == w->in->max) {
			i++;
		} else if (from == to || from->group != g || !from->dirty || !from->n) {
			k--;
		} else {
			to->eps[to->n++] = from->eps[--from->n];
		}
	}
}

/* One that is written anyway and has room; NULL = none. */
static struct bin *dirty_bin(struct work *w, const struct api_endpoint_group *g)
{
	for (size_t i = 0; i < w->n_bins; i++) {
		struct bin *b = &w->bins[i];

		if (b->group == g && b->dirty && b->n && b->n < w->in->max)
			return b;
	}
	return NULL;
}

/* Of those that need not be written: the fullest that takes all n. */
static struct bin *clean_bin(struct work *w, const struct api_endpoint_group *g, size_t n)
{
	struct bin *best = NULL;

	for (size_t i = 0; i < w->n_bins; i++) {
		struct bin *b = &w->bins[i];

		if (b->group == g && !b->dirty && b->n + n <= w->in->max &&
		    (!best || b->n > best->n))
			best = b;
	}
	return best;
}

/* One that would be deleted, of the same family; else a new one. */
static struct bin *spare_bin(struct work *w, const struct api_endpoint_group *g)
{
	for (size_t i = 0; i < w->n_bins; i++) {
		struct bin *b = &w->bins[i];

		if (b->have && !b->alien && b->have->family == g->family && !b->n)
			return b;
	}
	return add_bin(w, NULL);
}

static struct bin *bin_for(struct work *w, const struct api_endpoint_group *g, size_t left)
{
	struct bin *b = dirty_bin(w, g);

	if (!b && left < w->in->max)
		b = clean_bin(w, g, left);
	if (!b)
		b = spare_bin(w, g);
	b->group = g;
	b->dirty = true;
	return b;
}

/* In the group's own order, so that the same pods always give the same slices. */
static void place_new(struct work *w, const struct api_endpoint_group *g)
{
	size_t left = 0;
	struct bin *b = NULL;

	for (size_t i = 0; i < g->n_eps; i++)
		left += !find(w, api_endpoint_id(&g->eps[i]))->placed;
	for (size_t i = 0; i < g->n_eps; i++) {
		struct item *item = find(w, api_endpoint_id(&g->eps[i]));

		if (item->placed)
			continue;
		if (!b || b->n == w->in->max)
			b = bin_for(w, g, left);
		put(b, item);
		left--;
	}
}

static bool is_taken(const struct work *w, const struct svc_pack *out, const char *name)
{
	for (size_t i = 0; i < w->in->n_have; i++) {
		if (str_eq(w->in->have[i]->meta.name, name))
			return true;
	}
	for (size_t i = 0; i < out->n; i++) {
		if (str_eq(out->ops[i].name, name))
			return true;
	}
	return false;
}

static char *new_name(const struct work *w, const struct svc_pack *out)
{
	for (unsigned int i = 0;; i++) {
		char *name = xasprintf("%s-%u", w->in->service, i);

		if (!is_taken(w, out, name))
			return name;
		free(name);
	}
}

static void emit(struct work *w, struct svc_pack *out, struct bin *b, enum svc_pack_kind kind)
{
	out->ops[out->n] = (struct svc_pack_op){
		.kind = kind,
		.name = b->have ? xstrdup(b->have->meta.name) : new_name(w, out),
		.have = b->have,
		.group = kind == SVC_PACK_DELETE ? NULL : b->group,
		.eps = STEAL(b->eps),
		.n_eps = b->n,
	};
	out->n++;
}

void svc_pack_plan(const struct svc_pack_in *in, struct svc_pack *out)
{
	struct work w = {.in = in};
	size_t max_bins;

	collect(&w);
	max_bins = in->n_have + w.n_items + 1;
	w.bins = xcalloc(max_bins, sizeof(*w.bins));
	*out = (struct svc_pack){.ops = xcalloc(max_bins, sizeof(*out->ops))};
	for (size_t i = 0; i < in->n_have; i++)
		keep(&w, in->have[i]);
	for (size_t i = 0; i < in->n_groups; i++)
		draw_together(&w, &in->groups[i]);
	for (size_t i = 0; i < in->n_groups; i++)
		place_new(&w, &in->groups[i]);
	for (size_t i = 0; i < w.n_bins; i++) {
		if (w.bins[i].n && w.bins[i].dirty)
			emit(&w, out, &w.bins[i],
			     w.bins[i].have ? SVC_PACK_UPDATE : SVC_PACK_CREATE);
	}
	for (size_t i = 0; i < w.n_bins; i++) {
		if (!w.bins[i].n)
			emit(&w, out, &w.bins[i], SVC_PACK_DELETE);
	}
	for (size_t i = 0; i < w.n_bins; i++)
		free(w.bins[i].eps);
	free(w.bins);
	free(w.items);
}

void svc_pack_done(struct svc_pack *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->ops[i].name);
		free(p->ops[i].eps);
	}
	free(p->ops);
	*p = (struct svc_pack){0};
}
