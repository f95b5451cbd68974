/* SPDX-License-Identifier: Apache-2.0 */
/* The few fields of a Service that tandem reads, of a user's own and of those that it makes. */
#ifndef API_SERVICE_H
#define API_SERVICE_H

#include "api/meta.h"

struct jval;

/* On a Service or its pods: "disabled" switches the -macvlan Service off. */
#define API_ANNOTATION_SERVICE "tandem-cni.io/macvlan-service"
/* On all that is made for a Service: that Service's name. What lacks it is not ours. */
#define API_LABEL_SERVICE    "tandem-cni.io/service"
#define API_LABEL_MADE_BY    "app.kubernetes.io/managed-by"
#define API_MADE_BY          "tandem-controller"
#define API_SERVICE_SUFFIX   "-macvlan"
#define API_SERVICE_NAME_MAX 64 /* with the terminator */
#define API_SERVICE_PORTS    1024

struct api_service_port {
	char *name; /* "" where there is but one */
	char *protocol;
	char *app_protocol; /* NULL = none */
	char *target;       /* a number or the name of a container's port; NULL = port */
	uint16_t port;
};

struct api_service {
	struct api_meta meta;
	char *selector; /* api_labels; NULL = none */
	struct api_service_port *ports;
	size_t n_ports;
	bool headless;
	bool external_name;
	bool publish_not_ready;
	bool disabled;
	char *labels;        /* api_labels; NULL = none */
	char *made_for;      /* value of API_LABEL_SERVICE; NULL = not ours */
	char *owner;         /* the Service that owns it, NULL = none */
	char *owner_uid;     /* with owner */
	uint8_t families[2]; /* spec.ipFamilies as AF_INET, AF_INET6; 0 = not there */
	char *family_policy; /* NULL = not there, as on servers that don't know it */
};

/** api_service_decode - JSON to struct. ERR_DECODE names the key. The caller frees *out. */
int api_service_decode(const struct jval *obj, struct api_service **out, struct err *e) FN_MUST;
void api_service_free(struct api_service *s);
DEFINE_AUTO(struct api_service, api_service_free)

/** api_service_ports_eq - the same ports, in the same order. */
bool api_service_ports_eq(const struct api_service *a, const struct api_service *b);

/**
 * api_service_head_name - "<name>-macvlan", in buf, which is returned.
 *
 * A name that would be over 63 characters keeps its beginning and has a hash of the whole instead of
 * the rest: the same name always gives the same.
 */
char *api_service_head_name(const char *name, char buf[API_SERVICE_NAME_MAX]);

/** api_service_is_disabled - obj.metadata has the annotation that switches it off. */
int api_service_is_disabled(const struct jval *meta, bool *out, struct err *e) FN_MUST;

#endif
