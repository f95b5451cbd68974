/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand next on the command line, for shells: one candidate a line. */
#include <string.h>

#include "api/network.h"
#include "kubectl/cli.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* Whoever waits for a shell waits no longer than this. */
#define TIMEOUT_S 2

static void offer(struct sb *out, const char *word, const char *begun)
{
	if (str_starts(word, begun)) {
		print_clean(out, word);
		sb_putc(out, '\n');
	}
}

static void offer_words(struct sb *out, const char *const *words, const char *begun)
{
	for (; *words; words++)
		offer(out, *words, begun);
}

static void offer_options(struct sb *out, const struct command *c, const char *begun)
{
	const char *name;

	for (size_t i = 0; (name = args_option(c, i)); i++) {
		AUTO(free) char *word = xasprintf("--%s", name);

		offer(out, word, begun);
	}
}

/* Names out of the cluster; where it cannot be asked there are none. */
static void offer_names(struct cli *cli, enum facts_kind kind, const char *begun)
{
	struct facts *f = &cli->facts;
	struct err ignored = {0};
	const char *ns = kind == FACTS_SUBNETS ? cli->opt.system_ns
			 : kind == FACTS_PODS  ? cli->ns
					       : NULL;

	if (!cli->client || cli_read(cli, kind, ns, NULL, &ignored))
		return;
	for (size_t i = 0; i < f->n_subnets; i++)
		offer(&cli->out, f->subnets[i].meta.name, begun);
	for (size_t i = 0; i < f->n_pods; i++)
		offer(&cli->out, f->pods[i].pod->meta.name, begun);
	for (size_t i = 0; i < f->n_nodes; i++)
		offer(&cli->out, f->nodes[i].name, begun);
}

/* The value of an option; false: before is none that takes a value. */
static bool offer_value(struct cli *cli, const char *before, const char *begun)
{
	static const char *const outputs[] = {"wide", "json", "yaml", "name", NULL};
	static const char *const colours[] = {"auto", "always", "never", NULL};

	if (str_eq(before, "-o") || str_eq(before, "--output"))
		offer_words(&cli->out, outputs, begun);
	else if (str_eq(before, "--color"))
		offer_words(&cli->out, colours, begun);
	else if (str_eq(before, "--subnet"))
		offer_names(cli, FACTS_SUBNETS, begun);
	else if (str_eq(before, "--node"))
		offer_names(cli, FACTS_NODES, begun);
	else if (str_eq(before, "--pod"))
		offer_names(cli, FACTS_PODS, begun);
	else
		return str_eq(before, "-n") || args_takes_value(before);
	return true;
}

static void offer_argument(struct cli *cli, const struct command *c, const char *begun)
{
	if (str_eq(c->name, "subnets"))
		offer_names(cli, FACTS_SUBNETS, begun);
	else if (str_eq(c->name, "who") || str_eq(c->name, "why"))
		offer_names(cli, FACTS_PODS, begun);
}

void complete(struct cli *cli, char *const *words, size_t n)
{
	const char *begun = n ? words[n - 1] : "", *before = n > 1 ? words[n - 2] : "";
	const struct command *c = NULL;

	cli->opt.timeout_s = TIMEOUT_S;
	for (size_t i = 0; i + 1 < n && !c; i++)
		c = args_find_command(words[i]);
	if (offer_value(cli, before, begun))
		return;
	if (begun[0] == '-') {
		offer_options(&cli->out, c, begun);
		return;
	}
	if (c) {
		offer_argument(cli, c, begun);
		return;
	}
	for (c = commands; c->name; c++)
		offer(&cli->out, c->name, begun);
}
