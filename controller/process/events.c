/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/process/events.h"

#include "api/meta.h"
#include "controller/process/process.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"

#define EVERY_MS   (5 * 60 * 1000)
#define TIMEOUT_MS 60000
#define COMPONENT  "tandem-controller"

static void done(void *ctx, struct kube_response *res, const struct err *e)
{
	(void)ctx;
	(void)res;
	if (e)
		log_debug("event not written", "error", e->msg);
}

static void write_event(struct sb *sb, const struct event *v, const char *instance)
{
	AUTO(free)
	char *name = xasprintf("%.200s.%llx", v->about->name, (unsigned long long)clock_now_us());
	char now[CLOCK_RFC3339_LEN];
	struct jw w = jw_init(sb);

	clock_rfc3339(clock_wall_s(), now);
	jw_obj(&w);
	jw_kv_str(&w, "apiVersion", "v1");
	jw_kv_str(&w, "kind", "Event");
	jw_kv_obj(&w, "metadata");
	jw_kv_str(&w, "name", name);
	jw_kv_str(&w, "namespace", v->about->ns);
	jw_end(&w);
	jw_kv_obj(&w, "involvedObject");
	jw_kv_str(&w, "apiVersion", v->api_version);
	jw_kv_str(&w, "kind", v->kind);
	jw_kv_str(&w, "namespace", v->about->ns);
	jw_kv_str(&w, "name", v->about->name);
	jw_kv_str(&w, "uid", v->about->uid);
	jw_end(&w);
	jw_kv_str(&w, "type", v->warning ? "Warning" : "Normal");
	jw_kv_str(&w, "reason", v->reason);
	jw_kv_str(&w, "message", v->message);
	jw_kv_str(&w, "firstTimestamp", now);
	jw_kv_str(&w, "lastTimestamp", now);
	jw_kv_i64(&w, "count", 1);
	jw_kv_obj(&w, "source");
	jw_kv_str(&w, "component", COMPONENT);
	jw_end(&w);
	jw_kv_str(&w, "reportingComponent", COMPONENT);
	jw_kv_str(&w, "reportingInstance", instance);
	jw_end(&w);
	jw_finish(&w);
}

void event_send(const struct process *p, const struct event *v)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *path = kube_path("v1", v->about->ns, "events", NULL, NULL);
	struct kube_request req;

	write_event(&body, v, p->holder);
	req = kube_request_create(path, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	req.priority = KUBE_IDLE;
	kube_submit(p->client, &req, done, NULL);
}

bool event_was_told(int64_t *told_ms)
{
	int64_t now = clock_now_ms();

	if (*told_ms && now - *told_ms < EVERY_MS)
		return true;
	*told_ms = now;
	return false;
}
