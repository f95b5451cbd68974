/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/print/yaml.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

static void indent(struct sb *out, unsigned int depth)
{
	while (depth--)
		sb_puts(out, "  ");
}

static void quoted(struct sb *out, const char *s)
{
	struct jw w = jw_init(out);

	jw_str(&w, s);
}

/* Words that YAML 1.1 reads as something else than text. */
static bool is_word_of_yaml(const char *s)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on",
					    "off",  "null",  "y",   "n",  "~"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcasecmp(s, words[i]))
			return true;
	}
	return false;
}

static bool is_plain(const char *s)
{
	if (!isalpha((unsigned char)s[0]) || is_word_of_yaml(s))
		return false;
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("-_./", *s))
			return false;
	}
	return true;
}

/* Numbers, true, false, null. */
static void literal(const struct jval *v, struct sb *out)
{
	struct err ignored = {0};
	int64_t n = 0;
	struct jw w = jw_init(out);

	if (jis_num(v) && !jas_i64(v, JRANGE(INT64_MIN, INT64_MAX), &n, &ignored))
		jw_i64(&w, n);
	else if (jis_bool(v))
		jw_bool(&w, jtrue(v));
	else
		jw_null(&w);
}

static void yaml_value(const struct jval *v, unsigned int depth, struct sb *out);

static void yaml_members(const struct jval *v, unsigned int depth, bool inline_first,
			 struct sb *out)
{
	struct jiter it = jiter_of(v);
	struct jval item;

	while (jiter_next(&it, &item)) {
		if (!inline_first)
			indent(out, depth);
		inline_first = false;
		if (is_plain(item.key))
			sb_puts(out, item.key);
		else
			quoted(out, item.key);
		sb_putc(out, ':');
		yaml_value(&item, depth, out);
	}
}

static void yaml_elements(const struct jval *v, unsigned int depth, struct sb *out)
{
	struct jiter it = jiter_of(v);
	struct jval item;

	while (jiter_next(&it, &item)) {
		indent(out, depth);
		sb_putc(out, '-');
		if (jis_obj(&item) && jlen(&item)) {
			sb_putc(out, ' ');
			yaml_members(&item, depth + 1, true, out);
		} else {
			yaml_value(&item, jis_arr(&item) ? depth + 1 : depth, out);
		}
	}
}

/* After "key:" or "-": the rest of the line and what stands below it. */
static void yaml_value(const struct jval *v, unsigned int depth, struct sb *out)
{
	bool block = (jis_obj(v) || jis_arr(v)) && jlen(v);

	sb_puts(out, block ? "\n" : " ");
	if (block && jis_obj(v))
		yaml_members(v, depth + 1, false, out);
	else if (block)
		yaml_elements(v, depth, out);
	else if (jis_obj(v) || jis_arr(v))
		sb_puts(out, jis_obj(v) ? "{}" : "[]");
	else if (jis_str(v) && is_plain(jstr(v)))
		sb_puts(out, jstr(v));
	else if (jis_str(v))
		quoted(out, jstr(v));
	else
		literal(v, out);
	if (!block)
		sb_putc(out, '\n');
}

void print_yaml(const struct jval *v, struct sb *out)
{
	if (jis_obj(v) && jlen(v))
		yaml_members(v, 0, false, out);
	else
		yaml_elements(v, 0, out);
}

/* ------------------------------------------------------------------ JSON */

static void json_value(const struct jval *v, unsigned int depth, struct sb *out)
{
	bool is_obj = jis_obj(v), first = true;
	struct jiter it = jiter_of(v);
	struct jval item;

	if (!is_obj && !jis_arr(v)) {
		if (jis_str(v))
			quoted(out, jstr(v));
		else
			literal(v, out);
		return;
	}
	sb_putc(out, is_obj ? '{' : '[');
	while (jiter_next(&it, &item)) {
		sb_puts(out, first ? "\n" : ",\n");
		first = false;
		indent(out, 2 * (depth + 1));
		if (is_obj) {
			quoted(out, item.key);
			sb_puts(out, ": ");
		}
		json_value(&item, depth + 1, out);
	}
	if (!first) {
		sb_putc(out, '\n');
		indent(out, 2 * depth);
	}
	sb_putc(out, is_obj ? '}' : ']');
}

void print_json(const struct jval *v, struct sb *out)
{
	json_value(v, 0, out);
	sb_putc(out, '\n');
}
