/* What the controller knows of the cluster: a store for each kind, and what a change in it sets off. */
#ifndef CONTROLLER_CACHE_H
#define CONTROLLER_CACHE_H

#include "controller/app.h"

/** cache_init - make the stores, all empty. */
void cache_init(struct app *app);
/** cache_start - begin to list and watch that kind (STORE_...). */
void cache_start(struct app *app, int which);
/**
 * cache_follow_versions - where a kind is not served under the path that was tried, try its other one.
 *
 * Only CronJobs have two. Not from a store's callback.
 */
void cache_follow_versions(struct app *app);
void cache_done(struct app *app);

/** cache_node - NULL if it is not known. */
const struct node_obj *cache_node(const struct app *app, const char *name);
/** cache_ns - NULL if it is not known. */
const struct ns_obj *cache_ns(const struct app *app, const char *name);

#endif
