/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/rules/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/master.h"
#include "kubectl/facts/facts.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

static void fault_free(struct fault *x)
{
	free(x->subnet);
	free(x->ns);
	free(x->name);
	free(x->uid);
	free(x->version);
	free(x->pod_uid);
	free(x->node);
	free(x->text);
}

void faults_done(struct faults *f)
{
	for (size_t i = 0; i < f->n; i++)
		fault_free(&f->items[i]);
	free(f->items);
	*f = (struct faults){0};
}

const char *fault_kind_name(enum fault_kind kind)
{
	static const char *const names[FAULT_KINDS] = {
		[FAULT_USED_WITHOUT_RECORD] = "UsedWithoutRecord",
		[FAULT_RECORD_NOT_USED] = "RecordNotUsed",
		[FAULT_TWO_RECORDS] = "AddressTwice",
		[FAULT_TWO_MACS] = "MACTwice",
		[FAULT_NO_POD] = "RecordWithoutPod",
		[FAULT_NO_SUBNET] = "RecordWithoutSubnet",
		[FAULT_NO_CARD] = "PodWithoutCard",
		[FAULT_NO_NODE] = "RecordWithoutNode",
	};

	return kind < FAULT_KINDS ? names[kind] : "Unknown";
}

static struct fault *add(struct faults *f, enum fault_kind kind, const char *subnet,
			 const struct ip_addr *addr)
{
	struct fault *x;

	if (!(f->n & (f->n - 1)))
		f->items = xreallocarray(f->items, f->n ? 2 * f->n : 1, sizeof(*f->items));
	x = &f->items[f->n++];
	*x = (struct fault){.kind = kind, .subnet = xstrdup(subnet), .addr = *addr};
	return x;
}

/* text becomes the fault's. */
static void of_record(struct faults *f, enum fault_kind kind, const struct api_ip *r, char *text)
{
	struct fault *x = add(f, kind, r->subnet, &r->cidr.addr);

	x->ns = xstrdup(r->meta.ns);
	x->name = xstrdup(r->meta.name);
	x->uid = xstrdup(r->meta.uid);
	x->version = xstrdup(r->meta.resource_version);
	x->pod_uid = xstrdup(r->pod_id);
	x->node = xstrdup(r->node);
	x->text = text;
	x->releasable = kind == FAULT_NO_POD;
}

/* ------------------------------------------------------------------ used, and by whom */

static void add_record_addresses(const struct facts *f, const struct facts_subnet *s,
				 struct ipam_set *out)
{
	for (size_t i = 0; i < f->n_records; i++) {
		const struct api_ip *r = f->records[i];

		if (!api_ip_is_allocated(r) || !str_eq(r->subnet, s->meta.name))
			continue;
		ipam_set_add(out, &r->cidr.addr);
		if (ip_is_set(&r->cidr6.addr))
			ipam_set_add(out, &r->cidr6.addr);
	}
	for (size_t i = 0; i < s->allocation.n_inflight; i++) {
		ipam_set_add(out, &s->allocation.inflight[i].addr);
		if (ip_is_set(&s->allocation.inflight[i].addr6))
			ipam_set_add(out, &s->allocation.inflight[i].addr6);
	}
}

static void used_without_record(const struct facts *f, const struct facts_subnet *s,
				struct faults *out)
{
	AUTO(ipam_set_done) struct ipam_set had = IPAM_SET_INIT;
	const struct ipam_set *without[] = {&had};
	struct ip_addr from = {0}, a;
	char text[IP_ADDR_LEN];

	add_record_addresses(f, s, &had);
	while (ipam_set_next(&s->allocation.pool.used, &from, without, 1, &a)) {
		struct fault *x = add(out, FAULT_USED_WITHOUT_RECORD, s->meta.name, &a);

		x->ns = xstrdup("");
		x->name = xstrdup("");
		x->text = xasprintf(
			"%s counts as used, and no MacvlanIP has it; the next leader asks "
			"the nodes and frees it: kubectl rollout restart deployment "
			"tandem-controller -n %s",
			ip_format(&a, text), s->meta.ns);
		if (ip_add(&a, 1, &from))
			return;
	}
}

static bool is_used(const struct facts_subnet *s, const struct api_ip *r)
{
	return ipam_set_has(&s->allocation.pool.used, &r->cidr.addr) &&
	       (!ip_is_set(&r->cidr6.addr) ||
		ipam_set_has(&s->allocation.pool.used, &r->cidr6.addr));
}

/* ------------------------------------------------------------------ one record */

static void without_pod(const struct facts *f, const struct api_ip *r, struct faults *out)
{
	const struct facts_pod *p = facts_pod(f, r->meta.ns, r->meta.name);
	char text[IP_ADDR_LEN];

	if (r->unwitnessed || r->meta.deletion || api_ip_is_vacant(r) ||
	    (p && str_eq(p->pod->meta.uid, r->pod_id)))
		return;
	of_record(
		out, FAULT_NO_POD, r,
		xasprintf(
			"%s is held by MacvlanIP %s/%s, whose pod is gone, and no controller has "
			"begun to end it; see kubectl macvlan status, then kubectl macvlan release "
			"--from-report",
			ip_format(&r->cidr.addr, text), r->meta.ns, r->meta.name));
}

static void without_card(const struct facts *f, const struct api_ip *r, struct faults *out)
{
	const struct facts_pod *p = facts_pod(f, r->meta.ns, r->meta.name);

	if (!p || !str_eq(p->pod->meta.uid, r->pod_id) || !p->pod->has_ip ||
	    api_pod_is_over(p->pod) || r->phase != API_IP_MISSING)
		return;
	of_record(
		out, FAULT_NO_CARD, r,
		xasprintf("pod %s/%s runs on node %s without its card; recreate it once tandem is "
			  "the node's CNI: kubectl macvlan why %s/%s",
			  r->meta.ns, r->meta.name, r->node, r->meta.ns, r->meta.name));
}

static void of_one(const struct facts *f, const struct api_ip *r, struct faults *out)
{
	const struct facts_subnet *s = facts_subnet(f, r->subnet);
	char text[IP_ADDR_LEN];

	ip_format(&r->cidr.addr, text);
	if (!s)
		of_record(
			out, FAULT_NO_SUBNET, r,
			xasprintf(
				"MacvlanIP %s/%s has %s of MacvlanSubnet %s, which does not exist; "
				"create it again as it was",
				r->meta.ns, r->meta.name, text, r->subnet));
	else if (!s->allocation_bad && !is_used(s, r))
		of_record(
			out, FAULT_RECORD_NOT_USED, r,
			xasprintf(
				"MacvlanIP %s/%s has %s, and MacvlanSubnet %s does not count it as "
				"used; is a controller running? kubectl macvlan status",
				r->meta.ns, r->meta.name, text, r->subnet));
	if (f->n_nodes && *r->node && !facts_node(f, r->node))
		of_record(
			out, FAULT_NO_NODE, r,
			xasprintf(
				"MacvlanIP %s/%s has %s on node %s, which does not exist; nobody can "
				"report its card down",
				r->meta.ns, r->meta.name, text, r->node));
	without_pod(f, r, out);
	without_card(f, r, out);
}

/* ------------------------------------------------------------------ two of them */

static int by_addr(const void *left, const void *right)
{
	const struct api_ip *const *a = left, *const *b = right;

	return ip_cmp(&(*a)->cidr.addr, &(*b)->cidr.addr);
}

static int by_mac(const void *left, const void *right)
{
	const struct api_ip *const *a = left, *const *b = right;

	return memcmp((*a)->mac.b, (*b)->mac.b, sizeof((*a)->mac.b));
}

static void two_macs(struct api_ip **list, size_t n, struct faults *out)
{
	char text[MAC_ADDR_LEN];

	qsort(list, n, sizeof(*list), by_mac);
	for (size_t i = 1; i < n; i++) {
		if (by_mac(&list[i - 1], &list[i]) || !api_ip_has_own_mac(list[i]))
			continue;
		of_record(
			out, FAULT_TWO_MACS, list[i],
			xasprintf(
				"MAC %s is in two MacvlanIPs: %s/%s and %s/%s; recreate one of the "
				"pods",
				mac_format(&list[i]->mac, text), list[i - 1]->meta.ns,
				list[i - 1]->meta.name, list[i]->meta.ns, list[i]->meta.name));
	}
}

static void two_of_a_kind(const struct facts *f, struct faults *out)
{
	AUTO(free) struct api_ip **list = xcalloc(f->n_records + 1, sizeof(*list));
	char text[IP_ADDR_LEN];
	size_t n = 0;

	for (size_t i = 0; i < f->n_records; i++) {
		if (api_ip_is_allocated(f->records[i]))
			list[n++] = f->records[i];
	}
	if (!n)
		return;
	qsort(list, n, sizeof(*list), by_addr);
	for (size_t i = 1; i < n; i++) {
		if (by_addr(&list[i - 1], &list[i]) ||
		    !api_master_may_meet(&list[i - 1]->network, &list[i]->network))
			continue;
		of_record(
			out, FAULT_TWO_RECORDS, list[i],
			xasprintf("%s is in two MacvlanIPs: %s/%s and %s/%s; delete one of the pods",
				  ip_format(&list[i]->cidr.addr, text), list[i - 1]->meta.ns,
				  list[i - 1]->meta.name, list[i]->meta.ns, list[i]->meta.name));
	}
	two_macs(list, n, out);
}

struct faults faults_find(const struct facts *f)
{
	struct faults out = {0};

	for (size_t i = 0; i < f->n_subnets; i++)
		used_without_record(f, &f->subnets[i], &out);
	for (size_t i = 0; i < f->n_records; i++) {
		if (api_ip_is_allocated(f->records[i]))
			of_one(f, f->records[i], &out);
	}
	two_of_a_kind(f, &out);
	return out;
}

/* ------------------------------------------------------------------ what stays */

static bool is_same(const struct fault *a, const struct fault *b)
{
	return a->kind == b->kind && ip_eq(&a->addr, &b->addr) && str_eq(a->subnet, b->subnet) &&
	       str_eq(a->uid, b->uid) && str_eq(a->pod_uid, b->pod_uid);
}

void faults_keep(struct faults *f, const struct faults *seen)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		bool kept = false;

		for (size_t k = 0; k < seen->n && !kept; k++)
			kept = is_same(&f->items[i], &seen->items[k]);
		if (kept)
			f->items[n++] = f->items[i];
		else
			fault_free(&f->items[i]);
	}
	f->n = n;
}

bool fault_live_card(const struct facts *f, const char *ns, const char *name, char *buf,
		     size_t size)
{
	const struct api_ip *r = facts_record(f, ns, name);
	const struct facts_pod *p = facts_pod(f, ns, name);
	char text[IP_ADDR_LEN];

	if (!r || !api_ip_is_allocated(r))
		return false;
	ip_format(&r->cidr.addr, text);
	if (p && str_eq(p->pod->meta.uid, r->pod_id) && !api_pod_is_over(p->pod))
		snprintf(buf, size, "%s is the address of pod %s/%s on node %s, which lives", text,
			 ns, name, r->node);
	else if (r->phase == API_IP_ATTACHED && !api_ip_card_is_down(r))
		snprintf(
			buf, size,
			"%s may be on a card of node %s: that is what it reported last, and it has not "
			"reported the card down",
			text, r->node);
	else
		return false;
	return true;
}
