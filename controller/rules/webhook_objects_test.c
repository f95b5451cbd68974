/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <string.h>

#include "controller/rules/webhook_objects.h"
#include "controller/rules/webhook_options.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

typedef int decode_fn(void *ctx, const struct jval *obj, void **out, struct err *e);

static void *decoded(decode_fn *decode, const char *text)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;
	void *out = NULL;

	if (jdoc_parse("test", text, strlen(text), &doc, &e) < 0)
		fail_msg("%s", e.msg);
	root = jdoc_root(doc);
	if (decode(NULL, &root, &out, &e) < 0)
		fail_msg("%s", e.msg);
	return out;
}

static void test_secret(void **state)
{
	struct webhook_secret s = {(char *)"c", (char *)"k", (char *)"a", (char *)"b"};
	struct webhook_secret_obj over = {(char *)"u", (char *)"7", {0}};
	AUTO(free) char *new = webhook_secret_text("kube-system", &s, NULL);
	AUTO(free) char *patch = webhook_secret_text("kube-system", &s, &over);
	struct webhook_secret_obj *o;

	(void)state;
	assert_string_equal(
		new,
		"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"kubernetes.io/tls\","
		"\"metadata\":{\"name\":\"tandem-webhook-cert\",\"namespace\":\"kube-system\","
		"\"labels\":{\"app.kubernetes.io/name\":\"tandem\"}},\"data\":{\"tls.crt\":\"Yw==\","
		"\"tls.key\":\"aw==\",\"ca.crt\":\"YQ==\",\"ca.key\":\"Yg==\"}}");
	assert_string_equal(patch,
			    "{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\"},\"data\":{"
			    "\"tls.crt\":\"Yw==\",\"tls.key\":\"aw==\",\"ca.crt\":\"YQ==\","
			    "\"ca.key\":\"Yg==\"}}");
	o = decoded(
		webhook_secret_decode,
		"{\"metadata\":{\"name\":\"n\",\"uid\":\"u\",\"resourceVersion\":\"3\"},\"data\":{"
		"\"tls.crt\":\"Yw==\",\"tls.key\":\"!\",\"ca.crt\":1}}");
	assert_string_equal(o->version, "3");
	assert_string_equal(o->secret.cert, "c");
	assert_string_equal(o->secret.key, "");
	assert_string_equal(o->secret.authorities, "");
	assert_string_equal(o->secret.authority_key, "");
	webhook_secret_free(o);
}

#define SUBNETS(client)                                                                                     \
	"{\"name\":\"subnets.tandem-cni.io\",\"rules\":[{\"apiGroups\":[\"tandem-cni.io\"],"                \
	"\"apiVersions\":[\"v1\"],\"resources\":[\"macvlansubnets\"],\"operations\":[\"CREATE\","           \
	"\"UPDATE\",\"DELETE\"],\"scope\":\"Namespaced\"}],\"clientConfig\":{\"caBundle\":\"Y2E=\"," client \
	"},\"failurePolicy\":\"Fail\",\"matchPolicy\":\"Equivalent\",\"sideEffects\":\"None\","             \
	"\"timeoutSeconds\":5,\"admissionReviewVersions\":[\"v1\"]}"

#define LAST                                                                                    \
	"\"failurePolicy\":\"Ignore\",\"matchPolicy\":\"Equivalent\",\"sideEffects\":\"None\"," \
	"\"timeoutSeconds\":2,\"admissionReviewVersions\":[\"v1\"]}]"

static void test_configuration(void **state)
{
	static const char by_service[] = SUBNETS(
		"\"service\":{\"namespace\":\"kube-system\",\"name\":\"s\",\"path\":\"/admit\",\"port\":443}");
	static const char by_url[] = SUBNETS("\"url\":\"https://a:1/admit\"");
	struct webhook_target to = {"kube-system", "s", NULL},
			      url = {"kube-system", "s", "https://a:1"};
	struct webhook_conf_obj over = {(char *)"u", (char *)"7", 1, NULL};
	AUTO(free)
	char *one = webhook_conf_webhooks(&to, "ca"), *two = webhook_conf_webhooks(&url, "ca");
	AUTO(free)
	char *patch = webhook_conf_text("[]", &over), *full = webhook_conf_text(one, NULL);
	struct webhook_conf_obj *o;

	(void)state;
	assert_int_equal(strncmp(one + 1, by_service, strlen(by_service)), 0);
	assert_int_equal(strncmp(two + 1, by_url, strlen(by_url)), 0);
	/* A rule for each group of the kinds in api/workload. */
	assert_non_null(strstr(
		one, "\"name\":\"workloads.tandem-cni.io\",\"rules\":[{\"apiGroups\":[\"apps\"],"
		     "\"apiVersions\":[\"v1\"],\"resources\":[\"deployments\","
		     "\"statefulsets\",\"daemonsets\"],\"operations\":[\"CREATE\","
		     "\"UPDATE\"],\"scope\":\"Namespaced\"},{\"apiGroups\":[\"batch\"],"
		     "\"apiVersions\":[\"v1\",\"v1beta1\"],\"resources\":[\"jobs\","
		     "\"cronjobs\"],\"operations\":[\"CREATE\",\"UPDATE\"],"
		     "\"scope\":\"Namespaced\"}],"));
	/* Everybody but the system namespace, also where namespaces do not bear their names. */
	assert_non_null(strstr(one,
			       "\"failurePolicy\":\"Ignore\",\"matchPolicy\":\"Equivalent\","
			       "\"sideEffects\":\"None\",\"timeoutSeconds\":2,"
			       "\"admissionReviewVersions\":[\"v1\"],\"namespaceSelector\":{"
			       "\"matchExpressions\":[{\"key\":\"kubernetes.io/metadata.name\","
			       "\"operator\":\"NotIn\",\"values\":[\"kube-system\"]}]}}"));
	/* What nodes report, in every namespace, and without an answer it is written all the same. */
	assert_non_null(strstr(one,
			       ",{\"name\":\"status.tandem-cni.io\",\"rules\":[{\"apiGroups\":["
			       "\"tandem-cni.io\"],\"apiVersions\":[\"v1\"],\"resources\":["
			       "\"macvlanips/status\"],\"operations\":[\"UPDATE\"],"
			       "\"scope\":\"Namespaced\"}],\"clientConfig\":{"));
	assert_string_equal(one + strlen(one) - strlen(LAST), LAST);
	/* What would have us wait for ourselves. */
	assert_null(strstr(one, "\"macvlanips\""));
	assert_null(strstr(one, "macvlansubnets/status"));
	assert_string_equal(patch, "{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\"},"
				   "\"webhooks\":[]}");
	full[strlen(full) - 1] = '\0';
	AUTO(free)
	char *stored =
		xasprintf("{\"metadata\":{\"name\":\"n\",\"uid\":\"u\",\"resourceVersion\":\"3\","
			  "\"generation\":4},%s}",
			  strstr(full, "\"webhooks\""));
	o = decoded(webhook_conf_decode, stored);
	assert_int_equal(o->generation, 4);
	assert_string_equal(o->trusted, "ca");
	webhook_conf_free(o);
	o = decoded(webhook_conf_decode,
		    "{\"metadata\":{\"name\":\"n\",\"uid\":\"u\"},\"webhooks\":[1,{}]}");
	assert_string_equal(o->trusted, "");
	webhook_conf_free(o);
}

static void test_options(void **state)
{
	static const char *const bad[] = {"http://a",     "https://",
					  "https://a/x",  "https://a:",
					  "https://a:0",  "https://a:70000",
					  "https://u@a",  "https://[1.2.3.4]",
					  "https://[::1", "a"};
	static const struct {
		const char *url, *name;
	} good[] = {{"https://a.example:9443", "a.example"},
		    {"https://10.0.0.1", "10.0.0.1"},
		    {"https://[fd00::1]:1", "fd00::1"}};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct webhook_options o = webhook_options_defaults();

		o.url = bad[i];
		assert_int_equal(webhook_options_check(&o, false, &e), -1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		AUTO(webhook_names_done) struct webhook_names names = {0};
		struct webhook_options o = webhook_options_defaults();

		o.url = good[i].url;
		assert_int_equal(webhook_options_check(&o, false, &e), 0);
		assert_true(webhook_options_is_on(&o));
		assert_string_equal(o.bind, ":9443");
		webhook_options_names(&o, "kube-system", &names);
		assert_int_equal(names.n, 3);
		assert_string_equal(names.name[0], "tandem-controller-webhook.kube-system.svc");
		assert_string_equal(names.name[2], good[i].name);
	}
}

/* On in a pod, where a Service leads to it; elsewhere only on demand. */
static void test_on_or_off(void **state)
{
	static const struct {
		const char *bind, *service;
		bool in_cluster, on;
	} rows[] = {
		{NULL, NULL, true, true}, {NULL, NULL, false, false}, {NULL, "s", false, true},
		{"0", NULL, true, false}, {"", NULL, true, false},    {":1", NULL, false, true},
	};
	struct webhook_options o;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		o = webhook_options_defaults();
		o.bind = rows[i].bind;
		o.service = rows[i].service;
		assert_int_equal(webhook_options_check(&o, rows[i].in_cluster, &e), 0);
		assert_int_equal(webhook_options_is_on(&o), rows[i].on);
	}
	o = webhook_options_defaults();
	o.authority_ms = o.cert_ms;
	assert_int_equal(webhook_options_check(&o, true, &e), -1);
	o = webhook_options_defaults();
	o.cert_ms = 4000;
	assert_int_equal(webhook_options_check(&o, true, &e), -1);
	o = webhook_options_defaults();
	o.service = "No_Name";
	assert_int_equal(webhook_options_check(&o, true, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_on_or_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
