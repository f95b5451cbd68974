/* SPDX-License-Identifier: Apache-2.0 */
/* What a subnet's conditions say, and what is told when one of them becomes true. Pure. */
#ifndef CONTROLLER_RULES_CONDITIONS_H
#define CONTROLLER_RULES_CONDITIONS_H

#include <stdbool.h>

#include "lib/base/clock.h"

struct jw;
struct status_in;

enum condition_kind {
	CONDITION_READY = 0,
	CONDITION_EXHAUSTED,
	CONDITION_NEARLY_EXHAUSTED,
	CONDITION_WHOLE_CIDR,
	CONDITION_OVERLAP,
	CONDITION_CONFLICTS,
	CONDITION_SERVICES,
	CONDITION_CLUSTER,
	CONDITIONS,
};

struct condition {
	const char *type;
	bool holds;
	const char *reason;
	char message[420];
};

/**
 * conditions_make - all of them, in the order of enum condition_kind. How many: of a subnet whose spec is wrong
 * there is only the first.
 */
int conditions_make(const struct status_in *in, struct condition out[CONDITIONS]);

/** conditions_write - the elements of status.conditions; one that is as it was keeps its time. */
void conditions_write(struct jw *w, const struct status_in *in, const struct condition *c, int n);

/**
 * conditions_was - how it stood.
 * @conditions: status.conditions as JSON, may be NULL
 * @when: out: its time, "" when there is none; may be NULL
 *
 * 1 = true, 0 = false, -1 = not there.
 */
int conditions_was(const char *conditions, const char *type, char when[CLOCK_RFC3339_LEN]);

#endif
