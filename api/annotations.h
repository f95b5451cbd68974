/* What a pod asks for: the tandem-cni.io/ annotations. */
#ifndef API_ANNOTATIONS_H
#define API_ANNOTATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"

#define API_ANNOTATION_SUBNET    "tandem-cni.io/subnet"
#define API_ANNOTATION_IP        "tandem-cni.io/ip"
#define API_ANNOTATION_MAC       "tandem-cni.io/mac"
#define API_ANNOTATION_INTERFACE "tandem-cni.io/interface"

#define API_REQUEST_LIST_MAX 1024 /* addresses or MACs in one annotation */

/* The values as they stand on the pod; NULL = not there. Lent. */
struct api_annotations {
	const char *subnet;
	const char *ip;
	const char *mac;
	const char *interface;
};

struct api_request {
	bool wanted; /* the pod asks for a card; all else is empty when it does not */
	char *subnet;
	struct ip_addr *ips; /* a pool for the replicas; none = auto */
	size_t n_ips;
	struct mac_addr *macs; /* none = auto; one per entry of ips where both are lists */
	size_t n_macs;
	char interface[8]; /* "eth1", or "eth0" for picture (c) */
};

/**
 * api_request_parse - annotations to a request.
 *
 * Without tandem-cni.io/subnet the pod wants nothing; the other three alone are a mistake.
 * ERR_CONFIG with the annotation's name and value. The caller ends *out with api_request_done().
 */
int api_request_parse(const struct api_annotations *a, struct api_request *out,
		      struct err *e) FN_MUST;
void api_request_done(struct api_request *r);
DEFINE_AUTO_VALUE(struct api_request, api_request_done)

/** api_request_mac - the MAC that goes with ips[i] (any i when ips is auto); NULL = computed. */
const struct mac_addr *api_request_mac(const struct api_request *r, size_t i);

#endif
