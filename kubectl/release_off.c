/* SPDX-License-Identifier: Apache-2.0 */
/* An address whose machine is off: what Kubernetes and the controller have to be told, in the right order. */
#include <string.h>

#include "api/ip.h"
#include "kubectl/cli.h"
#include "kubectl/release.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/kube/wait.h"

#define TAINT "node.kubernetes.io/out-of-service"

/* The taints of a Node as they are, but for ours: with it, or without it. */
static char *taints_patch(const char *node, bool with)
{
	static const char *const version_path[] = {"metadata", "resourceVersion"};
	struct jspan root = jspan_of(node), spec = {0}, taints = {0}, meta = {0}, version = {0},
		     item;
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct jspan_iter it;

	jspan_find(root, version_path[0], &meta);
	jspan_find(meta, version_path[1], &version);
	jspan_find(root, "spec", &spec);
	jspan_find(spec, "taints", &taints);
	jw_obj(&w);
	jw_kv_obj(&w, "metadata");
	jw_kv_raw(&w, "resourceVersion", version);
	jw_end(&w);
	jw_kv_obj(&w, "spec");
	jw_kv_arr(&w, "taints");
	it = jspan_begin(taints);
	while (jspan_next_element(&it, &item)) {
		struct jspan key = {0};

		if (!jspan_find(item, "key", &key) || !jspan_is(key, TAINT))
			jw_raw(&w, item);
	}
	if (with) {
		jw_obj(&w);
		jw_kv_str(&w, "key", TAINT);
		jw_kv_str(&w, "value", "nodeshutdown");
		jw_kv_str(&w, "effect", "NoExecute");
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	return sb_take(&sb);
}

static int taint(struct cli *cli, const char *node, bool with, struct err *e)
{
	AUTO(free) char *path = kube_path("v1", NULL, "nodes", node, NULL), *patch = NULL;
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	AUTO(kube_response_done) struct kube_response done = KUBE_RESPONSE_INIT;
	struct kube_request get = kube_request_get(path, NULL, cli_deadline(cli));
	struct kube_request req;

	if (kube_do(cli->client, &get, &res, e))
		return -1;
	if (jscan_check("Node", jspan_of(res.body), JSCAN_OBJECT | JSCAN_BIG_INTS, e) < 0)
		return -1;
	patch = taints_patch(res.body, with);
	req = kube_request_merge_patch(path, patch, cli_deadline(cli));
	return kube_do(cli->client, &req, &done, e);
}

/* The kubelet that would end it is off. One that is gone already is fine. */
static int remove_pod(struct cli *cli, const struct api_ip *r, struct err *e)
{
	AUTO(free) char *path = kube_path("v1", r->meta.ns, "pods", r->meta.name, NULL);
	AUTO(sb_done) struct sb options = SB_INIT;
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct jw w = jw_init(&options);
	struct kube_request req;

	jw_obj(&w);
	jw_kv_i64(&w, "gracePeriodSeconds", 0);
	jw_kv_obj(&w, "preconditions");
	jw_kv_str(&w, "uid", r->pod_id);
	jw_end(&w);
	jw_end(&w);
	req = kube_request_delete(path, sb_get(&options), cli_deadline(cli));
	if (!kube_do(cli->client, &req, &res, e))
		return 0;
	/* 409: the name is another pod's by now. */
	if (e->kind != ERR_NOT_FOUND && e->kind != ERR_CONFLICT)
		return -1;
	err_clear(e);
	return 0;
}

/* 1 = the record is gone, or another pod's. */
static int is_freed(void *ctx, const struct jval *obj, struct err *e)
{
	const struct api_ip *r = ctx;
	AUTO(api_ip_free) struct api_ip *now = NULL;
	struct err ignored = {0};

	if (!obj || api_ip_decode(obj, &now, &ignored) < 0 || !str_eq(now->meta.uid, r->meta.uid) ||
	    !str_eq(now->pod_id, r->pod_id))
		return 1;
	err_set(e, ERR_AGAIN, 0, "the controller has not freed it; see kubectl macvlan status");
	return 0;
}

static int wait_freed(struct cli *cli, const struct api_ip *r, struct err *e)
{
	AUTO(free) char *path = kube_path(API_GROUP_VERSION, r->meta.ns, API_PLURAL_IP, NULL, NULL);
	const struct kube_wait wait = {.collection = path,
				       .name = r->meta.name,
				       .ready = is_freed,
				       .ctx = (void *)r,
				       .deadline_ms =
					       clock_now_ms() + (int64_t)cli->opt.wait_s * 1000};

	return kube_wait(cli->client, &wait, e);
}

int release_off(struct cli *cli, const struct api_ip *r, struct err *e)
{
	const struct facts_node *node = facts_node(&cli->facts, r->node);
	bool had = node && node->out_of_service;
	AUTO(free)
	char *question = xasprintf(
		"Is machine %s powered off, so that it cannot use %s any more? Pods on it "
		"are given up.",
		r->node, cli->opt.args[0]);
	int rc;

	if (!node)
		return err_set(e, ERR_NOT_FOUND, 0,
			       "node %s does not exist; the address is held for its time", r->node);
	if (!release_ask(cli, question))
		return EXIT_REFUSED;
	if (!had && taint(cli, r->node, true, e))
		return -1;
	cli_note("1. node %s has the taint " TAINT, r->node);
	rc = remove_pod(cli, r, e);
	if (!rc)
		cli_note("2. pod %s/%s is removed", r->meta.ns, r->meta.name);
	if (!rc)
		rc = wait_freed(cli, r, e);
	if (rc)
		return err_wrap(e, "node %s keeps the taint " TAINT, r->node);
	if (!had && taint(cli, r->node, false, e))
		return err_wrap(e, "%s is free, and the taint " TAINT " stays", cli->opt.args[0]);
	cli_note("3. %s is given back%s", cli->opt.args[0],
		 had ? "" : ", and the taint taken away");
	return EXIT_OK;
}
