/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/door/message.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/door/frame.h"
#include "lib/json/jwrite.h"

/* Kubernetes' names have 253 characters at most; UIDs, versions and our own messages are far shorter. */
#define NAME_MAX_LEN    253
#define WORD_MAX_LEN    128
#define MESSAGE_MAX_LEN 1024

static const char *const verbs[] = {
	[DOOR_RECORD] = "record", [DOOR_POD] = "pod",     [DOOR_NAMESPACE] = "namespace",
	[DOOR_PATCH] = "patch",   [DOOR_READY] = "ready",
};

/* Who speaks another version is told so before anything else is looked at. */
static int read_root(const char *what, const char *text, size_t len, struct jdoc **out,
		     struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root;
	int64_t version;

	if (jdoc_parse(what, text, len, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jas_obj(&root, e) < 0 ||
	    jneed_i64(&root, "version", JRANGE(0, INT32_MAX), &version, e) < 0)
		return -1;
	if (version != DOOR_VERSION)
		return err_set(e, ERR_VERSION, 0, "%s: version %lld, not %d", what,
			       (long long)version, DOOR_VERSION);
	*out = STEAL(doc);
	return 0;
}

/* ------------------------------------------------------------------------------- requests */

void door_request_done(struct door_request *r)
{
	free(r->ns);
	free(r->name);
	free(r->pod_uid);
	free(r->seen);
	free(r->uid);
	free(r->version);
	free(r->phase);
	free(r->message);
	*r = (struct door_request){.verb = DOOR_RECORD};
}

/* 1, 0 absent or null, -1. */
static int take_text(const struct jval *root, const char *key, size_t max, char **out,
		     struct err *e)
{
	const char *s = NULL;
	int rc = jget_str(root, key, &s, e);

	if (rc <= 0)
		return rc;
	if (strlen(s) > max)
		return jerr(root, key, e, ERR_DECODE, "is longer than %zu bytes", max);
	*out = xstrdup(s);
	return 1;
}

static int take_word(const struct jval *root, const char *key, size_t max, char **out,
		     struct err *e)
{
	int rc = take_text(root, key, max, out, e);

	if (rc < 0)
		return -1;
	return rc && *out && **out ? 0 : jerr(root, key, e, ERR_DECODE, "is missing");
}

static int read_verb(const struct jval *root, enum door_verb *out, struct err *e)
{
	const char *verb;

	if (jneed_str(root, "verb", &verb, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (str_eq(verb, verbs[i])) {
			*out = (enum door_verb)i;
			return 0;
		}
	}
	return jerr(root, "verb", e, ERR_UNSUPPORTED, "\"%.32s\" is not known", verb);
}

static int read_record(const struct jval *root, struct door_request *r, struct err *e)
{
	int rc = take_text(root, "podUID", WORD_MAX_LEN, &r->pod_uid, e);

	if (rc < 0 || take_text(root, "seen", WORD_MAX_LEN, &r->seen, e) < 0)
		return -1;
	if (rc && !*r->pod_uid)
		return jerr(root, "podUID", e, ERR_DECODE, "is empty");
	return 0;
}

static int read_patch(const struct jval *root, struct door_request *r, struct err *e)
{
	if (take_word(root, "uid", WORD_MAX_LEN, &r->uid, e) < 0 ||
	    take_word(root, "resourceVersion", WORD_MAX_LEN, &r->version, e) < 0 ||
	    take_text(root, "phase", WORD_MAX_LEN, &r->phase, e) < 0 ||
	    take_text(root, "message", MESSAGE_MAX_LEN, &r->message, e) < 0 ||
	    jget_bool(root, "clearCardDown", &r->clear_card_down, e) < 0)
		return -1;
	return 0;
}

static int read_question(const struct jval *root, struct door_request *r, struct err *e)
{
	if (take_word(root, "namespace", NAME_MAX_LEN, &r->ns, e) < 0 ||
	    take_word(root, "name", NAME_MAX_LEN, &r->name, e) < 0 ||
	    jneed_i64(root, "waitMilliseconds", JRANGE(0, DOOR_WAIT_MAX_MS), &r->wait_ms, e) < 0)
		return -1;
	if (r->verb == DOOR_RECORD)
		return read_record(root, r, e);
	return r->verb == DOOR_PATCH ? read_patch(root, r, e) : 0;
}

int door_request_read(const char *text, size_t len, struct door_request *out, struct err *e)
{
	AUTO(door_request_done) struct door_request r = {.verb = DOOR_RECORD};
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root;

	if (read_root("request", text, len, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (read_verb(&root, &r.verb, e) < 0 ||
	    (r.verb != DOOR_READY && read_question(&root, &r, e) < 0))
		return -1;
	*out = r;
	r = (struct door_request){.verb = DOOR_RECORD};
	return 0;
}

void door_request_write(const struct door_request *r, struct sb *out)
{
	struct jw w;

	door_frame_begin(out);
	w = jw_init(out);
	jw_obj(&w);
	jw_kv_i64(&w, "version", DOOR_VERSION);
	jw_kv_str(&w, "verb", verbs[r->verb]);
	if (r->verb != DOOR_READY) {
		jw_kv_str(&w, "namespace", r->ns);
		jw_kv_str(&w, "name", r->name);
		jw_kv_i64(&w, "waitMilliseconds", r->wait_ms);
	}
	if (r->verb == DOOR_RECORD) {
		jw_kv_opt(&w, "podUID", r->pod_uid);
		jw_kv_opt(&w, "seen", r->seen);
	}
	if (r->verb == DOOR_PATCH) {
		jw_kv_str(&w, "uid", r->uid);
		jw_kv_str(&w, "resourceVersion", r->version);
		jw_kv_str(&w, "phase", r->phase);
		jw_kv_str(&w, "message", r->message);
		jw_kv_bool(&w, "clearCardDown", r->clear_card_down);
	}
	jw_end(&w);
	jw_finish(&w);
	door_frame_end(out);
}

/* ------------------------------------------------------------------------------- answers */

void door_answer_done(struct door_answer *a)
{
	jdoc_free(a->doc);
	*a = (struct door_answer){0};
}

/* What a request to the API server may end with. Any other word means that it may be tried again. */
static enum err_kind kind_of(const char *name)
{
	static const enum err_kind kinds[] = {ERR_API,  ERR_TRANSPORT, ERR_NOT_FOUND, ERR_CONFLICT,
					      ERR_GONE, ERR_TIMEOUT,   ERR_DECODE};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (str_eq(name, err_kind_name(kinds[i])))
			return kinds[i];
	}
	return ERR_AGAIN;
}

static int read_error(const struct jval *v, struct door_answer *a, struct err *e)
{
	const char *kind, *message;
	int64_t status = 0;

	if (jneed_str(v, "kind", &kind, e) < 0 || jneed_str(v, "message", &message, e) < 0 ||
	    jget_i64(v, "status", JRANGE(0, 999), &status, e) < 0 ||
	    jget_bool(v, "unknown", &a->unknown, e) < 0)
		return -1;
	err_set(&a->err, kind_of(kind), (int)status, "%s", message);
	return 0;
}

int door_answer_read(const char *text, size_t len, struct door_answer *out, struct err *e)
{
	AUTO(door_answer_done) struct door_answer a = {0};
	struct jval root, v;
	int rc;

	if (read_root("answer", text, len, &a.doc, e) < 0)
		return -1;
	root = jdoc_root(a.doc);
	rc = jget_obj(&root, "error", &v, e);
	if (rc < 0 || (rc && read_error(&v, &a, e) < 0))
		return -1;
	rc = jget_obj(&root, "object", &a.object, e);
	if (rc < 0)
		return -1;
	if (rc && a.err.kind)
		return jerr(&root, "error", e, ERR_DECODE, "stands beside an object");
	a.found = rc;
	*out = a;
	a = (struct door_answer){0};
	return 0;
}

bool door_error_passes(const struct err *e)
{
	return e->kind == ERR_TIMEOUT || e->kind == ERR_TRANSPORT ||
	       (e->kind == ERR_API && (e->num == 429 || e->num >= 500));
}

int door_answer_object(struct jspan object, struct sb *out, struct err *e)
{
	struct jw w;

	if (object.len > DOOR_ANSWER_MAX - 64)
		return err_set(e, ERR_DECODE, 0, "an object of %zu bytes is too large for the door",
			       object.len);
	door_frame_begin(out);
	w = jw_init(out);
	jw_obj(&w);
	jw_kv_i64(&w, "version", DOOR_VERSION);
	jw_key(&w, "object");
	if (object.p)
		jw_raw(&w, object);
	else
		jw_null(&w);
	jw_end(&w);
	jw_finish(&w);
	door_frame_end(out);
	return 0;
}

void door_answer_ready(bool ready, const char *why, struct sb *out)
{
	struct jw w;

	door_frame_begin(out);
	w = jw_init(out);
	jw_obj(&w);
	jw_kv_i64(&w, "version", DOOR_VERSION);
	jw_kv_obj(&w, "object");
	jw_kv_bool(&w, "ready", ready);
	jw_kv_str(&w, "message", why);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	door_frame_end(out);
}

void door_answer_error(const struct err *why, bool unknown, struct sb *out)
{
	struct jw w;

	door_frame_begin(out);
	w = jw_init(out);
	jw_obj(&w);
	jw_kv_i64(&w, "version", DOOR_VERSION);
	jw_kv_obj(&w, "error");
	jw_kv_str(&w, "kind", err_kind_name(why->kind));
	jw_kv_i64(&w, "status", why->num >= 0 && why->num <= 999 ? why->num : 0);
	jw_kv_str(&w, "message", why->msg);
	jw_kv_bool(&w, "unknown", unknown);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	door_frame_end(out);
}
