/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cluster's own facts, and the administrator's settings beside them: what nodes are told in ConfigMap
 * tandem-cluster. Pure.
 */
#ifndef CONTROLLER_RULES_SETTINGS_H
#define CONTROLLER_RULES_SETTINGS_H

#include <stdbool.h>

#include "ipam/nets.h"
#include "lib/base/auto.h"
#include "lib/base/err.h"

struct jval;

/* The controller writes it, the nodes read it. */
#define SETTINGS_PUBLISHED "tandem-cluster"
/* The administrator writes it. */
#define SETTINGS_GIVEN "tandem-settings"
/* A key of tandem-cluster that the uninstallation alone writes: nodes take away what they have. */
#define SETTINGS_UNINSTALL "uninstall"
/* More pod networks than that are said in wider ones: each is a route in each pod of some nodes. */
#define SETTINGS_POD_NETS_MAX 64

enum settings_key {
	SETTINGS_CLUSTER_CIDR = 0, /* pod networks */
	SETTINGS_SERVICE_CIDR,
	SETTINGS_CLUSTER_DNS, /* addresses */
	SETTINGS_VIA_PRIMARY, /* further networks that stay on eth0: only settings say any */
	SETTINGS_LOG_LEVEL,
	SETTINGS_DEADLINE,
	SETTINGS_DOCTOR, /* subnets as nodes are to probe them: no setting */
	SETTINGS_KEYS,
};

/** settings_key_name - as it stands in both ConfigMaps. */
const char *settings_key_name(enum settings_key key);

/* A value for each key, NULL where there is none; all owned. */
struct settings_values {
	char *v[SETTINGS_KEYS];
};

void settings_values_done(struct settings_values *f);
DEFINE_AUTO_VALUE(struct settings_values, settings_values_done)
bool settings_values_eq(const struct settings_values *a, const struct settings_values *b);

/**
 * settings_check - a value as it may stand under that key, in canonical form.
 * @out: the caller's; NULL for an empty value, which is as good as none
 *
 * ERR_CONFIG names the key.
 */
int settings_check(enum settings_key key, const char *value, char **out, struct err *e) FN_MUST;

/* What a ConfigMap says that we read. Made by a kube_store. */
struct settings_map {
	char *uid, *version;
	struct settings_values values; /* as they stand there */
	bool uninstall;                /* "true" */
	bool strange; /* there are keys that are none of these, or uninstall is something else */
	char *first_strange; /* one of them, NULL = none */
};

/* Of the shape that a kube_store wants; the object is a struct settings_map. */
int settings_map_decode(void *ctx, const struct jval *obj, void **out, struct err *e) FN_MUST;
void settings_map_free(void *obj);

#define SETTINGS_COMPLAINTS_MAX (SETTINGS_KEYS + 1)

/* What the settings have wrong, one text for each key. */
struct settings_complaints {
	char text[SETTINGS_COMPLAINTS_MAX][256];
	int n;
};

/**
 * settings_merge - what nodes are told: each setting wins over what was found, unless it is bad.
 * @settings: NULL = there is no such ConfigMap
 */
void settings_merge(const struct settings_values *found, const struct settings_map *settings,
		    struct settings_values *out, struct settings_complaints *why);

/**
 * settings_map_text - what to send so that the ConfigMap says this.
 * @over: what stands there: a patch of it, which leaves a valid uninstall alone; NULL = a new object in ns
 *
 * NULL when it says so already. The caller frees it.
 */
char *settings_map_text(const struct settings_values *want, const struct settings_map *over,
			const char *ns);

/**
 * settings_read_refusal - the networks that an API server names when it refuses a Service's address.
 *
 * "provided IP is not in the valid range. The range of valid IPs is 10.43.0.0/16", as all versions say that have
 * no ServiceCIDR objects. False when the text says none.
 */
bool settings_read_refusal(const char *text, struct ipam_nets *out);

#endif
