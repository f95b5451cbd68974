/* SPDX-License-Identifier: Apache-2.0 */
/* What an address that nobody has is to the subnets. Pure. */
#ifndef KUBECTL_RULES_PLACE_H
#define KUBECTL_RULES_PLACE_H

struct facts;
struct ip_addr;

#define PLACE_LEN 700

/** place_of - "192.168.100.1 is the gateway of MacvlanSubnet vlan100". Returns buf. */
char *place_of(const struct facts *f, const struct ip_addr *addr, char buf[PLACE_LEN]);

#endif
