/* SPDX-License-Identifier: Apache-2.0 */
/* Looks into network namespaces: a state file that went is not always a card that went. */
#ifndef NODE_CARDS_H
#define NODE_CARDS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/ip.h"

struct api_ip;

struct cards_addr {
	struct ip_addr addr;
	struct mac_addr mac; /* of its link; zero = none, or not known */
};

/* All addresses in the namespaces that a directory shows. */
struct cards {
	struct cards_addr *v;
	size_t n;
};

/** cards_scan - visit them all; what cannot be opened is passed over. */
void cards_scan(const char *dir, struct cards *out);
void cards_done(struct cards *c);
DEFINE_AUTO_VALUE(struct cards, cards_done)

/**
 * cards_have - one of the record's addresses is among them.
 *
 * In a conflict somebody else has the address, who may be in one of these namespaces: there the record's MAC counts, too.
 */
bool cards_have(const struct cards *c, const struct api_ip *rec);

/** cards_may_be_in - the namespace at path has one of them, or nobody can say. */
bool cards_may_be_in(const char *path, const struct api_ip *rec);

/**
 * cards_netns_is_gone - a namespace at this path has ended, for sure.
 *
 * Only when its name has gone from a directory that is there: from where the node's namespaces are not to be
 * seen at all, none looks gone. A path of /proc tells nothing, since numbers of processes come again.
 */
bool cards_netns_is_gone(const char *path);

#endif
