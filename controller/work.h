/* What is done about one name, given its pod and its record: decide.h decides, calls.h does. */
#ifndef CONTROLLER_WORK_H
#define CONTROLLER_WORK_H

#include "controller/app.h"

struct plan_want;

/** work_run - look at everything that is marked or due. */
void work_run(struct app *app);

/** work_tell_waiting - an event for a pod that did not get an address: want->result says why not. */
void work_tell_waiting(struct sub *sub, struct ent *ent, const struct plan_want *want);

/**
 * work_commit_known - what stands committed for ent's record becomes its own again.
 *
 * False when its annotations cannot be read any more or its MAC is taken.
 */
bool work_commit_known(struct sub *sub, struct ent *ent, const struct ipam_inflight *entry);

/** work_released - the record is gone for good: its address goes back to its subnet. */
void work_released(struct ent *ent, const struct api_ip *rec);

#endif
