/* SPDX-License-Identifier: Apache-2.0 */
/* The few fields of a workload that tandem reads: what makes pods, and what it asks for them. */
#ifndef API_WORKLOAD_H
#define API_WORKLOAD_H

#include "api/annotations.h"
#include "api/meta.h"

struct api_owner;
struct api_pod;
struct jval;

enum api_workload_kind {
	API_DEPLOYMENT = 0,
	API_STATEFULSET,
	API_DAEMONSET,
	API_JOB,
	API_CRONJOB,
	API_WORKLOADS,
};

/*
 * One row of the table: a kind with a template of pods. What a template names is reserved for its pods.
 * versions and template end with NULL.
 */
struct api_workload_type {
	const char *kind;        /* "Deployment" */
	const char *group;       /* "apps" */
	const char *versions[3]; /* the best first; an API server has one of them at least */
	const char *plural;      /* "deployments" */
	const char *singular;    /* "deployment", as messages call it */
	const char *template[5]; /* where the template stands in the object */
	const char *
		replicas; /* in its spec, how many pods live side by side; NULL = it says no number */
	const char *
		maker; /* the kind that makes objects of this one, which go by its name; NULL = none */
};

/** api_workload_type - the row of a kind. Never NULL. */
const struct api_workload_type *api_workload_type(enum api_workload_kind kind);
/** api_workload_type_find - by group and plural; NULL: it is none of them. */
const struct api_workload_type *api_workload_type_find(const char *group, const char *plural);

/* What to decode: items of a list do not say it, so it is given. */
struct api_workload_form {
	enum api_workload_kind kind;
	bool legacy; /* the older product's annotations count too, see api_annotations_read() */
};

struct api_workload {
	enum api_workload_kind kind;
	struct api_meta meta;
	char *maker;           /* the maker of this one, a Job's CronJob; "" for none */
	int64_t replicas;      /* a StatefulSet's; 1 where it says nothing */
	int64_t first_ordinal; /* spec.ordinals.start */
	bool surges;           /* a Deployment that makes new pods before it ends old ones */
	struct api_annotations annotations; /* of the pod template */
	char *labels;                       /* of the pod template, see api/labels.h; NULL = none */
	bool service_off;                   /* its pods are kept out of -macvlan Services */
};

/**
 * api_workload_decode - JSON to struct.
 *
 * Malformed annotations are no error here: their pods are told. ERR_DECODE names the key. The
 * caller frees *out.
 */
int api_workload_decode(const struct api_workload_form *form, const struct jval *obj,
			struct api_workload **out, struct err *e) FN_MUST;
void api_workload_free(struct api_workload *w);
DEFINE_AUTO(struct api_workload, api_workload_free)

/** api_workload_asks_eq - the same pods would get the same cards: replicas and annotations. */
bool api_workload_asks_eq(const struct api_workload *a, const struct api_workload *b);

/** api_workload_kind_name - "Deployment", ... */
const char *api_workload_kind_name(enum api_workload_kind kind);

/*
 * The name by which a workload is known to its pods and to other workloads: "Deployment db/web" with
 * kind, namespace and name. A Job of a CronJob goes by the CronJob's.
 */

/** api_workload_id - of a workload. The caller frees it. */
char *api_workload_id(const struct api_workload *w);

/**
 * api_workload_id_of_pod - of the workload that a pod belongs to, by its controlling owner.
 *
 * A ReplicaSet that a Deployment made bears the Deployment's name and the pod's template hash. A Job is
 * given as such: who made it is not known to the pod. Other kinds go by api_owner_id(). NULL for a bare pod. The
 * caller frees it.
 */
char *api_workload_id_of_pod(const struct api_pod *pod);
/** api_workload_id_of_owner - of an owner as such: a workload's, or api_owner_id(). The caller frees it. */
char *api_workload_id_of_owner(const struct api_owner *owner, const char *ns);

/**
 * api_workload_ordinal - the number of a StatefulSet's pod in its name, the rest of it in *out_set.
 *
 * -1 when the name has none. The caller frees *out_set.
 */
int64_t api_workload_ordinal(const char *pod_name, char **out_set);

/**
 * api_workload_surge - how many pods over its replicas a Deployment has for a while when its template changes.
 * @strategy: spec.strategy.type, "" = RollingUpdate
 * @max_surge: spec.strategy.rollingUpdate.maxSurge, "1" or "25%"; "" = 25%
 */
int64_t api_workload_surge(const char *strategy, const char *max_surge, int64_t replicas);

/** api_workload_wants_ordinal - a StatefulSet that is not being deleted has a pod of that number. */
bool api_workload_wants_ordinal(const struct api_workload *w, int64_t ordinal);

#endif
