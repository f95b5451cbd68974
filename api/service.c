/* SPDX-License-Identifier: Apache-2.0 */
#include "api/service.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "api/labels.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

int api_service_is_disabled(const struct jval *meta, bool *out, struct err *e)
{
	const char *value = "";
	struct jval all;
	int rc = jget_obj(meta, "annotations", &all, e);

	if (rc > 0)
		rc = jget_str(&all, API_ANNOTATION_SERVICE, &value, e);
	if (rc < 0)
		return -1;
	*out = str_eq(value, "disabled");
	return 0;
}

static int read_target(const struct jval *port, char **out, struct err *e)
{
	struct jval v;
	int64_t n;
	int rc = jget(port, "targetPort", &v, e);

	if (rc <= 0)
		return rc;
	if (jis_str(&v)) {
		*out = xstrdup(jstr(&v));
		return 0;
	}
	if (jas_i64(&v, JRANGE(0, 65535), &n, e) < 0)
		return -1;
	/* 0 is what an unset one decodes to in Kubernetes' own types. */
	*out = n ? xasprintf("%d", (int)n) : NULL;
	return 0;
}

static int read_port(const struct jval *item, struct api_service_port *p, struct err *e)
{
	const char *name = "", *protocol = "TCP", *app = NULL;
	int64_t port = 0;

	if (jas_obj(item, e) < 0 || jget_str(item, "name", &name, e) < 0 ||
	    jget_str(item, "protocol", &protocol, e) < 0 ||
	    jget_str(item, "appProtocol", &app, e) < 0 ||
	    jneed_i64(item, "port", JRANGE(0, 65535), &port, e) < 0 ||
	    read_target(item, &p->target, e) < 0)
		return -1;
	p->name = xstrdup(name);
	p->protocol = xstrdup(protocol);
	p->app_protocol = xstrdup(app);
	p->port = (uint16_t)port;
	return 0;
}

static int read_ports(const struct jval *spec, struct api_service *s, struct err *e)
{
	struct jval list, item;
	int rc = jget_arr(spec, "ports", &list, e);
	size_t n;

	if (rc <= 0)
		return rc;
	n = jlen(&list);
	if (n > API_SERVICE_PORTS)
		return jerr(spec, "ports", e, ERR_DECODE, "more than %d entries",
			    API_SERVICE_PORTS);
	s->ports = xcalloc(n + 1, sizeof(*s->ports));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (read_port(&item, &s->ports[s->n_ports++], e) < 0)
			return -1;
	}
	return 0;
}

static int read_families(const struct jval *spec, struct api_service *s, struct err *e)
{
	struct jval list, item;
	const char *policy = NULL;
	size_t n = 0;
	int rc = jget_arr(spec, "ipFamilies", &list, e);

	if (rc < 0 || jget_str(spec, "ipFamilyPolicy", &policy, e) < 0)
		return -1;
	s->family_policy = xstrdup(policy);
	if (!rc)
		return 0;
	for (struct jiter it = jiter_of(&list); n < 2 && jiter_next(&it, &item);)
		s->families[n++] = str_eq(jstr(&item), "IPv6") ? AF_INET6 : AF_INET;
	return 0;
}

static int read_spec(const struct jval *obj, struct api_service *s, struct err *e)
{
	const char *ip = "", *type = "";
	struct jval spec;
	int rc = jget_obj(obj, "spec", &spec, e);

	if (rc <= 0)
		return rc;
	if (jget_str(&spec, "clusterIP", &ip, e) < 0 || jget_str(&spec, "type", &type, e) < 0 ||
	    jget_bool(&spec, "publishNotReadyAddresses", &s->publish_not_ready, e) < 0 ||
	    api_labels_decode(&spec, "selector", &s->selector, e) < 0 ||
	    read_ports(&spec, s, e) < 0 || read_families(&spec, s, e) < 0)
		return -1;
	s->headless = str_eq(ip, "None");
	s->external_name = str_eq(type, "ExternalName");
	return 0;
}

static int read_owner(const struct jval *meta, struct api_service *s, struct err *e)
{
	struct jval list = {0}, item;
	int rc = jget_arr(meta, "ownerReferences", &list, e);

	if (rc <= 0)
		return rc;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		const char *kind = "", *name = "", *uid = "";

		if (jas_obj(&item, e) < 0 || jget_str(&item, "kind", &kind, e) < 0 ||
		    jget_str(&item, "name", &name, e) < 0 || jget_str(&item, "uid", &uid, e) < 0)
			return -1;
		if (!str_eq(kind, "Service") || s->owner)
			continue;
		s->owner = xstrdup(name);
		s->owner_uid = xstrdup(uid);
	}
	return 0;
}

static int read_labels(const struct jval *meta, struct api_service *s, struct err *e)
{
	const char *made_for = NULL;
	struct jval labels;
	int rc = jget_obj(meta, "labels", &labels, e);

	if (rc > 0 && api_labels_decode(meta, "labels", &s->labels, e) < 0)
		return -1;
	if (rc > 0)
		rc = jget_str(&labels, API_LABEL_SERVICE, &made_for, e);
	s->made_for = xstrdup(made_for);
	return rc < 0 ? -1 : 0;
}

int api_service_decode(const struct jval *obj, struct api_service **out, struct err *e)
{
	AUTO(api_service_free) struct api_service *s = xcalloc(1, sizeof(*s));
	struct jval meta;

	if (api_meta_decode(obj, &s->meta, e) < 0 || jneed_obj(obj, "metadata", &meta, e) < 0 ||
	    api_service_is_disabled(&meta, &s->disabled, e) < 0 || read_labels(&meta, s, e) < 0 ||
	    read_owner(&meta, s, e) < 0 || read_spec(obj, s, e) < 0)
		return -1;
	*out = STEAL(s);
	return 0;
}

void api_service_free(struct api_service *s)
{
	if (!s)
		return;
	api_meta_done(&s->meta);
	for (size_t i = 0; i < s->n_ports; i++) {
		free(s->ports[i].name);
		free(s->ports[i].protocol);
		free(s->ports[i].app_protocol);
		free(s->ports[i].target);
	}
	free(s->ports);
	free(s->selector);
	free(s->labels);
	free(s->made_for);
	free(s->owner);
	free(s->owner_uid);
	free(s->family_policy);
	free(s);
}

/* Where none is written the server fills in the port itself. */
static bool target_eq(const struct api_service_port *a, const struct api_service_port *b)
{
	char x[8], y[8];

	snprintf(x, sizeof(x), "%u", a->port);
	snprintf(y, sizeof(y), "%u", b->port);
	return str_eq(a->target ? a->target : x, b->target ? b->target : y);
}

bool api_service_ports_eq(const struct api_service *a, const struct api_service *b)
{
	if (a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_ports; i++) {
		const struct api_service_port *p = &a->ports[i], *q = &b->ports[i];

		if (!str_eq(p->name, q->name) || !str_eq(p->protocol, q->protocol) ||
		    !str_eq(p->app_protocol, q->app_protocol) || p->port != q->port ||
		    !target_eq(p, q))
			return false;
	}
	return true;
}

char *api_service_head_name(const char *name, char buf[API_SERVICE_NAME_MAX])
{
	size_t n = strlen(name), suffix = strlen(API_SERVICE_SUFFIX);

	if (n + suffix < API_SERVICE_NAME_MAX)
		snprintf(buf, API_SERVICE_NAME_MAX, "%s" API_SERVICE_SUFFIX, name);
	else /* 38 + "-" + 16 hex digits + the suffix = 63 */
		snprintf(buf, API_SERVICE_NAME_MAX, "%.38s-%016llx" API_SERVICE_SUFFIX, name,
			 (unsigned long long)hash_fnv1a(HASH_FNV1A_INIT, name, n));
	return buf;
}
