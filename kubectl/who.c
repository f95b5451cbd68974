/* SPDX-License-Identifier: Apache-2.0 */
/* Whose an address or a MAC is, and what a pod has. */
#include <stdio.h>
#include <string.h>

#include "kubectl/cli.h"
#include "kubectl/ips.h"
#include "kubectl/rules/place.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"

static void line(struct cli *cli, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	sb_printf(&cli->out, "%-10s ", key);
	print_clean(&cli->out, value);
	sb_putc(&cli->out, '\n');
}

static void tell_record(struct cli *cli, const struct api_ip *r)
{
	char mac[MAC_ADDR_LEN], at[CLOCK_RFC3339_LEN];

	line(cli, "Pod UID:", r->pod_id);
	line(cli, "Node:", r->node);
	if (api_ip_is_allocated(r))
		line(cli, "MAC:", mac_format(&r->mac, mac));
	if (r->meta.created)
		line(cli, "Since:", clock_rfc3339(r->meta.created, at));
}

static void tell(struct cli *cli, const struct address *a)
{
	char addr[IP_ADDR_LEN], why[ADDRESS_WHY_LEN], at[CLOCK_RFC3339_LEN];

	if (cli->out.len)
		sb_putc(&cli->out, '\n');
	line(cli, "Address:", ip_is_set(&a->addr) ? ip_format(&a->addr, addr) : "none yet");
	line(cli, "Subnet:", a->subnet_name);
	sb_printf(&cli->out, "%-10s ", "State:");
	print_styled(&cli->out, cli->colour, ips_style(a->state), address_state_name(a->state));
	address_why(a, why);
	sb_puts(&cli->out, *why ? ": " : "");
	print_clean(&cli->out, why);
	sb_putc(&cli->out, '\n');
	if (a->until)
		line(cli, "Until:", clock_rfc3339(a->until, at));
	if (a->pod) {
		AUTO(free) char *pod = xasprintf("%s/%s", a->ns, a->pod);

		line(cli, "Pod:", pod);
	}
	if (a->record)
		tell_record(cli, a->record);
	line(cli, "Kept for:", a->owner);
}

/* What is asked for: one of the three. */
struct question {
	struct ip_addr addr; /* unset = none */
	struct mac_addr mac;
	bool is_mac;
	char *ns, *pod;
};

static void ask(const struct cli *cli, const char *text, struct question *q)
{
	const char *slash = strchr(text, '/');

	q->is_mac = !mac_parse(text, &q->mac);
	if (q->is_mac || !ip_parse(text, &q->addr))
		return;
	q->ns = slash ? xstrndup(text, (size_t)(slash - text)) : xstrdup(cli->ns);
	q->pod = xstrdup(slash ? slash + 1 : text);
}

static bool fits(const struct question *q, const struct address *a)
{
	if (q->is_mac)
		return a->record && api_ip_is_allocated(a->record) &&
		       mac_eq(&a->record->mac, &q->mac);
	if (ip_is_set(&q->addr))
		return ip_eq(&q->addr, &a->addr);
	return str_eq(q->pod, a->pod) && str_eq(q->ns, a->ns);
}

/* Nobody has it: what is to be said of it all the same. */
static int nobody(struct cli *cli, const struct question *q)
{
	char text[PLACE_LEN];

	if (ip_is_set(&q->addr)) {
		place_of(&cli->facts, &q->addr, text);
		if (cli_is_document(cli))
			cli_note("%s", text);
		else
			sb_printf(&cli->out, "%s\n", text);
	} else {
		cli_note("nobody has %s", cli->opt.args[0]);
	}
	return EXIT_WRONG;
}

int command_who(struct cli *cli, struct err *e)
{
	AUTO(addresses_done) struct addresses all = {0};
	AUTO(sb_done) struct sb json = SB_INIT;
	struct jw w = jw_init(&json);
	struct question q = {0};
	size_t n = 0;

	ask(cli, cli->opt.args[0], &q);
	/* An address of any namespace. */
	cli->opt.all_namespaces = !q.pod;
	if (q.pod)
		cli->opt.namespace = q.ns;
	if (cli_read_addresses(cli, e)) {
		free(q.ns);
		free(q.pod);
		return -1;
	}
	all = addresses_make(&cli->facts, cli->hold_s);
	jw_obj(&w);
	jw_kv_arr(&w, "items");
	for (size_t i = 0; i < all.n; i++) {
		if (!fits(&q, &all.items[i]))
			continue;
		n++;
		ips_write(&w, &all.items[i]);
		if (cli->opt.output == OUTPUT_NAME && all.items[i].record)
			sb_printf(&cli->out, "macvlanip.tandem-cni.io/%s\n", all.items[i].pod);
		else if (!cli_is_document(cli) && cli->opt.output != OUTPUT_NAME)
			tell(cli, &all.items[i]);
	}
	jw_end(&w);
	jw_end(&w);
	if (cli_is_document(cli))
		cli_print_json(cli, sb_get(&json));
	n = n ? EXIT_OK : (size_t)nobody(cli, &q);
	free(q.ns);
	free(q.pod);
	return (int)n;
}
