/* SPDX-License-Identifier: Apache-2.0 */
/* What the socket programs are told of a pod, from its state file: by the plugin in its ADD, and by the daemon later. */
#ifndef SERVICES_ENTRY_POD_H
#define SERVICES_ENTRY_POD_H

#include "lib/base/err.h"
#include "services/decide/layout.h"

struct state;

/* On a pod: "off" = its ClusterIPs are not translated. */
#define ENTRY_ANNOTATION "tandem-cni.io/services"

/**
 * entry_of_state - its scope, flags, addresses and MAC. No I/O.
 *
 * 1: it is to be entered; 0: nothing is special about it. A pod with the sidecar of a service mesh is skipped, as by the
 * annotation: the mesh knows connections by their ClusterIPs. The scope is that of a card that reaches its neighbours
 * directly: macvlan in mode bridge, ipvlan.
 */
int entry_of_state(const struct state *s, struct svc_pod *out);

/** entry_enter - what an ADD has to enter; nothing is said where no map is pinned in dir. ERR_KERNEL, ERR_NETNS. */
int entry_enter(const struct state *s, int netns_fd, const char *dir, struct err *e) FN_MUST;

/** entry_leave - take it out. As entry_enter(). */
int entry_leave(int netns_fd, const char *dir, struct err *e) FN_MUST;

#endif
