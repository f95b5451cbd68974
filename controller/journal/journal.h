/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: who had which address. A change is written down by the very write to its subnet that makes it
 * (subnets/journal.h). From there many at once come here, into a ring of ConfigMaps, each batch with the hash of the one
 * before it. Nothing waits for it: where it cannot be written, lines stay where they are.
 */
#ifndef CONTROLLER_JOURNAL_JOURNAL_H
#define CONTROLLER_JOURNAL_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

struct journal;
struct process;
struct subnets;

struct journal_options {
	uint32_t parts; /* ConfigMaps in the ring, 0 = there is no journal */
	uint32_t days;  /* a part whose newest line is older is deleted */
};

/* All lent. */
struct journal_in {
	const struct journal_options *opt;
	struct process *process;
	struct subnets *subnets;
};

struct journal *journal_new(const struct journal_in *in);
/** journal_free - before the client is freed. NULL is ignored. */
void journal_free(struct journal *j);

/** journal_run - as the leader: read what is there, write what is due. The monotonic time of what comes next, 0 = none. */
int64_t journal_run(struct journal *j);

struct journal_numbers {
	uint64_t lines, writes, failures; /* since the start */
	size_t waiting;                   /* lines in the subnets */
};

struct journal_numbers journal_numbers(const struct journal *j);

#endif
