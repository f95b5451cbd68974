/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/mend.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jtext.h"
#include "lib/kube/json.h"

#define ESCAPED_NUL "\\u0000"
#define MANAGED     "\"managedFields\""

/* Behind the closing quote of the string at p, or the end. */
static const char *string_end(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '"')
			return p + 1;
		if (*p == '\\' && p + 1 < end)
			p++;
	}
	return end;
}

static const char *scalar_end(const char *p, const char *end)
{
	while (p < end && !is_space(*p) && !memchr("\",:[]{}", *p, 7))
		p++;
	return p;
}

/* Behind the value at p. Brackets are counted, whatever their shape: the strict reader looks at that. */
static const char *value_end(const char *p, const char *end)
{
	size_t depth = 0;

	if (p < end && *p != '"' && *p != '{' && *p != '[')
		return scalar_end(p, end);
	while (p < end) {
		char c = *p;

		p = c == '"' ? string_end(p, end) : p + 1;
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		if (!depth)
			break;
	}
	return p;
}

/* Empty the container at p; behind its end. One that does not end stays. */
static char *hollow(char *p, char *end)
{
	size_t len = (size_t)(value_end(p, end) - p);

	if (len > 2 && p[len - 1] == (*p == '{' ? '}' : ']'))
		memset(p + 1, ' ', len - 2);
	return p + len;
}

/* Escapes are taken one by one, so that "\\\\u0000" (a backslash, then text) stays. */
static void replace_nuls(char *p, const char *end)
{
	for (; (p = memchr(p, '\\', (size_t)(end - p))); p += 2) {
		if (end - p < 6)
			break;
		if (!memcmp(p, ESCAPED_NUL, 6))
			memcpy(p, "\\ufffd", 6);
	}
}

/* p is behind a name: behind its value too, if that is an array, which is emptied. */
static char *hollow_member(char *p, char *end)
{
	char *v = p + (skip_space(p, end) - p);

	if (v == end || *v != ':')
		return p;
	v++;
	v += skip_space(v, end) - v;
	return v < end && *v == '[' ? hollow(v, end) : p;
}

/* The string at p, a name or not; behind it. */
static char *mend_string(char *p, char *end, bool nuls)
{
	char *next = p + (string_end(p, end) - p);

	if ((size_t)(next - p) == strlen(MANAGED) && !memcmp(p, MANAGED, strlen(MANAGED)))
		return hollow_member(next, end);
	if (nuls)
		replace_nuls(p, next);
	return next;
}

/* The container that begins at p; behind its bracket, or behind it all where it lies too deep. */
static char *mend_container(char *p, char *end, size_t *depth)
{
	if (*depth + 1 == JSON_MAX_DEPTH)
		return hollow(p, end);
	++*depth;
	return p + 1;
}

void kube_mend(char *text, size_t len)
{
	bool nuls = memmem(text, len, ESCAPED_NUL, strlen(ESCAPED_NUL)) != NULL;
	char *p = text, *end = text + len;
	size_t depth = 0;

	while (p < end) {
		switch (*p) {
		case '"':
			p = mend_string(p, end, nuls);
			break;
		case '{':
		case '[':
			p = mend_container(p, end, &depth);
			break;
		case '}':
		case ']':
			depth -= depth > 0;
			p++;
			break;
		default:
			p++;
		}
	}
}

/* The next member of an object, or element of an array; p is behind the last one. */
static bool next_value(const char **p, const char *end, struct jspan *out)
{
	const char *at = skip_space(*p, end);

	if (at < end && *at == ',')
		at = skip_space(at + 1, end);
	*p = value_end(at, end);
	*out = (struct jspan){at, (size_t)(*p - at)};
	return out->len > 0;
}

bool kube_mend_find(struct jspan object, const char *name, struct jspan *out)
{
	const char *p = object.p, *end = object.p + object.len;
	size_t name_len = strlen(name);
	struct jspan key, value;

	p = object.len ? skip_space(p, end) : end;
	if (p == end || *p++ != '{')
		return false;
	while (next_value(&p, end, &key)) {
		p = skip_space(p, end);
		if (p == end || *p++ != ':' || !next_value(&p, end, &value))
			return false;
		if (key.len == name_len + 2 && !memcmp(key.p + 1, name, name_len)) {
			*out = value;
			return true;
		}
	}
	return false;
}

/* Names of objects need no escapes. */
static bool word_of(struct jspan object, const char *name, char *out, size_t size)
{
	struct jspan value;

	if (!kube_mend_find(object, name, &value) || value.len < 3 || *value.p != '"' ||
	    value.p[value.len - 1] != '"' || value.len - 2 >= size)
		return false;
	for (size_t i = 0; i < value.len - 2; i++) {
		out[i] = value.p[i + 1];
		if (out[i] <= ' ' || out[i] > '~' || strchr("\\/\"", out[i]))
			return false;
	}
	out[value.len - 2] = '\0';
	return true;
}

bool kube_mend_key(struct jspan object, char out[KUBE_KEY_MAX])
{
	struct jspan meta, ignored;
	char ns[64] = "", name[254];
	size_t len;

	if (!kube_mend_find(object, "metadata", &meta) ||
	    !word_of(meta, "name", name, sizeof(name)))
		return false;
	if (kube_mend_find(meta, "namespace", &ignored) &&
	    !word_of(meta, "namespace", ns, sizeof(ns)))
		return false;
	len = strlen(ns);
	memcpy(out, ns, len);
	if (len)
		out[len++] = '/';
	memcpy(out + len, name, strlen(name) + 1);
	return true;
}

size_t kube_mend_items(char *list, size_t len,
		       void (*bad)(void *ctx, const char *key, const struct err *why), void *ctx)
{
	char *end = list + len, key[KUBE_KEY_MAX];
	struct jspan items, item;
	const char *p;
	size_t n = 0;

	if (!kube_mend_find((struct jspan){list, len}, "items", &items) || *items.p != '[')
		return 0;
	for (p = items.p + 1; next_value(&p, end, &item);) {
		AUTO(jdoc_free) struct jdoc *doc = NULL;
		char *at = list + (item.p - list);
		struct err why = {0};

		if (*at != '{' || item.len < 4 ||
		    !kube_json_parse("object", at, item.len, &doc, &why))
			continue;
		bad(ctx, kube_mend_key(item, key) ? key : "(unknown)", &why);
		memset(at, ' ', item.len);
		memcpy(at, "null", 4);
		n++;
	}
	return n;
}
