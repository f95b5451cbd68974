/* SPDX-License-Identifier: Apache-2.0 */
/* What has to be done in a pod's namespace, in order, as data. No I/O. */
#ifndef MACVLAN_PLAN_H
#define MACVLAN_PLAN_H

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/nl/route.h"
#include "lib/nl/rule.h"
#include "macvlan/macvlan.h"

struct nl_addr;
struct sb;

/* What the pod's namespace holds once the primary is done. Lent. */
struct macvlan_seen {
	int card_index;
	int primary_index;             /* 0 when the card is the only one */
	const struct nl_route *routes; /* table main, both families, the kernel's order */
	size_t n_routes;
	const struct nl_route *others; /* of the other tables, but local and our own */
	size_t n_others;
	const struct nl_rule *rules; /* both families, by preference */
	size_t n_rules;
	bool primary_enslaved; /* its card is a port, of a VRF: then no rule names its table */
	const struct nl_addr *addrs; /* of all links */
	size_t n_addrs;
};

enum macvlan_op_kind {
	MACVLAN_OP_ADDR,         /* addr on the card */
	MACVLAN_OP_UP,           /* final name and up, one message */
	MACVLAN_OP_NEIGH,        /* addr at mac, a permanent neighbour of the card */
	MACVLAN_OP_ROUTE,        /* route by CREATE|REPLACE */
	MACVLAN_OP_RULE,         /* rule */
	MACVLAN_OP_DEFAULT,      /* route by CREATE|REPLACE, then read back */
	MACVLAN_OP_DELETE_ROUTE, /* route, a default other than ours */
};

struct macvlan_op {
	enum macvlan_op_kind kind;
	struct ip_net addr;
	struct mac_addr mac;
	struct nl_rule rule;
	struct nl_route route;
};

struct macvlan_plan {
	struct macvlan_op *ops;
	size_t n;
};

/**
 * macvlan_plan_make - the ordered operations that turn what is seen into what the card asks for.
 *
 * ERR_CONFIG when the card contradicts itself or the pod: podDefaultGateway without a gateway, a
 * route that needs a gateway where there is none. End *out with macvlan_plan_done().
 */
int macvlan_plan_make(const struct macvlan_card *card, const struct macvlan_seen *seen,
		      struct macvlan_plan *out, struct err *e) FN_MUST;
void macvlan_plan_done(struct macvlan_plan *p);
DEFINE_AUTO_VALUE(struct macvlan_plan, macvlan_plan_done)

/** macvlan_op_format - one operation as text ("route 10.43.0.0/16 via 10.42.0.1 dev eth0"). */
void macvlan_op_format(const struct macvlan_op *op, const struct macvlan_card *card,
		       const struct macvlan_seen *seen, struct sb *out);

#endif
