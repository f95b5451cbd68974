/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/largest.h"

#include <stdio.h>
#include <string.h>

#include "lib/json/jwrite.h"

static int before(const struct largest *l, size_t i, const char *name, size_t count)
{
	if (l->items[i].count != count)
		return l->items[i].count > count;
	return strcmp(l->items[i].name, name) < 0;
}

void largest_add(struct largest *l, const char *name, size_t count)
{
	size_t at = 0;

	if (!count)
		return;
	while (at < l->n && before(l, at, name, count))
		at++;
	if (at == LARGEST_MAX)
		return;
	if (l->n < LARGEST_MAX)
		l->n++;
	memmove(&l->items[at + 1], &l->items[at], (l->n - at - 1) * sizeof(l->items[0]));
	snprintf(l->items[at].name, sizeof(l->items[at].name), "%s", name);
	l->items[at].count = count;
}

char *largest_format(const struct largest *l, char buf[LARGEST_TEXT_LEN])
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < l->n; i++)
		len += (size_t)snprintf(buf + len, LARGEST_TEXT_LEN - len, "%s%.70s (%zu)",
					i ? ", " : "; largest holders: ", l->items[i].name,
					l->items[i].count);
	return buf;
}

void largest_write(struct jw *w, const struct largest *l)
{
	if (!l->n) {
		jw_kv_str(w, "holders", NULL);
		return;
	}
	jw_kv_arr(w, "holders");
	for (size_t i = 0; i < l->n; i++) {
		jw_obj(w);
		jw_kv_str(w, "name", l->items[i].name);
		jw_kv_i64(w, "count", (int64_t)l->items[i].count);
		jw_end(w);
	}
	jw_end(w);
}
