/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/door/timing.h"

#define MAGIC 0x74636c31U /* "tcl1" */

const char *call_step_name(enum call_step step)
{
	static const char *const names[CALL_STEPS] = {
		[CALL_CONF] = "conf",     [CALL_ANNOTATIONS] = "annotations",
		[CALL_STATE] = "state",   [CALL_PRIMARY] = "primary",
		[CALL_RECORD] = "record", [CALL_CARD] = "card",
		[CALL_ROUTES] = "routes", [CALL_ANNOUNCE] = "announce",
		[CALL_RESULT] = "result",
	};

	return names[step];
}

const char *call_verb_name(enum call_verb verb)
{
	static const char *const names[CALL_VERBS] = {
		[CALL_ADD] = "ADD", [CALL_DEL] = "DEL", [CALL_CHECK] = "CHECK", [CALL_GC] = "GC"};

	return names[verb];
}

void call_begin(struct call *c, enum call_verb verb)
{
	*c = (struct call){.magic = MAGIC, .verb = (uint8_t)verb};
}

void call_took(struct call *c, enum call_step step, int64_t us)
{
	int64_t sum = (int64_t)c->step_us[step] + (us < 0 ? 0 : us);

	c->step_us[step] = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

bool call_is_one(const struct call *c)
{
	return c->magic == MAGIC && c->verb < CALL_VERBS && c->failed <= 1 && c->card <= 1;
}
