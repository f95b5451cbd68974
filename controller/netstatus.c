#include "controller/netstatus.h"

#include <string.h>

#include "api/netstatus.h"
#include "controller/ent.h"
#include "controller/leader.h"
#include "controller/svc.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"

#define TIMEOUT_MS 20000
/* Allocation is more urgent: what is written here is never waited for. */
#define AT_ONCE 4

/* A pod that is looked at, or whose annotation holds entries of others. */
struct netjob {
	struct app *app;
	char *key;
	bool queued;
	struct kube_call *call;
	int64_t retry_ms;
	unsigned int failures;
	uint64_t wanted; /* hash of what we would write by ourselves, when `settled` was found right */
	uint64_t settled; /* the annotation with the others' entries in it; 0 = not known */
	uint64_t writing; /* what the call writes */
	uint64_t writing_for;
};

struct netstatus {
	struct map jobs;
	struct netjob **queue;
	size_t n, cap;
	size_t running;
};

static struct netstatus *state(struct app *app)
{
	if (!app->netstatus)
		app->netstatus = xcalloc(1, sizeof(*app->netstatus));
	return app->netstatus;
}

static void enqueue(struct netjob *job)
{
	struct netstatus *s = job->app->netstatus;

	if (job->queued)
		return;
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->queue = xreallocarray(s->queue, s->cap, sizeof(struct netjob *));
	}
	s->queue[s->n++] = job;
	job->queued = true;
}

/* What is wanted without regard to others. NULL = nothing. The caller frees it. */
static char *wanted(const struct ent *ent, const char *old)
{
	const struct api_ip *card = ent && ent->pod ? svc_card(ent) : NULL;

	if (!card)
		return NULL;
	return api_netstatus_text(ent->pod, card, ent->app->opt.system_ns, old);
}

void netstatus_mark(struct ent *ent)
{
	struct netstatus *s = state(ent->app);
	struct netjob *job = map_get(&s->jobs, ent->key);

	if (!job) {
		if (!ent->pod)
			return;
		job = xcalloc(1, sizeof(*job));
		job->app = ent->app;
		job->key = xstrdup(ent->key);
		map_put(&s->jobs, job->key, job);
	}
	enqueue(job);
}

static void job_free(struct netjob *job)
{
	map_remove(&job->app->netstatus->jobs, job->key);
	free(job->key);
	free(job);
}

static char *path_of(const struct ent *ent, const char *subresource)
{
	return kube_path("v1", ent->pod->meta.ns, "pods", ent->pod->meta.name, subresource);
}

static void failed(struct netjob *job, const struct err *e)
{
	int64_t pause = app_backoff_ms(job->failures++);

	if (e->retry_after_ms > pause)
		pause = e->retry_after_ms;
	if (e->kind != ERR_CONFLICT && e->kind != ERR_NOT_FOUND)
		log_warn("network-status: request failed", "pod", job->key, "error", e->msg);
	job->retry_ms = clock_now_ms() + pause;
	enqueue(job);
}

static void written(void *ctx, struct kube_response *res, const struct err *e)
{
	struct netjob *job = ctx;

	(void)res;
	job->app->netstatus->running--;
	job->call = NULL;
	if (e) {
		failed(job, e);
		return;
	}
	/* The watch will show it, and has it looked at again. */
	job->failures = 0;
	job->settled = job->writing;
	job->wanted = job->writing_for;
}

static void submit(struct netjob *job, const struct kube_request *req, kube_done_fn *done)
{
	job->app->netstatus->running++;
	job->call = kube_submit(job->app->client, req, done, job);
}

/* The pod's UID is a condition: another pod of the name must not get it. */
static void write_status(struct netjob *job, const struct ent *ent, const char *text,
			 const char *version)
{
	AUTO(free) char *path = path_of(ent, "status");
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct kube_request req;

	jw_obj(&w);
	jw_kv_obj(&w, "metadata");
	if (version)
		api_meta_write_condition(&w, ent->pod->meta.uid, version);
	else
		api_meta_write_uid(&w, ent->pod->meta.uid);
	jw_kv_obj(&w, "annotations");
	jw_kv_str(&w, API_ANNOTATION_NETWORK_STATUS, text);
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	job->writing = api_pod_status_hash(text);
	req = kube_request_merge_patch(path, sb_get(&sb), clock_now_ms() + TIMEOUT_MS);
	submit(job, &req, written);
}

static const char *annotation_of(const struct jval *root)
{
	struct jval meta, all;
	const char *text = NULL;
	struct err e = {0};

	if (jget_obj(root, "metadata", &meta, &e) != 1 ||
	    jget_obj(&meta, "annotations", &all, &e) != 1 ||
	    jget_str(&all, API_ANNOTATION_NETWORK_STATUS, &text, &e) != 1)
		return NULL;
	return text;
}

/* Somebody else's is there, or an older one of ours: only now is its text looked at. */
static void read_done(void *ctx, struct kube_response *res, const struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	AUTO(api_meta_done) struct api_meta meta = {0};
	AUTO(free) char *text = NULL;
	struct netjob *job = ctx;
	const struct ent *ent = ent_find(job->app, job->key);
	struct err why = {0};
	struct jval root;

	job->app->netstatus->running--;
	job->call = NULL;
	if (e) {
		failed(job, e);
		return;
	}
	if (kube_response_parse(res, &doc, &why) < 0) {
		failed(job, &why);
		return;
	}
	root = jdoc_root(doc);
	if (api_meta_decode(&root, &meta, &why) < 0) {
		failed(job, &why);
		return;
	}
	if (job->app->phase != APP_RUN || leader_in_doubt(job->app)) {
		failed(job, &(struct err){.kind = ERR_CONFLICT, .msg = "another may lead"});
		return;
	}
	text = wanted(ent, annotation_of(&root));
	if (!text || !str_eq(meta.uid, ent->pod->meta.uid)) {
		failed(job, &(struct err){.kind = ERR_CONFLICT, .msg = "another pod by now"});
		return;
	}
	if (str_eq(text, annotation_of(&root))) {
		job->settled = api_pod_status_hash(text);
		job->wanted = job->writing_for;
		return;
	}
	write_status(job, ent, text, meta.resource_version);
}

static void read_pod(struct netjob *job, const struct ent *ent)
{
	AUTO(free) char *path = path_of(ent, NULL);
	struct kube_request req = kube_request_get(path, NULL, clock_now_ms() + TIMEOUT_MS);

	submit(job, &req, read_done);
}

/* True = it is through and remembers nothing. */
static bool look(struct netjob *job)
{
	struct ent *ent = ent_find(job->app, job->key);
	AUTO(free) char *text = wanted(ent, NULL);
	uint64_t hash, have;

	if (!text)
		return true;
	hash = api_pod_status_hash(text);
	have = ent->pod->network_status;
	if (have == hash)
		return true;
	/* Right but for the watch, or right with what others have in it. */
	if (job->settled && job->wanted == hash && (have == job->settled || !have))
		return false;
	job->writing_for = hash;
	if (have)
		read_pod(job, ent);
	else
		write_status(job, ent, text, NULL);
	return false;
}

int64_t netstatus_run(struct app *app)
{
	struct netstatus *s = state(app);
	int64_t now = clock_now_ms(), next = 0;
	size_t to = 0, i = 0;

	/* Only who leads may write. */
	if (app->phase != APP_RUN)
		return 0;
	for (; i < s->n && s->running < AT_ONCE; i++) {
		struct netjob *job = s->queue[i];

		if (job->call || job->retry_ms > now) {
			if (!job->call && job->retry_ms > now && (!next || job->retry_ms < next))
				next = job->retry_ms;
			s->queue[to++] = job;
			continue;
		}
		job->queued = false;
		job->retry_ms = 0;
		if (look(job))
			job_free(job);
	}
	if (i < s->n)
		memmove(&s->queue[to], &s->queue[i], (s->n - i) * sizeof(struct netjob *));
	s->n -= i - to;
	return next;
}

void netstatus_done(struct app *app)
{
	struct netstatus *s = state(app);
	struct netjob *job;
	size_t pos;

	while (pos = 0, (job = map_each(&s->jobs, &pos))) {
		kube_cancel(job->call);
		job_free(job);
	}
	map_done(&s->jobs);
	free(s->queue);
	free(s);
	app->netstatus = NULL;
}
