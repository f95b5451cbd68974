/* SPDX-License-Identifier: Apache-2.0 */
/* tandem-node: the node's witness. It tells the controller which cards are up and which are down. */
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/mem.h"
#include "lib/daemon/daemon.h"
#include "lib/daemon/options.h"
#include "lib/door/message.h"
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

#define FIELD(name) offsetof(struct witness_options, name)

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
static int read_options(int argc, char **argv, struct witness_options *o)
{
	int rc = options_parse(&program, argc, argv, o);

	if (rc >= 0)
		return rc;
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
	char host[256] = "";
	const char *node;
	struct witness_options opt = {
		.netns_dir = "/run/netns",
		.socket = DOOR_SOCKET,
		.sweep_ms = 60000,
		.sweep = {.state_dir = "/var/lib/cni/tandem",
			  .conf = "/etc/cni/net.d/00-tandem.conflist",
			  .plugin = "/opt/cni/bin/tandem",
			  .cni_bin = "/opt/cni/bin"},
	};
	struct err e = {0};
	int rc;

	process_begin(kept);
	log_init("tandem-node", LOG_LEVEL_INFO);
	node = getenv("NODE_NAME");
	if (!node || !*node)
		node = gethostname(host, sizeof(host) - 1) < 0 ? "" : host;
	opt.node = node;
	rc = read_options(argc, argv, &opt);
	if (rc >= 0)
		return rc;
	/* The second thread is short-lived: a heap of its own would only stay. */
	mallopt(M_ARENA_MAX, 1);
	log_info("started", "version", TANDEM_VERSION, "node", opt.node, "state-dir",
		 opt.sweep.state_dir);
	rc = witness_run(&opt, &e);
	if (rc < 0)
		log_error("stopped", "error", e.msg);
	else
		log_info("stopped on request");
	return rc < 0;
}
