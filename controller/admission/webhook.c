/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/admission/webhook.h"

#include <stdlib.h>
#include <string.h>

#include "controller/rules/webhook_objects.h"
#include "controller/admission/serve.h"
#include "controller/admission/view.h"
#include "controller/cluster/cluster.h"
#include "controller/process/leader.h"
#include "controller/process/process.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/httpd/httpd.h"
#include "lib/json/jread.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/kube/queue.h"
#include "lib/kube/reflector.h"
#include "lib/kube/store.h"

#define TIMEOUT_MS    10000
#define LOOK_AGAIN_MS (3600 * 1000)

/* One of the two objects: what is known of it, and the write that is under way. */
struct object {
	struct webhook *hook;
	const char *what;
	struct kube_store *store;
	struct kube_reflector *reflector;
	struct kube_queue_item
		item; /* of hook->queue; in flight: it may be written, or call is set */
	struct kube_call *call;
};

struct webhook {
	const struct webhook_options *opt;
	struct process *process;
	struct admission_view *view;
	struct httpd *httpd; /* NULL = off */
	struct webhook_names names;
	struct webhook_life life;
	struct object secret, conf;
	struct kube_queue queue;
	struct webhook_trust trust;
	char *shown; /* the certificate in use */
	bool changed, could_write, was_complete;
	int64_t wake_ms;
	/* The configuration as we have written it. */
	char *sending, *written;
	int64_t written_generation;
	bool service_seen;
	bool removed; /* off: there is no configuration any more */
};

/* Every replica serves, but only one of them may write. */
static bool may_write(const struct webhook *h)
{
	return leader_leads(h->process->leader);
}

static void changed(void *ctx, const char *key, const void *old, const void *obj)
{
	struct webhook *h = ctx;

	(void)key;
	(void)old;
	(void)obj;
	h->changed = true;
}

static void synced(void *ctx)
{
	struct webhook *h = ctx;

	h->changed = true;
}

static void bad(void *ctx, const char *key, const struct err *why)
{
	(void)ctx;
	log_warn("webhook: object cannot be read", "name", key, "error", why->msg);
}

static const struct kube_store_ops secret_ops = {webhook_secret_decode, webhook_secret_free,
						 changed, synced, bad};
static const struct kube_store_ops conf_ops = {webhook_conf_decode, webhook_conf_free, changed,
					       synced, bad};

static const struct webhook_secret_obj *secret_of(const struct webhook *h)
{
	return kube_store_get(h->secret.store, h->process->system_ns, WEBHOOK_SECRET_NAME);
}

static const struct webhook_conf_obj *conf_of(const struct webhook *h)
{
	return kube_store_get(h->conf.store, NULL, WEBHOOK_CONF_NAME);
}

static char *secrets_path(const char *ns)
{
	return kube_path("v1", ns, "secrets", NULL, NULL);
}

static char *confs_path(void)
{
	return kube_path(WEBHOOK_CONF_GROUP, NULL, WEBHOOK_CONF_PLURAL, NULL, NULL);
}

/* ------------------------------------------------------------------------------- start and end */

/* Rights are for these names alone, and such a selector is what makes a list fit them. */
static void watch(struct object *o, const char *path, const char *name)
{
	AUTO(sb_done) struct sb query = SB_INIT;
	struct kube_reflector_options opt = {.path = path, .failed = process_watch_failed};

	kube_query_add_field(&query, "metadata.name", name);
	opt.query = sb_get(&query);
	o->reflector = kube_reflector_new(o->hook->process->client, o->store, &opt);
}

int webhook_new(const struct webhook_options *opt, struct process *p, struct admission_view *view,
		struct webhook **out, struct err *e)
{
	struct httpd_options http = {
		.bind = opt->bind, .tls = true, .handler = webhook_serve, .ctx = view};
	AUTO(free) char *secrets = secrets_path(p->system_ns), *confs = confs_path();
	AUTO(webhook_free) struct webhook *h = xcalloc(1, sizeof(*h));

	h->opt = opt;
	h->process = p;
	h->view = view;
	h->secret = (struct object){.hook = h, .what = WEBHOOK_SECRET_NAME};
	h->conf = (struct object){.hook = h, .what = "ValidatingWebhookConfiguration"};
	if (!webhook_options_is_on(opt)) {
		*out = STEAL(h);
		return 0;
	}
	if (httpd_new(&http, &h->httpd, e) < 0)
		return err_wrap(e, "--webhook-bind-address");
	webhook_options_names(opt, p->system_ns, &h->names);
	h->life = webhook_life_of(opt->cert_ms / 1000, opt->authority_ms / 1000);
	h->secret.store = kube_store_new(&secret_ops, h);
	h->conf.store = kube_store_new(&conf_ops, h);
	watch(&h->secret, secrets, WEBHOOK_SECRET_NAME);
	watch(&h->conf, confs, WEBHOOK_CONF_NAME);
	*out = STEAL(h);
	return 0;
}

static void object_done(struct object *o)
{
	kube_cancel(o->call);
	kube_queue_remove(&o->hook->queue, &o->item);
	kube_reflector_free(o->reflector);
	kube_store_free(o->store);
}

void webhook_free(struct webhook *h)
{
	if (!h)
		return;
	httpd_free(h->httpd);
	object_done(&h->secret);
	object_done(&h->conf);
	kube_queue_done(&h->queue);
	webhook_names_done(&h->names);
	webhook_trust_done(&h->trust);
	free(h->shown);
	free(h->sending);
	free(h->written);
	free(h);
}

int webhook_fd(const struct webhook *h)
{
	return h->httpd ? httpd_fd(h->httpd) : -1;
}

int webhook_dispatch(struct webhook *h, struct err *e)
{
	return h->httpd ? httpd_dispatch(h->httpd, e) : 0;
}

/* ------------------------------------------------------------------------------- writing */

/* Refused, or another was first: again, later and later. The watch brings what stands there. */
static void failed(struct object *o, const struct err *e)
{
	kube_queue_failed(&o->hook->queue, &o->item, clock_now_ms(), e->retry_after_ms);
	log_line(e->kind == ERR_CONFLICT ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
		 "webhook: request failed", "object", o->what, "error", e->msg, (char *)0);
}

/* The object as it is after our write, before the watch tells. False = it is tried again. */
static bool take(struct object *o, const struct kube_response *res)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	kube_queue_forget(&o->hook->queue, &o->item);
	if (kube_response_parse(res, &doc, &e) < 0) {
		failed(o, &e);
		return false;
	}
	root = jdoc_root(doc);
	if (kube_store_set(o->store, &root, &e) < 0) {
		failed(o, &e);
		return false;
	}
	kube_queue_finish(&o->hook->queue, &o->item);
	return true;
}

static bool is_due(const struct object *o)
{
	return o->item.state == KUBE_QUEUE_IN_FLIGHT && !o->call;
}

static void submit(struct object *o, const char *collection, const char *name, const char *body,
		   kube_done_fn *done)
{
	AUTO(free) char *path = kube_path_child(collection, name ? name : "");
	int64_t until = clock_now_ms() + TIMEOUT_MS;
	struct kube_request req = name ? kube_request_merge_patch(path, body, until)
				       : kube_request_create(collection, body, until);

	o->call = kube_submit(o->hook->process->client, &req, done, o->hook);
}

/* ------------------------------------------------------------------------------- certificate */

static void secret_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct webhook *h = ctx;

	h->secret.call = NULL;
	h->changed = true;
	if (e)
		failed(&h->secret, e);
	else
		IGNORE(take(&h->secret, res), "it is tried again");
}

static void write_secret(struct webhook *h, const struct webhook_cert_in *in,
			 enum webhook_cert_step step)
{
	static const char *const words[] = {"", "all new", "next authority", "renewed"};
	AUTO(free) char *path = secrets_path(h->process->system_ns), *body = NULL;
	AUTO(webhook_secret_done) struct webhook_secret next = {0};
	const struct webhook_secret_obj *over = secret_of(h);
	struct err e = {0};

	if (webhook_cert_make(in, step, &next, &e) < 0) {
		failed(&h->secret, &e);
		return;
	}
	log_info("webhook: certificate is written", "secret", WEBHOOK_SECRET_NAME, "what",
		 words[step]);
	body = webhook_secret_text(h->process->system_ns, &next, over);
	submit(&h->secret, path, over ? WEBHOOK_SECRET_NAME : NULL, body, secret_done);
	explicit_bzero(body, strlen(body));
}

static void show(struct webhook *h, const struct webhook_cert_in *in)
{
	struct err e = {0};

	if (!in->secret || str_eq(h->shown, in->secret->cert) ||
	    !webhook_cert_is_usable(in->secret) || !webhook_cert_may_show(in, h->shown))
		return;
	if (httpd_use_certificate(h->httpd, in->secret->cert, in->secret->key, &e) < 0) {
		log_warn("webhook: certificate cannot be used", "error", e.msg);
		return;
	}
	free(h->shown);
	h->shown = xstrdup(in->secret->cert);
	log_info("webhook: certificate is in use");
}

/* ------------------------------------------------------------------------------- configuration */

static void conf_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct webhook *h = ctx;
	const struct webhook_conf_obj *o;

	h->conf.call = NULL;
	h->changed = true;
	if (e) {
		failed(&h->conf, e);
		return;
	}
	o = take(&h->conf, res) ? conf_of(h) : NULL;
	if (!o)
		return;
	free(h->written);
	h->written = STEAL(h->sending);
	h->written_generation = o->generation;
	log_info("webhook: configuration is written", "name", WEBHOOK_CONF_NAME);
}

static void service_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct webhook *h = ctx;

	(void)res;
	h->conf.call = NULL;
	h->changed = true;
	h->service_seen = !e;
	if (e)
		failed(&h->conf, e);
	else
		kube_queue_finish(&h->queue, &h->conf.item);
}

/* A configuration that leads nowhere would refuse every change of a subnet. */
static bool may_create(struct webhook *h)
{
	const struct webhook_options *opt = h->opt;
	AUTO(free) char *path = NULL;
	struct kube_request req;

	if (!h->shown || !h->was_complete)
		return false;
	if (opt->url || h->service_seen)
		return true;
	path = kube_path("v1", h->process->system_ns, "services", opt->service, NULL);
	req = kube_request_get(path, NULL, clock_now_ms() + TIMEOUT_MS);
	h->conf.call = kube_submit(h->process->client, &req, service_done, h);
	return false;
}

static void write_conf(struct webhook *h, const char *trusted)
{
	const struct webhook_conf_obj *over = conf_of(h);
	const struct webhook_options *opt = h->opt;
	struct webhook_target to = {h->process->system_ns, opt->service, opt->url};
	AUTO(free)
	char *path = confs_path(), *body = NULL, *list = webhook_conf_webhooks(&to, trusted);

	if (over && str_eq(h->written, list) && over->generation == h->written_generation)
		return;
	if (!over && !may_create(h))
		return;
	body = webhook_conf_text(list, over);
	free(h->sending);
	h->sending = STEAL(list);
	submit(&h->conf, path, over ? WEBHOOK_CONF_NAME : NULL, body, conf_done);
}

/* ------------------------------------------------------------------------------- what is due */

/* What is over and could not be done waits for something to change. */
static void wake_at(struct webhook *h, int64_t at_ms)
{
	if (at_ms > clock_now_ms() && at_ms < h->wake_ms)
		h->wake_ms = at_ms;
}

static void wake_at_s(struct webhook *h, int64_t at_s)
{
	if (at_s > process_now_s(h->process))
		wake_at(h, clock_now_ms() + (at_s - process_now_s(h->process)) * 1000);
}

static void lead(struct webhook *h, struct webhook_cert_in *in)
{
	int64_t plan_s = 0, trust_s = 0;
	enum webhook_cert_step step = webhook_cert_plan(in, &plan_s);
	AUTO(free) char *trusted = NULL;

	if (step != WEBHOOK_CERT_KEEP) {
		if (is_due(&h->secret))
			write_secret(h, in, step);
		return;
	}
	wake_at_s(h, plan_s);
	trusted = webhook_cert_trust(in, &trust_s);
	wake_at_s(h, trust_s);
	if (is_due(&h->conf))
		write_conf(h, trusted);
}

static void look(struct webhook *h)
{
	const struct webhook_secret_obj *secret = secret_of(h);
	const struct webhook_conf_obj *conf = conf_of(h);
	struct webhook_cert_in in = {
		.secret = secret ? &secret->secret : NULL,
		.trusted = conf ? conf->trusted : "",
		.names = (const char *const *)h->names.name,
		.n_names = h->names.n,
		.life = h->life,
		.now_s = process_now_s(h->process),
	};

	webhook_trust_update(&h->trust, in.secret, in.trusted, in.now_s);
	in.trusted_since_s = h->trust.since_s;
	h->wake_ms = clock_now_ms() + LOOK_AGAIN_MS;
	if (h->trust.since_s)
		wake_at_s(h, h->trust.since_s + h->life.settle_s);
	show(h, &in);
	if (h->could_write)
		lead(h, &in);
}

static void removed(void *ctx, struct kube_response *res, const struct err *e)
{
	struct webhook *h = ctx;

	(void)res;
	h->conf.call = NULL;
	h->removed = !e || e->kind == ERR_NOT_FOUND;
	if (h->removed)
		kube_queue_finish(&h->queue, &h->conf.item);
	if (!e)
		log_info("webhook: is off, its configuration has been removed", "name",
			 WEBHOOK_CONF_NAME);
	else if (!h->removed)
		failed(&h->conf, e);
}

/* Off: one that was written before would refuse every change of a subnet. */
static int64_t run_off(struct webhook *h)
{
	AUTO(free) char *collection = NULL, *path = NULL;
	struct kube_request req;

	if (h->removed || !may_write(h))
		return 0;
	if (h->conf.item.state == KUBE_QUEUE_IDLE)
		kube_queue_mark(&h->queue, &h->conf.item, clock_now_ms());
	if (!kube_queue_take(&h->queue, clock_now_ms()))
		return kube_queue_next_ms(&h->queue);
	collection = confs_path();
	path = kube_path_child(collection, WEBHOOK_CONF_NAME);
	req = kube_request_delete(path, NULL, clock_now_ms() + TIMEOUT_MS);
	h->conf.call = kube_submit(h->process->client, &req, removed, h);
	return 0;
}

static void look_again(struct object *o)
{
	if (is_due(o))
		kube_queue_later(&o->hook->queue, &o->item, o->hook->wake_ms);
	else
		kube_queue_mark(&o->hook->queue, &o->item, o->hook->wake_ms);
}

int64_t webhook_run(struct webhook *h)
{
	bool complete = cluster_is_complete(h->view->cluster), write = may_write(h), due = false;
	int64_t now = clock_now_ms();

	if (!h->httpd)
		return run_off(h);
	if (!kube_store_is_synced(h->secret.store) || !kube_store_is_synced(h->conf.store))
		return 0;
	if (h->changed || h->could_write != write || h->was_complete != complete) {
		h->changed = false;
		h->could_write = write;
		h->was_complete = complete;
		kube_queue_mark(&h->queue, &h->secret.item, now);
		kube_queue_mark(&h->queue, &h->conf.item, now);
	}
	while (kube_queue_take(&h->queue, now))
		due = true;
	if (due) {
		look(h);
		look_again(&h->secret);
		look_again(&h->conf);
	}
	return kube_queue_next_ms(&h->queue);
}

/* ------------------------------------------------------------------------------- uninstalling */

static int delete_one(struct kube_client *c, const char *collection, const char *name,
		      struct err *e)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	AUTO(free) char *path = kube_path_child(collection, name);
	struct kube_request req = kube_request_delete(path, NULL, clock_now_ms() + TIMEOUT_MS);

	if (kube_do(c, &req, &res, e) == 0 || e->kind == ERR_NOT_FOUND)
		return 0;
	return err_wrap(e, "%s", name);
}

int webhook_uninstall(struct kube_client *client, const char *ns, struct err *e)
{
	AUTO(free) char *confs = confs_path(), *secrets = secrets_path(ns);

	if (delete_one(client, confs, WEBHOOK_CONF_NAME, e) < 0)
		return -1;
	return delete_one(client, secrets, WEBHOOK_SECRET_NAME, e);
}
