/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one call of the plugin has taken, told to tandem-node for its metrics: a record of fixed size, appended to a
 * file that the daemon makes beside its socket and takes away to read. Without the daemon there is no file, and
 * nothing is written. Both ends are of one node, so the record is as the machine has it. No I/O here.
 */
#ifndef LIB_DOOR_TIMING_H
#define LIB_DOOR_TIMING_H

#include <stdbool.h>
#include <stdint.h>

/* Of the file: the path of the socket, and this. */
#define CALLS_SUFFIX ".calls"
/* The file is read every minute: so many bytes are 270 calls in each second of it. What is more is not counted. */
#define CALLS_MAX_BYTES (1L << 20)

/* A later version may add steps where there is room, at the end. */
enum call_step {
	CALL_CONF,        /* stdin read and parsed */
	CALL_ANNOTATIONS, /* what the pod asks for; what an ADD that was killed has left */
	CALL_STATE,       /* the state file read */
	CALL_PRIMARY,     /* the primary's plugins */
	CALL_RECORD,      /* the pod's MacvlanIP asked for and waited for, beside the primary */
	CALL_CARD,        /* the link made or removed */
	CALL_ROUTES,      /* address, routes and rules */
	CALL_ANNOUNCE,    /* the LAN told */
	CALL_RESULT,      /* state file and result written */
	CALL_STEPS,
};

enum call_verb {
	CALL_ADD,
	CALL_DEL,
	CALL_CHECK,
	CALL_GC,
	CALL_VERBS,
};

#define CALL_ROOM 11

struct call {
	uint32_t magic;
	uint8_t verb; /* enum call_verb */
	uint8_t failed;
	uint8_t card;                /* the pod asked for one, or had one */
	uint8_t spare;               /* 0 */
	uint32_t total_us;           /* from the start of the process */
	uint32_t step_us[CALL_ROOM]; /* by enum call_step; 0 = not taken */
};

_Static_assert(sizeof(struct call) == 56 && CALL_STEPS <= CALL_ROOM, "a fixed size");

/** call_step_name - as in the log and in the label "step". */
const char *call_step_name(enum call_step step);
/** call_verb_name - as in CNI_COMMAND. */
const char *call_verb_name(enum call_verb verb);
/** call_begin - *c is empty but for what makes it one. */
void call_begin(struct call *c, enum call_verb verb);
/** call_took - the step has taken so long, once more. */
void call_took(struct call *c, enum call_step step, int64_t us);
/** call_is_one - what was read is a record of this version. */
bool call_is_one(const struct call *c);

#endif
