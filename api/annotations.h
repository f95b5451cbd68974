/* SPDX-License-Identifier: Apache-2.0 */
/* What a pod asks for: the tandem-cni.io/ annotations. */
#ifndef API_ANNOTATIONS_H
#define API_ANNOTATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"

struct api_subnet;
struct jval;

#define API_ANNOTATION_SUBNET    "tandem-cni.io/subnet"
#define API_ANNOTATION_IP        "tandem-cni.io/ip"
#define API_ANNOTATION_MAC       "tandem-cni.io/mac"
#define API_ANNOTATION_INTERFACE "tandem-cni.io/interface"

/* The older product's, read where --legacy-annotations=read or the conf says so. */
#define API_LEGACY_SUBNET  "macvlan.pandaria.cattle.io/subnet"
#define API_LEGACY_IP      "macvlan.pandaria.cattle.io/ip"
#define API_LEGACY_MAC     "macvlan.pandaria.cattle.io/mac"
#define API_LEGACY_NETWORK "v1.multus-cni.io/default-network" /* its word for a single card */

#define API_REQUEST_LIST_MAX 1024 /* addresses or MACs in one annotation */

/* A new one is a row here and one of the table in annotations.c. */
enum api_annotation {
	API_ASKED_SUBNET = 0,
	API_ASKED_IP,
	API_ASKED_MAC,
	API_ASKED_INTERFACE,
	API_ANNOTATIONS,
};

/** api_annotation_name - "tandem-cni.io/subnet", ... */
const char *api_annotation_name(enum api_annotation which);

#define API_REQUEST_SUBNETS_MAX 16
/* Of API_ANNOTATION_SUBNET on a pod: no card, whatever its namespace's default is. */
#define API_SUBNET_NONE "none"

struct api_request {
	bool wanted;  /* the pod asks for a card; all else is empty when it does not */
	bool refused; /* it says "none" */
	char *subnet;
	char *others;        /* further subnets, one of which will do as well: "b,c"; NULL = none */
	struct ip_addr *ips; /* a pool for the replicas, IPv4 before IPv6; none = auto */
	size_t n_ips;
	struct mac_addr *macs; /* none = auto; one per entry where both are lists */
	size_t n_macs;
	char interface[8]; /* "eth1", or "eth0" for a single card */
};

/**
 * api_request_parse - annotations to a request.
 * @text: by enum api_annotation, NULL = absent
 *
 * Without tandem-cni.io/subnet the pod wants nothing; the others alone are a mistake.
 * ERR_CONFIG with the annotation's name and value. The caller ends *out with api_request_done().
 */
int api_request_parse(const char *const text[API_ANNOTATIONS], struct api_request *out,
		      struct err *e) FN_MUST;
/** api_request_copy - one of its own. The caller ends it with api_request_done(). */
struct api_request api_request_copy(const struct api_request *r);
void api_request_done(struct api_request *r);
DEFINE_AUTO_VALUE(struct api_request, api_request_done)

/**
 * api_request_next_subnet - the subnets one after the other, from *pos = 0 on, in the order of preference.
 *
 * In *out, which the caller frees; what it held before is freed. False at the end.
 */
bool api_request_next_subnet(const struct api_request *r, size_t *pos, char **out);
/** api_request_has_subnet - it names that subnet, alone or among others. */
bool api_request_has_subnet(const struct api_request *r, const char *subnet);

/**
 * api_request_entries - how many cards the lists are for.
 *
 * The i-th entry is the i-th IPv4 address and the i-th IPv6 address, where both families are named.
 */
size_t api_request_entries(const struct api_request *r);
/** api_request_ip - the address of that family in an entry; NULL = that family is not named. Lent. */
const struct ip_addr *api_request_ip(const struct api_request *r, uint8_t family, size_t entry);
/** api_request_find - the entry that names the address, or -1. */
long api_request_find(const struct api_request *r, const struct ip_addr *addr);
/** api_request_mac - the MAC of that entry (any when ips is auto); NULL = computed. */
const struct mac_addr *api_request_mac(const struct api_request *r, size_t i);
/**
 * api_request_check_macs - the MACs that it names are locally administered, unless the subnet allows any.
 *
 * ERR_CONFIG with the first that is not.
 */
int api_request_check_macs(const struct api_request *r, const struct api_subnet *subnet,
			   struct err *e) FN_MUST;

/* What stands on a pod or on a template of pods, parsed when it is decoded. */
struct api_annotations {
	char *text[API_ANNOTATIONS]; /* as it stands there, NULL = absent */
	struct api_request request;  /* wants nothing while they are malformed */
	char *why;                   /* what is wrong with them, NULL = nothing */
};

/* One annotation by its key: *out a copy of its own, or NULL where it is absent. */
typedef int api_annotation_get_fn(const void *ctx, const char *key, char **out, struct err *e);

/**
 * api_annotations_read - out of wherever annotations stand.
 * @legacy: where a pod has none of ours, the older product's count: subnet and ip must both be there and
 *	ip not empty, else it asks for nothing; its single card becomes interface eth0
 *
 * Malformed ones are no error here, see why. Fails as get does. The caller ends *out with
 * api_annotations_done().
 */
int api_annotations_read(api_annotation_get_fn *get, const void *ctx, bool legacy,
			 struct api_annotations *out, struct err *e) FN_MUST;
/** api_annotations_read_meta - out of an object's metadata. ERR_DECODE names the key. */
int api_annotations_read_meta(const struct jval *meta, bool legacy, struct api_annotations *out,
			      struct err *e) FN_MUST;
void api_annotations_done(struct api_annotations *a);
DEFINE_AUTO_VALUE(struct api_annotations, api_annotations_done)

/**
 * api_annotations_by_default - what a pod asks for where its namespace has a default and it names no subnet itself.
 * @subnet: the namespace's own annotation
 *
 * 1 and *out, which the caller ends; 0: the pod names a subnet, or says "none". ERR_CONFIG.
 */
int api_annotations_by_default(const struct api_annotations *a, const char *subnet,
			       struct api_request *out, struct err *e) FN_MUST;

/** api_annotations_request - what they ask for, lent; ERR_CONFIG where they are malformed. */
int api_annotations_request(const struct api_annotations *a, const struct api_request **out,
			    struct err *e) FN_MUST;
/** api_annotations_text - one as it stands there, "" where it is absent. Lent. */
const char *api_annotations_text(const struct api_annotations *a, enum api_annotation which);
/** api_annotations_is_empty - none of them stands there. */
bool api_annotations_is_empty(const struct api_annotations *a);
/** api_annotations_eq - the same texts. */
bool api_annotations_eq(const struct api_annotations *a, const struct api_annotations *b);

#endif
