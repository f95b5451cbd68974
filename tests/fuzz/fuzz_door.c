/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message at the node's door. The first byte says in pieces of which size it comes, and whether it is a question or
 * an answer; what follows is its text or, by the same byte, its frame as well.
 */
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/door/frame.h"
#include "lib/door/message.h"
#include "tests/fuzz/fuzz.h"

#define ANSWER 0x80
#define FRAMED 0x40
#define PIECES 0x3f

/* What was read can be written, and is the same when it is read again. */
static void question(const char *text, size_t len)
{
	AUTO(door_request_done) struct door_request r = {.verb = DOOR_RECORD};
	AUTO(door_request_done) struct door_request again = {.verb = DOOR_RECORD};
	AUTO(sb_done) struct sb out = SB_INIT;
	AUTO(sb_done) struct sb out_again = SB_INIT;
	struct err e = {0};

	if (door_request_read(text, len, &r, &e) < 0) {
		FUZZ_ASSERT(e.kind && e.msg[0]);
		return;
	}
	FUZZ_ASSERT(*r.ns && *r.name && r.wait_ms >= 0 && r.wait_ms <= DOOR_WAIT_MAX_MS);
	door_request_write(&r, &out);
	FUZZ_ASSERT(door_request_read(out.data + DOOR_HEAD, out.len - DOOR_HEAD, &again, &e) == 0);
	door_request_write(&again, &out_again);
	FUZZ_ASSERT(out.len == out_again.len && memcmp(out.data, out_again.data, out.len) == 0);
}

static void answer(const char *text, size_t len)
{
	AUTO(door_answer_done) struct door_answer a = {0};
	struct err e = {0};

	if (door_answer_read(text, len, &a, &e) < 0)
		FUZZ_ASSERT(e.kind && e.msg[0]);
	else
		FUZZ_ASSERT(!a.found || (!a.err.kind && jis_obj(&a.object)));
}

static void message(struct door_frame *f, const struct sb *in, size_t piece, bool is_answer)
{
	const char *text;
	struct err e = {0};
	size_t len;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < in->len; at += piece) {
		size_t n = in->len - at < piece ? in->len - at : piece;

		FUZZ_ASSERT(door_frame_wants(f) > 0);
		rc = door_frame_feed(f, in->data + at, n, &e);
	}
	FUZZ_ASSERT((rc < 0) == (e.kind != ERR_NONE));
	if (rc <= 0)
		return;
	text = door_frame_text(f, &len);
	FUZZ_ASSERT(len && len <= f->max && !door_frame_wants(f));
	if (is_answer)
		answer(text, len);
	else
		question(text, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(door_frame_done) struct door_frame f = {.max = DOOR_REQUEST_MAX};
	AUTO(sb_done) struct sb in = SB_INIT;
	bool is_answer = size && data[0] & ANSWER;

	if (!size)
		return 0;
	if (is_answer)
		f.max = DOOR_ANSWER_MAX;
	if (!(data[0] & FRAMED))
		door_frame_begin(&in);
	sb_add(&in, (const char *)data + 1, size - 1);
	if (!(data[0] & FRAMED))
		door_frame_end(&in);
	message(&f, &in, (data[0] & PIECES) + 1U, is_answer);
	return 0;
}
