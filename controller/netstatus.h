/* Writes k8s.v1.cni.cncf.io/network-status on pods whose card is attached. */
#ifndef CONTROLLER_NETSTATUS_H
#define CONTROLLER_NETSTATUS_H

#include "controller/app.h"

/** netstatus_mark - ent's pod or record has changed. */
void netstatus_mark(struct ent *ent);
/** netstatus_run - write what is due, only in APP_RUN; the monotonic time of what is next, 0 = none. */
int64_t netstatus_run(struct app *app);
void netstatus_done(struct app *app);

#endif
