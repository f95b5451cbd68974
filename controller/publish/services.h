/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For each Service whose pods have cards, the headless Service "<name>-macvlan" and where it leads: driven by
 * watches, a few writes for many changes. svc_plan.h and svc_pack.h say what is wanted.
 */
#ifndef CONTROLLER_PUBLISH_SERVICES_H
#define CONTROLLER_PUBLISH_SERVICES_H

#include <stdint.h>

#include "controller/publish/publish.h"

struct kube_queue_gauge;
struct services;

/** services_new - nothing is known and nothing asked for yet; listens to the cluster. */
struct services *services_new(const struct publish_in *in);
/** services_free - before the records and the client go. NULL is ignored. */
void services_free(struct services *all);
/** services_run - do what is due, only in PHASE_RUN; the monotonic time of what is next, 0 = none. */
int64_t services_run(struct services *all);
/** services_gauge - what waits to be written. */
void services_gauge(const struct services *all, struct kube_queue_gauge *out);

#endif
