/* SPDX-License-Identifier: Apache-2.0 */
/* The few fields of a pod that tandem reads. */
#ifndef API_POD_H
#define API_POD_H

#include "api/annotations.h"
#include "api/meta.h"
#include "api/owner.h"
#include "lib/base/ip.h"

#define API_ANNOTATION_NETWORK_STATUS "k8s.v1.cni.cncf.io/network-status"

/* A container's port that has a name: what a Service's targetPort may be. */
struct api_pod_port {
	char name[16];
	char protocol[8];
	uint16_t port;
};

struct api_pod {
	struct api_meta meta;
	char *node;               /* "" while it is not bound */
	char *phase;              /* "Pending", "Running", "Succeeded", "Failed", "Unknown" or "" */
	struct api_owner owner;   /* kind "" for a bare pod */
	int64_t deletion_grace_s; /* metadata.deletionGracePeriodSeconds, 0 = none or forced */
	bool host_network;
	bool is_static;      /* made from a file of the kubelet, or the mirror of one */
	bool has_ip;         /* status.podIP stands: the sandbox has been made */
	bool any_running;    /* by the last status a container runs */
	bool all_terminated; /* there is a status for every container and each one has ended */
	int64_t ended;       /* when the last container ended, 0 = not said */
	bool ready;          /* condition Ready */
	bool service_off;    /* its annotation keeps it out of -macvlan Services */
	char *template_hash; /* label pod-template-hash, "" for none */
	char *labels;        /* see api/labels.h; NULL = none */
	char *hostname;      /* with a subdomain, else NULL */
	char *subdomain;
	struct api_pod_port *ports; /* those with a name */
	size_t n_ports;
	struct ip_addr ips[2];   /* status.podIPs; unset = none */
	uint64_t network_status; /* hash of that annotation, 0 = it has none */
	struct api_annotations annotations;
};

/**
 * api_pod_decode - JSON to struct. ERR_DECODE names the key. The caller frees *out.
 * @legacy: the older product's annotations count too, see api_annotations_read()
 */
int api_pod_decode(const struct jval *obj, bool legacy, struct api_pod **out,
		   struct err *e) FN_MUST;
void api_pod_free(struct api_pod *p);
DEFINE_AUTO(struct api_pod, api_pod_free)

/** api_pod_is_annotated - it carries at least one of them. */
bool api_pod_is_annotated(const struct api_pod *p);
/** api_pod_status_hash - the hash that network_status would be for this text; never 0. */
uint64_t api_pod_status_hash(const char *text);
/** api_pod_serves_eq - Services see the same in both: labels, readiness, ports, names, phase. */
bool api_pod_serves_eq(const struct api_pod *a, const struct api_pod *b);
/** api_pod_is_stateful - a StatefulSet made it: the next pod of its name is its heir. */
bool api_pod_is_stateful(const struct api_pod *p);
/** api_pod_is_over - phase Succeeded or Failed. */
bool api_pod_is_over(const struct api_pod *p);

#endif
