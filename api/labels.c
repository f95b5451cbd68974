/* SPDX-License-Identifier: Apache-2.0 */
#include "api/labels.h"

#include <string.h>

#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

int api_labels_decode(const struct jval *obj, const char *key, char **out, struct err *e)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jval all, item;
	int rc = jget_obj(obj, key, &all, e);

	if (rc <= 0)
		return rc;
	for (struct jiter it = jiter_of(&all); jiter_next(&it, &item);) {
		const char *value;

		if (jas_str(&item, &value, e) < 0)
			return -1;
		if (!*item.key)
			continue;
		sb_add(&sb, item.key, strlen(item.key) + 1);
		sb_add(&sb, value, strlen(value) + 1);
	}
	if (sb.len)
		*out = sb_take(&sb);
	return 0;
}

static const char *next(const char *p)
{
	return p + strlen(p) + 1;
}

const char *api_labels_get(const char *labels, const char *key)
{
	for (const char *p = labels; p && *p; p = next(next(p))) {
		if (str_eq(p, key))
			return next(p);
	}
	return NULL;
}

bool api_labels_next(const char **pos, const char **key, const char **value)
{
	if (!*pos || !**pos)
		return false;
	*key = *pos;
	*value = next(*pos);
	*pos = next(*value);
	return true;
}

bool api_labels_have(const char *labels, const char *wanted)
{
	for (const char *p = wanted; p && *p; p = next(next(p))) {
		if (!str_eq(api_labels_get(labels, p), next(p)))
			return false;
	}
	return true;
}

bool api_labels_eq(const char *a, const char *b)
{
	while (a && b && *a && *b) {
		if (!str_eq(a, b) || !str_eq(next(a), next(b)))
			return false;
		a = next(next(a));
		b = next(next(b));
	}
	return (!a || !*a) && (!b || !*b);
}
