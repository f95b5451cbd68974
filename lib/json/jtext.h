/* SPDX-License-Identifier: Apache-2.0 */
/* White space, escapes and the decoded bytes of a string. For jscan.c and jspan.c. */
#ifndef LIB_JSON_JTEXT_H
#define LIB_JSON_JTEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a number that cJSON reads; it would take the rest for something else. */
#define JSON_NUMBER_MAX 63

static inline bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline const char *skip_space(const char *p, const char *end)
{
	while (p < end && is_space(*p))
		p++;
	return p;
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_high_surrogate(int unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static inline bool is_low_surrogate(int unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/** hex4 - the code unit of the four digits at p; -1 when they are not four digits. */
int hex4(const char *p, const char *end);

/* A string's valid text between its quotes, decoded one byte at a time. */
struct cursor {
	const char *p, *end;
	char buf[4];
	size_t i, n;
};

/** cursor_next - the next byte, 0..255; -1 at the end. */
int cursor_next(struct cursor *c);

#endif
