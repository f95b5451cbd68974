/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/record.h"

#include <stdbool.h>

#include "api/ip.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "meta/attachment/state.h"
#include "meta/plugin/app.h"
#include "meta/plugin/ask.h"
#include "meta/plugin/pod.h"

struct wanted {
	struct app *app;
	const struct pod *pod;
	struct state *state;
	int cancel_fd;
	const struct api_ip *refused; /* somebody else has its address; NULL = none was refused */
	struct api_ip *found;
};

static bool is_refused(const struct api_ip *ip, const struct api_ip *refused)
{
	return refused && str_eq(ip->meta.uid, refused->meta.uid) &&
	       ip_eq(&ip->cidr.addr, &refused->cidr.addr) &&
	       ip_eq(&ip->cidr6.addr, &refused->cidr6.addr);
}

static bool is_given_up(const struct wanted *w, const struct api_ip *ip)
{
	return w->state->given_up && str_eq(w->state->given_up, ip->meta.uid);
}

/*
 * Its end has begun for a conflict, and nothing of it is there: the node may say that its card is down. That
 * stands in the file before anybody can ask, and this ADD has to keep to it whatever the record says later.
 */
static int give_up(struct wanted *w, const struct api_ip *ip, struct err *e)
{
	struct state *s = w->state;

	if (!ip->meta.deletion || is_given_up(w, ip))
		return 0;
	free(s->given_up);
	s->given_up = xstrdup(ip->meta.uid);
	return state_save(w->app->dir, s, e);
}

/* Leaves the reason in e and says "not yet": the time-out's text ends with it. */
static int ready(void *ctx, const struct jval *obj, struct err *e)
{
	AUTO(api_ip_free) struct api_ip *ip = NULL;
	struct wanted *w = ctx;

	if (!obj) {
		err_set(e, ERR_AGAIN, 0,
			"it does not exist; check that tandem-controller is running and read the "
			"pod's events");
		return 0;
	}
	if (api_ip_decode(obj, &ip, e) < 0)
		return -1;
	if (!str_eq(ip->pod_id, w->pod->uid)) {
		err_set(e, ERR_AGAIN, 0, "it still belongs to a former pod of that name (UID %s)",
			ip->pod_id);
		return 0;
	}
	if (!api_ip_is_allocated(ip)) {
		err_set(e, ERR_AGAIN, 0, "it has no address yet%s%s",
			*ip->message ? ": " : "; see the pod's events", ip->message);
		return 0;
	}
	/* The controller has begun to end it. A deletion by hand is another matter: that card is kept. */
	if (is_given_up(w, ip) || is_refused(ip, w->refused) ||
	    (ip->phase == API_IP_CONFLICT && ip->meta.deletion)) {
		if (give_up(w, ip, e) < 0)
			return -1;
		err_set(e, ERR_AGAIN, 0, "%s; it has no other address yet; see the pod's events",
			*ip->message ? ip->message : "another machine has its address");
		return 0;
	}
	w->found = STEAL(ip);
	return 1;
}

static bool is_contested(const struct api_ip *ip)
{
	return api_ip_is_ending(ip) || api_ip_card_is_down(ip);
}

/*
 * The record's end has begun, or its card is said to be down: whoever frees its address does so on the
 * record as it stood, and with this write it stands otherwise. 1 it is ours, 0 look again, -1.
 */
static int claim(const struct wanted *w, const struct api_ip *ip, struct err *e)
{
	char now[CLOCK_RFC3339_LEN];
	/* New with every call, so that the write never changes nothing: then it would be no condition. */
	AUTO(free)
	char *message = xasprintf("container %s has been starting since %s",
				  w->app->args->container_id, clock_rfc3339_micro(now));
	const struct api_ip_word word = {.uid = ip->meta.uid,
					 .version = ip->meta.resource_version,
					 .message = message,
					 .clear_card_down = true};
	const struct ask_patch patch = {ip->meta.ns, ip->meta.name, &word, w->cancel_fd};
	bool unknown;

	if (ask_patch(w->app, &patch, &unknown, e) == 0)
		return 1;
	return e->kind == ERR_CONFLICT || e->kind == ERR_NOT_FOUND || unknown ? 0 : -1;
}

static int wait_and_claim(struct wanted *w, struct err *e)
{
	const struct ask_wait wait = {.ns = w->pod->ns,
				      .name = w->pod->name,
				      .pod_uid = w->pod->uid,
				      .ready = ready,
				      .ctx = w,
				      .cancel_fd = w->cancel_fd};
	int r = 0;

	while (r == 0) {
		AUTO(api_ip_free) struct api_ip *ip = NULL;

		err_clear(e);
		if (ask_wait(w->app, &wait, e) < 0)
			return -1;
		ip = STEAL(w->found);
		if (ip)
			r = is_contested(ip) ? claim(w, ip, e) : 1;
		if (r > 0)
			w->found = STEAL(ip);
	}
	return r < 0 ? -1 : 0;
}

int record_wait(struct app *app, const struct record_want *want, struct api_ip **ip, struct err *e)
{
	struct wanted wanted = {.app = app,
				.pod = want->pod,
				.state = want->state,
				.cancel_fd = want->cancel_fd,
				.refused = *ip};

	if (wait_and_claim(&wanted, e) < 0) {
		if (e->kind == ERR_TIMEOUT)
			e->kind = ERR_AGAIN;
		return err_wrap(e, "address of pod %s/%s", want->pod->ns, want->pod->name);
	}
	api_ip_free(*ip);
	*ip = wanted.found;
	return 0;
}
