/* SPDX-License-Identifier: Apache-2.0 */
/* kubectl-macvlan: who has which address, why a pod has none, what leaked. */
#include <stdio.h>

#include "api/network.h"
#include "kubectl/cli.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/daemon/daemon.h"

const struct command commands[] = {
	{"subnets", "[NAME]", 0, 1, NULL, "the subnets, and how full they are", command_subnets},
	{"ips", NULL, 0, 0, "Asnpm",
	 "every address that is not simply free: who has it, until when, and why", command_ips},
	{"who", "IP|MAC|POD", 1, 1, NULL, "who has an address or a MAC, or what a pod has",
	 command_who},
	{"status", NULL, 0, 0, "wt", "whether the parts of tandem work, and what is wrong with one",
	 command_status},
	{"why", "POD", 1, 1, NULL, "why a pod has no card: the first thing that is wrong",
	 command_why},
	{"history", "[IP|MAC]", 0, 1, "a",
	 "who had an address or a MAC, when, on which node, and why it ended", command_history},
	{"check", NULL, 0, 0, "f", "what does not fit together; with --file a report of it",
	 command_check},
	{"release", "[IP]", 0, 1, "rxyt",
	 "give back what a report names, or the address of a machine that is off", command_release},
	{"ui", NULL, 0, 0, "P",
	 "a page in the browser: subnets, who has which address, forms; on this machine alone",
	 command_ui},
	{0},
};

/* Of the environment; all else is for credential plugins alone. */
static const char *const kept[] = {"HOME", "KUBECONFIG", "NO_COLOR", "TERM", NULL};

static int run(struct cli *cli, const struct command *command, char **env)
{
	struct err e = {0};
	int rc = cli_connect(cli, env, &e) ? -1 : command->run(cli, &e);

	if (cli->out.len && daemon_say(sb_get(&cli->out)))
		return EXIT_FAILED;
	if (rc >= 0)
		return rc;
	cli_note("kubectl macvlan %s: %s", command->name, e.msg);
	return EXIT_FAILED;
}

/* For shells, so that nothing but candidates is said. */
static int run_complete(struct cli *cli, char **words, size_t n, char **env)
{
	struct err ignored = {0};
	int rc;

	/* Without a cluster there are still commands and options. */
	IGNORE(cli_connect(cli, env, &ignored), "names are left out");
	complete(cli, words, n);
	rc = cli->out.len ? daemon_say(sb_get(&cli->out)) : EXIT_OK;
	cli_done(cli);
	return rc;
}

int main(int argc, char **argv)
{
	struct cli cli = {.opt = {.system_ns = API_DEFAULT_SYSTEM_NAMESPACE,
				  .colour = "auto",
				  .timeout_s = 30,
				  .wait_s = 300}};
	const struct command *command = NULL;
	char **env = process_begin(kept);
	int rc;

	log_init("kubectl-macvlan", LOG_LEVEL_WARN);
	if (argc > 1 && str_eq(argv[1], "__complete"))
		return run_complete(&cli, argv + 2, (size_t)argc - 2, env);
	rc = args_read(argc, argv, &cli.opt, &command);
	if (!rc)
		rc = run(&cli, command, env);
	cli_done(&cli);
	return rc;
}
