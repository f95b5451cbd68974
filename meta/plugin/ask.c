/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/ask.h"

#include <poll.h>

#include "api/ip.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/cni/conf.h"
#include "lib/door/message.h"
#include "lib/json/jread.h"
#include "lib/kube/client.h"
#include "lib/kube/json.h"
#include "lib/kube/path.h"
#include "lib/kube/wait.h"
#include "meta/plugin/app.h"
#include "lib/door/call.h"

/*
 * A door that does not answer at all must leave time for the direct way: so one question waits no longer than this,
 * and is asked again. The door answers in time, by its own clock; what is late by more than the grace never comes.
 */
#define QUESTION_MS 10000
#define GRACE_MS    1000
/* For the way back. */
#define MARGIN_MS 150
/* Between two tries where only the door can help. */
#define PAUSE_FIRST_MS 50
#define PAUSE_MAX_MS   1000

void asked_done(struct asked *a)
{
	jdoc_free(a->doc);
	*a = (struct asked){0};
}

/* ------------------------------------------------------------------------------- the door */

/* A question at the door, over all its tries. */
struct visit {
	struct app *app;
	struct door_request *req;
	int cancel_fd;
	unsigned int tries; /* in a row that had no answer */
	bool no_door;       /* the last one found nobody who would have asked */
	struct err trouble; /* why there is no answer yet */
};

static int64_t left_ms(const struct app *app)
{
	return app->deadline_ms - MARGIN_MS - clock_now_ms();
}

static int pause_until(int64_t end_ms, int cancel_fd, struct err *e)
{
	struct pollfd fd = {cancel_fd, POLLIN, 0};

	while (clock_now_ms() < end_ms) {
		if (poll(&fd, 1, clock_left_ms(end_ms)) > 0)
			return err_set(e, ERR_CANCELLED, 0, "cancelled");
	}
	return 0;
}

static int pause_visit(struct visit *v, struct err *e)
{
	int64_t ms = (int64_t)PAUSE_FIRST_MS << (v->tries < 6 ? v->tries : 6);
	int64_t end_ms = clock_now_ms() + (ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS);

	v->tries++;
	return pause_until(clock_earlier_ms(end_ms, v->app->deadline_ms), v->cancel_fd, e);
}

static int out_of_time(const struct visit *v, struct err *e)
{
	if (v->no_door)
		return err_set(e, ERR_AGAIN, 0,
			       "tandem-node does not answer at %s (%s), and there is no kubeconfig",
			       v->app->conf->socket, v->trouble.msg);
	return err_set(e, ERR_TIMEOUT, 0, "deadline exceeded%s%s", v->trouble.kind ? ": " : "",
		       v->trouble.msg);
}

static int knock(struct visit *v, int64_t left, struct door_answer *out, struct err *e)
{
	struct door_call call = {.path = v->app->conf->socket, .cancel_fd = v->cancel_fd};

	v->req->wait_ms = left < QUESTION_MS ? left : QUESTION_MS;
	call.deadline_ms =
		clock_earlier_ms(clock_now_ms() + v->req->wait_ms + GRACE_MS, v->app->deadline_ms);
	return door_ask(&call, v->req, out, e);
}

/* A read is repeated inside the deadline, as a direct one is; a write is not. */
static bool is_final(struct visit *v, const struct door_answer *a)
{
	if (v->req->verb != DOOR_PATCH && door_error_passes(&a->err))
		return false;
	v->tries = 0;
	return true;
}

/* 1: *out. 0: go the direct way. -1 with e. */
static int visit(struct visit *v, struct door_answer *out, struct err *e)
{
	int64_t left;
	int rc;

	if (v->app->no_door)
		return 0;
	while ((left = left_ms(v->app)) > 0) {
		rc = knock(v, left, out, e);
		if (rc < 0)
			return -1;
		if (rc == 0 && app_has_kubeconfig(v->app)) {
			log_debug("no door: the direct way", "socket", v->app->conf->socket, "why",
				  e->msg);
			v->app->no_door = true;
			return 0;
		}
		if (rc > 0 && is_final(v, out))
			return 1;
		v->no_door = rc == 0;
		v->trouble = rc > 0 ? out->err : *e;
		door_answer_done(out);
		if (pause_visit(v, e) < 0)
			return -1;
	}
	return out_of_time(v, e);
}

/* 1: *out; 0: the direct way; -1. */
static int get_at_door(struct app *app, struct door_request *req, struct asked *out, struct err *e)
{
	AUTO(door_answer_done) struct door_answer a = {0};
	struct visit v = {.app = app, .req = req, .cancel_fd = app->stop_fd};
	int rc = visit(&v, &a, e);

	if (rc <= 0)
		return rc;
	if (a.err.kind) {
		*e = a.err;
		return -1;
	}
	if (!a.found)
		return err_set(e, ERR_NOT_FOUND, 404, "there is no such object");
	*out = (struct asked){a.object, STEAL(a.doc)};
	return 1;
}

/* ------------------------------------------------------------------------------- one read */

static int get(struct app *app, struct door_request *req, const char *path, struct asked *out,
	       struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct kube_client *client;
	int rc = get_at_door(app, req, out, e);

	if (rc < 0)
		return err_wrap(e, "GET %s", path);
	if (rc > 0)
		return 0;
	err_clear(e);
	if (app_client(app, &client, e) < 0 ||
	    kube_get(client, path, app->deadline_ms, &doc, e) < 0)
		return -1;
	*out = (struct asked){jdoc_root(doc), doc};
	doc = NULL;
	return 0;
}

int ask_pod(struct app *app, const char *ns, const char *name, struct asked *out, struct err *e)
{
	AUTO(free) char *path = kube_path("v1", ns, "pods", name, NULL);
	AUTO(door_request_done)
	struct door_request req = {.verb = DOOR_POD, .ns = xstrdup(ns), .name = xstrdup(name)};

	return get(app, &req, path, out, e);
}

int ask_namespace(struct app *app, const char *name, struct asked *out, struct err *e)
{
	AUTO(free) char *path = kube_path("v1", NULL, "namespaces", name, NULL);
	AUTO(door_request_done)
	struct door_request req = {
		.verb = DOOR_NAMESPACE, .ns = xstrdup(name), .name = xstrdup(name)};

	return get(app, &req, path, out, e);
}

int ask_record(struct app *app, const char *ns, const char *name, struct asked *out, struct err *e)
{
	AUTO(free) char *path = kube_path(API_GROUP_VERSION, ns, API_PLURAL_IP, name, NULL);
	AUTO(door_request_done)
	struct door_request req = {.verb = DOOR_RECORD, .ns = xstrdup(ns), .name = xstrdup(name)};

	return get(app, &req, path, out, e);
}

/* ------------------------------------------------------------------------------- waiting */

/* The version that an answer shows; NULL: there is no record. */
static const char *version_of(const struct door_answer *a)
{
	return a->found ? kube_json_meta(&a->object, "resourceVersion") : NULL;
}

/* 1 as wanted; 0 not yet, with the reason in missing; -1. */
static int judge(const struct ask_wait *wait, const struct door_answer *a, struct err *missing,
		 struct err *e)
{
	int rc;

	if (a->err.kind) {
		*e = a->err;
		return -1;
	}
	err_clear(missing);
	rc = wait->ready(wait->ctx, a->found ? &a->object : NULL, missing);
	if (rc < 0)
		*e = *missing;
	return rc;
}

/* What was judged is not to come again. A door that answers too early with it is not asked at once. */
static int remember(struct visit *v, const struct door_answer *a, struct err *e)
{
	const char *version = version_of(a);
	bool same = str_eq(version, v->req->seen);

	free(v->req->seen);
	v->req->seen = xstrdup(version);
	return same ? pause_until(clock_now_ms() + PAUSE_FIRST_MS, v->cancel_fd, e) : 0;
}

static int wait_at_door(struct visit *v, const struct ask_wait *wait, struct err *e)
{
	for (;;) {
		AUTO(door_answer_done) struct door_answer a = {0};
		struct err missing = {0};
		int rc = visit(v, &a, e);

		if (rc <= 0)
			return rc;
		rc = judge(wait, &a, &missing, e);
		if (rc > 0)
			return 1;
		if (rc < 0 || remember(v, &a, e) < 0)
			return -1;
		v->trouble = missing;
		v->no_door = false;
	}
}

static int wait_directly(struct app *app, const struct ask_wait *wait, struct err *e)
{
	AUTO(free)
	char *collection = kube_path(API_GROUP_VERSION, wait->ns, API_PLURAL_IP, NULL, NULL);
	struct kube_wait kube = {.collection = collection,
				 .name = wait->name,
				 .ready = wait->ready,
				 .ctx = wait->ctx,
				 .deadline_ms = app->deadline_ms};
	struct kube_client *client;
	int rc;

	if (app_client(app, &client, e) < 0)
		return -1;
	kube_client_set_cancel_fd(client, wait->cancel_fd);
	rc = kube_wait(client, &kube, e);
	kube_client_set_cancel_fd(client, app->stop_fd);
	return rc;
}

int ask_wait(struct app *app, const struct ask_wait *wait, struct err *e)
{
	AUTO(door_request_done)
	struct door_request req = {.verb = DOOR_RECORD,
				   .ns = xstrdup(wait->ns),
				   .name = xstrdup(wait->name),
				   .pod_uid = xstrdup(wait->pod_uid)};
	struct visit v = {.app = app, .req = &req, .cancel_fd = wait->cancel_fd};
	int rc = wait_at_door(&v, wait, e);

	if (rc < 0)
		return err_wrap(e, "waiting for %s", wait->name);
	if (rc > 0)
		return 0;
	err_clear(e);
	return wait_directly(app, wait, e);
}

/* ------------------------------------------------------------------------------- a write */

/* 1: done, or *e says why not; 0: the direct way; -1: neither. */
static int patch_at_door(struct visit *v, struct door_answer *a, struct err *e)
{
	int rc = visit(v, a, e);

	if (rc > 0)
		*e = a->err;
	return rc;
}

static int patch_directly(struct app *app, const char *path, const struct api_ip_word *word,
			  int cancel_fd, bool *unknown, struct err *e)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	AUTO(sb_done) struct sb body = SB_INIT;
	struct kube_client *client;
	struct kube_request req;
	int rc;

	api_ip_word_write(word, &body);
	req = kube_request_merge_patch(path, sb_get(&body), app->deadline_ms);
	if (app_client(app, &client, e) < 0)
		return -1;
	kube_client_set_cancel_fd(client, cancel_fd);
	rc = kube_do(client, &req, &res, e);
	kube_client_set_cancel_fd(client, app->stop_fd);
	*unknown = rc < 0 && res.unknown;
	return rc;
}

int ask_patch(struct app *app, const struct ask_patch *patch, bool *unknown, struct err *e)
{
	const struct api_ip_word *word = patch->word;
	AUTO(free)
	char *path = kube_path(API_GROUP_VERSION, patch->ns, API_PLURAL_IP, patch->name, "status");
	AUTO(door_answer_done) struct door_answer a = {0};
	AUTO(door_request_done)
	struct door_request req = {.verb = DOOR_PATCH,
				   .ns = xstrdup(patch->ns),
				   .name = xstrdup(patch->name),
				   .uid = xstrdup(word->uid),
				   .version = xstrdup(word->version),
				   .phase = xstrdup(word->phase),
				   .message = xstrdup(word->message),
				   .clear_card_down = word->clear_card_down};
	struct visit v = {.app = app, .req = &req, .cancel_fd = patch->cancel_fd};
	int rc = patch_at_door(&v, &a, e);

	*unknown = false;
	if (rc == 0) {
		err_clear(e);
		return patch_directly(app, path, word, patch->cancel_fd, unknown, e);
	}
	*unknown = rc > 0 && a.unknown;
	return e->kind ? -1 : 0;
}
