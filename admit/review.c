/* SPDX-License-Identifier: Apache-2.0 */
#include "admit/review.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "admit/span.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"

#define API_VERSION "admission.k8s.io/v1"
#define KIND        "AdmissionReview"

static enum admit_operation operation_of(struct jspan request)
{
	struct jspan op = span_get(request, "operation");

	if (!op.p)
		return ADMIT_OTHER;
	if (jspan_is(op, "CREATE"))
		return ADMIT_CREATE;
	if (jspan_is(op, "UPDATE"))
		return ADMIT_UPDATE;
	return jspan_is(op, "DELETE") ? ADMIT_DELETE : ADMIT_OTHER;
}

/* What each operation must bring with it. */
static bool is_complete(const struct admit_review *r)
{
	bool object = jspan_type(r->object) == JTYPE_OBJECT;
	bool old = jspan_type(r->old) == JTYPE_OBJECT;

	switch (r->operation) {
	case ADMIT_CREATE:
		return object;
	case ADMIT_UPDATE:
		return object && old;
	case ADMIT_DELETE:
		return old;
	default:
		return true;
	}
}

int admit_review_parse(const char *text, size_t len, struct admit_review *out, struct err *e)
{
	AUTO(admit_review_done) struct admit_review r = {0};
	struct jspan root = {text, len}, request, resource;

	if (jscan_check(KIND, root, JSCAN_BIG_INTS | JSCAN_OBJECT | JSCAN_ODD_ESCAPES, e) < 0)
		return -1;
	root = jspan_trim(root);
	if (!jspan_is(span_get(root, "kind"), KIND) ||
	    !jspan_is(span_get(root, "apiVersion"), API_VERSION))
		return err_set(e, ERR_DECODE, 0, "not an " KIND " of " API_VERSION);
	request = span_get(root, "request");
	resource = span_get(request, "resource");
	r.uid = span_text(request, "uid");
	r.group = span_text(resource, "group");
	r.resource = span_text(resource, "resource");
	r.subresource = span_text(request, "subResource");
	r.ns = span_text(request, "namespace");
	r.name = span_text(request, "name");
	r.operation = operation_of(request);
	r.user = span_get(request, "userInfo");
	r.object = span_get(request, "object");
	r.old = span_get(request, "oldObject");
	if (!*r.uid || !*r.resource)
		return err_set(e, ERR_DECODE, 0,
			       KIND ": request.uid or request.resource is missing");
	if (!is_complete(&r))
		return err_set(e, ERR_DECODE, 0,
			       KIND ": request.object or request.oldObject is missing");
	*out = r;
	r = (struct admit_review){0};
	return 0;
}

void admit_review_done(struct admit_review *r)
{
	free(r->uid);
	free(r->group);
	free(r->resource);
	free(r->subresource);
	free(r->ns);
	free(r->name);
	*r = (struct admit_review){0};
}

/* ------------------------------------------------------------------------------- answers */

void admit_answer_done(struct admit_answer *a)
{
	for (size_t i = 0; i < a->n_warnings; i++)
		free(a->warnings[i]);
	*a = (struct admit_answer){0};
}

bool admit_refuse(struct admit_answer *a, const char *fmt, ...)
{
	va_list ap;

	if (a->code)
		return false;
	a->code = 403;
	va_start(ap, fmt);
	vsnprintf(a->message, sizeof(a->message), fmt, ap);
	va_end(ap);
	return false;
}

void admit_postpone(struct admit_answer *a, int retry_s, const char *why)
{
	if (a->code)
		return;
	a->code = 503;
	a->retry_s = retry_s;
	snprintf(a->message, sizeof(a->message), "%s", why);
}

void admit_warn(struct admit_answer *a, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (a->n_warnings == ADMIT_WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	a->warnings[a->n_warnings++] = xstrdup(text);
}

static void write_status(struct jw *w, const struct admit_answer *a)
{
	jw_kv_obj(w, "status");
	jw_kv_str(w, "status", "Failure");
	jw_kv_str(w, "message", a->message);
	jw_kv_str(w, "reason", a->code == 503 ? "ServiceUnavailable" : "Forbidden");
	jw_kv_i64(w, "code", a->code);
	if (a->retry_s) {
		jw_kv_obj(w, "details");
		jw_kv_i64(w, "retryAfterSeconds", a->retry_s);
		jw_end(w);
	}
	jw_end(w);
}

void admit_answer_write(const struct admit_review *r, const struct admit_answer *a, struct sb *out)
{
	struct jw w = jw_init(out);

	jw_obj(&w);
	jw_kv_str(&w, "apiVersion", API_VERSION);
	jw_kv_str(&w, "kind", KIND);
	jw_kv_obj(&w, "response");
	jw_kv_str(&w, "uid", r->uid);
	jw_kv_bool(&w, "allowed", !a->code);
	if (a->code)
		write_status(&w, a);
	if (a->n_warnings) {
		jw_kv_arr(&w, "warnings");
		for (size_t i = 0; i < a->n_warnings; i++)
			jw_str(&w, a->warnings[i]);
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
}
