/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/lease.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client_int.h"
#include "lib/kube/json.h"
#include "lib/kube/path.h"

#define API_VERSION "coordination.k8s.io/v1"
/* A released Lease is no one's; who reads it as someone's need not wait long. */
#define RELEASED_S 1

enum lease_state { WAITING, HELD, LOST };

/* What stands in the Lease; a change of any of it is a sign of life of its holder. */
struct record {
	char *holder; /* "" = nobody */
	char *renewed, *acquired;
	int64_t transitions, duration_ms;
};

struct kube_lease {
	struct kube_client *client;
	char *collection, *path, *ns, *name, *identity;
	int64_t duration_ms, renew_deadline_ms, retry_ms;
	const struct kube_lease_ops *ops;
	void *ctx;
	enum lease_state state;
	struct kube_call *call; /* the one that is under way or waits for its time */
	char *version;          /* of the Lease as last seen; NULL = it is not there */
	struct record record;
	int64_t seen_ms; /* when the record was last seen to change */
	int64_t sent_boot_ms;
	int64_t renewed_boot_ms; /* when the last write that succeeded was sent */
	unsigned int refusals;   /* in a row */
	bool doubt;
};

static void start_read(struct kube_lease *l, int64_t delay_ms);
static void start_write(struct kube_lease *l);

/* ------------------------------------------------------------------ what stands there */

static void record_done(struct record *r)
{
	free(r->holder);
	free(r->renewed);
	free(r->acquired);
	*r = (struct record){0};
}

static char *text_of(const struct jval *spec, const char *key)
{
	const char *text = "";
	struct err ignored = {0};

	IGNORE(jget_str(spec, key, &text, &ignored) < 0, "as if it were not there");
	return xstrdup(text);
}

static struct record record_of(const struct jval *root)
{
	struct record r = {0};
	struct err ignored = {0};
	struct jval spec;
	int64_t duration_s = 0;

	if (jget_obj(root, "spec", &spec, &ignored) != 1) {
		r.holder = xstrdup("");
		return r;
	}
	r.holder = text_of(&spec, "holderIdentity");
	r.renewed = text_of(&spec, "renewTime");
	r.acquired = text_of(&spec, "acquireTime");
	IGNORE(jget_i64(&spec, "leaseTransitions", JRANGE(0, INT32_MAX - 1), &r.transitions,
			&ignored) < 0,
	       "0 then");
	IGNORE(jget_i64(&spec, "leaseDurationSeconds", JRANGE(0, INT32_MAX), &duration_s,
			&ignored) < 0,
	       "0 then");
	r.duration_ms = duration_s * 1000;
	return r;
}

static bool record_eq(const struct record *a, const struct record *b)
{
	return str_eq(a->holder, b->holder) && str_eq(a->renewed, b->renewed) &&
	       str_eq(a->acquired, b->acquired) && a->transitions == b->transitions &&
	       a->duration_ms == b->duration_ms;
}

static bool is_mine(const struct kube_lease *l)
{
	return str_eq(l->record.holder, l->identity);
}

static void take_record(struct kube_lease *l, struct record *r, const char *version)
{
	bool same = l->record.holder && record_eq(&l->record, r);
	bool passed_on = !str_eq(l->record.holder, r->holder);

	free(l->version);
	l->version = xstrdup(version);
	if (!same)
		l->seen_ms = clock_now_ms();
	record_done(&l->record);
	l->record = *r;
	*r = (struct record){0};
	if (passed_on && l->state == WAITING && !is_mine(l) && l->ops->holder)
		l->ops->holder(l->ctx, l->record.holder);
}

static int take_answer(struct kube_lease *l, const struct kube_response *res, struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct record r = {0};
	const char *version;
	struct jval root;

	if (kube_response_parse(res, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	version = kube_json_meta(&root, "resourceVersion");
	if (!version)
		return jerr(&root, "metadata", e, ERR_DECODE, "a Lease without resourceVersion");
	r = record_of(&root);
	take_record(l, &r, version);
	return 0;
}

/* ------------------------------------------------------------------ time */

/* How long the present Lease still counts, for whoever has it. */
static int64_t others_left_ms(const struct kube_lease *l)
{
	int64_t duration_ms = l->record.duration_ms ? l->record.duration_ms : l->duration_ms;

	return l->seen_ms + duration_ms - clock_now_ms();
}

static bool is_free(const struct kube_lease *l)
{
	return !l->version || !*l->record.holder || is_mine(l) || others_left_ms(l) <= 0;
}

static int64_t own_left_ms(const struct kube_lease *l)
{
	return l->renewed_boot_ms + l->renew_deadline_ms - clock_boot_ms();
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* One try must not use up the whole time: the connection may be dead, and a new one may do. */
static int64_t try_ms(const struct kube_lease *l)
{
	int64_t ms = l->renew_deadline_ms / 2;

	if (l->state == HELD)
		ms = least(ms, own_left_ms(l));
	return ms > 1 ? ms : 1;
}

static int64_t pause_ms(const struct kube_lease *l)
{
	int64_t ms = kube_client_jitter(l->client, l->retry_ms);

	if (l->state == HELD)
		return least(l->retry_ms, own_left_ms(l));
	/* No later than it is over. */
	return is_free(l) ? ms : least(ms, others_left_ms(l) + 1);
}

/* ------------------------------------------------------------------ what follows */

static void lose(struct kube_lease *l, const char *why)
{
	l->state = LOST;
	l->doubt = false;
	if (l->ops->lost)
		l->ops->lost(l->ctx, why);
}

/* Lost when it has become too old; then nothing more is to be done. */
static bool is_over(struct kube_lease *l)
{
	if (l->state != HELD || own_left_ms(l) > 0)
		return false;
	lose(l, "it could not be renewed in time");
	return true;
}

static void again(struct kube_lease *l, const struct err *e)
{
	if (l->ops->failed)
		l->ops->failed(l->ctx, e);
	if (is_over(l))
		return;
	start_read(l, pause_ms(l));
}

static void decide(struct kube_lease *l)
{
	if (l->state == HELD && l->version && !is_mine(l)) {
		AUTO(free) char *why = xasprintf("%s has it", l->record.holder);

		lose(l, *l->record.holder ? why : "another process has it");
		return;
	}
	l->doubt = false;
	if (l->state == HELD || is_free(l))
		start_write(l);
	else
		start_read(l, pause_ms(l));
}

static void on_read(void *ctx, struct kube_response *res, const struct err *e)
{
	struct kube_lease *l = ctx;
	struct record none = {.holder = xstrdup("")};
	struct err bad = {0};

	l->call = NULL;
	if (!e && take_answer(l, res, &bad) < 0)
		e = &bad;
	if (e && e->kind == ERR_NOT_FOUND) {
		take_record(l, &none, NULL);
		e = NULL;
	}
	record_done(&none);
	if (e)
		again(l, e);
	else if (!is_over(l))
		decide(l);
}

static void start_read(struct kube_lease *l, int64_t delay_ms)
{
	int64_t start_ms = clock_now_ms() + (delay_ms > 0 ? delay_ms : 0);
	struct kube_request req = kube_request_get(l->path, NULL, start_ms + try_ms(l));

	l->call = kube_submit(l->client, &req, on_read, l);
	if (delay_ms > 0)
		kube_call_delay(l->call, start_ms);
}

/* ------------------------------------------------------------------ writing */

static void write_held(struct kube_lease *l, struct jw *w)
{
	char now[CLOCK_RFC3339_LEN];

	clock_rfc3339_micro(now);
	jw_kv_str(w, "holderIdentity", l->identity);
	jw_kv_i64(w, "leaseDurationSeconds", l->duration_ms / 1000);
	jw_kv_str(w, "renewTime", now);
	if (l->version && is_mine(l))
		return;
	jw_kv_str(w, "acquireTime", now);
	jw_kv_i64(w, "leaseTransitions", l->version ? l->record.transitions + 1 : 0);
}

static void write_released(struct jw *w)
{
	char now[CLOCK_RFC3339_LEN];

	clock_rfc3339_micro(now);
	jw_kv_str(w, "holderIdentity", "");
	jw_kv_i64(w, "leaseDurationSeconds", RELEASED_S);
	jw_kv_str(w, "renewTime", now);
	jw_kv_str(w, "acquireTime", now);
}

/* A whole Lease where there is none, else a patch of the state that was decided on. */
static void write_lease(struct kube_lease *l, bool held, struct sb *body)
{
	struct jw w = jw_init(body);

	jw_obj(&w);
	if (!l->version) {
		jw_kv_str(&w, "apiVersion", API_VERSION);
		jw_kv_str(&w, "kind", "Lease");
	}
	jw_kv_obj(&w, "metadata");
	if (l->version) {
		jw_kv_str(&w, "resourceVersion", l->version);
	} else {
		jw_kv_str(&w, "name", l->name);
		jw_kv_str(&w, "namespace", l->ns);
	}
	jw_end(&w);
	jw_kv_obj(&w, "spec");
	if (held)
		write_held(l, &w);
	else
		write_released(&w);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
}

static void written(struct kube_lease *l)
{
	l->renewed_boot_ms = l->sent_boot_ms;
	l->refusals = 0;
	if (is_over(l))
		return;
	/* Slept between asking and hearing: not to be relied on before it has been renewed. */
	start_read(l, own_left_ms(l) > 0 ? l->retry_ms : 0);
	if (l->state == HELD || own_left_ms(l) <= 0)
		return;
	l->state = HELD;
	if (l->ops->acquired)
		l->ops->acquired(l->ctx);
}

static void on_written(void *ctx, struct kube_response *res, const struct err *e)
{
	struct kube_lease *l = ctx;
	struct err bad = {0};

	l->call = NULL;
	if (!e && take_answer(l, res, &bad) == 0) {
		written(l);
		return;
	}
	if (is_over(l))
		return;
	if (e && e->kind != ERR_CONFLICT && e->kind != ERR_NOT_FOUND && !res->unknown) {
		again(l, e);
		return;
	}
	/* Another was first, or perhaps it was done all the same: read, then decide. */
	start_read(l, l->refusals++ ? pause_ms(l) : 0);
}

static void start_write(struct kube_lease *l)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	int64_t deadline_ms = clock_now_ms() + try_ms(l);
	struct kube_request req;

	write_lease(l, true, &body);
	req = l->version ? kube_request_merge_patch(l->path, sb_get(&body), deadline_ms)
			 : kube_request_create(l->collection, sb_get(&body), deadline_ms);
	l->sent_boot_ms = clock_boot_ms();
	l->call = kube_submit(l->client, &req, on_written, l);
}

/* ------------------------------------------------------------------ release */

static int patch_released(struct kube_lease *l, int64_t deadline_ms, bool *out_read, struct err *e)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	AUTO(sb_done) struct sb body = SB_INIT;
	struct kube_request req;

	write_lease(l, false, &body);
	req = kube_request_merge_patch(l->path, sb_get(&body), deadline_ms);
	if (kube_do(l->client, &req, &res, e) == 0)
		return 0;
	*out_read = e->kind == ERR_CONFLICT || res.unknown;
	return -1;
}

static int read_again(struct kube_lease *l, int64_t deadline_ms, struct err *e)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct kube_request req = kube_request_get(l->path, NULL, deadline_ms);

	if (kube_do(l->client, &req, &res, e) < 0)
		return -1;
	return take_answer(l, &res, e);
}

int kube_lease_release(struct kube_lease *l, int64_t deadline_ms, struct err *e)
{
	bool held = l->state == HELD, read = false;

	kube_cancel(l->call);
	l->call = NULL;
	l->state = LOST;
	l->doubt = false;
	if (!held)
		return 0;
	while (is_mine(l)) {
		if (patch_released(l, deadline_ms, &read, e) == 0)
			return 0;
		/* A renewal of ours that was just under way has changed it. */
		if (!read || read_again(l, deadline_ms, e) < 0)
			return -1;
	}
	return 0;
}

/* ------------------------------------------------------------------ life */

struct kube_lease *kube_lease_new(struct kube_client *c, const struct kube_lease_options *opt)
{
	static const struct kube_lease_ops none;
	struct kube_lease *l = xcalloc(1, sizeof(*l));

	l->client = c;
	l->ns = xstrdup(opt->ns);
	l->name = xstrdup(opt->name);
	l->identity = xstrdup(opt->identity);
	l->collection = kube_path(API_VERSION, l->ns, "leases", NULL, NULL);
	l->path = kube_path_child(l->collection, l->name);
	l->duration_ms = opt->duration_ms;
	l->renew_deadline_ms = opt->renew_deadline_ms;
	l->retry_ms = opt->retry_ms;
	l->ops = opt->ops ? opt->ops : &none;
	l->ctx = opt->ctx;
	start_read(l, 0);
	return l;
}

void kube_lease_free(struct kube_lease *l)
{
	if (!l)
		return;
	kube_cancel(l->call);
	record_done(&l->record);
	free(l->version);
	free(l->collection);
	free(l->path);
	free(l->ns);
	free(l->name);
	free(l->identity);
	free(l);
}

bool kube_lease_is_held(const struct kube_lease *l)
{
	return l->state == HELD && own_left_ms(l) > 0;
}

void kube_lease_doubt(struct kube_lease *l)
{
	if (l->state != HELD)
		return;
	/* Also a read that is under way: it may have been answered before what was seen. */
	kube_cancel(l->call);
	l->doubt = true;
	start_read(l, 0);
}

bool kube_lease_in_doubt(const struct kube_lease *l)
{
	return l->doubt;
}
