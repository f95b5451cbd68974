/*
 * For each Service whose pods have cards, the headless Service "<name>-macvlan" and where it leads: driven by
 * watches, a few writes for many changes. svc_plan.h and svc_pack.h say what is wanted.
 */
#ifndef CONTROLLER_SVC_H
#define CONTROLLER_SVC_H

#include "controller/app.h"

struct svcs;

/** svc_init - nothing is known and nothing asked for yet. */
void svc_init(struct app *app);
/** svc_done - before the client goes. */
void svc_done(struct app *app);
/** svc_run - do what is due, only while app->phase is APP_RUN; the monotonic time of what is next, 0 = none. */
int64_t svc_run(struct app *app);

/* What has changed; they mark only. */

/** svc_pod_changed - ent's pod came (old NULL), went (pod NULL) or is another state of itself. */
void svc_pod_changed(struct ent *ent, const struct api_pod *old, const struct api_pod *pod);
/** svc_card_changed - ent's record came, went or changed. */
void svc_card_changed(struct ent *ent);
/** svc_workload_changed - one that asks for cards; either may be NULL. */
void svc_workload_changed(struct app *app, const struct api_workload *old,
			  const struct api_workload *w);

/** svc_card - the record of ent's pod, if its card is attached and may be published; else NULL. */
const struct api_ip *svc_card(const struct ent *ent);

#endif
