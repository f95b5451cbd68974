/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/pod.h"

#include "api/annotations.h"
#include "api/pod.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "lib/cni/conf.h"
#include "lib/json/jread.h"
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

/* By the pod's own annotations. */
static int request_own(struct app *app, struct pod *pod, struct api_request *out, struct err *e)
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

/* A pod of the kubelet's own files is not one that the controller could give an address. */
static bool is_static(const struct app *app)
{
	AUTO(free) char *source = NULL;
	struct err ignored = {0};

	return cni_conf_annotation(app->conf, CONFIG_SOURCE, &source, &ignored) > 0 &&
	       !str_eq(source, "api");
}

static void take_default(const char *subnet, const char *interface, struct api_request *r)
{
	api_request_done(r);
	r->wanted = true;
	r->subnet = xstrdup(subnet);
	IGNORE(str_copy(r->interface, sizeof(r->interface), interface), "both are short");
}

/* Its namespace's annotation is its word where it has none of its own. */
static int request_of_namespace(struct app *app, const struct pod *pod, struct api_request *out,
				struct err *e)
{
	AUTO(api_annotations_done) struct api_annotations a = {0};
	AUTO(asked_done) struct asked ns = {0};
	struct jval meta;

	if (ask_namespace(app, pod->ns, &ns, e) < 0 ||
	    jneed_obj(&ns.object, "metadata", &meta, e) < 0 ||
	    api_annotations_read_meta(&meta, false, &a, e) < 0)
		return err_wrap(e, "default subnet of namespace %s", pod->ns);
	if (a.request.wanted)
		take_default(a.request.subnet, "eth1", out);
	return 0;
}

/* No primary: the card is the pod's only one, whoever has asked for it. */
static int request_single(struct app *app, struct api_request *out, struct err *e)
{
	if (out->refused)
		return err_set(e, ERR_CONFIG, 0,
			       "annotation %s: none, but there is no primary here (delegate is "
			       "none), so that the pod would have no network",
			       API_ANNOTATION_SUBNET);
	if (is_static(app))
		return err_set(e, ERR_CONFIG, 0,
			       "a static pod gets no card, and there is no primary here (delegate "
			       "is none); give it hostNetwork");
	if (!out->wanted)
		take_default(app->conf->default_subnet, "eth0", out);
	return str_copy(out->interface, sizeof(out->interface), "eth0");
}

int pod_request(struct app *app, struct pod *pod, struct api_request *out, struct err *e)
{
	AUTO(api_request_done) struct api_request r = {0};

	if (request_own(app, pod, &r, e) < 0)
		return -1;
	if (app->conf->no_primary) {
		if (request_single(app, &r, e) < 0)
			return -1;
	} else if (app->conf->namespace_defaults && !r.wanted && !r.refused && *pod->ns &&
		   !is_static(app) && request_of_namespace(app, pod, &r, e) < 0) {
		return -1;
	}
	*out = r;
	r = (struct api_request){0};
	return 0;
}
