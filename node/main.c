/* SPDX-License-Identifier: Apache-2.0 */
/* tandem-node: what runs on each node. Its witness tells the controller which cards are up and which are down. */
#include <malloc.h>

#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/daemon/daemon.h"
#include "lib/daemon/options.h"
#include "lib/door/message.h"
#include "node/doctor/once.h"
#include "node/readiness.h"
#include "node/witness.h"

/* At least a second, at most a day. */
static int take_period(const char *value, void *field)
{
	uint32_t s = 0;

	if (daemon_seconds(value, 86400, &s) < 0 || !s)
		return -1;
	*(int64_t *)field = (int64_t)s * 1000;
	return 0;
}

struct options {
	struct witness_options witness;
	bool ready; /* only ask the daemon that runs */
};

#define FIELD(name) offsetof(struct options, witness.name)

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
	 .field = FIELD(sweep.state_dir)},
	{.name = "conf",
	 .value = "FILE",
	 .help = "the runtime's conflist with the plugin\n(/etc/cni/net.d/00-tandem.conflist)",
	 .take = options_take_text,
	 .field = FIELD(sweep.conf)},
	{.name = "plugin",
	 .value = "FILE",
	 .help = "the plugin (/opt/cni/bin/tandem)",
	 .take = options_take_text,
	 .field = FIELD(sweep.plugin)},
	{.name = "cni-bin-dir",
	 .value = "DIRS",
	 .help = "where it finds the primary's plugins (/opt/cni/bin)",
	 .take = options_take_text,
	 .field = FIELD(sweep.cni_bin)},
	{.name = "host-root",
	 .value = "DIR",
	 .help = "in a container: where the node's / is mounted; the plugin\nand the primary's plugins run there",
	 .take = options_take_text,
	 .field = FIELD(sweep.root)},
	{.name = "netns-dir",
	 .value = "DIR",
	 .help = "where the runtime shows the pods' namespaces (/run/netns)",
	 .take = options_take_text,
	 .field = FIELD(netns_dir)},
	{.name = "socket",
	 .value = "FILE",
	 .help = "where the plugin asks (" DOOR_SOCKET ")",
	 .take = options_take_text,
	 .field = FIELD(socket)},
	{.name = "metrics-bind-address",
	 .value = "ADDRESS",
	 .help = "where /metrics is served (0 = nowhere)",
	 .take = options_take_text,
	 .field = FIELD(metrics_bind)},
	{.name = "system-namespace",
	 .value = "NS",
	 .help = "with the ConfigMap tandem-cluster (the pod's own, else kube-system)",
	 .take = options_take_text,
	 .field = FIELD(system_ns)},
	{.name = "ready",
	 .help = "ask the daemon that runs whether pods can be served: exit with 0 or 1",
	 .take = options_take_flag,
	 .field = offsetof(struct options, ready)},
	{.name = "install",
	 .help = "put the plugin and its conf in place, and keep the conf in front;\n"
		 "--conf, --plugin and --cni-bin-dir are found then",
	 .take = options_take_flag,
	 .field = FIELD(install.on)},
	{.name = "platform",
	 .value = "NAME",
	 .help = "auto (the default), kubeadm, k3s, k3s-old, rke2, microk8s or crio:\n"
		 "where the runtime keeps confs and plugins",
	 .take = options_take_text,
	 .field = FIELD(install.platform)},
	{.name = "cni-conf-dir",
	 .value = "DIR",
	 .help = "the runtime's folder of confs, with --cni-plugin-dir: no platform is looked for",
	 .take = options_take_text,
	 .field = FIELD(install.conf_dir)},
	{.name = "cni-plugin-dir",
	 .value = "DIR",
	 .help = "its folder of plugins",
	 .take = options_take_text,
	 .field = FIELD(install.bin_dir)},
	{.name = "plugin-source",
	 .value = "FILE",
	 .help = "the plugin to install (/opt/tandem/bin/tandem)",
	 .take = options_take_text,
	 .field = FIELD(install.source)},
	{.name = "primary",
	 .value = "NAME",
	 .help = "the primary's conf, by its file's name; default: the first one",
	 .take = options_take_text,
	 .field = FIELD(install.primary)},
	{.name = "readiness-file",
	 .value = "FILE",
	 .help = "a file of the node that the primary writes when it is ready; the first\n"
		 "installation waits for it",
	 .take = options_take_text,
	 .field = FIELD(install.readiness_file)},
	{.name = "with-multus",
	 .help = "Multus may be in front, and runs tandem's conf",
	 .take = options_take_flag,
	 .field = FIELD(install.with_multus)},
	{.name = "remove-taint",
	 .value = "KEY",
	 .help = "take this taint from the Node once the conf is in front",
	 .take = options_take_text,
	 .field = FIELD(install.taint)},
	{.name = "doctor",
	 .help = "look at the LAN of each subnet from time to time (with --install)",
	 .take = options_take_flag,
	 .field = FIELD(doctor)},
	{.name = "sweep-period",
	 .value = "S",
	 .help = "seconds between two looks at everything (60)",
	 .take = take_period,
	 .field = FIELD(sweep_ms)},
};

static const struct options_program program = {
	.name = "tandem-node",
	.version = TANDEM_VERSION,
	.about =
		"tandem-node reports, from the plugin's state files, which pods of its node have a card, and\n"
		"undoes what deleted sandboxes have left. Plugins ask it for their pods' records. See tandem-node(8).\n",
	.rows = rows,
	.n_rows = ARRAY_SIZE(rows),
};

/* -1 = go on, else the exit code. */
static int read_options(int argc, char **argv, struct options *all)
{
	const struct witness_options *o = &all->witness;
	int rc = options_parse(&program, argc, argv, all);
	struct err e = {0};

	if (rc >= 0)
		return rc;
	if (install_check(&o->install, &e) < 0) {
		log_error(e.msg);
		return 2;
	}
	if (*o->sweep.plugin != '/' || *o->sweep.state_dir != '/' || *o->socket != '/') {
		log_error("--plugin, --socket and --state-dir must be absolute paths");
		return 2;
	}
	if (o->sweep.root && *o->sweep.root != '/') {
		log_error("--host-root must be an absolute path");
		return 2;
	}
	if (!*o->node) {
		log_error("the node's name is unknown; set --node-name");
		return 2;
	}
	return -1;
}

/* What is read of the environment; all else is taken away. */
static const char *const kept[] = {"NODE_NAME", "KUBERNETES_SERVICE_HOST",
				   "KUBERNETES_SERVICE_PORT", NULL};

int main(int argc, char **argv)
{
	struct options all = {
		.witness = {
			.netns_dir = "/run/netns",
			.socket = DOOR_SOCKET,
			.metrics_bind = "0",
			.sweep_ms = 60000,
			.sweep = {.state_dir = "/var/lib/cni/tandem",
				  .conf = "/etc/cni/net.d/00-tandem.conflist",
				  .plugin = "/opt/cni/bin/tandem",
				  .cni_bin = "/opt/cni/bin"},
			.install = {.platform = "auto", .source = "/opt/tandem/bin/tandem"},
		}};
	struct witness_options *opt = &all.witness;
	struct err e = {0};
	int rc;

	process_begin(kept);
	log_init("tandem-node", LOG_LEVEL_INFO);
	if (argc > 1 && str_eq(argv[1], "doctor"))
		return once_main(argc - 1, argv + 1);
	opt->node = daemon_node_name();
	rc = read_options(argc, argv, &all);
	if (rc >= 0)
		return rc;
	if (all.ready)
		return readiness_ask(opt->socket);
	/* The second thread is short-lived: a heap of its own would only stay. */
	mallopt(M_ARENA_MAX, 1);
	log_info("started", "version", TANDEM_VERSION, "node", opt->node, "state-dir",
		 opt->sweep.state_dir);
	rc = witness_run(opt, &e);
	if (rc < 0)
		log_error("stopped", "error", e.msg);
	else
		log_info("stopped on request");
	return rc < 0;
}
