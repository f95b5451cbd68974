/* SPDX-License-Identifier: Apache-2.0 */
/* Writes k8s.v1.cni.cncf.io/network-status on pods whose card is attached. */
#ifndef CONTROLLER_PUBLISH_NETSTATUS_H
#define CONTROLLER_PUBLISH_NETSTATUS_H

#include <stdint.h>

#include "controller/publish/publish.h"

struct kube_queue_gauge;
struct netstatus;

/** netstatus_new - nothing is written yet; listens to the cluster. */
struct netstatus *netstatus_new(const struct publish_in *in);
/** netstatus_free - before the records and the client go. NULL is ignored. */
void netstatus_free(struct netstatus *s);
/** netstatus_run - write what is due, only in PHASE_RUN; the monotonic time of what is next, 0 = none. */
int64_t netstatus_run(struct netstatus *s);
/** netstatus_gauge - what waits to be written. */
void netstatus_gauge(const struct netstatus *s, struct kube_queue_gauge *out);

#endif
