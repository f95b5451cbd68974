/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/subnets.h"

#include <stdio.h>

#include "api/master.h"
#include "kubectl/cli.h"
#include "kubectl/print/bar.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"

static const char *const heads[] = {"NAME",     "MASTER",  "VLAN",        "CIDR",  "GATEWAY",
				    "USE",      "TOTAL",   "USED",        "FREE",  "STATE",
				    "RESERVED", "COOLING", "QUARANTINED", "REASON"};
#define NARROW 10

const char *subnets_state(const struct facts_subnet *s)
{
	const struct facts_condition *full = facts_condition_find(&s->conditions, "Exhausted");
	const struct facts_condition *near =
		facts_condition_find(&s->conditions, "NearlyExhausted");
	const struct facts_condition *ready = facts_condition_find(&s->conditions, "Ready");

	if (s->meta.deletion)
		return "terminating";
	if (s->why)
		return "invalid";
	if (!*s->phase)
		return "unseen";
	if (!ready || !str_eq(ready->status, "True"))
		return "not ready";
	if (full && str_eq(full->status, "True"))
		return "exhausted";
	return near && str_eq(near->status, "True") ? "nearly exhausted" : "ready";
}

/* What is wrong, in the words of its conditions. */
const char *subnets_reason(const struct facts_subnet *s)
{
	static const char *const bad[] = {"Exhausted", "Overlap", "Conflicts", "NearlyExhausted"};
	const struct facts_condition *c = facts_condition_find(&s->conditions, "Ready");

	if (s->why)
		return s->why;
	if (!*s->phase)
		return "no controller has seen it: kubectl macvlan status";
	if (c && !str_eq(c->status, "True"))
		return c->message;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		c = facts_condition_find(&s->conditions, bad[i]);
		if (c && str_eq(c->status, "True"))
			return c->message;
	}
	return "";
}

static enum print_style style_of(const char *state)
{
	if (str_eq(state, "ready"))
		return PRINT_GOOD;
	return str_eq(state, "nearly exhausted") ? PRINT_WARN : PRINT_BAD;
}

static struct bar_counts counts_of(const struct facts_subnet *s)
{
	return (struct bar_counts){s->total, s->used, s->reserved, s->cooling, s->quarantined};
}

/* Both families. */
static char *cidr_of(const struct facts_subnet *s)
{
	char v[IP_NET_LEN], v6[IP_NET_LEN];

	if (!s->spec)
		return xstrdup("");
	ip_net_format(&s->spec->v.cidr, v);
	ip_net_format(&s->spec->v6.cidr, v6);
	return xasprintf("%s%s%s", v, *v6 ? "," : "", v6);
}

static void add_row(struct table *t, const struct facts_subnet *s, bool wide)
{
	AUTO(free) char *cidr = cidr_of(s);
	struct bar_counts counts = counts_of(s);
	const char *state = subnets_state(s);
	char bar[BAR_LEN], gateway[IP_ADDR_LEN] = "", master[API_MASTER_TEXT] = "";

	if (s->spec) {
		ip_format(&s->spec->network.gateway, gateway);
		api_master_text(&s->spec->network, master);
	}
	table_add(t, PRINT_PLAIN, s->meta.name);
	table_add(t, PRINT_PLAIN, master);
	table_addf(t, PRINT_PLAIN, "%d", s->spec ? s->spec->network.vlan : 0);
	table_add(t, PRINT_PLAIN, cidr);
	table_add(t, PRINT_PLAIN, gateway);
	table_add(t, style_of(state), bar_text(&counts, bar));
	table_addf(t, PRINT_PLAIN, "%lld", (long long)s->total);
	table_addf(t, PRINT_PLAIN, "%lld", (long long)s->used);
	table_addf(t, PRINT_PLAIN, "%lld", (long long)s->free);
	table_add(t, style_of(state), state);
	if (!wide)
		return;
	table_addf(t, PRINT_PLAIN, "%lld", (long long)s->reserved);
	table_addf(t, PRINT_PLAIN, "%lld", (long long)s->cooling);
	table_addf(t, PRINT_PLAIN, "%lld", (long long)s->quarantined);
	table_add(t, PRINT_PLAIN, subnets_reason(s));
}

void subnets_write(struct jw *w, const struct facts_subnet *s)
{
	AUTO(free) char *cidr = cidr_of(s);
	char text[IP_ADDR_LEN], master[API_MASTER_TEXT];

	jw_obj(w);
	jw_kv_str(w, "name", s->meta.name);
	if (s->spec) {
		jw_kv_str(w, "master", api_master_text(&s->spec->network, master));
		jw_kv_i64(w, "vlan", s->spec->network.vlan);
		jw_kv_str(w, "cidr", cidr);
		jw_kv_opt(w, "gateway", ip_format(&s->spec->network.gateway, text));
	}
	jw_kv_str(w, "state", subnets_state(s));
	jw_kv_opt(w, "reason", subnets_reason(s));
	jw_kv_i64(w, "total", s->total);
	jw_kv_i64(w, "used", s->used);
	jw_kv_i64(w, "free", s->free);
	jw_kv_i64(w, "reserved", s->reserved);
	jw_kv_i64(w, "cooling", s->cooling);
	jw_kv_i64(w, "quarantined", s->quarantined);
	jw_end(w);
}

static void print_items(struct cli *cli, const struct facts_subnet *const *list, size_t n)
{
	bool wide = cli->opt.output == OUTPUT_WIDE;
	AUTO(table_done) struct table t = table_begin(heads, wide ? ARRAY_SIZE(heads) : NARROW);
	AUTO(sb_done) struct sb json = SB_INIT;
	struct jw w = jw_init(&json);

	jw_obj(&w);
	jw_kv_arr(&w, "items");
	for (size_t i = 0; i < n; i++) {
		subnets_write(&w, list[i]);
		add_row(&t, list[i], wide);
		if (cli->opt.output == OUTPUT_NAME)
			sb_printf(&cli->out, "macvlansubnet.tandem-cni.io/%s\n",
				  list[i]->meta.name);
	}
	jw_end(&w);
	jw_end(&w);
	if (cli_is_document(cli))
		cli_print_json(cli, sb_get(&json));
	else if (cli->opt.output != OUTPUT_NAME)
		table_print(&t, cli_look(cli), &cli->out);
}

int command_subnets(struct cli *cli, struct err *e)
{
	const char *wanted = cli->opt.n_args ? cli->opt.args[0] : NULL;
	AUTO(free) const struct facts_subnet **list = NULL;
	const struct facts *f = &cli->facts;
	size_t n = 0;

	if (cli_read(cli, FACTS_SUBNETS, cli->opt.system_ns, NULL, e))
		return -1;
	list = xcalloc(f->n_subnets + 1, sizeof(*list));
	for (size_t i = 0; i < f->n_subnets; i++) {
		if (!wanted || str_eq(f->subnets[i].meta.name, wanted))
			list[n++] = &f->subnets[i];
	}
	print_items(cli, list, n);
	if (n || cli_is_document(cli))
		return !n && wanted ? EXIT_WRONG : EXIT_OK;
	cli_note("%s%s in namespace %s",
		 wanted ? "there is no MacvlanSubnet " : "there are no MacvlanSubnets",
		 wanted ? wanted : "", cli->opt.system_ns);
	return wanted ? EXIT_WRONG : EXIT_OK;
}
