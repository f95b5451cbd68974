/* SPDX-License-Identifier: Apache-2.0 */
#include "api/annotations.h"

#include <string.h>

#include "api/meta.h"
#include "api/subnet.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

#define VALUE_MAX 65536 /* 1,024 addresses of 45 characters fit */

static int bad(struct err *e, const char *annotation, const char *value, const char *why)
{
	return err_set(e, ERR_CONFIG, 0, "annotation %s: \"%.120s\"%s: %s", annotation, value,
		       strlen(value) > 120 ? "..." : "", why);
}

static bool is_auto(const char *value)
{
	return !value || str_eq(value, "auto");
}

/* Copies the next of the entries that hyphens separate; false when it does not fit. */
static bool next_entry(const char **at, char *buf, size_t size)
{
	size_t n = strcspn(*at, "-");

	if (n >= size)
		return false;
	memcpy(buf, *at, n);
	buf[n] = '\0';
	*at += n;
	return true;
}

static size_t count_entries(const char *value)
{
	size_t n = 1;

	for (; *value; value++)
		n += *value == '-';
	return n;
}

/* How many of the addresses are IPv4: the first ones. */
static size_t count_ipv4(const struct api_request *r)
{
	size_t low = 0, high = r->n_ips;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->ips[mid].family == AF_INET)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* IPv4 first, each family in the order in which it was written. */
static void part_families(struct api_request *r)
{
	struct ip_addr *parted = xcalloc(r->n_ips, sizeof(*parted));
	size_t n = 0;

	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < r->n_ips; i++) {
			if ((r->ips[i].family == AF_INET6) == v6)
				parted[n++] = r->ips[i];
		}
	}
	free(r->ips);
	r->ips = parted;
}

static int read_ips(const char *value, struct api_request *r, struct err *e)
{
	size_t n = count_entries(value);

	if (strlen(value) > VALUE_MAX || n > API_REQUEST_LIST_MAX)
		return bad(e, API_ANNOTATION_IP, value, "more than 1024 addresses");
	r->ips = xcalloc(n, sizeof(*r->ips));
	for (const char *at = value;; at++) {
		char text[IP_ADDR_LEN];
		struct ip_addr *a = &r->ips[r->n_ips];

		if (!next_entry(&at, text, sizeof(text)) || ip_parse(text, a) < 0)
			return bad(e, API_ANNOTATION_IP, value,
				   "must be \"auto\", an address, or addresses joined by hyphens");
		for (size_t i = 0; i < r->n_ips; i++) {
			if (ip_eq(&r->ips[i], a))
				return bad(e, API_ANNOTATION_IP, value, "names an address twice");
		}
		r->n_ips++;
		if (!*at)
			return 0;
	}
}

/* ------------------------------------------------------------------------------- one parser each */

/* The next of the names that commas separate, blanks around them aside. */
static char *next_name(const char **at)
{
	const char *begin = *at + strspn(*at, " ");
	size_t n = strcspn(begin, ","), len = n;

	*at = begin + n;
	while (len && begin[len - 1] == ' ')
		len--;
	return xstrndup(begin, len);
}

/* One more, behind those that are there. */
static int add_subnet(const char *value, char *name, struct api_request *r, struct err *e)
{
	char *others;

	if (!api_name_ok(name) || str_eq(name, API_SUBNET_NONE))
		return bad(e, API_ANNOTATION_SUBNET, value, "is not a name of a MacvlanSubnet");
	if (api_request_has_subnet(r, name))
		return bad(e, API_ANNOTATION_SUBNET, value, "names a subnet twice");
	if (!r->subnet) {
		r->subnet = xstrdup(name);
		return 0;
	}
	others = r->others ? xasprintf("%s,%s", r->others, name) : xstrdup(name);
	free(r->others);
	r->others = others;
	return 0;
}

static int parse_subnet(const char *value, struct api_request *r, struct err *e)
{
	size_t n = 0;

	for (const char *at = value;; at++) {
		AUTO(free) char *name = next_name(&at);

		if (++n > API_REQUEST_SUBNETS_MAX)
			return bad(e, API_ANNOTATION_SUBNET, value, "more than 16 subnets");
		if (add_subnet(value, name, r, e) < 0)
			return -1;
		if (!*at)
			return 0;
	}
}

static int parse_ips(const char *value, struct api_request *r, struct err *e)
{
	size_t n4, n6;

	if (is_auto(value))
		return 0;
	if (read_ips(value, r, e) < 0)
		return -1;
	part_families(r);
	n4 = count_ipv4(r);
	n6 = r->n_ips - n4;
	if (n4 && n6 && n4 != n6)
		return bad(e, API_ANNOTATION_IP, value,
			   "the i-th IPv4 address goes with the i-th IPv6 address; name as many of "
			   "each, or only one family");
	return 0;
}

static int read_macs(const char *value, struct api_request *r, struct err *e)
{
	size_t n = count_entries(value);

	if (strlen(value) > VALUE_MAX || n > API_REQUEST_LIST_MAX)
		return bad(e, API_ANNOTATION_MAC, value, "more than 1024 MACs");
	r->macs = xcalloc(n, sizeof(*r->macs));
	for (const char *at = value;; at++) {
		char text[MAC_ADDR_LEN];
		struct mac_addr *m = &r->macs[r->n_macs];

		if (!next_entry(&at, text, sizeof(text)) || mac_parse(text, m) < 0)
			return bad(e, API_ANNOTATION_MAC, value,
				   "must be \"auto\", a MAC like 0a:00:00:00:00:01, or MACs joined "
				   "by hyphens");
		if (!mac_is_usable(m))
			return bad(e, API_ANNOTATION_MAC, value,
				   "a card cannot have a multicast or zero MAC");
		for (size_t i = 0; i < r->n_macs; i++) {
			if (mac_eq(&r->macs[i], m))
				return bad(e, API_ANNOTATION_MAC, value, "names a MAC twice");
		}
		r->n_macs++;
		if (!*at)
			return 0;
	}
}

/* The addresses have been read before it. */
static int parse_macs(const char *value, struct api_request *r, struct err *e)
{
	if (is_auto(value))
		return 0;
	if (read_macs(value, r, e) < 0)
		return -1;
	if (r->n_macs > 1 && r->n_macs != api_request_entries(r))
		return bad(
			e, API_ANNOTATION_MAC, value,
			"a list of MACs needs a list of as many addresses in " API_ANNOTATION_IP);
	return 0;
}

static int parse_interface(const char *value, struct api_request *r, struct err *e)
{
	const char *iface = value ? value : "eth1";

	if (!str_eq(iface, "eth1") && !str_eq(iface, "eth0"))
		return bad(e, API_ANNOTATION_INTERFACE, iface, "must be eth1 or eth0");
	return str_copy(r->interface, sizeof(r->interface), iface);
}

/* ------------------------------------------------------------------------------- the table */

struct annotation {
	const char *name;
	int (*parse)(const char *value, struct api_request *r, struct err *e); /* NULL = absent */
	const char *legacy;       /* the older product's name */
	bool legacy_needed;       /* without it, its pods have no card */
	const char *legacy_means; /* what any value of theirs stands for; NULL = the same as ours */
};

/* In the order in which they are parsed. */
static const struct annotation table[API_ANNOTATIONS] = {
	[API_ASKED_SUBNET] = {API_ANNOTATION_SUBNET, parse_subnet, API_LEGACY_SUBNET, true, NULL},
	[API_ASKED_IP] = {API_ANNOTATION_IP, parse_ips, API_LEGACY_IP, true, NULL},
	[API_ASKED_MAC] = {API_ANNOTATION_MAC, parse_macs, API_LEGACY_MAC, false, NULL},
	[API_ASKED_INTERFACE] = {API_ANNOTATION_INTERFACE, parse_interface, API_LEGACY_NETWORK,
				 false, "eth0"},
};

const char *api_annotation_name(enum api_annotation which)
{
	return table[which].name;
}

/* ------------------------------------------------------------------------------- a request */

int api_request_parse(const char *const text[API_ANNOTATIONS], struct api_request *out,
		      struct err *e)
{
	AUTO(api_request_done) struct api_request r = {0};

	if (text[API_ASKED_SUBNET] && str_eq(text[API_ASKED_SUBNET], API_SUBNET_NONE)) {
		*out = (struct api_request){.refused = true};
		return 0;
	}
	if (text[API_ASKED_SUBNET]) {
		for (size_t i = 0; i < API_ANNOTATIONS; i++) {
			if (table[i].parse(text[i], &r, e) < 0)
				return -1;
		}
		r.wanted = true;
	}
	for (size_t i = 0; i < API_ANNOTATIONS; i++) {
		if (text[i] && !r.wanted)
			return err_set(e, ERR_CONFIG, 0, "annotation %s also needs annotation %s",
				       table[i].name, API_ANNOTATION_SUBNET);
	}
	*out = r;
	r = (struct api_request){0};
	return 0;
}

struct api_request api_request_copy(const struct api_request *r)
{
	struct api_request out = *r;

	out.subnet = xstrdup(r->subnet);
	out.others = xstrdup(r->others);
	out.ips = r->n_ips ? xmemdup(r->ips, r->n_ips * sizeof(*r->ips)) : NULL;
	out.macs = r->n_macs ? xmemdup(r->macs, r->n_macs * sizeof(*r->macs)) : NULL;
	return out;
}

void api_request_done(struct api_request *r)
{
	free(r->subnet);
	free(r->others);
	free(r->ips);
	free(r->macs);
	*r = (struct api_request){0};
}

bool api_request_next_subnet(const struct api_request *r, size_t *pos, char **out)
{
	const char *at = r->others;

	free(*out);
	*out = NULL;
	if (!r->subnet)
		return false;
	for (size_t i = 0; i < *pos; i++) {
		if (!at || !*at)
			return false;
		free(*out);
		*out = next_name(&at);
		at += *at == ',';
	}
	if (!*pos)
		*out = xstrdup(r->subnet);
	++*pos;
	return true;
}

bool api_request_has_subnet(const struct api_request *r, const char *subnet)
{
	AUTO(free) char *name = NULL;
	size_t pos = 0;

	while (api_request_next_subnet(r, &pos, &name)) {
		if (str_eq(name, subnet))
			return true;
	}
	return false;
}

size_t api_request_entries(const struct api_request *r)
{
	size_t n4 = count_ipv4(r), n6 = r->n_ips - n4;

	return n4 ? n4 : n6;
}

const struct ip_addr *api_request_ip(const struct api_request *r, uint8_t family, size_t entry)
{
	size_t n4 = count_ipv4(r);

	if (family == AF_INET)
		return entry < n4 ? &r->ips[entry] : NULL;
	return entry < r->n_ips - n4 ? &r->ips[n4 + entry] : NULL;
}

long api_request_find(const struct api_request *r, const struct ip_addr *addr)
{
	size_t n4 = count_ipv4(r);

	for (size_t i = 0; i < r->n_ips; i++) {
		if (ip_eq(&r->ips[i], addr))
			return (long)(i < n4 ? i : i - n4);
	}
	return -1;
}

const struct mac_addr *api_request_mac(const struct api_request *r, size_t i)
{
	if (!r->n_macs)
		return NULL;
	return &r->macs[r->n_macs == 1 ? 0 : i];
}

int api_request_check_macs(const struct api_request *r, const struct api_subnet *subnet,
			   struct err *e)
{
	char text[MAC_ADDR_LEN];

	for (size_t i = 0; i < r->n_macs && !subnet->allow_any_mac; i++) {
		if (!mac_is_local(&r->macs[i]))
			return err_set(
				e, ERR_CONFIG, 0,
				"annotation " API_ANNOTATION_MAC
				": %s is not locally administered (2, 6, a or e as its second digit), "
				"and MacvlanSubnet %s has no allowAnyMAC",
				mac_format(&r->macs[i], text), r->subnet);
	}
	return 0;
}

/* ------------------------------------------------------------------------------- read */

static void free_texts(char *text[API_ANNOTATIONS])
{
	for (size_t i = 0; i < API_ANNOTATIONS; i++) {
		free(text[i]);
		text[i] = NULL;
	}
}

static int read_texts(api_annotation_get_fn *get, const void *ctx, bool legacy,
		      char *text[API_ANNOTATIONS], struct err *e)
{
	for (size_t i = 0; i < API_ANNOTATIONS; i++) {
		if (get(ctx, legacy ? table[i].legacy : table[i].name, &text[i], e) < 0)
			return -1;
	}
	return 0;
}

/* Theirs to ours: an empty ip switches the feature off, an empty mac is "auto". */
static void translate(char *text[API_ANNOTATIONS])
{
	bool off = false;

	for (size_t i = 0; i < API_ANNOTATIONS; i++) {
		const char *means = table[i].legacy_means;

		if (text[i] && (means || !*text[i])) {
			free(text[i]);
			text[i] = means ? xstrdup(means) : NULL;
		}
		off = off || (table[i].legacy_needed && !text[i]);
	}
	if (off)
		free_texts(text);
}

int api_annotations_read(api_annotation_get_fn *get, const void *ctx, bool legacy,
			 struct api_annotations *out, struct err *e)
{
	AUTO(api_annotations_done) struct api_annotations a = {0};
	struct err why = {0};

	if (read_texts(get, ctx, false, a.text, e) < 0)
		return -1;
	if (legacy && api_annotations_is_empty(&a)) {
		if (read_texts(get, ctx, true, a.text, e) < 0)
			return -1;
		translate(a.text);
	}
	if (api_request_parse((const char *const *)a.text, &a.request, &why) < 0)
		a.why = xstrdup(why.msg);
	*out = a;
	a = (struct api_annotations){0};
	return 0;
}

static int get_meta(const void *ctx, const char *key, char **out, struct err *e)
{
	const char *text = NULL;
	int rc = jget_str(ctx, key, &text, e);

	if (rc < 0)
		return -1;
	*out = rc ? xstrdup(text) : NULL;
	return 0;
}

int api_annotations_read_meta(const struct jval *meta, bool legacy, struct api_annotations *out,
			      struct err *e)
{
	struct jval all;
	int rc = jget_obj(meta, "annotations", &all, e);

	if (rc <= 0)
		return rc;
	return api_annotations_read(get_meta, &all, legacy, out, e);
}

void api_annotations_done(struct api_annotations *a)
{
	free_texts(a->text);
	api_request_done(&a->request);
	free(a->why);
	*a = (struct api_annotations){0};
}

int api_annotations_by_default(const struct api_annotations *a, const char *subnet,
			       struct api_request *out, struct err *e)
{
	const char *text[API_ANNOTATIONS];

	if (a->text[API_ASKED_SUBNET])
		return 0;
	for (size_t i = 0; i < API_ANNOTATIONS; i++)
		text[i] = a->text[i];
	text[API_ASKED_SUBNET] = subnet;
	if (api_request_parse(text, out, e) < 0)
		return -1;
	return out->wanted;
}

int api_annotations_request(const struct api_annotations *a, const struct api_request **out,
			    struct err *e)
{
	if (a->why)
		return err_set(e, ERR_CONFIG, 0, "%s", a->why);
	*out = &a->request;
	return 0;
}

const char *api_annotations_text(const struct api_annotations *a, enum api_annotation which)
{
	return a->text[which] ? a->text[which] : "";
}

bool api_annotations_is_empty(const struct api_annotations *a)
{
	for (size_t i = 0; i < API_ANNOTATIONS; i++) {
		if (a->text[i])
			return false;
	}
	return true;
}

bool api_annotations_eq(const struct api_annotations *a, const struct api_annotations *b)
{
	for (size_t i = 0; i < API_ANNOTATIONS; i++) {
		if (!str_eq(a->text[i], b->text[i]))
			return false;
	}
	return true;
}
