/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who names which address: the fixed addresses in the pod templates of workloads, also of those without pods.
 *
 * Of a workload of another kind (controller/cluster/owners.h) what its pods have had is kept, while it exists.
 *
 * An address that a pod of the workload has had (allocation.claimed) is kept for it. Of those that no pod has had
 * RESERVATIONS_UNCLAIMED_MAX are kept for each namespace in each subnet, for the older workload first. Where the subnet
 * has maxPerNamespace, no more than that of both together. A namespace that names RESERVATIONS_TAKEN_MAX addresses of
 * a subnet that are kept for others keeps no more there that no pod has had: what is looked at is bounded, too.
 */
#ifndef CONTROLLER_ADDRESSES_RESERVATIONS_H
#define CONTROLLER_ADDRESSES_RESERVATIONS_H

#include <stdbool.h>
#include <stddef.h>

#define RESERVATIONS_UNCLAIMED_MAX 16
#define RESERVATIONS_TAKEN_MAX     (16 * 1024)

struct api_pod;
struct api_workload;
struct cluster;
struct ip_addr;
struct ipam_set;
struct largest;
struct owners;
struct reservations;

/** reservations_new - worked out from the cluster's workloads whenever it is asked after a change of them. */
struct reservations *reservations_new(struct cluster *cluster, struct owners *owners);
void reservations_free(struct reservations *all);

/** reservations_refreshed - how often all has been worked out: not for a change of what names nothing else. */
size_t reservations_refreshed(const struct reservations *all);

/** reservations_named - the addresses of that subnet that are kept for workloads. Lent until the next change. */
const struct ipam_set *reservations_named(struct reservations *all, const char *subnet);

/**
 * reservations_find - the id of the workload that an address of a subnet is kept for; NULL if there is none. Lent
 * until the next change.
 */
const char *reservations_find(struct reservations *all, const char *subnet,
			      const struct ip_addr *addr);

/** reservations_largest - add the workloads for which addresses of the subnet are kept that are not used. */
void reservations_largest(struct reservations *all, const char *subnet, const struct ipam_set *used,
			  struct largest *out);

/** reservations_names - the workload with this id names the address, be it kept or not. */
bool reservations_names(struct reservations *all, const char *owner, const char *subnet,
			const struct ip_addr *addr);

/**
 * reservations_pod_owner - the id (see api_workload_id() and api_owner_id()) of the workload that a pod belongs to.
 *
 * *out is the caller's; NULL for a bare pod, and for one whose owner does not exist, or is of another kind and the
 * pod names no address. A Job's pod goes by the CronJob that made the Job. False: the API server is being asked.
 */
bool reservations_pod_owner(const struct reservations *all, const struct api_pod *pod, char **out);

/** reservations_workload - the one with that id that names addresses; NULL = none. Lent until the next change. */
const struct api_workload *reservations_workload(struct reservations *all, const char *id);

/** reservations_statefulset - the StatefulSet that made, or would make, a pod of that name; NULL = none. Lent. */
const struct api_workload *reservations_statefulset(const struct reservations *all, const char *ns,
						    const char *pod_name);

#endif
