/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving addresses back by hand. Nothing here frees one: the controller is asked to, by its own rules, and only after
 * no card that could live was found.
 */
#include "kubectl/release.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/network.h"
#include "kubectl/cli.h"
#include "kubectl/rules/address.h"
#include "kubectl/rules/fault.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"

#define REPORT_MAX ((size_t)16 << 20)
#define ANSWER_MAX 16

bool release_ask(const struct cli *cli, const char *question)
{
	char answer[ANSWER_MAX] = "";

	if (cli->opt.yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		cli_note("%s Answer with --yes.", question);
		return false;
	}
	fprintf(stderr, "%s [y/N] ", question);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return str_eq(answer, "y\n") || str_eq(answer, "yes\n");
}

/* Its finalizer keeps it until the controller is sure of the card. */
static int end_record(struct cli *cli, const struct api_ip *r, struct err *e)
{
	AUTO(free)
	char *path = kube_path(API_GROUP_VERSION, r->meta.ns, API_PLURAL_IP, r->meta.name, NULL);
	AUTO(free) char *options = api_meta_delete_options(r->meta.uid, r->meta.resource_version);
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct kube_request req = kube_request_delete(path, options, cli_deadline(cli));

	return kube_do(cli->client, &req, &res, e);
}

static void say(struct cli *cli, const char *addr, const char *text)
{
	print_clean(&cli->out, addr);
	sb_puts(&cli->out, ": ");
	print_clean(&cli->out, text);
	sb_putc(&cli->out, '\n');
}

/* One fault of a report. Whether it was let go. */
static bool release_one(struct cli *cli, const struct jval *item)
{
	const char *ns = "", *name = "", *uid = "", *addr = "", *text = "";
	const char *why = NULL;
	const struct api_ip *r;
	char live[400];
	bool may = false;
	struct err e = {0};

	if (jget_str(item, "namespace", &ns, &e) < 0 || jget_str(item, "name", &name, &e) < 0 ||
	    jget_str(item, "uid", &uid, &e) < 0 || jneed_str(item, "address", &addr, &e) < 0 ||
	    jget_str(item, "text", &text, &e) < 0 || jget_bool(item, "releasable", &may, &e) < 0) {
		say(cli, "report", e.msg);
		return false;
	}
	r = *name ? facts_record(&cli->facts, ns, name) : NULL;
	if (r && fault_live_card(&cli->facts, ns, name, live, sizeof(live)))
		why = live;
	else if (!may)
		why = text;
	else if (!r || !str_eq(r->meta.uid, uid))
		why = "the MacvlanIP of the report is gone";
	else if (end_record(cli, r, &e))
		why = e.msg;
	say(cli, addr,
	    why ? why : "given back; the controller frees it when no card can have it any more");
	return !why;
}

static int from_report(struct cli *cli, struct err *e)
{
	AUTO(free) char *text = NULL;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root, list, item;
	const char *kind = "";
	size_t len = 0, refused = 0;

	if (io_read_file(cli->opt.file, REPORT_MAX, &text, &len, e) ||
	    jdoc_parse(cli->opt.file, text, len, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jas_obj(&root, e) < 0 || jneed_str(&root, "kind", &kind, e) < 0 ||
	    jneed_arr(&root, "faults", &list, e) < 0)
		return -1;
	if (!str_eq(kind, "MacvlanReport"))
		return err_set(e, ERR_CONFIG, 0, "%s is no report of kubectl macvlan check",
			       cli->opt.file);
	if (check_read(cli, e))
		return -1;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);)
		refused += !release_one(cli, &item);
	return refused ? EXIT_REFUSED : EXIT_OK;
}

/* ------------------------------------------------------------------ one address */

static const struct api_ip *find(const struct cli *cli, const struct ip_addr *addr)
{
	for (size_t i = 0; i < cli->facts.n_records; i++) {
		const struct api_ip *r = cli->facts.records[i];

		if (ip_eq(&r->cidr.addr, addr) || ip_eq(&r->cidr6.addr, addr))
			return r;
	}
	return NULL;
}

static bool is_node_ready(const struct cli *cli, const char *name)
{
	const struct facts_node *n = facts_node(&cli->facts, name);
	const struct facts_condition *c = n ? facts_condition_find(&n->conditions, "Ready") : NULL;

	return c && str_eq(c->status, "True");
}

static int one_address(struct cli *cli, struct err *e)
{
	const char *text = cli->opt.args[0];
	const struct api_ip *r;
	struct ip_addr addr;

	if (ip_parse(text, &addr)) {
		cli_note("kubectl macvlan release: \"%s\" is not an IP address", text);
		return EXIT_USAGE;
	}
	if (check_read(cli, e))
		return -1;
	r = find(cli, &addr);
	if (!r) {
		cli_note("no MacvlanIP has %s: kubectl macvlan who %s", text, text);
		return EXIT_WRONG;
	}
	if (!cli->opt.node_is_off) {
		char live[400];

		if (fault_live_card(&cli->facts, r->meta.ns, r->meta.name, live, sizeof(live)))
			cli_note("refused: %s", live);
		else
			cli_note(
				"refused: nobody has seen the card of %s on node %s go; where that "
				"machine is off, say so by --node-is-off",
				text, r->node);
		return EXIT_REFUSED;
	}
	if (is_node_ready(cli, r->node)) {
		cli_note(
			"refused: node %s is ready, so it is not off, and %s may be on a card there: "
			"pod %s/%s",
			r->node, text, r->meta.ns, r->meta.name);
		return EXIT_REFUSED;
	}
	return release_off(cli, r, e);
}

int command_release(struct cli *cli, struct err *e)
{
	if (!cli->opt.n_args == !cli->opt.file) {
		cli_note("kubectl macvlan release: either an address, or --from-report FILE");
		return EXIT_USAGE;
	}
	return cli->opt.file ? from_report(cli, e) : one_address(cli, e);
}
