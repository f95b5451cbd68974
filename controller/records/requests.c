/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/records/requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/process/leader.h"
#include "controller/records/internal.h"
#include "controller/rules/draft.h"
#include "controller/rules/spec.h"
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

typedef void answer_fn(struct entry *entry, struct kube_response *res, const struct err *e);

static char *collection_of(const struct entry *entry)
{
	AUTO(free) char *ns = xstrndup(entry->key, strcspn(entry->key, "/"));

	return kube_path(API_GROUP_VERSION, ns, API_PLURAL_IP, NULL, NULL);
}

static const char *name_of(const struct entry *entry)
{
	return entry->key + strcspn(entry->key, "/") + 1;
}

static char *path_of(const struct entry *entry)
{
	AUTO(free) char *collection = collection_of(entry);

	return kube_path_child(collection, name_of(entry));
}

/* An answer has been taken in: look again at once, unless another request is under way or it has to pause. */
static void done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct entry *entry = ctx;

	entry->call = NULL;
	entry->answer(entry, res, e);
	if (!entry->call && entry->item.state == KUBE_QUEUE_IN_FLIGHT)
		kube_queue_later(&entry->all->queue, &entry->item, clock_now_ms());
}

static void submit(struct entry *entry, const struct kube_request *req, answer_fn *answer)
{
	entry->answer = answer;
	entry->call = kube_submit(entry->all->in.process->client, req, done, entry);
}

static void succeeded(struct entry *entry)
{
	kube_queue_forget(&entry->all->queue, &entry->item);
}

/* Refused, or outcome unknown: retry with backoff. */
static void failed(struct entry *entry, const char *what, const struct err *e)
{
	log_line(e->kind == ERR_CONFLICT ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
		 "record: request failed", "record", entry->key, "what", what, "error", e->msg,
		 (char *)0);
	kube_queue_failed(&entry->all->queue, &entry->item, clock_now_ms(), e->retry_after_ms);
}

/* The server's own words: whoever keeps the quota, the policy or the webhook reads which one it was. */
static void tell_refused(struct entry *entry, const char *what, const struct err *e)
{
	char msg[sizeof(e->msg) + 200];

	if (!kube_is_refusal(e))
		return;
	snprintf(msg, sizeof(msg),
		 "the API server refuses %s, so the pod waits; it is tried again: %s", what,
		 e->msg);
	entry_tell(entry, DECIDE_FORBIDDEN, msg);
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

static void gone(struct entry *entry)
{
	const struct api_ip *rec = entry_record(entry);

	if (rec)
		entry_released(entry, rec);
	else if (entry->lost && entry->releasing)
		entry_released(entry, entry->lost);
}

static void answer_reread(struct entry *entry, struct kube_response *res, const struct err *e)
{
	struct api_ip *ip = e ? NULL : parse(res);

	leader_doubt(entry->all->in.process->leader);
	if (ip) {
		succeeded(entry);
		entry_set_own(entry, ip);
	} else if (e && e->kind == ERR_NOT_FOUND) {
		/* Ended by us after all; or by others, then the watch will tell what has been lost. */
		if (entry->releasing)
			gone(entry);
		else
			kube_queue_failed(&entry->all->queue, &entry->item, clock_now_ms(), 0);
	} else {
		failed(entry, "read", e ? e : &(struct err){.msg = "unreadable answer"});
	}
}

/* After a 409 or an unknown outcome: decide again on what stands there now, and in the Lease. */
static void reread(struct entry *entry)
{
	AUTO(free) char *path = path_of(entry);
	struct kube_request req = kube_request_get(path, NULL, clock_now_ms() + TIMEOUT_MS);

	submit(entry, &req, answer_reread);
}

static bool must_read(const struct kube_response *res, const struct err *e)
{
	return e->kind == ERR_CONFLICT || res->unknown;
}

/* ------------------------------------------------------------------------------- create */

static void answer_create(struct entry *entry, struct kube_response *res, const struct err *e)
{
	struct api_ip *ip = e ? NULL : parse(res);

	if (ip) {
		succeeded(entry);
		free(entry->made_version);
		entry->made_version = xstrdup(ip->meta.resource_version);
		entry_set_own(entry, ip);
		return;
	}
	if (!e || must_read(res, e)) {
		reread(entry);
		return;
	}
	tell_refused(entry, "the pod's MacvlanIP", e);
	failed(entry, "create", e);
}

static void create(struct entry *entry, const char *subnet, const struct api_network *net, bool ask)
{
	const struct draft_record r = {subnet, net, ask ? NULL : entry->choice, ask};
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *collection = collection_of(entry);
	struct kube_request req;

	draft_new(&body, entry->pod, &r);
	req = kube_request_create(collection, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	submit(entry, &req, answer_create);
}

void requests_create(struct entry *entry, const char *subnet, const struct api_network *net)
{
	create(entry, subnet, net, false);
}

void requests_create_asking(struct entry *entry, const char *subnet, const struct api_network *net)
{
	create(entry, subnet, net, true);
}

/* ------------------------------------------------------------------------------- patches */

static void send_patch(struct entry *entry, const struct sb *body, answer_fn *answer)
{
	AUTO(free) char *path = path_of(entry);
	struct kube_request req =
		kube_request_merge_patch(path, sb_get(body), clock_now_ms() + TIMEOUT_MS);

	/* Who has been given an address, or gives one back, goes before who is only to be recorded. */
	req.priority = KUBE_URGENT;
	submit(entry, &req, answer);
}

static void answer_patch(struct entry *entry, struct kube_response *res, const struct err *e)
{
	struct api_ip *ip = e ? NULL : parse(res);

	if (ip) {
		succeeded(entry);
		entry_set_own(entry, ip);
		return;
	}
	if (!e || must_read(res, e) || e->kind == ERR_NOT_FOUND)
		reread(entry);
	else {
		tell_refused(entry, "a change of the pod's MacvlanIP", e);
		failed(entry, "patch", e);
	}
}

/* It stands there as we have made it: nobody has added a thing that a whole new text would take away. */
static bool as_made(const struct entry *entry, const struct api_ip *rec)
{
	return entry->pod && str_eq(entry->pod->meta.uid, rec->pod_id) &&
	       str_eq(entry->made_version, rec->meta.resource_version);
}

void requests_address(struct entry *entry, const struct api_network *net)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *path = path_of(entry);
	const struct api_ip *rec = entry_record(entry);
	struct draft_address a = {
		.cidr = {entry->waiter.addr, entry->prefix},
		.cidr6 = {entry->waiter.addr6, entry->prefix6},
		.mac = &entry->waiter.mac,
		.network = net,
		.probe = entry->probe,
		.choice = entry->choice,
	};
	struct kube_request req;

	if (!as_made(entry, rec)) {
		draft_patch(&body, rec, &a);
		send_patch(entry, &body, answer_patch);
		return;
	}
	draft_whole(&body, rec, entry->pod, &a);
	req = kube_request_replace(path, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	req.priority = KUBE_URGENT;
	submit(entry, &req, answer_patch);
}

void requests_restore(struct entry *entry)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	const struct api_ip *good = entry->good;
	struct jw w = jw_init(&body);
	char text[MAC_ADDR_LEN];

	draft_begin(&w, entry_record(entry));
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
	send_patch(entry, &body, answer_patch);
}

/* ------------------------------------------------------------------------------- kept records */

/* What the former pod's node has said is not of the next one's card. */
static bool clear_status(struct entry *entry, const struct api_ip *rec)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *path = path_of(entry);
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
	submit(entry, &req, answer_patch);
	return true;
}

/* Its pod and node, in labels and spec; the watch may show it before the answer comes. */
static void rename_pod(struct entry *entry, const struct api_ip *to)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct jw w = jw_init(&body);
	char label[64];

	draft_begin(&w, entry_record(entry));
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
	api_ip_free(entry->expect);
	entry->expect = spec_copy(to);
	send_patch(entry, &body, answer_patch);
}

static void set_pod(struct api_ip *ip, const char *uid, const char *node)
{
	free(ip->pod_id);
	free(ip->node);
	ip->pod_id = xstrdup(uid);
	ip->node = xstrdup(node);
}

void requests_missing(struct entry *entry)
{
	const struct api_ip *rec = entry_record(entry);
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *path = path_of(entry);
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
	submit(entry, &req, answer_patch);
}

void requests_vacate(struct entry *entry)
{
	const struct api_ip *rec = entry_record(entry);
	AUTO(api_ip_free) struct api_ip *to = NULL;

	if (clear_status(entry, rec))
		return;
	to = spec_copy(rec);
	set_pod(to, "", "");
	rename_pod(entry, to);
}

void requests_bind(struct entry *entry, const struct api_subnet *subnet,
		   const struct api_network *net)
{
	const struct api_ip *rec = entry_record(entry);
	AUTO(api_ip_free) struct api_ip *to = NULL;

	if (clear_status(entry, rec))
		return;
	to = spec_copy(rec);
	set_pod(to, entry->pod->meta.uid, entry->pod->node);
	to->cidr.prefix = subnet->v.cidr.prefix;
	if (ip_is_set(&to->cidr6.addr))
		to->cidr6.prefix = subnet->v6.cidr.prefix;
	api_network_done(&to->network);
	api_network_copy(net, &to->network);
	/* Nobody saw the former card go: this one has to ask the LAN. */
	if (rec->unwitnessed && !api_ip_card_is_down(rec))
		to->network.conflict_detection = API_SWITCH_ON;
	rename_pod(entry, to);
}

void requests_suspect(struct entry *entry)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	char now[CLOCK_RFC3339_LEN];
	struct jw w = jw_init(&body);

	draft_begin(&w, entry_record(entry));
	jw_kv_obj(&w, "annotations");
	jw_kv_str(&w, API_ANNOTATION_UNWITNESSED,
		  clock_rfc3339(process_now_s(entry->all->in.process), now));
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	send_patch(entry, &body, answer_patch);
}

/* ------------------------------------------------------------------------------- end */

static void answer_delete(struct entry *entry, struct kube_response *res, const struct err *e)
{
	struct api_ip *ip = e ? NULL : parse(res);

	if (ip && ip->meta.n_finalizers) {
		succeeded(entry);
		entry_set_own(entry, ip);
		return;
	}
	api_ip_free(ip);
	if (!e || e->kind == ERR_NOT_FOUND) {
		/* Had no finalizer: it is gone with this. */
		reread(entry);
		return;
	}
	if (must_read(res, e))
		reread(entry);
	else
		failed(entry, "delete", e);
}

/* The finalizer keeps it. */
static void delete_record(struct entry *entry, const struct api_ip *rec)
{
	AUTO(free) char *path = path_of(entry);
	AUTO(free)
	char *options = api_meta_delete_options(rec->meta.uid, rec->meta.resource_version);
	struct kube_request req = kube_request_delete(path, options, clock_now_ms() + TIMEOUT_MS);

	submit(entry, &req, answer_delete);
}

static void answer_finalizer(struct entry *entry, struct kube_response *res, const struct err *e)
{
	struct api_ip *ip = e ? NULL : parse(res);

	if (ip && ip->meta.n_finalizers) {
		/* Others' finalizers keep it; it goes when they are done. */
		succeeded(entry);
		entry_set_own(entry, ip);
		return;
	}
	if (ip || (e && e->kind == ERR_NOT_FOUND)) {
		api_ip_free(ip);
		succeeded(entry);
		gone(entry);
		return;
	}
	if (!e || must_read(res, e))
		reread(entry);
	else
		failed(entry, "finalizer", e);
}

static void take_finalizer(struct entry *entry, const struct api_ip *rec)
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
	send_patch(entry, &body, answer_finalizer);
}

void requests_begin_end(struct entry *entry)
{
	delete_record(entry, entry_record(entry));
}

void requests_end(struct entry *entry)
{
	const struct api_ip *rec = entry_record(entry);

	entry->releasing = true;
	if (!rec->meta.deletion)
		delete_record(entry, rec);
	else if (api_meta_has_finalizer(&rec->meta, API_FINALIZER_ADDRESS))
		take_finalizer(entry, rec);
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

static void answer_look(struct entry *entry, struct kube_response *res, const struct err *e)
{
	if (e && e->kind != ERR_NOT_FOUND) {
		failed(entry, "look at the pod", e);
		return;
	}
	succeeded(entry);
	if (!e && is_same_pod(res, entry->look_uid)) {
		entry->look_ms = clock_now_ms() + LOOK_AGAIN_MS;
		return;
	}
	entry->end_sure = true;
	/* Its end was seen while another led: now it is sure, and how it ended is known. */
	if (str_eq(entry->end_uid, entry->look_uid) && entry->end != DECIDE_END_UNKNOWN)
		return;
	free(entry->end_uid);
	entry->end_uid = xstrdup(entry->look_uid);
	entry->end = DECIDE_END_LOST;
	entry->end_ms = clock_now_ms();
	log_info("pod is gone, and its end was not seen", "pod", entry->key, "uid",
		 entry->look_uid);
}

void requests_look(struct entry *entry, const char *pod_uid)
{
	AUTO(free) char *ns = xstrndup(entry->key, strcspn(entry->key, "/"));
	AUTO(free) char *path = kube_path("v1", ns, "pods", name_of(entry), NULL);
	struct kube_request req = kube_request_get(path, NULL, clock_now_ms() + TIMEOUT_MS);

	free(entry->look_uid);
	entry->look_uid = xstrdup(pod_uid);
	submit(entry, &req, answer_look);
}
