/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/json.h"

#include <string.h>

#include "lib/json/jread.h"

#define ESCAPED_NUL "\\u0000"

static void replace_nuls(char *text, size_t len)
{
	char *end = text + len;

	/* Escapes are taken one by one, so that "\\\\u0000" (a backslash, then text) stays. */
	for (char *p = text; (p = memchr(p, '\\', (size_t)(end - p))); p += 2) {
		if (end - p < 6)
			break;
		if (!memcmp(p, ESCAPED_NUL, 6))
			memcpy(p, "\\ufffd", 6);
	}
}

int kube_json_parse(const char *what, char *text, size_t len, struct jdoc **out, struct err *e)
{
	if (memmem(text, len, ESCAPED_NUL, strlen(ESCAPED_NUL)))
		replace_nuls(text, len);
	return jdoc_parse(what, text, len, out, e);
}

const char *kube_json_meta(const struct jval *obj, const char *key)
{
	struct err ignored = {0};
	const char *value = NULL;
	struct jval meta;

	if (jget_obj(obj, "metadata", &meta, &ignored) != 1)
		return NULL;
	if (jget_str(&meta, key, &value, &ignored) != 1 || !*value)
		return NULL;
	return value;
}
