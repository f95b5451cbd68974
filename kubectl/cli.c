/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kubectl/print/yaml.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/client.h"
#include "lib/kube/config.h"
#include "lib/kube/path.h"

#define HOLD_DEFAULT_S 3600

void cli_note(const char *fmt, ...)
{
	AUTO(sb_done) struct sb line = SB_INIT;
	AUTO(free) char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	print_clean(&line, text);
	fprintf(stderr, "%s\n", sb_get(&line));
}

static bool wants_colour(const struct args *o)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (!str_eq(o->colour, "auto"))
		return str_eq(o->colour, "always");
	return isatty(STDOUT_FILENO) && !(no && *no) && term && !str_eq(term, "dumb");
}

int cli_connect(struct cli *cli, char *const *env, struct err *e)
{
	AUTO(kube_config_free) struct kube_config *cfg = NULL;
	const struct args *o = &cli->opt;
	const struct kube_config_wish wish = {
		.file = o->kubeconfig,
		.list = getenv("KUBECONFIG"),
		.home = getenv("HOME"),
		.context = o->context,
		.namespace = o->namespace,
		.as = o->as,
		.as_groups = o->as_groups,
		.n_as_groups = o->n_as_groups,
		.run_plugins = true,
		.env = env,
	};
	const struct kube_client_options client = {.user_agent = "kubectl-macvlan/" TANDEM_VERSION};

	cli->colour = wants_colour(o);
	cli->hold_s = HOLD_DEFAULT_S;
	if (kube_config_load_for(&wish, &cfg, e) || kube_client_new(cfg, &client, &cli->client, e))
		return -1;
	cli->ns = xstrdup(cfg->namespace && *cfg->namespace ? cfg->namespace : "default");
	cli->server = xstrdup(cfg->server ? cfg->server : "");
	return 0;
}

void cli_done(struct cli *cli)
{
	facts_done(&cli->facts);
	kube_client_free(cli->client);
	free(cli->ns);
	free(cli->server);
	free(cli->default_subnet);
	free(cli->opt.as_groups);
	sb_done(&cli->out);
}

int64_t cli_deadline(const struct cli *cli)
{
	return clock_now_ms() + (int64_t)cli->opt.timeout_s * 1000;
}

int cli_read(struct cli *cli, enum facts_kind kind, const char *ns, const char *selectors,
	     struct err *e)
{
	const struct facts_from from = {.client = cli->client,
					.ns = ns,
					.selectors = selectors,
					.legacy = cli->legacy,
					.deadline_ms = cli_deadline(cli)};
	size_t bad = cli->facts.n_bad;

	if (facts_read(&cli->facts, kind, &from, e)) {
		if (e->kind == ERR_NOT_FOUND && (kind == FACTS_SUBNETS || kind == FACTS_RECORDS))
			err_set(e, ERR_NOT_FOUND, 404,
				"tandem is not installed: the API server knows no MacvlanSubnets "
				"and MacvlanIPs");
		return -1;
	}
	if (cli->facts.n_bad > bad && !cli->quiet)
		cli_note("warning: %zu objects cannot be read and are left out; the first: %s",
			 cli->facts.n_bad - bad, cli->facts.bad.msg);
	return 0;
}

static const char *argument(char *const *args, const char *name)
{
	size_t n = strlen(name);

	for (; args && *args; args++) {
		if (!strncmp(*args, name, n) && (*args)[n] == '=')
			return *args + n + 1;
	}
	return NULL;
}

int cli_read_controller(struct cli *cli, struct err *e)
{
	AUTO(sb_done) struct sb query = SB_INIT;

	kube_query_add(&query, "labelSelector", "app.kubernetes.io/name=tandem");
	if (cli_read(cli, FACTS_PODS, cli->opt.system_ns, sb_get(&query), e))
		return -1;
	for (size_t i = 0; i < cli->facts.n_pods; i++) {
		char *const *args = cli->facts.pods[i].args;
		const char *hold = argument(args, "--hold-unwitnessed");
		const char *subnet = argument(args, "--default-subnet");
		uint32_t s = 0;

		if (subnet && !cli->default_subnet)
			cli->default_subnet = xstrdup(subnet);
		cli->legacy |= str_eq(argument(args, "--legacy-annotations"), "read");
		if (hold && !parse_u32(hold, UINT32_MAX, &s))
			cli->hold_s = s;
	}
	return 0;
}

int cli_read_addresses(struct cli *cli, struct err *e)
{
	struct err denied = {0};

	/* Whoever may not read the system namespace sees what the controller does by default. */
	if (cli_read_controller(cli, &denied) && denied.num != 403) {
		*e = denied;
		return -1;
	}
	err_clear(&denied);
	if (cli_read(cli, FACTS_SUBNETS, cli->opt.system_ns, NULL, &denied)) {
		if (denied.num != 403) {
			*e = denied;
			return -1;
		}
		if (!cli->quiet)
			cli_note(
				"warning: without the right to list MacvlanSubnets in %s only the addresses "
				"of pods are shown",
				cli->opt.system_ns);
	}
	return cli_read(cli, FACTS_RECORDS, cli->opt.all_namespaces ? NULL : cli->opt.namespace,
			NULL, e);
}

struct table_look cli_look(const struct cli *cli)
{
	return (struct table_look){cli->colour, cli->opt.no_headers};
}

bool cli_is_document(const struct cli *cli)
{
	return cli->opt.output == OUTPUT_JSON || cli->opt.output == OUTPUT_YAML;
}

void cli_print_json(struct cli *cli, const char *json)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	/* Of our own making. */
	if (jdoc_parse("output", json, strlen(json), &doc, &e) < 0)
		abort();
	root = jdoc_root(doc);
	if (cli->opt.output == OUTPUT_YAML)
		print_yaml(&root, &cli->out);
	else
		print_json(&root, &cli->out);
}
