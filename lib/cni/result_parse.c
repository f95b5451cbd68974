/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/base/mem.h"
#include "lib/cni/result.h"
#include "lib/json/jread.h"

static const struct jrange u32 = {0, UINT32_MAX};

static int read_version(const struct jval *root, enum cni_version fallback, enum cni_version *out,
			struct err *e)
{
	const char *s = NULL;
	struct err ignored = {0};

	*out = fallback;
	/* As in libcni, what is no string is none. */
	if (jget_str(root, "cniVersion", &s, &ignored) <= 0 || !*s ||
	    cni_version_parse(s, out) == 0)
		return 0;
	return jerr(root, "cniVersion", e, ERR_VERSION, "\"%.32s\" is not known", s);
}

/* A string that may be absent; *out stays NULL then. */
static int read_text(const struct jval *v, const char *key, char **out, struct err *e)
{
	const char *s = NULL;

	if (jget_str(v, key, &s, e) < 0)
		return -1;
	*out = xstrdup(s);
	return 0;
}

static int read_net(const struct jval *v, const char *key, struct ip_net *out, struct err *e)
{
	const char *s = NULL;

	if (jneed_str(v, key, &s, e) < 0)
		return -1;
	if (ip_net_parse(s, out) < 0)
		return jerr(v, key, e, ERR_DECODE, "\"%.64s\" is not an address with a prefix", s);
	return 0;
}

/* Absent and "" both mean none. */
static int read_addr(const struct jval *v, const char *key, struct ip_addr *out, struct err *e)
{
	const char *s = NULL;

	*out = (struct ip_addr){0};
	if (jget_str(v, key, &s, e) < 0)
		return -1;
	if (s && *s && ip_parse(s, out) < 0)
		return jerr(v, key, e, ERR_DECODE, "\"%.64s\" is not an address", s);
	return 0;
}

static int read_strings(const struct jval *v, const char *key, struct cni_strings *out,
			struct err *e)
{
	struct jval list = {0};
	struct jval item;
	struct jiter it;
	const char *s;

	if (jget_arr(v, key, &list, e) < 0)
		return -1;
	for (it = jiter_of(&list); jiter_next(&it, &item);) {
		if (jis_null(&item))
			continue;
		if (jas_str(&item, &s, e) < 0)
			return -1;
		out->v = xreallocarray(out->v, out->n + 1, sizeof(*out->v));
		out->v[out->n++] = xstrdup(s);
	}
	return 0;
}

/* What a libcni of before 1.1.0 does not know must not fail: what makes no sense is not there. */
static void read_newer_text(const struct jval *v, const char *key, char **out)
{
	struct err ignored = {0};

	IGNORE(read_text(v, key, out, &ignored), "said above");
}

static long long read_newer_number(const struct jval *v, const char *key, struct jrange range,
				   long long fallback)
{
	struct err ignored = {0};
	int64_t value = 0;

	return jget_i64(v, key, range, &value, &ignored) > 0 ? value : fallback;
}

static int read_interface(const struct jval *v, struct cni_result *r, struct err *e)
{
	size_t index = cni_result_add_interface(r, NULL, NULL, NULL); /* moves the array */
	struct cni_interface *i = &r->interfaces[index];

	/* null: it keeps its place until the addresses have been read. */
	if (jis_null(v))
		return 0;
	if (read_text(v, "name", &i->name, e) < 0 || read_text(v, "mac", &i->mac, e) < 0 ||
	    read_text(v, "sandbox", &i->sandbox, e) < 0)
		return -1;
	read_newer_text(v, "socketPath", &i->socket_path);
	read_newer_text(v, "pciID", &i->pci_id);
	i->mtu = (int)read_newer_number(v, "mtu", JRANGE(0, INT32_MAX), 0);
	return 0;
}

static bool says_nothing(const struct cni_interface *i)
{
	return !i->name && !i->mac && !i->sandbox && !i->socket_path && !i->pci_id && !i->mtu;
}

/* Those that are null go, and the addresses' indexes follow. */
static void drop_interface(struct cni_result *r, size_t gone)
{
	memmove(&r->interfaces[gone], &r->interfaces[gone + 1],
		(--r->n_interfaces - gone) * sizeof(*r->interfaces));
	for (size_t i = 0; i < r->n_ips; i++) {
		int *index = &r->ips[i].interface;

		if (*index == (int)gone)
			*index = -1;
		else if (*index > (int)gone)
			--*index;
	}
}

static void drop_nulls(struct cni_result *r)
{
	for (size_t i = r->n_interfaces; i-- > 0;) {
		if (says_nothing(&r->interfaces[i]))
			drop_interface(r, i);
	}
}

/* Nobody checks the index: plugins that tell no interfaces write 0 there, others -1. Bound to none, then. */
static int read_index(const struct jval *v, const struct cni_result *r, int *out, struct err *e)
{
	const struct jrange there = JRANGE(0, (int64_t)r->n_interfaces - 1);
	struct err ignored = {0};
	struct jval found = {0};
	int64_t index = -1;

	*out = -1;
	if (jget(v, "interface", &found, e) <= 0)
		return 0;
	if (!jis_num(&found))
		return jas_i64(&found, JRANGE(-1, INT32_MAX), &index, e);
	if (jas_i64(&found, there, &index, &ignored) == 0)
		*out = (int)index;
	return 0;
}

static int read_ip(const struct jval *v, struct cni_result *r, struct err *e)
{
	struct ip_addr gateway;
	struct ip_net address;
	int index;

	if (jis_null(v))
		return 0;
	if (read_net(v, "address", &address, e) < 0 || read_addr(v, "gateway", &gateway, e) < 0 ||
	    read_index(v, r, &index, e) < 0)
		return -1;
	cni_result_add_ip(r, &address, &gateway, index);
	return 0;
}

static int read_route(const struct jval *v, struct cni_result *r, struct err *e)
{
	struct cni_route *route;
	struct ip_net dst;
	struct ip_addr gw;

	if (jis_null(v))
		return 0;
	if (read_net(v, "dst", &dst, e) < 0 || read_addr(v, "gw", &gw, e) < 0)
		return -1;
	cni_result_add_route(r, &dst, &gw);
	route = &r->routes[r->n_routes - 1];
	route->mtu = read_newer_number(v, "mtu", u32, -1);
	route->advmss = read_newer_number(v, "advmss", u32, -1);
	route->priority = read_newer_number(v, "priority", u32, -1);
	route->table = read_newer_number(v, "table", u32, -1);
	route->scope = read_newer_number(v, "scope", u32, -1);
	return 0;
}

typedef int read_fn(const struct jval *v, struct cni_result *r, struct err *e);

static int read_list(const struct jval *v, const char *key, read_fn *fn, struct cni_result *r,
		     struct err *e)
{
	struct jval list = {0};
	struct jval item;
	struct jiter it;

	if (jget_arr(v, key, &list, e) < 0)
		return -1;
	for (it = jiter_of(&list); jiter_next(&it, &item);) {
		if ((!jis_null(&item) && jas_obj(&item, e) < 0) || fn(&item, r, e) < 0)
			return -1;
	}
	return 0;
}

/* 0.1.0 and 0.2.0: one address of each family, each with its routes. */
static int read_old_ip(const struct jval *root, const char *key, struct cni_result *r,
		       struct err *e)
{
	struct jval v;
	struct ip_addr gateway;
	struct ip_net address;
	int rc = jget_obj(root, key, &v, e);

	if (rc <= 0)
		return rc;
	if (read_net(&v, "ip", &address, e) < 0 || read_addr(&v, "gateway", &gateway, e) < 0)
		return -1;
	cni_result_add_ip(r, &address, &gateway, -1);
	return read_list(&v, "routes", read_route, r, e);
}

static int read_dns(const struct jval *root, struct cni_result *r, struct err *e)
{
	struct jval dns;
	int rc = jget_obj(root, "dns", &dns, e);

	if (rc <= 0)
		return rc;
	if (read_strings(&dns, "nameservers", &r->nameservers, e) < 0 ||
	    read_strings(&dns, "search", &r->search, e) < 0 ||
	    read_strings(&dns, "options", &r->options, e) < 0 ||
	    read_text(&dns, "domain", &r->domain, e) < 0)
		return -1;
	return 0;
}

static int read_all(const struct jval *root, struct cni_result *r, struct err *e)
{
	if (r->version < CNI_0_3_0) {
		if (read_old_ip(root, "ip4", r, e) < 0 || read_old_ip(root, "ip6", r, e) < 0)
			return -1;
	} else if (read_list(root, "interfaces", read_interface, r, e) < 0 ||
		   read_list(root, "ips", read_ip, r, e) < 0 ||
		   read_list(root, "routes", read_route, r, e) < 0) {
		return -1;
	}
	drop_nulls(r);
	return read_dns(root, r, e);
}

int cni_result_parse(const char *what, struct jspan text, enum cni_version fallback,
		     struct cni_result **out, struct err *e)
{
	AUTO(cni_result_free) struct cni_result *r = cni_result_new();
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root;

	r->version = fallback;
	if (jspan_type(text) == JTYPE_NONE) {
		*out = STEAL(r);
		return 0;
	}
	if (jdoc_parse_lax(what, text, &doc, NULL, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jis_null(&root)) {
		*out = STEAL(r);
		return 0;
	}
	if (jas_obj(&root, e) < 0 || read_version(&root, fallback, &r->version, e) < 0)
		return -1;
	/* The version is found under its own name alone, by libcni too. */
	jdoc_any_case(doc);
	if (read_all(&root, r, e) < 0)
		return -1;
	*out = STEAL(r);
	return 0;
}
