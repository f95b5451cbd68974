/*
 * Who names which address: the fixed addresses in the pod templates of workloads, also of those without pods.
 *
 * Where two workloads name one address, it is the older one's.
 */
#ifndef CONTROLLER_RESERVE_H
#define CONTROLLER_RESERVE_H

#include <stdbool.h>

#include "controller/app.h"

struct api_pod;
struct api_workload;

/** reserve_changed - a workload came, went or asks for something else now: who waits is looked at again. */
void reserve_changed(struct app *app);
/** reserve_refresh - work out anew what is named by whom, for every subnet. */
void reserve_refresh(struct app *app);
void reserve_done(struct app *app);

/**
 * reserve_find - the workload that an address of a subnet is kept for; NULL if there is none. Lent until
 * the next change.
 */
const struct api_workload *reserve_find(struct app *app, const char *subnet,
					const struct ip_addr *addr);

/**
 * reserve_pod_owner - the id (see api_workload_id()) of the workload that a pod belongs to; NULL for a
 * bare pod. A Job's pod goes by the CronJob that made the Job. The caller frees it.
 */
char *reserve_pod_owner(const struct app *app, const struct api_pod *pod);

/** reserve_is_for - the address is kept for the workload with this id (NULL = none). */
bool reserve_is_for(const struct api_workload *holder, const char *owner);

/** reserve_statefulset - the StatefulSet that made, or would make, a pod of that name; NULL = none. Lent. */
const struct api_workload *reserve_statefulset(const struct app *app, const char *ns,
					       const char *pod_name);

#endif
