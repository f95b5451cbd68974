/* SPDX-License-Identifier: Apache-2.0 */
/* What does not fit together, on the screen and in a report for the command release. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "kubectl/cli.h"
#include "kubectl/release.h"
#include "kubectl/rules/fault.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/json/jwrite.h"

#define LOOKS    3
#define AGAIN_MS 2000

int check_read(struct cli *cli, struct err *e)
{
	cli->opt.all_namespaces = true;
	if (cli_read_addresses(cli, e) || cli_read(cli, FACTS_PODS, NULL, NULL, e) ||
	    cli_read(cli, FACTS_NODES, NULL, NULL, e))
		return -1;
	return 0;
}

/* A cluster moves while it is looked at: what is wrong is wrong in each of several looks. */
static int look(struct cli *cli, struct faults *out, struct err *e)
{
	for (int i = 0; i < LOOKS; i++) {
		AUTO(faults_done) struct faults now = {0};

		if (i)
			poll(NULL, 0, AGAIN_MS);
		if (check_read(cli, e))
			return -1;
		now = faults_find(&cli->facts);
		if (i)
			faults_keep(&now, out);
		faults_done(out);
		*out = now;
		now = (struct faults){0};
		if (!out->n)
			return 0;
	}
	return 0;
}

static void write_fault(struct jw *w, const struct fault *x)
{
	char text[IP_ADDR_LEN];

	jw_obj(w);
	jw_kv_str(w, "fault", fault_kind_name(x->kind));
	jw_kv_str(w, "subnet", x->subnet);
	jw_kv_str(w, "address", ip_format(&x->addr, text));
	jw_kv_opt(w, "namespace", x->ns);
	jw_kv_opt(w, "name", x->name);
	jw_kv_opt(w, "uid", x->uid);
	jw_kv_opt(w, "podUID", x->pod_uid);
	jw_kv_opt(w, "node", x->node);
	jw_kv_bool(w, "releasable", x->releasable);
	jw_kv_str(w, "text", x->text);
	jw_end(w);
}

static char *report(const struct faults *f)
{
	AUTO(sb_done) struct sb json = SB_INIT;
	char at[CLOCK_RFC3339_LEN];
	struct jw w = jw_init(&json);

	jw_obj(&w);
	jw_kv_str(&w, "kind", "MacvlanReport");
	jw_kv_i64(&w, "version", 1);
	jw_kv_str(&w, "time", clock_rfc3339(clock_wall_s(), at));
	jw_kv_arr(&w, "faults");
	for (size_t i = 0; i < f->n; i++)
		write_fault(&w, &f->items[i]);
	jw_end(&w);
	jw_end(&w);
	return sb_take(&json);
}

static void print_faults(struct cli *cli, const struct faults *f)
{
	static const char *const heads[] = {"FAULT", "SUBNET", "ADDRESS", "WHAT"};
	AUTO(table_done) struct table t = table_begin(heads, ARRAY_SIZE(heads));
	char text[IP_ADDR_LEN];

	for (size_t i = 0; i < f->n; i++) {
		table_add(&t, PRINT_BAD, fault_kind_name(f->items[i].kind));
		table_add(&t, PRINT_PLAIN, f->items[i].subnet);
		table_add(&t, PRINT_PLAIN, ip_format(&f->items[i].addr, text));
		table_add(&t, PRINT_PLAIN, f->items[i].text);
	}
	table_print(&t, cli_look(cli), &cli->out);
	if (!f->n)
		sb_printf(&cli->out, "%zu MacvlanIPs in %zu MacvlanSubnets: nothing is wrong.\n",
			  cli->facts.n_records, cli->facts.n_subnets);
}

int command_check(struct cli *cli, struct err *e)
{
	AUTO(faults_done) struct faults f = {0};
	AUTO(free) char *json = NULL;

	if (look(cli, &f, e))
		return -1;
	json = report(&f);
	if (cli->opt.file && io_replace_file(AT_FDCWD, cli->opt.file, 0600, json, strlen(json), e))
		return -1;
	if (cli_is_document(cli))
		cli_print_json(cli, json);
	else
		print_faults(cli, &f);
	return f.n ? EXIT_WRONG : EXIT_OK;
}
