/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a write changes, as lines of the journal that go with it: so that a change and its line are there both, or
 * neither, whoever dies. They wait in the subnet's status until controller/journal has put them away.
 */
#ifndef CONTROLLER_SUBNETS_JOURNAL_H
#define CONTROLLER_SUBNETS_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

struct api_ip;
struct api_lines;
struct subnet;

/** journal_note - whose an address is, for struct plan_entry. The caller frees it. @why: of its end, or NULL */
char *journal_note(const struct api_ip *rec, const char *why);

/** journal_compose - the write is made up: what it changes. */
void journal_compose(struct subnet *subnet);
/** journal_text - what its status is to say of it, from the comma on; "" = nothing new. The caller frees it. @taken: bytes */
char *journal_text(const struct subnet *subnet, size_t taken);
/** journal_committed - the write is done: its lines count. */
void journal_committed(struct subnet *subnet);
/** journal_drop - the write is over, done or not. */
void journal_drop(struct subnet *subnet);
/** journal_take - what stands in the status that was read: a write that had been given up for lost may be among it. */
void journal_take(struct subnet *subnet, struct api_lines *read);
/** journal_due - when what no write was needed for is to be written all the same; 0 = never. Asks for the write when it is time. */
int64_t journal_due(struct subnet *subnet, int64_t now_ms);

#endif
