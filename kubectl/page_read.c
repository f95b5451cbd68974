/* SPDX-License-Identifier: Apache-2.0 */
/* What the page shows. */
#include <stdio.h>
#include <string.h>

#include "api/workload.h"
#include "controller/rules/range.h"
#include "kubectl/cli.h"
#include "kubectl/ips.h"
#include "kubectl/page.h"
#include "kubectl/subnets.h"
#include "kubectl/why.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/httpd/httpd.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"

static int bad_query(struct err *e)
{
	return err_set(e, ERR_CONFIG, 0, "the query is not one of the page's");
}

/* ------------------------------------------------------------------ subnets */

int page_read_subnets(struct cli *cli, const struct http_request *req, struct sb *out,
		      struct err *e)
{
	struct jw w = jw_init(out);

	(void)req;
	if (cli_read(cli, FACTS_SUBNETS, cli->opt.system_ns, NULL, e))
		return -1;
	jw_obj(&w);
	jw_kv_str(&w, "server", cli->server);
	jw_kv_opt(&w, "as", cli->opt.as);
	jw_kv_str(&w, "namespace", cli->opt.system_ns);
	jw_kv_str(&w, "version", TANDEM_VERSION);
	jw_kv_arr(&w, "items");
	for (size_t i = 0; i < cli->facts.n_subnets; i++)
		subnets_write(&w, &cli->facts.subnets[i]);
	jw_end(&w);
	jw_end(&w);
	return 0;
}

int page_read_subnet(struct cli *cli, const struct http_request *req, struct sb *out, struct err *e)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	AUTO(free) char *path = NULL;
	char name[PAGE_WORD_LEN];
	struct kube_request get;

	if (!page_word(req, "name", name) || !*name)
		return bad_query(e);
	path = kube_path(API_GROUP_VERSION, cli->opt.system_ns, API_PLURAL_SUBNET, name, NULL);
	get = kube_request_get(path, NULL, cli_deadline(cli));
	if (kube_do(cli->client, &get, &res, e))
		return -1;
	sb_add(out, res.body, res.body_len);
	return 0;
}

/* ------------------------------------------------------------------ addresses */

struct run {
	struct ip_addr first, last;
	bool given; /* pods can have these; else they are excluded */
};

static void write_run(struct jw *w, const struct run *r)
{
	char text[IP_ADDR_LEN];

	jw_arr(w);
	jw_str(w, ip_format(&r->first, text));
	jw_str(w, ip_format(&r->last, text));
	jw_bool(w, r->given);
	jw_end(w);
}

/* The addresses of one family, as runs of those that can be given and of those that are excluded. */
static void write_runs(struct jw *w, const struct api_subnet *s, const struct api_family *v)
{
	AUTO(ipam_set_done) struct ipam_set all = IPAM_SET_INIT;
	AUTO(ipam_set_done) struct ipam_set given = IPAM_SET_INIT;
	struct api_subnet whole = *s;
	struct err ignored = {0};
	struct run run = {0};
	struct ip_addr at = {0};

	whole.n_exclude = 0;
	if (!ip_is_set(&v->cidr.addr) || range_build(&whole, v, &all, &ignored))
		return;
	/* Where all is excluded it fails, and is empty. */
	IGNORE(range_build(s, v, &given, &ignored), "then nothing can be given");
	while (ipam_set_next(&all, &at, NULL, 0, &at)) {
		bool is_given = ipam_set_has(&given, &at);

		if (ip_is_set(&run.first) && ip_distance(&run.last, &at) == 1 &&
		    run.given == is_given) {
			run.last = at;
		} else {
			if (ip_is_set(&run.first))
				write_run(w, &run);
			run = (struct run){at, at, is_given};
		}
		if (ip_add(&at, 1, &at))
			break;
	}
	if (ip_is_set(&run.first))
		write_run(w, &run);
}

/* Of the last hour; by then the pod has another address, and the one in question is quarantined. */
static void write_conflicts(struct jw *w, const struct facts *f, const struct facts_subnet *s)
{
	char text[CLOCK_RFC3339_LEN], mac[MAC_ADDR_LEN];

	for (size_t i = 0; i < s->allocation.n_conflicts; i++) {
		const struct ipam_conflict *c = &s->allocation.conflicts[i];

		jw_obj(w);
		jw_kv_str(w, "subnet", s->meta.name);
		jw_kv_str(w, "at", clock_rfc3339(c->at, text));
		if (mac_is_usable(&c->mac))
			jw_kv_str(w, "mac", mac_format(&c->mac, mac));
		for (size_t k = 0; k < f->n_records; k++) {
			if (!str_eq(f->records[k]->pod_id, c->pod_uid))
				continue;
			jw_kv_str(w, "namespace", f->records[k]->meta.ns);
			jw_kv_str(w, "pod", f->records[k]->meta.name);
			break;
		}
		jw_end(w);
	}
}

static void write_subnet(struct jw *w, const struct facts *f, const char *name)
{
	const struct facts_subnet *s = facts_subnet(f, name);

	if (!s)
		return;
	jw_key(w, "subnet");
	subnets_write(w, s);
	jw_kv_arr(w, "runs");
	if (s->spec) {
		write_runs(w, s->spec, &s->spec->v);
		write_runs(w, s->spec, &s->spec->v6);
	}
	jw_end(w);
}

static void write_workloads(struct jw *w, const struct facts *f)
{
	jw_kv_obj(w, "workloads");
	for (size_t i = 0; i < f->n_pods; i++) {
		AUTO(free) char *id = api_workload_id_of_pod(f->pods[i].pod);

		if (id)
			jw_kv_str(w, f->pods[i].pod->meta.uid, id);
	}
	jw_end(w);
}

static void write_rivals(struct jw *w, const struct addresses *all)
{
	char mac[MAC_ADDR_LEN];
	struct mac_addr rival;

	jw_kv_obj(w, "rivals");
	for (size_t i = 0; i < all->n; i++) {
		const struct address *a = &all->items[i];
		char text[IP_ADDR_LEN];

		if (a->state == ADDRESS_CONFLICT && ip_is_set(&a->addr) &&
		    api_ip_rival_mac(a->record->message, &rival))
			jw_kv_str(w, ip_format(&a->addr, text), mac_format(&rival, mac));
	}
	jw_end(w);
}

int page_read_addresses(struct cli *cli, const struct http_request *req, struct sb *out,
			struct err *e)
{
	char subnet[PAGE_WORD_LEN], workloads[PAGE_WORD_LEN];
	AUTO(addresses_done) struct addresses all = {0};
	struct jw w = jw_init(out);
	struct err ignored = {0};

	if (!page_word(req, "subnet", subnet) || !page_word(req, "workloads", workloads))
		return bad_query(e);
	if (cli_read_addresses(cli, e))
		return -1;
	all = addresses_make(&cli->facts, cli->hold_s);
	jw_obj(&w);
	jw_kv_arr(&w, "items");
	for (size_t i = 0; i < all.n; i++) {
		if (!*subnet || str_eq(subnet, all.items[i].subnet_name))
			ips_write(&w, &all.items[i]);
	}
	jw_end(&w);
	write_rivals(&w, &all);
	jw_kv_arr(&w, "conflicts");
	for (size_t i = 0; i < cli->facts.n_subnets; i++) {
		if (!*subnet || str_eq(subnet, cli->facts.subnets[i].meta.name))
			write_conflicts(&w, &cli->facts, &cli->facts.subnets[i]);
	}
	jw_end(&w);
	if (*subnet)
		write_subnet(&w, &cli->facts, subnet);
	/* Pods are many: they are read when the page asks for them. */
	if (*workloads && !cli_read(cli, FACTS_PODS, cli->opt.namespace, NULL, &ignored))
		write_workloads(&w, &cli->facts);
	jw_end(&w);
	return 0;
}

/* ------------------------------------------------------------------ why */

int page_read_why(struct cli *cli, const struct http_request *req, struct sb *out, struct err *e)
{
	char ns[PAGE_WORD_LEN], pod[PAGE_WORD_LEN];
	struct jw w = jw_init(out);
	struct why why;

	if (!page_word(req, "namespace", ns) || !page_word(req, "pod", pod) || !*ns || !*pod)
		return bad_query(e);
	if (why_read(cli, ns, pod, &why, e))
		return -1;
	why_write(&w, &why);
	return 0;
}
