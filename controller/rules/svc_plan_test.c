/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/svc_plan.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"

static struct api_service *service(const char *text)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct api_service *s = NULL;
	struct err e = {0};
	struct jval root;

	assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(api_service_decode(&root, &s, &e), 0);
	return s;
}

/* spec: the members of spec but the selector. */
static struct api_service *app2(const char *spec)
{
	AUTO(free)
	char *text =
		xasprintf("{\"metadata\":{\"name\":\"app2\",\"namespace\":\"d\",\"uid\":\"1\"},"
			  "\"spec\":{\"selector\":{\"app\":\"app2\"},%s}}",
			  spec);

	return service(text);
}

struct pod {
	struct api_pod pod;
	struct api_pod_port port;
};

static struct svc_pod pod(struct pod *p, const char *name, const char *addr)
{
	struct svc_pod s = {.pod = &p->pod};

	*p = (struct pod){
		.pod = {.meta = {.name = (char *)name, .ns = (char *)"d", .uid = (char *)name},
			.node = (char *)"n1",
			.ready = true}};
	assert_int_equal(ip_parse(addr, &s.addr), 0);
	return s;
}

static void name_port(struct pod *p, const char *name, uint16_t port)
{
	assert_int_equal(str_copy(p->port.name, sizeof(p->port.name), name), 0);
	assert_int_equal(str_copy(p->port.protocol, sizeof(p->port.protocol), "TCP"), 0);
	p->port.port = port;
	p->pod.ports = &p->port;
	p->pod.n_ports = 1;
}

static void sorted_and_ready(void **state)
{
	AUTO(api_service_free) struct api_service *s = app2("\"ports\":[{\"port\":43}]");
	AUTO(svc_groups_done) struct svc_groups g = {0};
	struct pod p[3];
	struct svc_pod pods[] = {pod(&p[0], "c", "192.168.100.12"),
				 pod(&p[1], "a", "192.168.100.9"),
				 pod(&p[2], "b", "192.168.100.10")};

	(void)state;
	p[0].pod.ready = false;
	p[2].pod.meta.deletion = 1;
	svc_plan_groups(s, pods, 3, &g);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.items[0].n_ports, 1);
	assert_int_equal(g.items[0].ports[0].port, 43);
	assert_int_equal(g.items[0].n_eps, 3);
	assert_string_equal(g.items[0].eps[0].pod, "a");
	assert_true(g.items[0].eps[0].ready && g.items[0].eps[0].serving &&
		    !g.items[0].eps[0].terminating);
	/* On its way out, it still serves. */
	assert_string_equal(g.items[0].eps[1].pod, "b");
	assert_true(!g.items[0].eps[1].ready && g.items[0].eps[1].serving &&
		    g.items[0].eps[1].terminating);
	assert_true(!g.items[0].eps[2].ready && !g.items[0].eps[2].serving);
}

static void published_though_not_ready(void **state)
{
	AUTO(api_service_free)
	struct api_service *s = app2("\"publishNotReadyAddresses\":true,\"ports\":[{\"port\":43}]");
	AUTO(svc_groups_done) struct svc_groups g = {0};
	struct pod p;
	struct svc_pod pods[] = {pod(&p, "a", "192.168.100.9")};

	(void)state;
	p.pod.ready = false;
	svc_plan_groups(s, pods, 1, &g);
	assert_true(g.items[0].eps[0].ready && !g.items[0].eps[0].serving);
}

static void named_ports_differ(void **state)
{
	AUTO(api_service_free)
	struct api_service *s = app2("\"ports\":[{\"port\":80,\"targetPort\":\"web\"}]");
	AUTO(svc_groups_done) struct svc_groups g = {0};
	struct pod p[4];
	struct svc_pod pods[] = {pod(&p[0], "a", "10.0.0.1"), pod(&p[1], "b", "10.0.0.2"),
				 pod(&p[2], "c", "10.0.0.3"), pod(&p[3], "d", "10.0.0.4")};
	size_t of_8000, of_9000;

	(void)state;
	name_port(&p[0], "web", 8000);
	name_port(&p[1], "web", 9000);
	name_port(&p[2], "web", 8000);
	name_port(&p[3], "other", 8000);
	svc_plan_groups(s, pods, 4, &g);
	assert_int_equal(g.n, 2);
	of_8000 = g.items[0].ports[0].port == 8000 ? 0 : 1;
	of_9000 = 1 - of_8000;
	assert_int_equal(g.items[of_8000].n_eps, 2);
	assert_int_equal(g.items[of_9000].n_eps, 1);
	assert_int_equal(g.items[of_9000].ports[0].port, 9000);
	assert_string_equal(g.items[of_9000].eps[0].pod, "b");
}

static void no_ports_at_all(void **state)
{
	AUTO(api_service_free) struct api_service *s = app2("\"clusterIP\":\"None\"");
	AUTO(svc_groups_done) struct svc_groups g = {0};
	struct pod p;
	struct svc_pod pods[] = {pod(&p, "a", "10.0.0.1")};

	(void)state;
	svc_plan_groups(s, pods, 1, &g);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.items[0].n_ports, 0);
}

static void own_names(void **state)
{
	AUTO(api_service_free) struct api_service *s = app2("\"ports\":[{\"port\":43}]");
	AUTO(svc_groups_done) struct svc_groups g = {0};
	struct pod p[3];
	struct svc_pod pods[] = {pod(&p[0], "db-0", "10.0.0.1"), pod(&p[1], "x", "10.0.0.2"),
				 pod(&p[2], "y", "10.0.0.3")};

	(void)state;
	p[0].pod.hostname = (char *)"db-0";
	p[0].pod.subdomain = (char *)"db-headless";
	pods[0].stateful = true;
	p[1].pod.hostname = (char *)"x";
	p[1].pod.subdomain = (char *)"app2";
	p[2].pod.hostname = (char *)"y";
	p[2].pod.subdomain = (char *)"elsewhere";
	svc_plan_groups(s, pods, 3, &g);
	assert_string_equal(g.items[0].eps[0].hostname, "db-0");
	assert_string_equal(g.items[0].eps[1].hostname, "x");
	assert_null(g.items[0].eps[2].hostname);
}

static void families(void **state)
{
	AUTO(api_service_free) struct api_service *s = app2("\"ports\":[{\"port\":43}]");
	AUTO(api_service_free)
	struct api_service *six = service("{\"metadata\":{\"name\":\"h\",\"uid\":\"2\"},\"spec\":{"
					  "\"ipFamilies\":[\"IPv6\"]}}");
	AUTO(svc_groups_done) struct svc_groups g = {0}, none = {0};
	struct pod p[2];
	struct svc_pod pods[] = {pod(&p[0], "a", "2001:db8::1"), pod(&p[1], "b", "10.0.0.2")};
	uint8_t f[2];

	(void)state;
	svc_plan_groups(s, pods, 2, &g);
	assert_int_equal(g.n, 2);
	svc_plan_families(&g, NULL, f);
	assert_true(f[0] == AF_INET && f[1] == AF_INET6);
	svc_plan_families(&none, NULL, f);
	assert_true(f[0] == AF_INET && f[1] == 0);
	/* At 0 replicas it stays what it was. */
	svc_plan_families(&none, six, f);
	assert_true(f[0] == AF_INET6 && f[1] == 0);
}

static void both_addresses_of_a_card(void **state)
{
	AUTO(api_service_free) struct api_service *s = app2("\"ports\":[{\"port\":43}]");
	AUTO(svc_groups_done) struct svc_groups g = {0};
	struct pod p;
	struct svc_pod pods[] = {pod(&p, "a", "10.0.0.1")};

	(void)state;
	assert_int_equal(ip_parse("2001:db8::1", &pods[0].addr6), 0);
	svc_plan_groups(s, pods, 1, &g);
	assert_int_equal(g.n, 2);
	assert_int_equal(g.items[0].family, AF_INET);
	assert_int_equal(g.items[1].family, AF_INET6);
}

static const uint8_t four[2] = {AF_INET, 0};

static void the_service_itself(void **state)
{
	AUTO(api_service_free)
	struct api_service *s =
		app2("\"ports\":[{\"name\":\"web\",\"port\":43,\"targetPort\":\"w\","
		     "\"nodePort\":30043}],\"sessionAffinity\":\"ClientIP\"");
	AUTO(free)
	char *text = svc_plan_head_new(&(struct svc_head_in){s, four, NULL}, "app2-macvlan");

	(void)state;
	assert_string_equal(
		text,
		"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"app2-macvlan\","
		"\"namespace\":\"d\",\"labels\":{\"tandem-cni.io/service\":\"app2\","
		"\"app.kubernetes.io/managed-by\":\"tandem-controller\"},\"ownerReferences\":[{"
		"\"apiVersion\":\"v1\",\"kind\":\"Service\",\"name\":\"app2\",\"uid\":\"1\"}]},\"spec\":{"
		"\"type\":\"ClusterIP\",\"clusterIP\":\"None\",\"ipFamilyPolicy\":\"SingleStack\","
		"\"ipFamilies\":[\"IPv4\"],\"publishNotReadyAddresses\":false,\"ports\":[{\"name\":\"web\","
		"\"protocol\":\"TCP\",\"port\":43,\"targetPort\":\"w\"}]}}");
}

/* Ours, as the server shows it, with one thing replaced. */
static struct api_service *head(const char *what, const char *with)
{
	const char *text =
		"{\"metadata\":{\"name\":\"app2-macvlan\",\"namespace\":\"d\",\"uid\":\"9\","
		"\"resourceVersion\":\"7\",\"labels\":{\"tandem-cni.io/service\":\"app2\"},"
		"\"ownerReferences\":[{\"kind\":\"Service\",\"name\":\"app2\",\"uid\":\"1\"}]},\"spec\":{"
		"\"clusterIP\":\"None\",\"ipFamilyPolicy\":\"SingleStack\",\"ipFamilies\":[\"IPv4\"],"
		"\"ports\":[{\"protocol\":\"TCP\",\"port\":43,\"targetPort\":43}]}}";
	const char *at = what ? strstr(text, what) : NULL;
	AUTO(free) char *changed = NULL;

	if (!what)
		return service(text);
	assert_non_null(at);
	changed = xasprintf("%.*s%s%s", (int)(at - text), text, with, at + strlen(what));
	return service(changed);
}

static void what_is_done_about_it(void **state)
{
	static const struct {
		const char *what, *with;
		enum svc_head_verdict verdict;
	} cases[] = {
		{NULL, NULL, SVC_HEAD_RIGHT},
		{"\"port\":43", "\"port\":44", SVC_HEAD_PATCH},
		{"\"targetPort\":43", "\"targetPort\":44", SVC_HEAD_PATCH},
		{"\"clusterIP\"", "\"selector\":{\"a\":\"b\"},\"clusterIP\"", SVC_HEAD_PATCH},
		{"\"clusterIP\"", "\"publishNotReadyAddresses\":true,\"clusterIP\"",
		 SVC_HEAD_PATCH},
		{"SingleStack", "RequireDualStack", SVC_HEAD_PATCH},
		{"[\"IPv4\"]", "[\"IPv4\",\"IPv6\"]", SVC_HEAD_PATCH},
		{"\"tandem-cni.io/service\":\"app2\"", "\"tandem-cni.io/service\":\"x\"",
		 SVC_HEAD_PATCH},
		{"\"tandem-cni.io/service\":\"app2\"",
		 "\"tandem-cni.io/service\":\"app2\",\"team\":\"a\"", SVC_HEAD_PATCH},
		/* A server that knows no families: none are asked of it. */
		{"\"ipFamilyPolicy\":\"SingleStack\",\"ipFamilies\":[\"IPv4\"],", "",
		 SVC_HEAD_RIGHT},
		/* What cannot be edited. */
		{"[\"IPv4\"]", "[\"IPv6\"]", SVC_HEAD_REPLACE},
		{"\"None\"", "\"10.43.0.1\"", SVC_HEAD_REPLACE},
		{"\"uid\":\"1\"", "\"uid\":\"0\"", SVC_HEAD_REPLACE},
	};
	AUTO(api_service_free) struct api_service *s = app2("\"ports\":[{\"port\":43}]");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(api_service_free) struct api_service *h = head(cases[i].what, cases[i].with);

		assert_int_equal(svc_plan_head(&(struct svc_head_in){s, four, "team"}, h),
				 cases[i].verdict);
	}
}

static void the_patch(void **state)
{
	AUTO(api_service_free) struct api_service *s = app2("\"ports\":[{\"port\":44}]");
	AUTO(api_service_free) struct api_service *h = head(NULL, NULL);
	AUTO(free) char *text = svc_plan_head_patch(&(struct svc_head_in){s, four, NULL}, h);

	(void)state;
	assert_string_equal(
		text,
		"{\"metadata\":{\"uid\":\"9\",\"resourceVersion\":\"7\",\"labels\":{"
		"\"tandem-cni.io/service\":\"app2\",\"app.kubernetes.io/managed-by\":"
		"\"tandem-controller\"}},\"spec\":{\"selector\":null,\"ipFamilyPolicy\":"
		"\"SingleStack\",\"ipFamilies\":[\"IPv4\"],\"publishNotReadyAddresses\":false,"
		"\"ports\":[{\"protocol\":\"TCP\",\"port\":44}]}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorted_and_ready),
		cmocka_unit_test(published_though_not_ready),
		cmocka_unit_test(named_ports_differ),
		cmocka_unit_test(no_ports_at_all),
		cmocka_unit_test(own_names),
		cmocka_unit_test(families),
		cmocka_unit_test(both_addresses_of_a_card),
		cmocka_unit_test(the_service_itself),
		cmocka_unit_test(what_is_done_about_it),
		cmocka_unit_test(the_patch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
