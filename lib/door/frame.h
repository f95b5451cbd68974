/* SPDX-License-Identifier: Apache-2.0 */
/* One message on a connection of the node's door: four bytes of length, big endian, then so many bytes. No I/O. */
#ifndef LIB_DOOR_FRAME_H
#define LIB_DOOR_FRAME_H

#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/sb.h"

#define DOOR_HEAD 4

/* A message that comes in pieces. Set max, and end it with door_frame_done(). */
struct door_frame {
	size_t max; /* bytes of the text at most */
	struct sb in;
};

/**
 * door_frame_feed - take in what has come.
 *
 * 1: the message is complete. 0: more is needed. -1 ERR_DECODE: a length of 0 or above max, or bytes beyond the
 * end. Holds no more than what has come, whatever the length says.
 */
int door_frame_feed(struct door_frame *f, const void *p, size_t n, struct err *e) FN_MUST;

/** door_frame_wants - how many bytes may be fed at most: what comes beyond them is no part of the message. */
size_t door_frame_wants(const struct door_frame *f);

/** door_frame_text - of a complete message, terminated; *len without the terminator. Lent. */
const char *door_frame_text(const struct door_frame *f, size_t *len);

void door_frame_done(struct door_frame *f);
DEFINE_AUTO_VALUE(struct door_frame, door_frame_done)

/** door_frame_begin - start a message in an empty builder; the text is appended. */
void door_frame_begin(struct sb *out);
/** door_frame_end - the text is complete: its length goes in front. */
void door_frame_end(struct sb *out);

#endif
