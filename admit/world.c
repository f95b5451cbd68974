/* SPDX-License-Identifier: Apache-2.0 */
#include "admit/world.h"

#include "ipam/range.h"
#include "lib/base/mem.h"

static struct ipam_span *spans_of(const struct api_range *ranges, size_t n)
{
	struct ipam_span *spans = xcalloc(n + 1, sizeof(*spans));

	for (size_t i = 0; i < n; i++)
		spans[i] = (struct ipam_span){ranges[i].start, ranges[i].end};
	return spans;
}

void admit_range_of_family(const struct api_subnet *s, const struct api_family *f,
			   struct ipam_set *out)
{
	AUTO(free) struct ipam_span *ranges = spans_of(f->ranges, f->n_ranges);
	AUTO(free) struct ipam_span *exclude = spans_of(s->exclude, s->n_exclude);
	AUTO(ipam_set_done) struct ipam_set set = IPAM_SET_INIT;
	struct ipam_range_spec spec = {
		.cidr = f->cidr,
		.gateway = f->gateway,
		.ranges = ranges,
		.n_ranges = f->n_ranges,
		.exclude = exclude,
		.n_exclude = s->n_exclude,
	};
	struct err ignored = {0};

	if (ip_is_set(&f->cidr.addr) && ipam_range_build(&spec, &set, &ignored) == 0)
		ipam_set_unite(out, &set);
}

void admit_range_of(const struct api_subnet *s, struct ipam_set *out)
{
	admit_range_of_family(s, &s->v, out);
	admit_range_of_family(s, &s->v6, out);
}

bool admit_holds(const struct admit_holder *h, const struct ip_addr *addr)
{
	return ip_eq(&h->addr, addr) || (ip_is_set(&h->addr6) && ip_eq(&h->addr6, addr));
}
