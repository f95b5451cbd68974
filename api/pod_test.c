/* SPDX-License-Identifier: Apache-2.0 */
#include "api/pod.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"

static struct api_pod *decode(const char *meta, const char *spec, const char *status)
{
	struct api_pod *p = NULL;
	struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;
	char text[4096];

	snprintf(text, sizeof(text),
		 "{\"metadata\":{\"name\":\"p\",\"namespace\":\"d\",\"uid\":\"u\"%s},\"spec\":{%s},"
		 "\"status\":{%s}}",
		 meta, spec, status);
	assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(api_pod_decode(&root, false, &p, &e), 0);
	jdoc_free(doc);
	return p;
}

static void what_the_controller_reads(void **state)
{
	struct api_pod *p = decode(
		",\"annotations\":{\"tandem-cni.io/subnet\":\"v\",\"tandem-cni.io/mac\":\"auto\"},"
		"\"deletionGracePeriodSeconds\":30,"
		"\"ownerReferences\":[{\"kind\":\"X\",\"name\":\"x\",\"uid\":\"1\"},{\"apiVersion\":\"apps/v1\",\"kind\":"
		"\"StatefulSet\",\"name\":\"db\",\"uid\":\"2\",\"controller\":true}]",
		"\"nodeName\":\"n1\",\"hostNetwork\":true,\"containers\":[{}]",
		"\"phase\":\"Failed\",\"podIP\":\"10.42.0.9\"");

	(void)state;
	assert_true(api_pod_is_annotated(p));
	assert_true(api_pod_is_over(p));
	assert_string_equal(p->annotations.request.subnet, "v");
	assert_string_equal(api_annotations_text(&p->annotations, API_ASKED_SUBNET), "v");
	assert_null(p->annotations.text[API_ASKED_IP]);
	assert_string_equal(p->node, "n1");
	assert_true(api_pod_is_stateful(p));
	assert_string_equal(p->owner.name, "db");
	assert_int_equal(p->deletion_grace_s, 30);
	assert_true(p->host_network && p->has_ip && !p->is_static && !p->all_terminated);
	api_pod_free(p);
}

/* What is wrong with them is kept with the pod, as is what stands there. */
static void malformed_annotations_say_why(void **state)
{
	AUTO(api_pod_free)
	struct api_pod *p = decode(",\"annotations\":{\"tandem-cni.io/subnet\":\"v\","
				   "\"tandem-cni.io/interface\":\"net1\"}",
				   "", "");
	const struct api_request *r = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(api_annotations_request(&p->annotations, &r, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.msg,
			    "annotation tandem-cni.io/interface: \"net1\": must be eth1 or eth0");
	assert_null(r);
	assert_false(p->annotations.request.wanted);
	assert_string_equal(api_annotations_text(&p->annotations, API_ASKED_INTERFACE), "net1");
	assert_string_equal(api_annotations_text(&p->annotations, API_ASKED_IP), "");
}

static void mirrors_are_static(void **state)
{
	struct api_pod *p =
		decode(",\"annotations\":{\"kubernetes.io/config.mirror\":\"x\"}", "", "");

	(void)state;
	assert_true(p->is_static);
	api_pod_free(p);
	p = decode(",\"annotations\":{\"kubernetes.io/config.source\":\"file\"}", "", "");
	assert_true(p->is_static);
	api_pod_free(p);
}

#define TERM \
	"{\"state\":{\"terminated\":{\"exitCode\":0,\"startedAt\":\"2026-01-01T00:00:00Z\",\"finishedAt\":\"2026-01-01T00:00:05Z\"}}}"
#define NEVER "{\"state\":{\"terminated\":{\"exitCode\":0,\"startedAt\":null,\"finishedAt\":null}}}"
#define RUN   "{\"state\":{\"running\":{\"startedAt\":\"2026-01-01T00:00:00Z\"}}}"
#define WAIT  "{\"state\":{\"waiting\":{\"reason\":\"ContainerCreating\"}}}"
#define LOST \
	"{\"state\":{\"waiting\":{\"reason\":\"ContainerCreating\"}},\"lastState\":{\"terminated\":{\"exitCode\":137,\"reason\":\"ContainerStatusUnknown\",\"startedAt\":null,\"finishedAt\":null}}}"
#define LOOP \
	"{\"state\":{\"waiting\":{}},\"lastState\":{\"terminated\":{\"startedAt\":\"2026-01-01T00:00:00Z\"}}}"

static void containers_that_have_ended(void **state)
{
	static const struct {
		const char *status;
		bool all_terminated, any_running;
	} rows[] = {
		{"", false, false},
		{"\"containerStatuses\":[" TERM "]", false, false}, /* one of two */
		{"\"containerStatuses\":[" TERM "," TERM "]", true, false},
		{"\"containerStatuses\":[" TERM "," RUN "]", false, true},
		{"\"containerStatuses\":[" TERM "," WAIT "]", false, false},
		{"\"containerStatuses\":[" LOST "," LOST "]", true, false},
		{"\"containerStatuses\":[" LOST "," TERM "]", true, false},
		{"\"containerStatuses\":[" LOST "," RUN "]", false, true},
		{"\"containerStatuses\":[" NEVER "," NEVER "]", true, false},
		{"\"containerStatuses\":[" WAIT "," WAIT "]", false, false},
		{"\"containerStatuses\":[" LOOP "," WAIT "]", false, false},
		{"\"containerStatuses\":[" TERM "," TERM "],\"initContainerStatuses\":[" RUN "]",
		 false, true},
		{"\"containerStatuses\":[" NEVER "," NEVER "],\"initContainerStatuses\":[" WAIT "]",
		 true, false},
		{"\"containerStatuses\":[" TERM "," TERM "],\"ephemeralContainerStatuses\":[" RUN
		 "]",
		 false, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct api_pod *p = decode("", "\"containers\":[{},{}]", rows[i].status);

		assert_int_equal(p->all_terminated, rows[i].all_terminated);
		assert_int_equal(p->any_running, rows[i].any_running);
		api_pod_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_controller_reads),
		cmocka_unit_test(malformed_annotations_say_why),
		cmocka_unit_test(mirrors_are_static),
		cmocka_unit_test(containers_that_have_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
