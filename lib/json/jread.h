/* SPDX-License-Identifier: Apache-2.0 */
/* Typed reading of JSON: complaints name the path, "stdin: plugins[1].ipam: must be an object". */
#ifndef LIB_JSON_JREAD_H
#define LIB_JSON_JREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct cJSON;
struct jspan;
struct jdoc;

/* A light handle, passed and copied by value; valid while the document lives. */
struct jval {
	const struct jdoc *doc;
	const struct cJSON *node;
	const char *key; /* member name, lent; NULL for elements and the root */
};

/**
 * jdoc_parse - check as strictly as jscan_check(), then build the tree.
 *
 * Integers that a double cannot hold fail when they are read, not here.
 */
int jdoc_parse(const char *what, const char *text, size_t len, struct jdoc **out,
	       struct err *e) FN_MUST;
/** jdoc_parse_odd - likewise, with JSCAN_ODD_ESCAPES: where strings of users of the API server stand. */
int jdoc_parse_odd(const char *what, struct jspan text, struct jdoc **out, struct err *e) FN_MUST;
/**
 * jdoc_parse_lax - likewise with jscan_check_lax(): of two members of one name the last one is there.
 * @note: JSCAN_NOTE_LEN bytes (lib/json/jscan.h), NULL = not wanted
 */
int jdoc_parse_lax(const char *what, struct jspan text, struct jdoc **out, char *note,
		   struct err *e) FN_MUST;
/**
 * jdoc_any_case - from now on a member is found whatever the case of its name, as Go finds a field.
 *
 * One that is written as it is asked for comes first, else the last one counts.
 */
void jdoc_any_case(struct jdoc *doc);
void jdoc_free(struct jdoc *doc);
DEFINE_AUTO(struct jdoc, jdoc_free)
struct jval jdoc_root(const struct jdoc *doc);

/*
 * jget_*: 1 found, 0 absent or null (out unchanged), -1 another type (ERR_DECODE).
 * jneed_*: 0, or -1 also when absent. Strings are lent by the document.
 */
struct jrange {
	int64_t min, max;
};
#define JRANGE(min, max) ((struct jrange){(min), (max)})

int jget(const struct jval *v, const char *key, struct jval *out, struct err *e) FN_MUST;
int jget_obj(const struct jval *v, const char *key, struct jval *out, struct err *e) FN_MUST;
int jget_arr(const struct jval *v, const char *key, struct jval *out, struct err *e) FN_MUST;
int jget_str(const struct jval *v, const char *key, const char **out, struct err *e) FN_MUST;
int jget_bool(const struct jval *v, const char *key, bool *out, struct err *e) FN_MUST;
/** jget_bool_lax - also the strings "true" and "false" in any case, as CNI lists may have them. */
int jget_bool_lax(const struct jval *v, const char *key, bool *out, struct err *e) FN_MUST;
/** jget_i64 - a whole number in the range. Beyond +-(2^53-1) an error: a double has lost it. */
int jget_i64(const struct jval *v, const char *key, struct jrange range, int64_t *out,
	     struct err *e) FN_MUST;
int jneed_obj(const struct jval *v, const char *key, struct jval *out, struct err *e) FN_MUST;
int jneed_arr(const struct jval *v, const char *key, struct jval *out, struct err *e) FN_MUST;
int jneed_str(const struct jval *v, const char *key, const char **out, struct err *e) FN_MUST;
int jneed_bool(const struct jval *v, const char *key, bool *out, struct err *e) FN_MUST;
int jneed_i64(const struct jval *v, const char *key, struct jrange range, int64_t *out,
	      struct err *e) FN_MUST;

/* The type of a value itself. jas_*: 0, or -1 when it is another type or out of range. */
bool jis_obj(const struct jval *v);
bool jis_arr(const struct jval *v);
bool jis_str(const struct jval *v);
bool jis_num(const struct jval *v);
bool jis_bool(const struct jval *v);
bool jis_null(const struct jval *v);
/** jtrue - the literal true. */
bool jtrue(const struct jval *v);
/** jstr - the text of a string, NULL if it is none. Lent. */
const char *jstr(const struct jval *v);
int jas_obj(const struct jval *v, struct err *e) FN_MUST;
int jas_str(const struct jval *v, const char **out, struct err *e) FN_MUST;
int jas_i64(const struct jval *v, struct jrange range, int64_t *out, struct err *e) FN_MUST;

/* Walking: O(1) a step, over members (out->key set) or elements. Others have no steps. */
struct jiter {
	struct jval next;
};
struct jiter jiter_of(const struct jval *container);
bool jiter_next(struct jiter *it, struct jval *out);

/** jlen - number of members or elements; O(n). */
size_t jlen(const struct jval *v);
/** jat, jmember - the i-th element or member: 1 found, 0 not. O(i): walk with jiter instead. */
int jat(const struct jval *arr, size_t i, struct jval *out);
int jmember(const struct jval *obj, size_t i, struct jval *out);

/** jpath - "what: a.b[2].key", key NULL for v itself. Returns buf. Slow: for errors. */
char *jpath(const struct jval *v, const char *key, char *buf, size_t size);
/** jerr - an error of that kind, with the path of v (and key, if not NULL) in front. Returns -1. */
int jerr(const struct jval *v, const char *key, struct err *e, enum err_kind kind, const char *fmt,
	 ...) __attribute__((format(printf, 5, 6), cold));

#endif
