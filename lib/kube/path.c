/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/path.h"

#include <string.h>

#include "lib/base/str.h"

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static void add_escaped(struct sb *sb, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (is_unreserved(*s)) {
			sb_putc(sb, *s);
			continue;
		}
		sb_putc(sb, '%');
		sb_putc(sb, hex[c >> 4]);
		sb_putc(sb, hex[c & 15]);
	}
}

static void add_segment(struct sb *sb, const char *s)
{
	sb_putc(sb, '/');
	/* Dots are unreserved, but these two alone would walk to another object. */
	if (str_eq(s, "."))
		sb_puts(sb, "%2E");
	else if (str_eq(s, ".."))
		sb_puts(sb, "%2E%2E");
	else
		add_escaped(sb, s);
}

static void add_group(struct sb *sb, const char *group_version)
{
	const char *slash = strchr(group_version, '/');
	AUTO(sb_done) struct sb group = SB_INIT;

	if (!slash) {
		sb_puts(sb, "/api");
		add_segment(sb, group_version);
		return;
	}
	sb_add(&group, group_version, (size_t)(slash - group_version));
	sb_puts(sb, "/apis");
	add_segment(sb, sb_get(&group));
	add_segment(sb, slash + 1);
}

char *kube_path_group(const char *group_version)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	add_group(&sb, group_version);
	return sb_take(&sb);
}

char *kube_path(const char *group_version, const char *ns, const char *resource, const char *name,
		const char *subresource)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	add_group(&sb, group_version);
	if (ns) {
		sb_puts(&sb, "/namespaces");
		add_segment(&sb, ns);
	}
	add_segment(&sb, resource);
	if (name)
		add_segment(&sb, name);
	if (name && subresource)
		add_segment(&sb, subresource);
	return sb_take(&sb);
}

char *kube_path_child(const char *collection, const char *name)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	sb_puts(&sb, collection);
	add_segment(&sb, name);
	return sb_take(&sb);
}

void kube_query_add(struct sb *query, const char *key, const char *value)
{
	if (!value)
		return;
	if (query->len)
		sb_putc(query, '&');
	sb_puts(query, key);
	sb_putc(query, '=');
	add_escaped(query, value);
}

void kube_query_add_number(struct sb *query, const char *key, long long value)
{
	if (query->len)
		sb_putc(query, '&');
	sb_printf(query, "%s=%lld", key, value);
}

void kube_query_add_field(struct sb *query, const char *field, const char *value)
{
	AUTO(sb_done) struct sb selector = SB_INIT;

	sb_puts(&selector, field);
	sb_putc(&selector, '=');
	/* In a field selector a backslash escapes itself, the comma and the equals sign. */
	for (; *value; value++) {
		if (strchr("\\,=", *value))
			sb_putc(&selector, '\\');
		sb_putc(&selector, *value);
	}
	kube_query_add(query, "fieldSelector", sb_get(&selector));
}
