#include "controller/calls.h"

#include <string.h>

#include "controller/draft.h"
#include "controller/ent.h"
#include "controller/events.h"
#include "controller/leader.h"
#include "controller/sub.h"
#include "controller/work.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"

#define TIMEOUT_MS    20000
#define LOOK_AGAIN_MS 30000

static char *collection_of(const struct ent *ent)
{
	AUTO(free) char *ns = xstrndup(ent->key, strcspn(ent->key, "/"));

	return kube_path(API_GROUP_VERSION, ns, API_PLURAL_IP, NULL, NULL);
}

static const char *name_of(const struct ent *ent)
{
	return ent->key + strcspn(ent->key, "/") + 1;
}

static char *path_of(const struct ent *ent)
{
	AUTO(free) char *collection = collection_of(ent);

	return kube_path_child(collection, name_of(ent));
}

static void submit(struct ent *ent, const struct kube_request *req, kube_done_fn *done)
{
	ent->call = kube_submit(ent->app->client, req, done, ent);
}

/* Refused or unknown: again, later and later. */
static void failed(struct ent *ent, const char *what, const struct err *e)
{
	int64_t pause = app_backoff_ms(ent->failures++);

	if (e->retry_after_ms > pause)
		pause = e->retry_after_ms;
	log_line(e->kind == ERR_CONFLICT ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
		 "record: request failed", "record", ent->key, "what", what, "error", e->msg,
		 (char *)0);
	ent_wake(ent, pause);
}

/* The record in an answer; NULL when it is none (a Status tells that a deleted object is gone). */
static struct api_ip *parse(const struct kube_response *res)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct api_ip *ip = NULL;
	struct jval root;
	struct err e = {0};

	if (kube_response_parse(res, &doc, &e) < 0)
		return NULL;
	root = jdoc_root(doc);
	return api_ip_decode(&root, &ip, &e) == 0 ? ip : NULL;
}

/* ------------------------------------------------------------------------------- read */

static void gone(struct ent *ent)
{
	const struct api_ip *rec = ent_record(ent);

	if (rec)
		work_released(ent, rec);
	else if (ent->lost && ent->releasing)
		work_released(ent, ent->lost);
}

static void reread_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct ent *ent = ctx;
	struct api_ip *ip = e ? NULL : parse(res);

	ent->call = NULL;
	ent_mark(ent);
	leader_doubt(ent->app);
	if (ip) {
		ent->failures = 0;
		ent_set_own(ent, ip);
	} else if (e && e->kind == ERR_NOT_FOUND) {
		/* Ended by us after all; or by others, then the watch will tell what has been lost. */
		if (ent->releasing)
			gone(ent);
		else
			ent_wake(ent, app_backoff_ms(ent->failures++));
	} else {
		failed(ent, "read", e ? e : &(struct err){.msg = "unreadable answer"});
	}
}

/* After a 409 or an unknown outcome: decide anew on what stands there now, and in the Lease. */
static void reread(struct ent *ent)
{
	AUTO(free) char *path = path_of(ent);
	struct kube_request req = kube_request_get(path, NULL, clock_now_ms() + TIMEOUT_MS);

	submit(ent, &req, reread_done);
}

static bool must_read(const struct kube_response *res, const struct err *e)
{
	return e->kind == ERR_CONFLICT || res->unknown;
}

/* ------------------------------------------------------------------------------- create */

static void create_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct ent *ent = ctx;
	struct api_ip *ip = e ? NULL : parse(res);

	ent->call = NULL;
	ent_mark(ent);
	if (ip) {
		ent->failures = 0;
		free(ent->made_version);
		ent->made_version = xstrdup(ip->meta.resource_version);
		ent_set_own(ent, ip);
		return;
	}
	if (!e || must_read(res, e)) {
		reread(ent);
		return;
	}
	if (e->kind == ERR_API && e->num == 422)
		events_tell(ent, DECIDE_API, e->msg);
	failed(ent, "create", e);
}

void calls_create(struct ent *ent, const char *subnet, const struct api_network *net)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *collection = collection_of(ent);
	struct kube_request req;

	draft_new(&body, ent->pod, subnet, net);
	req = kube_request_create(collection, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	submit(ent, &req, create_done);
}

/* ------------------------------------------------------------------------------- patches */

static void send_patch(struct ent *ent, const struct sb *body, kube_done_fn *done)
{
	AUTO(free) char *path = path_of(ent);
	struct kube_request req =
		kube_request_merge_patch(path, sb_get(body), clock_now_ms() + TIMEOUT_MS);

	/* Who has been given an address, or gives one back, goes before who is only to be recorded. */
	req.priority = KUBE_URGENT;
	submit(ent, &req, done);
}

static void patch_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct ent *ent = ctx;
	struct api_ip *ip = e ? NULL : parse(res);

	ent->call = NULL;
	ent_mark(ent);
	if (ip) {
		ent->failures = 0;
		ent_set_own(ent, ip);
		return;
	}
	if (!e || must_read(res, e) || e->kind == ERR_NOT_FOUND)
		reread(ent);
	else
		failed(ent, "patch", e);
}

/* It stands there as we have made it: nobody has added a thing that a whole new text would take away. */
static bool as_made(const struct ent *ent, const struct api_ip *rec)
{
	return ent->pod && str_eq(ent->pod->meta.uid, rec->pod_id) &&
	       str_eq(ent->made_version, rec->meta.resource_version);
}

void calls_address(struct ent *ent, const struct api_network *net)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *path = path_of(ent);
	const struct api_ip *rec = ent_record(ent);
	struct draft_address a = {
		.cidr = {ent->addr, ent->prefix},
		.cidr6 = {ent->addr6, ent->prefix6},
		.mac = &ent->mac,
		.network = net,
		.probe = ent->probe,
	};
	struct kube_request req;

	if (!as_made(ent, rec)) {
		draft_patch(&body, rec, &a);
		send_patch(ent, &body, patch_done);
		return;
	}
	draft_whole(&body, rec, ent->pod, &a);
	req = kube_request_replace(path, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	req.priority = KUBE_URGENT;
	submit(ent, &req, patch_done);
}

void calls_restore(struct ent *ent)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	const struct api_ip *good = ent->good;
	struct jw w = jw_init(&body);
	char text[MAC_ADDR_LEN];

	draft_begin(&w, ent_record(ent));
	jw_end(&w);
	jw_kv_obj(&w, "spec");
	jw_kv_str(&w, "subnet", good->subnet);
	jw_kv_str(&w, "podId", *good->pod_id ? good->pod_id : NULL);
	jw_kv_str(&w, "node", *good->node ? good->node : NULL);
	draft_cidr(&w, "cidr", &good->cidr);
	draft_cidr(&w, "cidr6", &good->cidr6);
	jw_kv_str(&w, "mac", mac_format(&good->mac, text));
	api_network_write(&w, &good->network, true);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	send_patch(ent, &body, patch_done);
}

/* ------------------------------------------------------------------------------- kept records */

/* What the former pod's node has said is not of the next one's card. */
static bool clear_status(struct ent *ent, const struct api_ip *rec)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *path = path_of(ent);
	AUTO(free) char *status = kube_path_child(path, "status");
	struct kube_request req;
	struct jw w = jw_init(&body);

	if (rec->phase == API_IP_PHASE_NONE && !*rec->message)
		return false;
	draft_begin(&w, rec);
	jw_end(&w);
	jw_kv_obj(&w, "status");
	jw_kv_str(&w, "phase", NULL);
	jw_kv_str(&w, "message", NULL);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	req = kube_request_merge_patch(status, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	submit(ent, &req, patch_done);
	return true;
}

/* Its pod and node, in labels and spec; the watch may show it before the answer comes. */
static void rename_pod(struct ent *ent, const struct api_ip *to)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct jw w = jw_init(&body);
	char label[64];

	draft_begin(&w, ent_record(ent));
	jw_kv_obj(&w, "labels");
	jw_kv_str(&w, API_LABEL_NODE, *to->node ? api_label_value(to->node, label) : NULL);
	jw_end(&w);
	jw_kv_obj(&w, "annotations");
	jw_kv_str(&w, API_ANNOTATION_UNWITNESSED, NULL);
	jw_end(&w);
	jw_end(&w);
	jw_kv_obj(&w, "spec");
	jw_kv_str(&w, "podId", *to->pod_id ? to->pod_id : NULL);
	jw_kv_str(&w, "node", *to->node ? to->node : NULL);
	draft_cidr(&w, "cidr", &to->cidr);
	draft_cidr(&w, "cidr6", &to->cidr6);
	api_network_write(&w, &to->network, true);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	api_ip_free(ent->expect);
	ent->expect = ent_spec_copy(to);
	send_patch(ent, &body, patch_done);
}

static void set_pod(struct api_ip *ip, const char *uid, const char *node)
{
	free(ip->pod_id);
	free(ip->node);
	ip->pod_id = xstrdup(uid);
	ip->node = xstrdup(node);
}

void calls_missing(struct ent *ent)
{
	const struct api_ip *rec = ent_record(ent);
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *path = path_of(ent);
	AUTO(free) char *status = kube_path_child(path, "status");
	struct kube_request req;
	struct jw w = jw_init(&body);

	draft_begin(&w, rec);
	jw_end(&w);
	jw_kv_obj(&w, "status");
	jw_kv_str(&w, "phase", "Missing");
	jw_kv_str(&w, "message", "the pod has an IP, and its node reports no card");
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	req = kube_request_merge_patch(status, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	submit(ent, &req, patch_done);
}

void calls_vacate(struct ent *ent)
{
	const struct api_ip *rec = ent_record(ent);
	AUTO(api_ip_free) struct api_ip *to = NULL;

	if (clear_status(ent, rec))
		return;
	to = ent_spec_copy(rec);
	set_pod(to, "", "");
	rename_pod(ent, to);
}

void calls_bind(struct ent *ent, const struct api_subnet *subnet)
{
	const struct api_ip *rec = ent_record(ent);
	AUTO(api_ip_free) struct api_ip *to = NULL;

	if (clear_status(ent, rec))
		return;
	to = ent_spec_copy(rec);
	set_pod(to, ent->pod->meta.uid, ent->pod->node);
	to->cidr.prefix = subnet->v.cidr.prefix;
	if (ip_is_set(&to->cidr6.addr))
		to->cidr6.prefix = subnet->v6.cidr.prefix;
	api_network_done(&to->network);
	api_network_copy(&subnet->network, &to->network);
	/* Nobody saw the former card go: this one has to ask the LAN. */
	if (rec->unwitnessed && !api_ip_card_is_down(rec))
		to->network.conflict_detection = API_SWITCH_ON;
	rename_pod(ent, to);
}

void calls_suspect(struct ent *ent)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	char now[CLOCK_RFC3339_LEN];
	struct jw w = jw_init(&body);

	draft_begin(&w, ent_record(ent));
	jw_kv_obj(&w, "annotations");
	jw_kv_str(&w, API_ANNOTATION_UNWITNESSED, clock_rfc3339(app_now_s(ent->app), now));
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	send_patch(ent, &body, patch_done);
}

/* ------------------------------------------------------------------------------- end */

static void delete_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct ent *ent = ctx;
	struct api_ip *ip = e ? NULL : parse(res);

	ent->call = NULL;
	ent_mark(ent);
	if (ip && ip->meta.n_finalizers) {
		ent->failures = 0;
		ent_set_own(ent, ip);
		return;
	}
	api_ip_free(ip);
	if (!e || e->kind == ERR_NOT_FOUND) {
		/* Had no finalizer: it is gone with this. */
		reread(ent);
		return;
	}
	if (must_read(res, e))
		reread(ent);
	else
		failed(ent, "delete", e);
}

/* The finalizer keeps it. */
static void delete_record(struct ent *ent, const struct api_ip *rec)
{
	AUTO(free) char *path = path_of(ent);
	AUTO(free)
	char *options = api_meta_delete_options(rec->meta.uid, rec->meta.resource_version);
	struct kube_request req = kube_request_delete(path, options, clock_now_ms() + TIMEOUT_MS);

	submit(ent, &req, delete_done);
}

static void finalizer_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct ent *ent = ctx;
	struct api_ip *ip = e ? NULL : parse(res);

	ent->call = NULL;
	ent_mark(ent);
	if (ip && ip->meta.n_finalizers) {
		/* Others' finalizers keep it; it goes when they are done. */
		ent->failures = 0;
		ent_set_own(ent, ip);
		return;
	}
	if (ip || (e && e->kind == ERR_NOT_FOUND)) {
		api_ip_free(ip);
		ent->failures = 0;
		gone(ent);
		return;
	}
	if (!e || must_read(res, e))
		reread(ent);
	else
		failed(ent, "finalizer", e);
}

static void take_finalizer(struct ent *ent, const struct api_ip *rec)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct jw w = jw_init(&body);

	draft_begin(&w, rec);
	jw_kv_arr(&w, "finalizers");
	for (size_t i = 0; i < rec->meta.n_finalizers; i++) {
		if (!str_eq(rec->meta.finalizers[i], API_FINALIZER_ADDRESS))
			jw_str(&w, rec->meta.finalizers[i]);
	}
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	send_patch(ent, &body, finalizer_done);
}

void calls_ask(struct ent *ent)
{
	delete_record(ent, ent_record(ent));
}

void calls_end(struct ent *ent)
{
	const struct api_ip *rec = ent_record(ent);

	ent->releasing = true;
	if (!rec->meta.deletion)
		delete_record(ent, rec);
	else if (api_meta_has_finalizer(&rec->meta, API_FINALIZER_ADDRESS))
		take_finalizer(ent, rec);
}

/* ------------------------------------------------------------------------------- look */

static bool is_same_pod(const struct kube_response *res, const char *uid)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	AUTO(api_meta_done) struct api_meta meta = {0};
	struct jval root;
	struct err e = {0};

	if (kube_response_parse(res, &doc, &e) < 0)
		return true;
	root = jdoc_root(doc);
	/* What cannot be read is taken for alive: nothing is freed on its account. */
	return api_meta_decode(&root, &meta, &e) < 0 || str_eq(meta.uid, uid);
}

static void look_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct ent *ent = ctx;

	ent->call = NULL;
	ent_mark(ent);
	if (e && e->kind != ERR_NOT_FOUND) {
		failed(ent, "look at the pod", e);
		return;
	}
	ent->failures = 0;
	if (!e && is_same_pod(res, ent->look_uid)) {
		ent->look_ms = clock_now_ms() + LOOK_AGAIN_MS;
		return;
	}
	ent->end_sure = true;
	/* Its end was seen while another led: now it is sure, and how it ended is known. */
	if (str_eq(ent->end_uid, ent->look_uid) && ent->end != DECIDE_END_UNKNOWN)
		return;
	free(ent->end_uid);
	ent->end_uid = xstrdup(ent->look_uid);
	ent->end = DECIDE_END_LOST;
	ent->end_ms = clock_now_ms();
	log_info("pod is gone, and its end was not seen", "pod", ent->key, "uid", ent->look_uid);
}

void calls_look(struct ent *ent, const char *pod_uid)
{
	AUTO(free) char *ns = xstrndup(ent->key, strcspn(ent->key, "/"));
	AUTO(free) char *path = kube_path("v1", ns, "pods", name_of(ent), NULL);
	struct kube_request req = kube_request_get(path, NULL, clock_now_ms() + TIMEOUT_MS);

	free(ent->look_uid);
	ent->look_uid = xstrdup(pod_uid);
	submit(ent, &req, look_done);
}
