/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a Service leads: EndpointSlice (discovery.k8s.io/v1) and Endpoints. What is wanted is written in
 * full; of what stands on the server only hashes are kept, which is all that a comparison needs.
 */
#ifndef API_ENDPOINTS_H
#define API_ENDPOINTS_H

#include "api/meta.h"
#include "lib/base/ip.h"

struct jval;
struct jw;

#define API_GROUP_DISCOVERY    "discovery.k8s.io/v1"
#define API_LABEL_SERVICE_NAME "kubernetes.io/service-name"
#define API_LABEL_SLICE_BY     "endpointslice.kubernetes.io/managed-by"
#define API_SLICE_BY           "tandem-controller.tandem-cni.io"
#define API_LABEL_HEADLESS     "service.kubernetes.io/headless"
#define API_SLICE_MAX          100 /* endpoints of one slice */

/* One card of one pod. Strings are lent; NULL or "" = not said. */
struct api_endpoint {
	struct ip_addr addr;
	bool ready;
	bool serving;
	bool terminating;
	const char *node;
	const char *zone;
	const char *hostname;
	const char *ns;
	const char *pod;
	const char *uid; /* the pod's */
};

struct api_endpoint_port {
	const char *name;
	const char *protocol;
	const char *app_protocol; /* NULL = none */
	uint16_t port;
};

/* Endpoints of one family that share their ports: what one slice may hold. */
struct api_endpoint_group {
	uint8_t family;
	struct api_endpoint_port *ports;
	size_t n_ports;
	uint64_t ports_hash;
	struct api_endpoint *eps;
	size_t n_eps;
};

/* One endpoint as it stands in a slice. */
struct api_slice_entry {
	uint64_t id; /* api_endpoint_id() */
	uint64_t content;
	bool ready, serving, terminating;
	bool bare; /* serving is not said: a server that does not know it */
};

struct api_slice {
	struct api_meta meta;
	char *service; /* that it belongs to, "" = not said */
	char *owner_uid;
	uint8_t family; /* 0 = FQDN or unknown */
	uint64_t ports_hash;
	struct api_slice_entry *entries;
	size_t n_entries;
};

struct api_endpoints {
	struct api_meta meta;
	char *owner_uid;
	uint64_t hash;
};

/* The Service that slices or Endpoints belong to. */
struct api_endpoints_owner {
	const char *ns;
	const char *name;
	const char *uid;
	const char *made_for; /* value of API_LABEL_SERVICE */
};

/** api_endpoint_id - pod and address: what makes an endpoint the same one. */
uint64_t api_endpoint_id(const struct api_endpoint *ep);
/** api_endpoint_ports_hash - of a set of ports in the order given. */
uint64_t api_endpoint_ports_hash(const struct api_endpoint_port *ports, size_t n);
/** api_slice_entry_of - the entry that it makes in a slice. */
struct api_slice_entry api_slice_entry_of(const struct api_endpoint *ep);
/** api_slice_entry_is - the entry says what ep says. */
bool api_slice_entry_is(const struct api_slice_entry *entry, const struct api_endpoint *ep);

int api_slice_decode(const struct jval *obj, struct api_slice **out, struct err *e) FN_MUST;
void api_slice_free(struct api_slice *s);
DEFINE_AUTO(struct api_slice, api_slice_free)

int api_endpoints_decode(const struct jval *obj, struct api_endpoints **out, struct err *e) FN_MUST;
void api_endpoints_free(struct api_endpoints *s);
DEFINE_AUTO(struct api_endpoints, api_endpoints_free)

/* What is to be written into one slice: some of a group's endpoints. */
struct api_slice_content {
	const struct api_endpoint_group *group;
	const struct api_endpoint *const *eps;
	size_t n_eps;
};

/** api_slice_write_new - a whole EndpointSlice. */
void api_slice_write_new(struct jw *w, const struct api_endpoints_owner *owner, const char *name,
			 const struct api_slice_content *c);
/** api_slice_write_body - the members "endpoints" and "ports" of an open object. */
void api_slice_write_body(struct jw *w, const struct api_slice_content *c);

/**
 * api_endpoints_hash - what api_endpoints_decode() would make of these groups.
 *
 * Neither order nor the way in which subsets are divided counts: servers sort and divide again.
 * @terminating: pods that are being deleted count too
 */
uint64_t api_endpoints_hash(const struct api_endpoint_group *groups, size_t n, bool terminating);
/** api_endpoints_write_new - a whole Endpoints object. */
void api_endpoints_write_new(struct jw *w, const struct api_endpoints_owner *owner,
			     const struct api_endpoint_group *groups, size_t n, bool terminating);
/** api_endpoints_write_body - the member "subsets" of an open object. */
void api_endpoints_write_body(struct jw *w, const struct api_endpoint_group *groups, size_t n,
			      bool terminating);
/** api_endpoints_write_owner - the member "ownerReferences" of an open metadata. */
void api_endpoints_write_owner(struct jw *w, const struct api_endpoints_owner *owner);

#endif
