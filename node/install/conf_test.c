/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/cni/conf.h"
#include "lib/json/jread.h"
#include "node/install/conf.h"

#define HEAD                                                                                   \
	"{\"cniVersion\":\"0.4.0\",\"cniVersions\":[\"0.4.0\",\"1.0.0\",\"1.1.0\"],\"name\":"  \
	"\"cbr0\",\"plugins\":[{\"type\":\"tandem\",\"capabilities\":{"                        \
	"\"io.kubernetes.cri.pod-annotations\":true,\"portMappings\":true,\"bandwidth\":true," \
	"\"dns\":true,\"ipRanges\":true,\"ips\":true,\"mac\":true,\"aliases\":true,"           \
	"\"cgroupPath\":true,\"infinibandGUID\":true,\"deviceID\":true},\"delegateFile\":\"/c/a.conf\""

static void only_what_is_known_is_in_it(void **state)
{
	AUTO(orders_done) struct orders orders = {0};
	struct conf_keys keys = {
		.network = "cbr0", .delegate_file = "/c/a.conf", .orders = &orders};
	AUTO(free) char *least = conf_render(&keys);
	AUTO(free) char *all = NULL;

	(void)state;
	assert_string_equal(least, HEAD "}]}\n");
	assert_int_equal(orders_set(&orders, ORDERS_CLUSTER_CIDR, "10.42.0.0/16,fd00::/48"), 0);
	assert_int_equal(orders_set(&orders, ORDERS_VIA_PRIMARY, "10.9.0.1"), 0);
	assert_int_equal(orders_set(&orders, ORDERS_LOG_LEVEL, "warn"), 0);
	assert_int_equal(orders_set(&orders, ORDERS_DEADLINE, "29"), 0);
	keys.socket = "/s";
	keys.kubeconfig = "/k";
	keys.system_ns = "net";
	keys.state_dir = "/d";
	all = conf_render(&keys);
	assert_string_equal(
		all, HEAD
		",\"socket\":\"/s\",\"kubeconfig\":\"/k\",\"systemNamespace\":\"net\",\"stateDir\":\"/d\","
		"\"clusterCIDR\":\"10.42.0.0/16,fd00::/48\",\"viaPrimary\":\"10.9.0.1\","
		"\"logLevel\":\"warn\",\"deadlineSeconds\":29}]}\n");
}

static void what_was_written_is_read_again(void **state)
{
	AUTO(orders_done) struct orders orders = {0};
	AUTO(conf_read_done) struct conf_read r = {0};
	const struct conf_keys keys = {
		.network = "cbr0", .delegate_file = "/c/a.conf", .orders = &orders};
	AUTO(free) char *text = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(orders_set(&orders, ORDERS_SERVICE_CIDR, "10.43.0.0/16"), 0);
	assert_int_equal(orders_set(&orders, ORDERS_DEADLINE, "7"), 0);
	text = conf_render(&keys);
	assert_int_equal(conf_parse("x", text, strlen(text), &r, &e), 0);
	assert_string_equal(r.network, "cbr0");
	assert_string_equal(r.delegate_file, "/c/a.conf");
	assert_null(r.orders.v[ORDERS_CLUSTER_CIDR]);
	assert_string_equal(r.orders.v[ORDERS_SERVICE_CIDR], "10.43.0.0/16");
	assert_string_equal(r.orders.v[ORDERS_DEADLINE], "7");
}

static void others_confs_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"{\"name\":\"a\"}",
		"{\"name\":\"a\",\"plugins\":[{\"type\":\"bridge\"}]}",
		"{\"name\":\"../a\",\"plugins\":[{\"type\":\"tandem\"}]}",
		"{\"name\":\"a\",\"plugins\":[{\"type\":\"tandem\",\"delegateFile\":1}]}",
	};
	struct conf_read r;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(conf_parse("x", bad[i], strlen(bad[i]), &r, &e), -1);
}

static void read_configmap(const char *text, struct orders *f)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	assert_int_equal(jdoc_parse("x", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(orders_read(&root, f, &e), 0);
}

static void the_configmap(void **state)
{
	AUTO(orders_done) struct orders f = {0};

	(void)state;
	read_configmap("{\"data\":{\"clusterCIDR\":\"10.42.0.0/16, fd00::/48\",\"serviceCIDR\":"
		       "\"10.43.0.0/16\",\"logLevel\":\"debug\",\"deadlineSeconds\":\"3\","
		       "\"uninstall\":\"true\"}}",
		       &f);
	assert_string_equal(f.v[ORDERS_CLUSTER_CIDR], "10.42.0.0/16, fd00::/48");
	assert_string_equal(f.v[ORDERS_DEADLINE], "3");
	assert_true(f.uninstall);
	/* What cannot be used keeps what was known; what is not named goes. */
	read_configmap("{\"data\":{\"clusterCIDR\":\"10.42.0.0\\u002f99\",\"logLevel\":\"loud\","
		       "\"deadlineSeconds\":\"30\",\"uninstall\":\"yes\",\"more\":\"\"}}",
		       &f);
	assert_string_equal(f.v[ORDERS_CLUSTER_CIDR], "10.42.0.0/16, fd00::/48");
	assert_string_equal(f.v[ORDERS_LOG_LEVEL], "debug");
	assert_string_equal(f.v[ORDERS_DEADLINE], "3");
	assert_null(f.v[ORDERS_SERVICE_CIDR]);
	assert_false(f.uninstall);
	read_configmap("{}", &f);
	for (size_t i = 0; i < ORDERS_KEYS; i++)
		assert_null(f.v[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_known_is_in_it),
		cmocka_unit_test(what_was_written_is_read_again),
		cmocka_unit_test(others_confs_are_refused),
		cmocka_unit_test(the_configmap),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
