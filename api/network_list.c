/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of a network that are lists. */
#include <stdio.h>
#include <string.h>

#include "api/network_field.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

/* ------------------------------------------------------------------------------- routes */

/* A route that no router is the next hop of. */
#define GW_NONE "none"

static int read_route(const struct jval *v, const char *path, struct api_route *r, struct err *e)
{
	const char *dst = NULL, *gw = "", *iface = "eth1";

	if (jas_obj(v, e) < 0 || jneed_str(v, "dst", &dst, e) < 0 ||
	    jget_str(v, "gw", &gw, e) < 0 || jget_str(v, "iface", &iface, e) < 0)
		return -1;
	if (ip_net_parse(dst, &r->dst) < 0)
		return api_field_bad(e, path, "dst", dst, "is not a CIDR");
	r->dst.addr = ip_net_base(&r->dst);
	r->onlink = str_eq(gw, GW_NONE);
	if (*gw && !r->onlink && ip_parse(gw, &r->gw) < 0)
		return api_field_bad(e, path, "gw", gw, "is neither an address nor " GW_NONE);
	if (ip_is_set(&r->gw) && ip_is_multicast(&r->gw))
		return api_field_bad(e, path, "gw", gw, "is not a router's address");
	if (ip_is_set(&r->gw) && r->gw.family != r->dst.addr.family)
		return api_field_bad(e, path, "gw", gw, "is of another family than dst");
	if (!*iface)
		iface = "eth1";
	if (!str_eq(iface, "eth0") && !str_eq(iface, "eth1"))
		return api_field_bad(e, path, "iface", iface, "must be eth0 or eth1");
	return str_copy(r->iface, sizeof(r->iface), iface);
}

static int read_routes(const struct jval *spec, const struct api_field_place *p,
		       struct api_network *n, struct err *e)
{
	struct jval list = {0}, item;
	int rc = jget_arr(spec, p->f->key, &list, e);
	char where[80];

	if (rc <= 0)
		return rc;
	if (jlen(&list) > API_ROUTES_MAX)
		return err_set(e, ERR_CONFIG, 0, "%s.%s: more than %d", p->path, p->f->key,
			       API_ROUTES_MAX);
	n->routes = xcalloc(jlen(&list) + 1, sizeof(*n->routes));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		snprintf(where, sizeof(where), "%s.%s[%zu]", p->path, p->f->key, n->n_routes);
		if (read_route(&item, where, &n->routes[n->n_routes], e) < 0)
			return -1;
		n->n_routes++;
	}
	return 0;
}

static void write_routes(struct jw *w, const struct api_field *f, const struct api_network *n,
			 bool patch)
{
	char dst[IP_NET_LEN], gw[IP_ADDR_LEN];

	(void)patch;
	jw_kv_arr(w, f->key);
	for (size_t i = 0; i < n->n_routes; i++) {
		const struct api_route *r = &n->routes[i];

		jw_obj(w);
		jw_kv_str(w, "dst", ip_net_format(&r->dst, dst));
		jw_kv_opt(w, "gw", r->onlink ? GW_NONE : ip_format(&r->gw, gw));
		jw_kv_str(w, "iface", r->iface);
		jw_end(w);
	}
	jw_end(w);
}

static bool routes_are_absent(const struct api_field *f, const struct api_network *n)
{
	(void)f;
	return !n->n_routes;
}

static bool route_eq(const struct api_route *a, const struct api_route *b)
{
	return ip_net_eq(&a->dst, &b->dst) && ip_eq(&a->gw, &b->gw) && a->onlink == b->onlink &&
	       str_eq(a->iface, b->iface);
}

static bool routes_eq(const struct api_field *f, const struct api_network *a,
		      const struct api_network *b)
{
	(void)f;
	if (a->n_routes != b->n_routes)
		return false;
	for (size_t i = 0; i < a->n_routes; i++) {
		if (!route_eq(&a->routes[i], &b->routes[i]))
			return false;
	}
	return true;
}

static void own_routes(struct api_network *n)
{
	n->routes = n->n_routes ? xmemdup(n->routes, n->n_routes * sizeof(*n->routes)) : NULL;
}

static void free_routes(struct api_network *n)
{
	free(n->routes);
	n->routes = NULL;
	n->n_routes = 0;
}

const struct api_field_type api_field_routes = {read_routes, write_routes, routes_are_absent,
						routes_eq,   own_routes,   free_routes};

/* ------------------------------------------------------------------------------- default gateway */

/* "10.43.0.0/16, fd00::/108": blanks around the commas are taken as people write them. */
static int read_service_cidrs(const char *text, const char *path, struct api_network *n,
			      struct err *e)
{
	n->service_cidrs = xcalloc(API_CIDRS_MAX, sizeof(*n->service_cidrs));
	for (const char *at = text; *at;) {
		char one[IP_NET_LEN];
		size_t len;
		struct ip_net *net = &n->service_cidrs[n->n_service_cidrs];

		at += strspn(at, " ");
		len = strcspn(at, ", ");
		if (!len || len >= sizeof(one) || n->n_service_cidrs == API_CIDRS_MAX)
			goto bad_list;
		memcpy(one, at, len);
		one[len] = '\0';
		if (ip_net_parse(one, net) < 0)
			goto bad_list;
		net->addr = ip_net_base(net);
		n->n_service_cidrs++;
		at += len;
		at += strspn(at, " ");
		if (*at && (*at++ != ',' || !at[strspn(at, " ")]))
			goto bad_list;
	}
	return 0;
bad_list:
	return api_field_bad(e, path, "podDefaultGateway.serviceCidr", text,
			     "must be CIDRs separated by commas");
}

static int read_default_gateway(const struct jval *spec, const struct api_field_place *p,
				struct api_network *n, struct err *e)
{
	struct jval gw;
	const char *cidrs = "";
	int rc = jget_obj(spec, p->f->key, &gw, e);

	if (rc <= 0)
		return rc;
	if (jget_bool(&gw, "enable", &n->pod_default_gateway, e) < 0 ||
	    jget_str(&gw, "serviceCidr", &cidrs, e) < 0)
		return -1;
	return *cidrs ? read_service_cidrs(cidrs, p->path, n, e) : 0;
}

static void write_default_gateway(struct jw *w, const struct api_field *f,
				  const struct api_network *n, bool patch)
{
	AUTO(sb_done) struct sb cidrs = SB_INIT;
	char net[IP_NET_LEN];

	for (size_t i = 0; i < n->n_service_cidrs; i++)
		sb_printf(&cidrs, "%s%s", i ? "," : "", ip_net_format(&n->service_cidrs[i], net));
	jw_kv_obj(w, f->key);
	jw_kv_bool(w, "enable", n->pod_default_gateway);
	/* An empty string would be refused by API servers of 1.20. */
	if (cidrs.len)
		jw_kv_str(w, "serviceCidr", sb_get(&cidrs));
	else
		api_field_write_absent(w, "serviceCidr", patch);
	jw_end(w);
}

bool api_network_names_services(const struct api_network *n, uint8_t family)
{
	for (size_t i = 0; i < n->n_service_cidrs; i++) {
		if (n->service_cidrs[i].addr.family == family)
			return true;
	}
	return false;
}

struct ip_net *api_network_services(const struct api_network *n, const struct ip_net *others,
				    size_t n_others, size_t *out_n)
{
	size_t len = n->n_service_cidrs;
	struct ip_net *v;

	if (!len && !n_others) {
		*out_n = 0;
		return NULL;
	}
	v = xcalloc(len + n_others, sizeof(*v));
	if (len)
		memcpy(v, n->service_cidrs, len * sizeof(*v));
	for (size_t i = 0; i < n_others; i++) {
		if (!api_network_names_services(n, others[i].addr.family))
			v[len++] = others[i];
	}
	*out_n = len;
	return v;
}

static bool default_gateway_is_absent(const struct api_field *f, const struct api_network *n)
{
	(void)f;
	return !n->pod_default_gateway && !n->n_service_cidrs;
}

static bool default_gateway_eq(const struct api_field *f, const struct api_network *a,
			       const struct api_network *b)
{
	(void)f;
	if (a->pod_default_gateway != b->pod_default_gateway ||
	    a->n_service_cidrs != b->n_service_cidrs)
		return false;
	for (size_t i = 0; i < a->n_service_cidrs; i++) {
		if (!ip_net_eq(&a->service_cidrs[i], &b->service_cidrs[i]))
			return false;
	}
	return true;
}

static void own_service_cidrs(struct api_network *n)
{
	size_t size = n->n_service_cidrs * sizeof(*n->service_cidrs);

	n->service_cidrs = size ? xmemdup(n->service_cidrs, size) : NULL;
}

static void free_service_cidrs(struct api_network *n)
{
	free(n->service_cidrs);
	n->service_cidrs = NULL;
	n->n_service_cidrs = 0;
}

const struct api_field_type api_field_default_gateway = {
	read_default_gateway, write_default_gateway, default_gateway_is_absent,
	default_gateway_eq,   own_service_cidrs,     free_service_cidrs};
