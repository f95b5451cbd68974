/* SPDX-License-Identifier: Apache-2.0 */
/* The records of this node, and what is being written into them. */
#ifndef NODE_TELL_H
#define NODE_TELL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/auto.h"

struct api_ip;
struct files;
struct kube_client;
struct node_file;
struct tell;

/** tell_new - watch the node's records from now on. Client and node are lent. */
struct tell *tell_new(struct kube_client *client, const char *node, const char *netns_dir);
/** tell_free - before the client is freed. */
void tell_free(struct tell *t);
DEFINE_AUTO(struct tell, tell_free)

/* A record, "namespace/name", has come, changed or gone. May submit requests, must not change the records. */
typedef void tell_changed_fn(void *ctx, const char *key);

/** tell_listen - call that at each change; to be set before the first dispatch. ctx is lent. */
void tell_listen(struct tell *t, tell_changed_fn *listener, void *ctx);

/** tell_changed - records have changed, or a request has ended, since the last tell_run(). */
bool tell_changed(const struct tell *t);

/** tell_is_awaited - a pod waits for another address until this node has said that it has no card with the former. */
bool tell_is_awaited(const struct tell *t);

/** tell_record - what the record of an attachment's pod says, as it was last seen; NULL: there is none. Lent. */
const struct api_ip *tell_record(const struct tell *t, const struct node_file *file);

/** tell_age_ms - since the API server last showed that it is there; -1 = it never has. */
int64_t tell_age_ms(const struct tell *t);

/**
 * tell_run - compare all records with the files, and send what is to be said.
 *
 * Level by level: nothing is remembered but what is under way, so that a restart loses nothing. The files have
 * to be read after the records that the store shows, that is just before. Returns when to run again though
 * nothing has changed (monotonic ms), 0 = no need.
 */
int64_t tell_run(struct tell *t, struct files *files);

#endif
