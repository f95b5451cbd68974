/* SPDX-License-Identifier: Apache-2.0 */
/* The requests about one pod's record. One at a time; each answer has the entry looked at again. */
#ifndef CONTROLLER_RECORDS_REQUESTS_H
#define CONTROLLER_RECORDS_REQUESTS_H

struct api_network;
struct api_subnet;
struct entry;

/** requests_create - step 0: the record, without an address, with the network as it is now. */
void requests_create(struct entry *entry, const char *subnet, const struct api_network *net);
/** requests_create_asking - likewise, of a pod that runs: its node is asked which card it has. */
void requests_create_asking(struct entry *entry, const char *subnet, const struct api_network *net);
/** requests_address - step 2: the committed addresses, only where none stands and nothing else has changed. */
void requests_address(struct entry *entry, const struct api_network *net);
/** requests_restore - what somebody has edited becomes entry->good again. */
void requests_restore(struct entry *entry);
/** requests_begin_end - begin the record's end without ending it: its node tells then when the card is down. */
void requests_begin_end(struct entry *entry);
/** requests_missing - its phase becomes Missing. */
void requests_missing(struct entry *entry);
/** requests_end - release, step 1: delete; then, seen its deletionTimestamp, take the finalizer off. */
void requests_end(struct entry *entry);
/**
 * requests_vacate, requests_bind - a StatefulSet's record, whose pod's card is down, names no pod any more, or
 * the next one of the name (entry->pod), with the network as the subnet has it now. Address and MAC stay.
 */
void requests_vacate(struct entry *entry);
void requests_bind(struct entry *entry, const struct api_subnet *subnet,
		   const struct api_network *net);
/** requests_suspect - note in the record since when its pod is gone unseen. */
void requests_suspect(struct entry *entry);
/** requests_look - is the pod with this UID still there? The answer is in entry->end and entry->look_ms. */
void requests_look(struct entry *entry, const char *pod_uid);

#endif
