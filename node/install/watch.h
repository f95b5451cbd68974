/* SPDX-License-Identifier: Apache-2.0 */
/* The ConfigMap with the cluster's facts, watched. */
#ifndef NODE_INSTALL_WATCH_H
#define NODE_INSTALL_WATCH_H

#include <stdbool.h>

#include "lib/base/auto.h"

struct orders_watch;
struct orders;
struct kube_client;

/* The ConfigMap has come or changed, or the API server has said that there is none (NULL). */
typedef void orders_changed_fn(void *ctx);

/** orders_watch_new - watch it from now on. @orders: kept up to date; what was known stays when it goes. Lent. */
struct orders_watch *orders_watch_new(struct kube_client *client, const char *ns,
				      struct orders *orders, orders_changed_fn *changed_fn,
				      void *ctx);
void orders_watch_free(struct orders_watch *c);
DEFINE_AUTO(struct orders_watch, orders_watch_free)

/** orders_watch_knows - the API server has said whether there is one. */
bool orders_watch_knows(const struct orders_watch *c);

#endif
