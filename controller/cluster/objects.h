/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces and nodes: the few fields that allocation needs. */
#ifndef CONTROLLER_CLUSTER_OBJECTS_H
#define CONTROLLER_CLUSTER_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "api/doctor.h"
#include "api/subnet.h"
#include "ipam/nets.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"

struct jval;

struct cluster_namespace {
	struct api_label *labels;
	size_t n_labels;
	char *subnet; /* its annotation tandem-cni.io/subnet: what its pods ask for by default; NULL = none */
};

struct cluster_node {
	struct api_label *labels;
	size_t n_labels;
	struct ip_addr *addrs;
	size_t n_addrs;
	struct ipam_nets pod_cidrs; /* spec.podCIDRs: of its pods */
	bool ready;
	bool out_of_service; /* fenced: taint node.kubernetes.io/out-of-service */
	struct api_doctor
		doctor; /* what its annotation says of the LAN, by anybody's hand; empty = nothing */
	int64_t doctor_asked_s; /* somebody wants it looked at again; 0 = nobody */
};

/* Of the shape that a kube_store wants; the objects are struct cluster_namespace and struct cluster_node. */
int cluster_namespace_decode(void *ctx, const struct jval *obj, void **out, struct err *e) FN_MUST;
void cluster_namespace_free(void *obj);
bool cluster_namespace_eq(const void *a, const void *b);

int cluster_node_decode(void *ctx, const struct jval *obj, void **out, struct err *e) FN_MUST;
void cluster_node_free(void *obj);
bool cluster_node_eq(const void *a, const void *b);

#endif
