/* SPDX-License-Identifier: Apache-2.0 */
/* From the caches to the questions of decide.h. */
#ifndef CONTROLLER_RECORDS_QUESTION_H
#define CONTROLLER_RECORDS_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/rules/decide.h"

struct entry;
struct subnet;

/** question_request - its pod's request into entry->request and its workload into entry->owner. False = malformed, e says how. */
bool question_request(struct entry *entry, struct err *e);

/** question_new - may its pod have a record? The subnet that it names goes to *out, NULL where it is not known. */
enum decide_reason question_new(struct entry *entry, struct subnet **out, char *msg, size_t size);

/** question_changed - its pod's annotations ask for something else by now than this record of it has. */
bool question_changed(const struct entry *entry, const struct api_ip *rec);

/** question_record - what is to be done about its record; see decide_record(). */
enum decide_record_verdict question_record(struct entry *entry, const struct api_ip *rec,
					   int64_t *wake_ms);

#endif
