/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/rules/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/pki/digest.h"

/* More are missing than could have been lost: another subnet of that name. */
#define GAP_MAX 100000

static void span_done(struct history_span *s)
{
	free(s->subnet);
	free(s->pod);
	free(s->pod_uid);
	free(s->node);
	free(s->mac);
	free(s->record_uid);
	free(s->why);
}

void history_done(struct history *h)
{
	for (size_t i = 0; i < h->n_lines; i++) {
		free(h->lines[i].subnet);
		free(h->lines[i].text);
	}
	for (size_t i = 0; i < h->n; i++)
		span_done(&h->spans[i]);
	free(h->lines);
	free(h->spans);
	sb_done(&h->faults);
	*h = (struct history){0};
}

/* ------------------------------------------------------------------ lines */

static void add_line(struct history *h, const char *subnet, uint64_t number, const char *text)
{
	if (!(h->n_lines & (h->n_lines - 1)))
		h->lines =
			xreallocarray(h->lines, h->n_lines ? 2 * h->n_lines : 1, sizeof(*h->lines));
	h->lines[h->n_lines++] = (struct history_line){xstrdup(subnet), number, xstrdup(text)};
}

void history_add_waiting(struct history *h, const char *subnet, const struct api_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		add_line(h, subnet, api_lines_number(lines, i), lines->v[i]);
}

/* "SUBNET NUMBER LINE" */
static void add_batch_line(struct history *h, char *text, uint64_t batch)
{
	const char *subnet = strsep(&text, " "), *number = strsep(&text, " ");
	int64_t n = 0;

	if (!text || parse_i64(number, &n) < 0 || n < 0)
		sb_printf(&h->faults, "batch %" PRIu64 " has a line that is none\n", batch);
	else
		add_line(h, subnet, (uint64_t)n, text);
}

static bool follows(const char *first, const char *prev)
{
	return str_starts(first, "prev ") && str_eq(first + 5, prev);
}

static void add_batch(struct history *h, struct history_chain *chain, const struct history_batch *b)
{
	AUTO(free) char *copy = xstrdup(b->text);
	char *rest = copy, *first = strsep(&rest, "\n"), *line;

	if (chain->batch && b->number != chain->batch + 1)
		sb_printf(&h->faults, "batches are missing between %" PRIu64 " and %" PRIu64 "\n",
			  chain->batch, b->number);
	else if (chain->batch && !follows(first, chain->hash))
		sb_printf(&h->faults,
			  "batch %" PRIu64 " was changed, or the one before it: their hashes "
			  "do not fit\n",
			  b->number);
	while (rest && (line = strsep(&rest, "\n"))) {
		if (*line)
			add_batch_line(h, line, b->number);
	}
	chain->batch = b->number;
	pki_sha256_hex(b->text, strlen(b->text), chain->hash);
}

void history_add_part(struct history *h, struct history_chain *chain,
		      const struct api_journal_head *head, const struct history_batch *batches,
		      size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_batch(h, chain, &batches[i]);
	if (n && (chain->batch != head->batch || !str_eq(chain->hash, head->hash)))
		sb_printf(&h->faults,
			  "part %" PRIu64 " does not end as its head says: batch %" PRIu64
			  " was changed, or batches are missing\n",
			  head->part, head->batch);
}

/* ------------------------------------------------------------------ spans */

static int by_number(const void *a, const void *b)
{
	const struct history_line *x = a, *y = b;
	int rc = strcmp(x->subnet, y->subnet);

	if (rc)
		return rc;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void fill(char **to, const char *from)
{
	if (*from && !(*to && **to)) {
		free(*to);
		*to = xstrdup(from);
	} else if (!*to) {
		*to = xstrdup("");
	}
}

static void describe(struct history_span *s, const struct api_change *c)
{
	fill(&s->pod, c->pod);
	fill(&s->pod_uid, c->pod_uid);
	fill(&s->node, c->node);
	fill(&s->mac, c->mac);
	fill(&s->record_uid, c->record_uid);
}

/* Its place among the spans, plus one, since NULL is none. */
static size_t open_find(const struct map *open, const char *key)
{
	return (size_t)(uintptr_t)map_get(open, key);
}

static void span_end(struct history_span *s, int64_t at, const char *why)
{
	s->until = at;
	free(s->why);
	s->why = xstrdup(why);
}

static size_t span_add(struct history *h, const char *subnet, const struct api_change *c)
{
	struct history_span *s;

	if (!(h->n & (h->n - 1)))
		h->spans = xreallocarray(h->spans, h->n ? 2 * h->n : 1, sizeof(*h->spans));
	s = &h->spans[h->n++];
	*s = (struct history_span){.subnet = xstrdup(subnet), .addr = c->addr, .why = xstrdup("")};
	describe(s, c);
	return h->n;
}

/* What a map keeps as its keys outlives it. */
struct keys {
	char **v;
	size_t n;
};

static void put_open(struct map *open, struct keys *keys, char *key_take, size_t at)
{
	keys->v = xreallocarray(keys->v, keys->n + 1, sizeof(*keys->v));
	keys->v[keys->n++] = key_take;
	map_put(open, key_take, (void *)(uintptr_t)at);
}

static void replay(struct history *h, const char *subnet, const struct api_change *c,
		   struct map *open, struct keys *keys)
{
	char addr[IP_ADDR_LEN];
	AUTO(free) char *key = xasprintf("%s %s", subnet, ip_format(&c->addr, addr));
	size_t at = open_find(open, key);
	struct history_span *s = at ? &h->spans[at - 1] : NULL;

	if (c->given) {
		if (s && str_eq(s->pod_uid, c->pod_uid)) {
			describe(s, c);
			return;
		}
		if (s) {
			span_end(s, c->at, "");
			map_remove(open, key);
		}
		at = span_add(h, subnet, c);
		h->spans[at - 1].from = c->at;
		put_open(open, keys, STEAL(key), at);
		return;
	}
	/* It began before the journal does, if it was anybody's. */
	if (!s && *c->pod) {
		at = span_add(h, subnet, c);
		s = &h->spans[at - 1];
	}
	if (!s)
		return;
	describe(s, c);
	span_end(s, c->at, c->why);
	map_remove(open, key);
}

static void tell_gap(struct history *h, const struct history_line *before,
		     const struct history_line *line)
{
	uint64_t missing = line->number - before->number - 1;

	if (str_eq(before->subnet, line->subnet) && missing && missing < GAP_MAX)
		sb_printf(&h->faults,
			  "%" PRIu64
			  " changes of MacvlanSubnet %s are missing before number %" PRIu64 "\n",
			  missing, line->subnet, line->number);
}

void history_replay(struct history *h)
{
	AUTO(map_done) struct map open = {0};
	struct keys keys = {0};
	struct history_line *before = NULL;

	if (h->n_lines)
		qsort(h->lines, h->n_lines, sizeof(*h->lines), by_number);
	for (size_t i = 0; i < h->n_lines; i++) {
		struct history_line *line = &h->lines[i];
		AUTO(free) char *copy = xstrdup(line->text);
		struct api_change c;

		if (before && !by_number(before, line))
			continue;
		if (before)
			tell_gap(h, before, line);
		before = line;
		if (api_change_parse(copy, &c) < 0)
			sb_printf(&h->faults, "number %" PRIu64 " of MacvlanSubnet %s is no line\n",
				  line->number, line->subnet);
		else
			replay(h, line->subnet, &c, &open, &keys);
	}
	for (size_t i = 0; i < keys.n; i++)
		free(keys.v[i]);
	free(keys.v);
}
