/* SPDX-License-Identifier: Apache-2.0 */
/* From the record and the conf to the card: what goes where, without any I/O. */
#ifndef META_PLUGIN_CARD_H
#define META_PLUGIN_CARD_H

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "macvlan/macvlan.h"

struct api_ip;
struct api_request;
struct cni_conf;

/* A card and the lists that it lends. */
struct card {
	struct macvlan_card m;
	struct macvlan_route *routes;
	struct ip_addr *nameservers;
	struct ip_net *services;
};

/**
 * card_fill - what the pod's second card shall be.
 * @ifname: CNI_IFNAME, the name of the primary's card, or of ours when it is the only one
 *
 * ip and conf are lent to *out and must outlive it. The subnet's own service CIDRs win over the conf's
 * of that family.
 * End *out with card_done().
 */
void card_fill(const struct api_ip *ip, const struct api_request *req, const struct cni_conf *conf,
	       const char *ifname, struct card *out);
/**
 * card_check - what the conf and the record say together must let the pod reach the cluster.
 *
 * ERR_CONFIG: gateway mode, and no service network is known; an address that is one of the pods' or Services'.
 */
int card_check(const struct card *c, struct err *e) FN_MUST;
void card_done(struct card *c);
DEFINE_AUTO_VALUE(struct card, card_done)

#endif
