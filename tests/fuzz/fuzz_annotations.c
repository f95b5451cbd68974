/* The four annotations, a line each, and the same bytes as a pod's metadata. */
#include <string.h>

#include "api/annotations.h"
#include "lib/base/err.h"
#include "lib/base/mem.h"
#include "lib/json/jread.h"
#include "tests/fuzz/fuzz.h"

static void ask(const struct api_annotations *a)
{
	AUTO(api_request_done) struct api_request request = {0};
	struct err e = {0};
	size_t i;

	if (api_request_parse(a, &request, &e) < 0) {
		FUZZ_ASSERT(e.kind && e.msg[0]);
		return;
	}
	FUZZ_ASSERT(request.wanted || (!request.subnet && !request.n_ips && !request.n_macs));
	for (i = 0; i < request.n_ips; i++)
		FUZZ_ASSERT(api_request_find(&request, &request.ips[i]) >= 0);
	for (i = 0; i < api_request_entries(&request); i++) {
		FUZZ_ASSERT(request.n_macs < 2 || api_request_mac(&request, i));
		FUZZ_ASSERT(!request.n_ips || api_request_ip(&request, AF_INET, i) ||
			    api_request_ip(&request, AF_INET6, i));
	}
}

static void as_lines(char *text)
{
	char *four[API_ANNOTATIONS] = {NULL};
	struct api_annotations a;
	char *rest = text;
	size_t i;

	for (i = 0; i < API_ANNOTATIONS && rest; i++) {
		char *line = strsep(&rest, "\n");

		/* A line of "-" stands for an annotation that is not there. */
		four[i] = strcmp(line, "-") ? line : NULL;
	}
	a = api_annotations_of(four);
	ask(&a);
}

static void as_metadata(const uint8_t *data, size_t size, bool legacy)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	char *four[API_ANNOTATIONS] = {NULL};
	struct api_annotations a;
	struct err e = {0};
	struct jval root;
	size_t i;

	if (jdoc_parse("metadata", (const char *)data, size, &doc, &e) < 0)
		return;
	root = jdoc_root(doc);
	if (jis_obj(&root) && api_annotations_read_meta(&root, legacy, four, &e) == 0) {
		a = api_annotations_of(four);
		ask(&a);
	}
	for (i = 0; i < API_ANNOTATIONS; i++)
		free(four[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(free) char *text = xmemdup(data, size);

	as_lines(text);
	as_metadata(data, size, false);
	as_metadata(data, size, true);
	return 0;
}
