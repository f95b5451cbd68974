/* SPDX-License-Identifier: Apache-2.0 */
/* Why a subnet cannot give what a pod asks for. */
#include <stdio.h>
#include <string.h>

#include "api/workload.h"
#include "controller/rules/range.h"
#include "kubectl/facts/facts.h"
#include "kubectl/rules/why_int.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* Of another pod than the one that is asked about. */
static const struct api_ip *holder_of(const struct why_in *in, const struct ip_addr *addr)
{
	for (size_t i = 0; i < in->facts->n_records; i++) {
		const struct api_ip *r = in->facts->records[i];

		if (!ip_eq(&r->cidr.addr, addr) && !ip_eq(&r->cidr6.addr, addr))
			continue;
		if (!str_eq(r->meta.name, in->name) || !str_eq(r->meta.ns, in->ns))
			return r;
	}
	return NULL;
}

static const struct api_ip *mac_holder_of(const struct why_in *in, const struct mac_addr *mac)
{
	for (size_t i = 0; i < in->facts->n_records; i++) {
		const struct api_ip *r = in->facts->records[i];

		if (!api_ip_is_allocated(r) || !mac_eq(&r->mac, mac))
			continue;
		if (!str_eq(r->meta.name, in->name) || !str_eq(r->meta.ns, in->ns))
			return r;
	}
	return NULL;
}

static const struct ipam_cooling_run *run_of(const struct facts_subnet *s,
					     const struct ip_addr *addr)
{
	for (size_t i = 0; i < s->allocation.pool.n_cooling; i++) {
		if (ipam_set_has(&s->allocation.pool.cooling[i].set, addr))
			return &s->allocation.pool.cooling[i];
	}
	return NULL;
}

static bool gives(const struct facts_subnet *s, const struct ip_addr *addr)
{
	const struct api_family *v = addr->family == s->spec->v.cidr.addr.family ? &s->spec->v
										 : &s->spec->v6;
	AUTO(ipam_set_done) struct ipam_set range = IPAM_SET_INIT;
	struct err ignored = {0};

	return ip_is_set(&v->cidr.addr) && range_build(s->spec, v, &range, &ignored) == 0 &&
	       ipam_set_has(&range, addr);
}

/* Kept for a workload that is not this pod's. */
static const char *keeper_of(const struct why_in *in, const struct facts_subnet *s,
			     const struct ip_addr *addr)
{
	const char *owner = ipam_claims_owner(&s->allocation.claims, addr);
	AUTO(free) char *own = api_workload_id_of_pod(in->pod->pod);

	return owner && !str_eq(owner, own) ? owner : NULL;
}

#define TO_DO "choose another address in annotation " API_ANNOTATION_IP

static bool named_refused(const struct why_in *in, const struct facts_subnet *s,
			  const struct ip_addr *addr, char buf[WHY_TEXT_LEN])
{
	const struct api_ip *holder = holder_of(in, addr);
	const struct ipam_cooling_run *run = run_of(s, addr);
	const char *keeper = keeper_of(in, s, addr);
	char text[IP_ADDR_LEN], at[CLOCK_RFC3339_LEN];

	ip_format(addr, text);
	if (!gives(s, addr))
		snprintf(buf, WHY_TEXT_LEN,
			 "MacvlanSubnet %s does not give %s; choose one of its ranges",
			 s->meta.name, text);
	else if (holder)
		snprintf(buf, WHY_TEXT_LEN, "%s is pod %s/%s's; " TO_DO ", or delete that pod",
			 text, holder->meta.ns, holder->meta.name);
	else if (keeper)
		snprintf(buf, WHY_TEXT_LEN,
			 "%s is kept for %s, whose template names it; " TO_DO
			 ", or remove it there",
			 text, keeper);
	else if (run)
		snprintf(
			buf, WHY_TEXT_LEN, "%s %s; it can be given again at %s", text,
			run->quarantine
				? "is in quarantine, since another machine on the LAN answered for it"
				: "was just given back, and cools down",
			clock_rfc3339(run->until, at));
	else
		return false;
	return true;
}

static bool list_refused(const struct why_in *in, const struct facts_subnet *s,
			 const struct api_request *q, char buf[WHY_TEXT_LEN])
{
	char first[WHY_TEXT_LEN];

	for (size_t i = 0; i < q->n_ips; i++) {
		if (!named_refused(in, s, &q->ips[i], i ? buf : first))
			return false;
	}
	if (q->n_ips == 1)
		snprintf(buf, WHY_TEXT_LEN, "%s", first);
	else
		snprintf(buf, WHY_TEXT_LEN,
			 "none of the %zu addresses that it names can be had; the first: %.900s",
			 q->n_ips, first);
	return true;
}

static bool mac_refused(const struct why_in *in, const struct api_request *q,
			char buf[WHY_TEXT_LEN])
{
	char text[MAC_ADDR_LEN];

	for (size_t i = 0; i < q->n_macs; i++) {
		const struct api_ip *holder = mac_holder_of(in, &q->macs[i]);

		if (!holder)
			return false;
		snprintf(buf, WHY_TEXT_LEN,
			 "MAC %s is pod %s/%s's; choose another in annotation " API_ANNOTATION_MAC
			 ", or delete that pod",
			 mac_format(&q->macs[i], text), holder->meta.ns, holder->meta.name);
	}
	return q->n_macs > 0;
}

static bool is_over_limit(const struct why_in *in, const struct facts_subnet *s,
			  char buf[WHY_TEXT_LEN])
{
	size_t n = 0;

	for (size_t i = 0; i < in->facts->n_records; i++) {
		const struct api_ip *r = in->facts->records[i];

		n += api_ip_is_allocated(r) && str_eq(r->meta.ns, in->ns) &&
		     str_eq(r->subnet, s->meta.name);
	}
	if (!s->spec->max_per_ns || n < s->spec->max_per_ns)
		return false;
	snprintf(
		buf, WHY_TEXT_LEN,
		"namespace %s has %zu cards in MacvlanSubnet %s, and may have %u (maxPerNamespace); "
		"delete pods there, or raise it",
		in->ns, n, s->meta.name, s->spec->max_per_ns);
	return true;
}

static bool is_exhausted(const struct facts_subnet *s, char buf[WHY_TEXT_LEN])
{
	char at[CLOCK_RFC3339_LEN] = "";

	if (s->free > 0 || !s->total)
		return false;
	if (s->allocation.pool.n_cooling)
		clock_rfc3339(s->allocation.pool.cooling[0].until, at);
	snprintf(buf, WHY_TEXT_LEN,
		 "MacvlanSubnet %s has no free address: of %lld %lld are used, %lld reserved, %lld "
		 "cooling%s%s; extend its ranges, or delete pods",
		 s->meta.name, (long long)s->total, (long long)s->used, (long long)s->reserved,
		 (long long)s->cooling, *at ? ", the first until " : "", at);
	return true;
}

bool why_address_refused(const struct why_in *in, const struct facts_subnet *s,
			 const struct api_request *q, char buf[WHY_TEXT_LEN])
{
	if (!s->spec)
		return false;
	if (mac_refused(in, q, buf) || is_over_limit(in, s, buf))
		return true;
	return q->n_ips ? list_refused(in, s, q, buf) : is_exhausted(s, buf);
}
