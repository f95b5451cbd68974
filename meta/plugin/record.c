/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/record.h"

#include <stdbool.h>

#include "api/ip.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/kube/wait.h"
#include "meta/attachment/state.h"
#include "meta/plugin/app.h"
#include "meta/plugin/pod.h"

struct wanted {
	struct app *app;
	const struct pod *pod;
	struct state *state;
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

/* New with every call, so that the write never changes nothing: then it would be no condition. */
static void write_claim(struct sb *sb, const struct app *app, const struct api_ip *ip)
{
	char now[CLOCK_RFC3339_LEN];
	AUTO(free)
	char *message = xasprintf("container %s has been starting since %s",
				  app->args->container_id, clock_rfc3339_micro(now));
	struct jw w = jw_init(sb);

	api_meta_begin_patch(&w, ip->meta.uid, ip->meta.resource_version);
	jw_end(&w);
	jw_kv_obj(&w, "status");
	jw_kv_str(&w, "phase", NULL);
	jw_kv_str(&w, "message", message);
	jw_kv_str(&w, "cardDown", NULL);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
}

/*
 * The record's end has begun, or its card is said to be down: whoever frees its address does so on the
 * record as it stood, and with this write it stands otherwise. 1 it is ours, 0 look again, -1.
 */
static int claim(struct app *app, struct kube_client *client, const struct api_ip *ip,
		 struct err *e)
{
	AUTO(free)
	char *path =
		kube_path(API_GROUP_VERSION, ip->meta.ns, API_PLURAL_IP, ip->meta.name, "status");
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	AUTO(sb_done) struct sb body = SB_INIT;
	struct kube_request req;

	if (!api_ip_is_ending(ip) && !api_ip_card_is_down(ip))
		return 1;
	write_claim(&body, app, ip);
	req = kube_request_merge_patch(path, sb_get(&body), app->deadline_ms);
	if (kube_do(client, &req, &res, e) == 0)
		return 1;
	return e->kind == ERR_CONFLICT || e->kind == ERR_NOT_FOUND || res.unknown ? 0 : -1;
}

static int wait_and_claim(struct app *app, struct kube_client *client, const struct kube_wait *wait,
			  struct err *e)
{
	struct wanted *w = wait->ctx;
	int r = 0;

	while (r == 0) {
		AUTO(api_ip_free) struct api_ip *ip = NULL;

		err_clear(e);
		if (kube_wait(client, wait, e) < 0)
			return -1;
		ip = STEAL(w->found);
		r = ip ? claim(app, client, ip, e) : 0;
		if (r > 0)
			w->found = STEAL(ip);
	}
	return r < 0 ? -1 : 0;
}

static int wait_for(struct app *app, struct wanted *wanted, int cancel_fd, struct err *e)
{
	const struct pod *pod = wanted->pod;
	AUTO(free)
	char *collection = kube_path(API_GROUP_VERSION, pod->ns, API_PLURAL_IP, NULL, NULL);
	struct kube_wait wait = {.collection = collection,
				 .name = pod->name,
				 .ready = ready,
				 .ctx = wanted,
				 .deadline_ms = app->deadline_ms};
	struct kube_client *client;
	int r;

	if (app_client(app, &client, e) < 0)
		return -1;
	kube_client_set_cancel_fd(client, cancel_fd);
	r = wait_and_claim(app, client, &wait, e);
	kube_client_set_cancel_fd(client, app->stop_fd);
	if (r == 0)
		return 0;
	if (e->kind == ERR_TIMEOUT)
		e->kind = ERR_AGAIN;
	return err_wrap(e, "address of pod %s/%s", pod->ns, pod->name);
}

int record_wait(struct app *app, const struct record_want *want, struct api_ip **ip, struct err *e)
{
	struct wanted wanted = {.app = app, .pod = want->pod, .state = want->state, .refused = *ip};

	if (wait_for(app, &wanted, want->cancel_fd, e) < 0)
		return -1;
	api_ip_free(*ip);
	*ip = wanted.found;
	return 0;
}
