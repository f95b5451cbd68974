/* SPDX-License-Identifier: Apache-2.0 */
/* Why a pod has no card: from the pod to the plugin, up to the first thing that is wrong. Pure. */
#ifndef KUBECTL_RULES_WHY_H
#define KUBECTL_RULES_WHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct facts;
struct facts_pod;

#define WHY_STEPS    8
#define WHY_TEXT_LEN 1200

struct why_in {
	const struct facts *facts;   /* subnets, records and nodes of all; events of the pod */
	const struct facts_pod *pod; /* NULL = there is none of that name */
	const char *ns, *name;
	const char *system_ns;
	const char *ns_labels; /* see api/labels.h */
	bool ns_known;
	const char *default_subnet; /* of pods that name none; NULL = none */
	const char *default_of;     /* whose word that is: "namespace shop" */
	const char *missing;        /* a MacvlanSubnet that is not in system_ns, and */
	const char *elsewhere;      /* another namespace that has it; NULL = none */
	const char *leader_wrong;   /* why no controller works; NULL = one does */
	const char *daemon_wrong;   /* why tandem-node does not on the pod's node; NULL = it does */
	int64_t hold_s;
	int64_t now_s;
};

struct why_step {
	const char *what; /* "pod", "annotations", ... */
	bool wrong;       /* the last one, then */
	char text[WHY_TEXT_LEN];
};

struct why {
	struct why_step steps[WHY_STEPS];
	size_t n;
	bool wrong;
};

/** why_pod - walk. Each step's text says what was found; that of a wrong one also what to do. */
void why_pod(const struct why_in *in, struct why *out);

#endif
