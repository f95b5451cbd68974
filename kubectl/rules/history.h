/* SPDX-License-Identifier: Apache-2.0 */
/* The journal replayed: who had which address from when until when. Pure. */
#ifndef KUBECTL_RULES_HISTORY_H
#define KUBECTL_RULES_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/journal.h"
#include "lib/base/auto.h"
#include "lib/base/sb.h"

/* One pod's time with an address. Texts are its own, "" = not known. */
struct history_span {
	char *subnet;
	struct ip_addr addr;
	char *pod, *pod_uid, *node, *mac, *record_uid;
	int64_t from,
		until; /* seconds since 1970; from 0 = before the journal begins; until 0 = it has it */
	char *why;     /* of its end: a word, see api_change_why() */
};

struct history_line {
	char *subnet;
	uint64_t number;
	char *text;
};

struct history {
	struct history_line *lines; /* in any order, some of them twice */
	size_t n_lines;
	struct history_span *spans; /* by subnet, then in the order in which they began */
	size_t n;
	struct sb faults; /* what does not fit together, a line each */
};

void history_done(struct history *h);
DEFINE_AUTO_VALUE(struct history, history_done)

/** history_add_waiting - what waits in a subnet. */
void history_add_waiting(struct history *h, const char *subnet, const struct api_lines *lines);

struct history_batch {
	uint64_t number;
	const char *text;
};

/* The parts, from the oldest on; batches in the order of their numbers. */
struct history_chain {
	char hash[API_JOURNAL_HASH_LEN]; /* of the batch before; "" = none yet */
	uint64_t batch;
};

/** history_add_part - its batches, held against its head and what came before. */
void history_add_part(struct history *h, struct history_chain *chain,
		      const struct api_journal_head *head, const struct history_batch *batches,
		      size_t n);

/** history_replay - all lines that were added become spans. */
void history_replay(struct history *h);

#endif
