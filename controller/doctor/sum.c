/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/doctor/sum.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jwrite.h"

void sum_done(struct sum *s)
{
	free(s->v);
	*s = (struct sum){0};
}

void sum_add(struct sum *s, const char *node, enum api_doctor_reason reason)
{
	if (reason == API_DOCTOR_UNTESTED)
		s->untested++;
	if (reason == API_DOCTOR_OK)
		s->ok++;
	if (!api_doctor_fails(reason))
		return;
	s->v = xreallocarray(s->v, s->failed + 1, sizeof(*s->v));
	s->v[s->failed++] = (struct sum_fail){node, reason};
}

static int by_node(const void *a, const void *b)
{
	const struct sum_fail *x = a, *y = b;

	return strcmp(x->node, y->node);
}

void sum_sort(struct sum *s)
{
	if (s->failed)
		qsort(s->v, s->failed, sizeof(*s->v), by_node);
}

char *sum_json(const struct sum *s)
{
	AUTO(sb_done) struct sb text = SB_INIT;
	struct jw w = jw_init(&text);

	if (!s->ok && !s->failed && !s->untested)
		return NULL;
	jw_obj(&w);
	jw_kv_i64(&w, "ok", (int64_t)s->ok);
	jw_kv_i64(&w, "failed", (int64_t)s->failed);
	jw_kv_i64(&w, "untested", (int64_t)s->untested);
	jw_kv_arr(&w, "failing");
	for (size_t i = 0; i < s->failed && i < SUM_NAMED; i++) {
		jw_obj(&w);
		jw_kv_str(&w, "node", s->v[i].node);
		jw_kv_str(&w, "reason", api_doctor_word(s->v[i].reason));
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&text);
}

char *sum_set(const struct sum *s)
{
	AUTO(sb_done) struct sb text = SB_INIT;

	for (size_t i = 0; i < s->failed; i++)
		sb_printf(&text, "%s %d,", s->v[i].node, (int)s->v[i].reason);
	return sb_take(&text);
}

char *sum_sentence(const struct sum *s)
{
	AUTO(sb_done) struct sb text = SB_INIT;
	size_t all = s->ok + s->failed + s->untested;

	if (!s->failed)
		return xasprintf("no node says any more that it cannot serve the subnet");
	sb_printf(&text, "%zu of %zu nodes cannot serve it: ", s->failed, all);
	for (size_t i = 0; i < s->failed && i < SUM_NAMED; i++)
		sb_printf(&text, "%s%s (%s)", i ? ", " : "", s->v[i].node,
			  api_doctor_word(s->v[i].reason));
	if (s->failed > SUM_NAMED)
		sb_printf(&text, " and %zu more", s->failed - SUM_NAMED);
	return sb_take(&text);
}
