/* SPDX-License-Identifier: Apache-2.0 */
#include "api/endpoints.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

/* ------------------------------------------------------------------------------- hashes */

/* A string and where it ends; NULL is "". */
static uint64_t mix(uint64_t h, const char *s)
{
	return hash_fnv1a(h, s ? s : "", s ? strlen(s) + 1 : 1);
}

uint64_t api_endpoint_id(const struct api_endpoint *ep)
{
	uint64_t h = mix(HASH_FNV1A_INIT, ep->uid);

	return hash_fnv1a(h, ep->addr.b, ip_bytes(&ep->addr));
}

static uint64_t content_of(const struct api_endpoint *ep)
{
	uint64_t h = mix(HASH_FNV1A_INIT, ep->node);

	return mix(mix(mix(h, ep->zone), ep->hostname), ep->pod);
}

static uint64_t port_hash(uint64_t h, const struct api_endpoint_port *p)
{
	h = mix(mix(mix(h, p->name), p->protocol), p->app_protocol);
	return hash_fnv1a(h, &p->port, sizeof(p->port));
}

uint64_t api_endpoint_ports_hash(const struct api_endpoint_port *ports, size_t n)
{
	uint64_t h = HASH_FNV1A_INIT;

	for (size_t i = 0; i < n; i++)
		h = port_hash(h, &ports[i]);
	return h;
}

struct api_slice_entry api_slice_entry_of(const struct api_endpoint *ep)
{
	return (struct api_slice_entry){
		.id = api_endpoint_id(ep),
		.content = content_of(ep),
		.ready = ep->ready,
		.serving = ep->serving,
		.terminating = ep->terminating,
	};
}

bool api_slice_entry_is(const struct api_slice_entry *entry, const struct api_endpoint *ep)
{
	return entry->content == content_of(ep) && entry->ready == ep->ready &&
	       (entry->bare ||
		(entry->serving == ep->serving && entry->terminating == ep->terminating));
}

/* FNV is too regular for a sum of many: spread it (the finalizer of MurmurHash3). */
static uint64_t spread(uint64_t h)
{
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdULL;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return h ^ h >> 33;
}

/* One address with one port (NULL: without any): the piece that all ways of dividing have in common. */
static uint64_t tuple(const struct api_endpoint *ep, bool ready, const struct api_endpoint_port *p)
{
	uint64_t h = hash_fnv1a(api_endpoint_id(ep), &ready, 1);

	h = mix(mix(mix(h, ep->node), ep->hostname), ep->pod);
	return spread(p ? port_hash(h, p) : h);
}

static uint64_t tuples(const struct api_endpoint *ep, bool ready,
		       const struct api_endpoint_port *ports, size_t n)
{
	uint64_t sum = n ? 0 : tuple(ep, ready, NULL);

	for (size_t i = 0; i < n; i++)
		sum += tuple(ep, ready, &ports[i]);
	return sum;
}

/* ------------------------------------------------------------------------------- reading */

static int read_owner(const struct jval *obj, char **out, struct err *e)
{
	const char *uid = "";
	struct jval meta, list = {0}, item;
	int rc;

	if (jneed_obj(obj, "metadata", &meta, e) < 0)
		return -1;
	rc = jget_arr(&meta, "ownerReferences", &list, e);
	if (rc < 0)
		return -1;
	for (struct jiter it = jiter_of(&list); rc && jiter_next(&it, &item);) {
		const char *kind = "";

		if (jas_obj(&item, e) < 0 || jget_str(&item, "kind", &kind, e) < 0)
			return -1;
		if (str_eq(kind, "Service") && jget_str(&item, "uid", &uid, e) < 0)
			return -1;
	}
	*out = xstrdup(uid);
	return 0;
}

static int read_target(const struct jval *item, struct api_endpoint *ep, struct err *e)
{
	struct jval ref;
	int rc = jget_obj(item, "targetRef", &ref, e);

	if (rc <= 0)
		return rc;
	return jget_str(&ref, "name", &ep->pod, e) < 0 || jget_str(&ref, "uid", &ep->uid, e) < 0
		       ? -1
		       : 0;
}

/* The strings stay the document's. */
static int read_common(const struct jval *item, struct api_endpoint *ep, struct err *e)
{
	if (jas_obj(item, e) < 0 || jget_str(item, "nodeName", &ep->node, e) < 0 ||
	    jget_str(item, "hostname", &ep->hostname, e) < 0 || read_target(item, ep, e) < 0)
		return -1;
	return 0;
}

static void read_address(const char *text, struct api_endpoint *ep)
{
	/* What is not an address matches nothing that is wanted, and is written over. */
	if (ip_parse(text, &ep->addr) < 0)
		ep->addr = (struct ip_addr){0};
}

static int read_entry(const struct jval *item, struct api_slice_entry *entry, struct err *e)
{
	struct api_endpoint ep = {0};
	struct jval list, first, conditions;
	const char *text = "";
	int rc, serving = 0;

	if (read_common(item, &ep, e) < 0 || jget_str(item, "zone", &ep.zone, e) < 0 ||
	    jneed_arr(item, "addresses", &list, e) < 0)
		return -1;
	if (jat(&list, 0, &first) && jas_str(&first, &text, e) < 0)
		return -1;
	read_address(text, &ep);
	ep.ready = true;
	rc = jget_obj(item, "conditions", &conditions, e);
	if (rc > 0) {
		serving = jget_bool(&conditions, "serving", &ep.serving, e);
		if (serving < 0 || jget_bool(&conditions, "ready", &ep.ready, e) < 0 ||
		    jget_bool(&conditions, "terminating", &ep.terminating, e) < 0)
			return -1;
	}
	*entry = api_slice_entry_of(&ep);
	entry->bare = !serving;
	return rc < 0 ? -1 : 0;
}

static int read_port(const struct jval *item, struct api_endpoint_port *p, struct err *e)
{
	int64_t port = 0;

	*p = (struct api_endpoint_port){.protocol = "TCP"};
	if (jas_obj(item, e) < 0 || jget_str(item, "name", &p->name, e) < 0 ||
	    jget_str(item, "protocol", &p->protocol, e) < 0 ||
	    jget_str(item, "appProtocol", &p->app_protocol, e) < 0 ||
	    jget_i64(item, "port", JRANGE(0, 65535), &port, e) < 0)
		return -1;
	p->port = (uint16_t)port;
	return 0;
}

/* The caller frees *out; the strings stay the document's. */
static int read_ports(const struct jval *obj, struct api_endpoint_port **out, size_t *n,
		      struct err *e)
{
	AUTO(free) struct api_endpoint_port *ports = NULL;
	struct jval list, item;
	int rc = jget_arr(obj, "ports", &list, e);

	if (rc <= 0)
		return rc;
	ports = xcalloc(jlen(&list) + 1, sizeof(*ports));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item); (*n)++) {
		if (read_port(&item, &ports[*n], e) < 0)
			return -1;
	}
	*out = STEAL(ports);
	return 0;
}

static int read_label(const struct jval *obj, const char *key, char **out, struct err *e)
{
	const char *value = "";
	struct jval meta, labels;
	int rc;

	if (jneed_obj(obj, "metadata", &meta, e) < 0)
		return -1;
	rc = jget_obj(&meta, "labels", &labels, e);
	if (rc > 0)
		rc = jget_str(&labels, key, &value, e);
	*out = xstrdup(value);
	return rc < 0 ? -1 : 0;
}

static int read_entries(const struct jval *obj, struct api_slice *s, struct err *e)
{
	struct jval list, item;
	int rc = jget_arr(obj, "endpoints", &list, e);

	if (rc <= 0)
		return rc;
	s->entries = xcalloc(jlen(&list) + 1, sizeof(*s->entries));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (read_entry(&item, &s->entries[s->n_entries++], e) < 0)
			return -1;
	}
	return 0;
}

int api_slice_decode(const struct jval *obj, struct api_slice **out, struct err *e)
{
	AUTO(api_slice_free) struct api_slice *s = xcalloc(1, sizeof(*s));
	AUTO(free) struct api_endpoint_port *ports = NULL;
	const char *type = "";
	size_t n_ports = 0;

	if (api_meta_decode(obj, &s->meta, e) < 0 || read_owner(obj, &s->owner_uid, e) < 0 ||
	    read_label(obj, API_LABEL_SERVICE_NAME, &s->service, e) < 0 ||
	    jget_str(obj, "addressType", &type, e) < 0 ||
	    read_ports(obj, &ports, &n_ports, e) < 0 || read_entries(obj, s, e) < 0)
		return -1;
	s->ports_hash = api_endpoint_ports_hash(ports, n_ports);
	if (str_eq(type, "IPv4"))
		s->family = AF_INET;
	else if (str_eq(type, "IPv6"))
		s->family = AF_INET6;
	*out = STEAL(s);
	return 0;
}

void api_slice_free(struct api_slice *s)
{
	if (!s)
		return;
	api_meta_done(&s->meta);
	free(s->service);
	free(s->owner_uid);
	free(s->entries);
	free(s);
}

/* Addresses of one subset, ready or not. */
static int add_addresses(const struct jval *subset, const char *key,
			 const struct api_endpoint_port *ports, size_t n, uint64_t *sum,
			 struct err *e)
{
	bool ready = str_eq(key, "addresses");
	struct jval list, item;
	int rc = jget_arr(subset, key, &list, e);

	if (rc <= 0)
		return rc;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		struct api_endpoint ep = {0};
		const char *text = "";

		if (read_common(&item, &ep, e) < 0 || jneed_str(&item, "ip", &text, e) < 0)
			return -1;
		read_address(text, &ep);
		*sum += tuples(&ep, ready, ports, n);
	}
	return 0;
}

static int read_subsets(const struct jval *obj, uint64_t *sum, struct err *e)
{
	struct jval list, item;
	int rc = jget_arr(obj, "subsets", &list, e);

	if (rc <= 0)
		return rc;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		AUTO(free) struct api_endpoint_port *ports = NULL;
		size_t n = 0;

		if (jas_obj(&item, e) < 0 || read_ports(&item, &ports, &n, e) < 0 ||
		    add_addresses(&item, "addresses", ports, n, sum, e) < 0 ||
		    add_addresses(&item, "notReadyAddresses", ports, n, sum, e) < 0)
			return -1;
	}
	return 0;
}

int api_endpoints_decode(const struct jval *obj, struct api_endpoints **out, struct err *e)
{
	AUTO(api_endpoints_free) struct api_endpoints *s = xcalloc(1, sizeof(*s));

	if (api_meta_decode(obj, &s->meta, e) < 0 || read_owner(obj, &s->owner_uid, e) < 0 ||
	    read_subsets(obj, &s->hash, e) < 0)
		return -1;
	*out = STEAL(s);
	return 0;
}

void api_endpoints_free(struct api_endpoints *s)
{
	if (!s)
		return;
	api_meta_done(&s->meta);
	free(s->owner_uid);
	free(s);
}

uint64_t api_endpoints_hash(const struct api_endpoint_group *groups, size_t n, bool terminating)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		const struct api_endpoint_group *g = &groups[i];

		for (size_t k = 0; k < g->n_eps; k++) {
			if (terminating || !g->eps[k].terminating)
				sum += tuples(&g->eps[k], g->eps[k].ready, g->ports, g->n_ports);
		}
	}
	return sum;
}
