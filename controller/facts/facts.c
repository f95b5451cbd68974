/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/facts/facts.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/objects.h"
#include "controller/cluster/subnet_object.h"
#include "controller/facts/internal.h"
#include "controller/facts/probes.h"
#include "controller/process/events.h"
#include "controller/process/process.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/kube/store.h"

/* Many nodes that come at once are one look. */
#define LOOK_EVERY_MS 100
/* What has not answered by then is not waited for: a pod must not wait for it. */
#define SETTLE_MS 10000

static const struct ipam_nets nothing = IPAM_NETS_INIT;

static void node_changed(void *ctx, enum cluster_kind kind, const char *key, const void *old,
			 const void *obj)
{
	struct facts *f = ctx;

	(void)kind;
	(void)key;
	(void)old;
	(void)obj;
	f->changed = true;
}

/* Of a subnet only its spec: its status changes with each address. */
static void subnet_changed(struct facts *f, const struct subnet_object *old,
			   const struct subnet_object *now)
{
	if (!old || !now || old->meta.generation != now->meta.generation ||
	    !str_eq(old->meta.uid, now->meta.uid))
		f->changed = true;
}

static void node_or_subnet_changed(void *ctx, enum cluster_kind kind, const char *key,
				   const void *old, const void *obj)
{
	if (kind == CLUSTER_SUBNETS)
		subnet_changed(ctx, old, obj);
	else
		node_changed(ctx, kind, key, old, obj);
}

static void nodes_listed(void *ctx, enum cluster_kind kind)
{
	struct facts *f = ctx;

	(void)kind;
	f->changed = true;
}

static const struct cluster_listener listener = {.changed = node_or_subnet_changed,
						 .listed = nodes_listed};

struct facts *facts_new(const struct facts_in *in)
{
	struct facts *f = xcalloc(1, sizeof(*f));

	f->in = *in;
	for (int i = 0; i < SOURCES; i++)
		source_init(f, (enum source_kind)i);
	cluster_listen(in->cluster, CLUSTER_BIT(CLUSTER_NODES) | CLUSTER_BIT(CLUSTER_SUBNETS),
		       &listener, f);
	return f;
}

void facts_free(struct facts *f)
{
	if (!f)
		return;
	publish_done(f);
	refusal_done(f);
	for (int i = 0; i < SOURCES; i++)
		source_done(&f->source[i]);
	settings_values_done(&f->now);
	ipam_nets_done(&f->services);
	ipam_nets_done(&f->pods);
	ipam_nets_done(&f->kubernetes);
	free(f);
}

/* ------------------------------------------------------------------------------- what is found */

/* NULL for an empty list. */
static char *text_of(const struct ipam_nets *l)
{
	return l->n ? ipam_nets_text(l) : NULL;
}

/*
 * Blocks are joined only where together they are exactly their whole: what lies between them may be the LAN's. Where
 * they are very many that would be as many routes in a pod, and then wider ones are said.
 */
static char *find_pods(struct facts *f)
{
	AUTO(ipam_nets_done) struct ipam_nets all = IPAM_NETS_INIT;
	const struct cluster_node *node;
	bool was_wide = f->is_wide;
	size_t pos = 0;

	while ((node = cluster_each(f->in.cluster, CLUSTER_NODES, &pos, NULL))) {
		for (size_t i = 0; i < node->pod_cidrs.n; i++)
			ipam_nets_add(&all, &node->pod_cidrs.v[i]);
		/* In order, so that the limit of a list counts what cannot be joined. */
		if (all.n >= IPAM_NETS_MAX / 2)
			ipam_nets_join(&all);
	}
	f->is_wide = ipam_nets_widen(&all, SETTINGS_POD_NETS_MAX);
	if (f->is_wide && !was_wide)
		log_warn(
			"the nodes' pod networks are too many to be said one by one, and are said in wider ones; set the key in ConfigMap " SETTINGS_GIVEN,
			"key", settings_key_name(SETTINGS_CLUSTER_CIDR));
	return text_of(&all);
}

static void add_all(struct ipam_nets *to, const struct ipam_nets *from)
{
	for (size_t i = 0; i < from->n; i++)
		ipam_nets_add(to, &from->v[i]);
}

static void find_kubernetes(const struct facts *f, struct ipam_nets *out)
{
	const struct source_service *s =
		kube_store_get(f->source[SOURCE_KUBERNETES].store, "default", "kubernetes");

	if (s)
		add_all(out, &s->addrs);
}

/* Three ways, each worse than the one before. */
static char *find_services(const struct facts *f)
{
	AUTO(ipam_nets_done) struct ipam_nets all = IPAM_NETS_INIT;
	const struct source_cidr *c;
	size_t pos = 0;

	while ((c = kube_store_each(f->source[SOURCE_CIDRS].store, &pos, NULL)))
		add_all(&all, &c->nets);
	if (!all.n)
		add_all(&all, &f->refusal.nets);
	if (!all.n)
		find_kubernetes(f, &all);
	ipam_nets_join(&all);
	return text_of(&all);
}

static char *find_dns(const struct facts *f)
{
	const struct source_service *s, *best = NULL;
	AUTO(sb_done) struct sb text = SB_INIT;
	const char *key, *best_key = NULL;
	char one[IP_ADDR_LEN];
	size_t pos = 0;

	while ((s = kube_store_each(f->source[SOURCE_DNS].store, &pos, &key))) {
		if (!s->addrs.n)
			continue;
		if (!best || s->is_named > best->is_named ||
		    (s->is_named == best->is_named && strcmp(key, best_key) < 0)) {
			best = s;
			best_key = key;
		}
	}
	for (size_t i = 0; best && i < best->addrs.n; i++)
		sb_printf(&text, "%s%s", i ? "," : "", ip_format(&best->addrs.v[i].addr, one));
	return best ? sb_take(&text) : NULL;
}

/* ------------------------------------------------------------------------------- what is so */

static void complain(struct facts *f, const struct settings_complaints *why)
{
	const struct settings_map *settings = publish_settings(f);
	bool same = why->n == f->complaints.n &&
		    !memcmp(why, &f->complaints, sizeof(*why)); /* both zeroed before */
	struct api_meta about = {.ns = (char *)f->in.process->system_ns,
				 .name = (char *)SETTINGS_GIVEN,
				 .uid = settings ? settings->uid : NULL};

	f->complaints = *why;
	if (!why->n || !settings || (same && event_was_told(&f->told_ms)))
		return;
	f->told_ms = clock_now_ms();
	for (int i = 0; i < why->n; i++) {
		AUTO(free)
		char *text =
			xasprintf("%s; it does not count, and what was found stays", why->text[i]);
		struct event v = {.api_version = "v1",
				  .kind = "ConfigMap",
				  .about = &about,
				  .warning = true,
				  .reason = "InvalidSetting",
				  .message = text};

		log_warn("setting does not count", "configmap", SETTINGS_GIVEN, "error",
			 why->text[i]);
		event_send(f->in.process, &v);
	}
}

static bool take_nets(struct ipam_nets *to, const char *text)
{
	AUTO(ipam_nets_done) struct ipam_nets l = IPAM_NETS_INIT;
	struct err ignored = {0};

	IGNORE(text ? ipam_nets_parse(&l, text, &ignored) : 0, "a hand's text: what can be read");
	if (ipam_nets_eq(&l, to))
		return false;
	ipam_nets_done(to);
	*to = l;
	l = (struct ipam_nets)IPAM_NETS_INIT;
	return true;
}

static const char *word(const char *value)
{
	return value ? value : "unknown";
}

/* now is this from here on. */
static void take(struct facts *f, struct settings_values *v)
{
	AUTO(ipam_nets_done) struct ipam_nets kubernetes = IPAM_NETS_INIT;
	AUTO(free) char *text = NULL;
	bool news = take_nets(&f->services, v->v[SETTINGS_SERVICE_CIDR]);

	news |= take_nets(&f->pods, v->v[SETTINGS_CLUSTER_CIDR]);
	find_kubernetes(f, &kubernetes);
	text = ipam_nets_text(&kubernetes);
	news |= take_nets(&f->kubernetes, text);
	settings_values_done(&f->now);
	f->now = *v;
	*v = (struct settings_values){0};
	if (!news)
		return;
	f->version++;
	log_info("the cluster's networks", "services", word(f->now.v[SETTINGS_SERVICE_CIDR]),
		 "pods", word(f->now.v[SETTINGS_CLUSTER_CIDR]));
}

static void look_as_leader(struct facts *f)
{
	AUTO(settings_values_done) struct settings_values found = {0};
	AUTO(settings_values_done) struct settings_values want = {0};
	struct settings_complaints why;

	memset(&why, 0, sizeof(why));
	found.v[SETTINGS_CLUSTER_CIDR] = find_pods(f);
	found.v[SETTINGS_SERVICE_CIDR] = find_services(f);
	found.v[SETTINGS_CLUSTER_DNS] = find_dns(f);
	found.v[SETTINGS_DOCTOR] = probes_text(f->in.cluster);
	settings_merge(&found, publish_settings(f), &want, &why);
	complain(f, &why);
	take(f, &want);
}

/* The leader's word, from before or elsewhere. */
static void look_as_reader(struct facts *f)
{
	AUTO(settings_values_done) struct settings_values v = {0};
	const struct settings_map *map = publish_object(f);

	for (int i = 0; map && i < SETTINGS_KEYS; i++)
		v.v[i] = xstrdup(map->values.v[i]);
	take(f, &v);
}

static bool all_answered(const struct facts *f)
{
	for (int i = 0; i < SOURCES; i++) {
		if (!source_has_answered(&f->source[i]))
			return false;
	}
	return kube_store_count(f->source[SOURCE_CIDRS].store) || f->refusal.is_done;
}

/* ------------------------------------------------------------------------------- the room */

static bool is_leading(const struct facts *f)
{
	return f->in.process->phase == PHASE_RUN;
}

/* Whoever leads no more has exited; who does not lead yet reads only what the leader says. */
static int64_t ask(struct facts *f)
{
	int64_t next = source_run(&f->source[SOURCE_PUBLISHED]);

	for (int i = SOURCE_SETTINGS; is_leading(f) && i < SOURCES; i++)
		next = clock_earlier_ms(next, source_run(&f->source[i]));
	return is_leading(f) ? clock_earlier_ms(next, refusal_run(f)) : next;
}

static void look(struct facts *f)
{
	f->changed = false;
	f->looked_ms = clock_now_ms();
	if (f->settled)
		look_as_leader(f);
	else
		look_as_reader(f);
}

/* Once settled it has been looked: what is not known then is not waited for. The time to look again, 0 = settled. */
static int64_t settle(struct facts *f)
{
	int64_t now = clock_now_ms();

	if (!f->started_ms)
		f->started_ms = now;
	f->settled = all_answered(f) || now - f->started_ms >= SETTLE_MS;
	if (f->settled)
		look(f);
	return f->settled ? 0 : f->started_ms + SETTLE_MS;
}

int64_t facts_run(struct facts *f)
{
	int64_t now = clock_now_ms(), next;

	if (!f->in.process->client)
		return 0;
	next = ask(f);
	if (is_leading(f) && !f->settled)
		next = clock_earlier_ms(next, settle(f));
	if (f->changed && f->looked_ms && now < f->looked_ms + LOOK_EVERY_MS)
		return clock_earlier_ms(next, f->looked_ms + LOOK_EVERY_MS);
	if (f->changed)
		look(f);
	if (is_leading(f) && f->settled && !facts_is_uninstalling(f))
		next = clock_earlier_ms(next, publish_run(f));
	return next;
}

unsigned int facts_version(const struct facts *f)
{
	return f ? f->version : 0;
}

bool facts_are_settled(const struct facts *f)
{
	return !f || f->settled || !f->in.process->client;
}

const struct ipam_nets *facts_services(const struct facts *f)
{
	return f ? &f->services : &nothing;
}

const struct ipam_nets *facts_pods(const struct facts *f)
{
	return f ? &f->pods : &nothing;
}

const struct ipam_nets *facts_kubernetes(const struct facts *f)
{
	return f ? &f->kubernetes : &nothing;
}

bool facts_is_uninstalling(const struct facts *f)
{
	const struct settings_map *map = f ? publish_object(f) : NULL;

	return map && map->uninstall;
}
