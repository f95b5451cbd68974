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
#include "lib/kube/queue.h"

#define TIMEOUT_MS 20000
/* Allocation is more urgent: what is written here is never waited for. */
#define AT_ONCE 4

/* A pod that is looked at, or whose annotation holds entries of others. */
struct netjob {
	struct app *app;
	char *key;
	struct kube_queue_item item;
	struct kube_call *call; /* of an item in flight */
	uint64_t wanted; /* hash of what we would write by ourselves, when `settled` was found right */
	uint64_t settled; /* the annotation with the others' entries in it; 0 = not known */
	uint64_t writing; /* what the call writes */
	uint64_t writing_for;
};

struct netstatus {
	struct map jobs;
	struct kube_queue queue;
};

static struct netstatus *state(struct app *app)
{
	if (!app->netstatus) {
		app->netstatus = xcalloc(1, sizeof(*app->netstatus));
		app->netstatus->queue.max_in_flight = AT_ONCE;
	}
	return app->netstatus;
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
	kube_queue_mark(&s->queue, &job->item, clock_now_ms());
}

static void job_free(struct netjob *job)
{
	kube_cancel(job->call);
	kube_queue_remove(&job->app->netstatus->queue, &job->item);
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
	if (e->kind != ERR_CONFLICT && e->kind != ERR_NOT_FOUND)
		log_warn("network-status: request failed", "pod", job->key, "error", e->msg);
	kube_queue_failed(&job->app->netstatus->queue, &job->item, clock_now_ms(),
			  e->retry_after_ms);
}

/* The annotation was found right, or has been made so. */
static void settle(struct netjob *job, uint64_t hash)
{
	job->settled = hash;
	job->wanted = job->writing_for;
	kube_queue_finish(&job->app->netstatus->queue, &job->item);
}

static void written(void *ctx, struct kube_response *res, const struct err *e)
{
	struct netjob *job = ctx;

	(void)res;
	job->call = NULL;
	if (e) {
		failed(job, e);
		return;
	}
	/* The watch will show it, and has it looked at again. */
	settle(job, job->writing);
}

static void submit(struct netjob *job, const struct kube_request *req, kube_done_fn *done)
{
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
		settle(job, api_pod_status_hash(text));
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

static void look(struct netjob *job)
{
	struct ent *ent = ent_find(job->app, job->key);
	AUTO(free) char *text = wanted(ent, NULL);
	uint64_t hash, have;

	hash = text ? api_pod_status_hash(text) : 0;
	have = text ? ent->pod->network_status : 0;
	/* Nothing is to be done or remembered. */
	if (have == hash) {
		job_free(job);
		return;
	}
	/* Right but for the watch, or right with what others have in it. */
	if (job->settled && job->wanted == hash && (have == job->settled || !have)) {
		kube_queue_finish(&job->app->netstatus->queue, &job->item);
		return;
	}
	job->writing_for = hash;
	if (have)
		read_pod(job, ent);
	else
		write_status(job, ent, text, NULL);
}

int64_t netstatus_run(struct app *app)
{
	struct netstatus *s = state(app);
	struct kube_queue_item *item;
	int64_t now = clock_now_ms();

	/* Only who leads may write. */
	if (app->phase != APP_RUN)
		return 0;
	while ((item = kube_queue_take(&s->queue, now)))
		look(CONTAINER_OF(item, struct netjob, item));
	return kube_queue_next_ms(&s->queue);
}

void netstatus_done(struct app *app)
{
	struct netstatus *s = state(app);
	struct netjob *job;
	size_t pos;

	while (pos = 0, (job = map_each(&s->jobs, &pos)))
		job_free(job);
	map_done(&s->jobs);
	kube_queue_done(&s->queue);
	free(s);
	app->netstatus = NULL;
}
