/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/list.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jread.h"
#include "lib/kube/json.h"
#include "lib/kube/mend.h"
#include "lib/kube/path.h"
#include "lib/kube/request.h"

void kube_page_done(struct kube_page *p)
{
	free(p->next);
	free(p->version);
	*p = (struct kube_page){0};
}

char *kube_page_query(const char *selectors, unsigned int limit, const char *token)
{
	AUTO(sb_done) struct sb query = SB_INIT;

	if (selectors)
		sb_puts(&query, selectors);
	kube_query_add_number(&query, "limit", limit ? limit : KUBE_PAGE);
	kube_query_add(&query, "continue", token);
	return sb_take(&query);
}

/* The page with null for each object that cannot be read. */
static int parse(const struct kube_response *res, const struct kube_page_taker *taker,
		 struct jdoc **out, struct err *e)
{
	struct err whole = {0};

	if (!kube_response_parse(res, out, &whole))
		return 0;
	if (res->body && taker->bad &&
	    kube_mend_items(res->body, res->body_len, taker->bad, taker->ctx))
		return kube_response_parse(res, out, e);
	*e = whole;
	return -1;
}

static int take(const struct kube_page_taker *taker, const struct jval *obj, struct err *e)
{
	struct err why = {0};

	if (!taker->bad)
		return taker->item(taker->ctx, obj, e);
	/* Of what parse() has made null it has told. */
	if (!jis_null(obj) && taker->item(taker->ctx, obj, &why))
		taker->bad(taker->ctx, "(unknown)", &why);
	return 0;
}

int kube_page_read(const struct kube_response *res, const struct kube_page_taker *taker,
		   struct kube_page *out, struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root, items, obj;
	struct jiter it;
	int rc;

	if (parse(res, taker, &doc, e))
		return -1;
	root = jdoc_root(doc);
	if (jas_obj(&root, e))
		return -1;
	/* Go writes an empty list as null here and there. */
	rc = jget_arr(&root, "items", &items, e);
	if (rc < 0)
		return -1;
	if (rc) {
		it = jiter_of(&items);
		while (jiter_next(&it, &obj)) {
			if (take(taker, &obj, e))
				return -1;
		}
	}
	if (!kube_json_meta(&root, "resourceVersion"))
		return jerr(&root, "metadata", e, ERR_DECODE, "a list without resourceVersion");
	out->version = xstrdup(kube_json_meta(&root, "resourceVersion"));
	out->next = xstrdup(kube_json_meta(&root, "continue"));
	return 0;
}
