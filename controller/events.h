/* Events (v1) on pods, at most one for each pod and reason in five minutes. */
#ifndef CONTROLLER_EVENTS_H
#define CONTROLLER_EVENTS_H

#include "controller/app.h"

/** events_tell - a Normal event for DECIDE_ALLOCATED, a Warning otherwise. Lost if the server is away. */
void events_tell(struct ent *ent, enum decide_reason reason, const char *msg);

/**
 * events_tell_conditions - on the subnet: which of its conditions its last write has made true (Ready also:
 * false); each at most once in five minutes.
 * @before: its conditions as they stood before that write, JSON, may be NULL
 */
void events_tell_conditions(struct sub *sub, const char *before);

/** events_service - a Warning event for a Service, as often as it is asked for. */
void events_service(struct app *app, const struct api_meta *svc, const char *reason,
		    const char *msg);

#endif
