/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/print/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/utf8.h"

#define GAP 3

/* C0, DEL, and C1 as UTF-8 has it. What is not UTF-8 may be anything. */
static bool is_safe(const char *p, size_t n)
{
	unsigned char a = (unsigned char)p[0];

	if (n == 1)
		return a >= ' ' && a != 0x7f;
	return n > 1 && !(n == 2 && a == 0xc2 && (unsigned char)p[1] < 0xa0);
}

void print_clean(struct sb *out, const char *text)
{
	const char *end = text + strlen(text);

	while (text < end) {
		size_t n = utf8_len(text, end);

		if (is_safe(text, n))
			sb_add(out, text, n);
		else
			sb_putc(out, '?');
		text += n ? n : 1;
	}
}

/* Of text that is clean. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

struct table table_begin(const char *const *headers, size_t n)
{
	struct table t = {.n_columns = n};

	for (size_t i = 0; i < n; i++)
		table_add(&t, PRINT_PLAIN, headers[i]);
	return t;
}

void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i].text);
	free(t->cells);
	*t = (struct table){0};
}

void table_add(struct table *t, enum print_style style, const char *text)
{
	AUTO(sb_done) struct sb clean = SB_INIT;

	print_clean(&clean, text && *text ? text : "-");
	/* Twice as many each time that the number is a power of two. */
	if (!(t->n & (t->n - 1)))
		t->cells = xreallocarray(t->cells, t->n ? 2 * t->n : 1, sizeof(*t->cells));
	t->cells[t->n++] = (struct table_cell){sb_take(&clean), style};
}

void table_addf(struct table *t, enum print_style style, const char *fmt, ...)
{
	AUTO(free) char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	table_add(t, style, text);
}

void print_styled(struct sb *out, bool colour, enum print_style style, const char *text)
{
	static const char *const codes[] = {
		[PRINT_GOOD] = "32", [PRINT_WARN] = "33", [PRINT_BAD] = "31", [PRINT_DIM] = "2"};

	if (!colour || style == PRINT_PLAIN) {
		print_clean(out, text);
		return;
	}
	sb_printf(out, "\033[%sm", codes[style]);
	print_clean(out, text);
	sb_puts(out, "\033[0m");
}

static void print_row(const struct table *t, size_t row, const size_t *widths, bool colour,
		      struct sb *out)
{
	const struct table_cell *cells = t->cells + row * t->n_columns;

	for (size_t i = 0; i < t->n_columns; i++) {
		size_t pad = widths[i] - width(cells[i].text) + GAP;

		print_styled(out, colour, cells[i].style, cells[i].text);
		while (i + 1 < t->n_columns && pad--)
			sb_putc(out, ' ');
	}
	sb_putc(out, '\n');
}

void table_print(const struct table *t, struct table_look look, struct sb *out)
{
	AUTO(free) size_t *widths = xcalloc(t->n_columns, sizeof(*widths));
	size_t rows = t->n / t->n_columns, first = look.no_headers ? 1 : 0;

	if (rows < 2)
		return;
	for (size_t i = first * t->n_columns; i < t->n; i++) {
		size_t w = width(t->cells[i].text);

		if (w > widths[i % t->n_columns])
			widths[i % t->n_columns] = w;
	}
	for (size_t row = first; row < rows; row++)
		print_row(t, row, widths, look.colour, out);
}

char *print_span(int64_t s, char buf[PRINT_SPAN_LEN])
{
	long long n = s < 0 ? 0 : s;

	if (n < 120)
		snprintf(buf, PRINT_SPAN_LEN, "%llds", n);
	else if (n < 2 * 3600)
		snprintf(buf, PRINT_SPAN_LEN, "%lldm", n / 60);
	else if (n < 2 * 86400)
		snprintf(buf, PRINT_SPAN_LEN, "%lldh%lldm", n / 3600, n / 60 % 60);
	else
		snprintf(buf, PRINT_SPAN_LEN, "%lldd", n / 86400);
	return buf;
}
