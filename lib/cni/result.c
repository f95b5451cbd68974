/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cni/result.h"

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"

struct cni_result *cni_result_new(void)
{
	struct cni_result *r = xcalloc(1, sizeof(*r));

	r->version = CNI_VERSION_NEWEST;
	return r;
}

static void strings_done(struct cni_strings *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
}

void cni_result_free(struct cni_result *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->n_interfaces; i++) {
		free(r->interfaces[i].name);
		free(r->interfaces[i].mac);
		free(r->interfaces[i].sandbox);
		free(r->interfaces[i].socket_path);
		free(r->interfaces[i].pci_id);
	}
	free(r->interfaces);
	free(r->ips);
	free(r->routes);
	strings_done(&r->nameservers);
	strings_done(&r->search);
	strings_done(&r->options);
	free(r->domain);
	free(r);
}

size_t cni_result_add_interface(struct cni_result *r, const char *name, const char *mac,
				const char *sandbox)
{
	struct cni_interface *i;

	r->interfaces = xreallocarray(r->interfaces, r->n_interfaces + 1, sizeof(*r->interfaces));
	i = &r->interfaces[r->n_interfaces];
	*i = (struct cni_interface){
		.name = xstrdup(name), .mac = xstrdup(mac), .sandbox = xstrdup(sandbox)};
	return r->n_interfaces++;
}

void cni_result_add_ip(struct cni_result *r, const struct ip_net *address,
		       const struct ip_addr *gateway, int interface)
{
	struct cni_ip *ip;

	r->ips = xreallocarray(r->ips, r->n_ips + 1, sizeof(*r->ips));
	ip = &r->ips[r->n_ips++];
	*ip = (struct cni_ip){.address = *address, .interface = interface};
	if (gateway)
		ip->gateway = *gateway;
}

void cni_result_add_route(struct cni_result *r, const struct ip_net *dst, const struct ip_addr *gw)
{
	struct cni_route *route;

	r->routes = xreallocarray(r->routes, r->n_routes + 1, sizeof(*r->routes));
	route = &r->routes[r->n_routes++];
	*route = (struct cni_route){
		.dst = *dst, .mtu = -1, .advmss = -1, .priority = -1, .table = -1, .scope = -1};
	if (gw)
		route->gw = *gw;
}

int cni_result_find_interface(const struct cni_result *r, const char *sandbox, const char *name)
{
	size_t i;

	for (i = 0; i < r->n_interfaces; i++) {
		if (str_eq(r->interfaces[i].name, name) &&
		    str_eq(r->interfaces[i].sandbox, sandbox))
			return (int)i;
	}
	return -1;
}

static void write_interfaces(struct jw *w, const struct cni_result *r, enum cni_version v)
{
	const struct cni_interface *i;
	size_t n;

	if (!r->n_interfaces)
		return;
	jw_kv_arr(w, "interfaces");
	for (n = 0; n < r->n_interfaces; n++) {
		i = &r->interfaces[n];
		jw_obj(w);
		jw_kv_str(w, "name", i->name ? i->name : "");
		jw_kv_opt(w, "mac", i->mac);
		if (v >= CNI_1_1_0 && i->mtu)
			jw_kv_i64(w, "mtu", i->mtu);
		jw_kv_opt(w, "sandbox", i->sandbox);
		if (v >= CNI_1_1_0) {
			jw_kv_opt(w, "socketPath", i->socket_path);
			jw_kv_opt(w, "pciID", i->pci_id);
		}
		jw_end(w);
	}
	jw_end(w);
}

static void write_ips(struct jw *w, const struct cni_result *r, enum cni_version v)
{
	char text[IP_NET_LEN];
	const struct cni_ip *ip;
	size_t n;

	if (!r->n_ips)
		return;
	jw_kv_arr(w, "ips");
	for (n = 0; n < r->n_ips; n++) {
		ip = &r->ips[n];
		jw_obj(w);
		if (v < CNI_1_0_0)
			jw_kv_str(w, "version", ip->address.addr.family == AF_INET ? "4" : "6");
		if (ip->interface >= 0)
			jw_kv_i64(w, "interface", ip->interface);
		jw_kv_str(w, "address", ip_net_format(&ip->address, text));
		if (ip_is_set(&ip->gateway))
			jw_kv_str(w, "gateway", ip_format(&ip->gateway, text));
		jw_end(w);
	}
	jw_end(w);
}

static void write_extra(struct jw *w, const char *key, long long value)
{
	if (value >= 0)
		jw_kv_i64(w, key, value);
}

static void write_route(struct jw *w, const struct cni_route *route, enum cni_version v)
{
	char text[IP_NET_LEN];

	jw_obj(w);
	jw_kv_str(w, "dst", ip_net_format(&route->dst, text));
	if (ip_is_set(&route->gw))
		jw_kv_str(w, "gw", ip_format(&route->gw, text));
	if (v >= CNI_1_1_0) {
		write_extra(w, "mtu", route->mtu);
		write_extra(w, "advmss", route->advmss);
		write_extra(w, "priority", route->priority);
		write_extra(w, "table", route->table);
		write_extra(w, "scope", route->scope);
	}
	jw_end(w);
}

/* Those of a family, 0 = all; no array where there are none. */
static void write_routes(struct jw *w, const struct cni_result *r, enum cni_version v, int family)
{
	bool begun = false;
	size_t n;

	for (n = 0; n < r->n_routes; n++) {
		if (family && r->routes[n].dst.addr.family != family)
			continue;
		if (!begun)
			jw_kv_arr(w, "routes");
		begun = true;
		write_route(w, &r->routes[n], v);
	}
	if (begun)
		jw_end(w);
}

/* Before 0.3.0: the first address of each family, with the family's routes, and no interfaces. */
static void write_old_ip(struct jw *w, const struct cni_result *r, const char *key, int family)
{
	char text[IP_NET_LEN];
	size_t n = 0;

	while (n < r->n_ips && r->ips[n].address.addr.family != family)
		n++;
	if (n == r->n_ips)
		return;
	jw_kv_obj(w, key);
	jw_kv_str(w, "ip", ip_net_format(&r->ips[n].address, text));
	if (ip_is_set(&r->ips[n].gateway))
		jw_kv_str(w, "gateway", ip_format(&r->ips[n].gateway, text));
	write_routes(w, r, CNI_0_2_0, family);
	jw_end(w);
}

static void write_strings(struct jw *w, const char *key, const struct cni_strings *s)
{
	size_t i;

	if (!s->n)
		return;
	jw_kv_arr(w, key);
	for (i = 0; i < s->n; i++)
		jw_str(w, s->v[i]);
	jw_end(w);
}

static void write_dns(struct jw *w, const struct cni_result *r, enum cni_version v)
{
	bool empty = !r->nameservers.n && !r->search.n && !r->options.n &&
		     (!r->domain || !*r->domain);

	/* Readers of the older versions were always given a dns object. */
	if (empty && v >= CNI_1_0_0)
		return;
	jw_kv_obj(w, "dns");
	write_strings(w, "nameservers", &r->nameservers);
	jw_kv_opt(w, "domain", r->domain);
	write_strings(w, "search", &r->search);
	write_strings(w, "options", &r->options);
	jw_end(w);
}

int cni_result_write(const struct cni_result *r, enum cni_version v, struct sb *out, struct err *e)
{
	struct jw w = jw_init(out);

	if (v < CNI_0_3_0 && !r->n_ips)
		return err_set(e, ERR_VERSION, 0, "cniVersion %s has no result without an address",
			       cni_version_name(v));
	jw_obj(&w);
	jw_kv_str(&w, "cniVersion", cni_version_name(v));
	if (v < CNI_0_3_0) {
		write_old_ip(&w, r, "ip4", AF_INET);
		write_old_ip(&w, r, "ip6", AF_INET6);
	} else {
		write_interfaces(&w, r, v);
		write_ips(&w, r, v);
		write_routes(&w, r, v, 0);
	}
	write_dns(&w, r, v);
	jw_end(&w);
	jw_finish(&w);
	return 0;
}
