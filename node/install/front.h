/* SPDX-License-Identifier: Apache-2.0 */
/* Our conf in the runtime's folder: the first one there, and put back when it is not. */
#ifndef NODE_INSTALL_FRONT_H
#define NODE_INSTALL_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct confs;

/* What is remembered of it. */
struct front {
	char *placed;    /* the name that it has; NULL: it was not put there yet */
	char *text;      /* what it says */
	char *moved;     /* somebody has given it this name; NULL: nobody has been seen to */
	uint32_t cookie; /* of the move that is being seen */
	int64_t restored_ms;
	int64_t again_ms; /* when to look again: it was put back a moment ago; 0 = no need */
	bool missing;     /* it is not there, and waits for that */
};

void front_done(struct front *f);
DEFINE_AUTO_VALUE(struct front, front_done)

enum front_what {
	FRONT_SAME = 0, /* nothing was to be done, or not yet */
	FRONT_NEW,      /* it says something new, or has another name */
	FRONT_RESTORED, /* somebody had taken or changed it: who is in culprit */
};

struct front_result {
	enum front_what what;
	char culprit[256];
	/* The first of those files that the runtime takes before ours; "" = none. */
	char before[256];
	/* For its sake ours has another name; "" = none. */
	char rival[256];
};

/* A folder, what is in it, and what is to be there. */
struct front_wish {
	const char *dir;
	const struct confs *confs;
	const char *text;
	bool with_multus;
};

/**
 * front_assert - see to it that the conf is there. ERR_IO.
 *
 * It is put back at once, and at most every three seconds where another program takes it away each time.
 */
int front_assert(struct front *f, const struct front_wish *wish, struct front_result *out,
		 struct err *e) FN_MUST;

/** front_saw - an event of inotify in that folder, for who renames it. @mask, cookie, name: the event's. */
void front_saw(struct front *f, uint32_t mask, uint32_t cookie, const char *name);

/** front_remove - take it out, under each name that it has had. ERR_IO. */
int front_remove(struct front *f, const char *dir, struct err *e) FN_MUST;

#endif
