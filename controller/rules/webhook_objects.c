/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/webhook_objects.h"

#include <string.h>

#include "api/meta.h"
#include "api/network.h"
#include "api/workload.h"
#include "controller/rules/webhook_options.h"
#include "lib/base/base64.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

#define PEM_MAX 65536

/* ------------------------------------------------------------------------------- Secret */

static char *read_data(const struct jval *data, const char *key)
{
	const char *text = "";
	struct err ignored = {0};
	char *plain = NULL;

	if (jget_str(data, key, &text, &ignored) == 1 && strlen(text) < PEM_MAX)
		plain = base64_decode(text, NULL);
	return plain ? plain : xstrdup("");
}

int webhook_secret_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	AUTO(api_meta_done) struct api_meta meta = {0};
	struct webhook_secret_obj *o;
	struct jval data = {0};

	(void)ctx;
	if (api_meta_decode(obj, &meta, e) < 0 || jget_obj(obj, "data", &data, e) < 0)
		return -1;
	o = xcalloc(1, sizeof(*o));
	o->uid = xstrdup(meta.uid);
	o->version = xstrdup(meta.resource_version);
	o->secret = (struct webhook_secret){read_data(&data, "tls.crt"),
					    read_data(&data, "tls.key"), read_data(&data, "ca.crt"),
					    read_data(&data, "ca.key")};
	*out = o;
	return 0;
}

void webhook_secret_free(void *obj)
{
	struct webhook_secret_obj *o = obj;

	if (!o)
		return;
	webhook_secret_done(&o->secret);
	free(o->uid);
	free(o->version);
	free(o);
}

static void write_meta(struct jw *w, const char *ns, const char *name)
{
	jw_kv_obj(w, "metadata");
	jw_kv_str(w, "name", name);
	jw_kv_opt(w, "namespace", ns);
	jw_kv_obj(w, "labels");
	jw_kv_str(w, "app.kubernetes.io/name", "tandem");
	jw_end(w);
	jw_end(w);
}

static void write_condition(struct jw *w, const char *uid, const char *version)
{
	jw_kv_obj(w, "metadata");
	api_meta_write_condition(w, uid, version);
	jw_end(w);
}

static void write_data(struct jw *w, const char *key, const char *text)
{
	AUTO(free) char *encoded = base64_encode(text, strlen(text));

	jw_kv_str(w, key, encoded);
	explicit_bzero(encoded, strlen(encoded));
}

char *webhook_secret_text(const char *ns, const struct webhook_secret *s,
			  const struct webhook_secret_obj *over)
{
	struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	jw_obj(&w);
	if (over) {
		write_condition(&w, over->uid, over->version);
	} else {
		jw_kv_str(&w, "apiVersion", "v1");
		jw_kv_str(&w, "kind", "Secret");
		jw_kv_str(&w, "type", "kubernetes.io/tls");
		write_meta(&w, ns, WEBHOOK_SECRET_NAME);
	}
	jw_kv_obj(&w, "data");
	write_data(&w, "tls.crt", s->cert);
	write_data(&w, "tls.key", s->key);
	write_data(&w, "ca.crt", s->authorities);
	write_data(&w, "ca.key", s->authority_key);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&sb);
}

/* ------------------------------------------------------------------------------- configuration */

/* Of the first webhook that has one: we give all of them the same. */
static char *read_trusted(const struct jval *obj)
{
	struct jval list = {0}, item, client;
	struct err ignored = {0};

	if (jget_arr(obj, "webhooks", &list, &ignored) != 1)
		return xstrdup("");
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (!jis_obj(&item) || jget_obj(&item, "clientConfig", &client, &ignored) != 1)
			continue;
		return read_data(&client, "caBundle");
	}
	return xstrdup("");
}

int webhook_conf_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	AUTO(api_meta_done) struct api_meta meta = {0};
	struct webhook_conf_obj *o;

	(void)ctx;
	if (api_meta_decode(obj, &meta, e) < 0)
		return -1;
	o = xcalloc(1, sizeof(*o));
	o->uid = xstrdup(meta.uid);
	o->version = xstrdup(meta.resource_version);
	o->generation = meta.generation;
	o->trusted = read_trusted(obj);
	*out = o;
	return 0;
}

void webhook_conf_free(void *obj)
{
	struct webhook_conf_obj *o = obj;

	if (!o)
		return;
	free(o->uid);
	free(o->version);
	free(o->trusted);
	free(o);
}

static void write_list(struct jw *w, const char *key, const char *const *items)
{
	jw_kv_arr(w, key);
	for (; *items; items++)
		jw_str(w, *items);
	jw_end(w);
}

/* Its lists are as long as there are kinds, or versions of them. */
struct rule {
	const char *group;
	const char *versions[4], *resources[API_WORKLOADS + 1], *operations[4];
};

static void write_rule(struct jw *w, const struct rule *r)
{
	const char *const groups[] = {r->group, NULL};

	jw_obj(w);
	write_list(w, "apiGroups", groups);
	write_list(w, "apiVersions", r->versions);
	write_list(w, "resources", r->resources);
	write_list(w, "operations", r->operations);
	jw_kv_str(w, "scope", "Namespaced");
	jw_end(w);
}

static void write_client(struct jw *w, const struct webhook_target *to, const char *trusted)
{
	AUTO(free) char *url = to->url ? xasprintf("%s" WEBHOOK_PATH, to->url) : NULL;
	AUTO(free) char *bundle = base64_encode(trusted, strlen(trusted));

	jw_kv_obj(w, "clientConfig");
	jw_kv_str(w, "caBundle", bundle);
	if (url) {
		jw_kv_str(w, "url", url);
	} else {
		jw_kv_obj(w, "service");
		jw_kv_str(w, "namespace", to->ns);
		jw_kv_str(w, "name", to->service);
		jw_kv_str(w, "path", WEBHOOK_PATH);
		jw_kv_i64(w, "port", 443);
		jw_end(w);
	}
	jw_end(w);
}

/*
 * API servers from 1.21 on label every namespace with its name. Before, nothing bears the label, so that
 * the system namespace is asked for, too, and answered at once.
 */
static void write_other_namespaces(struct jw *w, const char *ns)
{
	jw_kv_obj(w, "namespaceSelector");
	jw_kv_arr(w, "matchExpressions");
	jw_obj(w);
	jw_kv_str(w, "key", "kubernetes.io/metadata.name");
	jw_kv_str(w, "operator", "NotIn");
	jw_kv_arr(w, "values");
	jw_str(w, ns);
	jw_end(w);
	jw_end(w);
	jw_end(w);
	jw_end(w);
}

/* Adds it where it does not stand yet; the list has room for all. */
static void add_once(const char **list, size_t size, const char *item)
{
	for (size_t i = 0; i + 1 < size && !str_eq(list[i], item); i++) {
		if (!list[i]) {
			list[i] = item;
			return;
		}
	}
}

/* One rule for each group that workloads are of. */
static void write_workload_rules(struct jw *w)
{
	for (int first = 0; first < API_WORKLOADS; first++) {
		const char *group = api_workload_type((enum api_workload_kind)first)->group;
		struct rule r = {.group = group, .operations = {"CREATE", "UPDATE"}};
		bool is_first = true;

		for (int i = 0; i < API_WORKLOADS; i++) {
			const struct api_workload_type *t =
				api_workload_type((enum api_workload_kind)i);

			if (!str_eq(t->group, group))
				continue;
			is_first = is_first && i >= first;
			for (size_t v = 0; t->versions[v]; v++)
				add_once(r.versions, ARRAY_SIZE(r.versions), t->versions[v]);
			add_once(r.resources, ARRAY_SIZE(r.resources), t->plural);
		}
		if (is_first)
			write_rule(w, &r);
	}
}

struct webhook {
	const char *name;
	bool must;        /* without an answer the request fails */
	bool everywhere;  /* the system namespace's, too */
	struct rule rule; /* without a group: those for workloads */
};

/*
 * Nothing on the way to an address: our own writes must not wait for ourselves. What nodes report of a card is asked
 * about, and written also without an answer.
 */
static const struct webhook webhooks[] = {
	{"subnets.tandem-cni.io",
	 true,
	 true,
	 {API_GROUP, {API_VERSION}, {API_PLURAL_SUBNET}, {"CREATE", "UPDATE", "DELETE"}}},
	{"workloads.tandem-cni.io", false, false, {NULL, {NULL}, {NULL}, {NULL}}},
	{"pods.tandem-cni.io", false, false, {"", {"v1"}, {"pods"}, {"CREATE"}}},
	{"status.tandem-cni.io",
	 false,
	 true,
	 {API_GROUP, {API_VERSION}, {API_PLURAL_IP "/status"}, {"UPDATE"}}},
};

static void write_webhook(struct jw *w, const struct webhook *h, const struct webhook_target *to,
			  const char *trusted)
{
	static const char *const versions[] = {"v1", NULL};

	jw_obj(w);
	jw_kv_str(w, "name", h->name);
	jw_kv_arr(w, "rules");
	if (h->rule.group)
		write_rule(w, &h->rule);
	else
		write_workload_rules(w);
	jw_end(w);
	write_client(w, to, trusted);
	jw_kv_str(w, "failurePolicy", h->must ? "Fail" : "Ignore");
	jw_kv_str(w, "matchPolicy", "Equivalent");
	jw_kv_str(w, "sideEffects", "None");
	jw_kv_i64(w, "timeoutSeconds", h->must ? WEBHOOK_SUBNETS_TIMEOUT : WEBHOOK_OTHERS_TIMEOUT);
	write_list(w, "admissionReviewVersions", versions);
	if (!h->everywhere)
		write_other_namespaces(w, to->ns);
	jw_end(w);
}

char *webhook_conf_webhooks(const struct webhook_target *to, const char *trusted)
{
	struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	jw_arr(&w);
	for (size_t i = 0; i < ARRAY_SIZE(webhooks); i++)
		write_webhook(&w, &webhooks[i], to, trusted);
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&sb);
}

char *webhook_conf_text(const char *list, const struct webhook_conf_obj *over)
{
	struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	jw_obj(&w);
	if (over) {
		write_condition(&w, over->uid, over->version);
	} else {
		jw_kv_str(&w, "apiVersion", WEBHOOK_CONF_GROUP);
		jw_kv_str(&w, "kind", "ValidatingWebhookConfiguration");
		write_meta(&w, NULL, WEBHOOK_CONF_NAME);
	}
	jw_kv_raw(&w, "webhooks", jspan_of(list));
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&sb);
}
