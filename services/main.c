/* SPDX-License-Identifier: Apache-2.0 */
/* tandem-services: ClusterIPs at the socket. With a word it is a tool, with options the node's daemon. */
#include <malloc.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/daemon/daemon.h"
#include "lib/daemon/options.h"
#include "services/daemon.h"
#include "services/tool.h"

#define FIELD(name) offsetof(struct daemon_options, name)

static int take_no_endpoints(const char *value, void *field)
{
	*(const char **)field = value;
	return str_eq(value, "refuse") || str_eq(value, "pass") ? 0 : -1;
}

static const struct options_row rows[] = {
	{.name = "kubeconfig",
	 .value = "FILE",
	 .help = "default: the account of the pod that it runs in",
	 .take = options_take_text,
	 .field = FIELD(kubeconfig)},
	{.name = "node-name",
	 .value = "NAME",
	 .help = "of the Node object ($NODE_NAME, else the host's name)",
	 .take = options_take_text,
	 .field = FIELD(node)},
	{.name = "state-dir",
	 .value = "DIR",
	 .help = "of the plugin (/var/lib/cni/tandem)",
	 .take = options_take_text,
	 .field = FIELD(state_dir)},
	{.name = "netns-dir",
	 .value = "DIR",
	 .help = "where the runtime shows the pods' namespaces (/run/netns)",
	 .take = options_take_text,
	 .field = FIELD(netns_dir)},
	{.name = "pins",
	 .value = "DIR",
	 .help = "where programs and maps are pinned\n(" LOAD_PINS ")",
	 .take = options_take_text,
	 .field = FIELD(where.pins)},
	{.name = "cgroup",
	 .value = "DIR",
	 .help = "where the programs are attached (the root of cgroup v2)",
	 .take = options_take_text,
	 .field = FIELD(where.cgroup)},
	{.name = "udp",
	 .value = "BOOL",
	 .help = "translate UDP too (true)",
	 .take = options_take_bool,
	 .field = FIELD(udp),
	 .optional = true},
	{.name = "host",
	 .value = "BOOL",
	 .help = "translate for the node's own namespace too (false)",
	 .take = options_take_bool,
	 .field = FIELD(host),
	 .optional = true},
	{.name = "no-endpoints",
	 .value = "WHAT",
	 .help = "refuse or pass: what becomes of a Service without endpoints\n"
		 "(refuse where the kernel can say ECONNREFUSED)",
	 .take = take_no_endpoints,
	 .field = FIELD(no_endpoints)},
	{.name = "stale-limit",
	 .value = "D",
	 .help = "translate nothing once the API server has been away for so\nlong, as 30m (0: go on)",
	 .take = options_take_duration_ms,
	 .field = FIELD(stale_ms)},
	{.name = "metrics-bind-address",
	 .value = "ADDRESS:PORT",
	 .help = "where metrics are served; 0: nowhere (0)",
	 .take = options_take_text,
	 .field = FIELD(metrics)},
	{.name = "sweep-period",
	 .value = "S",
	 .help = "seconds between two looks at all pods (60)",
	 .take = options_take_seconds_ms,
	 .field = FIELD(sweep_ms)},
};

static const struct options_program program = {
	.name = "tandem-services",
	.version = TANDEM_VERSION,
	.about =
		"tandem-services [svc add|del|ls, ep add|del|ls, status, load, mount, unload] [OPTION]...\n\n"
		"Without a word it is the node's daemon: it has ClusterIPs translated at the sockets of the\n"
		"pods, as the API server's Services and endpoints say. See tandem-services(8).\n",
	.rows = rows,
	.n_rows = ARRAY_SIZE(rows),
};

/* What is read of the environment; all else is taken away. */
static const char *const kept[] = {"NODE_NAME", "KUBERNETES_SERVICE_HOST",
				   "KUBERNETES_SERVICE_PORT", NULL};

static int run_daemon(int argc, char **argv)
{
	struct daemon_options o = {
		.node = daemon_node_name(),
		.state_dir = "/var/lib/cni/tandem",
		.netns_dir = TOOL_NETNS_DIR,
		.lock = TOOL_LOCK,
		.metrics = "0",
		.where = {.pins = LOAD_PINS},
		.udp = true,
		.sweep_ms = 60000,
	};
	struct err e = {0};
	int rc;

	rc = options_parse(&program, argc, argv, &o);
	if (rc >= 0)
		return rc;
	mallopt(M_ARENA_MAX, 1);
	log_info("started", "version", TANDEM_VERSION, "node", o.node, "pins", o.where.pins);
	rc = daemon_run(&o, &e);
	if (rc < 0)
		log_error("stopped", "error", e.msg);
	else
		log_info("stopped on request; what is pinned goes on");
	return rc < 0;
}

int main(int argc, char **argv)
{
	process_begin(kept);
	log_init("tandem-services", LOG_LEVEL_INFO);
	if (argc > 1 && argv[1][0] != '-')
		return tool_run(argc, argv);
	return run_daemon(argc, argv);
}
