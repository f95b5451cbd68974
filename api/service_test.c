/* SPDX-License-Identifier: Apache-2.0 */
#include "api/service.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/labels.h"
#include "lib/base/str.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"

static int try(const char *meta, const char *spec, struct api_service **out)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;
	char text[4096];

	snprintf(
		text, sizeof(text),
		"{\"metadata\":{\"name\":\"s\",\"namespace\":\"d\",\"uid\":\"u\"%s},\"spec\":{%s}}",
		meta, spec);
	assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	return api_service_decode(&root, out, &e);
}

static struct api_service *decode(const char *meta, const char *spec)
{
	struct api_service *s = NULL;

	assert_int_equal(try(meta, spec, &s), 0);
	return s;
}

static void fields(void **state)
{
	AUTO(api_service_free)
	struct api_service *s = decode(
		",\"annotations\":{\"tandem-cni.io/macvlan-service\":\"disabled\"}",
		"\"selector\":{\"app\":\"a\"},\"clusterIP\":\"None\","
		"\"publishNotReadyAddresses\":true,\"ipFamilyPolicy\":\"RequireDualStack\","
		"\"ipFamilies\":[\"IPv6\",\"IPv4\"],\"ports\":[{\"name\":\"web\",\"port\":80,"
		"\"targetPort\":\"http\",\"appProtocol\":\"h2c\"},{\"name\":\"dns\","
		"\"protocol\":\"UDP\",\"port\":53,\"targetPort\":5353}]");

	(void)state;
	assert_string_equal(api_labels_get(s->selector, "app"), "a");
	assert_true(s->headless && s->publish_not_ready && s->disabled && !s->external_name);
	assert_int_equal(s->families[0], AF_INET6);
	assert_int_equal(s->families[1], AF_INET);
	assert_string_equal(s->family_policy, "RequireDualStack");
	assert_int_equal(s->n_ports, 2);
	assert_string_equal(s->ports[0].target, "http");
	assert_string_equal(s->ports[0].protocol, "TCP");
	assert_string_equal(s->ports[0].app_protocol, "h2c");
	assert_string_equal(s->ports[1].target, "5353");
	assert_null(s->made_for);
	assert_null(s->owner);
}

static void ours_by_label_and_owner(void **state)
{
	AUTO(api_service_free)
	struct api_service *s = decode(
		",\"labels\":{\"tandem-cni.io/service\":\"app2\"},\"ownerReferences\":[{\"kind\":\"X\","
		"\"name\":\"x\",\"uid\":\"1\"},{\"kind\":\"Service\",\"name\":\"app2\",\"uid\":\"2\"}]",
		"\"type\":\"ExternalName\"");

	(void)state;
	assert_string_equal(s->made_for, "app2");
	assert_string_equal(s->owner, "app2");
	assert_string_equal(s->owner_uid, "2");
	assert_true(s->external_name && !s->headless && !s->disabled && !s->selector);
}

static void ports_compared(void **state)
{
	AUTO(api_service_free)
	struct api_service *bare = decode("", "\"ports\":[{\"port\":43}]");
	AUTO(api_service_free)
	struct api_service *filled = decode("", "\"ports\":[{\"protocol\":\"TCP\",\"port\":43,"
						"\"targetPort\":43,\"nodePort\":30043}]");
	AUTO(api_service_free)
	struct api_service *other = decode("", "\"ports\":[{\"port\":43,\"targetPort\":44}]");
	AUTO(api_service_free) struct api_service *none = decode("", "");

	(void)state;
	assert_true(api_service_ports_eq(bare, filled));
	assert_false(api_service_ports_eq(bare, other));
	assert_false(api_service_ports_eq(bare, none));
}

static void refused(void **state)
{
	struct api_service *s = NULL;

	(void)state;
	assert_int_equal(try("", "\"ports\":[{\"port\":70000}]", &s), -1);
	assert_int_equal(try("", "\"ports\":[{}]", &s), -1);
	assert_int_equal(try("", "\"ports\":7", &s), -1);
	assert_int_equal(try("", "\"selector\":{\"a\":[]}", &s), -1);
	assert_null(s);
}

static void names(void **state)
{
	char a[API_SERVICE_NAME_MAX], b[API_SERVICE_NAME_MAX];
	const char *fits = "a23456789-123456789-123456789-123456789-123456789-12345";
	const char *over = "a23456789-123456789-123456789-123456789-123456789-123456";
	const char *sibling = "a23456789-123456789-123456789-123456789-123456789-123457";

	(void)state;
	assert_string_equal(api_service_head_name("app2", a), "app2-macvlan");
	assert_int_equal(strlen(api_service_head_name(fits, a)), 63);
	assert_true(str_starts(a, fits));
	assert_int_equal(strlen(api_service_head_name(over, a)), 63);
	assert_true(str_starts(a, "a23456789-123456789-123456789-12345678-"));
	assert_true(str_ends(a, "-macvlan"));
	/* The same name always gives the same, another one another. */
	assert_string_equal(api_service_head_name(over, b), a);
	assert_string_not_equal(api_service_head_name(sibling, b), a);
	assert_string_equal(
		api_service_head_name(
			"a23456789-123456789-123456789-123456789-123456789-123456789-123", a),
		"a23456789-123456789-123456789-12345678-0c1318b58862519f-macvlan");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),         cmocka_unit_test(ours_by_label_and_owner),
		cmocka_unit_test(ports_compared), cmocka_unit_test(refused),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
