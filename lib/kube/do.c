/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are waited for. */
#include <errno.h>
#include <poll.h>

#include "lib/base/clock.h"
#include "lib/kube/client_int.h"

int kube_client_wait(struct kube_client *c, const bool *flag, int64_t deadline_ms, struct err *e)
{
	for (;;) {
		struct pollfd fds[2] = {{.fd = c->epfd, .events = POLLIN},
					{.fd = c->cancel_fd, .events = POLLIN}};

		if (kube_client_dispatch(c, e))
			return -1;
		if (*flag)
			return 0;
		if (clock_now_ms() >= deadline_ms)
			return err_set(e, ERR_TIMEOUT, 0, "the deadline is over");
		if (poll(fds, 2, clock_left_ms(deadline_ms)) < 0 && errno != EINTR)
			return err_errno(e, ERR_INTERNAL, errno, "poll");
		if (fds[1].revents)
			return err_set(e, ERR_CANCELLED, 0, "cancelled");
	}
}

struct waited {
	bool done, failed;
	struct kube_response *res;
	struct err *e;
};

static void on_waited(void *ctx, struct kube_response *res, const struct err *e)
{
	struct waited *w = ctx;

	kube_response_take(w->res, res);
	w->done = true;
	w->failed = e;
	if (e)
		*w->e = *e;
}

int kube_do(struct kube_client *c, const struct kube_request *req, struct kube_response *out,
	    struct err *e)
{
	struct waited w = {.res = out, .e = e};
	struct kube_call *call;

	kube_response_done(out);
	call = kube_submit(c, req, on_waited, &w);
	/* The call watches its own deadline; this one is for a bug in there. */
	if (kube_client_wait(c, &w.done, call->deadline_ms + 5000, e)) {
		out->unknown = call->state == CALL_RUNNING && call->sent && !call->is_read;
		kube_cancel(call);
		return err_wrap(e, "%s %s", req->method, req->path);
	}
	return w.failed ? -1 : 0;
}
