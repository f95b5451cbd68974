/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules have to know of the cluster. They see it through this alone, and so do their tests. */
#ifndef ADMIT_WORLD_H
#define ADMIT_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "api/subnet.h"
#include "ipam/set.h"

/* A MacvlanSubnet that is there. */
struct admit_subnet {
	const char *name;
	const struct api_subnet *spec; /* NULL while it breaks a rule: */
	const char *why;
	bool terminating;
};

/* A pod's record and the addresses that it holds. */
struct admit_holder {
	const char *pod; /* "namespace/name" */
	const char *subnet;
	const struct api_network *network; /* that the card is in */
	struct ip_addr addr;
	struct ip_addr addr6; /* dual stack, else unset */
	struct mac_addr mac;
	bool leaving; /* the pod has gone or is being deleted: the address comes free by itself */
	const void *own; /* the world's */
};

/* A network of the cluster itself, which no card may have an address of. */
struct admit_kept {
	struct ip_net net;
	const char *kind; /* "service" or "pod" */
	const char *node; /* whose pods have it, NULL = not said */
};

struct admit_world {
	const char *system_ns;
	void *ctx;
	/* One after the other, from *pos = 0; false at the end. */
	bool (*next_subnet)(void *ctx, size_t *pos, struct admit_subnet *out);
	bool (*next_holder)(void *ctx, size_t *pos, struct admit_holder *out);
	bool (*next_kept)(void *ctx, size_t *pos, struct admit_kept *out);
	bool (*find_subnet)(void *ctx, const char *name, struct admit_subnet *out);
	/* The id of the workload that a holder's pod belongs to, NULL = none. The caller frees it. */
	char *(*owner)(void *ctx, const struct admit_holder *h);
	/* The id of the workload that names this address of the subnet, NULL = none. The caller frees it. */
	char *(*namer)(void *ctx, const char *subnet, const struct ip_addr *addr);
	/* The node that has the address, NULL = none. */
	const char *(*node)(void *ctx, const struct ip_addr *addr);
	/* The namespace's labels; false when it is not known. */
	bool (*labels)(void *ctx, const char *ns, const struct api_label **out, size_t *n);
};

/** admit_range_of - all that a subnet may give, both families; empty when there is nothing. The caller ends *out. */
void admit_range_of(const struct api_subnet *s, struct ipam_set *out);

/** admit_range_of_family - add what it may give of one family. */
void admit_range_of_family(const struct api_subnet *s, const struct api_family *f,
			   struct ipam_set *out);

/** admit_holds - that address is one of the holder's. */
bool admit_holds(const struct admit_holder *h, const struct ip_addr *addr);

#endif
