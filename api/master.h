/* SPDX-License-Identifier: Apache-2.0 */
/* Which NIC a network is on, and whether two are on one. */
#ifndef API_MASTER_H
#define API_MASTER_H

#include "api/network.h"

/** api_master_key - the key in spec.masterSelector; NULL for a name. */
const char *api_master_key(enum api_master_by by);

/** api_master_text - the name, or "addressIn=192.168.100.0/24". Returns buf. */
char *api_master_text(const struct api_network *n, char buf[API_MASTER_TEXT]);

/** api_master_eq - the same name, or the same selector. */
bool api_master_eq(const struct api_network *a, const struct api_network *b);

/**
 * api_master_may_meet - they are one LAN, or may be on some node: there an address must not be twice.
 *
 * One name and one VLAN are one LAN, and another name is another. A selector is no evidence of being elsewhere:
 * it may find the NIC that another one names, or the link of any VLAN.
 */
bool api_master_may_meet(const struct api_network *a, const struct api_network *b);

#endif
