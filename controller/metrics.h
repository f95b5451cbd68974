/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the controller knows in numbers, in Prometheus' text format over plain HTTP: /metrics, and /healthz beside it.
 *
 * Numbers of subnets and records come from the leader alone; a replica that stands by has none that are true.
 */
#ifndef CONTROLLER_METRICS_H
#define CONTROLLER_METRICS_H

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct app;
struct metrics;

/** metrics_start - listen at opt.metrics_bind; app->metrics stays NULL where that is off. ERR_CONFIG, ERR_IO. */
int metrics_start(struct app *app, struct err *e) FN_MUST;
/** metrics_fd - to be watched for reading; -1 = off. */
int metrics_fd(const struct metrics *m);
/** metrics_dispatch - answer who has asked. ERR_IO. */
int metrics_dispatch(struct metrics *m, struct err *e) FN_MUST;
/** metrics_free - NULL is ignored. */
void metrics_free(struct metrics *m);
DEFINE_AUTO(struct metrics, metrics_free)

#endif
