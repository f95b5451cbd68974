/* SPDX-License-Identifier: Apache-2.0 */
#include "node/install/voice.h"

#include <string.h>

#include "api/doctor.h"
#include "api/node.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jscan.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"

#define COMPONENT  "tandem-node"
#define TIMEOUT_MS 20000
#define AGAIN_MS   5000
#define END_MS     3000
/* The same is not said again within that time. */
#define QUIET_MS (10 * 60 * 1000)
/* Of what was said or is still to be said, the latest. */
#define EVENTS_MAX 32
/* kubectl describe finds the Events of a Node, which is in no namespace, here. */
#define EVENTS_NS "default"

struct saying {
	struct voice *voice;
	enum voice_tone tone;
	char *reason, *message, *name;
	int64_t said_ms, wall_s;
	int64_t send_ms; /* when to send it (again); 0 = it is sent, or on its way */
	struct kube_call *call;
};

struct voice {
	struct kube_client *client;
	const char *node, *taint;
	struct saying *sayings[EVENTS_MAX];
	size_t n_sayings;
	uint64_t seq;
	char *wanted, *sent, *reported; /* texts of the annotation */
	char *provider;
	struct kube_call *call; /* a patch of the Node */
	int64_t patch_ms;       /* when to write it (again); 0 = no need, or it is on its way */
	bool refused;           /* and said so */
	bool ready, taint_gone;
	char *taints,
		*version; /* of the Node as it was last seen: the JSON of its taints without ours */
};

static void saying_free(struct saying *s)
{
	kube_cancel(s->call);
	free(s->reason);
	free(s->message);
	free(s->name);
	free(s);
}

struct voice *voice_new(struct kube_client *client, const char *node, const char *taint)
{
	struct voice *v = xcalloc(1, sizeof(*v));

	v->client = client;
	v->node = node;
	v->taint = taint;
	v->taint_gone = !taint;
	return v;
}

void voice_free(struct voice *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n_sayings; i++)
		saying_free(v->sayings[i]);
	kube_cancel(v->call);
	free(v->wanted);
	free(v->sent);
	free(v->reported);
	free(v->provider);
	free(v->taints);
	free(v->version);
	free(v);
}

const char *voice_provider(const struct voice *v)
{
	return v->provider;
}

/* ------------------------------------------------------------------------------- Events */

static void write_event(const struct saying *s, const char *node, struct sb *out)
{
	char when[CLOCK_RFC3339_LEN];
	struct jw w = jw_init(out);

	clock_rfc3339(s->wall_s, when);
	jw_obj(&w);
	jw_kv_str(&w, "apiVersion", "v1");
	jw_kv_str(&w, "kind", "Event");
	jw_kv_obj(&w, "metadata");
	jw_kv_str(&w, "name", s->name);
	jw_kv_str(&w, "namespace", EVENTS_NS);
	jw_end(&w);
	jw_kv_obj(&w, "involvedObject");
	jw_kv_str(&w, "apiVersion", "v1");
	jw_kv_str(&w, "kind", "Node");
	jw_kv_str(&w, "name", node);
	/* As the kubelet has it, and as kubectl describe looks for it. */
	jw_kv_str(&w, "uid", node);
	jw_end(&w);
	jw_kv_str(&w, "type", s->tone == VOICE_WARNING ? "Warning" : "Normal");
	jw_kv_str(&w, "reason", s->reason);
	jw_kv_str(&w, "message", s->message);
	jw_kv_str(&w, "firstTimestamp", when);
	jw_kv_str(&w, "lastTimestamp", when);
	jw_kv_i64(&w, "count", 1);
	jw_kv_obj(&w, "source");
	jw_kv_str(&w, "component", COMPONENT);
	jw_kv_str(&w, "host", node);
	jw_end(&w);
	jw_kv_str(&w, "reportingComponent", COMPONENT);
	jw_kv_str(&w, "reportingInstance", node);
	jw_end(&w);
	jw_finish(&w);
}

static void event_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct saying *s = ctx;

	s->call = NULL;
	/* There already: the answer to the first try was lost. */
	if (e && e->kind != ERR_CONFLICT && !kube_response_is_reason(res, "Forbidden"))
		s->send_ms = clock_now_ms() + AGAIN_MS;
	if (e)
		log_debug("event not written", "reason", s->reason, "error", e->msg);
}

static void send_event(struct voice *v, struct saying *s)
{
	AUTO(free) char *path = kube_path("v1", EVENTS_NS, "events", NULL, NULL);
	AUTO(sb_done) struct sb body = SB_INIT;
	struct kube_request req;

	write_event(s, v->node, &body);
	req = kube_request_create(path, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	req.priority = KUBE_IDLE;
	s->send_ms = 0;
	s->call = kube_submit(v->client, &req, event_done, s);
}

static bool was_said(const struct voice *v, const char *reason, const char *message)
{
	for (size_t i = 0; i < v->n_sayings; i++) {
		const struct saying *s = v->sayings[i];

		if (str_eq(s->reason, reason) && str_eq(s->message, message) &&
		    clock_now_ms() - s->said_ms < QUIET_MS)
			return true;
	}
	return false;
}

void voice_say(struct voice *v, enum voice_tone tone, const char *reason, const char *message)
{
	struct saying *s;

	if (was_said(v, reason, message))
		return;
	if (tone == VOICE_WARNING)
		log_warn(message, "reason", reason);
	else
		log_info(message, "reason", reason);
	if (v->n_sayings == EVENTS_MAX) {
		saying_free(v->sayings[0]);
		memmove(&v->sayings[0], &v->sayings[1], --v->n_sayings * sizeof(s));
	}
	s = xcalloc(1, sizeof(*s));
	s->voice = v;
	s->tone = tone;
	s->reason = xstrdup(reason);
	s->message = xstrdup(message);
	s->wall_s = clock_wall_s();
	s->said_ms = s->send_ms = clock_now_ms();
	s->name = xasprintf("%.200s.%llx%llx", v->node, (unsigned long long)clock_now_us(),
			    (unsigned long long)v->seq++);
	v->sayings[v->n_sayings++] = s;
}

/* ------------------------------------------------------------------------------- the Node */

/* The taints but ours. Whether ours is among them. */
static bool other_taints(struct jspan taints, const char *ours, struct sb *out)
{
	struct jw w = jw_init(out);
	struct jspan_iter it = jspan_begin(taints);
	struct jspan taint, key;
	bool found = false;

	jw_arr(&w);
	while (jspan_next_element(&it, &taint)) {
		if (jspan_find(taint, "key", &key) && jspan_is(key, ours))
			found = true;
		else
			jw_raw(&w, taint);
	}
	jw_end(&w);
	jw_finish(&w);
	return found;
}

static void look_at_taints(struct voice *v, struct jspan spec, struct jspan meta)
{
	AUTO(sb_done) struct sb others = SB_INIT;
	struct jspan taints = {0}, version = {0};

	free(STEAL(v->taints));
	free(STEAL(v->version));
	jspan_find(spec, "taints", &taints);
	if (!other_taints(taints, v->taint, &others)) {
		v->taint_gone = true;
		return;
	}
	v->taint_gone = false;
	if (jspan_find(meta, "resourceVersion", &version))
		v->version = jspan_decode(version);
	v->taints = sb_take(&others);
}

/* What a patch answers with is the Node as it is now: none has to be read for it. */
static void look_at_node(struct voice *v, const struct kube_response *res)
{
	struct jspan node = {res->body, res->body_len}, spec = {0}, meta = {0}, provider;
	struct err e = {0};

	if (jscan_check("node", node, JSCAN_OBJECT | JSCAN_BIG_INTS, &e) < 0) {
		log_warn("the Node cannot be read", "error", e.msg);
		return;
	}
	node = jspan_trim(node);
	jspan_find(node, "spec", &spec);
	jspan_find(node, "metadata", &meta);
	free(STEAL(v->provider));
	if (jspan_find(spec, "providerID", &provider))
		v->provider = jspan_decode(provider);
	if (v->taint)
		look_at_taints(v, spec, meta);
}

static bool is_taint_due(const struct voice *v)
{
	return v->ready && !v->taint_gone && v->taints;
}

static void node_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct voice *v = ctx;

	v->call = NULL;
	if (e) {
		if (!v->refused)
			log_warn("the Node's annotation cannot be written yet", "error", e->msg);
		v->refused = true;
		v->patch_ms = clock_now_ms() + AGAIN_MS;
		/* It has changed meanwhile: what its taints are is to be seen anew. */
		if (e->kind == ERR_CONFLICT)
			free(STEAL(v->taints));
		return;
	}
	v->refused = false;
	free(v->reported);
	v->reported = STEAL(v->sent);
	look_at_node(v, res);
	if (is_taint_due(v) || !str_eq(v->reported, v->wanted))
		v->patch_ms = clock_now_ms();
}

static void write_patch(const struct voice *v, struct sb *out)
{
	bool taint = is_taint_due(v);
	struct jw w = jw_init(out);

	jw_obj(&w);
	jw_kv_obj(&w, "metadata");
	/* The list of taints is exchanged as a whole: only on the Node that it was read of. */
	if (taint)
		jw_kv_str(&w, "resourceVersion", v->version);
	jw_kv_obj(&w, "annotations");
	jw_kv_str(&w, API_ANNOTATION_NODE, v->wanted);
	jw_end(&w);
	jw_end(&w);
	if (taint) {
		jw_kv_obj(&w, "spec");
		jw_kv_raw(&w, "taints", jspan_of(v->taints));
		jw_end(&w);
	}
	jw_end(&w);
	jw_finish(&w);
}

static void patch_node(struct voice *v)
{
	AUTO(free) char *path = kube_path("v1", NULL, "nodes", v->node, NULL);
	AUTO(sb_done) struct sb body = SB_INIT;
	struct kube_request req;

	v->patch_ms = 0;
	free(v->sent);
	v->sent = xstrdup(v->wanted);
	write_patch(v, &body);
	req = kube_request_merge_patch(path, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	v->call = kube_submit(v->client, &req, node_done, v);
}

void voice_report(struct voice *v, const char *text)
{
	if (str_eq(v->wanted, text))
		return;
	free(v->wanted);
	v->wanted = xstrdup(text);
	v->patch_ms = clock_now_ms();
}

bool voice_is_reported(const struct voice *v)
{
	return v->wanted && str_eq(v->wanted, v->reported);
}

void voice_ready(struct voice *v)
{
	if (v->ready)
		return;
	v->ready = true;
	if (v->taint && v->wanted)
		v->patch_ms = clock_now_ms();
}

int64_t voice_next_ms(const struct voice *v)
{
	int64_t next = v->call ? 0 : v->patch_ms;

	for (size_t i = 0; i < v->n_sayings; i++)
		next = clock_earlier_ms(next, v->sayings[i]->send_ms);
	return next;
}

void voice_run(struct voice *v)
{
	int64_t now = clock_now_ms();

	for (size_t i = 0; i < v->n_sayings; i++) {
		struct saying *s = v->sayings[i];

		if (s->send_ms && now >= s->send_ms)
			send_event(v, s);
	}
	if (!v->call && v->patch_ms && now >= v->patch_ms && v->wanted)
		patch_node(v);
}

void voice_end(struct voice *v)
{
	AUTO(free) char *path = kube_path("v1", NULL, "nodes", v->node, NULL);
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct kube_request req;
	struct err e = {0};

	req = kube_request_merge_patch(path,
				       "{\"metadata\":{\"annotations\":{\"" API_ANNOTATION_NODE
				       "\":null,\"" API_ANNOTATION_DOCTOR "\":null}}}",
				       clock_now_ms() + END_MS);
	if (kube_do(v->client, &req, &res, &e) < 0)
		log_warn("the Node keeps its annotation", "annotation", API_ANNOTATION_NODE,
			 "error", e.msg);
}
