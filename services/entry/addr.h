/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as the maps have them. */
#ifndef SERVICES_ENTRY_ADDR_H
#define SERVICES_ENTRY_ADDR_H

#include "lib/base/ip.h"
#include "services/decide/layout.h"

/** entry_addr, entry_ip - as the maps have it, and back. */
struct svc_addr entry_addr(const struct ip_addr *a);
struct ip_addr entry_ip(const struct svc_addr *a);

#endif
