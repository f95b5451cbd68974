/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/conditions.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/rules/numbers.h"
#include "controller/rules/status.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

static void set(struct condition *c, bool holds, const char *reason, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void set(struct condition *c, bool holds, const char *reason, const char *format, ...)
{
	va_list ap;

	c->holds = holds;
	c->reason = reason;
	va_start(ap, format);
	vsnprintf(c->message, sizeof(c->message), format, ap);
	va_end(ap);
}

/* ------------------------------------------------------------------------------- each of them */

static const char *family_word(uint8_t family)
{
	return family == AF_INET6 ? "IPv6 " : family == AF_INET ? "IPv4 " : "";
}

static void ready(const struct status_in *in, struct condition *c)
{
	bool lacks4 = !in->range->n, lacks6 = in->range6 && !in->range6->n;

	if (!in->spec)
		set(c, false, "Invalid", "%s", in->why->msg);
	else if (in->meta->deletion)
		set(c, false, "Terminating",
		    "no new addresses; the subnet is deleted with its last MacvlanIP");
	else if (lacks4 || lacks6)
		set(c, false, "NoAddresses",
		    "no %saddress is left after gateway, exclude, nodes' addresses and other "
		    "subnets; extend the ranges",
		    in->range6 ? family_word(lacks4 ? AF_INET : AF_INET6) : "");
	else
		set(c, true, "Serving", "pods get addresses");
}

static void usage(const struct status_in *in, struct condition *exhausted, struct condition *nearly)
{
	struct ipam_counts n;
	uint8_t f;
	int64_t next;
	char when[CLOCK_RFC3339_LEN] = "", kept[80] = "";

	n = numbers_count(&in->record->pool, in->range, in->range6, in->named, &f);
	next = ipam_pool_next_expiry(&in->record->pool, f == AF_INET6 ? in->range6 : in->range);
	if (next)
		clock_rfc3339(next, when);
	if (n.named)
		snprintf(kept, sizeof(kept), ", %zu reserved by workloads", n.named);
	if (n.total && !n.free)
		set(exhausted, true, "NoFreeAddress",
		    "all %zu %saddresses are taken: %zu used, %zu cooling%s; %zu pods wait%s%s; "
		    "extend the ranges or delete pods",
		    n.total, family_word(f), n.total - n.cooling - n.named, n.cooling, kept,
		    in->n_waiting, next ? ", the next one is free at " : "", when);
	else
		set(exhausted, false, "AddressesFree", "%zu of %zu %saddresses are free", n.free,
		    n.total, family_word(f));
	if (n.total && n.free * 10 <= n.total)
		set(nearly, true, "FewFreeAddresses",
		    "%zu of %zu %saddresses are free, %zu are cooling%s; extend the ranges", n.free,
		    n.total, family_word(f), n.cooling, kept);
	else
		set(nearly, false, "AddressesFree", "%zu of %zu %saddresses are free", n.free,
		    n.total, family_word(f));
}

static void whole_cidr(const struct status_in *in, struct condition *c)
{
	const struct api_subnet *s = in->spec;
	bool v = !s->v.n_ranges, v6 = in->range6 && !s->v6.n_ranges;
	const char *keys = v && v6 ? "spec.ranges and spec.ipv6.ranges are"
			   : v     ? "spec.ranges is"
				   : "spec.ipv6.ranges is";

	if (v || v6)
		set(c, true, "NoRanges",
		    "%s not set, so pods can get any address of the CIDR, also one that another "
		    "machine on the LAN has; set ranges that only the cluster uses, or exclude "
		    "what others use",
		    keys);
	else
		set(c, false, "Ranges", "pods get addresses of the ranges");
}

static void conflicts(const struct status_in *in, struct condition *c)
{
	size_t n = numbers_quarantined(in->record);

	if (in->conflicts_until_s > in->now_s)
		set(c, true, in->conflicts_reason, "%s", in->conflicts_why);
	else
		set(c, false, n ? "Quarantine" : "None",
		    "%zu addresses are in quarantine because other machines use them", n);
}

/* ------------------------------------------------------------------------------- the cluster's networks */

static bool has_family(const struct api_subnet *s, uint8_t family)
{
	return s->v.cidr.addr.family == family || s->v6.cidr.addr.family == family;
}

/* The first address of the Service kubernetes that the default route would take to the LAN. */
static const struct ip_net *outside(const struct status_in *in, const struct ipam_nets *kept)
{
	for (size_t i = 0; in->kubernetes && i < in->kubernetes->n; i++) {
		const struct ip_net *a = &in->kubernetes->v[i];

		if (has_family(in->spec, a->addr.family) && !ipam_nets_covers(kept, a))
			return a;
	}
	return NULL;
}

static void services(const struct status_in *in, struct condition *c)
{
	const struct api_network *net = &in->spec->network;
	static const struct ipam_nets none = IPAM_NETS_INIT;
	const struct ipam_nets *others = in->services ? in->services : &none;
	AUTO(ipam_nets_done) struct ipam_nets kept = IPAM_NETS_INIT;
	AUTO(free) char *known = ipam_nets_text(others), *said = NULL;
	const struct ip_net *a;
	char text[IP_ADDR_LEN];

	kept.v = api_network_services(net, others->v, others->n, &kept.n);
	said = ipam_nets_text(&kept);
	a = outside(in, &kept);
	if (!net->pod_default_gateway)
		set(c, false, "NoGatewayMode", "pods' default route goes by eth0");
	else if (!kept.n && in->networks_settled)
		set(c, true, "NoServiceNetwork",
		    "no service network is known: Services would be looked for on the LAN; set "
		    "spec.podDefaultGateway.serviceCidr, or serviceCIDR in ConfigMap "
		    "tandem-settings");
	else if (kept.n && a)
		set(c, true, "KubernetesOutside",
		    "the service network %.150s does not contain %s, the address of the Service "
		    "kubernetes: new pods look for it on the LAN; set "
		    "spec.podDefaultGateway.serviceCidr to %.100s, or leave it out",
		    said, ip_format(&a->addr, text), *known ? known : "the cluster's own");
	else
		set(c, false, "ByEth0", "Services are reached by eth0: %.300s",
		    kept.n ? said : "their network is not known yet");
}

/* The first of these networks that the subnet meets. False = none. */
static bool meets(const struct status_in *in, const struct ipam_nets *nets, const char *what,
		  struct condition *c)
{
	const struct api_subnet *s = in->spec;
	char net[IP_NET_LEN], text[IP_ADDR_LEN];
	struct ip_addr first;

	for (size_t i = 0; nets && i < nets->n; i++) {
		ip_net_format(&nets->v[i], net);
		if (ipam_net_first_common(&nets->v[i], in->range, &first) ||
		    (in->range6 && ipam_net_first_common(&nets->v[i], in->range6, &first))) {
			set(c, true, "Allocatable",
			    "%s can be given, and is in the %s network %s: what has it would not "
			    "be reached, or hide a %s; set ranges outside of it",
			    ip_format(&first, text), what, net, what);
			return true;
		}
		if (c->reason)
			continue;
		if (ip_net_overlaps(&s->v.cidr, &nets->v[i]) ||
		    (ip_is_set(&s->v6.cidr.addr) && ip_net_overlaps(&s->v6.cidr, &nets->v[i])))
			set(c, false, "CidrOnly",
			    "the cidr meets the %s network %s, which stays on eth0; no address of "
			    "it is given",
			    what, net);
	}
	return false;
}

static void cluster(const struct status_in *in, struct condition *c)
{
	c->reason = NULL;
	if (meets(in, in->services, "service", c) || meets(in, in->pods, "pod", c) || c->reason)
		return;
	set(c, false, "OwnNetwork", "it meets no pod or service network that is known");
}

int conditions_make(const struct status_in *in, struct condition out[CONDITIONS])
{
	static const char *const types[CONDITIONS] = {"Ready",           "Exhausted",
						      "NearlyExhausted", "WholeCIDR",
						      "Overlap",         "Conflicts",
						      "ServicesOnLAN",   "ClusterOverlap"};

	for (int i = 0; i < CONDITIONS; i++)
		out[i].type = types[i];
	ready(in, &out[CONDITION_READY]);
	if (!in->spec)
		return CONDITION_READY + 1;
	usage(in, &out[CONDITION_EXHAUSTED], &out[CONDITION_NEARLY_EXHAUSTED]);
	whole_cidr(in, &out[CONDITION_WHOLE_CIDR]);
	if (*in->overlap)
		set(&out[CONDITION_OVERLAP], true, "SharedAddresses", "%s", in->overlap);
	else
		set(&out[CONDITION_OVERLAP], false, "OwnAddresses",
		    "no other subnet on this master and VLAN has any of its addresses");
	conflicts(in, &out[CONDITION_CONFLICTS]);
	services(in, &out[CONDITION_SERVICES]);
	cluster(in, &out[CONDITION_CLUSTER]);
	return CONDITIONS;
}

/* ------------------------------------------------------------------------------- as JSON */

int conditions_was(const char *conditions, const char *type, char when[CLOCK_RFC3339_LEN])
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err ignored = {0};
	struct jval root, item;

	if (when)
		when[0] = '\0';
	if (!conditions ||
	    jdoc_parse("conditions", conditions, strlen(conditions), &doc, &ignored) < 0)
		return -1;
	root = jdoc_root(doc);
	for (struct jiter it = jiter_of(&root); jiter_next(&it, &item);) {
		const char *is = "", *status = "", *time = "";

		if (!jis_obj(&item) || jget_str(&item, "type", &is, &ignored) < 0 ||
		    jget_str(&item, "status", &status, &ignored) < 0 ||
		    jget_str(&item, "lastTransitionTime", &time, &ignored) < 0 || !str_eq(is, type))
			continue;
		if (when && str_copy(when, CLOCK_RFC3339_LEN, time) < 0)
			when[0] = '\0';
		return str_eq(status, "True");
	}
	return -1;
}

void conditions_write(struct jw *w, const struct status_in *in, const struct condition *c, int n)
{
	char when[CLOCK_RFC3339_LEN];

	for (int i = 0; i < n; i++) {
		if (conditions_was(in->conditions, c[i].type, when) != c[i].holds || !*when)
			clock_rfc3339(in->now_s, when);
		jw_obj(w);
		jw_kv_str(w, "type", c[i].type);
		jw_kv_str(w, "status", c[i].holds ? "True" : "False");
		jw_kv_str(w, "reason", c[i].reason);
		jw_kv_str(w, "message", c[i].message);
		jw_kv_str(w, "lastTransitionTime", when);
		jw_kv_i64(w, "observedGeneration", in->meta->generation);
		jw_end(w);
	}
}
