/* SPDX-License-Identifier: Apache-2.0 */
/* What the installer has to say: in the log, as Events on its Node, in the Node's annotation; and a taint that it takes. */
#ifndef NODE_INSTALL_VOICE_H
#define NODE_INSTALL_VOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/auto.h"

struct kube_client;
struct voice;

/** voice_new - client and node are lent. @taint: to be taken from the Node by voice_ready(); NULL = none; lent. */
struct voice *voice_new(struct kube_client *client, const char *node, const char *taint);
/** voice_free - what was not sent yet is not sent. Before the client is freed. */
void voice_free(struct voice *v);
DEFINE_AUTO(struct voice, voice_free)

enum voice_tone { VOICE_NORMAL, VOICE_WARNING };

/** voice_say - a log line and an Event. The same twice within ten minutes is said once. */
void voice_say(struct voice *v, enum voice_tone tone, const char *reason, const char *message);

/** voice_report - the annotation's text from now on; it is written until the API server has it. */
void voice_report(struct voice *v, const char *text);

/** voice_is_reported - the API server has the latest. */
bool voice_is_reported(const struct voice *v);

/** voice_ready - pods may come: the taint goes. */
void voice_ready(struct voice *v);

/** voice_provider - where the machine is, by the Node's providerID ("aws://..."); NULL: not known (yet). Lent. */
const char *voice_provider(const struct voice *v);

/** voice_next_ms - when voice_run() has something to do (CLOCK_MONOTONIC); 0 = never. */
int64_t voice_next_ms(const struct voice *v);
void voice_run(struct voice *v);

/** voice_end - take the annotation away, waiting a moment for the API server. */
void voice_end(struct voice *v);

#endif
