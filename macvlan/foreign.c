/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/foreign.h"

#include <net/if.h>

#include "lib/nl/link.h"
#include "lib/nl/neigh.h"
#include "macvlan/macvlan.h"
#include "macvlan/plan_host.h"

static int refuse(const struct macvlan_card *card, struct err *e, const char *what,
		  const char *whose)
{
	char mac[MAC_ADDR_LEN];

	return err_set(e, ERR_CONFIG, 0, "MAC %s is that of %s %s; the pod needs another",
		       mac_format(&card->mac, mac), what, whose);
}

static int check_gateway(struct nl *host, const struct macvlan_card *card,
			 const struct nl_link *parent, const struct ip_addr *gateway, struct err *e)
{
	struct mac_addr mac;
	char text[IP_ADDR_LEN];
	int rc;

	if (!ip_is_set(gateway))
		return 0;
	rc = nl_neigh_find(host, parent->index, gateway, &mac, e);
	if (rc < 0)
		return err_wrap(e, "look for the gateway's MAC");
	return rc && mac_eq(&mac, &card->mac)
		       ? refuse(card, e, "the gateway", ip_format(gateway, text))
		       : 0;
}

int macvlan_foreign_check(struct nl *host, const struct macvlan_card *card,
			  const struct nl_link *parent, struct err *e)
{
	struct mac_addr own = macvlan_host_mac(parent);
	char name[IFNAMSIZ];

	/* Made by the kernel, or to be the parent's. */
	if (!mac_is_usable(&card->mac) || !nl_link_type_of(card->mode)->own_mac ||
	    nl_link_mode_get(card->mode)->alone)
		return 0;
	macvlan_host_name(parent->name, name);
	if (mac_eq(&card->mac, &parent->mac))
		return refuse(card, e, "the node's", parent->name);
	if (mac_eq(&card->mac, &own))
		return refuse(card, e, "the node's", name);
	if (check_gateway(host, card, parent, &card->gateway, e) < 0)
		return -1;
	return check_gateway(host, card, parent, &card->gateway6, e);
}
