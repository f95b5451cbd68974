/* SPDX-License-Identifier: Apache-2.0 */
#include "node/door/ask.h"

#include <stdbool.h>
#include <stdlib.h>

#include "api/ip.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/door/message.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"

/* So long before its end a question is answered with what there is: by a last look, which takes its time. */
#define LAST_LOOK_MS 500
/* A request ends by itself when the last of its questions does; this is for a bug in there. */
#define LATE_MS 100

enum question_state {
	QUESTION_NEW,     /* the next call is for it */
	QUESTION_COVERED, /* the call that is under way began after it came */
	QUESTION_WAITING, /* for a change, or for its last look */
};

struct question {
	struct asker *asker;
	const struct door_request *req;
	question_done_fn *done;
	void *ctx;
	int64_t look_ms, end_ms;
	struct kube_call *call; /* its own: of a pod or a patch */
	struct look *look;      /* of a record */
	enum question_state state;
	struct sb last; /* the answer that the last GET has given, which was not enough; empty: none yet */
	struct question *next; /* in that look */
};

/* A record that somebody asks about. */
struct look {
	struct asker *asker;
	char *key;
	struct question *first;
	struct kube_call *call;
	bool changed; /* since a call began */
	struct look *next;
};

struct asker {
	struct kube_client *client;
	struct look *first;
};

struct asker *asker_new(struct kube_client *client)
{
	struct asker *a = xcalloc(1, sizeof(*a));

	a->client = client;
	return a;
}

void asker_free(struct asker *a)
{
	free(a);
}

/* ------------------------------------------------------------------------------- answers */

static void question_end(struct question *q, struct sb *answer)
{
	question_done_fn *done = q->done;
	void *ctx = q->ctx;

	done(ctx, answer);
	sb_done(&q->last);
	free(q);
}

static void answer_error(struct question *q, const struct err *why, bool unknown)
{
	AUTO(sb_done) struct sb out = SB_INIT;

	door_answer_error(why, unknown, &out);
	question_end(q, &out);
}

/* p NULL: there is none. */
static void answer_object(struct question *q, struct jspan object)
{
	AUTO(sb_done) struct sb out = SB_INIT;
	struct err e = {0};

	if (door_answer_object(object, &out, &e) < 0)
		answer_error(q, &e, false);
	else
		question_end(q, &out);
}

/* ------------------------------------------------------------------------------- records */

/* What a GET has shown. */
struct sight {
	const struct err *why;   /* why it has shown nothing; NULL = it has */
	struct jspan object;     /* p NULL: there is no such record */
	const struct api_ip *ip; /* NULL: none, or it cannot be read */
};

static struct look *look_get(struct asker *a, const struct door_request *req)
{
	AUTO(free) char *key = xasprintf("%s/%s", req->ns, req->name);
	struct look *l = a->first;

	while (l && !str_eq(l->key, key))
		l = l->next;
	if (l)
		return l;
	l = xcalloc(1, sizeof(*l));
	l->asker = a;
	l->key = STEAL(key);
	l->next = a->first;
	a->first = l;
	return l;
}

static void look_free(struct look *l)
{
	struct look **at = &l->asker->first;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	kube_cancel(l->call);
	free(l->key);
	free(l);
}

static bool has(const struct look *l, enum question_state state)
{
	const struct question *q = l->first;

	while (q && q->state != state)
		q = q->next;
	return q;
}

/* It is no more than what the plugin wants, which judges by itself what it gets. */
static bool is_wanted(const struct question *q, const struct api_ip *ip)
{
	return str_eq(ip->pod_id, q->req->pod_uid) && api_ip_is_allocated(ip) &&
	       !str_eq(ip->meta.resource_version, q->req->seen);
}

static bool is_enough(const struct question *q, const struct sight *s)
{
	bool unreadable = s->object.p && !s->ip;

	return !q->req->pod_uid || unreadable || (s->ip && is_wanted(q, s->ip)) ||
	       clock_now_ms() >= q->look_ms;
}

/* A last look that came to nothing does not make what was seen before any less true. */
static void answer_failure(struct question *q, const struct err *why)
{
	if (door_error_passes(why) && q->last.len)
		question_end(q, &q->last);
	else
		answer_error(q, why, false);
}

/* True: it was answered, and is no more. */
static bool judge(struct question *q, const struct sight *s)
{
	struct err e = {0};

	if (s->why) {
		answer_failure(q, s->why);
	} else if (is_enough(q, s)) {
		answer_object(q, s->object);
	} else {
		sb_clear(&q->last);
		if (door_answer_object(s->object, &q->last, &e) == 0)
			return false;
		answer_error(q, &e, false);
	}
	return true;
}

static void judge_all(struct look *l, const struct sight *s)
{
	struct question *all = STEAL(l->first), *q;

	while ((q = all)) {
		all = q->next;
		if (q->state == QUESTION_COVERED && judge(q, s))
			continue;
		if (q->state == QUESTION_COVERED)
			q->state = QUESTION_WAITING;
		q->next = l->first;
		l->first = q;
	}
}

static void look_begin(struct look *l);

/* What is next, after something has ended. */
static void look_settle(struct look *l)
{
	if (!l->first)
		look_free(l);
	else if (!l->call && (l->changed || has(l, QUESTION_NEW)))
		look_begin(l);
}

/* What has come; NULL if it is no record: the plugin says what is wrong with it. */
static struct api_ip *see(const struct kube_response *res, struct jdoc *doc, struct jspan *object)
{
	struct jval root = jdoc_root(doc);
	struct api_ip *ip = NULL;
	struct err e = {0};

	*object = jspan_trim((struct jspan){res->body, res->body_len});
	return api_ip_decode(&root, &ip, &e) < 0 ? NULL : ip;
}

static void look_done(void *ctx, struct kube_response *res, const struct err *why)
{
	AUTO(api_ip_free) struct api_ip *ip = NULL;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct look *l = ctx;
	struct sight s = {.why = why};
	struct err e = {0};

	l->call = NULL;
	if (why && why->kind == ERR_NOT_FOUND)
		s.why = NULL;
	else if (!why && kube_response_parse(res, &doc, &e) < 0)
		s.why = &e;
	else if (!why)
		s.ip = ip = see(res, doc, &s.object);
	judge_all(l, &s);
	look_settle(l);
}

static void look_begin(struct look *l)
{
	const struct door_request *req = l->first->req;
	AUTO(free)
	char *path = kube_path(API_GROUP_VERSION, req->ns, API_PLURAL_IP, req->name, NULL);
	struct kube_request get;
	int64_t end_ms = 0;

	for (struct question *q = l->first; q; q = q->next) {
		q->state = QUESTION_COVERED;
		if (q->end_ms > end_ms)
			end_ms = q->end_ms;
	}
	l->changed = false;
	get = kube_request_get(path, NULL, end_ms);
	l->call = kube_submit(l->asker->client, &get, look_done, l);
}

static void look_join(struct question *q)
{
	struct look *l = look_get(q->asker, q->req);

	q->look = l;
	q->next = l->first;
	l->first = q;
	look_settle(l);
}

static void look_leave(struct question *q)
{
	struct look *l = q->look;
	struct question **at = &l->first;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	/* It is for nobody any more, and may take long where the server does not answer. */
	if (l->call && !has(l, QUESTION_COVERED)) {
		kube_cancel(l->call);
		l->call = NULL;
	}
}

/* ------------------------------------------------------------------------------- pods and patches */

/* Of a pod no more than who it is and what it asks for: the rest is none of the plugin's business. */
static void write_pod(struct jspan pod, struct sb *out)
{
	static const char *const members[] = {"name", "namespace", "uid", "annotations"};
	struct jspan meta = {0}, value;
	struct jw w = jw_init(out);

	jw_obj(&w);
	jw_kv_obj(&w, "metadata");
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (jspan_find(pod, "metadata", &meta) && jspan_find(meta, members[i], &value))
			jw_kv_raw(&w, members[i], value);
	}
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
}

static void pod_done(void *ctx, struct kube_response *res, const struct err *why)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	AUTO(sb_done) struct sb pod = SB_INIT;
	struct question *q = ctx;
	struct err e = {0};

	q->call = NULL;
	if (!why && kube_response_parse(res, &doc, &e) < 0)
		why = &e;
	if (why) {
		answer_error(q, why, false);
		return;
	}
	write_pod((struct jspan){res->body, res->body_len}, &pod);
	answer_object(q, (struct jspan){pod.data, pod.len});
}

static void ask_pod(struct question *q)
{
	AUTO(free) char *path = kube_path("v1", q->req->ns, "pods", q->req->name, NULL);
	struct kube_request get = kube_request_get(path, NULL, q->end_ms);

	q->call = kube_submit(q->asker->client, &get, pod_done, q);
}

/* Its annotations say what its pods ask for that name no subnet. */
static void ask_namespace(struct question *q)
{
	AUTO(free) char *path = kube_path("v1", NULL, "namespaces", q->req->name, NULL);
	struct kube_request get = kube_request_get(path, NULL, q->end_ms);

	q->call = kube_submit(q->asker->client, &get, pod_done, q);
}

static void patch_done(void *ctx, struct kube_response *res, const struct err *why)
{
	struct question *q = ctx;

	q->call = NULL;
	if (why)
		answer_error(q, why, res->unknown);
	else
		answer_object(q, (struct jspan){0});
}

static void ask_patch(struct question *q)
{
	const struct door_request *r = q->req;
	const struct api_ip_word word = {.uid = r->uid,
					 .version = r->version,
					 .phase = r->phase,
					 .message = r->message,
					 .clear_card_down = r->clear_card_down};
	AUTO(free)
	char *path = kube_path(API_GROUP_VERSION, r->ns, API_PLURAL_IP, r->name, "status");
	AUTO(sb_done) struct sb body = SB_INIT;
	struct kube_request patch;

	api_ip_word_write(&word, &body);
	patch = kube_request_merge_patch(path, sb_get(&body), q->end_ms);
	q->call = kube_submit(q->asker->client, &patch, patch_done, q);
}

/* ------------------------------------------------------------------------------- questions */

struct question *asker_ask(struct asker *a, const struct door_request *req, question_done_fn *done,
			   void *ctx)
{
	struct question *q = xcalloc(1, sizeof(*q));
	int64_t last = req->wait_ms / 2 < LAST_LOOK_MS ? req->wait_ms / 2 : LAST_LOOK_MS;

	q->asker = a;
	q->req = req;
	q->done = done;
	q->ctx = ctx;
	q->end_ms = clock_now_ms() + req->wait_ms;
	q->look_ms = q->end_ms - last;
	switch (req->verb) {
	case DOOR_RECORD:
		look_join(q);
		break;
	case DOOR_POD:
		ask_pod(q);
		break;
	case DOOR_NAMESPACE:
		ask_namespace(q);
		break;
	case DOOR_PATCH:
		ask_patch(q);
		break;
	case DOOR_READY: /* the door's own to answer */
		break;
	}
	return q;
}

void question_drop(struct question *q)
{
	if (!q)
		return;
	kube_cancel(q->call);
	if (q->look) {
		look_leave(q);
		look_settle(q->look);
	}
	sb_done(&q->last);
	free(q);
}

void asker_changed(struct asker *a, const char *key)
{
	struct look *l = a->first;

	while (l && !str_eq(l->key, key))
		l = l->next;
	if (!l)
		return;
	l->changed = true;
	look_settle(l);
}

static int64_t due_ms(const struct question *q)
{
	return q->look->call ? q->end_ms + LATE_MS : q->look_ms;
}

/* Of the questions about records, which alone wait: the others end with their requests. */
static struct question *first_due(const struct asker *a)
{
	struct question *first = NULL;

	for (const struct look *l = a->first; l; l = l->next) {
		/* What has ended was taken out before, which the analyzer does not follow. */
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		for (struct question *q = l->first; q; q = q->next) {
			if (!first || due_ms(q) < due_ms(first))
				first = q;
		}
	}
	return first;
}

int64_t asker_next_ms(const struct asker *a)
{
	const struct question *q = first_due(a);

	return q ? due_ms(q) : 0;
}

static void answer_late(struct question *q)
{
	struct look *l = q->look;
	struct err late = {0};

	look_leave(q);
	err_set(&late, ERR_TIMEOUT, 0, "no answer before the deadline");
	answer_failure(q, &late);
	look_settle(l);
}

void asker_run(struct asker *a)
{
	struct question *q;

	while ((q = first_due(a)) && due_ms(q) <= clock_now_ms()) {
		if (q->look->call)
			answer_late(q);
		else
			look_begin(q->look);
	}
}
