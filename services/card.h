/* SPDX-License-Identifier: Apache-2.0 */
/* What can be read of a namespace's interface for the map of namespaces: addresses, MACs, the node's end. */
#ifndef SERVICES_CARD_H
#define SERVICES_CARD_H

#include "lib/base/err.h"
#include "services/decide/layout.h"

/**
 * card_read - fill in addresses, MACs and the node's link; scope and flags stay.
 * @ifname: NULL = eth1 where there is one, else eth0
 *
 * ERR_NOT_FOUND names the interface. ERR_NETNS, ERR_KERNEL.
 */
int card_read(int netns_fd, const char *ifname, struct svc_pod *out, struct err *e) FN_MUST;

#endif
