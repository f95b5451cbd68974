/* SPDX-License-Identifier: Apache-2.0 */
#include "api/endpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

static struct api_endpoint_port web[] = {
	{.name = "web", .protocol = "TCP", .app_protocol = "h2c", .port = 80},
	{.name = "dns", .protocol = "UDP", .port = 53},
};

static struct api_endpoint ep(const char *addr, const char *pod)
{
	struct api_endpoint x = {
		.ready = true,
		.serving = true,
		.node = "n1",
		.zone = "z",
		.hostname = pod,
		.ns = "d",
		.pod = pod,
		.uid = pod,
	};

	assert_int_equal(ip_parse(addr, &x.addr), 0);
	return x;
}

static struct api_endpoint_group group(struct api_endpoint *eps, size_t n)
{
	return (struct api_endpoint_group){
		.family = eps[0].addr.family,
		.ports = web,
		.n_ports = ARRAY_SIZE(web),
		.ports_hash = api_endpoint_ports_hash(web, ARRAY_SIZE(web)),
		.eps = eps,
		.n_eps = n,
	};
}

static const struct api_endpoints_owner owner = {"d", "app2-macvlan", "9", "app2"};

static char *slice_text(const struct api_endpoint_group *g)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	AUTO(free) const struct api_endpoint **eps = xcalloc(g->n_eps, sizeof(*eps));
	const struct api_slice_content c = {g, eps, g->n_eps};
	struct jw w = jw_init(&sb);

	for (size_t i = 0; i < g->n_eps; i++)
		eps[i] = &g->eps[i];
	api_slice_write_new(&w, &owner, "app2-macvlan-0", &c);
	jw_finish(&w);
	return sb_take(&sb);
}

/* As the server would give it back: with a UID. */
static struct jdoc *given(const char *text)
{
	AUTO(free)
	char *full = xasprintf("{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\",%s",
			       strstr(text, "\"metadata\":{") + 12);
	struct jdoc *doc = NULL;
	struct err e = {0};

	assert_int_equal(jdoc_parse("t", full, strlen(full), &doc, &e), 0);
	return doc;
}

static struct api_slice *slice_of(const char *text)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	const char *type = strstr(text, "\"addressType\"");
	struct api_slice *s = NULL;
	struct err e = {0};
	struct jval root;

	assert_non_null(type);
	doc = given(text);
	root = jdoc_root(doc);
	assert_int_equal(api_slice_decode(&root, &s, &e), 0);
	return s;
}

static void slice_as_published(void **state)
{
	struct api_endpoint eps[] = {ep("192.168.100.10", "db-0")};
	struct api_endpoint_group g = group(eps, 1);
	AUTO(free) char *text = slice_text(&g);

	(void)state;
	assert_string_equal(
		text,
		"{\"apiVersion\":\"discovery.k8s.io/v1\",\"kind\":\"EndpointSlice\",\"metadata\":{"
		"\"name\":\"app2-macvlan-0\",\"namespace\":\"d\",\"labels\":{\"tandem-cni.io/service\":"
		"\"app2\",\"app.kubernetes.io/managed-by\":\"tandem-controller\","
		"\"service.kubernetes.io/headless\":\"\",\"kubernetes.io/service-name\":\"app2-macvlan\","
		"\"endpointslice.kubernetes.io/managed-by\":\"tandem-controller.tandem-cni.io\"},"
		"\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"name\":"
		"\"app2-macvlan\",\"uid\":\"9\"}]},\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":["
		"\"192.168.100.10\"],\"conditions\":{\"ready\":true,\"serving\":true,\"terminating\":false},"
		"\"hostname\":\"db-0\",\"nodeName\":\"n1\",\"zone\":\"z\",\"targetRef\":{\"kind\":\"Pod\","
		"\"namespace\":\"d\",\"name\":\"db-0\",\"uid\":\"db-0\"}}],\"ports\":[{\"name\":\"web\","
		"\"port\":80,\"protocol\":\"TCP\",\"appProtocol\":\"h2c\"},{\"name\":\"dns\",\"port\":53,"
		"\"protocol\":\"UDP\"}]}");
}

/* What the published schema of discovery.k8s.io/v1 and of the types in it wants to be there. */
static void slice_has_what_the_schema_requires(void **state)
{
	static const char *const endpoint_keys[] = {"addresses", "conditions", "hostname",
						    "nodeName",  "targetRef",  "zone"};
	struct api_endpoint eps[] = {ep("2001:db8::10", "db-0"), ep("2001:db8::11", "db-1")};
	struct api_endpoint_group g = group(eps, 2);
	AUTO(free) char *text = slice_text(&g);
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root, list, item, member, v;
	const char *s;

	(void)state;
	assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	/* EndpointSlice: addressType, endpoints; OwnerReference: apiVersion, kind, name, uid. */
	assert_int_equal(jneed_str(&root, "addressType", &s, &e), 0);
	assert_string_equal(s, "IPv6");
	assert_int_equal(jneed_obj(&root, "metadata", &v, &e), 0);
	assert_int_equal(jneed_arr(&v, "ownerReferences", &list, &e), 0);
	assert_int_equal(jat(&list, 0, &item), 1);
	assert_int_equal(jneed_str(&item, "apiVersion", &s, &e), 0);
	assert_int_equal(jneed_str(&item, "kind", &s, &e), 0);
	assert_int_equal(jneed_str(&item, "name", &s, &e), 0);
	assert_int_equal(jneed_str(&item, "uid", &s, &e), 0);
	assert_int_equal(jneed_arr(&root, "endpoints", &list, &e), 0);
	assert_int_equal(jlen(&list), 2);
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		/* Endpoint: addresses, of which 1 to 100; nothing that v1 does not know (topology). */
		assert_int_equal(jneed_arr(&item, "addresses", &v, &e), 0);
		assert_int_equal(jlen(&v), 1);
		for (struct jiter k = jiter_of(&item); jiter_next(&k, &member);) {
			bool known = false;

			for (size_t i = 0; i < ARRAY_SIZE(endpoint_keys); i++)
				known |= str_eq(member.key, endpoint_keys[i]);
			assert_true(known);
		}
	}
}

static void read_back_it_is_the_same(void **state)
{
	struct api_endpoint eps[] = {ep("192.168.100.10", "a"), ep("192.168.100.11", "b")};
	struct api_endpoint_group g = group(eps, 2);
	AUTO(free) char *text = slice_text(&g);
	AUTO(api_slice_free) struct api_slice *s = slice_of(text);
	struct api_endpoint changed = eps[0];

	(void)state;
	assert_string_equal(s->service, "app2-macvlan");
	assert_string_equal(s->owner_uid, "9");
	assert_int_equal(s->family, AF_INET);
	assert_true(s->ports_hash == g.ports_hash);
	assert_int_equal(s->n_entries, 2);
	assert_true(s->entries[0].id == api_endpoint_id(&eps[0]));
	assert_true(s->entries[1].id == api_endpoint_id(&eps[1]));
	assert_true(api_slice_entry_is(&s->entries[0], &eps[0]));
	assert_false(api_slice_entry_is(&s->entries[0], &eps[1]));
	changed.ready = false;
	assert_false(api_slice_entry_is(&s->entries[0], &changed));
	changed = eps[0];
	changed.terminating = true;
	assert_false(api_slice_entry_is(&s->entries[0], &changed));
	/* A server that knows only `ready`: what it cannot say is not asked for again and again. */
	s->entries[0].bare = true;
	assert_true(api_slice_entry_is(&s->entries[0], &changed));
	changed.hostname = "c";
	assert_false(api_slice_entry_is(&s->entries[0], &changed));
}

static void slices_refused(void **state)
{
	static const char *const bad[] = {
		"\"addressType\":1}",
		"\"addressType\":\"IPv4\",\"endpoints\":[{}]}",
		"\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":[1]}]}",
		"\"addressType\":\"IPv4\",\"endpoints\":[],\"ports\":[{\"port\":99999}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(free)
		char *text = xasprintf("{\"metadata\":{\"name\":\"s\",\"uid\":\"u\"},%s", bad[i]);
		AUTO(jdoc_free) struct jdoc *doc = NULL;
		struct api_slice *s = NULL;
		struct err e = {0};
		struct jval root;

		assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, &e), 0);
		root = jdoc_root(doc);
		assert_int_equal(api_slice_decode(&root, &s, &e), -1);
		assert_null(s);
	}
}

static uint64_t endpoints_hash_of(const char *text)
{
	AUTO(jdoc_free) struct jdoc *doc = given(text);
	AUTO(api_endpoints_free) struct api_endpoints *s = NULL;
	struct jval root = jdoc_root(doc);
	struct err e = {0};

	assert_int_equal(api_endpoints_decode(&root, &s, &e), 0);
	return s->hash;
}

static char *endpoints_text(const struct api_endpoint_group *g, bool terminating)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	api_endpoints_write_new(&w, &owner, g, 1, terminating);
	jw_finish(&w);
	return sb_take(&sb);
}

static void endpoints_as_published(void **state)
{
	struct api_endpoint eps[] = {ep("192.168.100.10", "a"), ep("192.168.100.11", "b"),
				     ep("192.168.100.12", "c")};
	struct api_endpoint_group g = group(eps, 3);
	AUTO(free) char *text = NULL, *all = NULL;

	(void)state;
	g.n_ports = 1;
	eps[1].ready = false;
	eps[2].ready = false;
	eps[2].terminating = true;
	text = endpoints_text(&g, false);
	assert_non_null(strstr(
		text,
		"\"subsets\":[{\"addresses\":[{\"ip\":\"192.168.100.10\",\"hostname\":\"a\",\"nodeName\":"
		"\"n1\",\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"d\",\"name\":\"a\",\"uid\":\"a\"}}],"
		"\"notReadyAddresses\":[{\"ip\":\"192.168.100.11\",\"hostname\":\"b\",\"nodeName\":\"n1\","
		"\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"d\",\"name\":\"b\",\"uid\":\"b\"}}],"
		"\"ports\":[{\"name\":\"web\",\"port\":80,\"protocol\":\"TCP\",\"appProtocol\":\"h2c\"}]}]}"));
	assert_true(endpoints_hash_of(text) == api_endpoints_hash(&g, 1, false));
	all = endpoints_text(&g, true);
	assert_non_null(strstr(all, "192.168.100.12"));
	assert_true(endpoints_hash_of(all) == api_endpoints_hash(&g, 1, true));
	assert_true(endpoints_hash_of(all) != endpoints_hash_of(text));
}

/* Servers sort addresses and divide subsets in their own way. */
static void endpoints_divided_anew_are_the_same(void **state)
{
	const char *whole =
		"{\"metadata\":{\"name\":\"e\"},\"subsets\":[{\"addresses\":[{\"ip\":"
		"\"10.0.0.1\"},{\"ip\":\"10.0.0.2\"}],\"ports\":[{\"name\":\"a\",\"port\":1},"
		"{\"name\":\"b\",\"port\":2}]}]}";
	const char *parts =
		"{\"metadata\":{\"name\":\"e\"},\"subsets\":[{\"addresses\":[{\"ip\":"
		"\"10.0.0.2\"}],\"ports\":[{\"name\":\"b\",\"port\":2},{\"name\":\"a\","
		"\"port\":1}]},{\"addresses\":[{\"ip\":\"10.0.0.1\"}],\"ports\":[{\"name\":"
		"\"a\",\"port\":1},{\"name\":\"b\",\"port\":2}]}]}";
	const char *less =
		"{\"metadata\":{\"name\":\"e\"},\"subsets\":[{\"addresses\":[{\"ip\":"
		"\"10.0.0.2\"}],\"notReadyAddresses\":[{\"ip\":\"10.0.0.1\"}],\"ports\":[{"
		"\"name\":\"a\",\"port\":1},{\"name\":\"b\",\"port\":2}]}]}";

	(void)state;
	assert_true(endpoints_hash_of(whole) == endpoints_hash_of(parts));
	assert_true(endpoints_hash_of(whole) != endpoints_hash_of(less));
	assert_true(endpoints_hash_of("{\"metadata\":{\"name\":\"e\"}}") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slice_as_published),
		cmocka_unit_test(slice_has_what_the_schema_requires),
		cmocka_unit_test(read_back_it_is_the_same),
		cmocka_unit_test(slices_refused),
		cmocka_unit_test(endpoints_as_published),
		cmocka_unit_test(endpoints_divided_anew_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
