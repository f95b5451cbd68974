/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/jtext.h"

#include <string.h>

#include "lib/json/utf8.h"

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex4(const char *p, const char *end)
{
	int code = 0;
	int i, d;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		d = hex_digit(p[i]);
		if (d < 0)
			return -1;
		code = code * 16 + d;
	}
	return code;
}

static void cursor_unescape(struct cursor *c)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	char kind = c->p[1];
	unsigned int code;

	c->i = 0;
	if (kind != 'u') {
		c->buf[0] = to[strchr(from, kind) - from];
		c->n = 1;
		c->p += 2;
		return;
	}
	code = (unsigned int)hex4(c->p + 2, c->end);
	c->p += 6;
	if (is_high_surrogate((int)code) && c->end - c->p >= 6 && c->p[0] == '\\' &&
	    c->p[1] == 'u' && is_low_surrogate(hex4(c->p + 2, c->end))) {
		code = 0x10000 + ((code - 0xd800) << 10) +
		       ((unsigned int)hex4(c->p + 2, c->end) - 0xdc00);
		c->p += 6;
	} else if (!code || is_high_surrogate((int)code) || is_low_surrogate((int)code)) {
		/* Let through with JSCAN_ODD_ESCAPES alone. */
		code = 0xfffd;
	}
	c->n = utf8_put(code, c->buf);
}

int cursor_next(struct cursor *c)
{
	if (c->i == c->n) {
		if (c->p == c->end)
			return -1;
		if (*c->p != '\\')
			return (unsigned char)*c->p++;
		cursor_unescape(c);
	}
	return (unsigned char)c->buf[c->i++];
}
