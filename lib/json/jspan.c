/* SPDX-License-Identifier: Apache-2.0 */
/* The second half of jscan.h: walking a text that has been checked. */
#include "lib/json/jscan.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/json/jtext.h"

struct jspan jspan_of(const char *s)
{
	return (struct jspan){s, s ? strlen(s) : 0};
}

struct jspan jspan_trim(struct jspan s)
{
	while (s.len && is_space(*s.p)) {
		s.p++;
		s.len--;
	}
	while (s.len && is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

enum jtype jspan_type(struct jspan s)
{
	s = jspan_trim(s);
	if (!s.len)
		return JTYPE_NONE;
	switch (*s.p) {
	case '{':
		return JTYPE_OBJECT;
	case '[':
		return JTYPE_ARRAY;
	case '"':
		return JTYPE_STRING;
	case 't':
	case 'f':
		return JTYPE_BOOL;
	case 'n':
		return JTYPE_NULL;
	default:
		return JTYPE_NUMBER;
	}
}

static const char *string_end(const char *p)
{
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
	}
	return p + 1;
}

/* The end of the valid value at p. */
static const char *value_end(const char *p, const char *end)
{
	int depth = 0;

	do {
		switch (*p) {
		case '"':
			p = string_end(p);
			break;
		case '{':
		case '[':
			depth++;
			p++;
			break;
		case '}':
		case ']':
			depth--;
			p++;
			break;
		default:
			p++;
			if (depth == 0)
				while (p < end && !is_space(*p) && !memchr(",]}", *p, 3))
					p++;
		}
	} while (depth > 0);
	return p;
}

struct jspan_iter jspan_begin(struct jspan container)
{
	enum jtype type = jspan_type(container);

	if (type != JTYPE_OBJECT && type != JTYPE_ARRAY)
		return (struct jspan_iter){NULL, NULL};
	container = jspan_trim(container);
	/* Between the brackets. */
	return (struct jspan_iter){container.p + 1, container.p + container.len - 1};
}

bool jspan_next_element(struct jspan_iter *it, struct jspan *value)
{
	const char *p = it->p;

	while (p < it->end && (is_space(*p) || *p == ','))
		p++;
	if (p == it->end)
		return false;
	it->p = value_end(p, it->end);
	*value = (struct jspan){p, (size_t)(it->p - p)};
	return true;
}

bool jspan_next_member(struct jspan_iter *it, struct jspan *key, struct jspan *value)
{
	struct jspan name;

	if (!jspan_next_element(it, &name))
		return false;
	/* Behind the name: white space, a colon, white space. */
	it->p = skip_space(it->p, it->end) + 1;
	it->p = skip_space(it->p, it->end);
	*key = name;
	return jspan_next_element(it, value);
}

static struct cursor cursor_of(struct jspan string)
{
	string = jspan_trim(string);
	return (struct cursor){.p = string.p + 1, .end = string.p + string.len - 1};
}

bool jspan_starts(struct jspan string, const char *prefix)
{
	struct cursor c;

	if (jspan_type(string) != JTYPE_STRING)
		return false;
	c = cursor_of(string);
	for (; *prefix; prefix++) {
		if (cursor_next(&c) != (unsigned char)*prefix)
			return false;
	}
	return true;
}

static int same_byte(int byte)
{
	return byte;
}

static int lower_byte(int byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte;
}

static bool is_text(struct jspan string, const char *s, int fold(int))
{
	struct cursor c;

	if (jspan_type(string) != JTYPE_STRING)
		return false;
	c = cursor_of(string);
	for (; *s; s++) {
		if (fold(cursor_next(&c)) != fold((unsigned char)*s))
			return false;
	}
	return cursor_next(&c) < 0;
}

bool jspan_is(struct jspan string, const char *s)
{
	return is_text(string, s, same_byte);
}

bool jspan_is_any(struct jspan string, const char *s)
{
	return is_text(string, s, lower_byte);
}

static bool find(struct jspan object, const char *name, int fold(int), struct jspan *value)
{
	struct jspan_iter it = jspan_begin(object);
	struct jspan key, found;
	bool any = false;

	if (jspan_type(object) != JTYPE_OBJECT)
		return false;
	/* The last one: there are others only in what jscan_check_lax() has passed. */
	while (jspan_next_member(&it, &key, &found)) {
		if (!is_text(key, name, fold))
			continue;
		*value = found;
		any = true;
	}
	return any;
}

bool jspan_find(struct jspan object, const char *name, struct jspan *value)
{
	return find(object, name, same_byte, value);
}

bool jspan_find_any(struct jspan object, const char *name, struct jspan *value)
{
	return find(object, name, same_byte, value) || find(object, name, lower_byte, value);
}

char *jspan_decode(struct jspan string)
{
	struct cursor c;
	char *out, *at;
	int byte;

	if (jspan_type(string) != JTYPE_STRING)
		return NULL;
	c = cursor_of(string);
	/* Decoded text is never longer than its source. */
	out = at = xmalloc((size_t)(c.end - c.p) + 1);
	while ((byte = cursor_next(&c)) >= 0)
		*at++ = (char)byte;
	*at = '\0';
	return out;
}
