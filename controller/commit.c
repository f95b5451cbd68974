/* The requests of one subnet: claim, commit, read again, finalizer. One at a time. */
#include <string.h>

#include "controller/choose.h"
#include "controller/ent.h"
#include "controller/events.h"
#include "controller/leader.h"
#include "controller/status.h"
#include "controller/sub.h"
#include "controller/takeover.h"
#include "controller/work.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"

#define TIMEOUT_MS  20000
#define REST        8 /* times what the last write took */
#define REST_MAX_MS 500

static char *path_of(const struct sub *sub, const char *subresource)
{
	return kube_path(API_GROUP_VERSION, sub->app->opt.system_ns, API_PLURAL_SUBNET, sub->name,
			 subresource);
}

/* Every write names the object and the state of it that it was decided on. */
static void begin_patch(struct jw *w, const struct sub *sub)
{
	api_meta_begin_patch(w, sub->uid, sub->version);
}

static void send_patch(struct sub *sub, const char *subresource, const struct sb *body,
		       kube_done_fn *done)
{
	AUTO(free) char *path = path_of(sub, subresource);
	struct kube_request req =
		kube_request_merge_patch(path, sb_get(body), clock_now_ms() + TIMEOUT_MS);

	/* All that wait in this subnet wait for this one. */
	req.priority = KUBE_URGENT;
	sub->call = kube_submit(sub->app->client, &req, done, sub);
}

static struct subnet_obj *parse(const struct kube_response *res)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct subnet_obj *o = NULL;
	struct jval root;
	struct err e = {0};

	if (kube_response_parse(res, &doc, &e) < 0)
		return NULL;
	root = jdoc_root(doc);
	return sub_obj_decode(&root, &o, &e) == 0 ? o : NULL;
}

static void set_version(struct sub *sub, struct subnet_obj *o)
{
	free(sub->conditions);
	sub->conditions = STEAL(o->conditions);
	free(sub->version);
	sub->version = xstrdup(o->meta.resource_version);
	sub->has_finalizer = api_meta_has_finalizer(&o->meta, API_FINALIZER_IN_USE);
}

static void take_record(struct sub *sub, struct subnet_obj *o)
{
	ipam_record_done(&sub->record);
	sub->record = o->record;
	o->record = (struct ipam_record){0};
	if (sub->next_commit <= o->commit)
		sub->next_commit = o->commit + 1;
	set_version(sub, o);
}

static void failed(struct sub *sub, const char *what, const struct err *e)
{
	int64_t pause = app_backoff_ms(sub->failures++);

	if (e->retry_after_ms > pause)
		pause = e->retry_after_ms;
	sub->retry_ms = e->kind == ERR_CONFLICT ? 0 : clock_now_ms() + pause;
	sub->reread = true;
	if (e->kind == ERR_CONFLICT || e->kind == ERR_NOT_FOUND)
		log_debug("subnet changed or was deleted meanwhile", "subnet", sub->name, "what",
			  what);
	else
		log_warn("subnet: request failed", "subnet", sub->name, "what", what, "error",
			 e->msg);
}

/* ------------------------------------------------------------------------------- reading */

/* Our term is in it, or should be: go on from what stands there. */
static void reread_taken(struct sub *sub, struct subnet_obj *o)
{
	const struct app *app = sub->app;
	bool ours = str_eq(o->holder, app->holder);

	if (sub->state == SUB_NEW) {
		/* The claim's outcome was unknown, or another was first: claim on what is there now. */
		set_version(sub, o);
		sub->record.term = o->term;
		if (ours) {
			take_record(sub, o);
			sub->state = app->phase <= APP_CLAIM ? SUB_CLAIMED : SUB_LISTING;
		}
		return;
	}
	if (!ours || o->term != sub->record.term)
		app_lost_term(sub, o->term, o->holder);
	take_record(sub, o);
	takeover_inflight(sub);
	sub_hard(sub);
}

static void reread_done(void *ctx, struct kube_response *res, const struct err *e)
{
	AUTO(sub_obj_free) struct subnet_obj *o = NULL;
	struct sub *sub = ctx;

	sub->call = NULL;
	if (e && e->kind == ERR_NOT_FOUND) {
		/* The watch will say so too; until then there is nothing to write to. */
		sub->retry_ms = clock_now_ms() + 1000;
		return;
	}
	if (e) {
		failed(sub, "read", e);
		return;
	}
	o = parse(res);
	if (!o) {
		failed(sub, "read", &(struct err){.kind = ERR_DECODE, .msg = "unreadable"});
		return;
	}
	if (!str_eq(o->meta.uid, sub->uid))
		return;
	sub->reread = false;
	leader_doubt(sub->app);
	reread_taken(sub, o);
}

static void reread(struct sub *sub)
{
	AUTO(free) char *path = path_of(sub, NULL);
	struct kube_request req = kube_request_get(path, NULL, clock_now_ms() + TIMEOUT_MS);

	req.priority = KUBE_URGENT;
	sub->call = kube_submit(sub->app->client, &req, reread_done, sub);
}

/* ------------------------------------------------------------------------------- our term */

static void claim_done(void *ctx, struct kube_response *res, const struct err *e)
{
	AUTO(sub_obj_free) struct subnet_obj *o = e ? NULL : parse(res);
	struct sub *sub = ctx;

	sub->call = NULL;
	if (!o) {
		failed(sub, "claim",
		       e ? e : &(struct err){.kind = ERR_DECODE, .msg = "unreadable answer"});
		return;
	}
	if (!str_eq(o->meta.uid, sub->uid))
		return;
	sub->failures = 0;
	take_record(sub, o);
	sub->state = sub->app->phase <= APP_CLAIM ? SUB_CLAIMED : SUB_LISTING;
}

static void claim(struct sub *sub)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(ipam_record_done) struct ipam_record empty = {0};
	AUTO(free) char *text = NULL;
	const struct subnet_obj *o = sub->obj;
	uint64_t known = sub->record.term > o->term ? sub->record.term : o->term;
	struct jw w = jw_init(&body);
	struct err e = {0};

	sub->fresh = known == 0 || o->record_bad;
	if (o->record_bad)
		log_error("the allocation cannot be read: it is rebuilt from the records", "subnet",
			  sub->name);
	empty.term = known + 1;
	empty.holder = xstrdup(sub->app->holder);
	IGNORE(ipam_record_encode(&empty, &text, &e), "an empty record fits");
	begin_patch(&w, sub);
	jw_end(&w);
	jw_kv_obj(&w, "status");
	if (sub->fresh) {
		jw_kv_raw(&w, "allocation", jspan_of(text));
	} else {
		jw_kv_obj(&w, "allocation");
		jw_kv_i64(&w, "term", (int64_t)empty.term);
		jw_kv_i64(&w, "commit", 0);
		jw_kv_str(&w, "holder", empty.holder);
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	send_patch(sub, "status", &body, claim_done);
}

/* ------------------------------------------------------------------------------- finalizer */

static void finalizer_done(void *ctx, struct kube_response *res, const struct err *e)
{
	AUTO(sub_obj_free) struct subnet_obj *o = e ? NULL : parse(res);
	struct sub *sub = ctx;

	sub->call = NULL;
	if (e) {
		failed(sub, "finalizer", e);
		return;
	}
	if (!o || !str_eq(o->meta.uid, sub->uid)) {
		sub->reread = true;
		return;
	}
	sub->failures = 0;
	set_version(sub, o);
	sub_hard(sub);
}

static void set_finalizer(struct sub *sub, bool on)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	const struct api_meta *m = &sub->obj->meta;
	struct jw w = jw_init(&body);

	begin_patch(&w, sub);
	jw_kv_arr(&w, "finalizers");
	for (size_t i = 0; i < m->n_finalizers; i++) {
		if (!str_eq(m->finalizers[i], API_FINALIZER_IN_USE))
			jw_str(&w, m->finalizers[i]);
	}
	if (on)
		jw_str(&w, API_FINALIZER_IN_USE);
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	send_patch(sub, NULL, &body, finalizer_done);
}

/* ------------------------------------------------------------------------------- commit */

static void list_cut(struct plan_list *l, size_t n)
{
	if (n > l->n)
		n = l->n;
	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		free(l->items[i].record_uid);
	l->n -= n;
	memmove(l->items, l->items + n, l->n * sizeof(*l->items));
}

static void forget_sent(struct sub *sub)
{
	free(sub->sent);
	free(sub->wants);
	sub->sent = NULL;
	sub->wants = NULL;
	sub->n_sent = 0;
	free(sub->next_summary);
	sub->next_summary = NULL;
	ipam_record_done(&sub->next);
}

/*
 * One write for many, not one for each: while records are being written that this one has paid for, most of the
 * API server's time is theirs.
 */
static void rest(struct sub *sub)
{
	int64_t now_ms = clock_now_ms(), pause = (now_ms - sub->sent_ms) * REST;

	sub->rest_ms = now_ms + (pause < REST_MAX_MS ? pause : REST_MAX_MS);
}

static bool rests(const struct sub *sub, int64_t now_ms)
{
	return sub->rest_ms > now_ms && sub->record.n_inflight > sub->drops.n;
}

static void committed(struct sub *sub, struct subnet_obj *o)
{
	AUTO(free) char *before = STEAL(sub->conditions);

	ipam_record_done(&sub->record);
	sub->record = sub->next;
	sub->next = (struct ipam_record){0};
	set_version(sub, o);
	free(sub->summary);
	sub->summary = STEAL(sub->next_summary);
	list_cut(&sub->releases, sub->n_sent_releases);
	list_cut(&sub->drops, sub->n_sent_drops);
	list_cut(&sub->adopts, sub->n_sent_adopts);
	sub_conflicts_cut(sub, sub->n_sent_conflicts);
	for (size_t i = 0; i < sub->n_sent; i++)
		sub_give(sub, sub->sent[i], &sub->wants[i]);
	/*
	 * What was freed by this write may be given by the next; and the first of a new leader gives
	 * nothing.
	 */
	if (sub->n_queue && (sub->n_sent_releases || sub->state == SUB_SETTLING))
		sub_hard(sub);
	if (sub->state == SUB_SETTLING)
		sub->state = SUB_READY;
	if (sub->n_queue && sub->n_sent)
		sub_hard(sub);
	sub->failures = 0;
	rest(sub);
	forget_sent(sub);
	if (!str_eq(before, sub->conditions))
		events_tell_conditions(sub, before);
}

static void commit_done(void *ctx, struct kube_response *res, const struct err *e)
{
	AUTO(sub_obj_free) struct subnet_obj *o = e ? NULL : parse(res);
	struct sub *sub = ctx;
	bool same = o && sub->uid && str_eq(o->meta.uid, sub->uid);

	sub->call = NULL;
	if (same && o->commit == sub->next.commit && o->term == sub->next.term) {
		committed(sub, o);
		return;
	}
	/* Refused, unknown, or the object has been exchanged: read before anything else. */
	for (size_t i = 0; i < sub->n_sent; i++) {
		sub->sent[i]->step = ENT_IDLE;
		sub->sent[i]->sub = NULL;
		if (sub->state >= SUB_SETTLING)
			sub_requeue(sub, sub->sent[i]);
		ent_mark(sub->sent[i]);
	}
	forget_sent(sub);
	sub_hard(sub);
	failed(sub, "commit",
	       e ? e : &(struct err){.kind = ERR_CONFLICT, .msg = "another object answered"});
}

static char *summary_of(const struct sub *sub)
{
	struct status_in in = status_of(sub, &sub->next);

	return status_text(&in);
}

static bool nothing_new(const struct sub *sub)
{
	return sub->state == SUB_READY && !sub->n_sent && !sub->n_sent_releases &&
	       !sub->n_sent_drops && !sub->n_sent_adopts && !sub->n_sent_conflicts &&
	       sub->next.pool.n_cooling == sub->record.pool.n_cooling &&
	       str_eq(sub->summary, sub->next_summary);
}

/* The summary is kept as text, without braces, to be compared; the record joins it. */
static void write_status(struct jw *w, const char *summary, const char *record)
{
	AUTO(free) char *text = xasprintf("{%s,\"allocation\":%s}", summary, record);

	jw_kv_raw(w, "status", jspan_of(text));
}

static void commit(struct sub *sub)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *record = NULL;
	struct jw w = jw_init(&body);
	struct err e = {0};

	sub->hard = false;
	sub->soft_ms = 0;
	choose_next(sub);
	sub->next_summary = summary_of(sub);
	if (nothing_new(sub)) {
		forget_sent(sub);
		return;
	}
	if (ipam_record_encode(&sub->next, &record, &e) < 0) {
		commit_done(sub, NULL, &e);
		return;
	}
	sub->next_commit++;
	sub->sent_ms = clock_now_ms();
	begin_patch(&w, sub);
	jw_end(&w);
	write_status(&w, sub->next_summary, record);
	jw_end(&w);
	jw_finish(&w);
	send_patch(sub, "status", &body, commit_done);
}

/* ------------------------------------------------------------------------------- what is due */

static bool is_empty(const struct sub *sub)
{
	return sub->state == SUB_READY && !ipam_set_count(&sub->record.pool.used) &&
	       !sub->record.n_inflight && !sub->n_queue && !sub->releases.n && !sub->adopts.n;
}

/* When the clock alone gives something to write: an address has cooled down. */
static int64_t cooled_ms(struct sub *sub, int64_t now_ms)
{
	const struct ipam_pool *pool = &sub->record.pool;
	int64_t left_s;

	if (sub->state != SUB_READY || !pool->n_cooling)
		return 0;
	left_s = pool->cooling[0].until - app_now_s(sub->app);
	if (left_s > 0)
		return now_ms + left_s * 1000;
	if (sub->n_queue)
		sub_hard(sub);
	else
		sub_soft(sub);
	return 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

static int64_t run_ours(struct sub *sub, int64_t now_ms)
{
	int64_t next = cooled_ms(sub, now_ms);

	/* Nobody will read what is written to one that goes. */
	if (sub->obj->meta.deletion && is_empty(sub)) {
		if (sub->has_finalizer)
			set_finalizer(sub, false);
		return 0;
	}
	if (sub->state == SUB_READY && sub->n_queue && !sub->has_finalizer && sub->obj->spec &&
	    !sub->obj->meta.deletion) {
		set_finalizer(sub, true);
		return 0;
	}
	if (rests(sub, now_ms))
		return sub->hard || sub->soft_ms ? sub->rest_ms : next;
	if (sub->hard || (sub->soft_ms && sub->soft_ms <= now_ms)) {
		commit(sub);
		return cooled_ms(sub, now_ms);
	}
	return earlier(next, sub->soft_ms);
}

int64_t sub_run(struct sub *sub)
{
	int64_t now_ms = clock_now_ms();

	if (sub->call || !sub->obj || !sub->uid || sub->app->phase < APP_CLAIM)
		return 0;
	if (sub->retry_ms > now_ms)
		return sub->retry_ms;
	sub->retry_ms = 0;
	if (sub->reread) {
		reread(sub);
		return 0;
	}
	if (sub->state == SUB_NEW) {
		claim(sub);
		return 0;
	}
	if (sub->state < SUB_SETTLING)
		return 0;
	return run_ours(sub, now_ms);
}
