/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/sb.h"

#include <string.h>

#include "lib/base/mem.h"

static void reserve(struct sb *sb, size_t more)
{
	size_t need = sb->len + more + 1;
	size_t cap = sb->cap ? sb->cap : 64;

	if (need <= sb->cap)
		return;
	while (cap < need)
		cap *= 2;
	sb->data = xrealloc(sb->data, cap);
	sb->cap = cap;
}

void sb_done(struct sb *sb)
{
	free(sb->data);
	*sb = (struct sb)SB_INIT;
}

void sb_add(struct sb *sb, const void *p, size_t n)
{
	reserve(sb, n);
	if (n)
		memcpy(sb->data + sb->len, p, n);
	sb->len += n;
	sb->data[sb->len] = '\0';
}

void sb_puts(struct sb *sb, const char *s)
{
	sb_add(sb, s, strlen(s));
}

void sb_putc(struct sb *sb, char c)
{
	sb_add(sb, &c, 1);
}

void sb_printf(struct sb *sb, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		reserve(sb, (size_t)n);
		vsnprintf(sb->data + sb->len, (size_t)n + 1, fmt, again);
		sb->len += (size_t)n;
	}
	va_end(again);
}

void sb_clear(struct sb *sb)
{
	sb->len = 0;
	if (sb->data)
		sb->data[0] = '\0';
}

const char *sb_get(const struct sb *sb)
{
	return sb->data ? sb->data : "";
}

char *sb_take(struct sb *sb)
{
	char *out = sb->data ? sb->data : xstrdup("");

	*sb = (struct sb)SB_INIT;
	return out;
}
