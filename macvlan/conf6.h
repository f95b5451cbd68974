/* SPDX-License-Identifier: Apache-2.0 */
/* A link's IPv6 settings, for which there is no netlink. */
#ifndef MACVLAN_CONF6_H
#define MACVLAN_CONF6_H

#include "lib/base/err.h"

/* What a link shall have of IPv6; 0 is nothing at all. */
enum {
	MACVLAN_CONF6_ON = 1,
	MACVLAN_CONF6_RA = 2,      /* addresses and routes that routers announce */
	MACVLAN_CONF6_FORWARD = 4, /* it is a router's; by itself it then hears none */
};

/**
 * macvlan_conf6_set - IPv6 itself, and accept_ra, autoconf and forwarding with it.
 * @wanted: MACVLAN_CONF6_*
 *
 * /proc/sys shows the settings of the namespace that the calling thread is in. A kernel without
 * IPv6 is ERR_KERNEL (EAFNOSUPPORT) when it is wanted, else a success.
 */
int macvlan_conf6_set(const char *ifname, unsigned int wanted, struct err *e) FN_MUST;

#endif
