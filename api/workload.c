/* SPDX-License-Identifier: Apache-2.0 */
#include "api/workload.h"

#include <stdio.h>
#include <string.h>

#include "api/labels.h"
#include "api/pod.h"
#include "api/service.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

static const struct api_workload_type types[API_WORKLOADS] = {
	[API_DEPLOYMENT] = {.kind = "Deployment",
			    .group = "apps",
			    .versions = {"v1"},
			    .plural = "deployments",
			    .singular = "deployment",
			    .template = {"spec", "template"},
			    .replicas = "replicas"},
	[API_STATEFULSET] = {.kind = "StatefulSet",
			     .group = "apps",
			     .versions = {"v1"},
			     .plural = "statefulsets",
			     .singular = "statefulset",
			     .template = {"spec", "template"},
			     .replicas = "replicas"},
	[API_DAEMONSET] = {.kind = "DaemonSet",
			   .group = "apps",
			   .versions = {"v1"},
			   .plural = "daemonsets",
			   .singular = "daemonset",
			   .template = {"spec", "template"}},
	[API_JOB] = {.kind = "Job",
		     .group = "batch",
		     .versions = {"v1"},
		     .plural = "jobs",
		     .singular = "job",
		     .template = {"spec", "template"},
		     .replicas = "parallelism",
		     .maker = "CronJob"},
	/* An API server before 1.21 has it in v1beta1 alone, one from 1.25 on in v1 alone. */
	[API_CRONJOB] = {.kind = "CronJob",
			 .group = "batch",
			 .versions = {"v1", "v1beta1"},
			 .plural = "cronjobs",
			 .singular = "cronjob",
			 .template = {"spec", "jobTemplate", "spec", "template"}},
};

const struct api_workload_type *api_workload_type(enum api_workload_kind kind)
{
	return &types[kind];
}

const struct api_workload_type *api_workload_type_find(const char *group, const char *plural)
{
	for (size_t i = 0; i < API_WORKLOADS; i++) {
		if (str_eq(types[i].group, group) && str_eq(types[i].plural, plural))
			return &types[i];
	}
	return NULL;
}

const char *api_workload_kind_name(enum api_workload_kind kind)
{
	return types[kind].kind;
}

/* obj[path[0]][path[1]]...: 1 and *out, 0 where one is absent. */
static int descend(const struct jval *obj, const char *const *path, struct jval *out, struct err *e)
{
	*out = *obj;
	for (; *path; path++) {
		struct jval parent = *out;
		int rc = jget_obj(&parent, *path, out, e);

		if (rc <= 0)
			return rc;
	}
	return 1;
}

static int read_template(const struct jval *obj, bool legacy, struct api_workload *w, struct err *e)
{
	struct jval template, meta;
	int rc = descend(obj, types[w->kind].template, &template, e);

	if (rc <= 0)
		return rc;
	rc = jget_obj(&template, "metadata", &meta, e);
	if (rc <= 0)
		return rc;
	if (api_annotations_read_meta(&meta, legacy, &w->annotations, e) < 0 ||
	    api_labels_decode(&meta, "labels", &w->labels, e) < 0 ||
	    api_service_is_disabled(&meta, &w->service_off, e) < 0)
		return -1;
	return 0;
}

static int read_strategy(const struct jval *spec, struct api_workload *w, struct err *e)
{
	struct jval strategy = {0}, rolling = {0}, surge = {0};
	const char *type = "", *text = "";
	int64_t replicas = 1, n = 0;
	char number[24] = "";
	int rc;

	if (jget_i64(spec, "replicas", JRANGE(0, INT32_MAX), &replicas, e) < 0)
		return -1;
	rc = jget_obj(spec, "strategy", &strategy, e);
	if (rc > 0)
		rc = jget_str(&strategy, "type", &type, e) < 0
			     ? -1
			     : jget_obj(&strategy, "rollingUpdate", &rolling, e);
	if (rc > 0)
		rc = jget(&rolling, "maxSurge", &surge, e);
	if (rc < 0)
		return -1;
	if (rc && jis_str(&surge)) {
		text = jstr(&surge);
	} else if (rc) {
		if (jas_i64(&surge, JRANGE(0, INT32_MAX), &n, e) < 0)
			return -1;
		snprintf(number, sizeof(number), "%lld", (long long)n);
		text = number;
	}
	w->surges = api_workload_surge(type, text, replicas) > 0;
	return 0;
}

static int read_numbers(const struct jval *obj, struct api_workload *w, struct err *e)
{
	struct jrange any = JRANGE(0, INT32_MAX);
	struct jval spec = {0}, ordinals = {0};
	int rc = jget_obj(obj, "spec", &spec, e);

	w->replicas = 1;
	if (w->kind == API_DEPLOYMENT && rc > 0)
		return read_strategy(&spec, w, e);
	if (w->kind != API_STATEFULSET || rc <= 0)
		return rc < 0 ? -1 : 0;
	if (jget_i64(&spec, "replicas", any, &w->replicas, e) < 0)
		return -1;
	rc = jget_obj(&spec, "ordinals", &ordinals, e);
	if (rc <= 0)
		return rc;
	return jget_i64(&ordinals, "start", any, &w->first_ordinal, e) < 0 ? -1 : 0;
}

static int read_owner(const struct jval *obj, struct api_workload *w, struct err *e)
{
	struct jval meta, list = {0}, item;
	const char *owner = "";
	int rc;

	if (jneed_obj(obj, "metadata", &meta, e) < 0)
		return -1;
	rc = jget_arr(&meta, "ownerReferences", &list, e);
	if (rc < 0)
		return -1;
	for (struct jiter it = jiter_of(&list); rc && jiter_next(&it, &item);) {
		const char *kind = "", *name = "";

		if (jas_obj(&item, e) < 0 || jget_str(&item, "kind", &kind, e) < 0 ||
		    jget_str(&item, "name", &name, e) < 0)
			return -1;
		if (str_eq(kind, types[w->kind].maker))
			owner = name;
	}
	w->maker = xstrdup(owner);
	return 0;
}

int api_workload_decode(const struct api_workload_form *form, const struct jval *obj,
			struct api_workload **out, struct err *e)
{
	AUTO(api_workload_free) struct api_workload *w = xcalloc(1, sizeof(*w));

	w->kind = form->kind;
	if (api_meta_decode(obj, &w->meta, e) < 0 || read_owner(obj, w, e) < 0 ||
	    read_numbers(obj, w, e) < 0 || read_template(obj, form->legacy, w, e) < 0)
		return -1;
	*out = STEAL(w);
	return 0;
}

void api_workload_free(struct api_workload *w)
{
	if (!w)
		return;
	api_meta_done(&w->meta);
	api_annotations_done(&w->annotations);
	free(w->maker);
	free(w->labels);
	free(w);
}

bool api_workload_asks_eq(const struct api_workload *a, const struct api_workload *b)
{
	return api_annotations_eq(&a->annotations, &b->annotations) && a->kind == b->kind &&
	       a->replicas == b->replicas && a->first_ordinal == b->first_ordinal &&
	       !a->meta.deletion == !b->meta.deletion && str_eq(a->meta.uid, b->meta.uid);
}

static char *make_id(const char *kind, const char *ns, const char *name, size_t name_len)
{
	return xasprintf("%s %s/%.*s", kind, ns, (int)name_len, name);
}

char *api_workload_id(const struct api_workload *w)
{
	if (*w->maker)
		return make_id(types[w->kind].maker, w->meta.ns, w->maker, strlen(w->maker));
	return make_id(types[w->kind].kind, w->meta.ns, w->meta.name, strlen(w->meta.name));
}

char *api_workload_id_of_owner(const struct api_owner *owner, const char *ns)
{
	for (size_t i = 0; i < API_WORKLOADS; i++) {
		if (api_owner_is(owner, types[i].group, types[i].kind))
			return make_id(types[i].kind, ns, owner->name, strlen(owner->name));
	}
	return api_owner_id(owner, ns);
}

char *api_workload_id_of_pod(const struct api_pod *pod)
{
	const char *name = pod->owner.name;
	size_t n, hash = strlen(pod->template_hash);

	if (!*pod->owner.kind)
		return NULL;
	n = strlen(name);
	if (api_owner_is(&pod->owner, "apps", "ReplicaSet") && hash && n > hash + 1 &&
	    name[n - hash - 1] == '-' && str_eq(name + n - hash, pod->template_hash))
		return make_id(types[API_DEPLOYMENT].kind, pod->meta.ns, name, n - hash - 1);
	return api_workload_id_of_owner(&pod->owner, pod->meta.ns);
}

int64_t api_workload_ordinal(const char *pod_name, char **out_set)
{
	const char *dash = strrchr(pod_name, '-');
	uint32_t n;

	if (!dash || dash == pod_name || parse_u32(dash + 1, INT32_MAX, &n) < 0)
		return -1;
	*out_set = xstrndup(pod_name, (size_t)(dash - pod_name));
	return n;
}

int64_t api_workload_surge(const char *strategy, const char *max_surge, int64_t replicas)
{
	const char *text = *max_surge ? max_surge : "25%";
	size_t len = strlen(text);
	AUTO(free) char *number = xstrndup(text, strcspn(text, "%"));
	uint32_t n = 0;

	if ((*strategy && !str_eq(strategy, "RollingUpdate")) ||
	    parse_u32(number, INT32_MAX, &n) < 0)
		return 0;
	/* As Kubernetes does: a part of a pod is a pod. */
	return text[len - 1] == '%' ? (replicas * n + 99) / 100 : n;
}

bool api_workload_wants_ordinal(const struct api_workload *w, int64_t ordinal)
{
	return w->kind == API_STATEFULSET && !w->meta.deletion && ordinal >= w->first_ordinal &&
	       ordinal < w->first_ordinal + w->replicas;
}
