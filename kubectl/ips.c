/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/ips.h"

#include <stdio.h>
#include <string.h>

#include "kubectl/cli.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"

static const char *const heads[] = {"SUBNET", "ADDRESS", "STATE", "POD",  "NODE",
				    "UNTIL",  "WHY",     "MAC",   "SINCE"};
#define NARROW 7

enum print_style ips_style(enum address_state s)
{
	switch (s) {
	case ADDRESS_ATTACHED:
		return PRINT_GOOD;
	case ADDRESS_MISSING:
	case ADDRESS_CONFLICT:
	case ADDRESS_UNKNOWN:
	case ADDRESS_QUARANTINED:
		return PRINT_BAD;
	case ADDRESS_HELD:
	case ADDRESS_ENDING:
	case ADDRESS_PENDING:
		return PRINT_WARN;
	default:
		return PRINT_PLAIN;
	}
}

static char *pod_of(const struct address *a)
{
	return a->pod ? xasprintf("%s/%s", a->ns, a->pod) : xstrdup("");
}

static void add_until(struct table *t, const struct address *a, bool wide)
{
	char text[CLOCK_RFC3339_LEN], span[PRINT_SPAN_LEN];

	if (!a->until)
		table_add(t, PRINT_PLAIN, "");
	else if (wide)
		table_add(t, PRINT_PLAIN, clock_rfc3339(a->until, text));
	else
		table_addf(t, PRINT_PLAIN, "in %s", print_span(a->until - clock_wall_s(), span));
}

static void add_row(struct table *t, const struct address *a, bool wide)
{
	AUTO(free) char *pod = pod_of(a);
	char addr[IP_ADDR_LEN], why[ADDRESS_WHY_LEN], mac[MAC_ADDR_LEN] = "";
	char since[CLOCK_RFC3339_LEN] = "";

	table_add(t, PRINT_PLAIN, a->subnet_name);
	table_add(t, PRINT_PLAIN, ip_format(&a->addr, addr));
	table_add(t, ips_style(a->state), address_state_name(a->state));
	table_add(t, PRINT_PLAIN, pod);
	table_add(t, PRINT_PLAIN, a->record ? a->record->node : "");
	add_until(t, a, wide);
	table_add(t, PRINT_PLAIN, address_why(a, why));
	if (!wide)
		return;
	if (a->record && api_ip_is_allocated(a->record))
		mac_format(&a->record->mac, mac);
	if (a->record && a->record->meta.created)
		clock_rfc3339(a->record->meta.created, since);
	table_add(t, PRINT_PLAIN, mac);
	table_add(t, PRINT_PLAIN, since);
}

void ips_write(struct jw *w, const struct address *a)
{
	char text[IP_ADDR_LEN], why[ADDRESS_WHY_LEN], mac[MAC_ADDR_LEN], at[CLOCK_RFC3339_LEN];

	jw_obj(w);
	jw_kv_str(w, "subnet", a->subnet_name);
	jw_kv_opt(w, "address", ip_format(&a->addr, text));
	jw_kv_str(w, "state", address_state_name(a->state));
	jw_kv_opt(w, "namespace", a->ns);
	jw_kv_opt(w, "pod", a->pod);
	if (a->record) {
		jw_kv_opt(w, "podUID", a->record->pod_id);
		jw_kv_opt(w, "node", a->record->node);
		if (api_ip_is_allocated(a->record))
			jw_kv_str(w, "mac", mac_format(&a->record->mac, mac));
		if (a->record->meta.created)
			jw_kv_str(w, "since", clock_rfc3339(a->record->meta.created, at));
	}
	jw_kv_opt(w, "keptFor", a->owner);
	if (a->until)
		jw_kv_str(w, "until", clock_rfc3339(a->until, at));
	if (a->unproven)
		jw_kv_bool(w, "unproven", true);
	jw_kv_opt(w, "why", address_why(a, why));
	jw_end(w);
}

/* ------------------------------------------------------------------ which ones */

static bool has_mac(const struct address *a, const char *text)
{
	struct mac_addr mac;

	return a->record && api_ip_is_allocated(a->record) && !mac_parse(text, &mac) &&
	       mac_eq(&mac, &a->record->mac);
}

static bool is_wanted(const struct cli *cli, const struct address *a)
{
	const struct args *o = &cli->opt;

	if (o->subnet && !str_eq(o->subnet, a->subnet_name))
		return false;
	if (o->node && !(a->record && str_eq(o->node, a->record->node)))
		return false;
	if (o->pod && !str_eq(o->pod, a->pod))
		return false;
	if (o->mac && !has_mac(a, o->mac))
		return false;
	return o->all_namespaces || !o->namespace || str_eq(o->namespace, a->ns);
}

static void print_all(struct cli *cli, const struct addresses *all)
{
	bool wide = cli->opt.output == OUTPUT_WIDE;
	AUTO(table_done) struct table t = table_begin(heads, wide ? ARRAY_SIZE(heads) : NARROW);
	AUTO(sb_done) struct sb json = SB_INIT;
	struct jw w = jw_init(&json);

	jw_obj(&w);
	jw_kv_arr(&w, "items");
	for (size_t i = 0; i < all->n; i++) {
		if (!is_wanted(cli, &all->items[i]))
			continue;
		ips_write(&w, &all->items[i]);
		add_row(&t, &all->items[i], wide);
		if (cli->opt.output == OUTPUT_NAME && all->items[i].record)
			sb_printf(&cli->out, "macvlanip.tandem-cni.io/%s\n", all->items[i].pod);
	}
	jw_end(&w);
	jw_end(&w);
	if (cli_is_document(cli))
		cli_print_json(cli, sb_get(&json));
	else if (cli->opt.output != OUTPUT_NAME)
		table_print(&t, cli_look(cli), &cli->out);
}

int command_ips(struct cli *cli, struct err *e)
{
	AUTO(addresses_done) struct addresses all = {0};

	if (cli_read_addresses(cli, e))
		return -1;
	all = addresses_make(&cli->facts, cli->hold_s);
	print_all(cli, &all);
	if (!cli->out.len)
		cli_note("no address is in use");
	return EXIT_OK;
}
