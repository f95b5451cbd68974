#include "controller/events.h"

#include "controller/status.h"
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

struct event {
	const char *api_version;
	const char *kind;
	const struct api_meta *about;
	bool warning;
	const char *reason;
	const char *message;
	const char *instance; /* which process reports it */
};

static void write_event(struct sb *sb, const struct event *v)
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
	jw_kv_str(&w, "reportingInstance", v->instance);
	jw_end(&w);
	jw_finish(&w);
}

static void send_event(struct app *app, struct event *v)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *path = kube_path("v1", v->about->ns, "events", NULL, NULL);
	struct kube_request req;

	v->instance = app->holder;
	write_event(&body, v);
	req = kube_request_create(path, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	req.priority = KUBE_IDLE;
	kube_submit(app->client, &req, done, NULL);
}

/* True when it was told within the last five minutes; otherwise it is from now on. */
static bool told(int64_t *told_ms)
{
	int64_t now = clock_now_ms();

	if (*told_ms && now - *told_ms < EVERY_MS)
		return true;
	*told_ms = now;
	return false;
}

void events_tell(struct ent *ent, enum decide_reason reason, const char *msg)
{
	struct event v = {
		.api_version = "v1",
		.kind = "Pod",
		.warning = reason != DECIDE_ALLOCATED,
		.reason = decide_reason_name(reason),
		.message = msg,
	};

	if (!ent->pod || told(&ent->told_ms[reason]))
		return;
	log_line(v.warning ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "pod", "pod", ent->key, "reason",
		 v.reason, "message", msg, (char *)0);
	v.about = &ent->pod->meta;
	ent->app->n_told[reason]++;
	send_event(ent->app, &v);
}

static void tell_condition(struct sub *sub, enum condition_kind kind, const struct condition *c)
{
	bool ready = kind == CONDITION_READY;
	struct event v = {
		.api_version = API_GROUP_VERSION,
		.kind = API_KIND_SUBNET,
		.warning = ready != c->holds,
		.reason = ready && !c->holds ? c->reason : c->type,
		.message = c->message,
	};

	/* Of the others only the bad news. */
	if ((!ready && !c->holds) || told(&sub->told_ms[kind]))
		return;
	log_line(v.warning ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "subnet", "subnet", sub->name,
		 "reason", v.reason, "message", v.message, (char *)0);
	v.about = &sub->obj->meta;
	send_event(sub->app, &v);
}

void events_tell_conditions(struct sub *sub, const char *before)
{
	struct status_in in = status_of(sub, &sub->record);
	struct condition c[CONDITIONS];
	int n = conditions_make(&in, c);

	for (int i = 0; i < n; i++) {
		const char *type = c[i].type;

		if (conditions_was(sub->conditions, type, NULL) == c[i].holds &&
		    conditions_was(before, type, NULL) != c[i].holds)
			tell_condition(sub, (enum condition_kind)i, &c[i]);
	}
}

void events_service(struct app *app, const struct api_meta *svc, const char *reason,
		    const char *msg)
{
	struct event v = {
		.api_version = "v1",
		.kind = "Service",
		.about = svc,
		.warning = true,
		.reason = reason,
		.message = msg,
	};

	log_info("service", "namespace", svc->ns, "service", svc->name, "reason", reason, "message",
		 msg);
	send_event(app, &v);
}
