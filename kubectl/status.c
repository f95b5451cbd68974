/* SPDX-License-Identifier: Apache-2.0 */
/* Whether everything of tandem works: one line each, one reason each. */
#include <poll.h>
#include <string.h>

#include "kubectl/cli.h"
#include "kubectl/health.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/json/jwrite.h"

#define AGAIN_MS 2000

static const char *const words[] = {
	[HEALTH_OK] = "ok", [HEALTH_WARNING] = "warning", [HEALTH_WRONG] = "wrong"};

/* A round. The API server not being there is a line as well, where one waits for it. */
static int look(struct cli *cli, struct health_lines *out, struct err *e)
{
	facts_done(&cli->facts);
	health_done(out);
	if (cli_read_controller(cli, e) || cli_read(cli, FACTS_NODES, NULL, NULL, e) ||
	    cli_read(cli, FACTS_SUBNETS, cli->opt.system_ns, NULL, e))
		return -1;
	health_controller(cli, out);
	health_webhook(cli, out);
	health_nodes(cli, out);
	health_subnets(cli, out);
	return 0;
}

static const struct health_line *first_wrong(const struct health_lines *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->items[i].health == HEALTH_WRONG)
			return &l->items[i];
	}
	return NULL;
}

static void print_lines(struct cli *cli, const struct health_lines *l)
{
	static const char *const heads[] = {"PART", "NAME", "STATE", "DETAIL"};
	static const enum print_style styles[] = {
		[HEALTH_OK] = PRINT_GOOD, [HEALTH_WARNING] = PRINT_WARN, [HEALTH_WRONG] = PRINT_BAD};
	AUTO(table_done) struct table t = table_begin(heads, ARRAY_SIZE(heads));

	for (size_t i = 0; i < l->n; i++) {
		const struct health_line *x = &l->items[i];

		table_add(&t, PRINT_PLAIN, x->kind);
		table_add(&t, PRINT_PLAIN, x->name);
		table_add(&t, styles[x->health], words[x->health]);
		table_add(&t, PRINT_PLAIN, x->text);
	}
	table_print(&t, cli_look(cli), &cli->out);
}

static void print_document(struct cli *cli, const struct health_lines *l)
{
	AUTO(sb_done) struct sb json = SB_INIT;
	struct jw w = jw_init(&json);

	jw_obj(&w);
	jw_kv_arr(&w, "items");
	for (size_t i = 0; i < l->n; i++) {
		jw_obj(&w);
		jw_kv_str(&w, "part", l->items[i].kind);
		jw_kv_opt(&w, "name", l->items[i].name);
		jw_kv_str(&w, "state", words[l->items[i].health]);
		jw_kv_str(&w, "detail", l->items[i].text);
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	cli_print_json(cli, sb_get(&json));
}

/* Until nothing is wrong, or the time is over; what it waits for is said when that changes. */
static int wait_for_it(struct cli *cli, struct health_lines *l, struct err *e)
{
	int64_t end_ms = clock_now_ms() + (int64_t)cli->opt.wait_s * 1000;
	AUTO(free) char *said = xstrdup("");

	for (;;) {
		const struct health_line *x;
		struct err why = {0};
		int rc = look(cli, l, &why);
		const char *text = why.msg;

		x = rc ? NULL : first_wrong(l);
		if (!rc && !x)
			return 0;
		if (x)
			text = x->text;
		if (clock_now_ms() >= end_ms) {
			*e = why;
			return rc;
		}
		if (strcmp(said, text) != 0)
			cli_note("waiting: %s", text);
		free(said);
		said = xstrdup(text);
		/* There is no event for all of this together. */
		poll(NULL, 0, AGAIN_MS);
	}
}

int command_status(struct cli *cli, struct err *e)
{
	AUTO(health_done) struct health_lines l = {0};

	if (cli->opt.wait ? wait_for_it(cli, &l, e) : look(cli, &l, e))
		return -1;
	if (cli_is_document(cli))
		print_document(cli, &l);
	else
		print_lines(cli, &l);
	return first_wrong(&l) ? EXIT_WRONG : EXIT_OK;
}
