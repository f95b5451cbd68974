/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/copy_labels.h"

#include <string.h>

#include "api/labels.h"
#include "api/service.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"

#define KEY_MAX 317 /* a DNS name of 253, a slash, a name of 63 */

/* An item of the list: a whole key, or a beginning. */
struct item {
	const char *text;
	size_t len;
	bool is_beginning;
};

/* False at the end of the list. */
static bool next_item(const char **pos, struct item *out)
{
	const char *text = *pos;
	size_t len;

	if (!text || !*text)
		return false;
	len = strcspn(text, ",");
	*pos = text[len] ? text + len + 1 : text + len;
	*out = (struct item){text, len, len && text[len - 1] == '*'};
	if (out->is_beginning)
		out->len--;
	return true;
}

static bool is_key_text(const struct item *item)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";

	return item->len <= KEY_MAX && (item->len || item->is_beginning) &&
	       strspn(item->text, letters) >= item->len;
}

int copy_labels_check(const char *list, struct err *e)
{
	size_t len = list ? strlen(list) : 0;
	struct item item;

	if (list && (!len || list[len - 1] == ','))
		return err_set(e, ERR_CONFIG, 0, "--copy-labels: \"%.200s\" has an empty entry",
			       list);
	while (next_item(&list, &item)) {
		if (!is_key_text(&item))
			return err_set(e, ERR_CONFIG, 0,
				       "--copy-labels: \"%.*s\" is no label key, nor the beginning "
				       "of one with * at its end",
				       (int)(item.len < 200 ? item.len + item.is_beginning : 200),
				       item.text);
	}
	return 0;
}

/* By these the halves are known, and ours are told from others'. */
static bool is_ours(const char *key)
{
	return strncmp(key, "tandem-cni.io/", strlen("tandem-cni.io/")) == 0 ||
	       str_eq(key, API_LABEL_MADE_BY);
}

static bool is_named(const char *list, const char *key)
{
	struct item item;

	while (next_item(&list, &item)) {
		if (strncmp(key, item.text, item.len) == 0 && (item.is_beginning || !key[item.len]))
			return !is_ours(key);
	}
	return false;
}

/* The first from *pos on that the list names. */
static bool next_named(const char *list, const char **pos, const char **key, const char **value)
{
	while (api_labels_next(pos, key, value)) {
		if (is_named(list, *key))
			return true;
	}
	return false;
}

bool copy_labels_eq(const char *list, const char *from, const char *have)
{
	const char *key, *value;

	for (const char *pos = from; next_named(list, &pos, &key, &value);) {
		if (!str_eq(api_labels_get(have, key), value))
			return false;
	}
	for (const char *pos = have; next_named(list, &pos, &key, &value);) {
		if (!api_labels_get(from, key))
			return false;
	}
	return true;
}

void copy_labels_write(struct jw *w, const char *list, const char *from, const char *have)
{
	const char *key, *value;

	for (const char *pos = from; next_named(list, &pos, &key, &value);)
		jw_kv_str(w, key, value);
	for (const char *pos = have; next_named(list, &pos, &key, &value);) {
		if (!api_labels_get(from, key))
			jw_kv_str(w, key, NULL);
	}
}
