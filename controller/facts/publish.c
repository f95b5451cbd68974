/* SPDX-License-Identifier: Apache-2.0 */
/* ConfigMap tandem-cluster: written when it is not as it shall be, also by a hand. */
#include "api/meta.h"
#include "controller/facts/internal.h"
#include "controller/process/process.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/json/jread.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/kube/queue.h"
#include "lib/kube/store.h"

#define TIMEOUT_MS 10000

const struct settings_map *publish_object(const struct facts *f)
{
	return kube_store_get(f->source[SOURCE_PUBLISHED].store, f->in.process->system_ns,
			      SETTINGS_PUBLISHED);
}

const struct settings_map *publish_settings(const struct facts *f)
{
	return kube_store_get(f->source[SOURCE_SETTINGS].store, f->in.process->system_ns,
			      SETTINGS_GIVEN);
}

static void failed(struct facts *f, const struct err *e)
{
	int64_t pause = kube_queue_backoff_ms(++f->failures);

	f->retry_ms = clock_now_ms() + (e->retry_after_ms > pause ? e->retry_after_ms : pause);
	/* Another was first: the watch brings what stands there. */
	log_line(e->kind == ERR_CONFLICT ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
		 "ConfigMap cannot be written", "name", SETTINGS_PUBLISHED, "error", e->msg,
		 (char *)0);
}

static void written(void *ctx, struct kube_response *res, const struct err *e)
{
	struct facts *f = ctx;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err why = {0};
	struct jval root;

	f->call = NULL;
	f->changed = true;
	if (e) {
		failed(f, e);
		return;
	}
	f->failures = 0;
	f->retry_ms = 0;
	log_info("the cluster's facts are written", "configmap", SETTINGS_PUBLISHED);
	if (kube_response_parse(res, &doc, &why) < 0) {
		failed(f, &why);
		return;
	}
	/* As it is after our write, before the watch tells. */
	root = jdoc_root(doc);
	if (kube_store_set(f->source[SOURCE_PUBLISHED].store, &root, &why) < 0)
		failed(f, &why);
}

int64_t publish_run(struct facts *f)
{
	const struct process *p = f->in.process;
	const struct settings_map *over = publish_object(f);
	int64_t until = clock_now_ms() + TIMEOUT_MS;
	AUTO(free) char *collection = NULL, *path = NULL, *body = NULL;
	struct kube_request req;

	if (f->call || !kube_store_is_synced(f->source[SOURCE_PUBLISHED].store))
		return 0;
	body = settings_map_text(&f->now, over, p->system_ns);
	if (!body)
		return 0;
	if (f->retry_ms > clock_now_ms())
		return f->retry_ms;
	collection = kube_path("v1", p->system_ns, "configmaps", NULL, NULL);
	path = kube_path_child(collection, SETTINGS_PUBLISHED);
	req = over ? kube_request_merge_patch(path, body, until)
		   : kube_request_create(collection, body, until);
	f->call = kube_submit(p->client, &req, written, f);
	return 0;
}

void publish_done(struct facts *f)
{
	kube_cancel(f->call);
	f->call = NULL;
}
