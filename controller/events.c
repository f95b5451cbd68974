#include "controller/events.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"

#define EVERY_MS   (5 * 60 * 1000)
#define TIMEOUT_MS 10000
#define COMPONENT  "tandem-controller"

static void done(void *ctx, struct kube_response *res, const struct err *e)
{
	(void)ctx;
	(void)res;
	if (e)
		log_debug("event not written", "error", e->msg);
}

static void write_event(struct sb *sb, const struct ent *ent, enum decide_reason reason,
			const char *msg)
{
	AUTO(free)
	char *name =
		xasprintf("%.200s.%llx", ent->pod->meta.name, (unsigned long long)clock_now_us());
	char now[CLOCK_RFC3339_LEN];
	struct jw w = jw_init(sb);

	clock_rfc3339(clock_wall_s(), now);
	jw_obj(&w);
	jw_kv_str(&w, "apiVersion", "v1");
	jw_kv_str(&w, "kind", "Event");
	jw_kv_obj(&w, "metadata");
	jw_kv_str(&w, "name", name);
	jw_kv_str(&w, "namespace", ent->pod->meta.ns);
	jw_end(&w);
	jw_kv_obj(&w, "involvedObject");
	jw_kv_str(&w, "apiVersion", "v1");
	jw_kv_str(&w, "kind", "Pod");
	jw_kv_str(&w, "namespace", ent->pod->meta.ns);
	jw_kv_str(&w, "name", ent->pod->meta.name);
	jw_kv_str(&w, "uid", ent->pod->meta.uid);
	jw_end(&w);
	jw_kv_str(&w, "type", reason == DECIDE_ALLOCATED ? "Normal" : "Warning");
	jw_kv_str(&w, "reason", decide_reason_name(reason));
	jw_kv_str(&w, "message", msg);
	jw_kv_str(&w, "firstTimestamp", now);
	jw_kv_str(&w, "lastTimestamp", now);
	jw_kv_i64(&w, "count", 1);
	jw_kv_obj(&w, "source");
	jw_kv_str(&w, "component", COMPONENT);
	jw_end(&w);
	jw_kv_str(&w, "reportingComponent", COMPONENT);
	jw_kv_str(&w, "reportingInstance", ent->app->holder);
	jw_end(&w);
	jw_finish(&w);
}

void events_tell(struct ent *ent, enum decide_reason reason, const char *msg)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *path = NULL;
	int64_t now = clock_now_ms();
	struct kube_request req;

	if (!ent->pod || (ent->told_ms[reason] && now - ent->told_ms[reason] < EVERY_MS))
		return;
	ent->told_ms[reason] = now;
	if (reason == DECIDE_ALLOCATED)
		log_debug("pod", "pod", ent->key, "reason", decide_reason_name(reason), "message",
			  msg);
	else
		log_info("pod", "pod", ent->key, "reason", decide_reason_name(reason), "message",
			 msg);
	write_event(&body, ent, reason, msg);
	path = kube_path("v1", ent->pod->meta.ns, "events", NULL, NULL);
	req = kube_request_create(path, sb_get(&body), now + TIMEOUT_MS);
	kube_submit(ent->app->client, &req, done, NULL);
}
