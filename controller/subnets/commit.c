/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of one subnet: claim, commit, read again, finalizer. One at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/process/leader.h"
#include "controller/subnets/choose.h"
#include "controller/subnets/internal.h"
#include "controller/subnets/journal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/kube/queue.h"

#define TIMEOUT_MS  20000
#define REST        8 /* times what the last write took */
#define REST_MAX_MS 500

static struct process *process_of(const struct subnet *subnet)
{
	return subnet->all->in.process;
}

void subnet_lost_term(const struct subnet *subnet, uint64_t term, const char *holder)
{
	char theirs[24], ours[24];

	snprintf(theirs, sizeof(theirs), "%llu", (unsigned long long)term);
	snprintf(ours, sizeof(ours), "%llu", (unsigned long long)subnet->record.term);
	log_error("another controller has taken over: exiting at once", "subnet", subnet->name,
		  "term", theirs, "holder", holder, "our-term", ours, "our-holder",
		  process_of(subnet)->holder);
	/* Nothing may be sent any more, not even what is under way when buffers are flushed. */
	_exit(3);
}

static char *path_of(const struct subnet *subnet, const char *subresource)
{
	return kube_path(API_GROUP_VERSION, process_of(subnet)->system_ns, API_PLURAL_SUBNET,
			 subnet->name, subresource);
}

/* Every write names the object and the state of it that it was decided on. */
static void begin_patch(struct jw *w, const struct subnet *subnet)
{
	api_meta_begin_patch(w, subnet->uid, subnet->version);
}

static void send_patch(struct subnet *subnet, const char *subresource, const struct sb *body,
		       kube_done_fn *done)
{
	AUTO(free) char *path = path_of(subnet, subresource);
	struct kube_request req =
		kube_request_merge_patch(path, sb_get(body), clock_now_ms() + TIMEOUT_MS);

	/* All that wait in this subnet wait for this one. */
	req.priority = KUBE_URGENT;
	subnet->call = kube_submit(process_of(subnet)->client, &req, done, subnet);
}

static struct subnet_object *parse(const struct kube_response *res)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct subnet_object *o = NULL;
	struct jval root;
	struct err e = {0};

	if (kube_response_parse(res, &doc, &e) < 0)
		return NULL;
	root = jdoc_root(doc);
	return subnet_object_decode(&root, &o, &e) == 0 ? o : NULL;
}

static void set_version(struct subnet *subnet, struct subnet_object *o)
{
	free(subnet->conditions);
	subnet->conditions = STEAL(o->conditions);
	free(subnet->version);
	subnet->version = xstrdup(o->meta.resource_version);
	subnet->has_finalizer = api_meta_has_finalizer(&o->meta, API_FINALIZER_IN_USE);
}

static void take_record(struct subnet *subnet, struct subnet_object *o)
{
	ipam_allocation_done(&subnet->record);
	subnet->record = o->record;
	o->record = (struct ipam_allocation){0};
	if (subnet->next_commit <= o->commit)
		subnet->next_commit = o->commit + 1;
	journal_take(subnet, &o->lines);
	set_version(subnet, o);
}

static void failed(struct subnet *subnet, const char *what, const struct err *e)
{
	int64_t pause = kube_queue_backoff_ms(++subnet->failures);

	if (e->retry_after_ms > pause)
		pause = e->retry_after_ms;
	subnet->retry_ms = e->kind == ERR_CONFLICT ? 0 : clock_now_ms() + pause;
	subnet->reread = true;
	if (e->kind == ERR_CONFLICT || e->kind == ERR_NOT_FOUND)
		log_debug("subnet changed or was deleted meanwhile", "subnet", subnet->name, "what",
			  what);
	else
		log_warn("subnet: request failed", "subnet", subnet->name, "what", what, "error",
			 e->msg);
}

/* ------------------------------------------------------------------------------- reading */

/* Our term is in it, or should be: go on from what stands there. */
static void reread_taken(struct subnet *subnet, struct subnet_object *o)
{
	const struct process *p = process_of(subnet);
	bool ours = str_eq(o->holder, p->holder);

	if (subnet->state == SUBNET_NEW) {
		/* The claim's outcome was unknown, or another was first: claim on what is there now. */
		set_version(subnet, o);
		subnet->record.term = o->term;
		if (ours) {
			take_record(subnet, o);
			subnet->state = p->phase <= PHASE_CLAIM ? SUBNET_CLAIMED : SUBNET_LISTING;
		}
		return;
	}
	if (!ours || o->term != subnet->record.term)
		subnet_lost_term(subnet, o->term, o->holder);
	take_record(subnet, o);
	subnet->all->ops->reread(subnet->all->ctx, subnet);
	subnet_hard(subnet);
}

static void reread_done(void *ctx, struct kube_response *res, const struct err *e)
{
	AUTO(subnet_object_free) struct subnet_object *o = NULL;
	struct subnet *subnet = ctx;

	subnet->call = NULL;
	if (e && e->kind == ERR_NOT_FOUND) {
		/* The watch will say so too; until then there is nothing to write to. */
		subnet->retry_ms = clock_now_ms() + 1000;
		return;
	}
	if (e) {
		failed(subnet, "read", e);
		return;
	}
	o = parse(res);
	if (!o) {
		failed(subnet, "read", &(struct err){.kind = ERR_DECODE, .msg = "unreadable"});
		return;
	}
	if (!str_eq(o->meta.uid, subnet->uid))
		return;
	subnet->reread = false;
	leader_doubt(process_of(subnet)->leader);
	reread_taken(subnet, o);
}

static void reread(struct subnet *subnet)
{
	AUTO(free) char *path = path_of(subnet, NULL);
	struct kube_request req = kube_request_get(path, NULL, clock_now_ms() + TIMEOUT_MS);

	req.priority = KUBE_URGENT;
	subnet->call = kube_submit(process_of(subnet)->client, &req, reread_done, subnet);
}

/* ------------------------------------------------------------------------------- our term */

static void claim_done(void *ctx, struct kube_response *res, const struct err *e)
{
	AUTO(subnet_object_free) struct subnet_object *o = e ? NULL : parse(res);
	struct subnet *subnet = ctx;

	subnet->call = NULL;
	if (!o) {
		failed(subnet, "claim",
		       e ? e : &(struct err){.kind = ERR_DECODE, .msg = "unreadable answer"});
		return;
	}
	if (!str_eq(o->meta.uid, subnet->uid))
		return;
	subnet->failures = 0;
	take_record(subnet, o);
	subnet->state = process_of(subnet)->phase <= PHASE_CLAIM ? SUBNET_CLAIMED : SUBNET_LISTING;
}

static void claim(struct subnet *subnet)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(ipam_allocation_done) struct ipam_allocation empty = {0};
	AUTO(free) char *text = NULL;
	const struct subnet_object *o = subnet->obj;
	uint64_t known = subnet->record.term > o->term ? subnet->record.term : o->term;
	bool first = known == 0 || o->record_bad;
	struct jw w = jw_init(&body);
	struct err e = {0};

	/* A former leader may have ended before it had heard of every card. */
	subnet->fresh = first || o->record.lost;
	if (o->record_bad)
		log_error("the allocation cannot be read: it is rebuilt from the records", "subnet",
			  subnet->name);
	empty.term = known + 1;
	empty.holder = xstrdup(process_of(subnet)->holder);
	empty.lost = true;
	IGNORE(ipam_allocation_encode(&empty, &text, &e), "an empty record fits");
	begin_patch(&w, subnet);
	jw_end(&w);
	jw_kv_obj(&w, "status");
	if (first) {
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
	send_patch(subnet, "status", &body, claim_done);
}

/* ------------------------------------------------------------------------------- finalizer */

static void finalizer_done(void *ctx, struct kube_response *res, const struct err *e)
{
	AUTO(subnet_object_free) struct subnet_object *o = e ? NULL : parse(res);
	struct subnet *subnet = ctx;

	subnet->call = NULL;
	if (e) {
		failed(subnet, "finalizer", e);
		return;
	}
	if (!o || !str_eq(o->meta.uid, subnet->uid)) {
		subnet->reread = true;
		return;
	}
	subnet->failures = 0;
	set_version(subnet, o);
	subnet_hard(subnet);
}

static void set_finalizer(struct subnet *subnet, bool on)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	const struct api_meta *m = &subnet->obj->meta;
	struct jw w = jw_init(&body);

	begin_patch(&w, subnet);
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
	send_patch(subnet, NULL, &body, finalizer_done);
}

/* ------------------------------------------------------------------------------- commit */

static void list_cut(struct plan_list *l, size_t n)
{
	if (n > l->n)
		n = l->n;
	if (!n)
		return;
	for (size_t i = 0; i < n; i++) {
		free(l->items[i].record_uid);
		free(l->items[i].note);
	}
	l->n -= n;
	memmove(l->items, l->items + n, l->n * sizeof(*l->items));
}

static void forget_sent(struct subnet *subnet)
{
	free(subnet->sent);
	free(subnet->wants);
	subnet->sent = NULL;
	subnet->wants = NULL;
	subnet->n_sent = 0;
	free(subnet->next_summary);
	subnet->next_summary = NULL;
	journal_drop(subnet);
	ipam_allocation_done(&subnet->next);
}

/*
 * One write for many, not one for each: while records are being written that this one has paid for, most of the
 * API server's time is theirs.
 */
static void rest(struct subnet *subnet)
{
	int64_t now_ms = clock_now_ms(), pause = (now_ms - subnet->sent_ms) * REST;

	subnet->rest_ms = now_ms + (pause < REST_MAX_MS ? pause : REST_MAX_MS);
}

static bool rests(const struct subnet *subnet, int64_t now_ms)
{
	return subnet->rest_ms > now_ms && subnet->record.n_inflight > subnet->drops.n;
}

static void committed(struct subnet *subnet, struct subnet_object *o)
{
	AUTO(free) char *before = STEAL(subnet->conditions);

	ipam_allocation_done(&subnet->record);
	subnet->record = subnet->next;
	subnet->next = (struct ipam_allocation){0};
	set_version(subnet, o);
	free(subnet->summary);
	subnet->summary = STEAL(subnet->next_summary);
	list_cut(&subnet->releases, subnet->n_sent_releases);
	list_cut(&subnet->drops, subnet->n_sent_drops);
	list_cut(&subnet->adopts, subnet->n_sent_adopts);
	subnet_conflicts_cut(subnet, subnet->n_sent_conflicts);
	for (size_t i = 0; i < subnet->n_sent; i++)
		waiter_grant(subnet->sent[i], subnet, &subnet->wants[i]);
	/*
	 * What was freed by this write may be given by the next; and the first of a new leader gives
	 * nothing.
	 */
	if (subnet->n_queue && (subnet->n_sent_releases || subnet->state == SUBNET_SETTLING))
		subnet_hard(subnet);
	if (subnet->state == SUBNET_SETTLING)
		subnet->state = SUBNET_READY;
	if (subnet->n_queue && subnet->n_sent)
		subnet_hard(subnet);
	subnet->failures = 0;
	rest(subnet);
	journal_committed(subnet);
	forget_sent(subnet);
	if (!str_eq(before, subnet->conditions))
		subnet_tell_conditions(subnet, before);
}

static void commit_done(void *ctx, struct kube_response *res, const struct err *e)
{
	AUTO(subnet_object_free) struct subnet_object *o = e ? NULL : parse(res);
	struct subnet *subnet = ctx;
	bool same = o && subnet->uid && str_eq(o->meta.uid, subnet->uid);

	subnet->call = NULL;
	if (same && o->commit == subnet->next.commit && o->term == subnet->next.term) {
		committed(subnet, o);
		return;
	}
	/* Refused, unknown, or the object has been exchanged: read before anything else. */
	for (size_t i = 0; i < subnet->n_sent; i++) {
		struct waiter *w = subnet->sent[i];

		waiter_leave(w);
		if (subnet->state >= SUBNET_SETTLING)
			subnet_requeue(subnet, w);
		w->ops->look_again(w);
	}
	forget_sent(subnet);
	subnet_hard(subnet);
	failed(subnet, "commit",
	       e ? e : &(struct err){.kind = ERR_CONFLICT, .msg = "another object answered"});
}

static char *summary_of(struct subnet *subnet)
{
	struct status_in in = subnet_status(subnet, &subnet->next);

	in.largest = subnet_largest(subnet);
	return status_text(&in);
}

static bool nothing_new(const struct subnet *subnet)
{
	return subnet->state == SUBNET_READY && !subnet->n_sent && !subnet->n_sent_releases &&
	       !subnet->n_sent_drops && !subnet->n_sent_adopts && !subnet->n_sent_conflicts &&
	       !subnet->further.n && subnet->next.pool.n_cooling == subnet->record.pool.n_cooling &&
	       subnet->next.lost == subnet->record.lost &&
	       str_eq(subnet->summary, subnet->next_summary);
}

/* The summary is kept as text, without braces, to be compared; the record joins it, and the journal. */
static void write_status(struct subnet *subnet, struct jw *w, const char *record)
{
	const char *summary = subnet->next_summary;
	AUTO(free) char *journal = journal_text(subnet, strlen(record) + strlen(summary));
	AUTO(free)
	char *text = xasprintf("{%s,\"allocation\":%s%s}", summary, record, journal);

	jw_kv_raw(w, "status", jspan_of(text));
}

static void commit(struct subnet *subnet)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *record = NULL;
	struct jw w = jw_init(&body);
	struct err e = {0};

	subnet->hard = false;
	subnet->soft_ms = 0;
	choose_next(subnet);
	subnet->next_summary = summary_of(subnet);
	if (nothing_new(subnet)) {
		forget_sent(subnet);
		return;
	}
	if (ipam_allocation_encode(&subnet->next, &record, &e) < 0) {
		commit_done(subnet, NULL, &e);
		return;
	}
	subnet->next_commit++;
	subnet->sent_ms = clock_now_ms();
	journal_compose(subnet);
	begin_patch(&w, subnet);
	jw_end(&w);
	write_status(subnet, &w, record);
	jw_end(&w);
	jw_finish(&w);
	send_patch(subnet, "status", &body, commit_done);
}

/* ------------------------------------------------------------------------------- what is due */

static bool is_empty(const struct subnet *subnet)
{
	return subnet->state == SUBNET_READY && !ipam_set_count(&subnet->record.pool.used) &&
	       !subnet->record.n_inflight && !subnet->n_queue && !subnet->releases.n &&
	       !subnet->adopts.n;
}

/* When the clock alone gives something to write: an address has cooled down. */
static int64_t cooled_ms(struct subnet *subnet, int64_t now_ms)
{
	const struct ipam_pool *pool = &subnet->record.pool;
	int64_t left_s;

	if (subnet->state != SUBNET_READY || !pool->n_cooling)
		return 0;
	left_s = pool->cooling[0].until - process_now_s(process_of(subnet));
	if (left_s > 0)
		return now_ms + left_s * 1000;
	if (subnet->n_queue)
		subnet_hard(subnet);
	else
		subnet_soft(subnet);
	return 0;
}

static int64_t run_ours(struct subnet *subnet, int64_t now_ms)
{
	int64_t next = cooled_ms(subnet, now_ms);

	/* Nobody will read what is written to one that goes. */
	if (subnet->obj->meta.deletion && is_empty(subnet)) {
		if (subnet->has_finalizer)
			set_finalizer(subnet, false);
		return 0;
	}
	if (subnet->state == SUBNET_READY && subnet->n_queue && !subnet->has_finalizer &&
	    subnet->obj->spec && !subnet->obj->meta.deletion) {
		set_finalizer(subnet, true);
		return 0;
	}
	if (rests(subnet, now_ms))
		return subnet->hard || subnet->soft_ms ? subnet->rest_ms : next;
	if (subnet->hard || (subnet->soft_ms && subnet->soft_ms <= now_ms)) {
		commit(subnet);
		return cooled_ms(subnet, now_ms);
	}
	return clock_earlier_ms(next,
				clock_earlier_ms(subnet->soft_ms, journal_due(subnet, now_ms)));
}

int64_t subnet_run(struct subnet *subnet)
{
	int64_t now_ms = clock_now_ms();

	if (subnet->call || !subnet->obj || !subnet->uid || process_of(subnet)->phase < PHASE_CLAIM)
		return 0;
	if (subnet->retry_ms > now_ms)
		return subnet->retry_ms;
	subnet->retry_ms = 0;
	if (subnet->reread) {
		reread(subnet);
		return 0;
	}
	if (subnet->state == SUBNET_NEW) {
		claim(subnet);
		return 0;
	}
	if (subnet->state < SUBNET_SETTLING)
		return 0;
	return run_ours(subnet, now_ms);
}
