/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "services/tool.h"

void grid_add(struct grid *g, const char *const cells[], size_t n)
{
	char **row = xcalloc(n, sizeof(*row));

	for (size_t i = 0; i < n; i++)
		row[i] = xstrdup(cells[i]);
	g->rows = xreallocarray(g->rows, g->n + 1, sizeof(*g->rows));
	g->rows[g->n++] = row;
	g->columns = n;
}

void grid_print(const struct grid *g, struct sb *out)
{
	size_t width[GRID_COLUMNS] = {0};

	for (size_t r = 0; r < g->n; r++) {
		for (size_t c = 0; c < g->columns; c++) {
			size_t n = strlen(g->rows[r][c]);

			if (n > width[c])
				width[c] = n;
		}
	}
	for (size_t r = 0; r < g->n; r++) {
		for (size_t c = 0; c + 1 < g->columns; c++)
			sb_printf(out, "%-*s  ", (int)width[c], g->rows[r][c]);
		sb_printf(out, "%s\n", g->rows[r][g->columns - 1]);
	}
}

void grid_done(struct grid *g)
{
	for (size_t r = 0; r < g->n; r++) {
		for (size_t c = 0; c < g->columns; c++)
			free(g->rows[r][c]);
		free(g->rows[r]);
	}
	free(g->rows);
	*g = (struct grid){0};
}
