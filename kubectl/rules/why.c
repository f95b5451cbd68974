/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/rules/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kubectl/facts/facts.h"
#include "kubectl/rules/why_int.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

bool why_say(struct why *w, bool wrong, const char *what, const char *fmt, ...)
{
	struct why_step *s = &w->steps[w->n < WHY_STEPS ? w->n++ : WHY_STEPS - 1];
	va_list ap;

	*s = (struct why_step){.what = what, .wrong = wrong};
	va_start(ap, fmt);
	vsnprintf(s->text, sizeof(s->text), fmt, ap);
	va_end(ap);
	w->wrong |= wrong;
	return wrong;
}

/* ------------------------------------------------------------------ the pod */

static bool say_unbound(const struct why_in *in, struct why *w)
{
	const struct facts_condition *c =
		facts_condition_find(&in->pod->conditions, "PodScheduled");

	return why_say(w, true, "pod",
		       "pod %s/%s is bound to no node, and gets an address when it is%s%s", in->ns,
		       in->name, c && *c->message ? "; the scheduler says: " : "",
		       c ? c->message : "");
}

static void say_absent(const struct why_in *in, struct why *w)
{
	if (facts_record(in->facts, in->ns, in->name))
		why_say(w, true, "pod",
			"pod %s/%s does not exist; its MacvlanIP does: kubectl macvlan who %s/%s",
			in->ns, in->name, in->ns, in->name);
	else
		why_say(w, true, "pod", "pod %s/%s does not exist; is the namespace right?", in->ns,
			in->name);
}

static bool of_pod(const struct why_in *in, const struct why_request *q, struct why *w)
{
	const struct api_pod *p = in->pod->pod;

	if (api_pod_is_over(p))
		return why_say(w, true, "pod",
			       "pod %s/%s is over (%s); a pod that is over has no card", in->ns,
			       in->name, p->phase);
	if (p->meta.deletion)
		return why_say(w, true, "pod",
			       "pod %s/%s is being deleted, and gets nothing any more", in->ns,
			       in->name);
	if (why_wants_none(in, q, w))
		return true;
	if (!*p->node && !p->host_network)
		return say_unbound(in, w);
	return why_say(w, false, "pod", "%s/%s is bound to node %s", in->ns, in->name, p->node);
}

/* ------------------------------------------------------------------ the address */

#define TOLD_S 600

/* The newest warning of that source, "" = any; NULL. */
static const struct facts_event *newest(const struct facts *f, const char *source,
					const char *reason)
{
	const struct facts_event *best = NULL;

	for (size_t i = 0; i < f->n_events; i++) {
		const struct facts_event *v = &f->events[i];

		if (!str_eq(v->type, "Warning") || (source && !str_eq(v->source, source)) ||
		    (reason && !str_eq(v->reason, reason)))
			continue;
		if (!best || v->last >= best->last)
			best = v;
	}
	return best;
}

static bool of_former(const struct why_in *in, const struct api_ip *r, struct why *w)
{
	char addr[IP_ADDR_LEN], at[CLOCK_RFC3339_LEN];

	ip_format(&r->cidr.addr, addr);
	if (r->unwitnessed)
		return why_say(
			w, true, "address",
			"an earlier pod of this name still has %s, and nobody saw its card on node "
			"%s go; it is held until %s; if that machine is certainly off: kubectl "
			"macvlan release %s --node-is-off",
			addr, r->node, clock_rfc3339(r->unwitnessed + in->hold_s, at), addr);
	return why_say(
		w, true, "address",
		"an earlier pod of this name still has %s; it is free when node %s reports its "
		"card down",
		addr, r->node);
}

static bool not_yet(const struct why_in *in, const struct why_request *q, struct why *w)
{
	const struct facts_event *v = newest(in->facts, "tandem-controller", NULL);
	char text[WHY_TEXT_LEN];

	if (why_none_has_one(in, q, text))
		return why_say(w, true, "address", "%s", text);
	/* It repeats what stands as long as it lives. */
	if (in->leader_wrong && (!v || in->now_s - v->last > TOLD_S))
		return why_say(w, true, "controller", "%s; see kubectl macvlan status",
			       in->leader_wrong);
	if (v)
		return why_say(w, true, "address", "%s", v->message);
	return why_say(w, true, "address",
		       "it has no address yet, and nothing stands against it; ask again in some "
		       "seconds, and then see kubectl macvlan status");
}

/* It has none of its own. */
static void without_address(const struct why_in *in, const struct api_ip *r,
			    const struct why_request *q, struct why *w)
{
	if (r && *r->pod_id && !str_eq(r->pod_id, in->pod->pod->meta.uid))
		of_former(in, r, w);
	else
		not_yet(in, q, w);
}

static bool of_address(const struct why_in *in, const struct api_ip *r, struct why *w)
{
	char net[IP_NET_LEN], mac[MAC_ADDR_LEN];

	if (r->phase == API_IP_CONFLICT)
		return why_say(w, true, "address",
			       "%s is in conflict: %s; it gets another one, unless too many were",
			       ip_net_format(&r->cidr, net), r->message);
	return why_say(w, false, "address", "MacvlanIP %s/%s has %s, MAC %s", in->ns, in->name,
		       ip_net_format(&r->cidr, net), mac_format(&r->mac, mac));
}

/* ------------------------------------------------------------------ the node */

static bool of_node(const struct why_in *in, const struct api_ip *r, struct why *w)
{
	const struct facts_node *node = facts_node(in->facts, r->node);
	const struct facts_condition *c = node ? facts_condition_find(&node->conditions, "Ready")
					       : NULL;

	if (!node)
		return why_say(w, true, "node", "node %s does not exist any more", r->node);
	if (!c || !str_eq(c->status, "True"))
		return why_say(w, true, "node",
			       "node %s is not ready%s%s; its kubelet starts nothing", r->node,
			       c && *c->message ? ": " : "", c ? c->message : "");
	if (in->daemon_wrong)
		return why_say(w, true, "node", "%s", in->daemon_wrong);
	return why_say(w, false, "node", "node %s is ready", r->node);
}

/* Of what kubelet and runtime have wrapped around it. */
static const char *plugin_words(const char *message)
{
	static const char *const marks[] = {"failed (add): ", "failed (add) "};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		const char *at = strstr(message, marks[i]);

		if (at)
			return at + strlen(marks[i]);
	}
	return message;
}

static bool of_plugin(const struct why_in *in, const struct api_ip *r, struct why *w)
{
	const struct facts_event *v = newest(in->facts, NULL, "FailedCreatePodSandBox");

	if (in->pod->pod->has_ip && r->phase == API_IP_MISSING)
		return why_say(
			w, true, "card",
			"the pod runs without its card, node %s reports: tandem was not the "
			"node's CNI when it started; see kubectl macvlan status, then recreate "
			"the pod",
			r->node);
	if (in->pod->pod->has_ip || r->phase == API_IP_ATTACHED)
		return why_say(
			w, false, "card", "%s",
			r->phase == API_IP_ATTACHED
				? "its node reports the card"
				: "the pod's network is set up; its node has not reported the "
				  "card yet");
	if (v)
		return why_say(w, true, "plugin", "on node %s: %s", r->node,
			       plugin_words(v->message));
	return why_say(w, true, "plugin",
		       "node %s has not set the pod up yet, and its kubelet tells nothing; see "
		       "kubectl describe pod -n %s %s",
		       r->node, in->ns, in->name);
}

/* What is not about the card at all. */
static bool of_containers(const struct why_in *in, struct why *w)
{
	if (!*in->pod->waiting || str_eq(in->pod->waiting, "ContainerCreating"))
		return false;
	return why_say(w, true, "containers",
		       "the card is not to blame: a container waits (%s); see kubectl describe pod "
		       "-n %s %s",
		       in->pod->waiting, in->ns, in->name);
}

static void walk(const struct why_in *in, const struct why_request *q, struct why *w)
{
	const struct api_ip *r = facts_record(in->facts, in->ns, in->name);

	if (of_pod(in, q, w))
		return;
	if (!r || !api_ip_is_allocated(r) || !str_eq(r->pod_id, in->pod->pod->meta.uid)) {
		if (!why_subnet_refused(in, q, w))
			without_address(in, r, q, w);
		return;
	}
	if (of_address(in, r, w))
		return;
	if (!in->pod->pod->has_ip && r->phase != API_IP_ATTACHED && of_node(in, r, w))
		return;
	if (!of_plugin(in, r, w))
		of_containers(in, w);
}

void why_pod(const struct why_in *in, struct why *out)
{
	struct why_request q = {0};

	*out = (struct why){0};
	if (!in->pod) {
		say_absent(in, out);
		return;
	}
	why_request_read(in, &q);
	walk(in, &q, out);
	api_request_done(&q.request);
}
