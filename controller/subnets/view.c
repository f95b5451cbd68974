/* SPDX-License-Identifier: Apache-2.0 */
/* What others may know of a subnet. */
#include <string.h>

#include "controller/addresses/holders.h"
#include "controller/addresses/reservations.h"
#include "controller/facts/facts.h"
#include "controller/rules/range.h"
#include "controller/subnets/internal.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

const char *subnet_name(const struct subnet *subnet)
{
	return subnet->name;
}

enum subnet_state subnet_state(const struct subnet *subnet)
{
	return subnet->state;
}

const struct subnet_object *subnet_object(const struct subnet *subnet)
{
	return subnet->obj;
}

const struct api_subnet *subnet_spec(const struct subnet *subnet)
{
	return subnet->obj ? subnet->obj->spec : NULL;
}

static bool lacks_services(const struct api_subnet *spec, uint8_t family)
{
	bool served = spec->v.cidr.addr.family == family || spec->v6.cidr.addr.family == family;

	return served && !api_network_names_services(&spec->network, family);
}

/* Of a family that its cards have an address of, it names no network of Services itself. */
static bool needs_service_cidrs(const struct api_subnet *spec)
{
	return spec && spec->network.pod_default_gateway &&
	       (lacks_services(spec, AF_INET) || lacks_services(spec, AF_INET6));
}

bool subnet_network_is_known(const struct subnet *subnet)
{
	const struct facts *facts = subnet->all->in.facts;

	return !needs_service_cidrs(subnet_spec(subnet)) || facts_services(facts)->n ||
	       facts_are_settled(facts);
}

const struct api_network *subnet_network(struct subnet *subnet)
{
	const struct api_subnet *spec = subnet_spec(subnet);
	const struct ipam_nets *nets = facts_services(subnet->all->in.facts);
	unsigned int version = facts_version(subnet->all->in.facts);
	struct api_network *net = &subnet->network;

	if (!spec)
		return NULL;
	if (!needs_service_cidrs(spec) || !nets->n)
		return &spec->network;
	if (subnet->network_facts == version)
		return net;
	api_network_done(net);
	api_network_copy(&spec->network, net);
	free(net->service_cidrs);
	net->service_cidrs =
		api_network_services(&spec->network, nets->v, nets->n, &net->n_service_cidrs);
	if (net->n_service_cidrs > API_CIDRS_MAX)
		net->n_service_cidrs = API_CIDRS_MAX;
	subnet->network_facts = version;
	return net;
}

bool subnet_is_writing(const struct subnet *subnet)
{
	return subnet->call != NULL;
}

const struct ipam_allocation *subnet_allocation(const struct subnet *subnet)
{
	return &subnet->record;
}

const struct ipam_conflict *subnet_conflicts(const struct subnet *subnet, size_t *n)
{
	*n = subnet->n_conflicts;
	return subnet->conflicts;
}

static bool is_refusing(const struct subnet *subnet)
{
	return subnet->conflicts_until_s > process_now_s(subnet->all->in.process);
}

struct mac_addr subnet_proxy(const struct subnet *subnet)
{
	return is_refusing(subnet) ? subnet->proxy : (struct mac_addr){0};
}

bool subnet_is_refusing(const struct subnet *subnet, const char *reason)
{
	return is_refusing(subnet) && str_eq(subnet->conflicts_reason, reason);
}

bool subnet_is_dual(const struct subnet *subnet)
{
	return range_is_dual(subnet_spec(subnet));
}

const struct ipam_set *subnet_range6(const struct subnet *subnet)
{
	return subnet_is_dual(subnet) ? &subnet->range6 : NULL;
}

const struct ipam_set *subnet_named(const struct subnet *subnet)
{
	return reservations_named(subnet->all->in.reservations, subnet->name);
}

uint8_t subnet_prefix_of(const struct subnet *subnet, const struct ip_addr *addr)
{
	const struct api_subnet *spec = subnet_spec(subnet);

	if (!spec || !ip_is_set(addr))
		return 0;
	if (ip_net_has(&spec->v.cidr, addr))
		return spec->v.cidr.prefix;
	return ip_net_has(&spec->v6.cidr, addr) ? spec->v6.cidr.prefix : 0;
}

bool subnet_must_probe(const struct subnet *subnet, const struct ip_addr *addr)
{
	return subnet->blind || ipam_set_has(&subnet->record.pool.unproven, addr);
}

int64_t subnet_next_free_of_s(const struct subnet *subnet, const struct ipam_set *set)
{
	return ipam_pool_next_expiry(&subnet->next.pool, set);
}

int64_t subnet_next_free_s(const struct subnet *subnet, bool second)
{
	return subnet_next_free_of_s(subnet, second ? &subnet->range6 : &subnet->range);
}

struct numbers subnet_numbers(const struct subnet *subnet)
{
	struct ipam_counts n = numbers_count(&subnet->record.pool, &subnet->range,
					     subnet_range6(subnet), subnet_named(subnet), NULL);

	return numbers_of(&n, subnet->n_held);
}

/* What cools down may be kept for whoever asks: it counts as free, and the plan decides. */
bool subnet_has_free(const struct subnet *subnet, const struct api_request *request)
{
	if (!request->n_ips)
		return subnet_numbers(subnet).free > 0;
	for (size_t i = 0; i < request->n_ips; i++) {
		const struct ip_addr *a = &request->ips[i];

		if ((ipam_set_has(&subnet->range, a) || ipam_set_has(&subnet->range6, a)) &&
		    !ipam_set_has(&subnet->record.pool.used, a))
			return true;
	}
	return false;
}

/* What the write gives to a namespace that is being made up: holders do not know of it yet. */
static size_t given_now(const struct subnet *subnet, const char *ns)
{
	size_t n = 0;

	for (size_t i = 0; i < subnet->n_sent; i++)
		n += str_eq(subnet->wants[i].ns, ns);
	return n;
}

static void add_namespace(struct largest *l, const char *ns, size_t count)
{
	AUTO(free) char *name = xasprintf("namespace %s", ns);

	largest_add(l, name, count);
}

const struct largest *subnet_largest(struct subnet *subnet)
{
	const struct holders *holders = subnet->all->in.holders;
	/* Some are refused before it is made up. */
	const struct ipam_allocation *made = subnet->next.commit ? &subnet->next : &subnet->record;
	struct largest *out = &subnet->largest;
	const char *ns;
	size_t pos = 0, n;

	if (subnet->largest_known)
		return out;
	subnet->largest_known = true;
	*out = (struct largest){0};
	while ((ns = holders_each_ns(holders, subnet->name, &pos, &n)))
		add_namespace(out, ns, n + given_now(subnet, ns));
	for (size_t i = 0; i < subnet->n_sent; i++) {
		bool again = false;

		ns = subnet->wants[i].ns;
		for (size_t j = 0; j < i; j++)
			again |= str_eq(subnet->wants[j].ns, ns);
		if (!again && !holders_count(holders, subnet->name, ns))
			add_namespace(out, ns, given_now(subnet, ns));
	}
	reservations_largest(subnet->all->in.reservations, subnet->name, &made->pool.used, out);
	return out;
}

size_t subnet_n_waiting(const struct subnet *subnet)
{
	return subnet->n_queue;
}

bool subnet_addr_taken(const struct subnet *subnet, const struct ip_addr *addr, const char *uid)
{
	const struct api_subnet *spec = subnet_spec(subnet);
	struct holder_wire here = {.subnet = subnet->name, .network = spec ? &spec->network : NULL};

	return holders_addr_taken(subnet->all->in.holders, &here, addr, uid);
}

bool subnet_mac_taken(const struct subnet *subnet, const struct mac_addr *mac, const char *uid)
{
	return holders_mac_taken(subnet->all->in.holders, mac, uid);
}
