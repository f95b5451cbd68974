/* SPDX-License-Identifier: Apache-2.0 */
/* The writing half of endpoints.h. */
#include "api/endpoints.h"
#include "api/service.h"
#include "lib/json/jwrite.h"

void api_endpoints_write_owner(struct jw *w, const struct api_endpoints_owner *owner)
{
	jw_kv_arr(w, "ownerReferences");
	jw_obj(w);
	jw_kv_str(w, "apiVersion", "v1");
	jw_kv_str(w, "kind", "Service");
	jw_kv_str(w, "name", owner->name);
	jw_kv_str(w, "uid", owner->uid);
	jw_end(w);
	jw_end(w);
}

static void write_meta(struct jw *w, const struct api_endpoints_owner *owner, const char *name,
		       bool slice)
{
	jw_kv_obj(w, "metadata");
	jw_kv_str(w, "name", name);
	jw_kv_str(w, "namespace", owner->ns);
	jw_kv_obj(w, "labels");
	jw_kv_str(w, API_LABEL_SERVICE, owner->made_for);
	jw_kv_str(w, API_LABEL_MADE_BY, API_MADE_BY);
	/* A name that resolves to addresses and has no address of its own: no work for kube-proxy. */
	jw_kv_str(w, API_LABEL_HEADLESS, "");
	if (slice) {
		jw_kv_str(w, API_LABEL_SERVICE_NAME, owner->name);
		jw_kv_str(w, API_LABEL_SLICE_BY, API_SLICE_BY);
	}
	jw_end(w);
	api_endpoints_write_owner(w, owner);
	jw_end(w);
}

static void write_ports(struct jw *w, const struct api_endpoint_group *g)
{
	jw_kv_arr(w, "ports");
	for (size_t i = 0; i < g->n_ports; i++) {
		jw_obj(w);
		jw_kv_str(w, "name", g->ports[i].name ? g->ports[i].name : "");
		jw_kv_i64(w, "port", g->ports[i].port);
		jw_kv_str(w, "protocol", g->ports[i].protocol);
		jw_kv_opt(w, "appProtocol", g->ports[i].app_protocol);
		jw_end(w);
	}
	jw_end(w);
}

static void write_target(struct jw *w, const char *ns, const struct api_endpoint *ep)
{
	jw_kv_obj(w, "targetRef");
	jw_kv_str(w, "kind", "Pod");
	jw_kv_opt(w, "namespace", ns);
	jw_kv_str(w, "name", ep->pod);
	jw_kv_str(w, "uid", ep->uid);
	jw_end(w);
}

static void write_endpoint(struct jw *w, const struct api_endpoint *ep)
{
	char text[IP_ADDR_LEN];

	jw_obj(w);
	jw_kv_arr(w, "addresses");
	jw_str(w, ip_format(&ep->addr, text));
	jw_end(w);
	jw_kv_obj(w, "conditions");
	jw_kv_bool(w, "ready", ep->ready);
	jw_kv_bool(w, "serving", ep->serving);
	jw_kv_bool(w, "terminating", ep->terminating);
	jw_end(w);
	jw_kv_opt(w, "hostname", ep->hostname);
	jw_kv_opt(w, "nodeName", ep->node);
	jw_kv_opt(w, "zone", ep->zone);
	write_target(w, ep->ns, ep);
	jw_end(w);
}

void api_slice_write_body(struct jw *w, const struct api_slice_content *c)
{
	jw_kv_arr(w, "endpoints");
	for (size_t i = 0; i < c->n_eps; i++)
		write_endpoint(w, c->eps[i]);
	jw_end(w);
	write_ports(w, c->group);
}

void api_slice_write_new(struct jw *w, const struct api_endpoints_owner *owner, const char *name,
			 const struct api_slice_content *c)
{
	jw_obj(w);
	jw_kv_str(w, "apiVersion", API_GROUP_DISCOVERY);
	jw_kv_str(w, "kind", "EndpointSlice");
	write_meta(w, owner, name, true);
	jw_kv_str(w, "addressType", c->group->family == AF_INET6 ? "IPv6" : "IPv4");
	api_slice_write_body(w, c);
	jw_end(w);
}

static size_t count(const struct api_endpoint_group *g, bool ready, bool terminating)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_eps; i++)
		n += g->eps[i].ready == ready && (terminating || !g->eps[i].terminating);
	return n;
}

static void write_addresses(struct jw *w, const struct api_endpoint_group *g, bool ready,
			    bool terminating)
{
	char text[IP_ADDR_LEN];

	if (!count(g, ready, terminating))
		return;
	jw_kv_arr(w, ready ? "addresses" : "notReadyAddresses");
	for (size_t i = 0; i < g->n_eps; i++) {
		const struct api_endpoint *ep = &g->eps[i];

		if (ep->ready != ready || (ep->terminating && !terminating))
			continue;
		jw_obj(w);
		jw_kv_str(w, "ip", ip_format(&ep->addr, text));
		jw_kv_opt(w, "hostname", ep->hostname);
		jw_kv_opt(w, "nodeName", ep->node);
		write_target(w, ep->ns, ep);
		jw_end(w);
	}
	jw_end(w);
}

void api_endpoints_write_body(struct jw *w, const struct api_endpoint_group *groups, size_t n,
			      bool terminating)
{
	jw_kv_arr(w, "subsets");
	for (size_t i = 0; i < n; i++) {
		const struct api_endpoint_group *g = &groups[i];

		if (!count(g, true, terminating) && !count(g, false, terminating))
			continue;
		jw_obj(w);
		write_addresses(w, g, true, terminating);
		write_addresses(w, g, false, terminating);
		if (g->n_ports)
			write_ports(w, g);
		jw_end(w);
	}
	jw_end(w);
}

void api_endpoints_write_new(struct jw *w, const struct api_endpoints_owner *owner,
			     const struct api_endpoint_group *groups, size_t n, bool terminating)
{
	jw_obj(w);
	jw_kv_str(w, "apiVersion", "v1");
	jw_kv_str(w, "kind", "Endpoints");
	write_meta(w, owner, owner->name, false);
	api_endpoints_write_body(w, groups, n, terminating);
	jw_end(w);
}
