/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/settings.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"

static const struct {
	enum settings_key key;
	const char *value, *is; /* canonical, NULL = none, or what the error says */
} values[] = {
	{SETTINGS_CLUSTER_CIDR, "10.42.0.0/16, fd00:42::/56", "10.42.0.0/16,fd00:42::/56"},
	{SETTINGS_CLUSTER_CIDR, " ", NULL},
	{SETTINGS_CLUSTER_CIDR, "10.42.0.0", "clusterCIDR: \"10.42.0.0\" is not a CIDR"},
	{SETTINGS_SERVICE_CIDR, "10.43.0.1/16", "10.43.0.0/16"},
	{SETTINGS_SERVICE_CIDR, "10.43.0.0/16,",
	 "serviceCIDR: nothing stands behind the last comma"},
	{SETTINGS_VIA_PRIMARY, "x", "viaPrimary: \"x\" is not a CIDR"},
	{SETTINGS_CLUSTER_DNS, "10.43.0.10 , fd00:0::A", "10.43.0.10,fd00::a"},
	{SETTINGS_CLUSTER_DNS, "10.43.0.10/32", "clusterDNS: \"10.43.0.10/32\" is not an address"},
	{SETTINGS_LOG_LEVEL, "debug", "debug"},
	{SETTINGS_LOG_LEVEL, "loud", "logLevel: \"loud\" must be error, warn, info or debug"},
	{SETTINGS_DEADLINE, "25", "25"},
	{SETTINGS_DEADLINE, "0", "deadlineSeconds: \"0\" must be from 1 to 29"},
	{SETTINGS_DEADLINE, "30", "deadlineSeconds: \"30\" must be from 1 to 29"},
	{SETTINGS_DEADLINE, "25s", "deadlineSeconds: \"25s\" must be from 1 to 29"},
};

static void a_value_is_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		AUTO(free) char *out = NULL;
		struct err e = {0};

		if (settings_check(values[i].key, values[i].value, &out, &e) < 0)
			assert_string_equal(e.msg, values[i].is);
		else if (values[i].is)
			assert_string_equal(out, values[i].is);
		else
			assert_null(out);
	}
}

static struct settings_map *map_of(const char *data)
{
	AUTO(free)
	char *text = xasprintf("{\"metadata\":{\"name\":\"m\",\"namespace\":\"kube-system\","
			       "\"uid\":\"u\",\"resourceVersion\":\"7\"},\"data\":%s}",
			       data);
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;
	void *out = NULL;

	assert_int_equal(jdoc_parse("test", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(settings_map_decode(NULL, &root, &out, &e), 0);
	return out;
}

/* Found: pods 10.42.0.0/16, Services 10.43.0.0/16. */
static const struct {
	const char *settings; /* NULL = no such ConfigMap */
	const char *cluster, *service, *level;
	const char *complaints; /* one behind the other, with bars */
} merges[] = {
	{NULL, "10.42.0.0/16", "10.43.0.0/16", NULL, ""},
	{"null", "10.42.0.0/16", "10.43.0.0/16", NULL, ""},
	{"{\"clusterCIDR\":\"10.0.0.0/9\"}", "10.0.0.0/9", "10.43.0.0/16", NULL, ""},
	{"{\"clusterCIDR\":\"\"}", "10.42.0.0/16", "10.43.0.0/16", NULL, ""},
	{"{\"clusterCIDR\":\"10.0.0.0/40\",\"logLevel\":\"warn\"}", "10.42.0.0/16", "10.43.0.0/16",
	 "warn", "clusterCIDR: \"10.0.0.0/40\" is not a CIDR|"},
	{"{\"serviceCIDR\":\"a\",\"logLevel\":\"b\",\"ClusterCIDR\":\"10.0.0.0/9\"}",
	 "10.42.0.0/16", "10.43.0.0/16", NULL,
	 "serviceCIDR: \"a\" is not a CIDR|logLevel: \"b\" must be error, warn, info or debug|"
	 "ClusterCIDR: is no setting|"},
	{"{\"uninstall\":\"true\"}", "10.42.0.0/16", "10.43.0.0/16", NULL,
	 "uninstall: is no setting|"},
};

static void a_setting_wins_unless_it_is_bad(void **state)
{
	struct settings_values found = {
		{[SETTINGS_CLUSTER_CIDR] = (char *)"10.42.0.0/16",
		 [SETTINGS_SERVICE_CIDR] = (char *)"10.43.0.0/16"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(merges); i++) {
		AUTO(settings_values_done) struct settings_values out = {0};
		struct settings_map *settings = merges[i].settings ? map_of(merges[i].settings)
								   : NULL;
		struct settings_complaints why;
		AUTO(sb_done) struct sb text = SB_INIT;

		settings_merge(&found, settings, &out, &why);
		for (int j = 0; j < why.n; j++)
			sb_printf(&text, "%s|", why.text[j]);
		assert_string_equal(sb_get(&text), merges[i].complaints);
		assert_string_equal(out.v[SETTINGS_CLUSTER_CIDR], merges[i].cluster);
		assert_string_equal(out.v[SETTINGS_SERVICE_CIDR], merges[i].service);
		if (merges[i].level)
			assert_string_equal(out.v[SETTINGS_LOG_LEVEL], merges[i].level);
		else
			assert_null(out.v[SETTINGS_LOG_LEVEL]);
		assert_null(out.v[SETTINGS_CLUSTER_DNS]);
		settings_map_free(settings);
	}
}

#define CONDITION "{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\"},\"data\":"

static const struct {
	const char *there; /* NULL = no such ConfigMap */
	const char *sent;  /* NULL = nothing */
} writes[] = {
	{NULL,
	 "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"tandem-cluster\","
	 "\"namespace\":\"kube-system\",\"labels\":{\"app.kubernetes.io/name\":\"tandem\"}},"
	 "\"data\":{\"serviceCIDR\":\"10.43.0.0/16\"}}"},
	{"{\"serviceCIDR\":\"10.43.0.0/16\"}", NULL},
	{"{\"serviceCIDR\":\"10.43.0.0/16\",\"uninstall\":\"true\"}", NULL},
	{"null", CONDITION "{\"serviceCIDR\":\"10.43.0.0/16\"}}"},
	{"{\"serviceCIDR\":\"10.44.0.0/16\",\"logLevel\":\"debug\"}",
	 CONDITION "{\"serviceCIDR\":\"10.43.0.0/16\",\"logLevel\":null}}"},
	{"{\"serviceCIDR\":\"10.43.0.0/16\",\"more\":\"x\"}",
	 CONDITION "{\"serviceCIDR\":\"10.43.0.0/16\",\"more\":null}}"},
	{"{\"serviceCIDR\":\"10.43.0.0/16\",\"uninstall\":\"no\"}",
	 CONDITION "{\"serviceCIDR\":\"10.43.0.0/16\",\"uninstall\":null}}"},
};

static void only_what_differs_is_written(void **state)
{
	struct settings_values want = {{[SETTINGS_SERVICE_CIDR] = (char *)"10.43.0.0/16"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
		struct settings_map *there = writes[i].there ? map_of(writes[i].there) : NULL;
		AUTO(free) char *text = settings_map_text(&want, there, "kube-system");

		if (writes[i].sent)
			assert_string_equal(text, writes[i].sent);
		else
			assert_null(text);
		settings_map_free(there);
	}
}

static const struct {
	const char *text, *nets;
} refusals[] = {
	/* 1.20, 1.24, IPv6 */
	{"Service \"x\" is invalid: spec.clusterIPs: Invalid value: []string{\"192.0.2.1\"}: failed to "
	 "allocated ip:192.0.2.1 with error:provided IP is not in the valid range. The range of valid "
	 "IPs is 10.43.0.0/16",
	 "10.43.0.0/16"},
	{"Service \"x\" is invalid: spec.clusterIPs: Invalid value: [\"192.0.2.1\"]: failed to allocate "
	 "IP 192.0.2.1: the provided IP (192.0.2.1) is not in the valid range. The range of valid IPs "
	 "is 10.96.0.0/12",
	 "10.96.0.0/12"},
	{"The range of valid IPs is fd00:43::/112.", "fd00:43::/112"},
	{"The range of valid IPs is 10.43.0.0/16, or so", "10.43.0.0/16"},
	{"The range of valid IPs is 10.43.0.0", ""},
	{"The range of valid IPs is ", ""},
	{"the provided network does not match the current range", ""},
	{"", ""},
};

static void a_refusal_names_the_networks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		AUTO(ipam_nets_done) struct ipam_nets l = IPAM_NETS_INIT;
		AUTO(free) char *text = NULL;

		assert_int_equal(settings_read_refusal(refusals[i].text, &l),
				 *refusals[i].nets != 0);
		text = ipam_nets_text(&l);
		assert_string_equal(text, refusals[i].nets);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_checked),
		cmocka_unit_test(a_setting_wins_unless_it_is_bad),
		cmocka_unit_test(only_what_differs_is_written),
		cmocka_unit_test(a_refusal_names_the_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
