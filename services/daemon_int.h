/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon from inside, and what it says to others. */
#ifndef SERVICES_DAEMON_INT_H
#define SERVICES_DAEMON_INT_H

#include "services/daemon.h"
#include "services/pods.h"
#include "services/sync.h"
#include "services/watch.h"

struct kube_client;
struct loop;
struct metrics_server;
struct sb;

struct daemon {
	const struct daemon_options *o;
	char *dir; /* of the pins */
	struct loop *loop;
	struct kube_client *client;
	struct watch *watch;
	struct sync *sync; /* NULL: the programs are not loaded */
	struct pods *pods;
	struct metrics_server *metrics;
	char *trouble;     /* why they are not, as it was said last */
	bool complete;     /* all lists have been taken in once */
	bool strangers;    /* what an earlier daemon has left is still to be looked through */
	bool off;          /* the API server has been away for too long */
	uint64_t synced_s; /* wall clock */
	int64_t start_s, tick_ms, pods_ms, sync_ms, next_ms;
};

/** daemon_event - an Event of the Node. */
void daemon_event(struct daemon *d, const char *reason, const char *text);
/** daemon_tell - daemon_event() as a sync_tell_fn. */
void daemon_tell(void *ctx, const char *reason, const char *text);
/** daemon_metrics - a metrics_write_fn. */
void daemon_metrics(void *ctx, struct sb *out);

#endif
