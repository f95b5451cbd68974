/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/door/frame.h"

#include <assert.h>
#include <endian.h>
#include <stdint.h>
#include <string.h>

static size_t length_of(const char *head)
{
	uint32_t be;

	memcpy(&be, head, sizeof(be));
	return be32toh(be);
}

size_t door_frame_wants(const struct door_frame *f)
{
	size_t whole;

	if (f->in.len < DOOR_HEAD)
		return DOOR_HEAD - f->in.len;
	whole = DOOR_HEAD + length_of(f->in.data);
	return whole > f->in.len ? whole - f->in.len : 0;
}

static int check_length(const struct door_frame *f, struct err *e)
{
	size_t len = length_of(f->in.data);

	if (len && len <= f->max)
		return 0;
	return err_set(e, ERR_DECODE, 0, "a message of %zu bytes; 1 to %zu are possible", len,
		       f->max);
}

int door_frame_feed(struct door_frame *f, const void *p, size_t n, struct err *e)
{
	size_t head = f->in.len < DOOR_HEAD ? DOOR_HEAD - f->in.len : 0;

	if (head) {
		size_t now = n < head ? n : head;

		sb_add(&f->in, p, now);
		p = (const char *)p + now;
		n -= now;
		if (f->in.len < DOOR_HEAD)
			return 0;
	}
	if (check_length(f, e) < 0)
		return -1;
	if (n > door_frame_wants(f))
		return err_set(e, ERR_DECODE, 0, "bytes beyond the end of the message");
	sb_add(&f->in, p, n);
	return door_frame_wants(f) == 0;
}

const char *door_frame_text(const struct door_frame *f, size_t *len)
{
	*len = f->in.len - DOOR_HEAD;
	return f->in.data + DOOR_HEAD;
}

void door_frame_done(struct door_frame *f)
{
	sb_done(&f->in);
}

void door_frame_begin(struct sb *out)
{
	assert(!out->len);
	sb_add(out, "\0\0\0\0", DOOR_HEAD);
}

void door_frame_end(struct sb *out)
{
	uint32_t be = htobe32((uint32_t)(out->len - DOOR_HEAD));

	memcpy(out->data, &be, sizeof(be));
}
