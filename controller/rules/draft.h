/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent to the API server about a record: the bodies of requests. No I/O. */
#ifndef CONTROLLER_RULES_DRAFT_H
#define CONTROLLER_RULES_DRAFT_H

#include <stdbool.h>

#include "api/ip.h"
#include "api/pod.h"
#include "lib/base/sb.h"
#include "lib/json/jwrite.h"

/* What a record is given. */
struct draft_address {
	struct ip_net cidr, cidr6; /* cidr6 unset: not dual stack */
	const struct mac_addr *mac;
	const struct api_network *network; /* NULL = the record's own */
	bool probe;                        /* the LAN is to be asked for the address */
	const char *choice;                /* as the record has it; for draft_whole() */
};

/* A record that is to be made. */
struct draft_record {
	const char *subnet;
	const struct api_network *network;
	const char *choice; /* why that subnet: API_ANNOTATION_CHOICE; NULL = there was no choice */
	bool ask; /* its pod runs and has lost its record: the node is asked which card it has */
};

/** draft_new - the record of a pod that waits for an address. */
void draft_new(struct sb *sb, const struct api_pod *pod, const struct draft_record *r);

/** draft_begin - a patch of rec in the state that we know; metadata is left open. */
void draft_begin(struct jw *w, const struct api_ip *rec);

/** draft_patch - RFC 7386: rec gets an address. */
void draft_patch(struct sb *sb, const struct api_ip *rec, const struct draft_address *a);

/**
 * draft_whole - the same as a whole record, for one that has nothing but what draft_new() wrote.
 *
 * A replacement costs the API server a fifth less than a patch: it need not encode what it has, patch that and
 * decode it again.
 */
void draft_whole(struct sb *sb, const struct api_ip *rec, const struct api_pod *pod,
		 const struct draft_address *a);

/** draft_cidr - a key of the spec; null where it is unset. */
void draft_cidr(struct jw *w, const char *key, const struct ip_net *net);

#endif
