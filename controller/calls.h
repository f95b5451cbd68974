/* The requests about one pod's record. One at a time; each answer has the entry looked at again. */
#ifndef CONTROLLER_CALLS_H
#define CONTROLLER_CALLS_H

#include "controller/app.h"

/** calls_create - step 0: the record, without an address, with the network as it is now. */
void calls_create(struct ent *ent, const char *subnet, const struct api_network *net);
/** calls_address - step 2: the committed addresses, only where none stands and nothing else has changed. */
void calls_address(struct ent *ent, const struct api_network *net);
/** calls_restore - what somebody has edited becomes ent->good again. */
void calls_restore(struct ent *ent);
/** calls_ask - begin the record's end without ending it: its node tells then when the card is down. */
void calls_ask(struct ent *ent);
/** calls_missing - its phase becomes Missing. */
void calls_missing(struct ent *ent);
/** calls_end - release, step 1: delete; then, seen its deletionTimestamp, take the finalizer off. */
void calls_end(struct ent *ent);
/**
 * calls_vacate, calls_bind - a StatefulSet's record, whose pod's card is down, names no pod any more, or
 * the next one of the name (ent->pod), with the network as the subnet has it now. Address and MAC stay.
 */
void calls_vacate(struct ent *ent);
void calls_bind(struct ent *ent, const struct api_subnet *subnet);
/** calls_suspect - note in the record since when its pod is gone unseen. */
void calls_suspect(struct ent *ent);
/** calls_look - is the pod with this UID still there? The answer is in ent->end and ent->look_ms. */
void calls_look(struct ent *ent, const char *pod_uid);

#endif
