/* SPDX-License-Identifier: Apache-2.0 */
/* LabelSelector: which namespaces may use a subnet, which nodes reach it. */
#include <stdio.h>
#include <string.h>

#include "api/subnet.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

static const char *find_label(const struct api_label *labels, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(labels[i].key, key))
			return labels[i].value;
	}
	return NULL;
}

static bool term_matches(const struct api_selector_term *t, const char *value)
{
	bool in = false;

	for (size_t i = 0; value && i < t->n_values; i++)
		in |= str_eq(t->values[i], value);
	switch (t->op) {
	case API_SELECTOR_IN:
		return in;
	case API_SELECTOR_NOT_IN:
		return !in;
	case API_SELECTOR_EXISTS:
		return value != NULL;
	default:
		return value == NULL;
	}
}

bool api_selector_matches(const struct api_selector *s, const struct api_label *labels, size_t n)
{
	for (size_t i = 0; s->given && i < s->n_terms; i++) {
		if (!term_matches(&s->terms[i], find_label(labels, n, s->terms[i].key)))
			return false;
	}
	return true;
}

static void format_term(const struct api_selector_term *t, struct sb *sb)
{
	if (t->op == API_SELECTOR_ABSENT)
		sb_putc(sb, '!');
	sb_puts(sb, t->key);
	if (t->op == API_SELECTOR_EXISTS || t->op == API_SELECTOR_ABSENT)
		return;
	if (t->op == API_SELECTOR_IN && t->n_values == 1) {
		sb_printf(sb, "=%s", t->values[0]);
		return;
	}
	sb_puts(sb, t->op == API_SELECTOR_IN ? " in (" : " notin (");
	for (size_t i = 0; i < t->n_values; i++)
		sb_printf(sb, "%s%s", i ? "," : "", t->values[i]);
	sb_putc(sb, ')');
}

char *api_selector_format(const struct api_selector *s, char *buf, size_t size)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	for (size_t i = 0; i < s->n_terms; i++) {
		if (i)
			sb_putc(&sb, ',');
		format_term(&s->terms[i], &sb);
	}
	snprintf(buf, size, "%s", sb_get(&sb));
	return buf;
}
