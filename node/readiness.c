/* SPDX-License-Identifier: Apache-2.0 */
#include "node/readiness.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/door/call.h"
#include "lib/door/message.h"

/* The kubelet waits for a second, unless it is told otherwise. */
#define PROBE_MS 900

static int ask(const char *socket, struct door_answer *answer, struct err *e)
{
	const struct door_request req = {.verb = DOOR_READY};
	const struct door_call call = {socket, clock_now_ms() + PROBE_MS, -1};
	bool ready = false;
	const char *why = "";

	if (door_ask(&call, &req, answer, e) <= 0)
		return err_wrap(e, "%s", socket);
	if (answer->err.kind) {
		*e = answer->err;
		return -1;
	}
	if (!answer->found || jget_bool(&answer->object, "ready", &ready, e) < 0 ||
	    jget_str(&answer->object, "message", &why, e) < 0)
		return err_set(e, ERR_DECODE, 0, "%s: not the answer of this version", socket);
	return ready ? 0 : err_set(e, ERR_UNREADY, 0, "%s", why);
}

int readiness_ask(const char *socket)
{
	AUTO(door_answer_done) struct door_answer answer = {0};
	struct err e = {0};

	if (ask(socket, &answer, &e) == 0)
		return 0;
	log_error("not ready", "error", e.msg);
	return 1;
}
