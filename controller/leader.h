/* Which of the replicas works: leader election, and what follows from losing it. */
#ifndef CONTROLLER_LEADER_H
#define CONTROLLER_LEADER_H

#include <stdbool.h>

#include "controller/app.h"
#include "lib/base/err.h"

/** leader_defaults - elected, 15/10/2 s, Lease tandem-controller. */
struct leader_options leader_defaults(void);

/** leader_options_check - after all options: durations that go together. ERR_CONFIG. */
int leader_options_check(struct options *o, struct err *e) FN_MUST;

/**
 * leader_start - begin to campaign; app->leading tells the outcome. Without election we lead at once.
 *
 * app->lease_client is there where we are to be elected.
 */
void leader_start(struct app *app);

/**
 * leader_check - before anything is sent: a leader whose lease is over by its own clock exits here.
 *
 * With status 3, as from app_lost_term().
 */
void leader_check(const struct app *app);

/** leader_doubt - another leader may have written: read the Lease before the next write. */
void leader_doubt(struct app *app);
/** leader_in_doubt - until then nothing is to be written. */
bool leader_in_doubt(const struct app *app);

/** leader_done - at the end, when nothing is under way any more: release what we hold. */
void leader_done(struct app *app);

#endif
