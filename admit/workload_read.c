/* SPDX-License-Identifier: Apache-2.0 */
#include "admit/span.h"
#include "admit/workload.h"
#include "api/service.h"
#include "api/workload.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

#define PREFIX "tandem-cni.io/"

/* What is reviewed: a workload, or a pod, which is its own template. */
struct form {
	const struct api_workload_type *type; /* NULL = a pod */
	const char *const *template;
};

static const char *const annotations_path[] = {"metadata", "annotations", NULL};
static const char *const owners_path[] = {"metadata", "ownerReferences", NULL};

static bool form_of(const struct admit_review *r, struct form *out)
{
	static const char *const itself[] = {NULL};
	const struct api_workload_type *type = api_workload_type_find(r->group, r->resource);

	if (!type && !(str_eq(r->group, "") && str_eq(r->resource, "pods")))
		return false;
	*out = (struct form){type, type ? type->template : itself};
	return true;
}

static int get_span(const void *ctx, const char *key, char **out, struct err *e)
{
	const struct jspan *all = ctx;
	struct jspan value = span_get(*all, key);

	(void)e;
	/* The API server lets nothing but strings in. */
	*out = value.p ? jspan_decode(value) : NULL;
	return 0;
}

static void read_annotations(struct jspan all, bool legacy, struct api_annotations *out)
{
	struct err ignored = {0};

	IGNORE(api_annotations_read(get_span, &all, legacy, out, &ignored), "get_span never fails");
}

static bool asks_for_the_same(const struct form *f, struct jspan old, bool legacy,
			      const struct api_annotations *now)
{
	AUTO(api_annotations_done) struct api_annotations was = {0};

	if (!old.p)
		return false;
	read_annotations(span_at(span_at(old, f->template), annotations_path), legacy, &was);
	return api_annotations_eq(&was, now);
}

/* A number, or a string of it: maxSurge may be either. */
static char *number_or_text(struct jspan object, const char *name)
{
	struct jspan value = span_get(object, name);

	return jspan_type(value) == JTYPE_NUMBER ? xstrndup(value.p, value.len)
						 : span_text(object, name);
}

static void read_numbers(const struct form *f, struct jspan object, struct admit_workload *out)
{
	static const char *const rolling[] = {"rollingUpdate", NULL};
	struct jspan spec = span_get(object, "spec"), strategy = span_get(spec, "strategy");
	AUTO(free) char *type = span_text(strategy, "type");
	AUTO(free) char *surge = number_or_text(span_at(strategy, rolling), "maxSurge");

	if (!f->type || !f->type->replicas)
		return;
	out->replicas = span_number(spec, f->type->replicas, 1);
	if (f->type == api_workload_type(API_DEPLOYMENT))
		out->surge = api_workload_surge(type, surge, out->replicas);
}

static bool has_other_numbers(const struct form *f, const struct admit_review *r)
{
	struct admit_workload was = {0}, now = {0};

	read_numbers(f, r->old, &was);
	read_numbers(f, r->object, &now);
	return was.replicas != now.replicas || was.surge != now.surge;
}

/* The controlling owner's kind, "" for none; with *name where that is asked for. */
static char *owner_of(struct jspan object, char **name)
{
	struct jspan list = span_at(object, owners_path), item;

	for (struct jspan_iter it = jspan_begin(list); jspan_next_element(&it, &item);) {
		if (!span_true(item, "controller"))
			continue;
		*name = span_text(item, "name");
		return span_text(item, "kind");
	}
	*name = xstrdup("");
	return xstrdup("");
}

/* A Job that a CronJob makes goes by the CronJob's name, see api_workload_id(). */
static char *id_of(const struct form *f, const struct admit_review *r)
{
	AUTO(free) char *name = span_text(span_get(r->object, "metadata"), "name");
	AUTO(free) char *owner = NULL, *kind = owner_of(r->object, &owner);

	if (!f->type)
		return NULL;
	if (str_eq(kind, f->type->maker))
		return xasprintf("%s %s/%s", kind, r->ns, owner);
	return xasprintf("%s %s/%s", f->type->kind, r->ns, name);
}

static bool is_made_by_workload(const struct form *f, const struct admit_review *r)
{
	AUTO(free) char *owner = NULL, *kind = owner_of(r->object, &owner);

	return !f->type && *kind;
}

/* One that asks for a card. */
static bool is_request(struct jspan key)
{
	for (size_t i = 0; i < API_ANNOTATIONS; i++) {
		if (jspan_is(key, api_annotation_name(i)))
			return true;
	}
	return false;
}

static void warn_of_unknown(struct jspan all, struct admit_answer *a)
{
	struct jspan key, value;

	for (struct jspan_iter it = jspan_begin(all); jspan_next_member(&it, &key, &value);) {
		AUTO(free) char *name = NULL;

		if (!jspan_starts(key, PREFIX) || is_request(key) ||
		    jspan_is(key, API_ANNOTATION_SERVICE))
			continue;
		name = jspan_decode(key);
		admit_warn(a,
			   "annotation %.100s is unknown; known are subnet, ip, mac and interface",
			   name);
	}
}

/* On the workload itself instead of on its pods: they would start without a card, silently. */
static void warn_of_misplaced(const struct form *f, const struct admit_review *r,
			      struct admit_answer *a)
{
	struct jspan all = span_at(r->object, annotations_path), key, value;
	AUTO(sb_done) struct sb path = SB_INIT;

	if (!f->type)
		return;
	for (size_t i = 0; f->template[i]; i++)
		sb_printf(&path, "%s%s", i ? "." : "", f->template[i]);
	for (struct jspan_iter it = jspan_begin(all); jspan_next_member(&it, &key, &value);) {
		AUTO(free) char *name = NULL;

		if (!is_request(key))
			continue;
		name = jspan_decode(key);
		admit_warn(a,
			   "annotation %s has no effect on a %s; set it in %s.metadata.annotations",
			   name, f->type->kind, sb_get(&path));
	}
}

bool admit_workload_read(const struct admit_review *r, bool legacy, struct admit_workload *out,
			 struct admit_answer *a)
{
	struct form form, *f = &form;
	AUTO(api_annotations_done) struct api_annotations found = {0};
	struct jspan pod, all;
	bool same;

	if (!form_of(r, &form) || *r->subresource ||
	    (r->operation != ADMIT_CREATE && r->operation != ADMIT_UPDATE))
		return false;
	pod = span_at(r->object, f->template);
	all = span_at(pod, annotations_path);
	read_annotations(all, legacy, &found);
	same = r->operation == ADMIT_UPDATE && asks_for_the_same(f, r->old, legacy, &found);
	if ((same && !has_other_numbers(f, r)) || is_made_by_workload(f, r))
		return false;
	if (!same)
		warn_of_unknown(all, a);
	if (api_annotations_is_empty(&found)) {
		if (!same)
			warn_of_misplaced(f, r, a);
		return false;
	}
	*out = (struct admit_workload){
		.id = id_of(f, r), .ns = xstrdup(r->ns), .only_numbers = same};
	out->annotations = found;
	found = (struct api_annotations){0};
	out->host_network = span_true(span_get(pod, "spec"), "hostNetwork");
	read_numbers(f, r->object, out);
	return true;
}

void admit_workload_done(struct admit_workload *w)
{
	free(w->id);
	free(w->ns);
	api_annotations_done(&w->annotations);
	*w = (struct admit_workload){0};
}
