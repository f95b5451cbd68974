/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/reflector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/client_int.h"
#include "lib/kube/json.h"
#include "lib/kube/list.h"
#include "lib/kube/path.h"
#include "lib/kube/store.h"
#include "lib/kube/watch.h"

#define PAGE_TIMEOUT_MS  60000
#define WATCH_S          300
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS   10000
/* A watch that lived this long was a good one, whatever ended it. */
#define HEALTHY_MS 5000
/* Bookmarks come each minute, but some servers (1.20) send none for a collection in which nothing happens. */
#define SILENCE_MS 75000
/* After so many failed watches in a row the server may have been put back to an older state, in
 * which our resourceVersion lies in the future and a watch from it would stay silent. */
#define RELIST_AFTER  3
#define TELL_EVERY_MS 60000

struct kube_reflector {
	struct kube_client *client;
	struct kube_store *store;
	char *path, *query;
	unsigned int limit; /* of this list's pages: half as often as one was too large */
	unsigned int page, watch_s, backoff_max_ms, silence_ms;
	struct kube_call *call; /* exactly one is under way, or waits for its time */
	struct kube_decoder *decoder;
	char *version;
	char *token;           /* of the page that is asked for; NULL = the first */
	unsigned int failures; /* in a row */
	bool watching;
	int64_t watching_since_ms;
	int64_t proof_ms; /* see kube_reflector_age_ms(); 0 = never */
	void (*failed)(const char *path, const struct err *why);
	int64_t told_ms; /* when it was last called; 0 = never */
	struct err err;
	struct kube_reflector_stats stats;
};

static void start_list(struct kube_reflector *r, int64_t delay_ms);
static void start_watch(struct kube_reflector *r, int64_t delay_ms);

static int64_t backoff_ms(const struct kube_reflector *r)
{
	unsigned int doublings = r->failures < 10 ? r->failures : 10;
	int64_t ms = (int64_t)BACKOFF_FIRST_MS << doublings;

	if (ms > r->backoff_max_ms)
		ms = r->backoff_max_ms;
	ms = kube_client_jitter(r->client, ms);
	return r->err.retry_after_ms > ms ? r->err.retry_after_ms : ms;
}

static void tell_failure(struct kube_reflector *r, const struct err *e)
{
	int64_t now_ms = clock_now_ms();

	if (!r->failed || e->kind == ERR_GONE)
		return;
	if (r->told_ms && now_ms - r->told_ms < TELL_EVERY_MS)
		return;
	r->told_ms = now_ms;
	r->failed(r->path, e);
}

static int64_t note_failure(struct kube_reflector *r, const struct err *e)
{
	int64_t pause;

	r->err = *e;
	r->stats.failures++;
	tell_failure(r, e);
	pause = backoff_ms(r);
	r->failures++;
	return pause;
}

/* ------------------------------------------------------------------ list */

static int on_item(void *ctx, const struct jval *obj, struct err *e)
{
	struct kube_reflector *r = ctx;

	return kube_store_set(r->store, obj, e);
}

static void on_bad(void *ctx, const char *key, const struct err *why)
{
	struct kube_reflector *r = ctx;

	kube_store_unreadable(r->store, key, why);
}

static void on_page(void *ctx, struct kube_response *res, const struct err *e);

static void get_page(struct kube_reflector *r, const char *token, int64_t delay_ms)
{
	AUTO(free) char *query = kube_page_query(r->query, r->limit, token);
	int64_t start_ms = clock_now_ms() + delay_ms;
	struct kube_request req = kube_request_get(r->path, query, start_ms + PAGE_TIMEOUT_MS);

	r->call = kube_submit(r->client, &req, on_page, r);
	if (delay_ms)
		kube_call_delay(r->call, start_ms);
}

static void on_page(void *ctx, struct kube_response *res, const struct err *e)
{
	AUTO(kube_page_done) struct kube_page page = {0};
	struct kube_reflector *r = ctx;
	struct kube_page_taker taker = {.item = on_item, .bad = on_bad, .ctx = r};
	struct err bad = {0};

	r->call = NULL;
	if (e && e->kind == ERR_DECODE && e->num == EFBIG && r->limit > 1) {
		r->limit /= 2;
		get_page(r, r->token, 0);
		return;
	}
	if (!e && kube_page_read(res, &taker, &page, &bad))
		e = &bad;
	if (e) {
		/*
		 * Whatever it was, from page one: a 410 brings a token for the rest as it is now,
		 * with which the list would mix two states.
		 */
		start_list(r, note_failure(r, e));
		return;
	}
	if (page.next) {
		free(r->token);
		r->token = STEAL(page.next);
		get_page(r, r->token, 0);
		return;
	}
	free(r->version);
	r->version = STEAL(page.version);
	r->failures = 0;
	r->proof_ms = clock_now_ms();
	err_clear(&r->err);
	start_watch(r, 0);
	kube_store_list_end(r->store);
}

static void start_list(struct kube_reflector *r, int64_t delay_ms)
{
	r->stats.lists++;
	r->limit = r->page;
	free(STEAL(r->token));
	kube_store_list_begin(r->store);
	get_page(r, NULL, delay_ms);
}

/* ------------------------------------------------------------------ watch */

static void set_version(struct kube_reflector *r, const char *version)
{
	if (!version || str_eq(version, r->version))
		return;
	free(r->version);
	r->version = xstrdup(version);
}

/* Versions are numbers that rise. One that fell means that the server was put back in time. */
static bool went_back(const struct kube_reflector *r, const char *version)
{
	int64_t old, now;

	return version && !parse_i64(r->version, &old) && !parse_i64(version, &now) && now < old;
}

static int take_event(struct kube_reflector *r, const struct kube_event *event, struct err *e)
{
	const char *version;

	r->stats.events++;
	if (!event->object) {
		if (event->type == KUBE_EVENT_DELETED)
			kube_store_remove_key(r->store, event->key);
		else
			kube_store_unreadable(r->store, event->key, event->why);
		r->proof_ms = clock_now_ms();
		return 0;
	}
	version = kube_json_meta(event->object, "resourceVersion");
	switch (event->type) {
	case KUBE_EVENT_ADDED:
	case KUBE_EVENT_MODIFIED:
		if (kube_store_set(r->store, event->object, e))
			return -1;
		break;
	case KUBE_EVENT_DELETED:
		if (kube_store_remove(r->store, event->object, e))
			return -1;
		break;
	case KUBE_EVENT_BOOKMARK:
		if (went_back(r, version))
			return err_set(e, ERR_GONE, 0, "the server's resourceVersion went back");
		break;
	case KUBE_EVENT_ERROR:
		return kube_status_err(event->object, 0, NULL, e);
	}
	set_version(r, version);
	r->proof_ms = clock_now_ms();
	return 0;
}

static int on_data(void *ctx, const char *data, size_t len, struct err *e)
{
	struct kube_reflector *r = ctx;
	struct kube_event event;
	int rc;

	if (!r->watching) {
		r->watching = true;
		r->watching_since_ms = r->proof_ms = clock_now_ms();
		err_clear(&r->err);
	}
	if (kube_decoder_feed(r->decoder, data, len, e))
		return -1;
	while ((rc = kube_decoder_next(r->decoder, &event, e)) == 1) {
		if (take_event(r, &event, e))
			return -1;
	}
	return rc;
}

/* Can the watch go on from our version? Else a list is needed. */
static bool may_resume(const struct kube_reflector *r, const struct err *e)
{
	if (r->failures >= RELIST_AFTER)
		return false;
	if (e->kind == ERR_TRANSPORT || e->kind == ERR_TIMEOUT)
		return true;
	return e->kind == ERR_API && (e->num == 429 || e->num >= 500);
}

static void on_watch_end(void *ctx, struct kube_response *res, const struct err *e)
{
	struct kube_reflector *r = ctx;
	bool healthy = r->watching && clock_now_ms() - r->watching_since_ms >= HEALTHY_MS;
	/* Accepted, and nothing came: is the server still there? */
	bool quiet = r->watching && e && e->kind == ERR_TIMEOUT;
	struct err early = {0};

	(void)res;
	r->call = NULL;
	r->watching = false;
	if (healthy)
		r->failures = 0;
	if (quiet || (healthy && !e)) {
		start_watch(r, 0);
		return;
	}
	if (!e) {
		err_set(&early, ERR_TRANSPORT, 0, "the watch ended at once");
		e = &early;
	}
	if (may_resume(r, e))
		start_watch(r, note_failure(r, e));
	else
		start_list(r, note_failure(r, e));
}

static char *watch_query(struct kube_reflector *r, unsigned int seconds)
{
	AUTO(sb_done) struct sb query = SB_INIT;

	if (r->query)
		sb_puts(&query, r->query);
	kube_query_add(&query, "watch", "true");
	kube_query_add(&query, "allowWatchBookmarks", "true");
	kube_query_add(&query, "resourceVersion", r->version);
	kube_query_add_number(&query, "timeoutSeconds", seconds);
	return sb_take(&query);
}

static void start_watch(struct kube_reflector *r, int64_t delay_ms)
{
	unsigned int seconds = (unsigned int)kube_client_jitter(r->client, 2 * (int64_t)r->watch_s);
	AUTO(free) char *query = watch_query(r, seconds);
	int64_t start_ms = clock_now_ms() + delay_ms;
	/* The server ends it; ours is the longer patience. */
	int64_t deadline_ms = start_ms + (int64_t)seconds * 1000 + 30000;
	struct kube_request req = kube_request_get(r->path, query, deadline_ms);

	req.max_silence_ms = r->silence_ms;
	kube_decoder_free(r->decoder);
	r->decoder = kube_decoder_new();
	r->stats.watches++;
	r->call = kube_submit_stream(r->client, &req, on_data, on_watch_end, r);
	if (delay_ms)
		kube_call_delay(r->call, start_ms);
}

/* ------------------------------------------------------------------ life */

struct kube_reflector *kube_reflector_new(struct kube_client *c, struct kube_store *store,
					  const struct kube_reflector_options *opt)
{
	struct kube_reflector *r = xcalloc(1, sizeof(*r));

	r->client = c;
	r->store = store;
	r->path = xstrdup(opt->path);
	r->query = opt->query && *opt->query ? xstrdup(opt->query) : NULL;
	r->page = opt->page ? opt->page : KUBE_PAGE;
	r->watch_s = opt->watch_s ? opt->watch_s : WATCH_S;
	r->backoff_max_ms = opt->backoff_max_ms ? opt->backoff_max_ms : BACKOFF_MAX_MS;
	r->failed = opt->failed;
	r->silence_ms = opt->silence_ms ? opt->silence_ms : SILENCE_MS;
	start_list(r, 0);
	return r;
}

void kube_reflector_free(struct kube_reflector *r)
{
	if (!r)
		return;
	kube_cancel(r->call);
	kube_decoder_free(r->decoder);
	free(r->path);
	free(r->query);
	free(r->version);
	free(r->token);
	free(r);
}

void kube_reflector_relist(struct kube_reflector *r)
{
	kube_cancel(r->call);
	r->watching = false;
	r->failures = 0;
	start_list(r, 0);
}

void kube_reflector_stats(const struct kube_reflector *r, struct kube_reflector_stats *out)
{
	*out = r->stats;
}

int64_t kube_reflector_age_ms(const struct kube_reflector *r, int64_t now_ms)
{
	return r->proof_ms ? now_ms - r->proof_ms : -1;
}

bool kube_reflector_is_watching(const struct kube_reflector *r)
{
	return r->watching;
}

const struct err *kube_reflector_error(const struct kube_reflector *r)
{
	return &r->err;
}
