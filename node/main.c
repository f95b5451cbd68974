/* tandem-node: the node's witness. It tells the controller which cards are up and which are down. */
#include <getopt.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/daemon/daemon.h"
#include "node/witness.h"

static const char help[] =
	"tandem-node tells from the plugin's state files which pods of its node have a card, and\n"
	"ends what sandboxes have left that are gone. See tandem-node(8).\n"
	"\n"
	"  --kubeconfig FILE    default: the account of the pod that it runs in\n"
	"  --node-name NAME     of the Node object ($NODE_NAME, else the host's name)\n"
	"  --state-dir DIR      of the plugin (/var/lib/cni/tandem)\n"
	"  --conf FILE          the runtime's conflist with the plugin\n"
	"                       (/etc/cni/net.d/00-tandem.conflist)\n"
	"  --plugin FILE        the plugin (/opt/cni/bin/tandem)\n"
	"  --cni-bin-dir DIRS   where it finds the primary's plugins (/opt/cni/bin)\n"
	"  --netns-dir DIR      where the runtime shows the pods' namespaces (/run/netns)\n"
	"  --sweep-period S     seconds between two looks at everything (60)\n"
	"  --v N                4 and above also logs details\n"
	"  --version, --help    print and exit\n";

enum option_number {
	OPT_KUBECONFIG = 256,
	OPT_NODE,
	OPT_STATE,
	OPT_CONF,
	OPT_PLUGIN,
	OPT_BIN,
	OPT_NETNS,
	OPT_SWEEP,
	OPT_VERSION,
	OPT_HELP,
};

static const struct option options[] = {
	{"kubeconfig", required_argument, NULL, OPT_KUBECONFIG},
	{"node-name", required_argument, NULL, OPT_NODE},
	{"state-dir", required_argument, NULL, OPT_STATE},
	{"conf", required_argument, NULL, OPT_CONF},
	{"plugin", required_argument, NULL, OPT_PLUGIN},
	{"cni-bin-dir", required_argument, NULL, OPT_BIN},
	{"netns-dir", required_argument, NULL, OPT_NETNS},
	{"sweep-period", required_argument, NULL, OPT_SWEEP},
	{"v", required_argument, NULL, 'v'},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* At least one. */
static int period(const char *text, int64_t *out_ms)
{
	uint32_t s = 0;

	if (daemon_seconds(text, 86400, &s) < 0 || !s)
		return -1;
	*out_ms = (int64_t)s * 1000;
	return 0;
}

/* 0 = taken, -1 = bad. */
static int take_option(int c, const char *arg, struct witness_options *o)
{
	switch (c) {
	case OPT_KUBECONFIG:
		o->kubeconfig = arg;
		return 0;
	case OPT_NODE:
		o->node = arg;
		return 0;
	case OPT_STATE:
		o->sweep.state_dir = arg;
		return 0;
	case OPT_CONF:
		o->sweep.conf = arg;
		return 0;
	case OPT_PLUGIN:
		o->sweep.plugin = arg;
		return 0;
	case OPT_BIN:
		o->sweep.cni_bin = arg;
		return 0;
	case OPT_NETNS:
		o->netns_dir = arg;
		return 0;
	case OPT_SWEEP:
		return period(arg, &o->sweep_ms);
	case 'v':
		return daemon_verbosity(arg);
	default:
		return -1;
	}
}

/* -1 = go on, else the exit code. */
static int parse_options(int argc, char **argv, struct witness_options *o)
{
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "v:", options, NULL)) != -1) {
		if (c == OPT_HELP)
			return daemon_say(help);
		if (c == OPT_VERSION)
			return daemon_say_version("tandem-node", TANDEM_VERSION);
		if (take_option(c, optarg, o) < 0) {
			log_error("unknown option, or not a value that can be used; try --help",
				  "option", argv[optind - 1]);
			return 2;
		}
	}
	if (optind < argc) {
		log_error("takes no arguments; try --help", "argument", argv[optind]);
		return 2;
	}
	if (*o->sweep.plugin != '/' || *o->sweep.state_dir != '/') {
		log_error("--plugin and --state-dir must be absolute paths");
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
	rc = parse_options(argc, argv, &opt);
	if (rc >= 0)
		return rc;
	if (!*opt.node) {
		log_error("the node's name is not known: --node-name");
		return 2;
	}
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
