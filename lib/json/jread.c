/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/jread.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jscan.h"
#include "lib/json/jtext.h"

/*
 * A path is looked up only for an error. In a document of many megabytes with many errors
 * that must not cost a walk over all of it each time, so the search gives up after so many values.
 */
#define PATH_SEARCH_MAX 65536

#define INT_EXACT_MAX 9007199254740991.0 /* 2^53 - 1 */

struct jdoc {
	char *what;
	cJSON *root;
	bool any_case;
};

static int build(const char *what, const char *text, size_t len, struct jdoc **out, struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = xcalloc(1, sizeof(*doc));

	doc->what = xstrdup(what);
	doc->root = cJSON_ParseWithLengthOpts(text, len, NULL, 0);
	if (!doc->root)
		return err_set(e, ERR_DECODE, 0, "%s: cannot be read as JSON", what);
	*out = STEAL(doc);
	return 0;
}

int jdoc_parse(const char *what, const char *text, size_t len, struct jdoc **out, struct err *e)
{
	/* cJSON lets through trailing bytes, broken UTF-8 and doubled names; jscan does not. */
	if (jscan_check(what, (struct jspan){text, len}, JSCAN_BIG_INTS, e) < 0)
		return -1;
	return build(what, text, len, out, e);
}

/* p is at a backslash; returns the escape's last byte, or one of its digits. */
static char *mend_escape(char *p, const char *end)
{
	int unit;

	if (*++p != 'u')
		return p;
	unit = hex4(p + 1, end);
	if (is_high_surrogate(unit) && end - p > 10 && p[5] == '\\' && p[6] == 'u' &&
	    is_low_surrogate(hex4(p + 7, end)))
		return p + 6;
	if (!unit || is_high_surrogate(unit) || is_low_surrogate(unit))
		memcpy(p + 1, "fffd", 4);
	return p;
}

/* A number's value in fewer bytes, spaces behind it. Returns its last byte. */
static char *mend_number(char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && strchr("+-.eE0123456789", p[n]))
		n++;
	if (n > JSON_NUMBER_MAX) {
		AUTO(free) char *text = xstrndup(p, n);
		char shorter[JSON_NUMBER_MAX + 1];
		double value = strtod(text, NULL);
		int len = snprintf(shorter, sizeof(shorter), "%.17g", isfinite(value) ? value : 0);

		memset(p, ' ', n);
		memcpy(p, shorter, (size_t)len);
	}
	return p + n - 1;
}

/*
 * What cJSON does not take, or takes for something else: half a surrogate pair, a NUL that ends the string, a number
 * of more bytes than it reads. The text has been checked.
 */
static void mend(char *p, const char *end)
{
	bool in_string = false;

	for (; p < end; p++) {
		if (*p == '"')
			in_string = !in_string;
		else if (in_string && *p == '\\')
			p = mend_escape(p, end);
		else if (!in_string && (*p == '-' || is_digit(*p)))
			p = mend_number(p, end);
	}
}

/* Of members of one name the last one stays. */
static void keep_last(cJSON *at)
{
	AUTO(map_done) struct map names = {0};
	cJSON *next;

	for (cJSON *child = at->child; child; child = next) {
		next = child->next;
		keep_last(child);
		if (!cJSON_IsObject(at))
			continue;
		cJSON_Delete(cJSON_DetachItemViaPointer(at, map_remove(&names, child->string)));
		map_put(&names, child->string, child);
	}
}

static int build_odd(const char *what, struct jspan text, struct jdoc **out, struct err *e)
{
	AUTO(free) char *mended = xmemdup(text.p, text.len);

	mend(mended, mended + text.len);
	return build(what, mended, text.len, out, e);
}

int jdoc_parse_odd(const char *what, struct jspan text, struct jdoc **out, struct err *e)
{
	if (jscan_check(what, text, JSCAN_BIG_INTS | JSCAN_ODD_ESCAPES, e) < 0)
		return -1;
	return build_odd(what, text, out, e);
}

int jdoc_parse_lax(const char *what, struct jspan text, struct jdoc **out, char *note,
		   struct err *e)
{
	if (jscan_check_lax(what, text, note, e) < 0 || build_odd(what, text, out, e) < 0)
		return -1;
	keep_last((*out)->root);
	return 0;
}

void jdoc_any_case(struct jdoc *doc)
{
	doc->any_case = true;
}

void jdoc_free(struct jdoc *doc)
{
	if (!doc)
		return;
	cJSON_Delete(doc->root);
	free(doc->what);
	free(doc);
}

static struct jval val_of(const struct jdoc *doc, const cJSON *node)
{
	return (struct jval){doc, node, node->string};
}

struct jval jdoc_root(const struct jdoc *doc)
{
	return val_of(doc, doc->root);
}

/* The way from the root to a value. */
struct trail {
	const cJSON *want;
	const cJSON *node[JSON_LAX_DEPTH + 1];
	size_t index[JSON_LAX_DEPTH + 1];
	size_t depth;
	size_t budget;
};

static bool find_trail(struct trail *t, const cJSON *at)
{
	const cJSON *child;
	size_t i = 0;

	for (child = at->child; child && t->budget; child = child->next, i++) {
		t->budget--;
		t->node[t->depth] = child;
		t->index[t->depth] = i;
		t->depth++;
		if (child == t->want || find_trail(t, child))
			return true;
		t->depth--;
	}
	return false;
}

static void put_name(struct sb *sb, const char *name, bool first)
{
	const char *p = name;

	while (isalnum((unsigned char)*p) || *p == '_' || *p == '-')
		p++;
	if (*p || !*name)
		sb_printf(sb, "[\"%s\"]", name);
	else
		sb_printf(sb, "%s%s", first ? "" : ".", name);
}

char *jpath(const struct jval *v, const char *key, char *buf, size_t size)
{
	struct trail t = {.want = v->node, .budget = PATH_SEARCH_MAX};
	AUTO(sb_done) struct sb sb = SB_INIT;
	bool at_root = v->node == v->doc->root;
	size_t i;

	if (!at_root && !find_trail(&t, v->doc->root)) {
		sb_puts(&sb, "...");
		if (v->key)
			put_name(&sb, v->key, true);
	}
	for (i = 0; i < t.depth; i++) {
		if (t.node[i]->string)
			put_name(&sb, t.node[i]->string, sb.len == 0);
		else
			sb_printf(&sb, "[%zu]", t.index[i]);
	}
	if (key)
		put_name(&sb, key, sb.len == 0);
	snprintf(buf, size, "%s%s%s", v->doc->what, sb.len ? ": " : "", sb_get(&sb));
	return buf;
}

int jerr(const struct jval *v, const char *key, struct err *e, enum err_kind kind, const char *fmt,
	 ...)
{
	char path[384];
	va_list ap;

	va_start(ap, fmt);
	err_set_v(e, kind, 0, fmt, ap);
	va_end(ap);
	return err_wrap(e, "%s", jpath(v, key, path, sizeof(path)));
}

static int wrong(const struct jval *v, struct err *e, const char *must)
{
	return jerr(v, NULL, e, ERR_DECODE, "must be %s", must);
}

bool jis_obj(const struct jval *v)
{
	return v->node && cJSON_IsObject(v->node);
}

bool jis_arr(const struct jval *v)
{
	return v->node && cJSON_IsArray(v->node);
}

bool jis_str(const struct jval *v)
{
	return v->node && cJSON_IsString(v->node);
}

bool jis_num(const struct jval *v)
{
	return v->node && cJSON_IsNumber(v->node);
}

bool jis_bool(const struct jval *v)
{
	return v->node && cJSON_IsBool(v->node);
}

bool jtrue(const struct jval *v)
{
	return v->node && cJSON_IsTrue(v->node);
}

bool jis_null(const struct jval *v)
{
	return v->node && cJSON_IsNull(v->node);
}

const char *jstr(const struct jval *v)
{
	return jis_str(v) ? v->node->valuestring : NULL;
}

int jas_obj(const struct jval *v, struct err *e)
{
	return jis_obj(v) ? 0 : wrong(v, e, "an object");
}

int jas_str(const struct jval *v, const char **out, struct err *e)
{
	if (!jis_str(v))
		return wrong(v, e, "a string");
	*out = v->node->valuestring;
	return 0;
}

int jas_i64(const struct jval *v, struct jrange range, int64_t *out, struct err *e)
{
	double d = jis_num(v) ? v->node->valuedouble : NAN;

	if (!(d >= -INT_EXACT_MAX && d <= INT_EXACT_MAX) || d != (double)(int64_t)d ||
	    (int64_t)d < range.min || (int64_t)d > range.max)
		return jerr(v, NULL, e, ERR_DECODE,
			    "must be a whole number from %" PRId64 " to %" PRId64, range.min,
			    range.max);
	*out = (int64_t)d;
	return 0;
}

static const cJSON *member(const struct jval *v, const char *key)
{
	const cJSON *node = cJSON_GetObjectItemCaseSensitive(v->node, key);

	if ((node && !cJSON_IsNull(node)) || !v->doc->any_case)
		return node;
	for (const cJSON *at = v->node->child; at; at = at->next) {
		if (!cJSON_IsNull(at) && strcasecmp(at->string, key) == 0)
			node = at;
	}
	return node;
}

int jget(const struct jval *v, const char *key, struct jval *out, struct err *e)
{
	const cJSON *node;

	/* An object that was optional and is absent has no members. */
	if (!v->node)
		return 0;
	if (jas_obj(v, e) < 0)
		return -1;
	node = member(v, key);
	if (!node || cJSON_IsNull(node))
		return 0;
	*out = val_of(v->doc, node);
	return 1;
}

int jget_obj(const struct jval *v, const char *key, struct jval *out, struct err *e)
{
	struct jval found;
	int rc = jget(v, key, &found, e);

	if (rc <= 0)
		return rc;
	if (!jis_obj(&found))
		return wrong(&found, e, "an object");
	*out = found;
	return 1;
}

int jget_arr(const struct jval *v, const char *key, struct jval *out, struct err *e)
{
	struct jval found;
	int rc = jget(v, key, &found, e);

	if (rc <= 0)
		return rc;
	if (!jis_arr(&found))
		return wrong(&found, e, "an array");
	*out = found;
	return 1;
}

int jget_str(const struct jval *v, const char *key, const char **out, struct err *e)
{
	struct jval found;
	int rc = jget(v, key, &found, e);

	if (rc <= 0)
		return rc;
	return jas_str(&found, out, e) < 0 ? -1 : 1;
}

int jget_bool(const struct jval *v, const char *key, bool *out, struct err *e)
{
	struct jval found;
	int rc = jget(v, key, &found, e);

	if (rc <= 0)
		return rc;
	if (!jis_bool(&found))
		return wrong(&found, e, "true or false");
	*out = cJSON_IsTrue(found.node);
	return 1;
}

int jget_bool_lax(const struct jval *v, const char *key, bool *out, struct err *e)
{
	struct jval found;
	int rc = jget(v, key, &found, e);
	const char *s;

	if (rc <= 0)
		return rc;
	s = jstr(&found);
	if (!s)
		return jget_bool(v, key, out, e);
	if (strcasecmp(s, "true") != 0 && strcasecmp(s, "false") != 0)
		return wrong(&found, e, "true or false");
	*out = strcasecmp(s, "true") == 0;
	return 1;
}

int jget_i64(const struct jval *v, const char *key, struct jrange range, int64_t *out,
	     struct err *e)
{
	struct jval found;
	int rc = jget(v, key, &found, e);

	if (rc <= 0)
		return rc;
	return jas_i64(&found, range, out, e) < 0 ? -1 : 1;
}

/* What a getter has found, with absence as an error. */
static int needed(int rc, const struct jval *v, const char *key, struct err *e)
{
	if (rc > 0)
		return 0;
	if (rc == 0 && !v->node)
		return err_set(e, ERR_DECODE, 0, "%s is missing", key);
	return rc < 0 ? -1 : jerr(v, key, e, ERR_DECODE, "is missing");
}

int jneed_obj(const struct jval *v, const char *key, struct jval *out, struct err *e)
{
	return needed(jget_obj(v, key, out, e), v, key, e);
}

int jneed_arr(const struct jval *v, const char *key, struct jval *out, struct err *e)
{
	return needed(jget_arr(v, key, out, e), v, key, e);
}

int jneed_str(const struct jval *v, const char *key, const char **out, struct err *e)
{
	return needed(jget_str(v, key, out, e), v, key, e);
}

int jneed_bool(const struct jval *v, const char *key, bool *out, struct err *e)
{
	return needed(jget_bool(v, key, out, e), v, key, e);
}

int jneed_i64(const struct jval *v, const char *key, struct jrange range, int64_t *out,
	      struct err *e)
{
	return needed(jget_i64(v, key, range, out, e), v, key, e);
}

struct jiter jiter_of(const struct jval *container)
{
	struct jiter it = {{container->doc, NULL, NULL}};

	if (container->node)
		it.next.node = container->node->child;
	return it;
}

bool jiter_next(struct jiter *it, struct jval *out)
{
	if (!it->next.node)
		return false;
	*out = val_of(it->next.doc, it->next.node);
	it->next.node = it->next.node->next;
	return true;
}

size_t jlen(const struct jval *v)
{
	struct jiter it = jiter_of(v);
	struct jval ignored;
	size_t n = 0;

	while (jiter_next(&it, &ignored))
		n++;
	return n;
}

static int nth(const struct jval *v, size_t i, struct jval *out)
{
	struct jiter it = jiter_of(v);
	struct jval found;

	while (jiter_next(&it, &found)) {
		if (i-- == 0) {
			*out = found;
			return 1;
		}
	}
	return 0;
}

int jat(const struct jval *arr, size_t i, struct jval *out)
{
	return jis_arr(arr) ? nth(arr, i, out) : 0;
}

int jmember(const struct jval *obj, size_t i, struct jval *out)
{
	return jis_obj(obj) ? nth(obj, i, out) : 0;
}
