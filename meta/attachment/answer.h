/* SPDX-License-Identifier: Apache-2.0 */
/* Small things that one call remembers for the next: what STATUS last answered, since when the primary's file is gone. */
#ifndef META_ATTACHMENT_ANSWER_H
#define META_ATTACHMENT_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

struct state_dir;

#define ANSWER_FILE "last-status" /* in the state directory */

/**
 * answer_is_new - another one than the last time; it is the last one from then on.
 *
 * Where it cannot be kept each answer is new.
 */
bool answer_is_new(const struct state_dir *d, const char *answer);

/**
 * delegate: the primary's file is gone. state_delegate_gone_s(): since when, in seconds since 1970; the first call notes
 * it. INT64_MAX where that cannot be kept. state_delegate_back(): it is there again.
 */
int64_t state_delegate_gone_s(const struct state_dir *d);
void state_delegate_back(const struct state_dir *d);

#endif
