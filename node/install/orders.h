/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cluster has to say to its nodes: the ConfigMap tandem-cluster, which tandem-controller writes. Pure but for
 * the log.
 */
#ifndef NODE_INSTALL_ORDERS_H
#define NODE_INSTALL_ORDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct jval;

#define ORDERS_CONFIGMAP "tandem-cluster"
#define ORDERS_DOCTOR    "doctor"

/* The keys that become keys of the conf, by the same names. */
enum orders_key {
	ORDERS_CLUSTER_CIDR = 0,
	ORDERS_SERVICE_CIDR,
	ORDERS_VIA_PRIMARY,
	ORDERS_LOG_LEVEL,
	ORDERS_DEADLINE,
	ORDERS_KEYS
};

struct orders {
	char *v[ORDERS_KEYS]; /* as they stand in the ConfigMap; NULL: not known. Owned */
	bool uninstall;
	char *doctor;         /* what the LAN doctor is to look at; NULL: nothing. Owned */
	unsigned int doctors; /* grows when that changes */
};

void orders_done(struct orders *f);
DEFINE_AUTO_VALUE(struct orders, orders_done)

/** orders_key_name - in the ConfigMap and in the conf. */
const char *orders_key_name(enum orders_key key);

/** orders_set - one value. -1, and nothing is changed: it is none. NULL and "" take it away. */
int orders_set(struct orders *f, enum orders_key key, const char *value) FN_MUST;

/**
 * orders_read - a ConfigMap, over what was known before: what it does not name is not known any more.
 *
 * A value that is none keeps what was known before. That, and unknown keys, are logged. ERR_DECODE: no ConfigMap.
 */
int orders_read(const struct jval *configmap, struct orders *f, struct err *e) FN_MUST;

#endif
