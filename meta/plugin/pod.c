/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/pod.h"

#include "api/annotations.h"
#include "api/pod.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "lib/cni/conf.h"
#include "meta/plugin/app.h"
#include "meta/plugin/ask.h"

/* Where the kubelet got a pod from: "api" for all that have an object there from the start. */
#define CONFIG_SOURCE "kubernetes.io/config.source"

void pod_done(struct pod *p)
{
	free(p->ns);
	free(p->name);
	free(p->uid);
	*p = (struct pod){0};
}

int pod_from_args(const char *cni_args, struct pod *out, struct err *e)
{
	AUTO(pod_done) struct pod p = {0};

	if (cni_args_get(cni_args, "K8S_POD_NAMESPACE", &p.ns, e) < 0 ||
	    cni_args_get(cni_args, "K8S_POD_NAME", &p.name, e) < 0 ||
	    cni_args_get(cni_args, "K8S_POD_UID", &p.uid, e) < 0)
		return -1;
	out->ns = p.ns ? STEAL(p.ns) : xstrdup("");
	out->name = p.name ? STEAL(p.name) : xstrdup("");
	out->uid = p.uid ? STEAL(p.uid) : xstrdup("");
	return 0;
}

static int get_pod(struct app *app, const struct pod *pod, struct api_pod **out, struct err *e)
{
	AUTO(api_pod_free) struct api_pod *found = NULL;
	AUTO(asked_done) struct asked a = {0};

	if (ask_pod(app, pod->ns, pod->name, &a, e) < 0)
		return err_wrap(e, "get pod %s/%s", pod->ns, pod->name);
	if (api_pod_decode(&a.object, app->conf->legacy_annotations, &found, e) < 0)
		return err_wrap(e, "pod %s/%s", pod->ns, pod->name);
	if (*pod->uid && !str_eq(pod->uid, found->meta.uid))
		return err_set(e, ERR_AGAIN, 0, "pod %s/%s now has UID %s; this sandbox is for %s",
			       pod->ns, pod->name, found->meta.uid, pod->uid);
	*out = STEAL(found);
	return 0;
}

int pod_need_uid(struct app *app, struct pod *pod, struct err *e)
{
	AUTO(api_pod_free) struct api_pod *found = NULL;

	if (*pod->uid)
		return 0;
	if (get_pod(app, pod, &found, e) < 0)
		return -1;
	free(pod->uid);
	pod->uid = xstrdup(found->meta.uid);
	return 0;
}

static int request_by_get(struct app *app, struct pod *pod, struct api_request *out, struct err *e)
{
	AUTO(api_pod_free) struct api_pod *found = NULL;
	const struct api_request *r;

	if (get_pod(app, pod, &found, e) < 0)
		return -1;
	if (!*pod->uid) {
		free(pod->uid);
		pod->uid = xstrdup(found->meta.uid);
	}
	if (found->annotations.text[API_ASKED_SUBNET] && found->is_static)
		return err_set(e, ERR_CONFIG, 0,
			       "annotation %s: a static pod cannot have a second card",
			       API_ANNOTATION_SUBNET);
	if (api_annotations_request(&found->annotations, &r, e) < 0)
		return -1;
	*out = api_request_copy(r);
	return 0;
}

static int get_annotation(const void *conf, const char *key, char **out, struct err *e)
{
	return cni_conf_annotation(conf, key, out, e) < 0 ? -1 : 0;
}

static int request_by_conf(const struct cni_conf *conf, struct api_request *out, struct err *e)
{
	AUTO(api_annotations_done) struct api_annotations a = {0};
	AUTO(free) char *source = NULL;
	const struct api_request *r;

	if (cni_conf_annotation(conf, CONFIG_SOURCE, &source, e) < 0 ||
	    api_annotations_read(get_annotation, conf, conf->legacy_annotations, &a, e) < 0)
		return -1;
	if (a.text[API_ASKED_SUBNET] && source && !str_eq(source, "api"))
		return err_set(
			e, ERR_CONFIG, 0,
			"annotation %s: a static pod (source \"%s\") cannot have a second card",
			API_ANNOTATION_SUBNET, source);
	if (api_annotations_request(&a, &r, e) < 0)
		return -1;
	*out = api_request_copy(r);
	return 0;
}

int pod_request(struct app *app, struct pod *pod, struct api_request *out, struct err *e)
{
	switch (app->conf->annotations_state) {
	case CNI_ANNOTATIONS_GIVEN:
		return request_by_conf(app->conf, out, e);
	case CNI_ANNOTATIONS_NULL:
		*out = (struct api_request){0};
		return 0;
	case CNI_ANNOTATIONS_ABSENT:
		break;
	}
	if (!*pod->name || !*pod->ns) {
		*out = (struct api_request){0};
		return 0;
	}
	return request_by_get(app, pod, out, e);
}
