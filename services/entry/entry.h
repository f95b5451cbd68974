/* SPDX-License-Identifier: Apache-2.0 */
/* What the socket programs are told of one network namespace: by the plugin in its ADD, by the daemon, by hand. */
#ifndef SERVICES_ENTRY_ENTRY_H
#define SERVICES_ENTRY_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/ip.h"
#include "services/decide/layout.h"

#define ENTRY_PINS "/sys/fs/bpf/tandem/v1"

/**
 * entry_cookie - the cookie of a network namespace, which no other gets in this boot.
 * @dir: where the maps are pinned: kernels before 5.14 do not tell, and the socket programs do
 *
 * ERR_NETNS, ERR_KERNEL.
 */
int entry_cookie(int netns_fd, const char *dir, uint64_t *out, struct err *e) FN_MUST;

/** entry_own_cookie - entry_cookie() of the calling thread's own namespace. */
int entry_own_cookie(const char *dir, uint64_t *out, struct err *e) FN_MUST;

/**
 * entry_scope - the number of a LAN: the same for every card on that network of that link and VLAN.
 * @master: as the subnet tells the NIC, whatever a node has found by that (api_master_text())
 * @net: any address of it with its prefix length
 *
 * Never 0.
 */
uint32_t entry_scope(const char *master, uint16_t vlan, const struct ip_net *net);

/** entry_map - the map, by its pin. 1, 0: nothing is loaded, -1. The caller closes *out_fd. */
int entry_map(const char *dir, int *out_fd, struct err *e) FN_MUST;

#endif
