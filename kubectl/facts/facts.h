/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of a cluster, read once and kept: lists of what the API server has. */
#ifndef KUBECTL_FACTS_FACTS_H
#define KUBECTL_FACTS_FACTS_H

#include "api/ip.h"
#include "api/pod.h"
#include "api/subnet.h"
#include "ipam/allocation.h"

struct kube_client;

struct facts_condition {
	char *type, *status, *reason, *message; /* "" = absent */
};

struct facts_conditions {
	struct facts_condition *items;
	size_t n;
};

/** facts_condition_find - NULL = it has none of that type. Lent. */
const struct facts_condition *facts_condition_find(const struct facts_conditions *c,
						   const char *type);

struct facts_subnet {
	struct api_meta meta;
	struct api_subnet *spec; /* NULL: why says what is wrong with it */
	char *why;
	char *phase; /* of status, "" while no controller has seen it */
	struct ipam_allocation allocation;
	bool allocation_bad; /* it cannot be read */
	int64_t total, used, free, reserved, cooling, quarantined;
	struct facts_conditions conditions;
};

/* What is read of a container, init containers apart. */
struct facts_pod {
	struct api_pod *pod;
	char *image;   /* of the first one */
	char **args;   /* of the first one, ended by NULL */
	char *waiting; /* reason of the first that waits; "" for none */
	struct facts_conditions conditions;
};

struct facts_node {
	char *name;
	char *labels;        /* see api/labels.h */
	bool out_of_service; /* it has the taint */
	char *installed;     /* what the node's daemon says of itself (annotation), "" = nothing */
	struct facts_conditions conditions;
};

struct facts_event {
	char *reason, *message, *type, *source;
	int64_t last; /* seconds since 1970 */
};

struct facts {
	struct facts_subnet *subnets;
	size_t n_subnets;
	struct api_ip **records;
	size_t n_records;
	struct facts_pod *pods;
	size_t n_pods;
	struct facts_node *nodes;
	size_t n_nodes;
	struct facts_event *events;
	size_t n_events;
	size_t n_bad; /* objects that could not be read; bad is the first one's error */
	struct err bad;
};

void facts_done(struct facts *f);
DEFINE_AUTO_VALUE(struct facts, facts_done)

/* Where to read from, and what: ns NULL = all namespaces; selectors: a query, or NULL. */
struct facts_from {
	struct kube_client *client;
	const char *ns;
	const char *selectors;
	bool legacy; /* the older product's annotations count too */
	int64_t deadline_ms;
};

enum facts_kind { FACTS_SUBNETS = 0, FACTS_RECORDS, FACTS_PODS, FACTS_NODES, FACTS_EVENTS };

/**
 * facts_read - empty that list and read it again. Errors of kube_do().
 *
 * An object that cannot be read is counted in n_bad and left out.
 */
int facts_read(struct facts *f, enum facts_kind kind, const struct facts_from *from,
	       struct err *e) FN_MUST;
/** facts_forget - empty that list. */
void facts_forget(struct facts *f, enum facts_kind kind);

/* The one of that name; NULL = there is none. Lent. */
const struct facts_subnet *facts_subnet(const struct facts *f, const char *name);
const struct api_ip *facts_record(const struct facts *f, const char *ns, const char *name);
const struct facts_pod *facts_pod(const struct facts *f, const char *ns, const char *name);
const struct facts_node *facts_node(const struct facts *f, const char *name);

/* Decoding, for tests and for objects that were read alone. The struct is ended by facts_done() of where it is put. */
int facts_add_subnet(struct facts *f, const struct jval *obj, struct err *e) FN_MUST;
int facts_add_record(struct facts *f, const struct jval *obj, struct err *e) FN_MUST;
int facts_add_pod(struct facts *f, const struct jval *obj, bool legacy, struct err *e) FN_MUST;
int facts_add_node(struct facts *f, const struct jval *obj, struct err *e) FN_MUST;
int facts_add_event(struct facts *f, const struct jval *obj, struct err *e) FN_MUST;

#endif
