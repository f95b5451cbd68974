/* SPDX-License-Identifier: Apache-2.0 */
/* The objects that facts are found in, each watched by itself. */
#include <stdlib.h>

#include "controller/facts/internal.h"
#include "controller/process/process.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/json.h"
#include "lib/kube/path.h"
#include "lib/kube/reflector.h"
#include "lib/kube/store.h"

#define VERSIONS        3
#define ABSENT_AGAIN_MS (10 * 60 * 1000)
#define DNS_NAME        "kube-dns"

/* ------------------------------------------------------------------------------- what is kept of them */

static void cidr_free(void *obj)
{
	struct source_cidr *c = obj;

	if (!c)
		return;
	ipam_nets_done(&c->nets);
	free(c);
}

/* One that is being deleted counts as long as it is there: there are Services with its addresses. */
static int cidr_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct jval spec, list = {0}, item;
	struct source_cidr *c;
	struct ip_net net;

	(void)ctx;
	if (jneed_obj(obj, "spec", &spec, e) < 0 || jget_arr(&spec, "cidrs", &list, e) < 0)
		return -1;
	c = xcalloc(1, sizeof(*c));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (jis_str(&item) && ip_net_parse(jstr(&item), &net) == 0)
			ipam_nets_add(&c->nets, &net);
	}
	*out = c;
	return 0;
}

static void service_free(void *obj)
{
	struct source_service *s = obj;

	if (!s)
		return;
	ipam_nets_done(&s->addrs);
	free(s);
}

static void add_addr(struct source_service *s, const char *text)
{
	struct ip_addr a;
	struct ip_net net;

	if (ip_parse(text, &a) < 0)
		return;
	net = ip_net_host(&a);
	if (!ipam_nets_has(&s->addrs, &a))
		ipam_nets_add(&s->addrs, &net);
}

/* clusterIP alone is what API servers before 1.20 say; a headless one says None, which is no address. */
static int service_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct jval spec, list = {0}, item;
	struct source_service *s;
	const char *one = "";

	(void)ctx;
	if (jneed_obj(obj, "spec", &spec, e) < 0 || jget_str(&spec, "clusterIP", &one, e) < 0 ||
	    jget_arr(&spec, "clusterIPs", &list, e) < 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
	add_addr(s, one);
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (jis_str(&item))
			add_addr(s, jstr(&item));
	}
	*out = s;
	return 0;
}

/* By its name, as nearly everywhere; RKE2 calls it otherwise and gives it the label. */
static int dns_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct jval meta = {0}, labels = {0};
	const char *app = "";
	bool is_named = str_eq(kube_json_meta(obj, "name"), DNS_NAME);
	struct source_service *s;
	void *made = NULL;

	if (jget_obj(obj, "metadata", &meta, e) < 0 || jget_obj(&meta, "labels", &labels, e) < 0 ||
	    (jis_obj(&labels) && jget_str(&labels, "k8s-app", &app, e) < 0))
		return -1;
	if (!is_named && !str_eq(app, DNS_NAME))
		return 0;
	if (service_decode(ctx, obj, &made, e) < 0)
		return -1;
	s = made;
	s->is_named = is_named;
	*out = s;
	return 0;
}

static void changed(void *ctx, const char *key, const void *old, const void *obj)
{
	struct source *s = ctx;

	(void)key;
	(void)old;
	(void)obj;
	s->facts->changed = true;
}

static void synced(void *ctx)
{
	struct source *s = ctx;

	s->facts->changed = true;
}

static void bad(void *ctx, const char *key, const struct err *why)
{
	(void)ctx;
	log_warn("object cannot be read", "name", key, "error", why->msg);
}

/* ------------------------------------------------------------------------------- where they are */

/* ns: NULL = cluster scope, "" = the system namespace. */
static const struct {
	const char *versions[VERSIONS], *ns, *plural, *name;
	struct kube_store_ops ops;
} rows[SOURCES] = {
	[SOURCE_PUBLISHED] = {{"v1"},
			      "",
			      "configmaps",
			      SETTINGS_PUBLISHED,
			      {settings_map_decode, settings_map_free, changed, synced, bad}},
	[SOURCE_SETTINGS] = {{"v1"},
			     "",
			     "configmaps",
			     SETTINGS_GIVEN,
			     {settings_map_decode, settings_map_free, changed, synced, bad}},
	[SOURCE_CIDRS] = {{"networking.k8s.io/v1", "networking.k8s.io/v1beta1"},
			  NULL,
			  "servicecidrs",
			  NULL,
			  {cidr_decode, cidr_free, changed, synced, bad}},
	[SOURCE_KUBERNETES] = {{"v1"},
			       "default",
			       "services",
			       "kubernetes",
			       {service_decode, service_free, changed, synced, bad}},
	[SOURCE_DNS] = {{"v1"},
			"kube-system",
			"services",
			NULL,
			{dns_decode, service_free, changed, synced, bad}},
};

void source_init(struct facts *f, enum source_kind kind)
{
	struct source *s = &f->source[kind];

	*s = (struct source){.facts = f, .kind = kind};
	s->store = kube_store_new(&rows[kind].ops, s);
}

void source_done(struct source *s)
{
	kube_reflector_free(s->reflector);
	kube_store_free(s->store);
}

static void failed(const char *path, const struct err *why)
{
	if (why->kind != ERR_NOT_FOUND)
		process_watch_failed(path, why);
}

static void watch(struct source *s)
{
	const struct process *p = s->facts->in.process;
	const char *ns = rows[s->kind].ns;
	AUTO(sb_done) struct sb query = SB_INIT;
	AUTO(free)
	char *path = kube_path(rows[s->kind].versions[s->version], ns && !*ns ? p->system_ns : ns,
			       rows[s->kind].plural, NULL, NULL);
	struct kube_reflector_options opt = {.path = path, .failed = failed};

	if (rows[s->kind].name)
		kube_query_add_field(&query, "metadata.name", rows[s->kind].name);
	opt.query = sb_get(&query);
	s->reflector = kube_reflector_new(p->client, s->store, &opt);
}

static bool is_refused(const struct source *s)
{
	return s->reflector && kube_reflector_error(s->reflector)->kind == ERR_NOT_FOUND;
}

/* Not served in this version: the next one, and after the last of them not for a while. */
static void turn_over(struct source *s)
{
	kube_reflector_free(s->reflector);
	s->reflector = NULL;
	s->facts->changed = true;
	if (s->version + 1 < VERSIONS && rows[s->kind].versions[s->version + 1]) {
		s->version++;
		return;
	}
	s->version = 0;
	s->absent_ms = clock_now_ms() + ABSENT_AGAIN_MS;
}

int64_t source_run(struct source *s)
{
	int64_t now = clock_now_ms();

	if (is_refused(s))
		turn_over(s);
	if (s->absent_ms > now)
		return s->absent_ms;
	if (!s->reflector)
		watch(s);
	return 0;
}

bool source_has_answered(const struct source *s)
{
	return s->absent_ms || kube_store_is_synced(s->store) ||
	       (s->reflector && kube_reflector_error(s->reflector)->kind != ERR_NONE &&
		!is_refused(s));
}
