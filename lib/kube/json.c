/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/json.h"

#include "lib/json/jread.h"
#include "lib/kube/mend.h"

int kube_json_parse(const char *what, char *text, size_t len, struct jdoc **out, struct err *e)
{
	kube_mend(text, len);
	return jdoc_parse(what, text, len, out, e);
}

const char *kube_json_meta(const struct jval *obj, const char *key)
{
	struct err ignored = {0};
	const char *value = NULL;
	struct jval meta;

	if (jget_obj(obj, "metadata", &meta, &ignored) != 1)
		return NULL;
	if (jget_str(&meta, key, &value, &ignored) != 1 || !*value)
		return NULL;
	return value;
}
