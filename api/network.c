/* The network's fields, from one table: read, written, compared and copied. */
#include "api/network.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

/*
 * A field: where it stands in the objects and in the struct. What is absent is zero there, its default, unless
 * its type says otherwise.
 */
struct field {
	const char *key;       /* in a MacvlanIP's spec */
	const char *in_subnet; /* in a MacvlanSubnet's, where that differs, with dots */
	const struct field_type *type;
	size_t offset, size;
	bool or_zero; /* of a number: 0 may stand for "as it is" beside min to max */
	int64_t min, max;
};

/* Where a field is being read, for messages. */
struct place {
	const struct field *f;
	const char *path;
};

struct field_type {
	int (*read)(const struct jval *spec, const struct place *at, struct api_network *n,
		    struct err *e);
	void (*write)(struct jw *w, const struct field *f, const struct api_network *n, bool patch);
	/* Not to be written: NULL = it always is. */
	bool (*is_absent)(const struct field *f, const struct api_network *n);
	/* NULL = by its bytes. */
	bool (*eq)(const struct field *f, const struct api_network *a, const struct api_network *b);
	/* What a copy of its bytes still shares becomes its own; and is freed. NULL = nothing. */
	void (*own)(struct api_network *n);
	void (*done)(struct api_network *n);
};

static void *at(struct api_network *n, const struct field *f)
{
	return (char *)n + f->offset;
}

static const void *in(const struct api_network *n, const struct field *f)
{
	return (const char *)n + f->offset;
}

/* Rules of the spec, told by path: what a user can mend. */
static int bad(struct err *e, const char *path, const char *key, const char *value, const char *why)
{
	return err_set(e, ERR_CONFIG, 0, "%s.%s: \"%.80s\" %s", path, key, value, why);
}

/* Absent: null takes the key away in a merge patch; a new object must not have it. */
static void write_absent(struct jw *w, const char *key, bool patch)
{
	if (!patch)
		return;
	jw_key(w, key);
	jw_null(w);
}

/* ------------------------------------------------------------------------------- master */

static int read_master(const struct jval *spec, const struct place *p, struct api_network *n,
		       struct err *e)
{
	const char *s = "";

	if (jget_str(spec, p->f->key, &s, e) < 0)
		return -1;
	if (!*s)
		return err_set(e, ERR_CONFIG, 0, "%s.%s: is missing", p->path, p->f->key);
	/* What the kernel refuses in the name of a device. */
	if (strpbrk(s, "/ \t\r\n\v\f") || str_eq(s, ".") || str_eq(s, "..") ||
	    str_copy(n->master, sizeof(n->master), s) < 0)
		return bad(e, p->path, p->f->key, s, "is not the name of a network card");
	return 0;
}

static void write_master(struct jw *w, const struct field *f, const struct api_network *n,
			 bool patch)
{
	(void)patch;
	jw_kv_str(w, f->key, n->master);
}

static bool master_eq(const struct field *f, const struct api_network *a,
		      const struct api_network *b)
{
	(void)f;
	return str_eq(a->master, b->master);
}

static const struct field_type master_type = {
	.read = read_master, .write = write_master, .eq = master_eq};

/* ------------------------------------------------------------------------------- numbers */

static int read_number(const struct jval *spec, const struct place *p, struct api_network *n,
		       struct err *e)
{
	const struct field *f = p->f;
	int64_t v = 0;

	if (jget_i64(spec, f->key, JRANGE(INT32_MIN, INT32_MAX), &v, e) < 0)
		return -1;
	if ((v || !f->or_zero) && (v < f->min || v > f->max))
		return err_set(e, ERR_CONFIG, 0, "%s.%s: %lld must be %s%lld to %lld", p->path,
			       f->key, (long long)v, f->or_zero ? "0 or " : "", (long long)f->min,
			       (long long)f->max);
	if (f->size == sizeof(uint16_t))
		*(uint16_t *)at(n, f) = (uint16_t)v;
	else
		*(uint32_t *)at(n, f) = (uint32_t)v;
	return 0;
}

static void write_number(struct jw *w, const struct field *f, const struct api_network *n,
			 bool patch)
{
	(void)patch;
	jw_kv_i64(w, f->key,
		  f->size == sizeof(uint16_t) ? *(const uint16_t *)in(n, f)
					      : *(const uint32_t *)in(n, f));
}

static const struct field_type number_type = {.read = read_number, .write = write_number};

/* ------------------------------------------------------------------------------- link type and mode */

/* "a, b or c": of the words the i-th is the last but one, or earlier. */
static const char *joint(size_t i, size_t n)
{
	return i + 2 < n ? ", " : i + 2 == n ? " or " : "";
}

static int bad_link_type(const struct place *p, const char *name, struct err *e)
{
	AUTO(sb_done) struct sb why = SB_INIT;

	sb_puts(&why, "must be ");
	for (size_t i = 0; i < NL_TYPES; i++)
		sb_printf(&why, "%s%s", nl_link_type_get((enum nl_type)i)->kind,
			  joint(i, NL_TYPES));
	return bad(e, p->path, p->f->key, name, sb_get(&why));
}

static int read_link_type(const struct jval *spec, const struct place *p, struct api_network *n,
			  struct err *e)
{
	const char *name = nl_link_type_get(n->link_type)->kind;
	const struct nl_link_type *type;

	if (jget_str(spec, p->f->key, &name, e) < 0)
		return -1;
	type = nl_link_type_find(name);
	if (!type)
		return bad_link_type(p, name, e);
	n->link_type = nl_link_type_number(type);
	return 0;
}

static void write_link_type(struct jw *w, const struct field *f, const struct api_network *n,
			    bool patch)
{
	(void)patch;
	jw_kv_str(w, f->key, nl_link_type_get(n->link_type)->kind);
}

static const struct field_type link_type_type = {.read = read_link_type, .write = write_link_type};

static int bad_mode(const struct place *p, const struct nl_link_type *type, const char *name,
		    struct err *e)
{
	AUTO(sb_done) struct sb why = SB_INIT;
	size_t n = (size_t)type->last - type->first + 1;

	/* The default type goes without saying. */
	if (nl_link_type_number(type) != (enum nl_type)0)
		sb_printf(&why, "of %s %s ", type->article, type->kind);
	sb_puts(&why, "must be ");
	for (size_t i = 0; i < n; i++)
		sb_printf(&why, "%s%s", nl_link_mode_get((enum nl_mode)(type->first + i))->name,
			  joint(i, n));
	return bad(e, p->path, p->f->key, name, sb_get(&why));
}

/* The link type has been read before it. */
static int read_mode(const struct jval *spec, const struct place *p, struct api_network *n,
		     struct err *e)
{
	const struct nl_link_type *type = nl_link_type_get(n->link_type);
	const struct nl_link_mode *mode;
	const char *name = NULL;

	if (jget_str(spec, p->f->key, &name, e) < 0)
		return -1;
	mode = name && *name ? nl_link_mode_find(type, name) : nl_link_mode_get(type->first);
	if (!mode)
		return bad_mode(p, type, name, e);
	n->mode = nl_link_mode_number(mode);
	return 0;
}

static void write_mode(struct jw *w, const struct field *f, const struct api_network *n, bool patch)
{
	(void)patch;
	jw_kv_str(w, f->key, nl_link_mode_get(n->mode)->name);
}

static const struct field_type mode_type = {.read = read_mode, .write = write_mode};

/* ------------------------------------------------------------------------------- addresses */

static int read_addr(const struct jval *spec, const struct place *p, struct api_network *n,
		     struct err *e)
{
	const char *s = "";

	if (jget_str(spec, p->f->key, &s, e) < 0)
		return -1;
	if (*s && ip_parse(s, at(n, p->f)) < 0)
		return bad(e, p->path, p->f->key, s, "is not an address");
	return 0;
}

static void write_addr(struct jw *w, const struct field *f, const struct api_network *n, bool patch)
{
	char text[IP_ADDR_LEN];

	(void)patch;
	jw_kv_str(w, f->key, ip_format(in(n, f), text));
}

static bool addr_is_absent(const struct field *f, const struct api_network *n)
{
	return !ip_is_set(in(n, f));
}

static bool addr_eq(const struct field *f, const struct api_network *a, const struct api_network *b)
{
	return ip_eq(in(a, f), in(b, f));
}

static const struct field_type addr_type = {
	.read = read_addr, .write = write_addr, .is_absent = addr_is_absent, .eq = addr_eq};

/* ------------------------------------------------------------------------------- switches */

static int read_switch(const struct jval *spec, const struct place *p, struct api_network *n,
		       struct err *e)
{
	enum api_switch *out = at(n, p->f);
	bool on = false;
	int rc = jget_bool(spec, p->f->key, &on, e);

	if (rc == 1)
		*out = on ? API_SWITCH_ON : API_SWITCH_OFF;
	return rc < 0 ? -1 : 0;
}

static void write_switch(struct jw *w, const struct field *f, const struct api_network *n,
			 bool patch)
{
	const enum api_switch *s = in(n, f);

	(void)patch;
	jw_kv_bool(w, f->key, *s == API_SWITCH_ON);
}

static bool switch_is_absent(const struct field *f, const struct api_network *n)
{
	const enum api_switch *s = in(n, f);

	return *s == API_SWITCH_UNSET;
}

static const struct field_type switch_type = {
	.read = read_switch, .write = write_switch, .is_absent = switch_is_absent};

/* ------------------------------------------------------------------------------- routes */

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

static int read_routes(const struct jval *spec, const struct place *p, struct api_network *n,
		       struct err *e)
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

static void write_routes(struct jw *w, const struct field *f, const struct api_network *n,
			 bool patch)
{
	char dst[IP_NET_LEN], gw[IP_ADDR_LEN];

	(void)patch;
	jw_kv_arr(w, f->key);
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

static bool routes_are_absent(const struct field *f, const struct api_network *n)
{
	(void)f;
	return !n->n_routes;
}

static bool route_eq(const struct api_route *a, const struct api_route *b)
{
	return ip_net_eq(&a->dst, &b->dst) && ip_eq(&a->gw, &b->gw) && str_eq(a->iface, b->iface);
}

static bool routes_eq(const struct field *f, const struct api_network *a,
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

static const struct field_type routes_type = {read_routes, write_routes, routes_are_absent,
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
	return bad(e, path, "podDefaultGateway.serviceCidr", text,
		   "must be CIDRs separated by commas");
}

static int read_default_gateway(const struct jval *spec, const struct place *p,
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

static void write_default_gateway(struct jw *w, const struct field *f, const struct api_network *n,
				  bool patch)
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
		write_absent(w, "serviceCidr", patch);
	jw_end(w);
}

static bool default_gateway_is_absent(const struct field *f, const struct api_network *n)
{
	(void)f;
	return !n->pod_default_gateway && !n->n_service_cidrs;
}

static bool default_gateway_eq(const struct field *f, const struct api_network *a,
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

static const struct field_type default_gateway_type = {
	read_default_gateway, write_default_gateway, default_gateway_is_absent,
	default_gateway_eq,   own_service_cidrs,     free_service_cidrs};

/* ------------------------------------------------------------------------------- the table */

#define AT(member) offsetof(struct api_network, member), sizeof(((struct api_network *)0)->member)

/* In the order in which they are read and written: a mode comes after its link type. */
static const struct field fields[] = {
	{"master", NULL, &master_type, AT(master), false, 0, 0},
	{"vlan", NULL, &number_type, AT(vlan), false, 0, 4094},
	{"linkType", NULL, &link_type_type, AT(link_type), false, 0, 0},
	{"mode", NULL, &mode_type, AT(mode), false, 0, 0},
	{"mtu", NULL, &number_type, AT(mtu), true, 68, 65535},
	{"gateway", NULL, &addr_type, AT(gateway), false, 0, 0},
	{"gateway6", "ipv6.gateway", &addr_type, AT(gateway6), false, 0, 0},
	{"routes", NULL, &routes_type, AT(routes), false, 0, 0},
	{"podDefaultGateway", NULL, &default_gateway_type, AT(pod_default_gateway), false, 0, 0},
	{"hostAccess", NULL, &switch_type, AT(host_access), false, 0, 0},
	{"conflictDetection", NULL, &switch_type, AT(conflict_detection), false, 0, 0},
};

const char *api_network_key(size_t i, bool in_subnet)
{
	if (i >= ARRAY_SIZE(fields))
		return NULL;
	return in_subnet && fields[i].in_subnet ? fields[i].in_subnet : fields[i].key;
}

/* ------------------------------------------------------------------------------- all of them */

int api_network_decode(const struct jval *spec, const char *path, struct api_network *out,
		       struct err *e)
{
	AUTO(api_network_done) struct api_network n = {0};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct place place = {&fields[i], path};

		if (fields[i].type->read(spec, &place, &n, e) < 0)
			return -1;
	}
	*out = n;
	n = (struct api_network){0};
	return 0;
}

/* Without what is not asked for: the API server reads and writes each key, and its managedFields, some ten times. */
void api_network_write(struct jw *w, const struct api_network *n, bool patch)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];

		if (f->type->is_absent && f->type->is_absent(f, n))
			write_absent(w, f->key, patch);
		else
			f->type->write(w, f, n, patch);
	}
}

static bool field_eq(const struct field *f, const struct api_network *a,
		     const struct api_network *b)
{
	return f->type->eq ? f->type->eq(f, a, b) : memcmp(in(a, f), in(b, f), f->size) == 0;
}

bool api_network_eq(const struct api_network *a, const struct api_network *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!field_eq(&fields[i], a, b))
			return false;
	}
	return true;
}

void api_network_copy(const struct api_network *n, struct api_network *out)
{
	*out = *n;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].type->own)
			fields[i].type->own(out);
	}
}

void api_network_done(struct api_network *n)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].type->done)
			fields[i].type->done(n);
	}
}
