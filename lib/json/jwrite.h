/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON into a string builder: commas, quotes and escapes are the writer's business. */
#ifndef LIB_JSON_JWRITE_H
#define LIB_JSON_JWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json/jscan.h"

struct sb;

/* Compact output. Misuse (a value without its key, an end too many) asserts. */
struct jw {
	struct sb *sb;      /* lent; text is appended */
	unsigned int depth; /* of open objects and arrays, at most JSON_MAX_DEPTH */
	uint64_t objects;   /* bit d: level d+1 is an object */
	uint64_t filled;    /* bit d: level d+1 has something in it */
	bool key_given;     /* a key waits for its value */
	bool complete;      /* the top value is through */
};

/** jw_init - start one JSON text at the end of sb. */
struct jw jw_init(struct sb *sb);
/** jw_finish - assert that the text is complete. */
void jw_finish(const struct jw *w);

void jw_obj(struct jw *w);
void jw_arr(struct jw *w);
/** jw_end - close the innermost object or array. */
void jw_end(struct jw *w);
/** jw_key - a member's name; its value must follow. */
void jw_key(struct jw *w, const char *key);
/** jw_str - a string; NULL writes null. Bytes that are not UTF-8 become U+FFFD. */
void jw_str(struct jw *w, const char *s);
/** jw_strn - a string of n bytes. */
void jw_strn(struct jw *w, const char *s, size_t n);
void jw_i64(struct jw *w, int64_t v);
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
/** jw_raw - a value's bytes as they are; they must be valid JSON. */
void jw_raw(struct jw *w, struct jspan value);
/** jw_raw_member - a name as written (with its quotes) and its value's bytes, spliced. */
void jw_raw_member(struct jw *w, struct jspan key, struct jspan value);

/* A key and its value at once. */
void jw_kv_str(struct jw *w, const char *key, const char *s);
/** jw_kv_opt - jw_kv_str(), but nothing at all for NULL and "". */
void jw_kv_opt(struct jw *w, const char *key, const char *s);
void jw_kv_i64(struct jw *w, const char *key, int64_t v);
void jw_kv_bool(struct jw *w, const char *key, bool v);
void jw_kv_raw(struct jw *w, const char *key, struct jspan value);
void jw_kv_obj(struct jw *w, const char *key);
void jw_kv_arr(struct jw *w, const char *key);

#endif
