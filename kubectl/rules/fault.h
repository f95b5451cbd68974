/* SPDX-License-Identifier: Apache-2.0 */
/* What in records, allocations, pods and nodes does not fit together. Pure. */
#ifndef KUBECTL_RULES_FAULT_H
#define KUBECTL_RULES_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/ip.h"

struct facts;

enum fault_kind {
	FAULT_USED_WITHOUT_RECORD = 0,
	FAULT_RECORD_NOT_USED,
	FAULT_TWO_RECORDS,
	FAULT_TWO_MACS,
	FAULT_NO_POD,
	FAULT_NO_SUBNET,
	FAULT_NO_CARD,
	FAULT_NO_NODE,
	FAULT_KINDS,
};

/* Texts are its own: it outlives the facts. */
struct fault {
	enum fault_kind kind;
	char *subnet;
	struct ip_addr addr;
	char *ns, *name;     /* of the record, "" = there is none */
	char *uid, *version; /* its, as it was seen */
	char *pod_uid, *node;
	char *text; /* what is wrong, and what to do */
	bool releasable; /* the command release may end the record: the controller then sees to it that no card is left */
};

struct faults {
	struct fault *items;
	size_t n;
};

void faults_done(struct faults *f);
DEFINE_AUTO_VALUE(struct faults, faults_done)

/** faults_find - in subnets, records, pods (of all namespaces) and nodes. */
struct faults faults_find(const struct facts *f);

/**
 * faults_keep - of f those that stand in seen too, as they were: what is on its way is no fault.
 *
 * The lists of one look are read one after the other, so that something between them seems to be wrong in each.
 */
void faults_keep(struct faults *f, const struct faults *seen);

/** fault_kind_name - "UsedWithoutRecord", ... */
const char *fault_kind_name(enum fault_kind kind);

/**
 * fault_live_card - where the record's card lives or could live, in words; false = nowhere, as far as objects tell.
 * @ns, name: of the record
 */
bool fault_live_card(const struct facts *f, const char *ns, const char *name, char *buf,
		     size_t size);

#endif
