/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/range.h"

#include "ipam/range.h"
#include "lib/base/mem.h"

static struct ipam_span *spans_of(const struct api_range *ranges, size_t n)
{
	struct ipam_span *spans = xcalloc(n + 1, sizeof(*spans));

	for (size_t i = 0; i < n; i++)
		spans[i] = (struct ipam_span){ranges[i].start, ranges[i].end};
	return spans;
}

int range_build(const struct api_subnet *s, const struct api_family *v, struct ipam_set *out,
		struct err *e)
{
	AUTO(free) struct ipam_span *ranges = spans_of(v->ranges, v->n_ranges);
	AUTO(free) struct ipam_span *exclude = spans_of(s->exclude, s->n_exclude);
	struct ipam_range_spec spec = {
		.cidr = v->cidr,
		.gateway = v->gateway,
		.ranges = ranges,
		.n_ranges = v->n_ranges,
		.exclude = exclude,
		.n_exclude = s->n_exclude,
	};

	return ipam_range_build(&spec, out, e);
}

bool range_is_dual(const struct api_subnet *s)
{
	return s && ip_is_set(&s->v6.cidr.addr);
}

int range_check(const struct api_subnet *s, struct err *e)
{
	AUTO(ipam_set_done) struct ipam_set set = IPAM_SET_INIT;

	if (range_build(s, &s->v, &set, e) < 0)
		return err_wrap(e, "spec.ranges");
	ipam_set_done(&set);
	if (range_is_dual(s) && range_build(s, &s->v6, &set, e) < 0)
		return err_wrap(e, "spec.ipv6.ranges");
	return 0;
}
