/* SPDX-License-Identifier: Apache-2.0 */
/* A MacvlanSubnet as the cache keeps it. */
#ifndef CONTROLLER_CLUSTER_SUBNET_OBJECT_H
#define CONTROLLER_CLUSTER_SUBNET_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "api/journal.h"
#include "api/subnet.h"
#include "ipam/allocation.h"
#include "lib/base/auto.h"
#include "lib/base/err.h"

struct jval;

struct subnet_object {
	struct api_meta meta;
	struct api_subnet *spec; /* NULL while it breaks a rule: */
	struct err why;
	uint64_t term; /* of status.allocation, read leniently */
	uint64_t commit;
	char *holder;
	struct ipam_allocation record;
	bool record_bad;        /* status.allocation cannot be read */
	struct api_lines lines; /* status.journal */
	char *conditions; /* JSON text of status.conditions: types, truth and times; may be NULL */
};

/** subnet_object_decode - JSON to struct; subnet_object_free() frees it. ERR_DECODE. */
int subnet_object_decode(const struct jval *obj, struct subnet_object **out, struct err *e) FN_MUST;
void subnet_object_free(struct subnet_object *o);
DEFINE_AUTO(struct subnet_object, subnet_object_free)

#endif
