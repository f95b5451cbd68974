/* SPDX-License-Identifier: Apache-2.0 */
/* The annotations, a line each, and the same bytes as a pod's metadata. */
#include <string.h>

#include "api/annotations.h"
#include "lib/base/err.h"
#include "lib/base/mem.h"
#include "lib/json/jread.h"
#include "tests/fuzz/fuzz.h"

static void look_at(const struct api_request *r)
{
	size_t i;

	FUZZ_ASSERT(r->wanted || (!r->subnet && !r->n_ips && !r->n_macs));
	for (i = 0; i < r->n_ips; i++)
		FUZZ_ASSERT(api_request_find(r, &r->ips[i]) >= 0);
	for (i = 0; i < api_request_entries(r); i++) {
		FUZZ_ASSERT(r->n_macs < 2 || api_request_mac(r, i));
		FUZZ_ASSERT(!r->n_ips || api_request_ip(r, AF_INET, i) ||
			    api_request_ip(r, AF_INET6, i));
	}
}

static void as_lines(char *text)
{
	AUTO(api_request_done) struct api_request request = {0};
	AUTO(api_request_done) struct api_request copy = {0};
	const char *text_of[API_ANNOTATIONS] = {NULL};
	struct err e = {0};
	char *rest = text;
	size_t i;

	for (i = 0; i < API_ANNOTATIONS && rest; i++) {
		char *line = strsep(&rest, "\n");

		/* A line of "-" stands for an annotation that is not there. */
		text_of[i] = strcmp(line, "-") ? line : NULL;
	}
	if (api_request_parse(text_of, &request, &e) < 0) {
		FUZZ_ASSERT(e.kind && e.msg[0]);
		return;
	}
	copy = api_request_copy(&request);
	look_at(&request);
	look_at(&copy);
}

static void as_metadata(const uint8_t *data, size_t size, bool legacy)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	AUTO(api_annotations_done) struct api_annotations a = {0};
	struct err e = {0};
	struct jval root;

	if (jdoc_parse("metadata", (const char *)data, size, &doc, &e) < 0)
		return;
	root = jdoc_root(doc);
	if (jis_obj(&root) && api_annotations_read_meta(&root, legacy, &a, &e) == 0) {
		FUZZ_ASSERT(!a.why || (*a.why && !a.request.wanted));
		look_at(&a.request);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(free) char *text = xmemdup(data, size);

	as_lines(text);
	as_metadata(data, size, false);
	as_metadata(data, size, true);
	return 0;
}
