/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/rules/place.h"

#include <stdio.h>

#include "controller/rules/range.h"
#include "kubectl/facts/facts.h"

static bool is_in(const struct api_family *v, const struct ip_addr *addr)
{
	return ip_is_set(&v->cidr.addr) && ip_net_has(&v->cidr, addr);
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

static const char *what(const struct api_subnet *s, const struct api_family *v,
			const struct ip_addr *addr)
{
	AUTO(ipam_set_done) struct ipam_set range = IPAM_SET_INIT;
	struct err ignored = {0};

	if (ip_eq(&v->gateway, addr))
		return "is the gateway of";
	if (is_excluded(s, addr))
		return "is excluded in";
	if (range_build(s, v, &range, &ignored) == 0 && ipam_set_has(&range, addr))
		return "is free in";
	return "lies in the network, outside the ranges, of";
}

char *place_of(const struct facts *f, const struct ip_addr *addr, char buf[PLACE_LEN])
{
	char text[IP_ADDR_LEN];

	ip_format(addr, text);
	for (size_t i = 0; i < f->n_subnets; i++) {
		const struct api_subnet *s = f->subnets[i].spec;
		const struct api_family *v = !s                    ? NULL
					     : is_in(&s->v, addr)  ? &s->v
					     : is_in(&s->v6, addr) ? &s->v6
								   : NULL;

		if (!v)
			continue;
		snprintf(buf, PLACE_LEN, "%s %s MacvlanSubnet %s", text, what(s, v, addr),
			 s->meta.name);
		return buf;
	}
	snprintf(buf, PLACE_LEN, "%s is in no MacvlanSubnet's network", text);
	return buf;
}
