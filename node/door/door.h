/* SPDX-License-Identifier: Apache-2.0 */
/* The node's door: plugins ask here, on one connection each, and tandem-node asks the API server for them. */
#ifndef NODE_DOOR_DOOR_H
#define NODE_DOOR_DOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct door;
struct kube_client;

/**
 * door_new - nobody can come yet: door_open().
 * @path: of the socket; lent
 * @client: whose account the plugins speak with; lent
 */
int door_new(const char *path, struct kube_client *client, struct door **out,
	     struct err *e) FN_MUST;
/** door_free - the socket goes, and who waits is not answered. Before the client is freed. */
void door_free(struct door *d);
DEFINE_AUTO(struct door, door_free)

/**
 * door_open - listen; it stays open until door_free().
 *
 * ERR_AGAIN: another daemon has the socket. ERR_IO, ERR_CONFIG.
 */
int door_open(struct door *d, struct err *e) FN_MUST;
bool door_is_open(const struct door *d);

/* Whether pods can be served; else *out_why says why not. */
typedef bool door_ready_fn(void *ctx, const char **out_why);
/** door_judge - who is asked for the answer to "ready"; without it, it is yes. ctx is lent. */
void door_judge(struct door *d, door_ready_fn *ready, void *ctx);

/** door_fd - an epoll descriptor, readable when door_run() has work. Lent. */
int door_fd(const struct door *d);
/** door_next_ms - when it has work by time (CLOCK_MONOTONIC); 0 = never. */
int64_t door_next_ms(const struct door *d);
/** door_run - do what is due. Never blocks. */
void door_run(struct door *d);

struct door_stats {
	uint64_t asked;   /* questions that made sense */
	uint64_t refused; /* and that did not */
};

/** door_stats - since the start. */
struct door_stats door_stats(const struct door *d);

/** door_record_changed - the watch shows that the record "namespace/name" has changed. */
void door_record_changed(struct door *d, const char *key);

#endif
