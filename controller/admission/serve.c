/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/admission/serve.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "admit/review.h"
#include "admit/span.h"
#include "admit/status.h"
#include "admit/subnet.h"
#include "admit/workload.h"
#include "controller/rules/webhook_options.h"
#include "controller/admission/view.h"
#include "controller/cluster/cluster.h"
#include "controller/rules/range.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/httpd/httpd.h"
#include "lib/json/jread.h"

#define STARTING "tandem-controller has just started and is still reading the cluster; try again"

/* ------------------------------------------------------------------------------- subnets */

/* NULL: *why says which rule the spec breaks by itself. */
static struct api_subnet *read_subnet(struct jspan object, struct err *why)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	AUTO(api_subnet_free) struct api_subnet *s = NULL;
	struct jval root;

	if (jdoc_parse_odd("object", object, &doc, why) < 0)
		return NULL;
	root = jdoc_root(doc);
	if (api_subnet_decode(&root, &s, why) < 0 || range_check(s, why) < 0)
		return NULL;
	return STEAL(s);
}

static char *name_of(struct jspan object)
{
	return span_text(span_get(object, "metadata"), "name");
}

/* Labels, annotations, finalizers: ours among them, and they must never wait for anything. */
static bool is_spec_unchanged(const struct admit_review *r)
{
	return r->operation == ADMIT_UPDATE &&
	       span_eq(span_get(r->object, "spec"), span_get(r->old, "spec"));
}

static void review_subnet(const struct admission_view *v, const struct admit_review *r,
			  struct admit_answer *a)
{
	AUTO(api_subnet_free) struct api_subnet *was = NULL, *now = NULL;
	AUTO(free) char *name = name_of(r->operation == ADMIT_DELETE ? r->old : r->object);
	struct admit_world w = admission_world(v);
	struct err why = {0}, ignored = {0};

	if (*r->subresource || r->operation == ADMIT_OTHER || is_spec_unchanged(r))
		return;
	if (!str_eq(r->ns, v->system_ns)) {
		if (r->operation == ADMIT_CREATE)
			admit_warn(
				a,
				"MacvlanSubnets are read in namespace %s only; %s/%s has no effect",
				v->system_ns, r->ns, name);
		return;
	}
	if (r->operation != ADMIT_DELETE) {
		now = read_subnet(r->object, &why);
		if (!now) {
			admit_refuse(a, "%s", why.msg);
			return;
		}
	}
	if (!cluster_is_complete(v->cluster)) {
		admit_postpone(a, 1, STARTING);
		return;
	}
	if (r->operation == ADMIT_DELETE) {
		admit_subnet_delete(&w, name, a);
		return;
	}
	if (r->operation == ADMIT_UPDATE)
		was = read_subnet(r->old, &ignored);
	admit_subnet_check(&w, was, now, a);
}

/* ------------------------------------------------------------------------------- records */

static void review_record(const struct admission_view *v, const struct admit_review *r,
			  struct admit_answer *a)
{
	if (r->operation == ADMIT_UPDATE && str_eq(r->subresource, "status"))
		admit_status_check(r, v->system_ns, a);
}

/* ------------------------------------------------------------------------------- workloads */

static void review_workload(const struct admission_view *v, const struct admit_review *r,
			    struct admit_answer *a)
{
	AUTO(admit_workload_done) struct admit_workload in = {0};
	struct admit_world w;

	/* The system namespace must come up without us. */
	if (str_eq(r->ns, v->system_ns) || !admit_workload_read(r, v->legacy_annotations, &in, a) ||
	    !cluster_is_complete(v->cluster))
		return;
	w = admission_world(v);
	admit_workload_check(&w, &in, a);
}

/* ------------------------------------------------------------------------------- paths */

/* Whoever reaches the port, or may create objects, has lines written: some, and then how many more there were. */
static bool may_log(struct admission_view *v)
{
	unsigned int held;
	bool may = log_quota_take(&v->refused, clock_now_ms(), &held);
	char text[16];

	snprintf(text, sizeof(text), "%u", held);
	if (held)
		log_info("admission refused: further ones were not logged", "count", text);
	return may;
}

static void log_refusal(struct admission_view *v, const struct admit_review *r,
			const struct admit_answer *a)
{
	AUTO(free) char *name = name_of(r->object.p ? r->object : r->old);

	if (a->code && may_log(v))
		log_info("admission refused", "resource", r->resource, "namespace", r->ns, "name",
			 name, "why", a->message);
}

static void admit(struct admission_view *v, const struct http_request *req,
		  struct httpd_response *res)
{
	AUTO(admit_review_done) struct admit_review r = {0};
	AUTO(admit_answer_done) struct admit_answer a = {0};
	const char *type = http_request_header(req, "Content-Type");
	int64_t start_us = clock_now_us();
	struct err e = {0};

	if (!str_eq(req->method, "POST")) {
		res->status = 405;
		return;
	}
	if (!type || strncasecmp(type, "application/json", strlen("application/json")) != 0) {
		res->status = 415;
		return;
	}
	if (admit_review_parse(req->body, req->body_len, &r, &e) < 0) {
		if (may_log(v))
			log_warn("admission review cannot be read", "error", e.msg);
		res->status = 400;
		sb_printf(&res->body, "%s\n", e.msg);
		return;
	}
	if (str_eq(r.group, API_GROUP) && str_eq(r.resource, API_PLURAL_IP))
		review_record(v, &r, &a);
	else if (str_eq(r.group, API_GROUP))
		review_subnet(v, &r, &a);
	else
		review_workload(v, &r, &a);
	log_refusal(v, &r, &a);
	res->content_type = "application/json";
	admit_answer_write(&r, &a, &res->body);
	histogram_observe(&v->answers, clock_now_us() - start_us);
}

static void ready(struct admission_view *v, const struct http_request *req,
		  struct httpd_response *res)
{
	bool complete = cluster_is_complete(v->cluster);
	bool stale = cluster_is_stale(v->cluster, clock_now_ms());

	(void)req;
	res->status = complete && !stale ? 200 : 503;
	sb_puts(&res->body, !complete ? "reading the cluster\n"
			    : stale   ? "cannot follow the cluster\n"
				      : "ok\n");
}

static void alive(struct admission_view *v, const struct http_request *req,
		  struct httpd_response *res)
{
	(void)v;
	(void)req;
	sb_puts(&res->body, "ok\n");
}

static const struct route {
	const char *path;
	void (*serve)(struct admission_view *v, const struct http_request *req,
		      struct httpd_response *res);
} routes[] = {
	{WEBHOOK_PATH, admit},
	{"/healthz", alive},
	{"/livez", alive},
	{"/readyz", ready},
};

void webhook_serve(void *ctx, const struct http_request *req, struct httpd_response *res)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (str_eq(req->path, routes[i].path)) {
			routes[i].serve(ctx, req, res);
			return;
		}
	}
	res->status = 404;
}
