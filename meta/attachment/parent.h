/* SPDX-License-Identifier: Apache-2.0 */
/* The link on the host that a pod's card sits on, from the first claim to the last user's leaving. */
#ifndef META_ATTACHMENT_PARENT_H
#define META_ATTACHMENT_PARENT_H

#include <stdint.h>

#include "lib/base/err.h"

struct macvlan_card;
struct state;
struct state_dir;

/* Who asks for a seat. All lent. */
struct parent_claim {
	const struct macvlan_card *card;
	const char *told;     /* how the record tells its master */
	const char *ns, *pod; /* the pod's, for messages */
	int64_t deadline_ms;  /* to wait for the parent's lock until then */
};

/**
 * parent_claim - before the card is made: take a seat on its parent, and see to it that the VLAN is there and
 * stays. The state is filled in and not saved: who finds a file without the parent asks the seats.
 *
 * ERR_AGAIN, naming whose they are, when cards of another sort sit there: another type, another mode where
 * all on a parent have one. Else as macvlan_parent_find(). parent_release() takes back all of it.
 */
int parent_claim(const struct state_dir *d, struct state *s, const struct parent_claim *claim,
		 struct err *e) FN_MUST;

/**
 * parent_release - once the card is gone: the VLAN goes if it is ours and this was its last user, then the
 * attachment's state file.
 *
 * Where the process is killed in between, the next call does the rest.
 */
int parent_release(const struct state_dir *d, const struct state *s, struct err *e) FN_MUST;

/** parent_recall - fill in by the seats what a file that was lost or is unfinished does not say of the parent. */
int parent_recall(const struct state_dir *d, struct state *s, struct err *e) FN_MUST;

#endif
