/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/utf8.h"

/* How long a sequence is and what its second byte may be: table 3-7 of the Unicode standard. */
struct lead {
	unsigned char first, last, len, low, high;
};

static const struct lead leads[] = {
	{0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
	{0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
	{0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static size_t tail_len(const unsigned char *u, size_t left, const struct lead *l)
{
	size_t i;

	if (left < l->len || u[1] < l->low || u[1] > l->high)
		return 0;
	for (i = 2; i < l->len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	}
	return l->len;
}

size_t utf8_len(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t i;

	if (u[0] < 0x80)
		return 1;
	for (i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		if (u[0] >= leads[i].first && u[0] <= leads[i].last)
			return tail_len(u, (size_t)(end - p), &leads[i]);
	}
	return 0;
}

size_t utf8_put(unsigned int code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}
