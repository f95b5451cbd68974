/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/range.h"

#include "lib/base/mem.h"

/* RFC 3021, RFC 6164: with one host bit or none every address is a host's. */
static bool has_network_address(const struct ip_net *cidr)
{
	return cidr->prefix + 1U < ip_bits(&cidr->addr);
}

struct ip_addr ipam_range_default_gateway(const struct ip_net *cidr)
{
	struct ip_addr base = ip_net_base(cidr), first;

	if (cidr->prefix == ip_bits(&cidr->addr))
		return (struct ip_addr){0};
	if (!has_network_address(cidr))
		return base;
	return ip_add(&base, 1, &first) == 0 ? first : (struct ip_addr){0};
}

/* The part of a range that lies inside the CIDR; false when there is none. */
static bool clip(const struct ip_net *cidr, struct ipam_span *s)
{
	struct ip_addr base = ip_net_base(cidr), last = ip_net_last(cidr);

	if (s->start.family != base.family || s->end.family != base.family)
		return false;
	if (ip_cmp(&s->start, &base) < 0)
		s->start = base;
	if (ip_cmp(&s->end, &last) > 0)
		s->end = last;
	return ip_cmp(&s->start, &s->end) <= 0;
}

static int add_span(const struct ip_net *cidr, struct ipam_span span, struct ipam_set *out,
		    struct err *e)
{
	/* Room for the network address, the broadcast and the gateway, which go again. */
	if (!clip(cidr, &span))
		return 0;
	if (ip_distance(&span.start, &span.end) >= IPAM_RANGE_MAX + 3)
		goto too_many;
	ipam_set_add_span(out, &span.start, &span.end);
	if (ipam_set_count(out) <= IPAM_RANGE_MAX + 3)
		return 0;
too_many:
	return err_set(e, ERR_CONFIG, 0, "more than %d addresses; set ranges", IPAM_RANGE_MAX);
}

static struct ipam_span whole(const struct ip_net *cidr)
{
	struct ipam_span s = {ip_net_base(cidr), ip_net_last(cidr)};
	struct ip_addr end;

	if (s.start.family == AF_INET6 && ip_distance(&s.start, &s.end) >= IPAM_RANGE_MAX &&
	    ip_add(&s.start, IPAM_RANGE_MAX - 1, &end) == 0)
		s.end = end;
	return s;
}

int ipam_range_build(const struct ipam_range_spec *spec, struct ipam_set *out, struct err *e)
{
	AUTO(ipam_set_done) struct ipam_set set = IPAM_SET_INIT;
	const struct ip_net *cidr = &spec->cidr;
	struct ip_addr base = ip_net_base(cidr), last = ip_net_last(cidr);

	if (!spec->n_ranges && add_span(cidr, whole(cidr), &set, e) < 0)
		return -1;
	for (size_t i = 0; i < spec->n_ranges; i++) {
		if (add_span(cidr, spec->ranges[i], &set, e) < 0)
			return -1;
	}
	if (has_network_address(cidr)) {
		ipam_set_remove(&set, &base);
		if (base.family == AF_INET)
			ipam_set_remove(&set, &last);
	}
	if (ip_is_set(&spec->gateway))
		ipam_set_remove(&set, &spec->gateway);
	for (size_t i = 0; i < spec->n_exclude; i++)
		ipam_set_remove_span(&set, &spec->exclude[i].start, &spec->exclude[i].end);
	if (ipam_set_count(&set) > IPAM_RANGE_MAX)
		return err_set(e, ERR_CONFIG, 0, "more than %d addresses; set ranges",
			       IPAM_RANGE_MAX);
	*out = set;
	set = (struct ipam_set)IPAM_SET_INIT;
	return 0;
}
