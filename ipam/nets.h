/* SPDX-License-Identifier: Apache-2.0 */
/* A list of networks, as people write them: "10.42.0.0/16,fd00:42::/56". Both families. */
#ifndef IPAM_NETS_H
#define IPAM_NETS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"

struct ipam_set;

#define IPAM_NETS_MAX 4096

struct ipam_nets {
	struct ip_net *v; /* host bits cleared */
	size_t n;
	size_t cap;
};

#define IPAM_NETS_INIT     \
	{                  \
		NULL, 0, 0 \
	}

void ipam_nets_done(struct ipam_nets *l);
DEFINE_AUTO_VALUE(struct ipam_nets, ipam_nets_done)

/** ipam_nets_add - host bits are cleared. What is beyond IPAM_NETS_MAX is dropped. */
void ipam_nets_add(struct ipam_nets *l, const struct ip_net *net);

/**
 * ipam_nets_parse - add what a comma list says; blanks around an element do not count.
 *
 * ERR_CONFIG names the element; l may have got those before it. An empty text is an empty list.
 */
int ipam_nets_parse(struct ipam_nets *l, const char *text, struct err *e) FN_MUST;

/**
 * ipam_nets_join - sorted, none inside another, and two halves as their whole: the same addresses in fewer words.
 *
 * No address comes that was not there.
 */
void ipam_nets_join(struct ipam_nets *l);

/**
 * ipam_nets_widen - while there are more than max, all are made one bit wider and joined again.
 *
 * True when that was needed: now there are addresses in it that were not there.
 */
bool ipam_nets_widen(struct ipam_nets *l, size_t max);

/** ipam_nets_text - the comma list. The caller frees it. */
char *ipam_nets_text(const struct ipam_nets *l);

/** ipam_nets_eq - the same, in the same order. */
bool ipam_nets_eq(const struct ipam_nets *a, const struct ipam_nets *b);

/** ipam_nets_has - the address is in one of them. */
bool ipam_nets_has(const struct ipam_nets *l, const struct ip_addr *a);

/** ipam_nets_covers - one of them contains the whole network. */
bool ipam_nets_covers(const struct ipam_nets *l, const struct ip_net *net);

/** ipam_net_first_common - the lowest address of set that is in the network; false when there is none. */
bool ipam_net_first_common(const struct ip_net *net, const struct ipam_set *set,
			   struct ip_addr *out);

#endif
