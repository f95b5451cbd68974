/* SPDX-License-Identifier: Apache-2.0 */
/* Aligned columns. Whatever a cell is given, no control character reaches the terminal. */
#ifndef KUBECTL_PRINT_TABLE_H
#define KUBECTL_PRINT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"

struct sb;

enum print_style { PRINT_PLAIN = 0, PRINT_GOOD, PRINT_WARN, PRINT_BAD, PRINT_DIM };

struct table_cell {
	char *text;
	enum print_style style;
};

struct table {
	size_t n_columns;
	struct table_cell *cells; /* row by row, the headers first */
	size_t n;
};

/** table_begin - one with these headers. End it with table_done(). */
struct table table_begin(const char *const *headers, size_t n);
void table_done(struct table *t);
DEFINE_AUTO_VALUE(struct table, table_done)

/** table_add - the next cell, row by row; NULL and "" are shown as "-". */
void table_add(struct table *t, enum print_style style, const char *text);
/** table_addf - the same, formatted. */
void table_addf(struct table *t, enum print_style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

struct table_look {
	bool colour;
	bool no_headers;
};

/** table_print - all rows; the last column is not padded. Without rows nothing at all. */
void table_print(const struct table *t, struct table_look look, struct sb *out);

/** print_clean - append text without control characters (each becomes "?"), so that it cannot steer a terminal. */
void print_clean(struct sb *out, const char *text);
/** print_styled - append text, coloured where colour says so. */
void print_styled(struct sb *out, bool colour, enum print_style style, const char *text);

#define PRINT_SPAN_LEN 24
/** print_span - seconds as kubectl shows ages: "45s", "12m", "3h20m", "5d". Returns buf. */
char *print_span(int64_t s, char buf[PRINT_SPAN_LEN]);

#endif
