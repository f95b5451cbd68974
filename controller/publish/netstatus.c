/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/publish/netstatus.h"

#include <stdlib.h>
#include <string.h>

#include "api/netstatus.h"
#include "controller/cluster/cluster.h"
#include "controller/process/leader.h"
#include "controller/process/process.h"
#include "controller/records/entry.h"
#include "controller/records/records.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
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
#define AT_ONCE    4
#define TURN_LOOKS 20 /* so that grants come in between */

/* A pod that is looked at, or whose annotation holds entries of others. */
struct netjob {
	struct netstatus *all;
	char *key;
	struct kube_queue_item item;
	struct kube_call *call; /* of an item in flight */
	uint64_t wanted; /* hash of what we would write by ourselves, when `settled` was found right */
	uint64_t settled; /* the annotation with the others' entries in it; 0 = not known */
	uint64_t writing; /* what the call writes */
	uint64_t writing_for;
};

struct netstatus {
	struct publish_in in;
	struct map jobs;
	struct kube_queue queue;
};

/* What is wanted without regard to others. NULL = nothing. The caller frees it. */
static char *wanted(const struct entry *entry, const char *system_ns, const char *old)
{
	const struct api_ip *card = entry ? entry_card(entry) : NULL;

	if (!card)
		return NULL;
	return api_netstatus_text(entry_pod(entry), card, system_ns, old);
}

static void job_free(struct netjob *job)
{
	kube_cancel(job->call);
	kube_queue_remove(&job->all->queue, &job->item);
	map_remove(&job->all->jobs, job->key);
	free(job->key);
	free(job);
}

/* The pod or the record of that name has changed. */
static void changed(void *ctx, enum cluster_kind kind, const char *key, const void *old,
		    const void *obj)
{
	struct netstatus *s = ctx;
	const struct entry *entry = records_find(s->in.records, key);
	struct netjob *job = map_get(&s->jobs, key);

	(void)kind;
	(void)old;
	(void)obj;
	if (!entry || !entry_pod(entry)) {
		/* Nothing is wanted, and a replica that stands by would keep it for ever. */
		if (job && !job->call)
			job_free(job);
		else if (job)
			kube_queue_mark(&s->queue, &job->item, clock_now_ms());
		return;
	}
	if (!job) {
		job = xcalloc(1, sizeof(*job));
		job->all = s;
		job->key = xstrdup(key);
		map_put(&s->jobs, job->key, job);
	}
	kube_queue_mark(&s->queue, &job->item, clock_now_ms());
}

static const struct cluster_listener listener = {.changed = changed};

static char *path_of(const struct entry *entry, const char *subresource)
{
	return kube_path("v1", entry_pod(entry)->meta.ns, "pods", entry_pod(entry)->meta.name,
			 subresource);
}

static void failed(struct netjob *job, const struct err *e)
{
	if (e->kind != ERR_CONFLICT && e->kind != ERR_NOT_FOUND)
		log_warn("network-status: request failed", "pod", job->key, "error", e->msg);
	kube_queue_failed(&job->all->queue, &job->item, clock_now_ms(), e->retry_after_ms);
}

/* The annotation was found right, or has been made so. */
static void settle(struct netjob *job, uint64_t hash)
{
	job->settled = hash;
	job->wanted = job->writing_for;
	kube_queue_finish(&job->all->queue, &job->item);
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

static void submit(struct netjob *job, struct kube_request *req, kube_done_fn *done)
{
	req->priority = KUBE_IDLE;
	job->call = kube_submit(job->all->in.process->client, req, done, job);
}

/* The pod's UID is a condition: another pod of the name must not get it. */
static void write_status(struct netjob *job, const struct entry *entry, const char *text,
			 const char *version)
{
	AUTO(free) char *path = path_of(entry, "status");
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct kube_request req;

	jw_obj(&w);
	jw_kv_obj(&w, "metadata");
	if (version)
		api_meta_write_condition(&w, entry_pod(entry)->meta.uid, version);
	else
		api_meta_write_uid(&w, entry_pod(entry)->meta.uid);
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
	const struct entry *entry = records_find(job->all->in.records, job->key);
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
	if (job->all->in.process->phase != PHASE_RUN ||
	    leader_in_doubt(job->all->in.process->leader)) {
		failed(job, &(struct err){.kind = ERR_CONFLICT, .msg = "another may lead"});
		return;
	}
	text = wanted(entry, job->all->in.process->system_ns, annotation_of(&root));
	if (!text || !str_eq(meta.uid, entry_pod(entry)->meta.uid)) {
		failed(job, &(struct err){.kind = ERR_CONFLICT, .msg = "another pod by now"});
		return;
	}
	if (str_eq(text, annotation_of(&root))) {
		settle(job, api_pod_status_hash(text));
		return;
	}
	write_status(job, entry, text, meta.resource_version);
}

static void read_pod(struct netjob *job, const struct entry *entry)
{
	AUTO(free) char *path = path_of(entry, NULL);
	struct kube_request req = kube_request_get(path, NULL, clock_now_ms() + TIMEOUT_MS);

	submit(job, &req, read_done);
}

static void look(struct netjob *job)
{
	struct entry *entry = records_find(job->all->in.records, job->key);
	AUTO(free) char *text = wanted(entry, job->all->in.process->system_ns, NULL);
	uint64_t hash, have;

	hash = text ? api_pod_status_hash(text) : 0;
	have = text ? entry_pod(entry)->network_status : 0;
	/* Nothing is to be done or remembered. */
	if (have == hash) {
		job_free(job);
		return;
	}
	/* Right but for the watch, or right with what others have in it. */
	if (job->settled && job->wanted == hash && (have == job->settled || !have)) {
		kube_queue_finish(&job->all->queue, &job->item);
		return;
	}
	job->writing_for = hash;
	if (have)
		read_pod(job, entry);
	else
		write_status(job, entry, text, NULL);
}

struct netstatus *netstatus_new(const struct publish_in *in)
{
	struct netstatus *s = xcalloc(1, sizeof(*s));

	s->in = *in;
	s->queue.max_in_flight = AT_ONCE;
	cluster_listen(in->cluster, CLUSTER_BIT(CLUSTER_IPS) | CLUSTER_BIT(CLUSTER_PODS), &listener,
		       s);
	return s;
}

int64_t netstatus_run(struct netstatus *s)
{
	struct kube_queue_item *item;
	int64_t now = clock_now_ms();

	/* Only who leads may write. */
	if (s->in.process->phase != PHASE_RUN)
		return 0;
	for (int n = 0; n < TURN_LOOKS && (item = kube_queue_take(&s->queue, now)); n++)
		look(CONTAINER_OF(item, struct netjob, item));
	return kube_queue_next_ms(&s->queue);
}

void netstatus_gauge(const struct netstatus *s, struct kube_queue_gauge *out)
{
	kube_queue_gauge(&s->queue, clock_now_ms(), out);
}

void netstatus_free(struct netstatus *s)
{
	struct netjob *job;
	size_t pos;

	if (!s)
		return;
	while (pos = 0, (job = map_each(&s->jobs, &pos)))
		job_free(job);
	map_done(&s->jobs);
	kube_queue_done(&s->queue);
	free(s);
}
