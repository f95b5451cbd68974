/* SPDX-License-Identifier: Apache-2.0 */
/* A Service as whoever translates its ClusterIP reads it, and where it leads: EndpointSlices, or Endpoints. */
#ifndef API_CLUSTERIP_H
#define API_CLUSTERIP_H

#include "api/meta.h"
#include "lib/base/ip.h"

struct jval;

/* On a Service: "eth1" leads clients with a card on the backends' LAN to the backends' cards. */
#define API_ANNOTATION_CLUSTER_IP "tandem-cni.io/cluster-ip"
#define API_LABEL_SERVICE_PROXY   "service.kubernetes.io/service-proxy-name"
#define API_BACKENDS_MAX          65536 /* of one object */
#define API_AFFINITY_DEFAULT      10800

struct api_cluster_port {
	char *name;    /* "" where there is but one */
	uint8_t proto; /* IPPROTO_TCP, IPPROTO_UDP */
	uint16_t port;
};

struct api_cluster_service {
	struct api_meta meta;
	struct ip_addr ips[2];
	size_t n_ips;
	struct api_cluster_port *ports; /* SCTP is left out */
	size_t n_ports;
	uint32_t affinity_s; /* sessionAffinity ClientIP; 0 = none */
	bool local;          /* internalTrafficPolicy */
	bool eth1;
};

/**
 * api_cluster_service_decode - NULL in *out: one without a ClusterIP, or another proxy's. ERR_DECODE names the key.
 *
 * The caller frees *out.
 */
int api_cluster_service_decode(const struct jval *obj, struct api_cluster_service **out,
			       struct err *e) FN_MUST;
void api_cluster_service_free(struct api_cluster_service *s);
DEFINE_AUTO(struct api_cluster_service, api_cluster_service_free)

struct api_backend {
	struct ip_addr addr;
	bool ready;
	bool draining; /* serving and terminating: for when nobody is ready */
	bool local;    /* on the node that was asked for */
};

/* Backends that have their ports in common. */
struct api_backend_group {
	struct api_cluster_port *ports;
	size_t n_ports;
	struct api_backend *v;
	size_t n;
};

struct api_backends {
	char *ns, *service;
	char *made_for; /* value of API_LABEL_SERVICE: of the cards' slices; NULL = of a Service's own */
	struct api_backend_group *groups;
	size_t n_groups;
};

/** api_backends_decode_slice - an EndpointSlice. NULL in *out: of no Service, or of names. node: for local. */
int api_backends_decode_slice(const struct jval *obj, const char *node, struct api_backends **out,
			      struct err *e) FN_MUST;
/** api_backends_decode_endpoints - an Endpoints. */
int api_backends_decode_endpoints(const struct jval *obj, const char *node,
				  struct api_backends **out, struct err *e) FN_MUST;
void api_backends_free(struct api_backends *b);
DEFINE_AUTO(struct api_backends, api_backends_free)

#endif
