/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/served.h"

#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/request.h"

bool kube_serves(const struct kube_response *res, const char *resource)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root, list = {0}, item;
	struct err e = {0};

	if (kube_response_parse(res, &doc, &e) < 0)
		return false;
	root = jdoc_root(doc);
	if (jget_arr(&root, "resources", &list, &e) <= 0)
		return false;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		const char *name = "";

		if (jget_str(&item, "name", &name, &e) == 1 && str_eq(name, resource))
			return true;
	}
	return false;
}
