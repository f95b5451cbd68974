/* SPDX-License-Identifier: Apache-2.0 */
/* Events (v1): told to people, lost where the server is away. */
#ifndef CONTROLLER_PROCESS_EVENTS_H
#define CONTROLLER_PROCESS_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct api_meta;
struct process;

struct event {
	const char *api_version;
	const char *kind;
	const struct api_meta *about;
	bool warning; /* else Normal */
	const char *reason;
	const char *message;
};

/** event_send - write it, behind everything else that is to be sent. */
void event_send(const struct process *p, const struct event *v);

/**
 * event_was_told - true when it was told within the last five minutes; otherwise it is from now on.
 * @told_ms: the monotonic time at which it was last told, 0 = never; one for each thing to tell
 */
bool event_was_told(int64_t *told_ms);

#endif
