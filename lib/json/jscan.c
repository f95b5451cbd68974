/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/jscan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/json/jtext.h"
#include "lib/json/utf8.h"

/* A member's name between its quotes. */
struct name {
	const char *p;
	size_t len;
	bool escaped; /* has a backslash: compare as decoded */
};

struct scan {
	const char *what;
	const char *start, *p, *end;
	unsigned int flags;
	unsigned int depth;
	bool lax;
	char *note;         /* NULL = not wanted */
	struct name *names; /* of all objects that are open, innermost last */
	size_t n_names, cap_names;
	struct err *e;
};

static int scan_value(struct scan *s);

static int bad(struct scan *s, const char *at, const char *wrong)
{
	return err_set(s->e, ERR_DECODE, 0, "%s: %s at byte %zu", s->what, wrong,
		       (size_t)(at - s->start));
}

/* The first thing that deserves a warning. */
static void say(const struct scan *s, const char *what, const char *at)
{
	if (s->note && !*s->note)
		snprintf(s->note, JSCAN_NOTE_LEN, "%s: %s at byte %zu", s->what, what,
			 (size_t)(at - s->start));
}

/* s->p is behind "\u". */
static int scan_unicode(struct scan *s)
{
	int unit = hex4(s->p, s->end);

	if (unit < 0)
		return bad(s, s->p, "four hexadecimal digits are missing");
	if (s->flags & JSCAN_ODD_ESCAPES) {
		s->p += 4;
		return 0;
	}
	if (unit == 0)
		return bad(s, s->p, "a NUL character is not allowed");
	if (is_low_surrogate(unit))
		return bad(s, s->p, "half a surrogate pair");
	s->p += 4;
	if (!is_high_surrogate(unit))
		return 0;
	if (s->end - s->p < 6 || s->p[0] != '\\' || s->p[1] != 'u' ||
	    !is_low_surrogate(hex4(s->p + 2, s->end)))
		return bad(s, s->p - 4, "half a surrogate pair");
	s->p += 6;
	return 0;
}

/* s->p is behind the backslash. */
static int scan_escape(struct scan *s)
{
	if (s->p == s->end)
		return bad(s, s->p, "the text ends inside a string");
	if (*s->p == 'u') {
		s->p++;
		return scan_unicode(s);
	}
	if (!memchr("\"\\/bfnrt", *s->p, 8))
		return bad(s, s->p, "an unknown escape");
	s->p++;
	return 0;
}

/* s->p is at the opening quote; *out gets what is between the quotes. */
static int scan_string(struct scan *s, struct name *out)
{
	size_t n;

	out->escaped = false;
	out->p = ++s->p;
	for (;;) {
		if (s->p == s->end)
			return bad(s, s->p, "the text ends inside a string");
		if (*s->p == '"')
			break;
		if ((unsigned char)*s->p < 0x20)
			return bad(s, s->p, "a control character inside a string");
		if (*s->p == '\\') {
			out->escaped = true;
			s->p++;
			if (scan_escape(s) < 0)
				return -1;
			continue;
		}
		n = utf8_len(s->p, s->end);
		if (n == 0 && s->lax) {
			say(s, "bytes that are not UTF-8", s->p);
			n = 1;
		}
		if (n == 0)
			return bad(s, s->p, "bytes that are not UTF-8");
		s->p += n;
	}
	out->len = (size_t)(s->p - out->p);
	s->p++;
	return 0;
}

static int scan_digits(struct scan *s)
{
	if (s->p == s->end || !is_digit(*s->p))
		return bad(s, s->p, "a digit is missing");
	while (s->p < s->end && is_digit(*s->p))
		s->p++;
	return 0;
}

/* 2^53 = 9007199254740992 is the first integer that a double shares with its neighbour. */
static bool is_big(const char *digits, size_t n)
{
	static const char limit[] = "9007199254740991";

	if (n != sizeof(limit) - 1)
		return n > sizeof(limit) - 1;
	return memcmp(digits, limit, n) > 0;
}

static int scan_number(struct scan *s)
{
	const char *start = s->p;
	const char *digits, *digits_end;

	if (*s->p == '-')
		s->p++;
	digits = s->p;
	if (scan_digits(s) < 0)
		return -1;
	if (*digits == '0' && s->p - digits > 1)
		return bad(s, start, "a number with a leading zero");
	digits_end = s->p;
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (scan_digits(s) < 0)
			return -1;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (scan_digits(s) < 0)
			return -1;
	}
	if (s->p - start > JSON_NUMBER_MAX && !s->lax)
		return bad(s, start, "a number of more than 63 characters");
	if (!(s->flags & JSCAN_BIG_INTS) && s->p == digits_end &&
	    is_big(digits, (size_t)(digits_end - digits)))
		return bad(s, start, "an integer beyond 2^53");
	return 0;
}

static int scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return bad(s, s->p, "no JSON value");
	s->p += n;
	return 0;
}

static int name_cmp(const struct name *a, const struct name *b)
{
	struct cursor ca = {.p = a->p, .end = a->p + a->len};
	struct cursor cb = {.p = b->p, .end = b->p + b->len};
	size_t n = a->len < b->len ? a->len : b->len;
	int x, y;

	if (!a->escaped && !b->escaped) {
		x = memcmp(a->p, b->p, n);
		return x ? x : (a->len > b->len) - (a->len < b->len);
	}
	do {
		x = cursor_next(&ca);
		y = cursor_next(&cb);
	} while (x == y && x >= 0);
	return x - y;
}

static int name_cmp_v(const void *a, const void *b)
{
	return name_cmp(a, b);
}

static int twice(struct scan *s, const struct name *a, const struct name *b)
{
	const struct name *later = a->p > b->p ? a : b;
	char text[100];

	if (s->lax) {
		snprintf(text, sizeof(text), "a second \"%.*s\" in one object, which counts,",
			 (int)(later->len > 40 ? 40 : later->len), later->p);
		say(s, text, later->p - 1);
		return 0;
	}
	return err_set(s->e, ERR_DECODE, 0, "%s: a second \"%.*s\" in one object at byte %zu",
		       s->what, (int)(later->len > 64 ? 64 : later->len), later->p,
		       (size_t)(later->p - 1 - s->start));
}

/* The names from index first on belong to the object that has just ended. */
static int check_names(struct scan *s, size_t first)
{
	size_t n = s->n_names - first;
	struct name *v;
	size_t i, j;

	if (!n)
		return 0;
	v = s->names + first;
	s->n_names = first;
	if (n > 16) {
		qsort(v, n, sizeof(*v), name_cmp_v);
		for (i = 1; i < n; i++) {
			if (name_cmp(&v[i - 1], &v[i]) == 0 && twice(s, &v[i - 1], &v[i]) < 0)
				return -1;
		}
		return 0;
	}
	for (i = 1; i < n; i++) {
		for (j = 0; j < i; j++) {
			if (name_cmp(&v[i], &v[j]) == 0 && twice(s, &v[i], &v[j]) < 0)
				return -1;
		}
	}
	return 0;
}

static void push_name(struct scan *s, const struct name *name)
{
	if (s->n_names == s->cap_names) {
		s->cap_names = s->cap_names ? s->cap_names * 2 : 64;
		s->names = xreallocarray(s->names, s->cap_names, sizeof(*s->names));
	}
	s->names[s->n_names++] = *name;
}

/* A name, its colon and its value; s->p is where the name must begin. */
static int scan_member(struct scan *s, size_t first)
{
	struct name name;

	if (s->p == s->end || *s->p != '"')
		return bad(s, s->p, "a member's name is missing");
	if (scan_string(s, &name) < 0)
		return -1;
	if (s->n_names - first >= JSON_MAX_NAMES)
		return bad(s, name.p - 1, "too many members in one object");
	push_name(s, &name);
	s->p = skip_space(s->p, s->end);
	if (s->p == s->end || *s->p != ':')
		return bad(s, s->p, "a colon is missing");
	s->p++;
	return scan_value(s);
}

/* Behind an item: 1 a comma, so another must follow, 0 the end of the container, -1 neither. */
static int scan_next(struct scan *s, char close)
{
	s->p = skip_space(s->p, s->end);
	if (s->p == s->end)
		return bad(s, s->p, "the text ends too early");
	if (*s->p == ',') {
		s->p = skip_space(s->p + 1, s->end);
		return 1;
	}
	if (*s->p != close)
		return bad(s, s->p, "a comma is missing");
	s->p++;
	return 0;
}

static int scan_container(struct scan *s, char close)
{
	size_t first = s->n_names;
	int more = 1;

	s->p = skip_space(s->p + 1, s->end);
	if (s->p < s->end && *s->p == close) {
		s->p++;
		return 0;
	}
	while (more > 0) {
		if ((close == '}' ? scan_member(s, first) : scan_value(s)) < 0)
			return -1;
		more = scan_next(s, close);
	}
	return more < 0 ? -1 : check_names(s, first);
}

static int scan_value(struct scan *s)
{
	struct name ignored;
	int rc;

	s->p = skip_space(s->p, s->end);
	if (s->p == s->end)
		return bad(s, s->p, "the text ends too early");
	switch (*s->p) {
	case '{':
	case '[':
		if (s->depth == (s->lax ? JSON_LAX_DEPTH : JSON_MAX_DEPTH))
			return bad(s, s->p,
				   s->lax ? "more than 1000 levels" : "more than 64 levels");
		s->depth++;
		rc = scan_container(s, *s->p == '{' ? '}' : ']');
		s->depth--;
		return rc;
	case '"':
		return scan_string(s, &ignored);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		if (*s->p == '-' || is_digit(*s->p))
			return scan_number(s);
		return bad(s, s->p, "no JSON value");
	}
}

static int check(struct scan *s, struct jspan text)
{
	int rc;

	s->start = s->p = text.p ? text.p : "";
	s->end = s->start + (text.p ? text.len : 0);
	s->p = skip_space(s->p, s->end);
	if (s->p == s->end)
		return err_set(s->e, ERR_DECODE, 0, "%s: empty, JSON was expected", s->what);
	if ((s->flags & JSCAN_OBJECT) && *s->p != '{')
		return bad(s, s->p, "not a JSON object");
	rc = scan_value(s);
	free(s->names);
	if (rc < 0)
		return -1;
	s->p = skip_space(s->p, s->end);
	if (s->p != s->end)
		return bad(s, s->p, "something follows the JSON text");
	return 0;
}

int jscan_check(const char *what, struct jspan text, unsigned int flags, struct err *e)
{
	struct scan s = {.what = what, .flags = flags, .e = e};

	return check(&s, text);
}

int jscan_check_lax(const char *what, struct jspan text, char *note, struct err *e)
{
	struct scan s = {
		.what = what,
		.flags = JSCAN_BIG_INTS | JSCAN_ODD_ESCAPES,
		.lax = true,
		.note = note,
		.e = e,
	};

	if (note)
		*note = '\0';
	return check(&s, text);
}
