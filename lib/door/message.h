/* SPDX-License-Identifier: Apache-2.0 */
/* What the plugin asks tandem-node, and what it answers: JSON <-> structs. No I/O. */
#ifndef LIB_DOOR_MESSAGE_H
#define LIB_DOOR_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/json/jread.h"
#include "lib/json/jscan.h"

struct sb;

/* The number that both must say. A newer one is a door of its own: there is no guessing. */
#define DOOR_VERSION 1

#define DOOR_SOCKET      "/run/tandem/node.sock"
#define DOOR_REQUEST_MAX ((size_t)16 << 10)
#define DOOR_ANSWER_MAX  ((size_t)1 << 20)
/* The longest a question may wait. */
#define DOOR_WAIT_MAX_MS 60000

enum door_verb {
	DOOR_RECORD, /* a pod's MacvlanIP, at once or when it is as wanted */
	DOOR_POD,    /* name, UID and annotations of a pod */
	DOOR_NAMESPACE, /* name and annotations of a Namespace, which is name and namespace of the request */
	DOOR_PATCH, /* the status of a MacvlanIP, on conditions */
	DOOR_READY, /* can pods be served? It names no object and waits for nothing */
};

struct door_request {
	enum door_verb verb;
	char *ns, *name;
	int64_t wait_ms; /* an answer is of use for so long from now */
	/*
	 * record: NULL = answer with what is there. Else wait until the record is this pod's, has an address and has
	 * another version than the one that the asker has seen (NULL: any); what is there at the end is the answer all
	 * the same.
	 */
	char *pod_uid;
	char *seen;
	/* patch: what the record must still be, and what its status says then. NULL takes a word away. */
	char *uid, *version;
	char *phase, *message;
	bool clear_card_down;
};

/**
 * door_request_read - a message's text. ERR_DECODE, ERR_VERSION, ERR_UNSUPPORTED for an unknown verb.
 *
 * Names and conditions are not empty, and no longer than Kubernetes' own. End *out with door_request_done().
 */
int door_request_read(const char *text, size_t len, struct door_request *out,
		      struct err *e) FN_MUST;
void door_request_done(struct door_request *r);
DEFINE_AUTO_VALUE(struct door_request, door_request_done)

/** door_request_write - as a whole message, with its length, into an empty builder. */
void door_request_write(const struct door_request *r, struct sb *out);

struct door_answer {
	struct err err; /* kind ERR_NONE: it was done */
	bool unknown;   /* a failed write that may have been done all the same */
	bool found;     /* there is such an object */
	struct jval object;
	struct jdoc *doc; /* that the object is in */
};

/** door_answer_read - a message's text. ERR_DECODE, ERR_VERSION. End *out with door_answer_done(). */
int door_answer_read(const char *text, size_t len, struct door_answer *out, struct err *e) FN_MUST;
void door_answer_done(struct door_answer *a);
DEFINE_AUTO_VALUE(struct door_answer, door_answer_done)

/** door_error_passes - of a read: the API server was away or had no time, and may well answer the next one. */
bool door_error_passes(const struct err *e);

/** door_answer_object - the answer that carries an object; p NULL: there is none. ERR_DECODE: it is too large. */
int door_answer_object(struct jspan object, struct sb *out, struct err *e) FN_MUST;

/** door_answer_ready - the object {"ready": ..., "message": why not}. */
void door_answer_ready(bool ready, const char *why, struct sb *out);

/** door_answer_error - the answer that says why not. */
void door_answer_error(const struct err *why, bool unknown, struct sb *out);

#endif
