/* SPDX-License-Identifier: Apache-2.0 */
/* What a client of the admission webhook sends, in pieces of the size that the first byte says. */
#include "lib/httpd/request.h"
#include "tests/fuzz/fuzz.h"

static const struct http_limits limits = {.head = 2048, .body = 4096};

static enum http_parse take(struct http_parser *parser)
{
	const struct http_request *request = NULL;
	enum http_parse what = http_parser_next(parser, &request);

	if (what == HTTP_PARSE_REQUEST) {
		FUZZ_ASSERT(request->path[0] == '/' && request->body_len <= limits.body &&
			    request->n_headers <= HTTP_HEADERS_MAX);
		if (http_request_header(request, "host"))
			http_parser_wants_continue(parser);
		http_parser_release(parser);
	}
	return what;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(http_parser_free) struct http_parser *parser = http_parser_new(&limits);
	size_t piece = size ? data[0] + 1U : 1, at;

	for (at = 1; at < size; at += piece) {
		enum http_parse what;

		http_parser_feed(parser, data + at, size - at < piece ? size - at : piece);
		while ((what = take(parser)) == HTTP_PARSE_REQUEST) {}
		if (what == HTTP_PARSE_BAD) {
			FUZZ_ASSERT(http_parser_status(parser) >= 400);
			return 0;
		}
		FUZZ_ASSERT(http_parser_size(parser) <
			    4 * (limits.head + limits.body) + 4UL * 1024);
	}
	return 0;
}
