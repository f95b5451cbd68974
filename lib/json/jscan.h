/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict JSON over bytes: checked once, then walked as spans, so that what belongs to others can be
 * spliced instead of printed again. Nothing is decoded or copied unless a function says so.
 */
#ifndef LIB_JSON_JSCAN_H
#define LIB_JSON_JSCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

#define JSON_MAX_DEPTH 64
/* Of what is not ours. As deep as cJSON goes; Go's parser goes to 10,000. */
#define JSON_LAX_DEPTH 1000
/* Members of one object. What etcd takes, 1.5 MiB, has room for a quarter of these. */
#define JSON_MAX_NAMES (1 << 20)

/* Bytes that somebody else owns. p is NULL when there are none. */
struct jspan {
	const char *p;
	size_t len;
};

enum jtype {
	JTYPE_NONE,
	JTYPE_OBJECT,
	JTYPE_ARRAY,
	JTYPE_STRING,
	JTYPE_NUMBER,
	JTYPE_BOOL,
	JTYPE_NULL
};

enum jscan_flags {
	JSCAN_BIG_INTS = 1, /* integers beyond +-2^53 pass: the bytes are only handed on */
	JSCAN_OBJECT = 2,   /* the whole must be an object */
	/* \u0000 and half a surrogate pair pass, and decode to U+FFFD: users' strings that the API server took */
	JSCAN_ODD_ESCAPES = 4,
};

/**
 * jscan_check - is this one valid JSON text?
 * @what: named in the error ("stdin", a path)
 * @flags: of enum jscan_flags
 *
 * Stricter than RFC 8259 asks: no invalid UTF-8, no byte order mark, no second member of one name
 * (names compared as decoded), no \u0000, no lone surrogate, at most JSON_MAX_DEPTH levels and
 * JSON_MAX_NAMES members. ERR_DECODE names what is wrong and the byte offset.
 */
int jscan_check(const char *what, struct jspan text, unsigned int flags, struct err *e) FN_MUST;

/* Room for what jscan_check_lax() has to say. */
#define JSCAN_NOTE_LEN 160

/**
 * jscan_check_lax - as a parser of Go's takes it: for what is not ours, and is only handed on.
 * @note: gets what deserves a warning, "" if nothing; JSCAN_NOTE_LEN bytes, NULL = not wanted
 *
 * A second member of one name passes, and the last one counts (jspan_find() finds that). Bytes that are not UTF-8 pass,
 * and stay as they are. So do JSON_LAX_DEPTH levels, and numbers of any length. All else is checked as jscan_check()
 * does with JSCAN_BIG_INTS and JSCAN_ODD_ESCAPES.
 */
int jscan_check_lax(const char *what, struct jspan text, char *note, struct err *e) FN_MUST;

/* All functions below want (parts of) a text that jscan_check() has passed. */

/** jspan_of - the span of a string; of NULL, the empty span. */
struct jspan jspan_of(const char *s);
/** jspan_type - by the first byte; JTYPE_NONE for an absent span. */
enum jtype jspan_type(struct jspan s);
/** jspan_trim - the same value without white space around it. */
struct jspan jspan_trim(struct jspan s);

struct jspan_iter {
	const char *p, *end;
};

/** jspan_begin - start walking an object's members or an array's elements; others have none. */
struct jspan_iter jspan_begin(struct jspan container);
/** jspan_next_member - false at the end. *key is the name as written, with its quotes. */
bool jspan_next_member(struct jspan_iter *it, struct jspan *key, struct jspan *value);
/** jspan_next_element - false at the end. */
bool jspan_next_element(struct jspan_iter *it, struct jspan *value);
/** jspan_find - an object's member by name. False (*value unchanged) if absent or not an object. */
bool jspan_find(struct jspan object, const char *name, struct jspan *value);
/** jspan_find_any - likewise; without that one, the last whose name differs in case alone, as Go finds a field. */
bool jspan_find_any(struct jspan object, const char *name, struct jspan *value);
/** jspan_is - the span is a JSON string that decodes to s. */
bool jspan_is(struct jspan string, const char *s);
/** jspan_is_any - likewise, whatever the case of its ASCII letters. */
bool jspan_is_any(struct jspan string, const char *s);
/** jspan_starts - the span is a JSON string whose decoded text begins with prefix. */
bool jspan_starts(struct jspan string, const char *prefix);
/** jspan_decode - a JSON string's text; the caller frees it. NULL if the span is not a string. */
char *jspan_decode(struct jspan string);

#endif
