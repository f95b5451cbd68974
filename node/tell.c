/* SPDX-License-Identifier: Apache-2.0 */
#include "node/tell.h"

#include <string.h>

#include "api/ip.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/kube/queue.h"
#include "lib/kube/reflector.h"
#include "lib/kube/store.h"
#include "node/cards.h"
#include "node/files.h"
#include "node/reports.h"

#define TIMEOUT_MS 20000
/* A sandbox is made again within seconds, and most pods' records go with their cards. */
#define SETTLE_MS 5000
/* How long the watch may take to show what has been written, before the same is written again. */
#define SHOWN_MS     10000
#define PAUSE_MAX_MS 10000

/* A record about which something is being said, or waits to be. */
struct job {
	struct tell *tell;
	char *key;
	struct kube_queue_item item; /* of tell->queue; in flight = call is set */
	struct kube_call *call;
	char *version;      /* of the record that something was said about; NULL = nothing was */
	int64_t without_ms; /* since when there is no file; 0 = there is */
	bool withheld;      /* told that the card is there without a file */
	/* Of this tell_run(): */
	bool needed;
	const struct api_ip *rec;
	enum report report; /* what is to be said of it, and what the call says */
};

struct tell {
	struct kube_client *client;
	struct kube_store *store;
	struct kube_reflector *reflector;
	const char *node, *netns_dir;
	struct job **jobs;
	size_t n_jobs;
	struct kube_queue queue;
	bool changed;
	bool awaited;  /* as far as the store has shown since the last tell_run() */
	bool was_away; /* the last request found no API server */
	tell_changed_fn *listener;
	void *listener_ctx;
};

/* One comparison of everything. */
struct pass {
	struct tell *tell;
	struct files *files;
	struct cards cards; /* read when the first card is said to be gone */
	bool has_cards;
	int64_t now_ms;
};

/* ------------------------------------------------------------------------------- the store */

static int decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct api_ip *ip = NULL;

	(void)ctx;
	if (api_ip_decode(obj, &ip, e) < 0)
		return -1;
	*out = ip;
	return 0;
}

static void record_free(void *obj)
{
	api_ip_free(obj);
}

/* In conflict: the plugin waits for another address, inside its deadline. */
static bool is_awaited(const struct api_ip *rec)
{
	return rec->phase == API_IP_CONFLICT && rec->meta.deletion && !api_ip_card_is_down(rec);
}

static void changed(void *ctx, const char *key, const void *old, const void *obj)
{
	struct tell *t = ctx;

	(void)old;
	if (t->listener)
		t->listener(t->listener_ctx, key);
	t->awaited = t->awaited || (obj && is_awaited(obj));
	t->changed = true;
}

static void synced(void *ctx)
{
	struct tell *t = ctx;

	t->changed = true;
}

static void bad(void *ctx, const char *key, const struct err *why)
{
	(void)ctx;
	log_warn("record cannot be read", "record", key, "error", why->msg);
}

static void watch_failed(const char *path, const struct err *why)
{
	log_warn("list or watch failed, trying again", "path", path, "error", why->msg);
}

static const struct kube_store_ops ops = {decode, record_free, changed, synced, bad};

struct tell *tell_new(struct kube_client *client, const char *node, const char *netns_dir)
{
	AUTO(free)
	char *path = kube_path(API_GROUP_VERSION, NULL, API_PLURAL_IP, NULL, NULL);
	AUTO(sb_done) struct sb query = SB_INIT;
	struct kube_reflector_options opt = {.path = path, .failed = watch_failed};
	struct tell *t = xcalloc(1, sizeof(*t));
	AUTO(free) char *selector = NULL;
	char label[64];

	t->queue.pause_max_ms = PAUSE_MAX_MS;
	t->client = client;
	t->node = node;
	t->netns_dir = netns_dir;
	t->store = kube_store_new(&ops, t);
	selector = xasprintf("%s=%s", API_LABEL_NODE, api_label_value(node, label));
	kube_query_add(&query, "labelSelector", selector);
	opt.query = sb_get(&query);
	t->reflector = kube_reflector_new(client, t->store, &opt);
	return t;
}

void tell_listen(struct tell *t, tell_changed_fn *listener, void *ctx)
{
	t->listener = listener;
	t->listener_ctx = ctx;
}

/* ------------------------------------------------------------------------------- jobs */

static struct job *job_find(const struct tell *t, const char *key)
{
	for (size_t i = 0; i < t->n_jobs; i++) {
		if (str_eq(t->jobs[i]->key, key))
			return t->jobs[i];
	}
	return NULL;
}

static struct job *job_get(struct tell *t, const char *key)
{
	struct job *job = job_find(t, key);

	if (!job) {
		job = xcalloc(1, sizeof(*job));
		job->tell = t;
		job->key = xstrdup(key);
		t->jobs = xreallocarray(t->jobs, t->n_jobs + 1, sizeof(struct job *));
		t->jobs[t->n_jobs++] = job;
	}
	job->needed = true;
	return job;
}

static void job_free(struct job *job)
{
	kube_cancel(job->call);
	kube_queue_remove(&job->tell->queue, &job->item);
	free(job->key);
	free(job->version);
	free(job);
}

static void drop_idle(struct tell *t)
{
	size_t to = 0;

	for (size_t i = 0; i < t->n_jobs; i++) {
		if (t->jobs[i]->call || t->jobs[i]->needed)
			t->jobs[to++] = t->jobs[i];
		else
			job_free(t->jobs[i]);
	}
	t->n_jobs = to;
}

void tell_free(struct tell *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_jobs; i++)
		job_free(t->jobs[i]);
	free(t->jobs);
	kube_queue_done(&t->queue);
	kube_reflector_free(t->reflector);
	kube_store_free(t->store);
	free(t);
}

int64_t tell_age_ms(const struct tell *t)
{
	return kube_reflector_age_ms(t->reflector, clock_now_ms());
}

bool tell_changed(const struct tell *t)
{
	return t->changed;
}

bool tell_is_awaited(const struct tell *t)
{
	return t->awaited;
}

/* ------------------------------------------------------------------------------- requests */

/* The watch will show it too, only later. */
static void take_in(struct tell *t, const struct kube_response *res)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	if (kube_response_parse(res, &doc, &e) < 0)
		return;
	root = jdoc_root(doc);
	IGNORE(kube_store_set(t->store, &root, &e) < 0, "the watch will show it");
}

static void refused(struct job *job, const struct err *e)
{
	bool away = e->kind == ERR_TRANSPORT || e->kind == ERR_TIMEOUT;

	kube_queue_failed(&job->tell->queue, &job->item, clock_now_ms(), e->retry_after_ms);
	/* What was said holds no more: it is decided again on what the watch shows. */
	if (e->kind == ERR_CONFLICT || e->kind == ERR_NOT_FOUND)
		log_debug("record has changed meanwhile", "record", job->key);
	else if (!away || !job->tell->was_away)
		log_warn("report cannot be written yet", "record", job->key, "error", e->msg);
	job->tell->was_away = away;
}

static void done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct job *job = ctx;
	struct tell *t = job->tell;

	job->call = NULL;
	t->changed = true;
	if (e) {
		free(job->version);
		job->version = NULL;
		refused(job, e);
		return;
	}
	t->was_away = false;
	kube_queue_forget(&t->queue, &job->item);
	kube_queue_later(&t->queue, &job->item, clock_now_ms() + SHOWN_MS);
	log_debug("reported", "record", job->key, "report", report_name(job->report));
	take_in(t, res);
}

static void submit(struct job *job, const struct files *files)
{
	const struct api_ip *rec = job->rec;
	AUTO(free)
	char *path =
		kube_path(API_GROUP_VERSION, rec->meta.ns, API_PLURAL_IP, rec->meta.name, "status");
	AUTO(sb_done) struct sb body = SB_INIT;
	struct kube_request req;

	report_write(job->report, rec, job->tell->node, files, &body);
	req = kube_request_merge_patch(path, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	free(job->version);
	job->version = xstrdup(rec->meta.resource_version);
	job->call = kube_submit(job->tell->client, &req, done, job);
}

/* ------------------------------------------------------------------------------- a pass */

/* Its file went by a hand and not by a DEL: in its namespace, or in any, the address is still there. */
static bool is_up_all_the_same(struct pass *p, const struct api_ip *rec)
{
	for (size_t i = 0; i < p->files->n_gone; i++) {
		const struct node_file *file = p->files->gone[i];

		if (files_is_pod(file, rec->meta.ns, rec->meta.name, rec->pod_id) &&
		    cards_may_be_in(file->netns, rec))
			return true;
	}
	if (!p->has_cards)
		cards_scan(p->tell->netns_dir, &p->cards);
	p->has_cards = true;
	return cards_have(&p->cards, rec);
}

static bool is_withheld(struct pass *p, struct job *job)
{
	if (!is_up_all_the_same(p, job->rec)) {
		job->withheld = false;
		return false;
	}
	if (!job->withheld)
		log_warn("card is up without a state file: nothing is reported", "record", job->key,
			 "pod-uid", job->rec->pod_id);
	job->withheld = true;
	return true;
}

/* Said already, and not shown by the watch yet. */
static bool is_said(const struct job *job)
{
	return job->call || (job->item.state == KUBE_QUEUE_WAITING && job->version &&
			     str_eq(job->version, job->rec->meta.resource_version));
}

static void look(struct pass *p, const char *key, const struct api_ip *rec)
{
	struct job *job = job_find(p->tell, key);
	bool settled = job && job->without_ms && p->now_ms >= job->without_ms + SETTLE_MS;
	enum report report = report_of(rec, p->tell->node, p->files, settled);

	if (report == REPORT_NOTHING)
		return;
	job = job_get(p->tell, key);
	job->rec = rec;
	if (report == REPORT_WAIT && !job->without_ms)
		job->without_ms = p->now_ms;
	if (report == REPORT_WAIT)
		kube_queue_mark(&p->tell->queue, &job->item, job->without_ms + SETTLE_MS);
	else if (!is_said(job))
		kube_queue_mark(&p->tell->queue, &job->item, p->now_ms);
	/* A call that is under way says what it was sent with. */
	if (!job->call)
		job->report = report;
}

/* Its time has come. */
static void act(struct pass *p, struct job *job)
{
	struct kube_queue *q = &p->tell->queue;

	if (job->report == REPORT_WAIT) {
		kube_queue_later(q, &job->item, job->without_ms + SETTLE_MS);
	} else if ((job->report == REPORT_DOWN || job->report == REPORT_MISSING) &&
		   is_withheld(p, job)) {
		free(job->version);
		job->version = NULL;
		kube_queue_finish(q, &job->item);
	} else {
		submit(job, p->files);
	}
}

static bool has_record(const struct tell *t, const char *uid)
{
	const struct api_ip *rec;
	size_t pos = 0;

	while ((rec = kube_store_each(t->store, &pos, NULL))) {
		if (str_eq(rec->pod_id, uid))
			return true;
	}
	return false;
}

const struct api_ip *tell_record(const struct tell *t, const struct node_file *file)
{
	const struct api_ip *rec;
	size_t pos = 0;

	while ((rec = kube_store_each(t->store, &pos, NULL))) {
		if (files_is_pod(file, rec->meta.ns, rec->meta.name, rec->pod_id))
			return rec;
	}
	return NULL;
}

/* A file that went is remembered as long as somebody may ask about its card. */
static void forget_gone(struct pass *p)
{
	for (size_t i = p->files->n_gone; i > 0; i--) {
		const char *uid = p->files->gone[i - 1]->uid;

		if (*uid && !has_record(p->tell, uid))
			files_forget(p->files, i - 1);
	}
}

int64_t tell_run(struct tell *t, struct files *files)
{
	struct pass p = {.tell = t, .files = files, .now_ms = clock_now_ms()};
	struct kube_queue_item *item;
	const struct api_ip *rec;
	const char *key = NULL;
	size_t pos = 0;

	t->changed = t->awaited = false;
	if (!kube_store_is_synced(t->store))
		return 0;
	for (size_t i = 0; i < t->n_jobs; i++)
		t->jobs[i]->needed = false;
	while ((rec = kube_store_each(t->store, &pos, &key))) {
		t->awaited = t->awaited || is_awaited(rec);
		look(&p, key, rec);
	}
	drop_idle(t);
	while ((item = kube_queue_take(&t->queue, p.now_ms)))
		act(&p, CONTAINER_OF(item, struct job, item));
	forget_gone(&p);
	cards_done(&p.cards);
	return kube_queue_next_ms(&t->queue);
}
