/* SPDX-License-Identifier: Apache-2.0 */
/* Every address of the subnets that is not simply free: who has it, until when, and why. Pure. */
#ifndef KUBECTL_RULES_ADDRESS_H
#define KUBECTL_RULES_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/ip.h"

struct api_ip;
struct facts;
struct facts_subnet;

enum address_state {
	ADDRESS_FREE = 0,
	ADDRESS_PENDING,     /* a record that has none yet */
	ADDRESS_ATTACHED,    /* its node says so */
	ADDRESS_ALLOCATED,   /* its node has not said anything yet */
	ADDRESS_MISSING,     /* its node says that there is no card */
	ADDRESS_CONFLICT,    /* another machine has it */
	ADDRESS_ENDING,      /* its pod is over, and its node is asked for the card */
	ADDRESS_HELD,        /* nobody saw its card go */
	ADDRESS_KEPT,        /* for the next pod of a StatefulSet */
	ADDRESS_IN_FLIGHT,   /* committed, not yet in the record */
	ADDRESS_UNKNOWN,     /* used, and no record has it */
	ADDRESS_COOLING,     /* given back */
	ADDRESS_QUARANTINED, /* another machine answered for it */
	ADDRESS_RESERVED,    /* a pod template names it, and no pod has it now */
	ADDRESS_STATES,
};

/* All lent by the facts. */
struct address {
	const struct facts_subnet
		*subnet; /* NULL: that of the record does not exist or cannot be read */
	const char *subnet_name;
	struct ip_addr addr; /* unset: pending */
	enum address_state state;
	const struct api_ip *record; /* NULL = none */
	const char *ns, *pod;        /* of a record, or of what is in flight; NULL = none */
	const char *owner;           /* of a reservation: "Deployment default/web" */
	int64_t until;               /* seconds since 1970, 0 = open */
	bool unproven;               /* whoever gets it next asks the LAN first */
};

struct addresses {
	struct address *items; /* by subnet, then by address; those without one last */
	size_t n;
};

void addresses_done(struct addresses *a);
DEFINE_AUTO_VALUE(struct addresses, addresses_done)

/**
 * addresses_make - out of subnets and records.
 * @hold_s: how long the controller holds an address that nobody saw go
 */
struct addresses addresses_make(const struct facts *f, int64_t hold_s);

/** address_state_name - "attached", "cooling", ... */
const char *address_state_name(enum address_state s);

#define ADDRESS_WHY_LEN 700
/** address_why - in words for people; "" where there is nothing to say. Returns buf. */
char *address_why(const struct address *a, char buf[ADDRESS_WHY_LEN]);

#endif
