/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be done about an address that another machine on the LAN answers for. Pure. */
#ifndef CONTROLLER_RULES_CONFLICT_H
#define CONTROLLER_RULES_CONFLICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/ip.h"
#include "ipam/allocation.h"

#define CONFLICT_POD_MAX 3 /* quarantines for one pod */
#define CONFLICT_PROXY   3 /* addresses that one MAC answers for within a minute: a proxy */
/* An address that its pod cannot do without is tried again after so many seconds. */
#define CONFLICT_FIXED_S 300

/* At most so many for one pod and for one subnet in an hour: a node that lies cannot use up a subnet. */
enum conflict_verdict {
	CONFLICT_NONE = 0,
	CONFLICT_TELL,       /* its card is in use: nothing but an event */
	CONFLICT_QUARANTINE, /* the record is ended, the address set aside */
	CONFLICT_POD_LIMIT,  /* nothing is changed any more, and said so */
	CONFLICT_SUBNET_LIMIT,
	CONFLICT_PROXY_ARP,
};

/* Of a conflict that ends a record. */
enum conflict_step {
	CONFLICT_MARK, /* begin its end: from then on its node answers */
	CONFLICT_WAIT, /* for that answer */
	CONFLICT_FREE,
};

struct conflict_in {
	const struct api_ip *rec; /* with an address */
	bool in_use;              /* the pod has an IP, or the card was attached before */
	bool ending; /* it has been decided for this record already, here or by who led before */
	bool asked;  /* decided here, and its node asked for the card */
	bool off;    /* nothing shall be put in quarantine */
	unsigned int of_pod; /* quarantines for this pod so far, as far as remembered */
	const struct ipam_conflict *recent; /* the subnet's; older than an hour do not count */
	size_t n_recent;
	struct mac_addr proxy; /* known to answer for any address; zero = none is known */
	int64_t now_s;
};

/**
 * conflict_step - how far is the end of a record in conflict?
 * @reports: nodes report what becomes of cards; else the plugin that has found the conflict is the only witness
 *
 * An address leaves a pod only when its node has said that the pod has no card, whoever said that it is in conflict.
 */
enum conflict_step conflict_step(const struct api_ip *rec, bool reports);

/** conflict_decide - pure: what is to be done about the record as it stands. */
enum conflict_verdict conflict_decide(const struct conflict_in *in);

#endif
