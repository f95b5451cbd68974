/* SPDX-License-Identifier: Apache-2.0 */
/* Who had an address or a MAC, when, on which node, and why it ended. */
#include "kubectl/rules/history.h"

#include <stdlib.h>
#include <string.h>

#include "api/network.h"
#include "kubectl/cli.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/path.h"
#include "lib/kube/wait.h"

static const char *const heads[] = {"ADDRESS", "FROM", "UNTIL",  "POD",    "NODE",
				    "ENDED",   "MAC",  "SUBNET", "POD-UID"};
#define NARROW 6

/* ------------------------------------------------------------------ reading */

struct part {
	struct api_journal_head head;
	struct jdoc *doc;
};

struct parts {
	struct part v[API_JOURNAL_PARTS_MAX];
	size_t n;
};

static int by_part(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return x->head.part < y->head.part ? -1 : x->head.part > y->head.part;
}

/* The data of a ConfigMap, and its head; false where that is none of a part. */
static bool read_head(const struct jdoc *doc, struct jval *data, struct api_journal_head *head)
{
	struct jval root = jdoc_root(doc);
	struct err ignored = {0};
	const char *text = NULL;

	return jget_obj(&root, "data", data, &ignored) == 1 &&
	       jget_str(data, API_JOURNAL_HEAD, &text, &ignored) == 1 &&
	       !api_journal_head_parse(text, head);
}

static int read_parts(struct cli *cli, struct parts *out, struct err *e)
{
	for (size_t i = 0; i < API_JOURNAL_PARTS_MAX; i++) {
		AUTO(free) char *name = xasprintf(API_JOURNAL_PART "%zu", i);
		AUTO(free)
		char *path = kube_path("v1", cli->opt.system_ns, "configmaps", name, NULL);
		AUTO(jdoc_free) struct jdoc *doc = NULL;
		struct part *p = &out->v[out->n];
		struct jval data;

		if (kube_get(cli->client, path, cli_deadline(cli), &doc, e)) {
			if (e->kind != ERR_NOT_FOUND)
				return -1;
			err_clear(e);
			continue;
		}
		if (!read_head(doc, &data, &p->head)) {
			cli_note("warning: ConfigMap %s is no part of the journal", name);
			continue;
		}
		p->doc = STEAL(doc);
		out->n++;
	}
	qsort(out->v, out->n, sizeof(out->v[0]), by_part);
	return 0;
}

static int by_batch(const void *a, const void *b)
{
	const struct history_batch *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static void add_part(struct history *h, struct history_chain *chain, const struct part *p)
{
	AUTO(free) struct history_batch *batches = NULL;
	struct api_journal_head head;
	struct jval data, item;
	size_t n = 0;

	if (!read_head(p->doc, &data, &head))
		return;
	batches = xcalloc(jlen(&data) + 1, sizeof(*batches));
	for (struct jiter it = jiter_of(&data); jiter_next(&it, &item);) {
		const char *digits = item.key + strspn(item.key, "0");
		int64_t number = 0;

		if (parse_i64(digits, &number) < 0 || number <= 0 || !jis_str(&item))
			continue;
		batches[n++] = (struct history_batch){(uint64_t)number, jstr(&item)};
	}
	qsort(batches, n, sizeof(*batches), by_batch);
	history_add_part(h, chain, &head, batches, n);
}

static int add_waiting(void *ctx, const struct jval *obj, struct err *e)
{
	AUTO(api_lines_done) struct api_lines lines = {0};
	AUTO(api_meta_done) struct api_meta meta = {0};
	struct jval status, journal;

	if (api_meta_decode(obj, &meta, e) < 0)
		return -1;
	if (jget_obj(obj, "status", &status, e) == 1 &&
	    jget_obj(&status, "journal", &journal, e) == 1)
		api_lines_read(&journal, &lines);
	history_add_waiting(ctx, meta.name, &lines);
	return 0;
}

/* First what waits: what is put away meanwhile is seen twice, and not never. */
static int read_all(struct cli *cli, struct history *h, struct err *e)
{
	AUTO(free)
	char *path =
		kube_path(API_GROUP_VERSION, cli->opt.system_ns, API_PLURAL_SUBNET, NULL, NULL);
	const struct kube_list list = {
		.path = path, .deadline_ms = cli_deadline(cli), .item = add_waiting, .ctx = h};
	struct history_chain chain = {0};
	struct parts parts = {0};
	int rc;

	if (kube_list_all(cli->client, &list, e))
		return -1;
	rc = read_parts(cli, &parts, e);
	for (size_t i = 0; i < parts.n; i++) {
		add_part(h, &chain, &parts.v[i]);
		jdoc_free(parts.v[i].doc);
	}
	if (rc)
		return -1;
	history_replay(h);
	return 0;
}

/* ------------------------------------------------------------------ showing */

struct question {
	struct ip_addr addr; /* unset: */
	char mac[MAC_ADDR_LEN];
	int64_t at; /* 0 = any time */
};

static bool fits(const struct question *q, const struct history_span *s)
{
	if (q->at && (s->from > q->at || (s->until && s->until <= q->at)))
		return false;
	return ip_is_set(&q->addr) ? ip_eq(&q->addr, &s->addr) : str_eq(q->mac, s->mac);
}

static void add_row(struct table *t, const struct history_span *s, bool wide)
{
	char addr[IP_ADDR_LEN], from[CLOCK_RFC3339_LEN] = "", until[CLOCK_RFC3339_LEN] = "";

	if (s->from)
		clock_rfc3339(s->from, from);
	if (s->until)
		clock_rfc3339(s->until, until);
	table_add(t, PRINT_PLAIN, ip_format(&s->addr, addr));
	table_add(t, PRINT_PLAIN, from);
	table_add(t, PRINT_PLAIN, until);
	table_add(t, PRINT_PLAIN, s->pod);
	table_add(t, PRINT_PLAIN, s->node);
	table_add(t, PRINT_PLAIN, api_change_why(s->why));
	if (!wide)
		return;
	table_add(t, PRINT_PLAIN, s->mac);
	table_add(t, PRINT_PLAIN, s->subnet);
	table_add(t, PRINT_PLAIN, s->pod_uid);
}

static void write_span(struct jw *w, const struct history_span *s)
{
	char text[CLOCK_RFC3339_LEN], addr[IP_ADDR_LEN];

	jw_obj(w);
	jw_kv_str(w, "address", ip_format(&s->addr, addr));
	jw_kv_str(w, "subnet", s->subnet);
	jw_kv_opt(w, "from", s->from ? clock_rfc3339(s->from, text) : NULL);
	jw_kv_opt(w, "until", s->until ? clock_rfc3339(s->until, text) : NULL);
	jw_kv_opt(w, "pod", s->pod);
	jw_kv_opt(w, "podUID", s->pod_uid);
	jw_kv_opt(w, "node", s->node);
	jw_kv_opt(w, "mac", s->mac);
	jw_kv_opt(w, "record", s->record_uid);
	jw_kv_opt(w, "reason", s->why);
	jw_kv_opt(w, "why", api_change_why(s->why));
	jw_end(w);
}

static size_t print_spans(struct cli *cli, const struct history *h, const struct question *q)
{
	bool wide = cli->opt.output == OUTPUT_WIDE;
	AUTO(table_done) struct table t = table_begin(heads, wide ? ARRAY_SIZE(heads) : NARROW);
	AUTO(sb_done) struct sb json = SB_INIT;
	struct jw w = jw_init(&json);
	size_t n = 0;

	jw_obj(&w);
	jw_kv_arr(&w, "items");
	for (size_t i = 0; i < h->n; i++) {
		if (q && !fits(q, &h->spans[i]))
			continue;
		n++;
		write_span(&w, &h->spans[i]);
		add_row(&t, &h->spans[i], wide);
	}
	jw_end(&w);
	jw_end(&w);
	if (cli_is_document(cli))
		cli_print_json(cli, sb_get(&json));
	else
		table_print(&t, cli_look(cli), &cli->out);
	return n;
}

static int ask(const struct cli *cli, struct question *q)
{
	const char *text = cli->opt.args[0];
	struct mac_addr mac;

	if (cli->opt.at && clock_parse_rfc3339(cli->opt.at, &q->at)) {
		cli_note("--at: \"%s\" is no time like 2026-11-30T12:00:00Z", cli->opt.at);
		return -1;
	}
	if (!ip_parse(text, &q->addr))
		return 0;
	if (mac_parse(text, &mac)) {
		cli_note("\"%s\" is neither an address nor a MAC", text);
		return -1;
	}
	mac_format(&mac, q->mac);
	return 0;
}

static void tell_faults(const struct history *h)
{
	AUTO(free) char *copy = xstrdup(sb_get(&h->faults));
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		if (*line)
			cli_note("warning: the journal: %s", line);
	}
}

int command_history(struct cli *cli, struct err *e)
{
	AUTO(history_done) struct history h = {0};
	struct question q = {0};
	size_t n;

	if (cli->opt.n_args && ask(cli, &q) < 0)
		return EXIT_USAGE;
	if (read_all(cli, &h, e))
		return -1;
	n = print_spans(cli, &h, cli->opt.n_args ? &q : NULL);
	tell_faults(&h);
	if (!n)
		cli_note("the journal knows of nobody who had it%s", q.at ? " then" : "");
	return n && !h.faults.len ? EXIT_OK : EXIT_WRONG;
}
