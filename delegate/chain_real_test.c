/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real plugins of containernetworking, in network namespaces of our own:
 *
 *   "host" namespace (ours)         pod namespace
 *   cni-t0 10.99.0.1/24 --- veth === eth0 10.99.0.2/24
 */
#include "lib/base/time_test.h"
#include "delegate/chain.h"

#include <net/if.h>
#include <sched.h>

#include "delegate/exec.h"
#include "delegate/test_dir.h"
#include "lib/base/clock.h"
#include "lib/base/sb.h"
#include "lib/cni/result.h"

#define PLUGINS "/usr/lib/cni"

static int host_ns, pod_ns;
static char *netns;

/* CNI_NETNS by way of our descriptor: nothing to mount, nothing to remove. */
static int setup(void **state)
{
	if (access(PLUGINS "/bridge", X_OK) < 0 || access(PLUGINS "/host-local", X_OK) < 0 ||
	    geteuid() != 0)
		return test_dir_make(state);
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	pod_ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	host_ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (pod_ns < 0 || host_ns < 0)
		return -1;
	netns = xasprintf("/proc/%d/fd/%d", (int)getpid(), pod_ns);
	return test_dir_make(state);
}

static int teardown(void **state)
{
	free(netns);
	return test_dir_remove(state);
}

static void need_plugins(void)
{
	if (netns)
		return;
	print_message("skipped: needs root and the plugins of " PLUGINS "\n");
	skip();
}

static struct chain *load_list(const char *version)
{
	AUTO(free)
	char *text = xasprintf(
		"{\"cniVersion\":\"%s\",\"name\":\"testnet\",\"plugins\":[{\"type\":\"bridge\","
		"\"bridge\":\"cni-t0\",\"isGateway\":true,\"isDefaultGateway\":true,\"ipam\":{"
		"\"type\":\"host-local\",\"dataDir\":\"%s\",\"ranges\":[[{\"subnet\":"
		"\"10.99.0.0/24\"}]]}},{\"type\":\"portmap\",\"capabilities\":{\"portMappings\":"
		"true}}]}",
		version, test_dir);
	struct chain_source src = {.what = "list",
				   .text = jspan_of(text),
				   .fallback_name = "testnet",
				   .own_type = "tandem"};
	struct chain *c = NULL;
	struct err e = {0};

	if (chain_load(&src, &c, &e) < 0)
		fail_msg("%s", e.msg);
	return c;
}

static unsigned int index_in_pod(const char *name)
{
	unsigned int index;

	assert_int_equal(setns(pod_ns, CLONE_NEWNET), 0);
	index = if_nametoindex(name);
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
	return index;
}

static void check_result(const char *text, enum cni_version v)
{
	AUTO(cni_result_free) struct cni_result *r = NULL;
	char address[IP_NET_LEN];
	struct err e = {0};
	int eth0;

	if (cni_result_parse("result", jspan_of(text), CNI_1_1_0, &r, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(r->version, v);
	eth0 = cni_result_find_interface(r, netns, "eth0");
	assert_int_equal(eth0, 2); /* behind the bridge and the veth's other end */
	assert_int_equal(r->n_ips, 1);
	assert_int_equal(r->ips[0].interface, eth0);
	ip_net_format(&r->ips[0].address, address);
	assert_memory_equal(address, "10.99.0.", 8);
	assert_int_equal(r->n_routes, 1);
}

static size_t leases(void)
{
	AUTO(free) char *path = test_path("testnet");
	AUTO(closedir) DIR *dir = opendir(path);
	struct dirent *d;
	size_t n = 0;

	while (dir && (d = readdir(dir)))
		n += strncmp(d->d_name, "10.99.0.", 8) == 0;
	return n;
}

/* The packet filter of our host namespace holds this text. */
static bool in_rules(const char *text)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	struct exec_run run = {.name = "iptables-save",
			       .path = "/usr/sbin/iptables-save",
			       .env = environ,
			       .deadline_ms = clock_now_ms() + test_ms(10000),
			       .cancel_fd = -1};
	struct err e = {0};

	if (exec_run(&run, &out, &e) < 0)
		fail_msg("%s", e.msg);
	return strstr(out.out, text) != NULL;
}

/* Whole life of an attachment under one version of the spec. */
static void live_and_die(const char *version, const char *runtime_config)
{
	AUTO(chain_free) struct chain *c = load_list(version);
	AUTO(chain_results_done) struct chain_results r = {0};
	const struct cni_args args = {.container_id = (char *)"c1",
				      .netns = netns,
				      .ifname = (char *)"eth0",
				      .cni_args = (char *)"IgnoreUnknown=1;K8S_POD_NAME=p",
				      .path = (char *)PLUGINS};
	struct chain_env env = {.args = &args,
				.environ = environ,
				.runtime_config = jspan_of(runtime_config),
				.deadline_ms = clock_now_ms() + test_ms(20000),
				.cancel_fd = -1};
	struct err e = {0};

	if (chain_add(c, &env, &r, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(r.n, 2);
	check_result(r.v[1], chain_version(c));
	assert_int_not_equal(index_in_pod("eth0"), 0);
	assert_int_equal(leases(), 1);
	env.prev_result = jspan_of(r.v[1]);
	/* With mappings portmap 1.1.1 wants IPv6 rules that it has not made itself. */
	if (!runtime_config && chain_check(c, &env, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(runtime_config && in_rules("--dport 18080 "), runtime_config != NULL);
	if (chain_del(c, &env, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(index_in_pod("eth0"), 0);
	assert_int_equal(leases(), 0);
	assert_false(runtime_config && in_rules("--dport 18080 "));
	/* CHECK looks at the kernel: it sees that the interface is gone. */
	if (chain_version(c) >= CNI_0_4_0) {
		assert_int_equal(chain_check(c, &env, &e), -1);
		assert_int_equal(e.kind, ERR_DELEGATE);
	}
	if (chain_del(c, &env, &e) < 0)
		fail_msg("second DEL: %s", e.msg);
}

static void bridge_and_portmap_in_each_version(void **state)
{
	static const char *const versions[] = {"0.3.0", "0.3.1", "0.4.0", "1.0.0"};
	size_t i;

	(void)state;
	need_plugins();
	for (i = 0; i < ARRAY_SIZE(versions); i++)
		live_and_die(versions[i], NULL);
}

/* portmap has something to do only when the runtime's share of runtimeConfig reaches it. */
static void portmap_gets_its_mappings(void **state)
{
	static const char mappings[] =
		"{\"portMappings\":[{\"hostPort\":18080,\"containerPort\":80,\"protocol\":\"tcp\"}],"
		"\"dns\":{}}";

	(void)state;
	need_plugins();
	if (access("/usr/sbin/iptables-save", X_OK) < 0)
		skip();
	live_and_die("0.4.0", mappings);
	live_and_die("1.0.0", mappings);
}

static void del_without_namespace_and_result(void **state)
{
	AUTO(chain_free) struct chain *c = NULL;
	AUTO(chain_results_done) struct chain_results r = {0};
	struct cni_args args = {.container_id = (char *)"c2",
				.netns = netns,
				.ifname = (char *)"eth0",
				.cni_args = (char *)"",
				.path = (char *)PLUGINS};
	struct chain_env env = {.args = &args,
				.environ = environ,
				.deadline_ms = clock_now_ms() + test_ms(20000),
				.cancel_fd = -1};
	struct err e = {0};

	(void)state;
	need_plugins();
	c = load_list("1.0.0");
	if (chain_add(c, &env, &r, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(leases(), 1);
	args.netns = (char *)"";
	if (chain_del(c, &env, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(leases(), 0);
	args.netns = netns;
	if (chain_del(c, &env, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(index_in_pod("eth0"), 0);
}

/* The error object of a real plugin comes through with its code and text. */
static void an_exhausted_range(void **state)
{
	AUTO(free)
	char *text =
		xasprintf("{\"cniVersion\":\"1.0.0\",\"name\":\"tiny\",\"type\":\"host-local\","
			  "\"ipam\":{\"type\":\"host-local\",\"dataDir\":\"%s\",\"ranges\":[[{"
			  "\"subnet\":\"10.98.0.0/30\"}]]}}",
			  test_dir);
	struct chain_source src = {
		.what = "conf", .text = jspan_of(text), .fallback_name = NULL, .own_type = NULL};
	AUTO(chain_free) struct chain *c = NULL;
	AUTO(chain_results_done) struct chain_results first = {0};
	AUTO(chain_results_done) struct chain_results second = {0};
	struct cni_args args = {.container_id = (char *)"a",
				.netns = (char *)"/n",
				.ifname = (char *)"eth0",
				.path = (char *)PLUGINS};
	struct chain_env env = {.args = &args,
				.environ = environ,
				.deadline_ms = clock_now_ms() + test_ms(20000),
				.cancel_fd = -1};
	struct err e = {0};

	(void)state;
	need_plugins();
	assert_int_equal(chain_load(&src, &c, &e), 0);
	if (chain_add(c, &env, &first, &e) < 0)
		fail_msg("%s", e.msg);
	args.container_id = (char *)"b";
	assert_int_equal(chain_add(c, &env, &second, &e), -1);
	assert_int_equal(e.kind, ERR_DELEGATE);
	assert_non_null(strstr(e.msg, "plugin \"host-local\" failed: "));
	assert_non_null(strstr(e.msg, "no IP addresses available in range set"));
	args.container_id = (char *)"a";
	assert_int_equal(chain_del(c, &env, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bridge_and_portmap_in_each_version),
		cmocka_unit_test(portmap_gets_its_mappings),
		cmocka_unit_test(del_without_namespace_and_result),
		cmocka_unit_test(an_exhausted_range),
	};

	return cmocka_run_group_tests_name("chain_real", tests, setup, teardown);
}
