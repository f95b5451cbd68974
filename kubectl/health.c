/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/labels.h"
#include "kubectl/cli.h"
#include "kubectl/subnets.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/path.h"
#include "lib/kube/wait.h"

#define LEASE "tandem-controller"

void health_done(struct health_lines *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].name);
		free(l->items[i].text);
	}
	free(l->items);
	*l = (struct health_lines){0};
}

void health_add(struct health_lines *out, const char *kind, const char *name, enum health health,
		const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (!(out->n & (out->n - 1)))
		out->items =
			xreallocarray(out->items, out->n ? 2 * out->n : 1, sizeof(*out->items));
	out->items[out->n++] = (struct health_line){kind, xstrdup(name), health, text};
}

/* ------------------------------------------------------------------ tandem's own pods */

static bool is_part(const struct facts_pod *p, const char *component)
{
	return str_eq(api_labels_get(p->pod->labels, "app.kubernetes.io/component"), component);
}

static bool is_ready(const struct facts_pod *p)
{
	const struct facts_condition *c = facts_condition_find(&p->conditions, "Ready");

	return c && str_eq(c->status, "True");
}

/* The tag of its image. */
static const char *version_of(const struct facts_pod *p)
{
	const char *colon = strrchr(p->image, ':');

	return colon && !strchr(colon, '/') ? colon + 1 : "unknown";
}

/* ------------------------------------------------------------------ the controller */

struct lease {
	char *holder; /* the host that holds it, "" = nobody */
	int64_t silent_s, duration_s;
};

static void lease_done(struct lease *l)
{
	free(l->holder);
}
DEFINE_AUTO_VALUE(struct lease, lease_done)

/* The holder's name is "<host>_<random>". */
static void read_spec(const struct jval *spec, struct lease *out)
{
	const char *holder = "", *renewed = "";
	struct err ignored = {0};
	int64_t at = 0;

	if (jget_str(spec, "holderIdentity", &holder, &ignored) < 1)
		holder = "";
	if (jget_str(spec, "renewTime", &renewed, &ignored) == 1 &&
	    !clock_parse_rfc3339(renewed, &at))
		out->silent_s = clock_wall_s() - at;
	IGNORE(jget_i64(spec, "leaseDurationSeconds", JRANGE(0, 86400), &out->duration_s,
			&ignored) < 1,
	       "none is 0");
	out->holder = xstrndup(holder, strcspn(holder, "_"));
}

/* 1 found, 0 not, -1. */
static int read_lease(struct cli *cli, struct lease *out, struct err *e)
{
	AUTO(free)
	char *path = kube_path("coordination.k8s.io/v1", cli->opt.system_ns, "leases", LEASE, NULL);
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root, spec;

	if (kube_get(cli->client, path, cli_deadline(cli), &doc, e))
		return e->kind == ERR_NOT_FOUND ? 0 : -1;
	root = jdoc_root(doc);
	if (jneed_obj(&root, "spec", &spec, e) < 0)
		return -1;
	read_spec(&spec, out);
	return 1;
}

/* NULL = it is held by one that lives. */
static char *lease_wrong(const struct cli *cli, const struct lease *l, int found)
{
	char span[PRINT_SPAN_LEN];

	if (!found)
		return xasprintf("no controller has ever led: there is no Lease " LEASE
				 " in namespace %s; is the Deployment there?",
				 cli->opt.system_ns);
	if (!*l->holder)
		return xstrdup("no controller leads: its Lease is given back; is one running?");
	if (l->silent_s > l->duration_s)
		return xasprintf("no controller leads: %s renewed its Lease %s ago; see its log",
				 l->holder, print_span(l->silent_s, span));
	return NULL;
}

char *health_leader_wrong(struct cli *cli)
{
	AUTO(lease_done) struct lease l = {0};
	struct err ignored = {0};
	int rc = read_lease(cli, &l, &ignored);

	/* What the user may not see is not said to be wrong. */
	return rc < 0 ? NULL : lease_wrong(cli, &l, rc);
}

void health_controller(struct cli *cli, struct health_lines *out)
{
	AUTO(lease_done) struct lease l = {0};
	AUTO(free) char *wrong = NULL;
	const struct facts_pod *leader = NULL;
	size_t ready = 0, all = 0;
	struct err e = {0};
	int rc = read_lease(cli, &l, &e);

	if (rc < 0) {
		health_add(out, "controller", NULL, HEALTH_WARNING, "its Lease cannot be read: %s",
			   e.msg);
		return;
	}
	wrong = lease_wrong(cli, &l, rc);
	for (size_t i = 0; i < cli->facts.n_pods; i++) {
		const struct facts_pod *p = &cli->facts.pods[i];

		if (!is_part(p, "controller"))
			continue;
		all++;
		ready += is_ready(p);
		if (rc && str_eq(p->pod->meta.name, l.holder))
			leader = p;
	}
	if (wrong)
		health_add(out, "controller", NULL, HEALTH_WRONG, "%s", wrong);
	else if (all && ready < all)
		health_add(out, "controller", NULL, HEALTH_WARNING,
			   "%s leads, version %s; %zu of %zu replicas are ready", l.holder,
			   leader ? version_of(leader) : "unknown", ready, all);
	else
		health_add(out, "controller", NULL, HEALTH_OK, "%s leads, version %s", l.holder,
			   leader ? version_of(leader) : "unknown");
}

/* ------------------------------------------------------------------ nodes */

static const struct facts_pod *daemon_of(const struct cli *cli, const char *node, bool *any)
{
	const struct facts_pod *found = NULL;

	*any = false;
	for (size_t i = 0; i < cli->facts.n_pods; i++) {
		const struct facts_pod *p = &cli->facts.pods[i];

		if (!is_part(p, "node"))
			continue;
		*any = true;
		if (str_eq(p->pod->node, node) && (!found || is_ready(p)))
			found = p;
	}
	return found;
}

/* What the daemon has written on its Node: state and message; false when it has not. */
static bool read_annotation(const struct facts_node *n, char state[32], char message[400])
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	const char *s = "", *m = "";
	struct err ignored = {0};
	struct jval root;

	if (!n || !*n->installed ||
	    jdoc_parse("node", n->installed, strlen(n->installed), &doc, &ignored) < 0)
		return false;
	root = jdoc_root(doc);
	if (!jis_obj(&root) || jget_str(&root, "state", &s, &ignored) < 1)
		return false;
	if (jget_str(&root, "message", &m, &ignored) < 1)
		m = "";
	snprintf(state, 32, "%s", s);
	snprintf(message, 400, "%s", m);
	return true;
}

char *health_daemon_wrong(struct cli *cli, const char *node)
{
	const struct facts_node *n = facts_node(&cli->facts, node);
	char state[32], message[400];
	bool any;
	const struct facts_pod *p = daemon_of(cli, node, &any);

	if (!any)
		return NULL;
	if (!p)
		return xasprintf(
			"no tandem-node runs on node %s; look at the DaemonSet's nodeSelector "
			"and tolerations",
			node);
	if (!is_ready(p))
		return xasprintf(
			"tandem-node on node %s is not ready%s%s; see kubectl logs -n %s %s", node,
			*p->waiting ? ": " : "", p->waiting, cli->opt.system_ns, p->pod->meta.name);
	if (read_annotation(n, state, message) && !str_eq(state, "installed"))
		return xasprintf("tandem-node on node %s is %s%s%s", node, state,
				 *message ? ": " : "", message);
	return NULL;
}

static void node_line(struct cli *cli, const struct facts_node *n, struct health_lines *out)
{
	const struct facts_condition *c = facts_condition_find(&n->conditions, "Ready");
	AUTO(free) char *wrong = health_daemon_wrong(cli, n->name);
	char state[32], message[400];
	const struct facts_pod *p;
	bool any;

	p = daemon_of(cli, n->name, &any);
	if (!c || !str_eq(c->status, "True"))
		health_add(out, "node", n->name, HEALTH_WARNING, "the node is not ready%s%s",
			   c && *c->message ? ": " : "", c ? c->message : "");
	else if (wrong)
		health_add(out, "node", n->name, HEALTH_WRONG, "%s", wrong);
	else if (p && read_annotation(n, state, message))
		health_add(out, "node", n->name, HEALTH_OK, "tandem-node %s, %s", version_of(p),
			   state);
	else if (p)
		health_add(out, "node", n->name, HEALTH_OK, "tandem-node %s", version_of(p));
}

void health_nodes(struct cli *cli, struct health_lines *out)
{
	bool any;

	daemon_of(cli, "", &any);
	if (!any)
		health_add(out, "node", NULL, HEALTH_WARNING,
			   "no tandem-node runs: no node reports its cards");
	for (size_t i = 0; i < cli->facts.n_nodes; i++)
		node_line(cli, &cli->facts.nodes[i], out);
}

void health_subnets(struct cli *cli, struct health_lines *out)
{
	for (size_t i = 0; i < cli->facts.n_subnets; i++) {
		const struct facts_subnet *s = &cli->facts.subnets[i];
		const char *state = subnets_state(s), *reason = subnets_reason(s);
		enum health h = str_eq(state, "ready")              ? HEALTH_OK
				: str_eq(state, "nearly exhausted") ? HEALTH_WARNING
								    : HEALTH_WRONG;

		health_add(out, "subnet", s->meta.name, h,
			   "%s: %lld of %lld addresses are free%s%s", state, (long long)s->free,
			   (long long)s->total, *reason ? "; " : "", reason);
	}
	if (!cli->facts.n_subnets)
		health_add(out, "subnet", NULL, HEALTH_WARNING,
			   "there is no MacvlanSubnet in namespace %s", cli->opt.system_ns);
}
