/* SPDX-License-Identifier: Apache-2.0 */
#include "admit/span.h"

#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

struct jspan span_get(struct jspan object, const char *name)
{
	struct jspan value = {0};

	if (!object.p || !jspan_find(object, name, &value))
		return (struct jspan){0};
	value = jspan_trim(value);
	return jspan_type(value) == JTYPE_NULL ? (struct jspan){0} : value;
}

struct jspan span_at(struct jspan root, const char *const *path)
{
	for (; *path && root.p; path++)
		root = span_get(root, *path);
	return root;
}

char *span_text(struct jspan object, const char *name)
{
	struct jspan value = span_get(object, name);
	char *text = value.p ? jspan_decode(value) : NULL;

	return text ? text : xstrdup("");
}

int64_t span_number(struct jspan object, const char *name, int64_t absent)
{
	struct jspan value = span_get(object, name);
	AUTO(free) char *text = NULL;
	int64_t n;

	if (jspan_type(value) != JTYPE_NUMBER)
		return absent;
	text = xstrndup(value.p, value.len);
	return parse_i64(text, &n) == 0 ? n : absent;
}

bool span_true(struct jspan object, const char *name)
{
	struct jspan value = span_get(object, name);

	return value.len == 4 && !memcmp(value.p, "true", 4);
}

bool span_eq(struct jspan a, struct jspan b)
{
	return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}
