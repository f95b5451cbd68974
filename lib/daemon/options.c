/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/daemon/options.h"

#include <getopt.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/daemon/daemon.h"

#define SECONDS_MAX (30 * 86400)
#define HELP_COLUMN 35

/* Numbers for getopt_long(): a row's index comes on top. */
enum { OPT_VERSION = 256, OPT_HELP, OPT_ROW };

static int take_verbosity(const char *value, void *field)
{
	(void)field;
	return daemon_verbosity(value);
}

static const struct options_row last_rows[] = {
	{"v", "N", "4 and above also logs details", take_verbosity, 0, false},
	{"version, --help", NULL, "print and exit", NULL, 0, false},
};

/* ------------------------------------------------------------------------------- values */

int options_take_text(const char *value, void *field)
{
	*(const char **)field = value;
	return 0;
}

int options_take_bool(const char *value, void *field)
{
	if (!str_eq(value, "true") && !str_eq(value, "false"))
		return -1;
	*(bool *)field = *value == 't';
	return 0;
}

int options_take_flag(const char *value, void *field)
{
	(void)value;
	*(bool *)field = true;
	return 0;
}

int options_take_seconds(const char *value, void *field)
{
	uint32_t n = 0;

	if (daemon_seconds(value, SECONDS_MAX, &n) < 0)
		return -1;
	*(int64_t *)field = n;
	return 0;
}

int options_take_seconds_ms(const char *value, void *field)
{
	int64_t n = 0;

	if (options_take_seconds(value, &n) < 0)
		return -1;
	*(int64_t *)field = n * 1000;
	return 0;
}

/* As Kubernetes writes durations, in one unit; a bare number is seconds. */
int options_take_duration_ms(const char *value, void *field)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}};
	size_t n = strspn(value, "0123456789");
	AUTO(free) char *digits = xstrndup(value, n);
	uint32_t number = 0;

	if (parse_u32(digits, 86400000, &number) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!str_eq(value + n, units[i].unit))
			continue;
		*(int64_t *)field = number * units[i].ms;
		return 0;
	}
	return -1;
}

/* ------------------------------------------------------------------------------- --help */

static void help_row(struct sb *sb, const struct options_row *row)
{
	AUTO(free)
	char *head = xasprintf("  --%s%s%s", row->name,
			       !row->value     ? ""
			       : row->optional ? "="
					       : " ",
			       row->value ? row->value : "");
	const char *line = row->help, *end;

	sb_printf(sb, "%-*s", HELP_COLUMN, head);
	if (strlen(head) > HELP_COLUMN - 1)
		sb_printf(sb, "\n%*s", HELP_COLUMN, "");
	for (; (end = strchr(line, '\n')); line = end + 1)
		sb_printf(sb, "%.*s\n%*s", (int)(end - line), line, HELP_COLUMN, "");
	sb_printf(sb, "%s\n", line);
}

static int say_help(const struct options_program *p)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	sb_printf(&sb, "%s\n", p->about);
	for (size_t i = 0; i < p->n_rows; i++)
		help_row(&sb, &p->rows[i]);
	for (size_t i = 0; i < ARRAY_SIZE(last_rows); i++)
		help_row(&sb, &last_rows[i]);
	return daemon_say(sb_get(&sb));
}

/* ------------------------------------------------------------------------------- the parser */

static struct option long_option(const struct options_row *row, int number)
{
	int argument = !row->value     ? no_argument
		       : row->optional ? optional_argument
				       : required_argument;

	return (struct option){row->name, argument, NULL, number};
}

/* The caller frees it. */
static struct option *long_options(const struct options_program *p)
{
	struct option *all = xcalloc(p->n_rows + 4, sizeof(*all));
	size_t n = 0;

	for (; n < p->n_rows; n++)
		all[n] = long_option(&p->rows[n], OPT_ROW + (int)n);
	all[n++] = (struct option){"v", required_argument, NULL, 'v'};
	all[n++] = (struct option){"version", no_argument, NULL, OPT_VERSION};
	all[n] = (struct option){"help", no_argument, NULL, OPT_HELP};
	return all;
}

/* -1 = go on, else the exit code. */
static int take(const struct options_row *row, const char *value, void *into)
{
	if (!value)
		value = row->optional ? "true" : "";
	if (row->take(value, (char *)into + row->field) == 0)
		return -1;
	log_error("invalid value; try --help", "option", row->name, "value", value);
	return 2;
}

static int take_number(const struct options_program *p, int number, char **argv, void *into)
{
	switch (number) {
	case OPT_HELP:
		return say_help(p);
	case OPT_VERSION:
		return daemon_say_version(p->name, p->version);
	case 'v':
		return take(&last_rows[0], optarg, into);
	case '?':
		log_error("unknown option or missing value; try --help", "option",
			  argv[optind - 1]);
		return 2;
	default:
		return take(&p->rows[number - OPT_ROW], optarg, into);
	}
}

int options_parse(const struct options_program *p, int argc, char **argv, void *into)
{
	AUTO(free) struct option *all = long_options(p);
	int number, rc;

	opterr = 0;
	optind = 0; /* from the first word on, each time */
	while ((number = getopt_long(argc, argv, "v:", all, NULL)) != -1) {
		rc = take_number(p, number, argv, into);
		if (rc >= 0)
			return rc;
	}
	if (optind == argc)
		return -1;
	log_error("takes no arguments; try --help", "argument", argv[optind]);
	return 2;
}
