/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/journal/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/journal.h"
#include "api/meta.h"
#include "controller/cluster/subnet_object.h"
#include "controller/process/process.h"
#include "controller/subnets/subnet.h"
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
#include "lib/pki/digest.h"

#define TIMEOUT_MS    60000
#define BATCH_LINES   100 /* as many are worth a write, */
#define BATCH_BYTES   (128 * 1024)
#define CROWDED_LINES 400 /* so many may soon have no room in the status */
#define EXPIRE_MS     (60 * 60 * 1000)
#define FIRST_PREV    "-"

struct part {
	char *uid, *version; /* NULL = it does not exist */
	struct api_journal_head head;
};

/* Lines of a subnet that a write brings: those below that number. */
struct sent {
	char *subnet;
	uint64_t below;
};

struct journal {
	struct journal_in in;
	struct part parts[API_JOURNAL_PARTS_MAX];
	size_t n_read; /* of them; all = we know where we are */
	size_t at;     /* the part that is written to */

	/* The request that is under way. */
	struct kube_call *call;
	size_t target;
	struct api_journal_head next;
	struct sent *sent;
	size_t n_sent, n_lines;

	unsigned int failures;
	int64_t retry_ms, expire_ms;
	struct journal_numbers numbers;
};

static char *path_of(const struct journal *j, size_t i)
{
	AUTO(free)
	char *name = i < API_JOURNAL_PARTS_MAX ? xasprintf(API_JOURNAL_PART "%zu", i) : NULL;

	return kube_path("v1", j->in.process->system_ns, "configmaps", name, NULL);
}

static void part_done(struct part *p)
{
	free(p->uid);
	free(p->version);
	*p = (struct part){0};
}

static void forget_sent(struct journal *j)
{
	for (size_t i = 0; i < j->n_sent; i++)
		free(j->sent[i].subnet);
	free(j->sent);
	j->sent = NULL;
	j->n_sent = j->n_lines = 0;
}

/* Whatever it was: what stands there is read again before the next write. */
static void failed(struct journal *j, const char *what, const struct err *e)
{
	int64_t pause = kube_queue_backoff_ms(++j->failures);

	j->numbers.failures++;
	j->n_read = 0;
	j->retry_ms = clock_now_ms() + (e->retry_after_ms > pause ? e->retry_after_ms : pause);
	log_line(e->kind == ERR_CONFLICT ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
		 "journal: request failed", "what", what, "error", e->msg, (char *)0);
}

/* ------------------------------------------------------------------------------- reading */

/* Its names and its head; a head that cannot be read is a part that begins anew. */
static int take_part(struct part *p, const struct kube_response *res, struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	AUTO(api_meta_done) struct api_meta meta = {0};
	struct err ignored = {0};
	const char *head = NULL;
	struct jval root, data;

	if (kube_response_parse(res, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (api_meta_decode(&root, &meta, e) < 0)
		return -1;
	part_done(p);
	p->uid = xstrdup(meta.uid);
	p->version = xstrdup(meta.resource_version);
	if (jget_obj(&root, "data", &data, &ignored) == 1 &&
	    jget_str(&data, API_JOURNAL_HEAD, &head, &ignored) == 1)
		IGNORE(api_journal_head_parse(head, &p->head), "0 then");
	return 0;
}

static void read_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct journal *j = ctx;
	struct part *p = &j->parts[j->n_read];
	struct err why = {0};

	j->call = NULL;
	if (e && e->kind == ERR_NOT_FOUND) {
		part_done(p);
	} else if (e || take_part(p, res, &why) < 0) {
		failed(j, "read", e ? e : &why);
		return;
	}
	if (++j->n_read < API_JOURNAL_PARTS_MAX)
		return;
	j->at = 0;
	for (size_t i = 1; i < j->in.opt->parts; i++) {
		if (j->parts[i].head.part > j->parts[j->at].head.part)
			j->at = i;
	}
}

static void read_next(struct journal *j)
{
	AUTO(free) char *path = path_of(j, j->n_read);
	struct kube_request req = kube_request_get(path, NULL, clock_now_ms() + TIMEOUT_MS);

	j->call = kube_submit(j->in.process->client, &req, read_done, j);
}

/* ------------------------------------------------------------------------------- writing */

static bool is_going(const struct subnet *subnet)
{
	const struct subnet_object *o = subnet_object(subnet);

	return !o || o->meta.deletion;
}

static size_t count_waiting(const struct journal *j, bool *urgent)
{
	const struct subnet *subnet;
	size_t pos = 0, n = 0, bytes = 0;

	while ((subnet = subnets_each(j->in.subnets, &pos))) {
		const struct api_lines *l = subnet_lines(subnet);

		n += l->n;
		bytes += l->bytes;
		*urgent |= l->n && is_going(subnet);
	}
	*urgent |= n >= BATCH_LINES || bytes >= BATCH_BYTES / 2;
	return n;
}

static void add_lines(struct journal *j, const struct subnet *subnet, struct sb *batch)
{
	const struct api_lines *l = subnet_lines(subnet);
	size_t i = 0;

	for (; i < l->n && batch->len < BATCH_BYTES; i++)
		api_journal_add(batch, subnet_name(subnet), api_lines_number(l, i), l->v[i]);
	if (!i)
		return;
	j->sent = xreallocarray(j->sent, j->n_sent + 1, sizeof(*j->sent));
	j->sent[j->n_sent++] =
		(struct sent){xstrdup(subnet_name(subnet)), api_lines_number(l, 0) + i};
	j->n_lines += i;
}

static void make_batch(struct journal *j, struct sb *batch)
{
	const struct api_journal_head *last = &j->parts[j->at].head;
	const struct subnet *subnet;
	size_t pos = 0;

	api_journal_begin(batch, last->part ? last->hash : FIRST_PREV);
	while ((subnet = subnets_each(j->in.subnets, &pos)))
		add_lines(j, subnet, batch);
	j->next = (struct api_journal_head){.part = last->part,
					    .batch = last->batch + 1,
					    .bytes = last->bytes + batch->len,
					    .newest = process_now_s(j->in.process)};
	pki_sha256_hex(sb_get(batch), batch->len, j->next.hash);
	j->target = j->at;
	if (last->part && j->next.bytes <= API_JOURNAL_PART_BYTES)
		return;
	/* The next one of the ring begins, and what stood there goes. */
	j->target = last->part ? (j->at + 1) % j->in.opt->parts : j->at;
	j->next.part++;
	j->next.bytes = batch->len;
}

static void write_data(struct jw *w, const struct journal *j, const char *batch)
{
	AUTO(free) char *head = api_journal_head_text(&j->next);
	char key[24];

	jw_kv_obj(w, "data");
	jw_kv_str(w, API_JOURNAL_HEAD, head);
	jw_kv_str(w, api_journal_key(j->next.batch, key), batch);
	jw_end(w);
}

/* A part from its beginning, with nothing of what may have stood there. */
static void write_whole(struct sb *body, const struct journal *j, const char *batch)
{
	const struct part *p = &j->parts[j->target];
	AUTO(free) char *name = xasprintf(API_JOURNAL_PART "%zu", j->target);
	struct jw w = jw_init(body);

	jw_obj(&w);
	jw_kv_str(&w, "apiVersion", "v1");
	jw_kv_str(&w, "kind", "ConfigMap");
	jw_kv_obj(&w, "metadata");
	jw_kv_str(&w, "name", name);
	jw_kv_str(&w, "namespace", j->in.process->system_ns);
	if (p->uid)
		api_meta_write_condition(&w, p->uid, p->version);
	jw_kv_obj(&w, "labels");
	jw_kv_str(&w, "app.kubernetes.io/name", "tandem");
	jw_kv_str(&w, "app.kubernetes.io/component", "journal");
	jw_end(&w);
	jw_end(&w);
	write_data(&w, j, batch);
	jw_end(&w);
	jw_finish(&w);
}

static void write_more(struct sb *body, const struct journal *j, const char *batch)
{
	const struct part *p = &j->parts[j->target];
	struct jw w = jw_init(body);

	api_meta_begin_patch(&w, p->uid, p->version);
	jw_end(&w);
	write_data(&w, j, batch);
	jw_end(&w);
	jw_finish(&w);
}

/* For whoever keeps the log elsewhere: what is changed here later does not fit to it. */
static void log_batch(const struct journal *j)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	char at[CLOCK_RFC3339_LEN];

	jw_obj(&w);
	jw_kv_str(&w, "time", clock_rfc3339(j->next.newest, at));
	jw_kv_str(&w, "journal", "batch");
	jw_kv_i64(&w, "number", (int64_t)j->next.batch);
	jw_kv_i64(&w, "lines", (int64_t)j->n_lines);
	jw_kv_str(&w, "hash", j->next.hash);
	jw_end(&w);
	jw_finish(&w);
	log_text(LOG_LEVEL_INFO, sb_get(&sb));
}

static void write_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct journal *j = ctx;
	struct part *p = &j->parts[j->target];
	struct err why = {0};

	j->call = NULL;
	if (e || take_part(p, res, &why) < 0) {
		failed(j, "write", e ? e : &why);
		forget_sent(j);
		return;
	}
	p->head = j->next;
	j->at = j->target;
	j->failures = 0;
	j->numbers.writes++;
	j->numbers.lines += j->n_lines;
	log_batch(j);
	for (size_t i = 0; i < j->n_sent; i++) {
		struct subnet *subnet = subnets_find(j->in.subnets, j->sent[i].subnet);

		if (subnet)
			subnet_lines_kept(subnet, j->sent[i].below);
	}
	forget_sent(j);
}

static void write_batch(struct journal *j)
{
	AUTO(sb_done) struct sb batch = SB_INIT, body = SB_INIT;
	AUTO(free) char *path = NULL;
	int64_t until = clock_now_ms() + TIMEOUT_MS;
	bool more, exists;
	struct kube_request req;

	make_batch(j, &batch);
	more = j->target == j->at && j->parts[j->at].head.part == j->next.part;
	exists = j->parts[j->target].uid;
	path = path_of(j, exists ? j->target : API_JOURNAL_PARTS_MAX);
	if (more)
		write_more(&body, j, sb_get(&batch));
	else
		write_whole(&body, j, sb_get(&batch));
	req = more     ? kube_request_merge_patch(path, sb_get(&body), until)
	      : exists ? kube_request_replace(path, sb_get(&body), until)
		       : kube_request_create(path, sb_get(&body), until);
	/*
	 * While thousands of pods come there is always something else to send, and what has no room in the status any
	 * more would be lost with this process. One request for hundreds of theirs is not in their way.
	 */
	req.priority = j->numbers.waiting > CROWDED_LINES ? KUBE_URGENT : KUBE_NORMAL;
	j->call = kube_submit(j->in.process->client, &req, write_done, j);
}

/* ------------------------------------------------------------------------------- what is too old */

static void expire_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct journal *j = ctx;

	(void)res;
	j->call = NULL;
	if (e && e->kind != ERR_NOT_FOUND)
		failed(j, "delete", e);
	else
		part_done(&j->parts[j->target]);
}

static bool is_old(const struct journal *j, size_t i)
{
	const struct part *p = &j->parts[i];
	int64_t since = process_now_s(j->in.process) - (int64_t)j->in.opt->days * 86400;

	return p->uid && i != j->at && (i >= j->in.opt->parts || p->head.newest < since);
}

/* One at a time; true while there is one. */
static bool expire(struct journal *j)
{
	for (size_t i = 0; i < API_JOURNAL_PARTS_MAX; i++) {
		AUTO(free) char *path = NULL;
		AUTO(free) char *options = NULL;
		struct kube_request req;

		if (!is_old(j, i))
			continue;
		path = path_of(j, i);
		options = api_meta_delete_options(j->parts[i].uid, j->parts[i].version);
		req = kube_request_delete(path, options, clock_now_ms() + TIMEOUT_MS);
		req.priority = KUBE_IDLE;
		j->target = i;
		j->call = kube_submit(j->in.process->client, &req, expire_done, j);
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------------------- the room */

int64_t journal_run(struct journal *j)
{
	int64_t now_ms = clock_now_ms();
	bool due = false;

	if (!j->in.opt->parts || j->in.process->phase != PHASE_RUN)
		return 0;
	j->numbers.waiting = count_waiting(j, &due);
	if (j->call)
		return 0;
	if (j->retry_ms > now_ms)
		return j->retry_ms;
	j->retry_ms = 0;
	if (j->n_read < API_JOURNAL_PARTS_MAX) {
		read_next(j);
	} else if (due) {
		write_batch(j);
	} else if (j->expire_ms <= now_ms && !expire(j)) {
		j->expire_ms = now_ms + EXPIRE_MS;
	}
	return j->call ? 0 : j->expire_ms;
}

struct journal_numbers journal_numbers(const struct journal *j)
{
	return j->numbers;
}

struct journal *journal_new(const struct journal_in *in)
{
	struct journal *j = xcalloc(1, sizeof(*j));

	j->in = *in;
	return j;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	kube_cancel(j->call);
	forget_sent(j);
	for (size_t i = 0; i < API_JOURNAL_PARTS_MAX; i++)
		part_done(&j->parts[i]);
	free(j);
}
