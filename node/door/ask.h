/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the door asks of the API server. Each answer comes from a GET that began after the question came. Questions
 * for one record share one: that which begins after the last of them. The watch only says when to look again.
 */
#ifndef NODE_DOOR_ASK_H
#define NODE_DOOR_ASK_H

#include <stdint.h>

#include "lib/base/auto.h"

struct asker;
struct door_request;
struct kube_client;
struct question;
struct sb;

/* The answer, a whole message: take it with a move. The question's handle is void from here on. */
typedef void question_done_fn(void *ctx, struct sb *answer);

/** asker_new - the client is lent. */
struct asker *asker_new(struct kube_client *client);
/** asker_free - when there are no questions any more. */
void asker_free(struct asker *a);
DEFINE_AUTO(struct asker, asker_free)

/**
 * asker_ask - ask on; done is called later, and not before this returns.
 * @req: lent until then; anything but DOOR_READY
 *
 * Exactly one of done and question_drop() ends the handle.
 */
struct question *asker_ask(struct asker *a, const struct door_request *req, question_done_fn *done,
			   void *ctx);

/** question_drop - nobody waits for it any more. NULL is ignored. */
void question_drop(struct question *q);

/** asker_changed - the watch shows that the record "namespace/name" has changed. */
void asker_changed(struct asker *a, const char *key);

/** asker_next_ms - when asker_run() has something to do (CLOCK_MONOTONIC); 0 = never. */
int64_t asker_next_ms(const struct asker *a);
/** asker_run - what is due by time. */
void asker_run(struct asker *a);

#endif
