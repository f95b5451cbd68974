/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cni/conf.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"

#define HEAD     "\"cniVersion\":\"1.0.0\",\"name\":\"cbr0\",\"type\":\"tandem\""
#define FILE_KEY "\"delegateFile\":\"/f\""
/* A conf that is right but for what stands in it. */
#define WITH(x) "{" HEAD "," FILE_KEY "," x "}"

struct bad {
	const char *text;
	enum err_kind kind;
	const char *msg;
};

static const struct bad bads[] = {
	{"", ERR_DECODE, "stdin: empty, JSON was expected"},
	{"x", ERR_DECODE, "stdin: no JSON value at byte 0"},
	{"[]", ERR_DECODE, "stdin: must be an object"},
	{"null", ERR_DECODE, "stdin: must be an object"},
	{"{}}", ERR_DECODE, "stdin: something follows the JSON text at byte 2"},
	{"{\"name\":\"a\",\"name\":\"b\"}", ERR_DECODE,
	 "stdin: a second \"name\" in one object at byte 12"},
	{"{\"name\":\"a\xff\"}", ERR_DECODE, "stdin: bytes that are not UTF-8 at byte 10"},
	{"{}", ERR_CONFIG, "stdin: name: is missing"},
	{"{\"cniVersion\":\"\"}", ERR_CONFIG, "stdin: name: is missing"},
	{"{\"cniVersion\":\"0.0.9\"}", ERR_VERSION,
	 "stdin: cniVersion: \"0.0.9\" is not one of 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"},
	{"{\"cniVersion\":\"2.0.0\"}", ERR_VERSION,
	 "stdin: cniVersion: \"2.0.0\" is not one of 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"},
	{"{\"cniVersion\":1}", ERR_DECODE, "stdin: cniVersion: must be a string"},
	{"{\"cniVersion\":\"1.0.0\"}", ERR_CONFIG, "stdin: name: is missing"},
	{"{\"cniVersion\":\"1.0.0\",\"name\":7}", ERR_DECODE, "stdin: name: must be a string"},
	{"{\"cniVersion\":\"1.0.0\",\"name\":\"\"}", ERR_CONFIG,
	 "stdin: name: \"\" is not a network name (letters, digits, '_', '.', '-')"},
	{"{\"cniVersion\":\"1.0.0\",\"name\":\"../x\"}", ERR_CONFIG,
	 "stdin: name: \"../x\" is not a network name (letters, digits, '_', '.', '-')"},
	{"{\"cniVersion\":\"1.0.0\",\"name\":\"a\",\"type\":1}", ERR_DECODE,
	 "stdin: type: must be a string"},
	{"{" HEAD "}", ERR_CONFIG, "stdin: delegate or delegateFile is needed"},
	{"{" HEAD ",\"delegate\":null,\"delegateFile\":null}", ERR_CONFIG,
	 "stdin: delegate or delegateFile is needed"},
	{"{" HEAD ",\"delegate\":{},\"delegateFile\":\"/f\"}", ERR_CONFIG,
	 "stdin: delegate and delegateFile exclude each other"},
	{"{" HEAD ",\"delegate\":\"x\"}", ERR_CONFIG,
	 "stdin: delegate: \"x\" must be a conf, a conflist or none"},
	{"{" HEAD ",\"delegate\":[]}", ERR_DECODE, "stdin: delegate: must be an object"},
	{"{" HEAD ",\"delegateFile\":1}", ERR_DECODE, "stdin: delegateFile: must be a string"},
	{"{" HEAD ",\"delegateFile\":\"\"}", ERR_CONFIG,
	 "stdin: delegateFile: must be an absolute path"},
	{"{" HEAD ",\"delegateFile\":\"a/b\"}", ERR_CONFIG,
	 "stdin: delegateFile: must be an absolute path"},
	{"{" HEAD ",\"delegate\":{\"type\":\"tandem\"}}", ERR_CONFIG,
	 "stdin: delegate: runs \"tandem\" again"},
	{"{" HEAD
	 ",\"delegate\":{\"plugins\":[{\"type\":\"bridge\"},{\"type\":\"t\\u0061ndem\"}]}}",
	 ERR_CONFIG, "stdin: delegate: runs \"tandem\" again"},
	{WITH("\"kubeconfig\":{}"), ERR_DECODE, "stdin: kubeconfig: must be a string"},
	{WITH("\"socket\":1"), ERR_DECODE, "stdin: socket: must be a string"},
	{WITH("\"socket\":\"s\""), ERR_CONFIG, "stdin: socket: must be an absolute path"},
	{WITH("\"socket\":\"\""), ERR_CONFIG, "stdin: socket: must be an absolute path"},
	{WITH("\"servicePins\":\"s\""), ERR_CONFIG, "stdin: servicePins: must be an absolute path"},
	{WITH("\"kubeconfig\":\"k\""), ERR_CONFIG, "stdin: kubeconfig: must be an absolute path"},
	{WITH("\"clusterCIDR\":1"), ERR_DECODE, "stdin: clusterCIDR: must be a string"},
	{WITH("\"clusterCIDR\":\"10.42.0.0/33\""), ERR_CONFIG,
	 "stdin: clusterCIDR: \"10.42.0.0/33\" is not a network"},
	{WITH("\"clusterCIDR\":\"10.42.0.0/16,\""), ERR_CONFIG,
	 "stdin: clusterCIDR: \"\" is not a network"},
	{WITH("\"serviceCIDR\":\"x\""), ERR_CONFIG, "stdin: serviceCIDR: \"x\" is not a network"},
	{WITH("\"serviceCIDR\":\"010.43.0.0/16\""), ERR_CONFIG,
	 "stdin: serviceCIDR: \"010.43.0.0/16\" is not a network"},
	{WITH("\"viaPrimary\":[1]"), ERR_DECODE, "stdin: viaPrimary[0]: must be a string"},
	{WITH("\"viaPrimary\":[\"10.0.0.0/8\",\"y\"]"), ERR_CONFIG,
	 "stdin: viaPrimary[1]: \"y\" is not a network"},
	{WITH("\"viaPrimary\":{}"), ERR_DECODE, "stdin: viaPrimary: must be a string"},
	{WITH("\"systemNamespace\":\"\""), ERR_CONFIG,
	 "stdin: systemNamespace: \"\" is not a namespace"},
	{WITH("\"systemNamespace\":\"a/b\""), ERR_CONFIG,
	 "stdin: systemNamespace: \"a/b\" is not a namespace"},
	{WITH("\"systemNamespace\":\"-a\""), ERR_CONFIG,
	 "stdin: systemNamespace: \"-a\" is not a namespace"},
	{WITH("\"systemNamespace\":[]"), ERR_DECODE, "stdin: systemNamespace: must be a string"},
	{WITH("\"legacyAnnotations\":\"on\""), ERR_CONFIG,
	 "stdin: legacyAnnotations: must be off or read"},
	{WITH("\"legacyAnnotations\":true"), ERR_DECODE,
	 "stdin: legacyAnnotations: must be a string"},
	{WITH("\"stateDir\":\"state\""), ERR_CONFIG, "stdin: stateDir: must be an absolute path"},
	{WITH("\"stateDir\":false"), ERR_DECODE, "stdin: stateDir: must be a string"},
	{WITH("\"deadlineSeconds\":0"), ERR_CONFIG, "stdin: deadlineSeconds: must be from 1 to 29"},
	{WITH("\"deadlineSeconds\":30"), ERR_CONFIG,
	 "stdin: deadlineSeconds: must be from 1 to 29"},
	{WITH("\"deadlineSeconds\":-1"), ERR_CONFIG,
	 "stdin: deadlineSeconds: must be from 1 to 29"},
	{WITH("\"deadlineSeconds\":\"25\""), ERR_DECODE, NULL},
	{WITH("\"deadlineSeconds\":2.5"), ERR_DECODE, NULL},
	{WITH("\"runtimeConfig\":[]"), ERR_DECODE, "stdin: runtimeConfig: must be an object"},
	{WITH("\"runtimeConfig\":{\"dns\":1}"), ERR_DECODE,
	 "stdin: runtimeConfig.dns: must be an object"},
	{WITH("\"runtimeConfig\":{\"dns\":{\"servers\":\"x\"}}"), ERR_DECODE,
	 "stdin: runtimeConfig.dns.servers: must be an array"},
	{WITH("\"runtimeConfig\":{\"io.kubernetes.cri.pod-annotations\":\"x\"}"), ERR_DECODE,
	 "stdin: runtimeConfig[\"io.kubernetes.cri.pod-annotations\"]: must be an object"},
	{WITH("\"prevResult\":\"x\""), ERR_DECODE, "stdin: prevResult: must be an object"},
	{WITH("\"cni.dev/valid-attachments\":{}"), ERR_DECODE,
	 "stdin: [\"cni.dev/valid-attachments\"]: must be an array"},
};

static void malformed_confs_are_refused(void **state)
{
	struct cni_conf *c = NULL;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bads); i++) {
		err_clear(&e);
		assert_int_equal(
			cni_conf_parse("stdin", bads[i].text, strlen(bads[i].text), &c, &e), -1);
		if (bads[i].msg)
			assert_string_equal(e.msg, bads[i].msg);
		assert_int_equal(e.kind, bads[i].kind);
		assert_null(c);
	}
}

static void a_megabyte_is_the_limit(void **state)
{
	AUTO(free) char *big = xmalloc(CNI_CONF_MAX + 1);
	AUTO(cni_conf_free) struct cni_conf *c = NULL;
	static const char conf[] = WITH("\"x\":1");
	struct err e = {0};

	(void)state;
	memset(big, ' ', CNI_CONF_MAX + 1);
	memcpy(big, conf, sizeof(conf) - 1);
	assert_int_equal(cni_conf_parse("stdin", big, CNI_CONF_MAX + 1, &c, &e), -1);
	assert_string_equal(e.msg, "stdin: larger than 1048576 bytes");
	assert_int_equal(cni_conf_parse("stdin", big, CNI_CONF_MAX, &c, &e), 0);
}

static struct cni_conf *parse(const char *text)
{
	struct cni_conf *c = NULL;
	struct err e = {0};

	if (cni_conf_parse("stdin", text, strlen(text), &c, &e) < 0)
		fail_msg("%s", e.msg);
	return c;
}

static void span_is(struct jspan s, const char *want)
{
	assert_int_equal(s.len, strlen(want));
	assert_memory_equal(s.p, want, s.len);
}

static void net_is(const struct cni_nets *nets, size_t i, const char *want)
{
	char buf[IP_NET_LEN];

	assert_true(i < nets->n);
	assert_string_equal(ip_net_format(&nets->v[i], buf), want);
}

static void defaults(void **state)
{
	AUTO(cni_conf_free)
	struct cni_conf *c = parse("{\"cniVersion\":\"0.3.1\",\"name\":\"n\","
				   "\"delegate\":{\"type\":\"x\"},\"other\":1}");

	(void)state;
	assert_int_equal(c->version, CNI_0_3_1);
	assert_string_equal(c->type, "tandem");
	span_is(c->delegate, "{\"type\":\"x\"}");
	assert_null(c->delegate_file);
	assert_string_equal(c->kubeconfig, "/etc/cni/net.d/tandem.d/kubeconfig");
	assert_string_equal(c->system_namespace, "kube-system");
	assert_string_equal(c->state_dir, "/var/lib/cni/tandem");
	assert_int_equal(c->deadline_s, 25);
	assert_string_equal(c->log_file, "/var/log/tandem.log");
	assert_string_equal(c->log_level, "info");
	assert_null(c->log_note);
	assert_int_equal(c->cluster_cidr.n + c->service_cidr.n + c->via_primary.n, 0);
	assert_null(c->runtime_config.p);
	assert_null(c->prev_result.p);
	assert_int_equal(c->annotations_state, CNI_ANNOTATIONS_ABSENT);
}

static const char full[] =
	"{\"cniVersion\":\"1.1.0\",\"name\":\"cbr0\",\"type\":\"tandem\","
	"\"capabilities\":{\"dns\":true},"
	"\"delegate\": { \"type\" : \"flannel\", \"big\" : 18446744073709551616 } ,"
	"\"kubeconfig\":\"/k\",\"mastersFile\":\"/m\",\"clusterCIDR\":\"10.42.0.7/16, fd00:42::/56\","
	"\"serviceCIDR\":[\"10.43.0.0/16\",\"fd00:43::/112\"],"
	"\"viaPrimary\":[\"192.168.0.0/16\",\"169.254.20.10\"],"
	"\"systemNamespace\":\"tandem-system\",\"stateDir\":\"/s\",\"deadlineSeconds\":29,"
	"\"logFile\":\"\",\"logLevel\":\"debug\","
	"\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":80}],"
	"\"dns\":{\"servers\":[\"169.254.20.10\",\"fe80::1%eth0\",\"fd00::a\",7]},"
	"\"io.kubernetes.cri.pod-annotations\":"
	"{\"tandem-cni.io\\/subnet\":\"vlan\\u0031\",\"n\":1}},"
	"\"prevResult\":{\"cniVersion\":\"1.1.0\"},"
	"\"cni.dev/valid-attachments\":[{\"containerID\":\"a\",\"ifname\":\"eth0\"}]}\n";

static void everything_is_read(void **state)
{
	AUTO(cni_conf_free) struct cni_conf *c = parse(full);
	AUTO(free) char *subnet = NULL;
	struct err e = {0};
	char *none = NULL;

	(void)state;
	span_is(c->delegate, "{ \"type\" : \"flannel\", \"big\" : 18446744073709551616 }");
	net_is(&c->cluster_cidr, 0, "10.42.0.0/16");
	net_is(&c->cluster_cidr, 1, "fd00:42::/56");
	net_is(&c->service_cidr, 0, "10.43.0.0/16");
	net_is(&c->service_cidr, 1, "fd00:43::/112");
	net_is(&c->via_primary, 0, "192.168.0.0/16");
	net_is(&c->via_primary, 1, "169.254.20.10/32");
	net_is(&c->nameservers, 0, "169.254.20.10/32");
	net_is(&c->nameservers, 1, "fd00::a/128");
	assert_int_equal(c->nameservers.n, 2);
	assert_string_equal(c->masters_file, "/m");
	assert_string_equal(c->system_namespace, "tandem-system");
	assert_int_equal(c->deadline_s, 29);
	assert_string_equal(c->log_file, "");
	assert_string_equal(c->log_level, "debug");
	span_is(c->prev_result, "{\"cniVersion\":\"1.1.0\"}");
	span_is(c->valid_attachments, "[{\"containerID\":\"a\",\"ifname\":\"eth0\"}]");
	assert_int_equal(c->annotations_state, CNI_ANNOTATIONS_GIVEN);
	assert_int_equal(cni_conf_annotation(c, "tandem-cni.io/subnet", &subnet, &e), 1);
	assert_string_equal(subnet, "vlan1");
	assert_int_equal(cni_conf_annotation(c, "tandem-cni.io/ip", &none, &e), 0);
	assert_int_equal(cni_conf_annotation(c, "n", &none, &e), -1);
	assert_string_equal(e.msg, "pod annotation n: must be a string");
	assert_null(none);
}

static void annotations_null_empty_and_absent(void **state)
{
	AUTO(cni_conf_free)
	struct cni_conf *null =
		parse(WITH("\"runtimeConfig\":{\"io.kubernetes.cri.pod-annotations\":null}"));
	AUTO(cni_conf_free)
	struct cni_conf *empty =
		parse(WITH("\"runtimeConfig\":{\"io.kubernetes.cri.pod-annotations\":{}}"));
	AUTO(cni_conf_free) struct cni_conf *absent = parse(WITH("\"runtimeConfig\":{}"));
	struct err e = {0};
	char *v = NULL;

	(void)state;
	assert_int_equal(null->annotations_state, CNI_ANNOTATIONS_NULL);
	assert_int_equal(empty->annotations_state, CNI_ANNOTATIONS_GIVEN);
	assert_int_equal(absent->annotations_state, CNI_ANNOTATIONS_ABSENT);
	assert_int_equal(cni_conf_annotation(null, "a", &v, &e), 0);
	assert_int_equal(cni_conf_annotation(empty, "a", &v, &e), 0);
	assert_int_equal(cni_conf_annotation(absent, "a", &v, &e), 0);
}

static void log_settings_never_fail(void **state)
{
	static const char *const confs[] = {WITH("\"logFile\":7"), WITH("\"logFile\":\"rel\""),
					    WITH("\"logLevel\":\"loud\""), WITH("\"logLevel\":{}"),
					    WITH("\"logLevel\":[1],\"logFile\":[2]")};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(confs); i++) {
		AUTO(cni_conf_free) struct cni_conf *c = parse(confs[i]);

		assert_string_equal(c->log_file, "/var/log/tandem.log");
		assert_string_equal(c->log_level, "info");
		assert_non_null(c->log_note);
	}
}

static void nesting(void **state)
{
	(void)state;
	assert_true(cni_conf_nests(jspan_of("{\"type\":\"tandem\"}"), "tandem"));
	assert_true(cni_conf_nests(jspan_of("{\"plugins\":[{\"type\":\"tandem\"}]}"), "tandem"));
	assert_false(cni_conf_nests(
		jspan_of("{\"type\":\"a\",\"plugins\":[{},1,{\"type\":\"b\"}]}"), "tandem"));
	assert_false(cni_conf_nests(jspan_of("{\"plugins\":7}"), "tandem"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_confs_are_refused),
		cmocka_unit_test(a_megabyte_is_the_limit),
		cmocka_unit_test(defaults),
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(annotations_null_empty_and_absent),
		cmocka_unit_test(log_settings_never_fail),
		cmocka_unit_test(nesting),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
