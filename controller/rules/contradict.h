/* SPDX-License-Identifier: Apache-2.0 */
/* What nodes report of one card and cannot both be true. Pure. */
#ifndef CONTROLLER_RULES_CONTRADICT_H
#define CONTROLLER_RULES_CONTRADICT_H

#include <stdbool.h>

struct api_ip;

enum contradict {
	CONTRADICT_NONE = 0,
	CONTRADICT_CONFLICT, /* in conflict before it is used, but it is in use */
	CONTRADICT_DOWN,     /* down and attached, with no ADD in between */
	CONTRADICT_CARD,     /* another card than was told before, or than the record has */
	CONTRADICT_KINDS,
};

/**
 * contradict_of - does this change of a record's status contradict what is known? Once for each.
 * @was, @now: of one record, by its UID
 * @in_use: the API shows that the record's pod has an IP
 *
 * Honest nodes are counted where a pod gets a new sandbox while another machine takes its address. No record is treated
 * otherwise for it.
 */
enum contradict contradict_of(const struct api_ip *was, const struct api_ip *now, bool in_use);
/** contradict_name - as metrics have it: "conflict", "down", "card". */
const char *contradict_name(enum contradict c);

#endif
