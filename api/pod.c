#include "api/pod.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

/* The kubelet's own words for pods that it has from a file, and their mirrors in the API. */
#define MIRROR_ANNOTATION "kubernetes.io/config.mirror"
#define SOURCE_ANNOTATION "kubernetes.io/config.source"

static int read_annotations(const struct jval *meta, bool legacy, struct api_pod *p, struct err *e)
{
	struct jval all;
	const char *source = "api", *mirror;
	int rc = jget_obj(meta, "annotations", &all, e);

	if (rc <= 0)
		return rc;
	rc = jget_str(&all, MIRROR_ANNOTATION, &mirror, e);
	if (rc < 0 || jget_str(&all, SOURCE_ANNOTATION, &source, e) < 0)
		return -1;
	p->is_static = rc == 1 || !str_eq(source, "api");
	return api_annotations_read_meta(meta, legacy, p->annotation, e);
}

/* The label by which a Deployment tells its ReplicaSets' pods apart. */
static int read_labels(const struct jval *meta, struct api_pod *p, struct err *e)
{
	const char *hash = "";
	struct jval labels;
	int rc = jget_obj(meta, "labels", &labels, e);

	if (rc < 0 || (rc && jget_str(&labels, "pod-template-hash", &hash, e) < 0))
		return -1;
	p->template_hash = xstrdup(hash);
	return 0;
}

static int read_owner(const struct jval *meta, struct api_pod *p, struct err *e)
{
	const char *kind = "", *name = "", *uid = "";
	struct jval list = {0}, item;
	int rc = jget_arr(meta, "ownerReferences", &list, e);

	if (rc < 0)
		return -1;
	for (struct jiter it = jiter_of(&list); rc && jiter_next(&it, &item);) {
		bool controller = false;

		if (jas_obj(&item, e) < 0 || jget_bool(&item, "controller", &controller, e) < 0)
			return -1;
		if (!controller)
			continue;
		if (jget_str(&item, "kind", &kind, e) < 0 ||
		    jget_str(&item, "name", &name, e) < 0 || jget_str(&item, "uid", &uid, e) < 0)
			return -1;
		break;
	}
	p->owner_kind = xstrdup(kind);
	p->owner_name = xstrdup(name);
	p->owner_uid = xstrdup(uid);
	return 0;
}

static int read_spec(const struct jval *obj, struct api_pod *p, size_t *containers, struct err *e)
{
	const char *node = "";
	struct jval spec = {0}, list = {0};
	int rc = jget_obj(obj, "spec", &spec, e);

	if (rc < 0)
		return -1;
	if (rc) {
		if (jget_str(&spec, "nodeName", &node, e) < 0 ||
		    jget_bool(&spec, "hostNetwork", &p->host_network, e) < 0)
			return -1;
		rc = jget_arr(&spec, "containers", &list, e);
		if (rc < 0)
			return -1;
		*containers = rc ? jlen(&list) : 0;
	}
	p->node = xstrdup(node);
	return 0;
}

struct container_tally {
	size_t statuses;
	size_t terminated;
	size_t running;
	int64_t ended;
};

static int tally_state(const struct jval *status, const char *key, bool now,
		       struct container_tally *t, struct err *e)
{
	struct jval state, one;
	const char *when = NULL;
	int64_t at = 0;
	int rc = jget_obj(status, key, &state, e);

	if (rc <= 0)
		return rc;
	rc = jget_obj(&state, "running", &one, e);
	if (rc < 0)
		return -1;
	t->running += rc && now;
	rc = jget_obj(&state, "terminated", &one, e);
	if (rc <= 0)
		return rc;
	t->terminated += now;
	if (jget_str(&one, "finishedAt", &when, e) < 0)
		return -1;
	if (when && clock_parse_rfc3339(when, &at) == 0 && at > t->ended)
		t->ended = at;
	return 0;
}

/*
 * Removed before the kubelet wrote its last status of a pod that is being deleted: state is "waiting"
 * again, and the end stands in lastState alone (kubelet 1.19 to 1.21, convertToAPIContainerStatuses).
 */
static int tally_unlocated(const struct jval *status, struct container_tally *t, struct err *e)
{
	struct jval state = {0}, waiting, last = {0}, terminated = {0};
	const char *reason = "";

	if (jget_obj(status, "state", &state, e) < 0 ||
	    jget_obj(status, "lastState", &last, e) < 0 ||
	    jget_obj(&last, "terminated", &terminated, e) < 0 ||
	    jget_str(&terminated, "reason", &reason, e) < 0)
		return -1;
	if (str_eq(reason, "ContainerStatusUnknown") &&
	    jget_obj(&state, "waiting", &waiting, e) == 1)
		t->terminated++;
	return 0;
}

static int tally(const struct jval *status, const char *key, struct container_tally *t,
		 struct err *e)
{
	struct jval list = {0}, item;
	int rc = jget_arr(status, key, &list, e);

	if (rc <= 0)
		return rc;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (jas_obj(&item, e) < 0 || tally_state(&item, "state", true, t, e) < 0 ||
		    tally_state(&item, "lastState", false, t, e) < 0 ||
		    tally_unlocated(&item, t, e) < 0)
			return -1;
		t->statuses++;
	}
	return 0;
}

static int read_status(const struct jval *obj, struct api_pod *p, size_t containers, struct err *e)
{
	const char *phase = "", *ip = "";
	struct container_tally main = {0}, others = {0};
	struct jval status;
	int rc = jget_obj(obj, "status", &status, e);

	if (rc < 0)
		return -1;
	if (rc &&
	    (jget_str(&status, "phase", &phase, e) < 0 || jget_str(&status, "podIP", &ip, e) < 0 ||
	     tally(&status, "containerStatuses", &main, e) < 0 ||
	     tally(&status, "initContainerStatuses", &others, e) < 0 ||
	     tally(&status, "ephemeralContainerStatuses", &others, e) < 0))
		return -1;
	p->phase = xstrdup(phase);
	p->has_ip = *ip != '\0';
	p->any_running = main.running || others.running;
	p->ended = main.ended > others.ended ? main.ended : others.ended;
	/* Init containers that were never reached stay "waiting" for ever; running they must not be. */
	p->all_terminated = containers && main.terminated >= containers &&
			    main.terminated == main.statuses && !others.running;
	return 0;
}

int api_pod_decode(const struct jval *obj, bool legacy, struct api_pod **out, struct err *e)
{
	AUTO(api_pod_free) struct api_pod *p = xcalloc(1, sizeof(*p));
	struct jval meta;
	size_t containers = 0;

	if (api_meta_decode(obj, &p->meta, e) < 0 || jneed_obj(obj, "metadata", &meta, e) < 0 ||
	    jget_i64(&meta, "deletionGracePeriodSeconds", JRANGE(0, INT64_MAX),
		     &p->deletion_grace_s, e) < 0 ||
	    read_annotations(&meta, legacy, p, e) < 0 || read_labels(&meta, p, e) < 0 ||
	    read_owner(&meta, p, e) < 0 || read_spec(obj, p, &containers, e) < 0 ||
	    read_status(obj, p, containers, e) < 0)
		return -1;
	*out = STEAL(p);
	return 0;
}

void api_pod_free(struct api_pod *p)
{
	if (!p)
		return;
	api_meta_done(&p->meta);
	free(p->node);
	free(p->phase);
	free(p->owner_kind);
	free(p->owner_name);
	free(p->owner_uid);
	free(p->template_hash);
	for (size_t i = 0; i < ARRAY_SIZE(p->annotation); i++)
		free(p->annotation[i]);
	free(p);
}

struct api_annotations api_pod_annotations(const struct api_pod *p)
{
	return api_annotations_of(p->annotation);
}

bool api_pod_is_annotated(const struct api_pod *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->annotation); i++) {
		if (p->annotation[i])
			return true;
	}
	return false;
}

bool api_pod_is_over(const struct api_pod *p)
{
	return str_eq(p->phase, "Succeeded") || str_eq(p->phase, "Failed");
}
