/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/svc_plan.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "api/ip.h"
#include "api/labels.h"
#include "controller/rules/copy_labels.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"

/* ------------------------------------------------------------------------------- endpoints */

/* 0 = the pod has no port of that name. */
static uint16_t resolve(const struct api_service_port *p, const struct api_pod *pod)
{
	uint32_t n = 0;

	if (!p->target)
		return p->port;
	if (parse_u32(p->target, 65535, &n) == 0)
		return (uint16_t)n;
	for (size_t i = 0; i < pod->n_ports; i++) {
		if (str_eq(pod->ports[i].name, p->target) &&
		    str_eq(pod->ports[i].protocol, p->protocol))
			return pod->ports[i].port;
	}
	return 0;
}

/* The caller frees the result. */
static struct api_endpoint_port *ports_of(const struct api_service *svc, const struct api_pod *pod,
					  size_t *n)
{
	struct api_endpoint_port *ports = xcalloc(svc->n_ports + 1, sizeof(*ports));

	*n = 0;
	for (size_t i = 0; i < svc->n_ports; i++) {
		const struct api_service_port *p = &svc->ports[i];
		uint16_t port = resolve(p, pod);

		if (!port)
			continue;
		ports[(*n)++] = (struct api_endpoint_port){
			.name = p->name,
			.protocol = p->protocol,
			.app_protocol = p->app_protocol,
			.port = port,
		};
	}
	return ports;
}

/* The group of that family and these ports, which are taken. */
static struct api_endpoint_group *group_of(struct svc_groups *g, uint8_t family,
					   const struct api_endpoint_port *ports, size_t n)
{
	uint64_t hash = api_endpoint_ports_hash(ports, n);
	struct api_endpoint_group *group;

	for (size_t i = 0; i < g->n; i++) {
		if (g->items[i].family == family && g->items[i].ports_hash == hash)
			return &g->items[i];
	}
	g->items = xreallocarray(g->items, g->n + 1, sizeof(*g->items));
	group = &g->items[g->n++];
	*group = (struct api_endpoint_group){
		.family = family,
		.ports = xmemdup(ports, n * sizeof(*ports)),
		.n_ports = n,
		.ports_hash = hash,
	};
	return group;
}

static void add(struct api_endpoint_group *g, const struct api_endpoint *ep)
{
	/* Room doubles at each power of two. */
	if (!(g->n_eps & (g->n_eps - 1)))
		g->eps = xreallocarray(g->eps, g->n_eps ? g->n_eps * 2 : 1, sizeof(*ep));
	g->eps[g->n_eps++] = *ep;
}

static bool has_name(const struct api_service *svc, const struct svc_pod *p)
{
	return p->pod->hostname && (p->stateful || str_eq(p->pod->subdomain, svc->meta.name));
}

static void add_pod(const struct api_service *svc, const struct svc_pod *p, struct svc_groups *out)
{
	const struct ip_addr *addrs[] = {&p->addr, &p->addr6};
	bool terminating = p->pod->meta.deletion != 0;
	struct api_endpoint ep = {
		.ready = svc->publish_not_ready || (p->pod->ready && !terminating),
		.serving = p->pod->ready,
		.terminating = terminating,
		.node = p->pod->node,
		.zone = p->zone,
		.hostname = has_name(svc, p) ? p->pod->hostname : NULL,
		.ns = p->pod->meta.ns,
		.pod = p->pod->meta.name,
		.uid = p->pod->meta.uid,
	};
	size_t n_ports;
	AUTO(free) struct api_endpoint_port *ports = ports_of(svc, p->pod, &n_ports);

	if (svc->n_ports && !n_ports)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++) {
		if (!ip_is_set(addrs[i]))
			continue;
		ep.addr = *addrs[i];
		add(group_of(out, ep.addr.family, ports, n_ports), &ep);
	}
}

static int cmp_endpoints(const void *a, const void *b)
{
	const struct api_endpoint *x = a, *y = b;
	int c = ip_cmp(&x->addr, &y->addr);

	return c ? c : strcmp(x->uid, y->uid);
}

static int cmp_groups(const void *a, const void *b)
{
	const struct api_endpoint_group *x = a, *y = b;

	if (x->family != y->family)
		return x->family == AF_INET ? -1 : 1;
	return (x->ports_hash > y->ports_hash) - (x->ports_hash < y->ports_hash);
}

void svc_plan_groups(const struct api_service *svc, const struct svc_pod *pods, size_t n,
		     struct svc_groups *out)
{
	*out = (struct svc_groups){0};
	for (size_t i = 0; i < n; i++)
		add_pod(svc, &pods[i], out);
	for (size_t i = 0; i < out->n; i++)
		qsort(out->items[i].eps, out->items[i].n_eps, sizeof(struct api_endpoint),
		      cmp_endpoints);
	if (out->n)
		qsort(out->items, out->n, sizeof(*out->items), cmp_groups);
}

void svc_groups_done(struct svc_groups *g)
{
	for (size_t i = 0; i < g->n; i++) {
		free(g->items[i].ports);
		free(g->items[i].eps);
	}
	free(g->items);
	*g = (struct svc_groups){0};
}

/* ------------------------------------------------------------------------------- the Service */

void svc_plan_families(const struct svc_groups *g, const struct api_service *head, uint8_t out[2])
{
	size_t n = 0;

	out[0] = out[1] = 0;
	/* Groups are sorted: IPv4 comes first. */
	for (size_t i = 0; i < g->n && n < 2; i++) {
		if (!n || out[0] != g->items[i].family)
			out[n++] = g->items[i].family;
	}
	if (n)
		return;
	out[0] = head && head->families[0] ? head->families[0] : AF_INET;
	out[1] = head && head->families[0] ? head->families[1] : 0;
}

static const char *policy_of(const uint8_t families[2])
{
	return families[1] ? "RequireDualStack" : "SingleStack";
}

/* A server that knows no families shows none, and none are asked of it. */
static bool families_eq(const struct api_service *head, const uint8_t families[2])
{
	return !head->families[0] ||
	       (head->families[0] == families[0] && head->families[1] == families[1] &&
		str_eq(head->family_policy, policy_of(families)));
}

enum svc_head_verdict svc_plan_head(const struct svc_head_in *in, const struct api_service *head)
{
	const struct api_service *svc = in->svc;
	const uint8_t *families = in->families;
	char label[64];

	if (!str_eq(head->owner_uid, svc->meta.uid) || !head->headless ||
	    (head->families[0] && head->families[0] != families[0]))
		return SVC_HEAD_REPLACE;
	if (!api_service_ports_eq(svc, head) || head->selector ||
	    head->publish_not_ready != svc->publish_not_ready || !families_eq(head, families) ||
	    !str_eq(head->made_for, api_label_value(svc->meta.name, label)) ||
	    !copy_labels_eq(in->copy_labels, svc->labels, head->labels))
		return SVC_HEAD_PATCH;
	return SVC_HEAD_RIGHT;
}

static void write_target(struct jw *w, const char *target)
{
	uint32_t n = 0;

	jw_key(w, "targetPort");
	if (parse_u32(target, 65535, &n) == 0)
		jw_i64(w, n);
	else
		jw_str(w, target);
}

static void write_ports(struct jw *w, const struct api_service *svc)
{
	jw_kv_arr(w, "ports");
	for (size_t i = 0; i < svc->n_ports; i++) {
		const struct api_service_port *p = &svc->ports[i];

		jw_obj(w);
		jw_kv_opt(w, "name", p->name);
		jw_kv_str(w, "protocol", p->protocol);
		jw_kv_opt(w, "appProtocol", p->app_protocol);
		jw_kv_i64(w, "port", p->port);
		if (p->target)
			write_target(w, p->target);
		jw_end(w);
	}
	jw_end(w);
}

static void write_families(struct jw *w, const uint8_t families[2])
{
	jw_kv_str(w, "ipFamilyPolicy", policy_of(families));
	jw_kv_arr(w, "ipFamilies");
	for (size_t i = 0; i < 2 && families[i]; i++)
		jw_str(w, families[i] == AF_INET6 ? "IPv6" : "IPv4");
	jw_end(w);
}

/* head: NULL for a new one */
static void write_labels(struct jw *w, const struct svc_head_in *in, const struct api_service *head)
{
	const struct api_service *svc = in->svc;
	char label[64];

	jw_kv_obj(w, "labels");
	jw_kv_str(w, API_LABEL_SERVICE, api_label_value(svc->meta.name, label));
	jw_kv_str(w, API_LABEL_MADE_BY, API_MADE_BY);
	copy_labels_write(w, in->copy_labels, svc->labels, head ? head->labels : NULL);
	jw_end(w);
}

char *svc_plan_head_new(const struct svc_head_in *in, const char *name)
{
	const struct api_service *svc = in->svc;
	const struct api_endpoints_owner owner = {.name = svc->meta.name, .uid = svc->meta.uid};
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	jw_obj(&w);
	jw_kv_str(&w, "apiVersion", "v1");
	jw_kv_str(&w, "kind", "Service");
	jw_kv_obj(&w, "metadata");
	jw_kv_str(&w, "name", name);
	jw_kv_str(&w, "namespace", svc->meta.ns);
	write_labels(&w, in, NULL);
	api_endpoints_write_owner(&w, &owner);
	jw_end(&w);
	jw_kv_obj(&w, "spec");
	jw_kv_str(&w, "type", "ClusterIP");
	jw_kv_str(&w, "clusterIP", "None");
	write_families(&w, in->families);
	jw_kv_bool(&w, "publishNotReadyAddresses", svc->publish_not_ready);
	write_ports(&w, svc);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&sb);
}

char *svc_plan_head_patch(const struct svc_head_in *in, const struct api_service *head)
{
	const struct api_service *svc = in->svc;
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	api_meta_begin_patch(&w, head->meta.uid, head->meta.resource_version);
	write_labels(&w, in, head);
	jw_end(&w);
	jw_kv_obj(&w, "spec");
	jw_key(&w, "selector");
	jw_null(&w);
	if (head->families[0])
		write_families(&w, in->families);
	jw_kv_bool(&w, "publishNotReadyAddresses", svc->publish_not_ready);
	write_ports(&w, svc);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&sb);
}
