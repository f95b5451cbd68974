/* SPDX-License-Identifier: Apache-2.0 */
/* Why a pod has no card, or that nothing is wrong. */
#include "kubectl/why.h"

#include <string.h>

#include "api/labels.h"
#include "kubectl/cli.h"
#include "kubectl/health.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/path.h"
#include "lib/kube/wait.h"

/* The namespace's labels, and the subnet that it gives by default, NULL = none; false when it cannot be read. */
static bool read_namespace(struct cli *cli, const char *ns, char **labels, char **subnet)
{
	AUTO(free) char *path = kube_path("v1", NULL, "namespaces", ns, NULL);
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err ignored = {0};
	struct jval root, meta, annotations;
	const char *text = NULL;

	if (kube_get(cli->client, path, cli_deadline(cli), &doc, &ignored))
		return false;
	root = jdoc_root(doc);
	if (jget_obj(&root, "metadata", &meta, &ignored) != 1)
		return false;
	if (jget_obj(&meta, "annotations", &annotations, &ignored) == 1 &&
	    jget_str(&annotations, API_ANNOTATION_SUBNET, &text, &ignored) == 1)
		*subnet = xstrdup(text);
	return !api_labels_decode(&meta, "labels", labels, &ignored);
}

/* A namespace other than the system's that has a MacvlanSubnet of this name. */
static char *find_elsewhere(struct cli *cli, const char *subnet)
{
	AUTO(facts_done) struct facts all = {0};
	const struct facts_from from = {.client = cli->client, .deadline_ms = cli_deadline(cli)};
	struct err ignored = {0};

	if (facts_read(&all, FACTS_SUBNETS, &from, &ignored))
		return NULL;
	for (size_t i = 0; i < all.n_subnets; i++) {
		if (str_eq(all.subnets[i].meta.name, subnet) &&
		    !str_eq(all.subnets[i].meta.ns, cli->opt.system_ns))
			return xstrdup(all.subnets[i].meta.ns);
	}
	return NULL;
}

static int read_pod(struct cli *cli, const char *ns, const char *name, struct facts *out,
		    struct err *e)
{
	AUTO(free) char *path = kube_path("v1", ns, "pods", name, NULL);
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root;

	if (kube_get(cli->client, path, cli_deadline(cli), &doc, e)) {
		if (e->kind != ERR_NOT_FOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	root = jdoc_root(doc);
	return facts_add_pod(out, &root, cli->legacy, e);
}

static int read_all(struct cli *cli, const char *ns, const char *name, struct err *e)
{
	AUTO(sb_done) struct sb query = SB_INIT;

	cli->opt.all_namespaces = true;
	kube_query_add_field(&query, "involvedObject.name", name);
	if (cli_read_addresses(cli, e) || cli_read(cli, FACTS_NODES, NULL, NULL, e) ||
	    cli_read(cli, FACTS_EVENTS, ns, sb_get(&query), e))
		return -1;
	return 0;
}

static void print_steps(struct cli *cli, const struct why *w)
{
	for (size_t i = 0; i < w->n; i++) {
		sb_printf(&cli->out, "%-12s ", w->steps[i].what);
		print_styled(&cli->out, cli->colour, w->steps[i].wrong ? PRINT_BAD : PRINT_GOOD,
			     w->steps[i].wrong ? "WRONG" : "ok   ");
		sb_puts(&cli->out, "  ");
		print_clean(&cli->out, w->steps[i].text);
		sb_putc(&cli->out, '\n');
	}
	if (!w->wrong)
		sb_puts(&cli->out, "Nothing is wrong.\n");
}

void why_write(struct jw *w, const struct why *why)
{
	jw_obj(w);
	jw_kv_bool(w, "wrong", why->wrong);
	if (why->wrong)
		jw_kv_str(w, "why", why->steps[why->n - 1].text);
	jw_kv_arr(w, "steps");
	for (size_t i = 0; i < why->n; i++) {
		jw_obj(w);
		jw_kv_str(w, "what", why->steps[i].what);
		jw_kv_bool(w, "wrong", why->steps[i].wrong);
		jw_kv_str(w, "text", why->steps[i].text);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

static void print_document(struct cli *cli, const struct why *why)
{
	AUTO(sb_done) struct sb json = SB_INIT;
	struct jw out = jw_init(&json);

	why_write(&out, why);
	cli_print_json(cli, sb_get(&json));
}

/* The first of the subnets that the pod asks for which does not exist where it counts; NULL. The caller frees it. */
static char *find_missing(const struct cli *cli, const struct why_in *in)
{
	const struct api_request *q = NULL;
	AUTO(api_request_done) struct api_request by_default = {0};
	struct err ignored = {0};
	char *name = NULL;
	size_t pos = 0;

	if (in->default_subnet &&
	    api_annotations_by_default(&in->pod->pod->annotations, in->default_subnet, &by_default,
				       &ignored) == 1)
		q = &by_default;
	else if (api_annotations_request(&in->pod->pod->annotations, &q, &ignored) < 0)
		return NULL;
	while (api_request_next_subnet(q, &pos, &name)) {
		if (!facts_subnet(&cli->facts, name))
			return name;
	}
	return NULL;
}

/* What stands in the way, walked through; all that is read for it is freed again. */
static void walk(struct cli *cli, struct why_in *in, struct why *w)
{
	AUTO(free) char *labels = NULL, *subnet = NULL, *missing = NULL, *elsewhere = NULL;
	AUTO(free) char *leader = NULL, *daemon = NULL;
	AUTO(free) char *of = xasprintf("namespace %s", in->ns);

	in->ns_known = read_namespace(cli, in->ns, &labels, &subnet);
	in->ns_labels = labels;
	in->default_subnet = subnet ? subnet : cli->default_subnet;
	in->default_of = subnet ? of : "the controller";
	missing = in->pod ? find_missing(cli, in) : NULL;
	in->missing = missing;
	if (missing)
		in->elsewhere = elsewhere = find_elsewhere(cli, missing);
	in->leader_wrong = leader = health_leader_wrong(cli);
	in->daemon_wrong = daemon = in->pod ? health_daemon_wrong(cli, in->pod->pod->node) : NULL;
	why_pod(in, w);
}

int why_read(struct cli *cli, const char *ns, const char *name, struct why *out, struct err *e)
{
	AUTO(facts_done) struct facts own = {0};
	struct why_in in = {.facts = &cli->facts, .ns = ns, .name = name};

	if (read_all(cli, ns, name, e) || read_pod(cli, ns, name, &own, e))
		return -1;
	in.pod = own.n_pods ? &own.pods[0] : NULL;
	in.system_ns = cli->opt.system_ns;
	in.hold_s = cli->hold_s;
	in.now_s = clock_wall_s();
	walk(cli, &in, out);
	return 0;
}

int command_why(struct cli *cli, struct err *e)
{
	const char *arg = cli->opt.args[0], *slash = strchr(arg, '/');
	AUTO(free)
	char *ns = slash ? xstrndup(arg, (size_t)(slash - arg)) : xstrdup(cli->ns);
	struct why w;

	if (why_read(cli, ns, slash ? slash + 1 : arg, &w, e))
		return -1;
	if (cli_is_document(cli))
		print_document(cli, &w);
	else
		print_steps(cli, &w);
	return w.wrong ? EXIT_WRONG : EXIT_OK;
}
