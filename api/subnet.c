/* SPDX-License-Identifier: Apache-2.0 */
#include "api/subnet.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

static int bad(struct err *e, const char *path, const char *value, const char *why)
{
	return err_set(e, ERR_CONFIG, 0, "%s: \"%.80s\" %s", path, value, why);
}

/* ------------------------------------------------------------------------------- selectors */

static int read_match_labels(const struct jval *v, struct api_selector *s, struct err *e)
{
	struct jval labels = {0}, item;
	int rc = jget_obj(v, "matchLabels", &labels, e);

	if (rc <= 0)
		return rc;
	if (jlen(&labels) > API_SELECTOR_MAX)
		return jerr(v, "matchLabels", e, ERR_CONFIG, "more than %d", API_SELECTOR_MAX);
	for (struct jiter it = jiter_of(&labels); jiter_next(&it, &item);) {
		struct api_selector_term *t = &s->terms[s->n_terms];
		const char *value;

		if (jas_str(&item, &value, e) < 0)
			return -1;
		t->key = xstrdup(item.key);
		t->op = API_SELECTOR_IN;
		t->values = xcalloc(1, sizeof(*t->values));
		t->values[t->n_values++] = xstrdup(value);
		s->n_terms++;
	}
	return 0;
}

static int read_values(const struct jval *v, struct api_selector_term *t, struct err *e)
{
	struct jval list = {0}, item;
	int rc = jget_arr(v, "values", &list, e);
	bool wants = t->op == API_SELECTOR_IN || t->op == API_SELECTOR_NOT_IN;

	if (rc < 0)
		return -1;
	if (wants != (rc && jlen(&list) > 0))
		return jerr(v, "values", e, ERR_CONFIG,
			    wants ? "must not be empty" : "must be empty for this operator");
	if (!rc)
		return 0;
	t->values = xcalloc(jlen(&list) + 1, sizeof(*t->values));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		const char *value;

		if (jas_str(&item, &value, e) < 0)
			return -1;
		t->values[t->n_values++] = xstrdup(value);
	}
	return 0;
}

static int read_expression(const struct jval *v, struct api_selector *s, struct err *e)
{
	static const char *const ops[] = {"In", "NotIn", "Exists", "DoesNotExist"};
	struct api_selector_term *t = &s->terms[s->n_terms];
	const char *key = NULL, *op = NULL;

	if (jas_obj(v, e) < 0 || jneed_str(v, "key", &key, e) < 0 ||
	    jneed_str(v, "operator", &op, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		if (!str_eq(op, ops[i]))
			continue;
		s->n_terms++;
		t->key = xstrdup(key);
		t->op = (enum api_selector_op)i;
		return read_values(v, t, e);
	}
	return jerr(v, "operator", e, ERR_CONFIG, "must be In, NotIn, Exists or DoesNotExist");
}

static int read_selector(const struct jval *spec, const char *name, struct api_selector *s,
			 struct err *e)
{
	struct jval v = {0}, list = {0}, item;
	int rc = jget_obj(spec, name, &v, e);

	if (rc <= 0)
		return rc;
	s->given = true;
	s->terms = xcalloc(2 * API_SELECTOR_MAX, sizeof(*s->terms));
	if (read_match_labels(&v, s, e) < 0)
		return -1;
	rc = jget_arr(&v, "matchExpressions", &list, e);
	if (rc <= 0)
		return rc;
	if (jlen(&list) > API_SELECTOR_MAX)
		return jerr(&v, "matchExpressions", e, ERR_CONFIG, "more than %d",
			    API_SELECTOR_MAX);
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (read_expression(&item, s, e) < 0)
			return -1;
	}
	return 0;
}

static void selector_done(struct api_selector *s)
{
	for (size_t i = 0; i < s->n_terms; i++) {
		for (size_t j = 0; j < s->terms[i].n_values; j++)
			free(s->terms[i].values[j]);
		free(s->terms[i].values);
		free(s->terms[i].key);
	}
	free(s->terms);
}

/* ------------------------------------------------------------------------------- families */

static int read_end(const struct jval *v, const char *key, const char *path,
		    const struct ip_net *cidr, struct ip_addr *out, struct err *e)
{
	char where[120];
	const char *text = "";

	snprintf(where, sizeof(where), "%s.%s", path, key);
	if (jget_str(v, key, &text, e) < 0)
		return -1;
	if (!*text)
		return err_set(e, ERR_CONFIG, 0, "%s: is missing", where);
	if (ip_parse(text, out) < 0)
		return bad(e, where, text, "is not an address");
	if (!ip_net_has(cidr, out))
		return bad(e, where, text, "lies outside the cidr");
	return 0;
}

static int check_range(const struct api_family *f, const char *where, struct err *e)
{
	const struct api_range *r = &f->ranges[f->n_ranges];
	char text[IP_ADDR_LEN];

	if (ip_cmp(&r->start, &r->end) > 0)
		return err_set(e, ERR_CONFIG, 0, "%s: rangeEnd %s is below rangeStart", where,
			       ip_format(&r->end, text));
	for (size_t i = 0; i < f->n_ranges; i++) {
		if (ip_cmp(&r->start, &f->ranges[i].end) <= 0 &&
		    ip_cmp(&f->ranges[i].start, &r->end) <= 0)
			return err_set(e, ERR_CONFIG, 0, "%s: overlaps with ranges[%zu]", where, i);
	}
	return 0;
}

static int read_ranges(const struct jval *v, const char *path, struct api_family *f, struct err *e)
{
	struct jval list = {0}, item;
	int rc = jget_arr(v, "ranges", &list, e);
	char where[80];

	if (rc <= 0)
		return rc;
	if (jlen(&list) > API_RANGES_MAX)
		return err_set(e, ERR_CONFIG, 0, "%s.ranges: more than %d", path, API_RANGES_MAX);
	f->ranges = xcalloc(jlen(&list) + 1, sizeof(*f->ranges));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		struct api_range *r = &f->ranges[f->n_ranges];

		snprintf(where, sizeof(where), "%s.ranges[%zu]", path, f->n_ranges);
		if (jas_obj(&item, e) < 0 ||
		    read_end(&item, "rangeStart", where, &f->cidr, &r->start, e) < 0 ||
		    read_end(&item, "rangeEnd", where, &f->cidr, &r->end, e) < 0 ||
		    check_range(f, where, e) < 0)
			return -1;
		f->n_ranges++;
	}
	return 0;
}

static uint64_t family_size(const struct api_family *f)
{
	uint64_t n = 0;
	struct ip_addr base = ip_net_base(&f->cidr), last = ip_net_last(&f->cidr);

	if (!f->n_ranges)
		return ip_distance(&base, &last);
	for (size_t i = 0; i < f->n_ranges; i++) {
		uint64_t d = ip_distance(&f->ranges[i].start, &f->ranges[i].end);

		if (d >= UINT32_MAX)
			return d;
		n += d + 1;
	}
	return n;
}

static int check_size(const struct api_family *f, const char *path, struct err *e)
{
	uint64_t n = family_size(f);

	if (f->n_ranges)
		return n > 65536 ? err_set(e, ERR_CONFIG, 0, "%s.ranges: more than 65536 addresses",
					   path)
				 : 0;
	/* An IPv6 CIDR without ranges means its first 65,536 addresses. */
	if (f->cidr.addr.family == AF_INET && f->cidr.prefix < 16)
		return err_set(e, ERR_CONFIG, 0, "%s.cidr: /%u is larger than a /16; set ranges",
			       path, f->cidr.prefix);
	return 0;
}

/* It may lie outside of the cidr: routers do, with a /32 and with IPv6's link-local addresses. */
static int check_gateway(const struct api_family *f, const char *path, struct err *e)
{
	struct ip_addr base = ip_net_base(&f->cidr), last = ip_net_last(&f->cidr);
	bool has_net = f->cidr.prefix + 1U < ip_bits(&base);
	char text[IP_ADDR_LEN], where[40];

	snprintf(where, sizeof(where), "%s.gateway", path);
	ip_format(&f->gateway, text);
	if (f->gateway.family != base.family)
		return bad(e, where, text, "is of another family than the cidr");
	if (ip_is_multicast(&f->gateway))
		return bad(e, where, text, "is not a router's address");
	if (has_net && ip_eq(&f->gateway, &base))
		return bad(e, where, text, "is the network address");
	if (has_net && base.family == AF_INET && ip_eq(&f->gateway, &last))
		return bad(e, where, text, "is the broadcast address");
	return 0;
}

/* The first host; none where the CIDR is one address. */
static struct ip_addr default_gateway(const struct ip_net *cidr)
{
	struct ip_addr base = ip_net_base(cidr), first;

	if (cidr->prefix == ip_bits(&base))
		return (struct ip_addr){0};
	if (cidr->prefix + 1U == ip_bits(&base))
		return base;
	return ip_add(&base, 1, &first) == 0 ? first : (struct ip_addr){0};
}

static int check_cidr(const struct ip_net *cidr, const char *where, const char *text, struct err *e)
{
	const uint8_t *b = cidr->addr.b;
	bool v4 = cidr->addr.family == AF_INET;

	if ((v4 && (b[0] == 0 || b[0] == 127 || b[0] >= 224)) || (!v4 && b[0] == 0xff) ||
	    cidr->prefix == 0)
		return bad(e, where, text, "is not a network that hosts can have");
	/* SLAAC and neighbours' link-local addresses live there. */
	if (!v4 && b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		return bad(e, where, text, "is link-local");
	return 0;
}

static int read_family(const struct jval *v, const char *path, struct api_family *f, struct err *e)
{
	const char *cidr = "", *gateway = "";
	struct jval v6 = {0};
	char where[40];

	snprintf(where, sizeof(where), "%s.cidr", path);
	if (jget_str(v, "cidr", &cidr, e) < 0 || jget_str(v, "gateway", &gateway, e) < 0)
		return -1;
	if (!*cidr)
		return err_set(
			e, ERR_CONFIG, 0, "%s: is missing%s", where,
			jget(v, "ipv6", &v6, e) > 0
				? "; the network of a subnet of IPv6 alone stands there, and not in spec.ipv6.cidr"
				: "");
	if (ip_net_parse(cidr, &f->cidr) < 0)
		return bad(e, where, cidr, "is not a CIDR");
	if (check_cidr(&f->cidr, where, cidr, e) < 0)
		return -1;
	f->cidr.addr = ip_net_base(&f->cidr);
	f->gateway = default_gateway(&f->cidr);
	if (*gateway) {
		snprintf(where, sizeof(where), "%s.gateway", path);
		if (ip_parse(gateway, &f->gateway) < 0)
			return bad(e, where, gateway, "is not an address");
		if (check_gateway(f, path, e) < 0)
			return -1;
		f->gateway_given = true;
	}
	if (read_ranges(v, path, f, e) < 0)
		return -1;
	return check_size(f, path, e);
}

/* Routers' announcements alone need no addresses of ours. */
static int read_accept_ra(const struct jval *v6, struct api_subnet *s, struct err *e)
{
	bool on = false;
	int rc = jget_bool(v6, "acceptRA", &on, e);

	if (rc == 1)
		s->network.accept_ra = on ? API_SWITCH_ON : API_SWITCH_OFF;
	if (rc < 0 || !on || !nl_link_mode_get(s->network.mode)->routed)
		return rc < 0 ? -1 : 0;
	return err_set(e, ERR_CONFIG, 0,
		       "spec.ipv6.acceptRA: a card of the mode %s hears no router",
		       nl_link_mode_get(s->network.mode)->name);
}

static int read_v6(const struct jval *spec, struct api_subnet *s, struct err *e)
{
	struct jval v;
	const char *cidr = "", *gateway = "";
	int rc = jget_obj(spec, "ipv6", &v, e);

	if (rc <= 0)
		return rc;
	if (read_accept_ra(&v, s, e) < 0 || jget_str(&v, "cidr", &cidr, e) < 0 ||
	    jget_str(&v, "gateway", &gateway, e) < 0)
		return -1;
	if (!*cidr && !*gateway && s->network.accept_ra != API_SWITCH_UNSET)
		return 0;
	if (read_family(&v, "spec.ipv6", &s->v6, e) < 0)
		return -1;
	if (s->v6.cidr.addr.family != AF_INET6)
		return err_set(e, ERR_CONFIG, 0, "spec.ipv6.cidr: must be an IPv6 CIDR");
	if (s->v.cidr.addr.family != AF_INET)
		return err_set(e, ERR_CONFIG, 0, "spec.ipv6: spec.cidr is IPv6 already");
	return 0;
}

static bool is_dual(const struct api_subnet *s)
{
	return ip_is_set(&s->v6.cidr.addr);
}

/* ------------------------------------------------------------------------------- the rest */

/* "192.168.1.5", "192.168.1.5-192.168.1.9" or "192.168.1.0/28". */
static int parse_exclude(const char *text, struct api_range *out)
{
	const char *dash = strchr(text, '-');
	char low[IP_ADDR_LEN];
	struct ip_net net;

	if (strchr(text, '/')) {
		if (ip_net_parse(text, &net) < 0)
			return -1;
		*out = (struct api_range){ip_net_base(&net), ip_net_last(&net)};
		return 0;
	}
	if (!dash) {
		if (ip_parse(text, &out->start) < 0)
			return -1;
		out->end = out->start;
		return 0;
	}
	if ((size_t)(dash - text) >= sizeof(low))
		return -1;
	memcpy(low, text, (size_t)(dash - text));
	low[dash - text] = '\0';
	if (ip_parse(low, &out->start) < 0 || ip_parse(dash + 1, &out->end) < 0)
		return -1;
	return out->start.family == out->end.family && ip_cmp(&out->start, &out->end) <= 0 ? 0 : -1;
}

/* One that is wider than the CIDR excludes what it has of it. */
static bool meets(const struct ip_net *cidr, const struct api_range *r)
{
	struct ip_addr base = ip_net_base(cidr), last = ip_net_last(cidr);

	return ip_is_set(&cidr->addr) && base.family == r->start.family &&
	       ip_cmp(&r->start, &last) <= 0 && ip_cmp(&base, &r->end) <= 0;
}

static int read_exclude(const struct jval *spec, struct api_subnet *s, struct err *e)
{
	struct jval list = {0}, item;
	int rc = jget_arr(spec, "exclude", &list, e);

	if (rc <= 0)
		return rc;
	if (jlen(&list) > API_EXCLUDE_MAX)
		return err_set(e, ERR_CONFIG, 0, "spec.exclude: more than %d", API_EXCLUDE_MAX);
	s->exclude = xcalloc(jlen(&list) + 1, sizeof(*s->exclude));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		char where[40];
		const char *text;

		snprintf(where, sizeof(where), "spec.exclude[%zu]", s->n_exclude);
		if (jas_str(&item, &text, e) < 0)
			return -1;
		if (parse_exclude(text, &s->exclude[s->n_exclude]) < 0)
			return bad(e, where, text, "is not an address, a range or a CIDR");
		if (!meets(&s->v.cidr, &s->exclude[s->n_exclude]) &&
		    !meets(&s->v6.cidr, &s->exclude[s->n_exclude]))
			return bad(e, where, text, "lies outside the cidr");
		s->n_exclude++;
	}
	return 0;
}

static int read_delay(const struct jval *spec, struct api_subnet *s, struct err *e)
{
	int64_t delay = API_DELAY_REUSE_DEFAULT;

	if (jget_i64(spec, "ipDelayReuse", JRANGE(INT32_MIN, INT32_MAX), &delay, e) < 0)
		return -1;
	if (delay < 0 || delay > API_DELAY_REUSE_MAX)
		return err_set(e, ERR_CONFIG, 0, "spec.ipDelayReuse: %lld must be 0 to %d",
			       (long long)delay, API_DELAY_REUSE_MAX);
	s->delay_reuse_s = (uint32_t)delay;
	return 0;
}

static int read_max_per_ns(const struct jval *spec, struct api_subnet *s, struct err *e)
{
	int64_t max = 0;

	if (jget_i64(spec, "maxPerNamespace", JRANGE(INT32_MIN, INT32_MAX), &max, e) < 0)
		return -1;
	if (max < 0 || max > API_MAX_PER_NS_MAX)
		return err_set(e, ERR_CONFIG, 0, "spec.maxPerNamespace: %lld must be 0 to %d",
			       (long long)max, API_MAX_PER_NS_MAX);
	s->max_per_ns = (uint32_t)max;
	return 0;
}

static int check_route(const struct api_subnet *s, size_t i, struct err *e)
{
	const struct api_route *r = &s->network.routes[i];
	uint8_t family = r->dst.addr.family;
	char text[IP_NET_LEN], where[40];

	/* On the primary's side any next hop may be right (169.254.1.1 with Calico). */
	if (!str_eq(r->iface, "eth1"))
		return 0;
	snprintf(where, sizeof(where), "spec.routes[%zu].dst", i);
	if (family != s->v.cidr.addr.family && !(is_dual(s) && family == AF_INET6))
		return bad(e, where, ip_net_format(&r->dst, text),
			   "is of a family that the card has no address of");
	return 0;
}

/* RFC 8200, section 5. The parent's own MTU is looked at on the node. */
static int check_mtu(const struct api_subnet *s, struct err *e)
{
	uint32_t mtu = s->network.mtu;

	if (!mtu || mtu >= 1280 ||
	    (s->v.cidr.addr.family != AF_INET6 && !is_dual(s) &&
	     s->network.accept_ra != API_SWITCH_ON))
		return 0;
	return err_set(e, ERR_CONFIG, 0, "spec.mtu: %u is too small for IPv6, which needs 1280",
		       mtu);
}

static int check_routes(const struct api_subnet *s, struct err *e)
{
	const struct api_network *n = &s->network;

	for (size_t i = 0; i < n->n_routes; i++) {
		if (check_route(s, i, e) < 0)
			return -1;
	}
	if (n->pod_default_gateway && !ip_is_set(&n->gateway) && !ip_is_set(&n->gateway6))
		return err_set(e, ERR_CONFIG, 0,
			       "spec.podDefaultGateway.enable: the subnet has no gateway");
	return 0;
}

static int read_spec(const struct jval *spec, struct api_subnet *s, struct err *e)
{
	if (api_network_decode(spec, "spec", &s->network, e) < 0 ||
	    read_family(spec, "spec", &s->v, e) < 0 || read_v6(spec, s, e) < 0 ||
	    read_exclude(spec, s, e) < 0 || read_delay(spec, s, e) < 0 ||
	    read_max_per_ns(spec, s, e) < 0 ||
	    jget_bool(spec, "allowAnyMAC", &s->allow_any_mac, e) < 0 ||
	    read_selector(spec, "allowedNamespaces", &s->allowed_namespaces, e) < 0 ||
	    read_selector(spec, "nodeSelector", &s->node_selector, e) < 0)
		return -1;
	s->network.gateway = s->v.gateway;
	s->network.gateway6 = s->v6.gateway;
	/* Where the whole CIDR is ours to give, others on the LAN are not known here. */
	if (s->network.conflict_detection == API_SWITCH_UNSET)
		s->network.conflict_detection = s->v.n_ranges && (!is_dual(s) || s->v6.n_ranges)
							? API_SWITCH_OFF
							: API_SWITCH_ON;
	return check_mtu(s, e) < 0 ? -1 : check_routes(s, e);
}

int api_subnet_decode(const struct jval *obj, struct api_subnet **out, struct err *e)
{
	AUTO(api_subnet_free) struct api_subnet *s = xcalloc(1, sizeof(*s));
	struct jval spec;
	int rc;

	if (api_meta_decode(obj, &s->meta, e) < 0)
		return -1;
	rc = jget_obj(obj, "spec", &spec, e);
	if (rc == 0)
		return err_set(e, ERR_CONFIG, 0, "spec: is missing");
	if (rc < 0 || read_spec(&spec, s, e) < 0) {
		/* A wrong type is the user's to mend as much as a wrong value. */
		e->kind = ERR_CONFIG;
		return -1;
	}
	*out = STEAL(s);
	return 0;
}

void api_subnet_free(struct api_subnet *s)
{
	if (!s)
		return;
	api_meta_done(&s->meta);
	api_network_done(&s->network);
	free(s->v.ranges);
	free(s->v6.ranges);
	free(s->exclude);
	selector_done(&s->allowed_namespaces);
	selector_done(&s->node_selector);
	free(s);
}
