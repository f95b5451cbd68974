/* The requests about one pod's record. One at a time; each answer has the entry looked at again. */
#ifndef CONTROLLER_CALLS_H
#define CONTROLLER_CALLS_H

#include "controller/app.h"

/** calls_create - step 0: the record, without an address, with the network as it is now. */
void calls_create(struct ent *ent, const char *subnet, const struct api_network *net);
/** calls_address - step 2: the committed address, only where none stands and nothing else has changed. */
void calls_address(struct ent *ent, const struct api_network *net);
/** calls_restore - what somebody has edited becomes ent->good again. */
void calls_restore(struct ent *ent);
/** calls_end - release, step 1: delete; then, seen its deletionTimestamp, take the finalizer off. */
void calls_end(struct ent *ent);
/** calls_mark - delete alone: the finalizer keeps the record, its deletionTimestamp tells the time. */
void calls_mark(struct ent *ent);
/** calls_look - is the pod with this UID still there? The answer is in ent->end and ent->look_ms. */
void calls_look(struct ent *ent, const char *pod_uid);

#endif
