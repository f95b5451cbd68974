/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sits on which link of the host: a folder for each parent in the state directory, a file in it for each
 * attachment. The folder is the parent's lock as well.
 */
#ifndef META_ATTACHMENT_SEATS_H
#define META_ATTACHMENT_SEATS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "macvlan/vlan.h"

struct state;
struct state_dir;
struct seats;

#define SEATS_TEXT_MAX 512

/* One attachment on a parent. */
struct seat {
	char link[32];            /* what the card is: the sort in lib/nl/link_type.h */
	char pod[SEATS_TEXT_MAX]; /* "namespace/name" of its pod, for messages */
	struct macvlan_vlan at;   /* the parent, for who finds nothing but this */
};

/**
 * seats_open - open a parent's folder, made where there is none, and lock it until the deadline.
 *
 * ERR_AGAIN when the deadline ran out, ERR_IO. End it with seats_close().
 */
int seats_open(const struct state_dir *d, const char *parent, int64_t deadline_ms,
	       struct seats **out, struct err *e) FN_MUST;

/** seats_close - let go, and remove the folder when nobody is in it. NULL is fine. */
void seats_close(struct seats *u);
DEFINE_AUTO(struct seats, seats_close)

/** seats_add - an attachment takes its seat; there already is fine. */
int seats_add(struct seats *u, const struct state *s, const struct seat *who,
	      struct err *e) FN_MUST;

/** seats_remove - it gives it up; not there is fine. */
int seats_remove(struct seats *u, const struct state *s, struct err *e) FN_MUST;

/**
 * seats_other - any other attachment of this boot. 1 and *out, 0 when there is none, -1 error.
 *
 * What an earlier boot left does not count: no card of it is there.
 */
int seats_other(struct seats *u, const struct state *s, struct seat *out, struct err *e) FN_MUST;

/**
 * seats_find - where an attachment sits whose state file tells nothing. 1 and *out, 0 nowhere, -1.
 *
 * Of a seat that was half taken *out has the parent's name alone.
 */
int seats_find(const struct state_dir *d, const char *container_id, const char *ifname,
	       struct seat *out, struct err *e) FN_MUST;

/**
 * seats_end_lost - take away the seats that no state file stands behind: nobody's DEL would. Adds their number to *n.
 *
 * An ADD writes its file before it sits down, a DEL takes it away after it stood up. A parent that a verb is
 * at work on is left alone, and so are seats of cards that share one mode. A card that lives on without its file keeps its parent: the
 * kernel is asked before a VLAN goes. ERR_IO.
 */
int seats_end_lost(const struct state_dir *d, size_t *n, struct err *e) FN_MUST;

/** links_agree - the kernel lets cards of these two sorts sit on one parent. */
bool links_agree(const char *a, const char *b);

#endif
