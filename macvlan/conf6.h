/* SPDX-License-Identifier: Apache-2.0 */
/* A link's IPv6 settings, for which there is no netlink. */
#ifndef MACVLAN_CONF6_H
#define MACVLAN_CONF6_H

#include <stdbool.h>

#include "lib/base/err.h"

/**
 * macvlan_conf6_set - accept_ra and autoconf off; IPv6 itself on or off.
 *
 * /proc/sys shows the settings of the namespace that the calling thread is in. A kernel without
 * IPv6 is ERR_KERNEL (EAFNOSUPPORT) when it is wanted, else a success.
 */
int macvlan_conf6_set(const char *ifname, bool wanted, struct err *e) FN_MUST;

#endif
