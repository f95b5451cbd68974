/* SPDX-License-Identifier: Apache-2.0 */
#include "admit/workload.h"

#include <stdio.h>

#include "api/annotations.h"
#include "api/master.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

struct check {
	const struct admit_world *world;
	const struct admit_workload *in;
	const struct api_request *request;
	const struct admit_subnet *subnet;
	struct ipam_set range;
	struct admit_answer *answer;
};

/* ------------------------------------------------------------------------------- the subnet */

/* False when there is no use in going on: there is no subnet to hold the rest against. */
static bool find_subnet(const struct check *c, const char *name, struct admit_subnet *out)
{
	if (!c->world->find_subnet(c->world->ctx, name, out)) {
		admit_warn(c->answer,
			   "MacvlanSubnet %s does not exist in namespace %s yet; pods wait for it",
			   name, c->world->system_ns);
		return false;
	}
	if (!out->spec) {
		admit_warn(c->answer,
			   "MacvlanSubnet %s is invalid; pods wait until it is fixed: %s", name,
			   out->why);
		return false;
	}
	if (out->terminating)
		admit_warn(c->answer,
			   "MacvlanSubnet %s is being deleted and gives no new addresses", name);
	return true;
}

static bool check_namespace(const struct check *c)
{
	const struct api_selector *s = &c->subnet->spec->allowed_namespaces;
	const struct api_label *labels = NULL;
	char text[200];
	size_t n = 0;

	/* One that is not known yet is in the same file, or has just been made. */
	if (!s->given || !c->world->labels(c->world->ctx, c->in->ns, &labels, &n) ||
	    api_selector_matches(s, labels, n))
		return true;
	return admit_refuse(c->answer,
			    "annotation " API_ANNOTATION_SUBNET
			    ": MacvlanSubnet %s is for namespaces "
			    "with %s, which %s does not have",
			    c->request->subnet, api_selector_format(s, text, sizeof(text)),
			    c->in->ns);
}

/* ------------------------------------------------------------------------------- addresses */

static const struct api_family *family_of(const struct api_subnet *s, const struct ip_addr *addr)
{
	if (ip_net_has(&s->v.cidr, addr))
		return &s->v;
	return ip_is_set(&s->v6.cidr.addr) && ip_net_has(&s->v6.cidr, addr) ? &s->v6 : NULL;
}

static bool is_excluded(const struct api_subnet *s, const struct ip_addr *addr)
{
	for (size_t i = 0; i < s->n_exclude; i++) {
		if (s->exclude[i].start.family == addr->family &&
		    ip_cmp(&s->exclude[i].start, addr) <= 0 &&
		    ip_cmp(addr, &s->exclude[i].end) <= 0)
			return true;
	}
	return false;
}

static bool is_in_ranges(const struct api_family *f, const struct ip_addr *addr)
{
	for (size_t i = 0; i < f->n_ranges; i++) {
		if (ip_cmp(&f->ranges[i].start, addr) <= 0 && ip_cmp(addr, &f->ranges[i].end) <= 0)
			return true;
	}
	return !f->n_ranges;
}

/* Why the subnet never gives it: what stands behind "is ..." in the message. */
static const char *what_it_is(const struct api_subnet *s, const struct api_family *f,
			      const struct ip_addr *addr)
{
	struct ip_addr base = ip_net_base(&f->cidr), last = ip_net_last(&f->cidr);

	if (ip_is_set(&f->gateway) && ip_eq(&f->gateway, addr))
		return "the gateway";
	if (is_excluded(s, addr))
		return "an excluded address";
	if (!is_in_ranges(f, addr))
		return "outside the ranges";
	if (ip_eq(&base, addr))
		return "the network address";
	return ip_eq(&last, addr) ? "the broadcast address" : "beyond the first 65,536 addresses";
}

static bool check_place(const struct check *c, const struct ip_addr *addr)
{
	const struct api_family *f = family_of(c->subnet->spec, addr);
	char text[IP_ADDR_LEN], cidr[IP_NET_LEN];
	const char *node = c->world->node(c->world->ctx, addr);

	ip_format(addr, text);
	if (!f)
		return admit_refuse(c->answer,
				    "annotation " API_ANNOTATION_IP
				    ": %s is outside the cidr %s of MacvlanSubnet %s",
				    text, ip_net_format(&c->subnet->spec->v.cidr, cidr),
				    c->request->subnet);
	if (node)
		return admit_refuse(c->answer,
				    "annotation " API_ANNOTATION_IP
				    ": %s is the address of node %s",
				    text, node);
	if (!ipam_set_has(&c->range, addr))
		return admit_refuse(c->answer,
				    "annotation " API_ANNOTATION_IP
				    ": %s is %s of MacvlanSubnet %s",
				    text, what_it_is(c->subnet->spec, f, addr), c->request->subnet);
	return true;
}

static bool check_named(const struct check *c, const struct ip_addr *addr)
{
	AUTO(free) char *namer = c->world->namer(c->world->ctx, c->request->subnet, addr);
	char text[IP_ADDR_LEN];

	if (!namer || str_eq(namer, c->in->id))
		return true;
	return admit_refuse(
		c->answer,
		"annotation " API_ANNOTATION_IP
		": %s is reserved by the pod template of %s; choose another address or remove it there",
		ip_format(addr, text), namer);
}

/* ------------------------------------------------------------------------------- who has them */

static bool complain_of(const struct check *c, const struct admit_holder *h, const char *annotation,
			const char *value)
{
	AUTO(free) char *owner = c->world->owner(c->world->ctx, h);

	if (owner && str_eq(owner, c->in->id))
		return true;
	if (h->leaving) {
		admit_warn(c->answer,
			   "annotation %s: %s is still in use by pod %s%s%s, which is ending",
			   annotation, value, h->pod, owner ? " of " : "", owner ? owner : "");
		return true;
	}
	return admit_refuse(c->answer, "annotation %s: %s is in use by pod %s%s%s", annotation,
			    value, h->pod, owner ? " of " : "", owner ? owner : "");
}

static bool check_holder(const struct check *c, const struct admit_holder *h)
{
	const struct api_request *r = c->request;
	char text[IP_ADDR_LEN];

	for (size_t i = 0; i < r->n_ips; i++) {
		if (admit_holds(h, &r->ips[i]) &&
		    (str_eq(h->subnet, r->subnet) ||
		     api_master_may_meet(h->network, &c->subnet->spec->network)))
			return complain_of(c, h, API_ANNOTATION_IP, ip_format(&r->ips[i], text));
	}
	for (size_t i = 0; i < r->n_macs; i++) {
		if (mac_eq(&h->mac, &r->macs[i]))
			return complain_of(c, h, API_ANNOTATION_MAC, mac_format(&r->macs[i], text));
	}
	return true;
}

static bool check_holders(const struct check *c)
{
	struct admit_holder h;
	size_t pos = 0;

	if (!c->request->n_ips && !c->request->n_macs)
		return true;
	while (c->world->next_holder(c->world->ctx, &pos, &h)) {
		if (!check_holder(c, &h))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------------------- all of it */

static bool check_addresses(const struct check *c)
{
	for (size_t i = 0; i < c->request->n_ips; i++) {
		if (!check_place(c, &c->request->ips[i]) || !check_named(c, &c->request->ips[i]))
			return false;
	}
	return check_holders(c);
}

static void look_at_numbers(const struct check *c)
{
	size_t n = c->request->n_ips ? api_request_entries(c->request) : c->request->n_macs;

	if (n && c->in->replicas > (int64_t)n)
		admit_warn(c->answer, "%lld pods and %zu %s: the others wait until one is free",
			   (long long)c->in->replicas, n,
			   c->request->n_ips ? "addresses in " API_ANNOTATION_IP
					     : "MACs in " API_ANNOTATION_MAC);
}

/* What is refused anyway is not warned of. */
static void look_at_surge(const struct check *c)
{
	size_t n = c->request->n_ips ? api_request_entries(c->request) : c->request->n_macs;

	if (c->answer->code || !n || !c->in->surge || c->in->replicas > (int64_t)n ||
	    c->in->replicas + c->in->surge <= (int64_t)n)
		return;
	admit_warn(c->answer,
		   "%lld pods and %zu %s: a change of the template makes %lld more before it ends "
		   "the old ones, and they wait for an address; set "
		   "spec.strategy.rollingUpdate.maxSurge to 0, or spec.strategy.type to Recreate",
		   (long long)c->in->replicas, n,
		   c->request->n_ips ? "addresses in " API_ANNOTATION_IP
				     : "MACs in " API_ANNOTATION_MAC,
		   (long long)c->in->surge);
}

static bool check_macs(const struct check *c)
{
	const struct nl_link_type *type = nl_link_type_get(c->subnet->spec->network.link_type);
	struct err why = {0};

	if (!type->own_mac && c->request->n_macs)
		return admit_refuse(c->answer,
				    "annotation " API_ANNOTATION_MAC
				    ": MacvlanSubnet %s is of type %s, whose cards have their "
				    "master's MAC",
				    c->request->subnet, type->kind);
	return api_request_check_macs(c->request, c->subnet->spec, &why) == 0 ||
	       admit_refuse(c->answer, "%s", why.msg);
}

/* One of several will do, and which one is decided for each pod: only what none of them knows is told. */
static void check_each(const struct check *c)
{
	AUTO(free) char *name = NULL;
	struct admit_subnet subnet = {0};
	size_t pos = 0;

	while (api_request_next_subnet(c->request, &pos, &name))
		IGNORE(find_subnet(c, name, &subnet), "the others may do");
}

static void check_request(struct check *c)
{
	struct admit_subnet subnet = {0};

	if (c->in->host_network && !c->in->only_numbers)
		admit_warn(
			c->answer,
			"pods with hostNetwork get no card; the tandem-cni.io annotations have no "
			"effect");
	look_at_numbers(c);
	if (c->in->only_numbers)
		return;
	if (c->request->others) {
		check_each(c);
		return;
	}
	if (!find_subnet(c, c->request->subnet, &subnet))
		return;
	c->subnet = &subnet;
	admit_range_of(subnet.spec, &c->range);
	if (check_macs(c) && check_namespace(c))
		check_addresses(c);
	ipam_set_done(&c->range);
}

void admit_workload_check(const struct admit_world *w, const struct admit_workload *in,
			  struct admit_answer *a)
{
	const struct api_request *request = &in->annotations.request;
	struct check c = {.world = w, .in = in, .request = request, .answer = a};

	if (in->annotations.why) {
		admit_refuse(a, "%s", in->annotations.why);
	} else if (request->wanted) {
		check_request(&c);
		look_at_surge(&c);
	}
}
