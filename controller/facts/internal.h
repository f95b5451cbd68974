/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of facts/ share. */
#ifndef CONTROLLER_FACTS_INTERNAL_H
#define CONTROLLER_FACTS_INTERNAL_H

#include "controller/facts/facts.h"
#include "controller/rules/settings.h"

struct kube_call;
struct kube_reflector;
struct kube_store;

/* What is watched for it. */
enum source_kind {
	SOURCE_PUBLISHED = 0, /* ConfigMap tandem-cluster, by every replica */
	SOURCE_SETTINGS,      /* ConfigMap tandem-settings: from here on by the leader alone */
	SOURCE_CIDRS,         /* ServiceCIDRs */
	SOURCE_KUBERNETES,    /* the Service kubernetes */
	SOURCE_DNS,           /* kube-system's Services: the one of cluster DNS is kept */
	SOURCES,
};

/* A Service's addresses. */
struct source_service {
	struct ipam_nets addrs;
	bool is_named; /* kube-dns by its name, not only by its label */
};

/* What a ServiceCIDR says. */
struct source_cidr {
	struct ipam_nets nets;
};

struct source {
	struct facts *facts;
	enum source_kind kind;
	struct kube_store *store;
	struct kube_reflector *reflector; /* NULL = not asked for */
	size_t version;                   /* of the ways to ask, which one */
	int64_t absent_ms; /* not served in any version: not to be asked for before; 0 = not so */
};

/* What the API server says to a Service with an address of another network: refusal.c */
struct refusal {
	struct kube_call *call;
	int step;
	struct ipam_nets nets;  /* what it said the last time, */
	struct ipam_nets heard; /* and what it has said so far this time */
	int64_t next_ms;        /* ask again then; 0 = at once */
	bool is_done;           /* it has answered once */
};

struct facts {
	struct facts_in in;
	struct source source[SOURCES];
	struct refusal refusal;
	bool changed; /* something is to be looked at */
	int64_t looked_ms, started_ms;
	bool settled;

	/* What is so, and what nodes are to be told. */
	struct settings_values now;
	struct ipam_nets services, pods, kubernetes;
	unsigned int version;
	bool is_wide; /* pod networks had to be said in wider ones */

	/* The write that is under way. */
	struct kube_call *call;
	unsigned int failures;
	int64_t retry_ms;

	struct settings_complaints complaints;
	int64_t told_ms;
};

/** source_init - nothing is asked for yet. */
void source_init(struct facts *f, enum source_kind kind);
void source_done(struct source *s);
/** source_run - begin to watch, in a version that is served. The time to look again, 0 = none. */
int64_t source_run(struct source *s);
/** source_has_answered - its objects are known, or why they are not to be had. */
bool source_has_answered(const struct source *s);

/** refusal_run - ask when it is time. The time to look again, 0 = none. */
int64_t refusal_run(struct facts *f);
void refusal_done(struct facts *f);

/** publish_run - write the ConfigMap when it is not as it shall be. The time to look again, 0 = none. */
int64_t publish_run(struct facts *f);
void publish_done(struct facts *f);
/** publish_object - the ConfigMap as it stands, NULL = not there. */
const struct settings_map *publish_object(const struct facts *f);
/** publish_settings - the administrator's, NULL = there are none. */
const struct settings_map *publish_settings(const struct facts *f);

#endif
