/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a program that runs on its own: one table for the parser and for --help. */
#ifndef LIB_DAEMON_OPTIONS_H
#define LIB_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

struct options_row {
	const char *name;  /* without its dashes */
	const char *value; /* what stands for the value in --help; NULL = it takes none */
	const char *
		help; /* what it is for, with the default; lines end with \n, the last one does not */
	/* -1 if value is none that can be used; a row without value gets "" */
	int (*take)(const char *value, void *field);
	size_t field;  /* offset of what take() gets in the program's struct */
	bool optional; /* "--name" alone is "--name=true" */
};

struct options_program {
	const char *name, *version;
	const char *about; /* lines, each with its \n */
	const struct options_row *rows;
	size_t n_rows;
};

/**
 * options_parse - read the command line into the program's struct; --v, --version and --help are known to all.
 *
 * -1: go on. Else the exit code: 0 after --help and --version, 1 when those cannot be printed, 2 for what is wrong,
 * which is logged. Values are lent from argv.
 */
int options_parse(const struct options_program *p, int argc, char **argv, void *into) FN_MUST;

/* For take: what the field is stands in front. */
int options_take_text(const char *value, void *field); /* const char *: lent, whatever it is */
int options_take_bool(const char *value, void *field); /* bool: "true" or "false" */
int options_take_flag(const char *value, void *field); /* bool: true */
int options_take_seconds(const char *value,
			 void *field); /* int64_t: "30" or "30s", up to 30 days */
int options_take_seconds_ms(const char *value, void *field); /* int64_t, milliseconds: the same */
int options_take_duration_ms(const char *value,
			     void *field); /* int64_t, milliseconds: "15s", "500ms", "1m" */

#endif
