/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When which card is announced again on its LAN. Pure: no I/O, no clock of its own.
 *
 * After its parent has come up again: the switch may be another one, or has forgotten what it knew. And once
 * after its ADD, since a single frame can be lost and an ADD waits for nobody.
 */
#ifndef NODE_HERALD_H
#define NODE_HERALD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"

struct herald_link;
struct herald_task;

struct herald {
	struct herald_link *links;
	struct herald_task *tasks;
	size_t n_links, n_tasks;
};

/* A link of the host, as it is seen. */
struct herald_seen {
	int index;
	uint32_t changes; /* of its carrier since it was made */
	bool carrier;
};

/* A card to announce. */
struct herald_task {
	char *file; /* its state file's name */
	int parent; /* only when it sits on this link; 0 = wherever */
	int64_t at_ms;
};

void herald_done(struct herald *h);
DEFINE_AUTO_VALUE(struct herald, herald_done)

/**
 * herald_look - all links as they are now; those that are not among them are forgotten.
 *
 * One that has lost its carrier since it was first seen, and has it now, is due at once, 2 and 35 seconds
 * later: RFC 5227 has two announcements 2 s apart, and a port under spanning tree forwards nothing for 30 s.
 * One that comes and goes begins again every 10 s at most.
 */
void herald_look(struct herald *h, const struct herald_seen *seen, size_t n, int64_t now_ms);

/** herald_round - the cards on a link are due: take them in with herald_add(). */
bool herald_round(struct herald *h, int64_t now_ms, int *out_index);

/** herald_add - a card of a round, the i-th of them: they are sent one by one, 5 ms apart. */
void herald_add(struct herald *h, const char *file, int parent, size_t i, int64_t now_ms);

/** herald_add_new - a card whose ADD has just ended: due in 2 s. */
void herald_add_new(struct herald *h, const char *file, int64_t now_ms);

/** herald_take - a card that is due. The caller frees out->file. */
bool herald_take(struct herald *h, int64_t now_ms, struct herald_task *out);

/** herald_when - when there is something due next; 0 = nothing is. */
int64_t herald_when(const struct herald *h);

#endif
