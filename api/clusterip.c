/* SPDX-License-Identifier: Apache-2.0 */
#include "api/clusterip.h"

#include <netinet/in.h>
#include <string.h>

#include "api/service.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

/* 0: TCP or UDP is in *out; 1: another, which is nobody's concern here. */
static int read_proto(const char *text, uint8_t *out)
{
	if (str_eq(text, "TCP"))
		*out = IPPROTO_TCP;
	else if (str_eq(text, "UDP"))
		*out = IPPROTO_UDP;
	else
		return 1;
	return 0;
}

static int read_port(const struct jval *item, struct api_cluster_port *v, size_t *n, struct err *e)
{
	const char *name = "", *protocol = "TCP";
	struct api_cluster_port p = {0};
	int64_t port = 0;

	if (jas_obj(item, e) < 0 || jget_str(item, "name", &name, e) < 0 ||
	    jget_str(item, "protocol", &protocol, e) < 0 ||
	    jget_i64(item, "port", JRANGE(0, 65535), &port, e) < 0)
		return -1;
	/* A slice's port without a number is any: no Service with a ClusterIP has one. */
	if (read_proto(protocol, &p.proto) || !port)
		return 0;
	p.name = xstrdup(name);
	p.port = (uint16_t)port;
	v[(*n)++] = p;
	return 0;
}

static int read_ports(const struct jval *parent, struct api_cluster_port **out, size_t *out_n,
		      struct err *e)
{
	struct jval list = {0}, item;
	int rc = jget_arr(parent, "ports", &list, e);
	size_t n;

	if (rc <= 0)
		return rc;
	n = jlen(&list);
	if (n > API_SERVICE_PORTS)
		return jerr(parent, "ports", e, ERR_DECODE, "more than %d entries",
			    API_SERVICE_PORTS);
	*out = xcalloc(n + 1, sizeof(**out));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (read_port(&item, *out, out_n, e) < 0)
			return -1;
	}
	return 0;
}

static void free_ports(struct api_cluster_port *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i].name);
	free(v);
}

/* ------------------------------------------------------------------------------- Service */
static int read_ip(const struct jval *spec, const char *text, struct api_cluster_service *s,
		   struct err *e)
{
	if (!*text || str_eq(text, "None") || s->n_ips == 2)
		return 0;
	if (ip_parse(text, &s->ips[s->n_ips]) < 0)
		return jerr(spec, "clusterIP", e, ERR_DECODE, "\"%s\" is not an address", text);
	s->n_ips++;
	return 0;
}

/* clusterIPs is of servers from 1.20 on, and its first is clusterIP. */
static int read_ips(const struct jval *spec, struct api_cluster_service *s, struct err *e)
{
	struct jval list = {0}, item;
	const char *first = "", *text;
	int rc = jget_arr(spec, "clusterIPs", &list, e);

	if (rc < 0 || jget_str(spec, "clusterIP", &first, e) < 0)
		return -1;
	if (rc == 0)
		return read_ip(spec, first, s, e);
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (jas_str(&item, &text, e) < 0 || read_ip(spec, text, s, e) < 0)
			return -1;
	}
	return 0;
}

static int read_affinity(const struct jval *spec, struct api_cluster_service *s, struct err *e)
{
	struct jval config, client;
	const char *affinity = "";
	int64_t seconds = API_AFFINITY_DEFAULT;
	int rc;

	if (jget_str(spec, "sessionAffinity", &affinity, e) < 0)
		return -1;
	if (!str_eq(affinity, "ClientIP"))
		return 0;
	rc = jget_obj(spec, "sessionAffinityConfig", &config, e);
	if (rc > 0)
		rc = jget_obj(&config, "clientIP", &client, e);
	if (rc > 0)
		rc = jget_i64(&client, "timeoutSeconds", JRANGE(1, 86400), &seconds, e);
	s->affinity_s = (uint32_t)seconds;
	return rc < 0 ? -1 : 0;
}

static int read_spec(const struct jval *spec, struct api_cluster_service *s, struct err *e)
{
	const char *policy = "";

	if (read_ips(spec, s, e) < 0 || read_ports(spec, &s->ports, &s->n_ports, e) < 0 ||
	    read_affinity(spec, s, e) < 0 ||
	    jget_str(spec, "internalTrafficPolicy", &policy, e) < 0)
		return -1;
	s->local = str_eq(policy, "Local");
	return 0;
}

/* A label or an annotation; out is untouched where there is none. */
static int read_mark(const struct jval *meta, const char *which, const char *key, const char **out,
		     struct err *e)
{
	struct jval all;
	int rc = jget_obj(meta, which, &all, e);

	if (rc > 0)
		rc = jget_str(&all, key, out, e);
	return rc < 0 ? -1 : 0;
}

int api_cluster_service_decode(const struct jval *obj, struct api_cluster_service **out,
			       struct err *e)
{
	AUTO(api_cluster_service_free) struct api_cluster_service *s = xcalloc(1, sizeof(*s));
	const char *proxy = NULL, *leads = "", *type = "";
	struct jval meta, spec;

	if (api_meta_decode(obj, &s->meta, e) < 0 || jneed_obj(obj, "metadata", &meta, e) < 0 ||
	    jneed_obj(obj, "spec", &spec, e) < 0 || jget_str(&spec, "type", &type, e) < 0 ||
	    read_mark(&meta, "labels", API_LABEL_SERVICE_PROXY, &proxy, e) < 0 ||
	    read_mark(&meta, "annotations", API_ANNOTATION_CLUSTER_IP, &leads, e) < 0)
		return -1;
	*out = NULL;
	if (proxy || str_eq(type, "ExternalName"))
		return 0;
	if (read_spec(&spec, s, e) < 0)
		return -1;
	s->eth1 = str_eq(leads, "eth1");
	if (s->n_ips)
		*out = STEAL(s);
	return 0;
}

void api_cluster_service_free(struct api_cluster_service *s)
{
	if (!s)
		return;
	api_meta_done(&s->meta);
	free_ports(s->ports, s->n_ports);
	free(s);
}

/* ------------------------------------------------------------------------------- backends */
void api_backends_free(struct api_backends *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_groups; i++) {
		free_ports(b->groups[i].ports, b->groups[i].n_ports);
		free(b->groups[i].v);
	}
	free(b->groups);
	free(b->ns);
	free(b->service);
	free(b->made_for);
	free(b);
}

/* What is read of one object, one address after the other. */
struct reading {
	const char *node;
	struct api_backend_group *group;
};

static int add_address(const struct reading *r, const struct jval *where, const char *text,
		       struct api_backend like, struct err *e)
{
	struct api_backend_group *g = r->group;

	if (ip_parse(text, &like.addr) < 0)
		return jerr(where, NULL, e, ERR_DECODE, "\"%s\" is not an address", text);
	if (g->n == API_BACKENDS_MAX)
		return jerr(where, NULL, e, ERR_DECODE, "more than %d addresses", API_BACKENDS_MAX);
	/* By powers of two. */
	if ((g->n & (g->n - 1)) == 0)
		g->v = xreallocarray(g->v, g->n ? 2 * g->n : 1, sizeof(*g->v));
	g->v[g->n++] = like;
	return 0;
}

/* ready absent is ready; serving absent is ready's (discovery.k8s.io/v1, EndpointConditions). */
static int read_conditions(const struct jval *item, struct api_backend *b, struct err *e)
{
	bool ready = true, serving, terminating = false;
	struct jval c;
	int rc = jget_obj(item, "conditions", &c, e);

	if (rc > 0 && jget_bool(&c, "ready", &ready, e) < 0)
		return -1;
	serving = ready;
	if (rc > 0 && (jget_bool(&c, "serving", &serving, e) < 0 ||
		       jget_bool(&c, "terminating", &terminating, e) < 0))
		return -1;
	b->ready = ready;
	b->draining = serving && terminating;
	return rc < 0 ? -1 : 0;
}

static int read_endpoint(const struct reading *r, const struct jval *item, struct err *e)
{
	struct api_backend b = {0};
	struct jval list = {0}, address;
	const char *node = "", *text;

	if (jas_obj(item, e) < 0 || read_conditions(item, &b, e) < 0 ||
	    jget_str(item, "nodeName", &node, e) < 0 || jget_arr(item, "addresses", &list, e) < 0)
		return -1;
	b.local = str_eq(node, r->node);
	/* All of them are the same endpoint: the first is enough, as kube-proxy has it. */
	if (jat(&list, 0, &address) == 0)
		return 0;
	return jas_str(&address, &text, e) < 0 ? -1 : add_address(r, item, text, b, e);
}

static int begin(const struct jval *obj, const char *label, struct api_backends *b, struct err *e)
{
	AUTO(api_meta_done) struct api_meta meta = {0};
	const char *service = NULL, *made_for = NULL;
	struct jval m;

	if (api_meta_decode(obj, &meta, e) < 0 || jneed_obj(obj, "metadata", &m, e) < 0 ||
	    read_mark(&m, "labels", API_LABEL_SERVICE, &made_for, e) < 0 ||
	    (label && read_mark(&m, "labels", label, &service, e) < 0))
		return -1;
	b->ns = xstrdup(meta.ns);
	b->service = xstrdup(label ? service : meta.name);
	b->made_for = xstrdup(made_for);
	return 0;
}

int api_backends_decode_slice(const struct jval *obj, const char *node, struct api_backends **out,
			      struct err *e)
{
	AUTO(api_backends_free) struct api_backends *b = xcalloc(1, sizeof(*b));
	struct reading r = {.node = node};
	struct jval list = {0}, item;
	const char *type = "";

	if (begin(obj, "kubernetes.io/service-name", b, e) < 0 ||
	    jget_str(obj, "addressType", &type, e) < 0)
		return -1;
	*out = NULL;
	if (!b->service || str_eq(type, "FQDN"))
		return 0;
	b->groups = xcalloc(1, sizeof(*b->groups));
	b->n_groups = 1;
	r.group = &b->groups[0];
	if (read_ports(obj, &r.group->ports, &r.group->n_ports, e) < 0 ||
	    jget_arr(obj, "endpoints", &list, e) < 0)
		return -1;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (read_endpoint(&r, &item, e) < 0)
			return -1;
	}
	*out = STEAL(b);
	return 0;
}

/* Those of notReadyAddresses are of no use here: nothing says whether they still serve. */
static int read_subset(const struct reading *r, const struct jval *subset, struct err *e)
{
	struct jval list = {0}, item;

	if (jas_obj(subset, e) < 0 ||
	    read_ports(subset, &r->group->ports, &r->group->n_ports, e) < 0 ||
	    jget_arr(subset, "addresses", &list, e) < 0)
		return -1;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		struct api_backend b = {.ready = true};
		const char *ip = "", *node = "";

		if (jas_obj(&item, e) < 0 || jneed_str(&item, "ip", &ip, e) < 0 ||
		    jget_str(&item, "nodeName", &node, e) < 0)
			return -1;
		b.local = str_eq(node, r->node);
		if (add_address(r, &item, ip, b, e) < 0)
			return -1;
	}
	return 0;
}

int api_backends_decode_endpoints(const struct jval *obj, const char *node,
				  struct api_backends **out, struct err *e)
{
	AUTO(api_backends_free) struct api_backends *b = xcalloc(1, sizeof(*b));
	struct reading r = {.node = node};
	struct jval list = {0}, item;

	if (begin(obj, NULL, b, e) < 0 || jget_arr(obj, "subsets", &list, e) < 0)
		return -1;
	b->groups = xcalloc(jlen(&list) + 1, sizeof(*b->groups));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		r.group = &b->groups[b->n_groups++];
		if (read_subset(&r, &item, e) < 0)
			return -1;
	}
	*out = STEAL(b);
	return 0;
}
