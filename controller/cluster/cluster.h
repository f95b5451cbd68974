/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the API server has: a cache for each kind, kept by list and watch. Who wants to know of changes listens;
 * the caches know none of their listeners.
 */
#ifndef CONTROLLER_CLUSTER_CLUSTER_H
#define CONTROLLER_CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/workload.h"
#include "lib/base/auto.h"

struct cluster;
struct cluster_namespace;
struct cluster_node;
struct kube_client;
struct kube_store;
struct subnet_object;

/* In the order in which they are listed; what comes after the pods is listed at once. */
enum cluster_kind {
	CLUSTER_SUBNETS = 0, /* struct subnet_object, of the system namespace */
	CLUSTER_IPS,         /* struct api_ip; one that cannot be read has no subnet */
	CLUSTER_PODS, /* struct api_pod, those that ask for a card or are kept by a listener */
	CLUSTER_NAMESPACES, /* struct cluster_namespace */
	CLUSTER_NODES,      /* struct cluster_node */
	CLUSTER_WORKLOADS,  /* struct api_workload; one for each enum api_workload_kind */
	CLUSTER_KINDS = CLUSTER_WORKLOADS + (int)API_WORKLOADS,
};

/* Bits for cluster_listen(). */
#define CLUSTER_BIT(kind)     (1U << (kind))
#define CLUSTER_ALL_WORKLOADS (((1U << API_WORKLOADS) - 1) << CLUSTER_WORKLOADS)

/* Callbacks run inside the client's dispatch: they mark, and do no more. Each may be NULL. */
struct cluster_listener {
	/*
	 * old NULL = came, obj NULL = went, both = changed, or deleted and made again unseen: compare UIDs. old and
	 * key are lent until return, obj while it stays. Heartbeats of nodes and the like are not told.
	 */
	void (*changed)(void *ctx, enum cluster_kind kind, const char *key, const void *old,
			const void *obj);
	/* A complete list has been taken in. */
	void (*listed)(void *ctx, enum cluster_kind kind);
	/* A pod without our annotation is of interest all the same: it has a record. */
	bool (*keeps)(void *ctx, const char *key);
};

struct cluster_options {
	struct kube_client *client; /* NULL in tests that feed the caches by hand */
	const char *system_ns;
	bool legacy_annotations;    /* the older product's count too */
	const char *default_subnet; /* of namespaces without a default of their own; NULL = none */
};

/** cluster_new - all caches empty, nothing asked for. Options are lent. */
struct cluster *cluster_new(const struct cluster_options *opt);
/** cluster_free - without callbacks; before the client is freed. NULL is ignored. */
void cluster_free(struct cluster *c);
DEFINE_AUTO(struct cluster, cluster_free)

/**
 * cluster_listen - have the changes of those kinds told, in the order in which listeners have come.
 * @kinds: CLUSTER_BIT() of each
 * @l: lent, and ctx with it, for the life of c
 */
void cluster_listen(struct cluster *c, unsigned int kinds, const struct cluster_listener *l,
		    void *ctx);

/** cluster_start - begin to list and watch that kind; one that has begun is left alone. */
void cluster_start(struct cluster *c, enum cluster_kind kind);
/** cluster_list - have it listed, whatever is known of it. Not from a callback. */
void cluster_list(struct cluster *c, enum cluster_kind kind);
/** cluster_is_listed - a complete list has been taken in since the last cluster_list() of it. */
bool cluster_is_listed(const struct cluster *c, enum cluster_kind kind);
/** cluster_is_synced - a complete list has been taken in once. */
bool cluster_is_synced(const struct cluster *c, enum cluster_kind kind);
/** cluster_is_complete - each kind is: what is not in the caches is not there. */
bool cluster_is_complete(const struct cluster *c);

/* What is older than this may tell of a cluster that is no more. */
#define CLUSTER_STALE_MS 120000

/** cluster_age_ms - see kube_reflector_age_ms(); -1 where the kind has not been listed yet. */
int64_t cluster_age_ms(const struct cluster *c, enum cluster_kind kind, int64_t now_ms);
/** cluster_is_stale - a cache is older than CLUSTER_STALE_MS. */
bool cluster_is_stale(const struct cluster *c, int64_t now_ms);
/** cluster_kind_name - "pod", "macvlansubnet". */
const char *cluster_kind_name(enum cluster_kind kind);

/**
 * cluster_follow_versions - where a kind is not served under the path that was tried, try its other one; and list the
 * pods again where some have become of interest.
 *
 * Not from a callback.
 */
void cluster_follow_versions(struct cluster *c);

/* Objects are lent; valid until they change. */

/** cluster_each - the next object in no particular order, NULL at the end; *pos 0 first, key may be NULL. */
const void *cluster_each(const struct cluster *c, enum cluster_kind kind, size_t *pos,
			 const char **key);
/** cluster_node - NULL if it is not known. */
const struct cluster_node *cluster_node(const struct cluster *c, const char *name);
/** cluster_namespace - NULL if it is not known. */
const struct cluster_namespace *cluster_namespace(const struct cluster *c, const char *name);
/** cluster_default_subnet - what pods of that namespace ask for that name no subnet; NULL = nothing. Lent. */
const char *cluster_default_subnet(const struct cluster *c, const char *ns);
/** cluster_subnet - NULL if there is none of that name in the system namespace. */
const struct subnet_object *cluster_subnet(const struct cluster *c, const char *name);
/** cluster_workload - NULL if there is none that asks for a card. */
const struct api_workload *cluster_workload(const struct cluster *c, enum api_workload_kind kind,
					    const char *ns, const char *name);

/** cluster_store - the cache itself, for who feeds it by hand. */
struct kube_store *cluster_store(struct cluster *c, enum cluster_kind kind);

#endif
