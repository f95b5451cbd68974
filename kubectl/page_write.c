/* SPDX-License-Identifier: Apache-2.0 */
/* What the page changes: subnets, and nothing else. */
#include "api/network.h"
#include "kubectl/cli.h"
#include "kubectl/page.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/httpd/httpd.h"
#include "lib/json/jscan.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"

/* Running pods stand on the rest, or the talk about subnets between teams does. */
static const char *const editable[] = {"ranges", "exclude", "routes", "podDefaultGateway"};

static int bad_query(struct err *e)
{
	return err_set(e, ERR_CONFIG, 0, "the query is not one of the page's");
}

/* The body's members, as texts of their own place. */
static int take_body(const struct http_request *req, const char *word, char **out_word,
		     struct jspan *spec, struct err *e)
{
	struct jspan body = {req->body, req->body_len}, value = {0};

	if (jscan_check("body", body, JSCAN_OBJECT, e))
		return -1;
	if (!jspan_find(body, "spec", spec) || jspan_type(*spec) != JTYPE_OBJECT)
		return err_set(e, ERR_CONFIG, 0, "spec: is missing");
	if (!jspan_find(body, word, &value) || jspan_type(value) != JTYPE_STRING)
		return err_set(e, ERR_CONFIG, 0, "%s: is missing", word);
	*out_word = jspan_decode(value);
	return 0;
}

static const char *query_of(const char *trial)
{
	return *trial ? "dryRun=All&fieldManager=kubectl-macvlan" : "fieldManager=kubectl-macvlan";
}

static int pass_on(struct cli *cli, const struct kube_request *req, struct sb *out, struct err *e)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;

	if (kube_do(cli->client, req, &res, e)) {
		if (res.unknown)
			err_wrap(e, "it may have been done all the same");
		return -1;
	}
	sb_add(out, res.body, res.body_len);
	return 0;
}

int page_create_subnet(struct cli *cli, const struct http_request *req, struct sb *out,
		       struct err *e)
{
	AUTO(free)
	char *path =
		kube_path(API_GROUP_VERSION, cli->opt.system_ns, API_PLURAL_SUBNET, NULL, NULL);
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *name = NULL;
	struct jw w = jw_init(&body);
	char trial[PAGE_WORD_LEN];
	struct jspan spec = {0};
	struct kube_request create;

	if (!page_word(req, "dryRun", trial))
		return bad_query(e);
	if (take_body(req, "name", &name, &spec, e))
		return -1;
	jw_obj(&w);
	jw_kv_str(&w, "apiVersion", API_GROUP_VERSION);
	jw_kv_str(&w, "kind", API_KIND_SUBNET);
	jw_kv_obj(&w, "metadata");
	jw_kv_str(&w, "name", name);
	jw_kv_str(&w, "namespace", cli->opt.system_ns);
	jw_end(&w);
	jw_kv_raw(&w, "spec", spec);
	jw_end(&w);
	create = kube_request_create(path, sb_get(&body), cli_deadline(cli));
	create.query = query_of(trial);
	return pass_on(cli, &create, out, e);
}

static bool is_editable(struct jspan key)
{
	for (size_t i = 0; i < ARRAY_SIZE(editable); i++) {
		if (jspan_is(key, editable[i]))
			return true;
	}
	return false;
}

int page_edit_subnet(struct cli *cli, const struct http_request *req, struct sb *out, struct err *e)
{
	char name[PAGE_WORD_LEN], trial[PAGE_WORD_LEN];
	AUTO(free) char *version = NULL, *path = NULL;
	struct jspan spec = {0}, key, value;
	AUTO(sb_done) struct sb body = SB_INIT;
	struct jw w = jw_init(&body);
	struct kube_request patch;
	struct jspan_iter it;

	if (!page_word(req, "name", name) || !*name || !page_word(req, "dryRun", trial))
		return bad_query(e);
	if (take_body(req, "resourceVersion", &version, &spec, e))
		return -1;
	path = kube_path(API_GROUP_VERSION, cli->opt.system_ns, API_PLURAL_SUBNET, name, NULL);
	jw_obj(&w);
	jw_kv_obj(&w, "metadata");
	jw_kv_str(&w, "resourceVersion", version);
	jw_end(&w);
	jw_kv_obj(&w, "spec");
	for (it = jspan_begin(spec); jspan_next_member(&it, &key, &value);) {
		if (!is_editable(key))
			return err_set(e, ERR_CONFIG, 0, "spec.%.*s: cannot be changed here",
				       (int)(key.len - 2), key.p + 1);
		jw_raw_member(&w, key, value);
	}
	jw_end(&w);
	jw_end(&w);
	patch = kube_request_merge_patch(path, sb_get(&body), cli_deadline(cli));
	patch.query = query_of(trial);
	return pass_on(cli, &patch, out, e);
}

int page_delete_subnet(struct cli *cli, const struct http_request *req, struct sb *out,
		       struct err *e)
{
	char name[PAGE_WORD_LEN], uid[PAGE_WORD_LEN], trial[PAGE_WORD_LEN];
	AUTO(sb_done) struct sb options = SB_INIT;
	struct jw w = jw_init(&options);
	AUTO(free) char *path = NULL;
	struct kube_request del;

	if (!page_word(req, "name", name) || !*name || !page_word(req, "uid", uid) || !*uid ||
	    !page_word(req, "dryRun", trial))
		return bad_query(e);
	path = kube_path(API_GROUP_VERSION, cli->opt.system_ns, API_PLURAL_SUBNET, name, NULL);
	jw_obj(&w);
	jw_kv_str(&w, "apiVersion", "v1");
	jw_kv_str(&w, "kind", "DeleteOptions");
	jw_kv_obj(&w, "preconditions");
	jw_kv_str(&w, "uid", uid);
	jw_end(&w);
	if (*trial) {
		jw_kv_arr(&w, "dryRun");
		jw_str(&w, "All");
		jw_end(&w);
	}
	jw_end(&w);
	del = kube_request_delete(path, sb_get(&options), cli_deadline(cli));
	return pass_on(cli, &del, out, e);
}
