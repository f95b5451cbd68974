/* SPDX-License-Identifier: Apache-2.0 */
/* Which subnets a pod asks for, and whether it may have a card of one of them. */
#include <stdio.h>
#include <string.h>

#include "api/labels.h"
#include "controller/rules/decide.h"
#include "kubectl/facts/facts.h"
#include "kubectl/rules/why_int.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

#define LABELS_MAX 256
#define MSG_LEN    512

/* ------------------------------------------------------------------ what it asks for */

void why_request_read(const struct why_in *in, struct why_request *out)
{
	const struct api_annotations *a = &in->pod->pod->annotations;
	const struct api_request *own = NULL;
	int rc = in->default_subnet ? api_annotations_by_default(a, in->default_subnet,
								 &out->request, &out->bad)
				    : 0;

	out->by_default = rc != 0;
	if (!rc)
		rc = api_annotations_request(a, &own, &out->bad);
	out->is_bad = rc < 0;
	if (own && !out->is_bad)
		out->request = api_request_copy(own);
}

/* A default is for pods that can have a card. */
static const char *default_in_vain(const struct api_pod *p)
{
	if (p->host_network)
		return "a pod with hostNetwork gets no card";
	return p->is_static ? "a static pod gets no card" : NULL;
}

bool why_wants_none(const struct why_in *in, const struct why_request *q, struct why *w)
{
	const struct api_pod *p = in->pod->pod;
	const char *vain = q->by_default ? default_in_vain(p) : NULL;

	if (vain)
		return why_say(w, true, "annotations", "%s, and the default of %s is not for it",
			       vain, in->default_of);
	if (q->by_default && p->has_ip && !facts_record(in->facts, in->ns, in->name))
		return why_say(
			w, true, "annotations",
			"the pod's network was set up without a card, before %s had a default; "
			"recreate the pod",
			in->default_of);
	if (q->request.refused)
		return why_say(w, true, "annotations",
			       "pod %s/%s asks for no card: annotation " API_ANNOTATION_SUBNET
			       " says " API_SUBNET_NONE
			       "; name a MacvlanSubnet there, and recreate the pod",
			       in->ns, in->name);
	if (!q->by_default && !api_pod_is_annotated(p))
		return why_say(
			w, true, "annotations",
			"pod %s/%s asks for no card: it has no annotation " API_ANNOTATION_SUBNET
			"; put it on the pod template, and recreate the pod",
			in->ns, in->name);
	return false;
}

/* ------------------------------------------------------------------ what the controller would refuse */

static size_t unpack(const char *labels, struct api_label out[LABELS_MAX])
{
	size_t n = 0;

	for (const char *p = labels; p && *p && n < LABELS_MAX; n++) {
		out[n].key = (char *)p;
		p += strlen(p) + 1;
		out[n].value = (char *)p;
		p += strlen(p) + 1;
	}
	return n;
}

/* One of its subnets: may it have that one, and is there an address for it? */
struct candidate {
	char *name; /* NULL: there is none, or its annotations are bad */
	const struct facts_subnet *subnet;
	enum decide_reason why;
	char msg[MSG_LEN];
};

struct candidates {
	struct candidate items[API_REQUEST_SUBNETS_MAX];
	size_t n;
};

static void candidates_done(struct candidates *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->items[i].name);
}

static void look_at(const struct why_in *in, const struct why_request *q, struct candidate *c)
{
	const struct facts_node *node = facts_node(in->facts, in->pod->pod->node);
	struct api_label ns_labels[LABELS_MAX], node_labels[LABELS_MAX];
	struct api_request request = q->request;
	const struct facts_subnet *s = c->name ? facts_subnet(in->facts, c->name) : NULL;
	const struct decide_new_in ask = {
		.pod = in->pod->pod,
		.request = q->is_bad ? NULL : &request,
		.request_err = &q->bad,
		.by_default = q->by_default,
		.subnet_found = s,
		.subnet_terminating = s && s->meta.deletion,
		.subnet = s ? s->spec : NULL,
		.subnet_why = s ? s->why : NULL,
		.system_ns = in->system_ns,
		.ns = {in->ns_known, ns_labels, unpack(in->ns_labels, ns_labels)},
		.node = {node, node_labels, unpack(node ? node->labels : NULL, node_labels)},
	};

	/* Lent: the others are looked at in its place. */
	request.subnet = c->name;
	c->subnet = s;
	c->why = decide_new(&ask, c->msg, sizeof(c->msg));
	if (c->why == DECIDE_NO_SUBNET && in->elsewhere && str_eq(c->name, in->missing))
		snprintf(c->msg, sizeof(c->msg),
			 "MacvlanSubnet %s stands in namespace %s, and only those in namespace %s "
			 "count; create it there",
			 c->name, in->elsewhere, in->system_ns);
}

static void look_at_all(const struct why_in *in, const struct why_request *q,
			struct candidates *out)
{
	size_t pos = 0;
	char *name = NULL;

	while (!q->is_bad && out->n < API_REQUEST_SUBNETS_MAX &&
	       api_request_next_subnet(&q->request, &pos, &name))
		out->items[out->n++].name = STEAL(name);
	free(name);
	/* What is wrong with the pod itself does not rest on a subnet. */
	if (!out->n)
		out->n = 1;
	for (size_t i = 0; i < out->n; i++)
		look_at(in, q, &out->items[i]);
}

static bool may_have(const struct candidate *c)
{
	return c->why == DECIDE_OK || c->why == DECIDE_NOTHING;
}

/* Each that will not do, and why: "rack1: ...; rack2: ...". */
static void add_refused(const struct candidates *all, size_t n, struct sb *out)
{
	for (size_t i = 0; i < n; i++) {
		if (!may_have(&all->items[i]))
			sb_printf(out, "%s%s: %s", out->len ? "; " : "", all->items[i].name,
				  all->items[i].msg);
	}
}

static bool is_about_annotations(const struct candidate *c)
{
	return !may_have(c) && c->why < DECIDE_NO_SUBNET;
}

/* None of them will do. */
static bool say_none(const struct candidates *all, struct why *w)
{
	const struct candidate *c = &all->items[0];
	AUTO(sb_done) struct sb text = SB_INIT;

	if (is_about_annotations(c) || all->n == 1)
		return why_say(w, true, is_about_annotations(c) ? "annotations" : "subnet", "%s",
			       c->msg);
	add_refused(all, all->n, &text);
	return why_say(w, true, "subnet", "none of the %zu subnets that it names will do; %s",
		       all->n, sb_get(&text));
}

/* The i-th is the first that will do. */
static bool say_one(const struct why_in *in, const struct why_request *q,
		    const struct candidates *all, size_t i, struct why *w)
{
	AUTO(sb_done) struct sb text = SB_INIT;
	const char *name = all->items[i].name;

	add_refused(all, i, &text);
	return why_say(w, false, "subnet",
		       "MacvlanSubnet %s%s%s%s is for this pod and its node%s%s", name ? name : "",
		       q->by_default ? ", the default of " : "",
		       q->by_default ? in->default_of : "", q->by_default ? "," : "",
		       text.len ? "; not " : "", text.len ? sb_get(&text) : "");
}

bool why_subnet_refused(const struct why_in *in, const struct why_request *q, struct why *w)
{
	struct candidates all = {0};
	bool refused;
	size_t i = 0;

	look_at_all(in, q, &all);
	while (i < all.n && !may_have(&all.items[i]))
		i++;
	refused = i == all.n ? say_none(&all, w) : say_one(in, q, &all, i, w);
	candidates_done(&all);
	return refused;
}

/* ------------------------------------------------------------------ addresses */

bool why_none_has_one(const struct why_in *in, const struct why_request *q, char buf[WHY_TEXT_LEN])
{
	AUTO(sb_done) struct sb text = SB_INIT;
	struct candidates all = {0};
	bool has = false;
	size_t n = 0;

	look_at_all(in, q, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct candidate *c = &all.items[i];

		if (!may_have(c) || !c->subnet)
			continue;
		if (!why_address_refused(in, c->subnet, &q->request, buf)) {
			has = true;
			continue;
		}
		n++;
		if (all.n > 1)
			sb_printf(&text, "%s%s: %.400s", text.len ? "; " : "", c->name, buf);
	}
	candidates_done(&all);
	if (has || !n)
		return false;
	if (n > 1)
		snprintf(buf, WHY_TEXT_LEN,
			 "none of the %zu subnets that it may have has an address for it; %s", n,
			 sb_get(&text));
	return true;
}
