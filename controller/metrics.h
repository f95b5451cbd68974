/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the controller knows in numbers, in Prometheus' text format: /metrics.
 *
 * Numbers of subnets and records come from the leader alone; a replica that stands by has none that are true.
 */
#ifndef CONTROLLER_METRICS_H
#define CONTROLLER_METRICS_H

#include "lib/base/err.h"

struct app;

/** metrics_start - listen at opt.metrics_bind; app->metrics stays NULL where that is off. ERR_CONFIG, ERR_IO. */
int metrics_start(struct app *app, struct err *e) FN_MUST;

#endif
