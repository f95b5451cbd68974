/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/decide.h"

#include <stdio.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

/* The card is down. A record that somebody has deleted cannot be kept. */
static enum decide_record_verdict down(const struct decide_record_in *in)
{
	if (!in->kept || in->rec->meta.deletion || in->heir == DECIDE_HEIR_DIFFERS)
		return DECIDE_RELEASE;
	return in->heir == DECIDE_HEIR_FITS ? DECIDE_BIND : DECIDE_VACATE;
}

static enum decide_record_verdict at(int64_t due_ms, const struct decide_record_in *in,
				     enum decide_record_verdict until, int64_t *wake_ms)
{
	if (in->now_ms >= due_ms)
		return down(in);
	*wake_ms = due_ms;
	return until;
}

/* The pod object is there. */
static enum decide_record_verdict of_present(const struct decide_record_in *in,
					     const struct decide_rules *rules, int64_t *wake_ms)
{
	if (!api_pod_is_over(in->pod))
		return !in->holds_address && in->rec->meta.deletion ? DECIDE_RENEW : DECIDE_KEEP;
	if (!in->holds_address)
		return DECIDE_RELEASE;
	if (in->node_fenced || api_ip_card_is_down(in->rec))
		return down(in);
	/* A record that is kept is not ended for this; and where no node has spoken none will. */
	if (in->rec->phase == API_IP_ATTACHED && !in->kept && !in->rec->meta.deletion)
		return DECIDE_ASK;
	/*
	 * The kubelet tells the phase before it stops the sandbox. And where it cannot tell
	 * anything, someone else wrote the phase: the containers may run on.
	 */
	if (in->pod->all_terminated || in->node_ready)
		return at(in->over_ms + rules->after_terminal_ms, in, DECIDE_WAIT, wake_ms);
	return at(in->over_ms + rules->hold_s * 1000, in, DECIDE_HOLD, wake_ms);
}

/*
 * Nobody saw its card go. When that was noticed stands in the record, for whoever leads when the hold is
 * over; its deletionTimestamp does not tell, since it may have been deleted long before its pod went.
 */
static enum decide_record_verdict of_lost(const struct decide_record_in *in,
					  const struct decide_rules *rules, int64_t *wake_ms)
{
	int64_t since_s = in->rec->unwitnessed;

	if (in->node_fenced)
		return down(in);
	if (!since_s)
		return DECIDE_SUSPECT;
	if (in->now_s >= since_s + rules->hold_s)
		return down(in);
	*wake_ms = in->now_ms + (since_s + rules->hold_s - in->now_s) * 1000;
	return DECIDE_HOLD;
}

enum decide_record_verdict decide_record(const struct decide_record_in *in,
					 const struct decide_rules *rules, int64_t *wake_ms)
{
	enum decide_record_verdict v;

	if (api_ip_is_vacant(in->rec)) {
		v = down(in);
		return v == DECIDE_VACATE ? DECIDE_VACANT : v;
	}
	if (in->pod && str_eq(in->pod->meta.uid, in->rec->pod_id))
		return of_present(in, rules, wake_ms);
	if (in->end == DECIDE_END_UNKNOWN)
		return DECIDE_LOOK;
	if (!in->holds_address)
		return DECIDE_RELEASE;
	if (in->end == DECIDE_END_FINISHED || api_ip_card_is_down(in->rec))
		return down(in);
	if (in->end == DECIDE_END_IDLE)
		return at(in->end_ms + rules->after_terminal_ms, in, DECIDE_WAIT, wake_ms);
	return of_lost(in, rules, wake_ms);
}

bool decide_missing(const struct decide_missing_in *in, const struct decide_rules *rules,
		    int64_t *wake_ms)
{
	int64_t due_ms = in->ip_ms + rules->missing_after_ms;

	*wake_ms = 0;
	if (in->ending)
		return false;
	if (in->rec->phase == API_IP_MISSING)
		return true;
	/* A conflict is told by itself. */
	if (!in->reports || !in->has_ip || in->rec->phase == API_IP_ATTACHED ||
	    in->rec->phase == API_IP_CONFLICT)
		return false;
	if (in->now_ms >= due_ms)
		return true;
	*wake_ms = due_ms;
	return false;
}

/* ------------------------------------------------------------------------------- new pods */

static enum decide_reason of_pod(const struct decide_new_in *in, char *msg, size_t size)
{
	const struct api_pod *p = in->pod;

	if (!*p->node || p->meta.deletion || api_pod_is_over(p) ||
	    (!api_pod_is_annotated(p) && !in->by_default))
		return DECIDE_NOTHING;
	if (in->by_default && (p->host_network || p->is_static || p->has_ip))
		return DECIDE_NOTHING;
	if (p->host_network) {
		snprintf(
			msg, size,
			"a pod with hostNetwork gets no card; remove the tandem-cni.io annotations");
		return DECIDE_HOST_NETWORK;
	}
	if (p->is_static) {
		snprintf(msg, size,
			 "a static pod gets no card, because its kubelet starts it without the API "
			 "server; use a DaemonSet");
		return DECIDE_STATIC_POD;
	}
	if (!in->request) {
		snprintf(msg, size, "%s", in->request_err->msg);
		return DECIDE_INVALID_ANNOTATION;
	}
	if (!in->request->wanted)
		return DECIDE_NOTHING;
	if (p->has_ip) {
		snprintf(msg, size,
			 "the pod's network was set up before it was annotated; annotations are "
			 "read when the pod is scheduled; recreate the pod");
		return DECIDE_TOO_LATE;
	}
	return DECIDE_OK;
}

static enum decide_reason of_subnet(const struct decide_new_in *in, char *msg, size_t size)
{
	const char *name = in->request->subnet;

	if (!in->subnet_found) {
		snprintf(
			msg, size,
			"MacvlanSubnet %s does not exist in namespace %s; create it, or correct annotation " API_ANNOTATION_SUBNET,
			name, in->system_ns);
		return DECIDE_NO_SUBNET;
	}
	if (!in->subnet) {
		snprintf(msg, size, "MacvlanSubnet %s is invalid: %s", name, in->subnet_why);
		return DECIDE_SUBNET_INVALID;
	}
	if (in->subnet_terminating) {
		snprintf(
			msg, size,
			"MacvlanSubnet %s is being deleted and gives no new addresses; choose another subnet",
			name);
		return DECIDE_SUBNET_TERMINATING;
	}
	return DECIDE_OK;
}

static enum decide_reason of_place(const struct decide_new_in *in, char *msg, size_t size)
{
	const struct api_selector *ns = &in->subnet->allowed_namespaces;
	const struct api_selector *node = &in->subnet->node_selector;
	char text[200];

	/* Not in our cache yet: the watch will bring it, and the pod is looked at again. */
	if (ns->given && !in->ns.known)
		return DECIDE_NOTHING;
	if (!api_selector_matches(ns, in->ns.labels, in->ns.n)) {
		snprintf(
			msg, size,
			"MacvlanSubnet %s is for namespaces with %s, which %s does not have; choose another subnet, or label the namespace",
			in->request->subnet, api_selector_format(ns, text, sizeof(text)),
			in->pod->meta.ns);
		return DECIDE_NAMESPACE_NOT_ALLOWED;
	}
	/* Anybody may bind a pod to a name. Where there is no kubelet nobody ever sees the card go either. */
	if (!in->node.known) {
		snprintf(
			msg, size,
			"the pod is bound to node %s, which does not exist; it gets an address when "
			"the Node does",
			in->pod->node);
		return DECIDE_NODE_UNKNOWN;
	}
	if (!api_selector_matches(node, in->node.labels, in->node.n)) {
		snprintf(msg, size,
			 "node %s does not reach MacvlanSubnet %s, which is for nodes with %s; set "
			 "such a nodeSelector in the pod",
			 in->pod->node, in->request->subnet,
			 api_selector_format(node, text, sizeof(text)));
		return DECIDE_NODE_NOT_SELECTED;
	}
	return DECIDE_OK;
}

static enum decide_reason of_macs(const struct decide_new_in *in, char *msg, size_t size)
{
	struct err why = {0};

	if (api_request_check_macs(in->request, in->subnet, &why) == 0)
		return DECIDE_OK;
	snprintf(msg, size, "%s", why.msg);
	return DECIDE_MAC_NOT_ALLOWED;
}

enum decide_reason decide_new(const struct decide_new_in *in, char *msg, size_t size)
{
	enum decide_reason r;

	msg[0] = '\0';
	r = of_pod(in, msg, size);
	if (r == DECIDE_OK)
		r = of_subnet(in, msg, size);
	if (r == DECIDE_OK)
		r = of_place(in, msg, size);
	if (r == DECIDE_OK)
		r = of_macs(in, msg, size);
	return r;
}

size_t decide_subnet(const struct decide_subnet_in *in, size_t n)
{
	size_t first = n, free = n, own = n;

	for (size_t i = 0; i < n; i++) {
		if (!in[i].fits)
			continue;
		first = first == n ? i : first;
		free = free == n && in[i].has_free ? i : free;
		own = in[i].is_own ? i : own;
	}
	if (own < n && (in[own].has_address || in[own].has_free || free == n))
		return own;
	if (free < n)
		return free;
	return first < n ? first : 0;
}

const char *decide_reason_name(enum decide_reason reason)
{
	static const char *const names[DECIDE_REASONS] = {
		[DECIDE_OK] = "OK",
		[DECIDE_NOTHING] = "Nothing",
		[DECIDE_INVALID_ANNOTATION] = "InvalidAnnotation",
		[DECIDE_HOST_NETWORK] = "HostNetworkPod",
		[DECIDE_STATIC_POD] = "StaticPod",
		[DECIDE_TOO_LATE] = "AnnotatedTooLate",
		[DECIDE_NO_SUBNET] = "SubnetNotFound",
		[DECIDE_SUBNET_INVALID] = "SubnetInvalid",
		[DECIDE_SUBNET_TERMINATING] = "SubnetTerminating",
		[DECIDE_NAMESPACE_NOT_ALLOWED] = "NamespaceNotAllowed",
		[DECIDE_MAC_NOT_ALLOWED] = "MACNotAllowed",
		[DECIDE_NODE_UNKNOWN] = "NodeUnknown",
		[DECIDE_NODE_NOT_SELECTED] = "NodeNotSelected",
		[DECIDE_EXHAUSTED] = "SubnetExhausted",
		[DECIDE_NAMESPACE_LIMIT] = "NamespaceLimit",
		[DECIDE_OUTSIDE] = "AddressNotInSubnet",
		[DECIDE_RESERVED] = "AddressReserved",
		[DECIDE_ADDRESS_IN_USE] = "AddressInUse",
		[DECIDE_MAC_IN_USE] = "MACInUse",
		[DECIDE_FORMER_POD] = "FormerPodHoldsAddress",
		[DECIDE_RESTORED] = "RecordRestored",
		[DECIDE_CONFLICT] = "AddressConflict",
		[DECIDE_MISSING] = "CardMissing",
		[DECIDE_CARD_REFUSED] = "CardRefused",
		[DECIDE_CARD_UNKNOWN] = "CardUnknown",
		[DECIDE_FORBIDDEN] = "Forbidden",
		[DECIDE_ALLOCATED] = "AddressAllocated",
	};

	return reason < DECIDE_REASONS ? names[reason] : "Unknown";
}
