/* SPDX-License-Identifier: Apache-2.0 */
#include "api/pod.h"

#include <string.h>

#include "api/labels.h"
#include "api/meta.h"
#include "api/service.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

/* The kubelet's own words for pods that it has from a file, and their mirrors in the API. */
#define MIRROR_ANNOTATION "kubernetes.io/config.mirror"
#define SOURCE_ANNOTATION "kubernetes.io/config.source"

uint64_t api_pod_status_hash(const char *text)
{
	uint64_t h = hash_fnv1a(HASH_FNV1A_INIT, text, strlen(text));

	return h ? h : 1;
}

static int read_annotations(const struct jval *meta, bool legacy, struct api_pod *p, struct err *e)
{
	struct jval all;
	const char *source = "api", *mirror, *networks = NULL;
	int rc = jget_obj(meta, "annotations", &all, e);

	if (rc <= 0)
		return rc;
	rc = jget_str(&all, MIRROR_ANNOTATION, &mirror, e);
	if (rc < 0 || jget_str(&all, SOURCE_ANNOTATION, &source, e) < 0)
		return -1;
	p->is_static = rc == 1 || !str_eq(source, "api");
	if (jget_str(&all, API_ANNOTATION_NETWORK_STATUS, &networks, e) < 0 ||
	    api_service_is_disabled(meta, &p->service_off, e) < 0)
		return -1;
	if (api_annotations_read_meta(meta, legacy, &p->annotations, e) < 0)
		return -1;
	if (networks)
		p->network_status = api_pod_status_hash(networks);
	return 0;
}

static int read_labels(const struct jval *meta, struct api_pod *p, struct err *e)
{
	const char *hash;

	if (api_labels_decode(meta, "labels", &p->labels, e) < 0)
		return -1;
	/* By it a Deployment tells its ReplicaSets' pods apart. */
	hash = api_labels_get(p->labels, "pod-template-hash");
	p->template_hash = xstrdup(hash ? hash : "");
	return 0;
}

static int read_port(const struct jval *item, struct api_pod *p, struct err *e)
{
	const char *name = "", *protocol = "TCP";
	struct api_pod_port port = {.port = 0};
	int64_t n = 0;

	if (jas_obj(item, e) < 0 || jget_str(item, "name", &name, e) < 0 ||
	    jget_str(item, "protocol", &protocol, e) < 0 ||
	    jget_i64(item, "containerPort", JRANGE(0, 65535), &n, e) < 0)
		return -1;
	/* The server takes no name over 15 characters. */
	if (!*name || str_copy(port.name, sizeof(port.name), name) < 0 ||
	    str_copy(port.protocol, sizeof(port.protocol), protocol) < 0)
		return 0;
	port.port = (uint16_t)n;
	p->ports = xreallocarray(p->ports, p->n_ports + 1, sizeof(port));
	p->ports[p->n_ports++] = port;
	return 0;
}

/* Of init containers only those count that go on running. */
static int read_ports(const struct jval *spec, const char *key, struct api_pod *p, struct err *e)
{
	bool init = str_eq(key, "initContainers");
	struct jval list = {0}, container, ports = {0}, item;
	int rc = jget_arr(spec, key, &list, e);

	if (rc <= 0)
		return rc;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &container);) {
		const char *restart = "";

		if (jas_obj(&container, e) < 0 ||
		    jget_str(&container, "restartPolicy", &restart, e) < 0)
			return -1;
		rc = jget_arr(&container, "ports", &ports, e);
		if (rc < 0)
			return -1;
		if (!rc || (init && !str_eq(restart, "Always")))
			continue;
		for (struct jiter k = jiter_of(&ports); jiter_next(&k, &item);) {
			if (read_port(&item, p, e) < 0)
				return -1;
		}
	}
	return 0;
}

static int read_names(const struct jval *spec, struct api_pod *p, struct err *e)
{
	const char *hostname = NULL, *subdomain = NULL;

	if (jget_str(spec, "hostname", &hostname, e) < 0 ||
	    jget_str(spec, "subdomain", &subdomain, e) < 0)
		return -1;
	if (hostname && *hostname && subdomain && *subdomain) {
		p->hostname = xstrdup(hostname);
		p->subdomain = xstrdup(subdomain);
	}
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
		    jget_bool(&spec, "hostNetwork", &p->host_network, e) < 0 ||
		    read_names(&spec, p, e) < 0 || read_ports(&spec, "containers", p, e) < 0 ||
		    read_ports(&spec, "initContainers", p, e) < 0)
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

static int read_ips(const struct jval *status, struct api_pod *p, struct err *e)
{
	struct jval list = {0}, item;
	const char *text = "";
	size_t n = 0;
	int rc = jget_arr(status, "podIPs", &list, e);

	if (rc < 0)
		return -1;
	for (struct jiter it = jiter_of(&list); rc && n < 2 && jiter_next(&it, &item);) {
		if (jas_obj(&item, e) < 0 || jget_str(&item, "ip", &text, e) < 0)
			return -1;
		n += ip_parse(text, &p->ips[n]) == 0;
	}
	if (!n && jget_str(status, "podIP", &text, e) == 1)
		IGNORE(ip_parse(text, &p->ips[0]), "what is not an address stays unset");
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
	     tally(&status, "ephemeralContainerStatuses", &others, e) < 0 ||
	     read_ips(&status, p, e) < 0 || api_is_ready(&status, &p->ready, e) < 0))
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
	    api_owner_decode(&meta, &p->owner, e) < 0 || read_spec(obj, p, &containers, e) < 0 ||
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
	api_owner_done(&p->owner);
	free(p->template_hash);
	free(p->labels);
	free(p->hostname);
	free(p->subdomain);
	free(p->ports);
	api_annotations_done(&p->annotations);
	free(p);
}

bool api_pod_is_annotated(const struct api_pod *p)
{
	return !api_annotations_is_empty(&p->annotations);
}

static bool ports_eq(const struct api_pod *a, const struct api_pod *b)
{
	if (a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_ports; i++) {
		if (!str_eq(a->ports[i].name, b->ports[i].name) ||
		    !str_eq(a->ports[i].protocol, b->ports[i].protocol) ||
		    a->ports[i].port != b->ports[i].port)
			return false;
	}
	return true;
}

bool api_pod_serves_eq(const struct api_pod *a, const struct api_pod *b)
{
	return str_eq(a->meta.uid, b->meta.uid) && a->ready == b->ready &&
	       a->service_off == b->service_off && a->has_ip == b->has_ip &&
	       !a->meta.deletion == !b->meta.deletion && api_pod_is_over(a) == api_pod_is_over(b) &&
	       str_eq(a->node, b->node) && api_labels_eq(a->labels, b->labels) &&
	       str_eq(a->hostname, b->hostname) && str_eq(a->subdomain, b->subdomain) &&
	       ports_eq(a, b);
}

bool api_pod_is_stateful(const struct api_pod *p)
{
	return api_owner_is(&p->owner, "apps", "StatefulSet");
}

bool api_pod_is_over(const struct api_pod *p)
{
	return str_eq(p->phase, "Succeeded") || str_eq(p->phase, "Failed");
}
