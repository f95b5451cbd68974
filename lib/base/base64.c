/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/base64.h"

#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

char *base64_decode(const char *s, size_t *out_len)
{
	AUTO(free) char *buf = xmalloc(strlen(s) / 4 * 3 + 4);
	unsigned int bits = 0, acc = 0, digits = 0, pads = 0;
	size_t n = 0;

	for (; *s; s++) {
		if (*s == '\r' || *s == '\n')
			continue;
		if (*s == '=') {
			pads++;
			continue;
		}
		if (value_of(*s) < 0 || pads)
			return NULL;
		acc = acc << 6 | (unsigned int)value_of(*s);
		bits += 6;
		digits++;
		if (bits >= 8) {
			bits -= 8;
			buf[n++] = (char)(acc >> bits & 0xff);
		}
	}
	if ((digits + pads) % 4 || pads > 2)
		return NULL;
	buf[n] = '\0';
	if (out_len)
		*out_len = n;
	return STEAL(buf);
}

char *base64_encode(const void *p, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = p;
	char *text = xmalloc((n + 2) / 3 * 4 + 1), *out = text;

	for (size_t i = 0; i < n; i += 3) {
		unsigned int acc = (unsigned int)in[i] << 16;

		if (i + 1 < n)
			acc |= (unsigned int)in[i + 1] << 8;
		if (i + 2 < n)
			acc |= in[i + 2];
		*out++ = digits[acc >> 18];
		*out++ = digits[acc >> 12 & 63];
		*out++ = i + 1 < n ? digits[acc >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digits[acc & 63] : '=';
	}
	*out = '\0';
	return text;
}
