/*
 * A card's address that another machine on the LAN answers for: the plugin has reported it in the record's
 * status. While the pod has no network yet, the address goes into quarantine and the pod gets another.
 */
#ifndef CONTROLLER_CONFLICT_H
#define CONTROLLER_CONFLICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/ip.h"
#include "ipam/record.h"

struct ent;
struct ip_addr;
struct sub;

#define CONFLICT_POD_MAX 3 /* quarantines for one pod */
#define CONFLICT_PROXY   3 /* addresses that one MAC answers for within a minute: a proxy */
#define CONFLICT_FIXED_S \
	300 /* an address that its pod cannot do without is tried again after this */

/* At most so many for one pod and for one subnet in an hour: a node that lies cannot use up a subnet. */
enum conflict_verdict {
	CONFLICT_NONE = 0,
	CONFLICT_TELL,       /* its card is in use: nothing but an event */
	CONFLICT_QUARANTINE, /* the record is ended, the address set aside */
	CONFLICT_POD_LIMIT,  /* nothing is changed any more, and said so */
	CONFLICT_SUBNET_LIMIT,
	CONFLICT_PROXY_ARP,
};

struct conflict_in {
	const struct api_ip *rec; /* with an address */
	bool in_use;              /* the pod has an IP, or the card was attached before */
	bool ending;              /* it has been decided for this record already */
	bool off;                 /* nothing shall be put in quarantine */
	unsigned int of_pod;      /* quarantines for this pod so far, as far as remembered */
	const struct ipam_conflict *recent; /* the subnet's; older than an hour do not count */
	size_t n_recent;
	struct mac_addr proxy; /* known to answer for any address; zero = none is known */
	int64_t now_s;
};

/** conflict_decide - pure: what is to be done about the record as it stands. */
enum conflict_verdict conflict_decide(const struct conflict_in *in);

/**
 * conflict_run - look at the record of a living pod, and do what is due.
 *
 * By the order of every release: the record is ended first, on the state of it that this was decided on. Once it
 * is gone its address goes into quarantine (conflict_release), and the pod is served anew. A controller that
 * is killed in between leaves an address without a record to its successor, where it cools down.
 */
void conflict_run(struct ent *ent, const struct api_ip *rec);
/**
 * conflict_release - the record with this UID is gone for good: its address goes back to its subnet,
 * into quarantine where that was decided.
 */
void conflict_release(struct ent *ent, struct sub *sub, const struct ip_addr *addr,
		      const char *uid);
void conflict_free(struct ent *ent);

#endif
