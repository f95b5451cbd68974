/* SPDX-License-Identifier: Apache-2.0 */
/* What a Service's -macvlan half shall be, from the Service and its pods. Pure. */
#ifndef CONTROLLER_RULES_SVC_PLAN_H
#define CONTROLLER_RULES_SVC_PLAN_H

#include "api/endpoints.h"
#include "api/pod.h"
#include "api/service.h"

/* A pod that the Service selects, whose card is up. All lent. */
struct svc_pod {
	const struct api_pod *pod;
	struct ip_addr addr;
	struct ip_addr addr6; /* the card's second family; unset = none */
	const char *zone;
	bool stateful; /* a StatefulSet's: it has a name of its own in DNS */
};

struct svc_groups {
	struct api_endpoint_group *items;
	size_t n;
};

/**
 * svc_plan_groups - endpoints by family and resolved ports, in an order that depends on nothing else.
 *
 * A named target port is looked up in each pod; a pod that has none of the ports is left out, one that
 * has some of them has those. The strings are lent by svc and the pods. End *out with svc_groups_done().
 */
void svc_plan_groups(const struct api_service *svc, const struct svc_pod *pods, size_t n,
		     struct svc_groups *out);
void svc_groups_done(struct svc_groups *g);
DEFINE_AUTO_VALUE(struct svc_groups, svc_groups_done)

/** svc_plan_families - of the cards, IPv4 first; those of head (may be NULL) where there is no pod. */
void svc_plan_families(const struct svc_groups *g, const struct api_service *head, uint8_t out[2]);

enum svc_head_verdict {
	SVC_HEAD_RIGHT = 0,
	SVC_HEAD_PATCH,
	SVC_HEAD_REPLACE, /* what differs cannot be changed: delete it, then make it again */
};

/* What the half of a Service shall be. All lent. */
struct svc_head_in {
	const struct api_service *svc;
	const uint8_t *families; /* two of them, by svc_plan_families() */
	const char *copy_labels; /* as copy_labels.h has it; NULL = none */
};

/** svc_plan_head - what is to be done about head, which is ours, so that it goes with its Service. */
enum svc_head_verdict svc_plan_head(const struct svc_head_in *in, const struct api_service *head);

/** svc_plan_head_new - the whole object. The caller frees it. */
char *svc_plan_head_new(const struct svc_head_in *in, const char *name);
/** svc_plan_head_patch - a merge patch on head, with its UID and resourceVersion. The caller frees it. */
char *svc_plan_head_patch(const struct svc_head_in *in, const struct api_service *head);

#endif
