/* SPDX-License-Identifier: Apache-2.0 */
/* From a Service and its endpoints to what is to stand in the maps. Pure: no I/O, no clock. */
#ifndef SERVICES_PLAN_H
#define SERVICES_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/ip.h"
#include "services/table/table.h"

struct api_backends;
struct api_cluster_service;

/* A LAN that cards are on. */
struct plan_lan {
	uint32_t scope;
	struct ip_net nets[2]; /* family 0 = none */
};

struct plan_in {
	const struct api_cluster_service *service;
	const struct api_backends *const *backends; /* its own slices */
	size_t n_backends;
	const struct api_backends *const
		*cards; /* those of its -macvlan Service, where it wants them */
	size_t n_cards;
	const struct plan_lan *lans;
	size_t n_lans;
};

struct plan {
	struct table_service *v; /* with their backends, sorted and each once */
	size_t n;
};

/**
 * plan_make - one entry for each address, port and protocol, and one more for each LAN that has cards of it.
 *
 * Ready endpoints count; where none is, those that are terminating and still serve. With internalTrafficPolicy Local
 * only this node's, and none where there are none. A card whose address is in two LANs is in neither.
 */
void plan_make(const struct plan_in *in, struct plan *out);
void plan_done(struct plan *p);
DEFINE_AUTO_VALUE(struct plan, plan_done)

#endif
