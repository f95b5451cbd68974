/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who names which address: the fixed addresses in the pod templates of workloads, also of those without pods.
 *
 * Where two workloads name one address, it is the older one's.
 */
#ifndef CONTROLLER_ADDRESSES_RESERVATIONS_H
#define CONTROLLER_ADDRESSES_RESERVATIONS_H

#include <stdbool.h>

struct api_pod;
struct api_workload;
struct cluster;
struct ip_addr;
struct ipam_set;
struct reservations;

/** reservations_new - worked out from the cluster's workloads whenever it is asked after a change of them. */
struct reservations *reservations_new(struct cluster *cluster);
void reservations_free(struct reservations *all);

/** reservations_named - the addresses of that subnet that a workload names. Lent until the next change. */
const struct ipam_set *reservations_named(struct reservations *all, const char *subnet);

/**
 * reservations_find - the workload that an address of a subnet is kept for; NULL if there is none. Lent until
 * the next change.
 */
const struct api_workload *reservations_find(struct reservations *all, const char *subnet,
					     const struct ip_addr *addr);

/**
 * reservations_pod_owner - the id (see api_workload_id()) of the workload that a pod belongs to; NULL for a
 * bare pod. A Job's pod goes by the CronJob that made the Job. The caller frees it.
 */
char *reservations_pod_owner(const struct reservations *all, const struct api_pod *pod);

/** reservations_is_for - the address is kept for the workload with this id (NULL = none). */
bool reservations_is_for(const struct api_workload *holder, const char *owner);

/** reservations_statefulset - the StatefulSet that made, or would make, a pod of that name; NULL = none. Lent. */
const struct api_workload *reservations_statefulset(const struct reservations *all, const char *ns,
						    const char *pod_name);

#endif
