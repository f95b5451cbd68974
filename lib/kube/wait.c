/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/wait.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jread.h"
#include "lib/kube/client_int.h"
#include "lib/kube/list.h"
#include "lib/kube/path.h"
#include "lib/kube/watch.h"

#define PAUSE_FIRST_MS 50
#define PAUSE_MAX_MS   1000
#define RELIST_AFTER   3

int kube_get(struct kube_client *c, const char *path, int64_t deadline_ms, struct jdoc **out,
	     struct err *e)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct kube_request req = kube_request_get(path, NULL, deadline_ms);

	if (kube_do(c, &req, &res, e))
		return -1;
	if (kube_response_parse(&res, out, e))
		return err_wrap(e, "GET %s", path);
	return 0;
}

/* ------------------------------------------------------------------ list */

static int list_once(struct kube_client *c, const struct kube_list *list, char **out_version,
		     struct err *e)
{
	struct kube_page_taker taker = {.item = list->item, .ctx = list->ctx};
	AUTO(kube_page_done) struct kube_page page = {0};

	if (list->begin)
		list->begin(list->ctx);
	do {
		AUTO(free) char *query = kube_page_query(list->query, list->page, page.next);
		AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
		struct kube_request req = kube_request_get(list->path, query, list->deadline_ms);

		kube_page_done(&page);
		if (kube_do(c, &req, &res, e))
			return -1;
		if (kube_page_read(&res, &taker, &page, e))
			return err_wrap(e, "GET %s", list->path);
	} while (page.next);
	if (out_version) {
		free(*out_version);
		*out_version = STEAL(page.version);
	}
	return 0;
}

/* The pause between two tries; ends early with ERR_CANCELLED. */
static int pause_for(struct kube_client *c, unsigned int tries, int64_t deadline_ms, struct err *e)
{
	int64_t ms = (int64_t)PAUSE_FIRST_MS << (tries < 6 ? tries : 6);
	int64_t until;
	bool never = false;

	until = clock_now_ms() + kube_client_jitter(c, ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS);
	if (until > deadline_ms)
		until = deadline_ms;
	if (kube_client_wait(c, &never, until, e) && e->kind != ERR_TIMEOUT)
		return -1;
	return 0;
}

static int list_all(struct kube_client *c, const struct kube_list *list, char **out_version,
		    struct err *e)
{
	for (unsigned int tries = 0;; tries++) {
		struct err stop = {0};

		if (!list_once(c, list, out_version, e))
			return 0;
		if (e->kind != ERR_GONE || clock_now_ms() >= list->deadline_ms)
			return -1;
		if (pause_for(c, tries, list->deadline_ms, &stop)) {
			*e = stop;
			return -1;
		}
	}
}

int kube_list_all(struct kube_client *c, const struct kube_list *list, struct err *e)
{
	struct kube_list copy = *list;

	if (!copy.deadline_ms)
		copy.deadline_ms = clock_now_ms() + KUBE_TIMEOUT_MS;
	return list_all(c, &copy, NULL, e);
}

/* ------------------------------------------------------------------ wait */

struct waiter {
	struct kube_client *client;
	const struct kube_wait *wait;
	char *object, *selector;
	char *version;
	struct kube_decoder *decoder;
	int verdict;        /* of ready() */
	struct err missing; /* what ready() lacked */
	struct err trouble; /* the last failure to ask; kind ERR_NONE after a success */
	bool seen, accepted, ended;
	struct err end; /* of the watch */
};

static void waiter_done(struct waiter *w)
{
	free(w->object);
	free(w->selector);
	free(w->version);
	kube_decoder_free(w->decoder);
}
DEFINE_AUTO_VALUE(struct waiter, waiter_done)

/* 0, or -1 with e when ready() gives up. */
static int judge(struct waiter *w, const struct jval *obj, struct err *e)
{
	struct err missing = {0};

	err_clear(&w->trouble);
	w->verdict = w->wait->ready(w->wait->ctx, obj, &missing);
	if (w->verdict < 0) {
		*e = missing;
		return err_wrap(e, "%s", w->object);
	}
	w->missing = missing;
	if (!w->verdict && !missing.kind)
		err_set(&w->missing, ERR_AGAIN, 0, obj ? "not as wanted yet" : "it does not exist");
	return 0;
}

static int first_get(struct waiter *w, struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root;

	if (!kube_get(w->client, w->object, w->wait->deadline_ms, &doc, e)) {
		root = jdoc_root(doc);
		return judge(w, &root, e);
	}
	return e->kind == ERR_NOT_FOUND ? judge(w, NULL, e) : -1;
}

static int on_listed(void *ctx, const struct jval *obj, struct err *e)
{
	struct waiter *w = ctx;

	w->seen = true;
	return judge(w, obj, e);
}

static int list_it(struct waiter *w, struct err *e)
{
	struct kube_list list = {.path = w->wait->collection,
				 .query = w->selector,
				 .deadline_ms = w->wait->deadline_ms,
				 .item = on_listed,
				 .ctx = w};

	w->seen = false;
	if (list_all(w->client, &list, &w->version, e))
		return -1;
	return w->seen ? 0 : judge(w, NULL, e);
}

static int take_event(struct waiter *w, const struct kube_event *event, struct err *e)
{
	if (!event->object && event->type != KUBE_EVENT_DELETED) {
		*e = *event->why;
		return -1;
	}
	switch (event->type) {
	case KUBE_EVENT_ADDED:
	case KUBE_EVENT_MODIFIED:
		return judge(w, event->object, e);
	case KUBE_EVENT_DELETED:
		return judge(w, NULL, e);
	case KUBE_EVENT_ERROR:
		return kube_status_err(event->object, 0, NULL, e);
	case KUBE_EVENT_BOOKMARK:
		break;
	}
	return 0;
}

static int on_data(void *ctx, const char *data, size_t len, struct err *e)
{
	struct waiter *w = ctx;
	struct kube_event event;
	int rc;

	w->accepted = true;
	if (kube_decoder_feed(w->decoder, data, len, e))
		return -1;
	while (!w->verdict && (rc = kube_decoder_next(w->decoder, &event, e))) {
		if (rc < 0 || take_event(w, &event, e))
			return -1;
	}
	if (w->verdict)
		w->ended = true;
	return 0;
}

static void on_end(void *ctx, struct kube_response *res, const struct err *e)
{
	struct waiter *w = ctx;

	(void)res;
	w->ended = true;
	if (e)
		w->end = *e;
	else
		err_set(&w->end, ERR_TRANSPORT, 0, "the watch ended");
}

/*
 * One watch from w->version until the verdict or its end. -1 with e: ready() gave up, cancelled.
 * A cut is not an error here: w->end tells.
 */
static int watch_it(struct waiter *w, struct err *e)
{
	AUTO(sb_done) struct sb query = SB_INIT;
	struct kube_call *call;
	struct kube_request req;
	int rc;

	sb_puts(&query, w->selector);
	kube_query_add(&query, "watch", "true");
	kube_query_add(&query, "resourceVersion", w->version);
	kube_query_add_number(&query, "timeoutSeconds",
			      clock_left_ms(w->wait->deadline_ms) / 1000 + 1);
	req = kube_request_get(w->wait->collection, sb_get(&query), w->wait->deadline_ms);
	kube_decoder_free(w->decoder);
	w->decoder = kube_decoder_new();
	w->ended = w->accepted = false;
	err_clear(&w->end);
	call = kube_submit_stream(w->client, &req, on_data, on_end, w);
	rc = kube_client_wait(w->client, &w->ended, w->wait->deadline_ms, e);
	/* on_end() sets kind and has the handle; without it the call is still ours to end. */
	if (!w->end.kind)
		kube_cancel(call);
	if (w->verdict < 0) {
		*e = w->end;
		return -1;
	}
	return rc && e->kind != ERR_TIMEOUT ? -1 : 0;
}

static bool is_final(const struct err *e)
{
	return e->kind == ERR_CANCELLED || e->kind == ERR_INTERNAL;
}

static int timed_out(const struct waiter *w, struct err *e)
{
	const struct err *why = w->trouble.kind ? &w->trouble : &w->missing;

	return err_set(e, ERR_TIMEOUT, 0, "%s: deadline exceeded: %s", w->object, why->msg);
}

/* Watch again from where the last one ended, as long as that makes sense. 0 or -1 as watch_it(). */
static int watch_while_useful(struct waiter *w, unsigned int *failures, struct err *e)
{
	do {
		if (watch_it(w, e))
			return -1;
		if (w->verdict || clock_now_ms() >= w->wait->deadline_ms)
			return 0;
		w->trouble = w->end;
		*failures = w->accepted ? 0 : *failures + 1;
		if (pause_for(w->client, *failures, w->wait->deadline_ms, e))
			return -1;
	} while (w->end.kind == ERR_TRANSPORT && *failures < RELIST_AFTER);
	return 0;
}

static int wait_loop(struct waiter *w, struct err *e)
{
	unsigned int failures = 0;

	while (clock_now_ms() < w->wait->deadline_ms) {
		if (list_it(w, e)) {
			/* The server answered a moment ago: what fails now may well pass. */
			if (w->verdict < 0 || is_final(e))
				return -1;
			w->trouble = *e;
			if (pause_for(w->client, failures++, w->wait->deadline_ms, e))
				return -1;
			continue;
		}
		if (!w->verdict && watch_while_useful(w, &failures, e))
			return -1;
		if (w->verdict)
			return 0;
	}
	return timed_out(w, e);
}

int kube_wait(struct kube_client *c, const struct kube_wait *wait, struct err *e)
{
	AUTO(waiter_done) struct waiter w = {.client = c, .wait = wait};
	AUTO(sb_done) struct sb selector = SB_INIT;

	w.object = kube_path_child(wait->collection, wait->name);
	kube_query_add_field(&selector, "metadata.name", wait->name);
	w.selector = sb_take(&selector);
	if (first_get(&w, e)) {
		if (w.verdict < 0)
			return -1;
		return err_wrap(e, "waiting for %s", wait->name);
	}
	if (w.verdict)
		return 0;
	return wait_loop(&w, e);
}
