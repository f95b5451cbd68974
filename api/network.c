#include "api/network.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

#define MTU_MAX 65535

static const char *const mode_names[] = {"bridge", "private", "vepa", "passthru",
					 "l2",     "l3",      "l3s"};
static const char *const link_names[] = {"macvlan", "ipvlan"};

const char *api_mode_name(enum api_mode mode)
{
	return mode_names[mode];
}

const char *api_link_type_name(enum api_link_type type)
{
	return link_names[type];
}

/* Rules of the spec, told by path: what a user can mend. */
static int bad(struct err *e, const char *path, const char *key, const char *value, const char *why)
{
	return err_set(e, ERR_CONFIG, 0, "%s.%s: \"%.80s\" %s", path, key, value, why);
}

static int find_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(names[i], name))
			return (int)i;
	}
	return -1;
}

static int read_master(const struct jval *v, const char *path, struct api_network *n, struct err *e)
{
	const char *s = "";

	if (jget_str(v, "master", &s, e) < 0)
		return -1;
	if (!*s)
		return err_set(e, ERR_CONFIG, 0, "%s.master: is missing", path);
	/* What the kernel refuses in the name of a device. */
	if (strpbrk(s, "/ \t\r\n\v\f") || str_eq(s, ".") || str_eq(s, "..") ||
	    str_copy(n->master, sizeof(n->master), s) < 0)
		return bad(e, path, "master", s, "is not the name of a network card");
	return 0;
}

static int read_kind(const struct jval *v, const char *path, struct api_network *n, struct err *e)
{
	const char *type = "macvlan", *mode = NULL;
	int found;

	if (jget_str(v, "linkType", &type, e) < 0 || jget_str(v, "mode", &mode, e) < 0)
		return -1;
	found = find_name(link_names, ARRAY_SIZE(link_names), type);
	if (found < 0)
		return bad(e, path, "linkType", type, "must be macvlan or ipvlan");
	n->link_type = (enum api_link_type)found;
	if (!mode || !*mode)
		mode = n->link_type == API_LINK_MACVLAN ? "bridge" : "l2";
	found = find_name(mode_names, ARRAY_SIZE(mode_names), mode);
	if (n->link_type == API_LINK_MACVLAN && (found < 0 || found > API_MODE_PASSTHRU))
		return bad(e, path, "mode", mode, "must be bridge, private, vepa or passthru");
	if (n->link_type == API_LINK_IPVLAN && found < API_MODE_L2)
		return bad(e, path, "mode", mode, "of an ipvlan must be l2, l3 or l3s");
	n->mode = (enum api_mode)found;
	return 0;
}

static int read_numbers(const struct jval *v, const char *path, struct api_network *n,
			struct err *e)
{
	int64_t vlan = 0, mtu = 0;

	if (jget_i64(v, "vlan", JRANGE(INT32_MIN, INT32_MAX), &vlan, e) < 0 ||
	    jget_i64(v, "mtu", JRANGE(INT32_MIN, INT32_MAX), &mtu, e) < 0)
		return -1;
	if (vlan < 0 || vlan > 4094)
		return err_set(e, ERR_CONFIG, 0, "%s.vlan: %lld must be 0 to 4094", path,
			       (long long)vlan);
	if (mtu && (mtu < 68 || mtu > MTU_MAX))
		return err_set(e, ERR_CONFIG, 0, "%s.mtu: %lld must be 0 or 68 to 65535", path,
			       (long long)mtu);
	n->vlan = (uint16_t)vlan;
	n->mtu = (uint32_t)mtu;
	return 0;
}

static int read_gateway(const struct jval *v, const char *path, const char *key,
			struct ip_addr *out, struct err *e)
{
	const char *s = "";

	if (jget_str(v, key, &s, e) < 0)
		return -1;
	if (*s && ip_parse(s, out) < 0)
		return bad(e, path, key, s, "is not an address");
	return 0;
}

static int read_route(const struct jval *v, const char *path, struct api_route *r, struct err *e)
{
	const char *dst = NULL, *gw = "", *iface = "eth1";

	if (jas_obj(v, e) < 0 || jneed_str(v, "dst", &dst, e) < 0 ||
	    jget_str(v, "gw", &gw, e) < 0 || jget_str(v, "iface", &iface, e) < 0)
		return -1;
	if (ip_net_parse(dst, &r->dst) < 0)
		return bad(e, path, "dst", dst, "is not a CIDR");
	r->dst.addr = ip_net_base(&r->dst);
	if (*gw && ip_parse(gw, &r->gw) < 0)
		return bad(e, path, "gw", gw, "is not an address");
	if (*gw && r->gw.family != r->dst.addr.family)
		return bad(e, path, "gw", gw, "is of another family than dst");
	if (!*iface)
		iface = "eth1";
	if (!str_eq(iface, "eth0") && !str_eq(iface, "eth1"))
		return bad(e, path, "iface", iface, "must be eth0 or eth1");
	return str_copy(r->iface, sizeof(r->iface), iface);
}

static int read_routes(const struct jval *v, const char *path, struct api_network *n, struct err *e)
{
	struct jval list = {0}, item;
	int rc = jget_arr(v, "routes", &list, e);
	char where[80];

	if (rc <= 0)
		return rc;
	if (jlen(&list) > API_ROUTES_MAX)
		return err_set(e, ERR_CONFIG, 0, "%s.routes: more than %d", path, API_ROUTES_MAX);
	n->routes = xcalloc(jlen(&list) + 1, sizeof(*n->routes));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		snprintf(where, sizeof(where), "%s.routes[%zu]", path, n->n_routes);
		if (read_route(&item, where, &n->routes[n->n_routes], e) < 0)
			return -1;
		n->n_routes++;
	}
	return 0;
}

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
	return bad(e, path, "podDefaultGateway.serviceCidr", text,
		   "must be CIDRs separated by commas");
}

static int read_default_gateway(const struct jval *v, const char *path, struct api_network *n,
				struct err *e)
{
	struct jval gw;
	const char *cidrs = "";
	int rc = jget_obj(v, "podDefaultGateway", &gw, e);

	if (rc <= 0)
		return rc;
	if (jget_bool(&gw, "enable", &n->pod_default_gateway, e) < 0 ||
	    jget_str(&gw, "serviceCidr", &cidrs, e) < 0)
		return -1;
	return *cidrs ? read_service_cidrs(cidrs, path, n, e) : 0;
}

static int read_switch(const struct jval *v, const char *key, enum api_switch *out, struct err *e)
{
	bool on = false;
	int rc = jget_bool(v, key, &on, e);

	if (rc == 1)
		*out = on ? API_SWITCH_ON : API_SWITCH_OFF;
	return rc < 0 ? -1 : 0;
}

int api_network_decode(const struct jval *spec, const char *path, struct api_network *out,
		       struct err *e)
{
	AUTO(api_network_done) struct api_network n = {0};

	if (read_master(spec, path, &n, e) < 0 || read_kind(spec, path, &n, e) < 0 ||
	    read_numbers(spec, path, &n, e) < 0 ||
	    read_gateway(spec, path, "gateway", &n.gateway, e) < 0 ||
	    read_gateway(spec, path, "gateway6", &n.gateway6, e) < 0 ||
	    read_routes(spec, path, &n, e) < 0 || read_default_gateway(spec, path, &n, e) < 0 ||
	    read_switch(spec, "hostAccess", &n.host_access, e) < 0 ||
	    read_switch(spec, "conflictDetection", &n.conflict_detection, e) < 0)
		return -1;
	*out = n;
	n = (struct api_network){0};
	return 0;
}

/* Absent: null takes the key away in a merge patch; a new object must not have it. */
static void write_absent(struct jw *w, const char *key, bool patch)
{
	if (!patch)
		return;
	jw_key(w, key);
	jw_null(w);
}

static void write_switch(struct jw *w, const char *key, enum api_switch s, bool patch)
{
	if (s == API_SWITCH_UNSET)
		write_absent(w, key, patch);
	else
		jw_kv_bool(w, key, s == API_SWITCH_ON);
}

static void write_addr(struct jw *w, const char *key, const struct ip_addr *a, bool patch)
{
	char text[IP_ADDR_LEN];

	if (ip_is_set(a))
		jw_kv_str(w, key, ip_format(a, text));
	else
		write_absent(w, key, patch);
}

static void write_routes(struct jw *w, const struct api_network *n, bool patch)
{
	char dst[IP_NET_LEN], gw[IP_ADDR_LEN];

	if (!n->n_routes) {
		write_absent(w, "routes", patch);
		return;
	}
	jw_kv_arr(w, "routes");
	for (size_t i = 0; i < n->n_routes; i++) {
		const struct api_route *r = &n->routes[i];

		jw_obj(w);
		jw_kv_str(w, "dst", ip_net_format(&r->dst, dst));
		jw_kv_opt(w, "gw", ip_format(&r->gw, gw));
		jw_kv_str(w, "iface", r->iface);
		jw_end(w);
	}
	jw_end(w);
}

static void write_default_gateway(struct jw *w, const struct api_network *n, bool patch)
{
	AUTO(sb_done) struct sb cidrs = SB_INIT;
	char net[IP_NET_LEN];

	if (!n->pod_default_gateway && !n->n_service_cidrs) {
		write_absent(w, "podDefaultGateway", patch);
		return;
	}
	for (size_t i = 0; i < n->n_service_cidrs; i++)
		sb_printf(&cidrs, "%s%s", i ? "," : "", ip_net_format(&n->service_cidrs[i], net));
	jw_kv_obj(w, "podDefaultGateway");
	jw_kv_bool(w, "enable", n->pod_default_gateway);
	/* An empty string would be refused by API servers of 1.20. */
	if (cidrs.len)
		jw_kv_str(w, "serviceCidr", sb_get(&cidrs));
	else
		write_absent(w, "serviceCidr", patch);
	jw_end(w);
}

/* Without what is not asked for: the API server reads and writes each key, and its managedFields, some ten times. */
void api_network_write(struct jw *w, const struct api_network *n, bool patch)
{
	jw_kv_str(w, "master", n->master);
	jw_kv_i64(w, "vlan", n->vlan);
	jw_kv_str(w, "linkType", api_link_type_name(n->link_type));
	jw_kv_str(w, "mode", api_mode_name(n->mode));
	jw_kv_i64(w, "mtu", n->mtu);
	write_addr(w, "gateway", &n->gateway, patch);
	write_addr(w, "gateway6", &n->gateway6, patch);
	write_routes(w, n, patch);
	write_default_gateway(w, n, patch);
	write_switch(w, "hostAccess", n->host_access, patch);
	write_switch(w, "conflictDetection", n->conflict_detection, patch);
}

static bool route_eq(const struct api_route *a, const struct api_route *b)
{
	return ip_net_eq(&a->dst, &b->dst) && ip_eq(&a->gw, &b->gw) && str_eq(a->iface, b->iface);
}

bool api_network_eq(const struct api_network *a, const struct api_network *b)
{
	if (!str_eq(a->master, b->master) || a->vlan != b->vlan || a->link_type != b->link_type ||
	    a->mode != b->mode || a->mtu != b->mtu || !ip_eq(&a->gateway, &b->gateway) ||
	    !ip_eq(&a->gateway6, &b->gateway6) || a->n_routes != b->n_routes ||
	    a->pod_default_gateway != b->pod_default_gateway ||
	    a->n_service_cidrs != b->n_service_cidrs || a->host_access != b->host_access ||
	    a->conflict_detection != b->conflict_detection)
		return false;
	for (size_t i = 0; i < a->n_routes; i++) {
		if (!route_eq(&a->routes[i], &b->routes[i]))
			return false;
	}
	for (size_t i = 0; i < a->n_service_cidrs; i++) {
		if (!ip_net_eq(&a->service_cidrs[i], &b->service_cidrs[i]))
			return false;
	}
	return true;
}

void api_network_copy(const struct api_network *n, struct api_network *out)
{
	*out = *n;
	out->routes = n->n_routes ? xmemdup(n->routes, n->n_routes * sizeof(*n->routes)) : NULL;
	out->service_cidrs =
		n->n_service_cidrs
			? xmemdup(n->service_cidrs, n->n_service_cidrs * sizeof(*n->service_cidrs))
			: NULL;
}

void api_network_done(struct api_network *n)
{
	free(n->routes);
	free(n->service_cidrs);
	n->routes = NULL;
	n->n_routes = 0;
	n->service_cidrs = NULL;
	n->n_service_cidrs = 0;
}
