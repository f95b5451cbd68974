/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/spec.h"

#include "lib/base/mem.h"
#include "lib/base/str.h"

struct api_ip *spec_copy(const struct api_ip *ip)
{
	struct api_ip *c = xcalloc(1, sizeof(*c));

	c->meta.ns = xstrdup(ip->meta.ns);
	c->meta.name = xstrdup(ip->meta.name);
	c->meta.uid = xstrdup(ip->meta.uid);
	c->meta.deletion = ip->meta.deletion;
	c->unwitnessed = ip->unwitnessed;
	c->card_down = xstrdup(ip->card_down);
	c->owner_pod_uid = xstrdup(ip->owner_pod_uid);
	c->subnet = xstrdup(ip->subnet);
	c->pod_id = xstrdup(ip->pod_id);
	c->node = xstrdup(ip->node);
	c->cidr = ip->cidr;
	c->cidr6 = ip->cidr6;
	c->mac = ip->mac;
	api_network_copy(&ip->network, &c->network);
	return c;
}

bool spec_eq(const struct api_ip *a, const struct api_ip *b)
{
	return str_eq(a->subnet, b->subnet) && str_eq(a->pod_id, b->pod_id) &&
	       str_eq(a->node, b->node) && ip_eq(&a->cidr.addr, &b->cidr.addr) &&
	       a->cidr.prefix == b->cidr.prefix && ip_eq(&a->cidr6.addr, &b->cidr6.addr) &&
	       a->cidr6.prefix == b->cidr6.prefix && mac_eq(&a->mac, &b->mac) &&
	       api_network_eq(&a->network, &b->network);
}
