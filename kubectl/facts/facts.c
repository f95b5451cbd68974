/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/facts/facts.h"

#include <string.h>

#include "api/labels.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

#define ANNOTATION_NODE "tandem-cni.io/node"

/* One more element of an array whose length is n; it is zero. */
#define GROW(array, n)                                                                         \
	({                                                                                     \
		if (!((n) & ((n)-1)))                                                          \
			(array) = xreallocarray((array), (n) ? 2 * (n) : 1, sizeof(*(array))); \
		memset(&(array)[n], 0, sizeof(*(array)));                                      \
		&(array)[(n)++];                                                               \
	})

static void conditions_done(struct facts_conditions *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->items[i].type);
		free(c->items[i].status);
		free(c->items[i].reason);
		free(c->items[i].message);
	}
	free(c->items);
}

static void subnets_done(struct facts *f)
{
	for (size_t i = 0; i < f->n_subnets; i++) {
		struct facts_subnet *s = &f->subnets[i];

		api_meta_done(&s->meta);
		api_subnet_free(s->spec);
		free(s->why);
		free(s->phase);
		ipam_allocation_done(&s->allocation);
		conditions_done(&s->conditions);
	}
	free(STEAL(f->subnets));
	f->n_subnets = 0;
}

static void records_done(struct facts *f)
{
	for (size_t i = 0; i < f->n_records; i++)
		api_ip_free(f->records[i]);
	free(STEAL(f->records));
	f->n_records = 0;
}

static void pods_done(struct facts *f)
{
	for (size_t i = 0; i < f->n_pods; i++) {
		struct facts_pod *p = &f->pods[i];

		api_pod_free(p->pod);
		free(p->image);
		for (size_t k = 0; p->args && p->args[k]; k++)
			free(p->args[k]);
		free(p->args);
		free(p->waiting);
		conditions_done(&p->conditions);
	}
	free(STEAL(f->pods));
	f->n_pods = 0;
}

static void nodes_done(struct facts *f)
{
	for (size_t i = 0; i < f->n_nodes; i++) {
		free(f->nodes[i].name);
		free(f->nodes[i].labels);
		free(f->nodes[i].installed);
		conditions_done(&f->nodes[i].conditions);
	}
	free(STEAL(f->nodes));
	f->n_nodes = 0;
}

static void events_done(struct facts *f)
{
	for (size_t i = 0; i < f->n_events; i++) {
		free(f->events[i].reason);
		free(f->events[i].message);
		free(f->events[i].type);
		free(f->events[i].source);
	}
	free(STEAL(f->events));
	f->n_events = 0;
}

void facts_forget(struct facts *f, enum facts_kind kind)
{
	static void (*const done[])(struct facts *) = {
		[FACTS_SUBNETS] = subnets_done, [FACTS_RECORDS] = records_done,
		[FACTS_PODS] = pods_done,       [FACTS_NODES] = nodes_done,
		[FACTS_EVENTS] = events_done,
	};

	done[kind](f);
}

void facts_done(struct facts *f)
{
	subnets_done(f);
	records_done(f);
	pods_done(f);
	nodes_done(f);
	events_done(f);
	*f = (struct facts){0};
}

/* ------------------------------------------------------------------ texts that may be absent */

/* A string, "" where it is absent or something else. */
static char *text(const struct jval *obj, const char *key)
{
	struct err ignored = {0};
	const char *s = "";

	if (jget_str(obj, key, &s, &ignored) < 1)
		s = "";
	return xstrdup(s);
}

static bool child(const struct jval *obj, const char *key, struct jval *out)
{
	struct err ignored = {0};

	return jget_obj(obj, key, out, &ignored) == 1;
}

static bool list(const struct jval *obj, const char *key, struct jval *out)
{
	struct err ignored = {0};

	return jget_arr(obj, key, out, &ignored) == 1;
}

static int64_t number(const struct jval *obj, const char *key)
{
	struct err ignored = {0};
	int64_t n = 0;

	return jget_i64(obj, key, JRANGE(0, INT64_MAX), &n, &ignored) == 1 ? n : 0;
}

static void read_conditions(const struct jval *status, struct facts_conditions *out)
{
	struct jval all, item;

	if (!list(status, "conditions", &all))
		return;
	for (struct jiter it = jiter_of(&all); jiter_next(&it, &item);) {
		struct facts_condition *c = GROW(out->items, out->n);

		*c = (struct facts_condition){text(&item, "type"), text(&item, "status"),
					      text(&item, "reason"), text(&item, "message")};
	}
}

const struct facts_condition *facts_condition_find(const struct facts_conditions *c,
						   const char *type)
{
	for (size_t i = 0; i < c->n; i++) {
		if (str_eq(c->items[i].type, type))
			return &c->items[i];
	}
	return NULL;
}

/* ------------------------------------------------------------------ objects */

static void read_subnet_status(const struct jval *obj, struct facts_subnet *s)
{
	struct err why = {0};
	struct jval status, allocation;

	if (!child(obj, "status", &status)) {
		s->phase = xstrdup("");
		return;
	}
	s->phase = text(&status, "phase");
	s->total = number(&status, "total");
	s->used = number(&status, "used");
	s->free = number(&status, "free");
	s->reserved = number(&status, "reserved");
	s->cooling = number(&status, "cooling");
	s->quarantined = number(&status, "quarantined");
	read_conditions(&status, &s->conditions);
	if (child(&status, "allocation", &allocation))
		s->allocation_bad = ipam_allocation_decode(&allocation, &s->allocation, &why) < 0;
}

int facts_add_subnet(struct facts *f, const struct jval *obj, struct err *e)
{
	AUTO(api_meta_done) struct api_meta meta = {0};
	struct facts_subnet *s;
	struct err why = {0};

	if (api_meta_decode(obj, &meta, e) < 0)
		return -1;
	s = GROW(f->subnets, f->n_subnets);
	s->meta = meta;
	meta = (struct api_meta){0};
	if (api_subnet_decode(obj, &s->spec, &why) < 0)
		s->why = xstrdup(why.msg);
	read_subnet_status(obj, s);
	return 0;
}

int facts_add_record(struct facts *f, const struct jval *obj, struct err *e)
{
	struct api_ip *ip = NULL;

	if (api_ip_decode(obj, &ip, e) < 0)
		return -1;
	*GROW(f->records, f->n_records) = ip;
	return 0;
}

static char **read_args(const struct jval *container)
{
	struct jval all = {0}, item;
	size_t n = 0;
	char **args = xcalloc(list(container, "args", &all) ? jlen(&all) + 1 : 1, sizeof(*args));

	for (struct jiter it = jiter_of(&all); jiter_next(&it, &item);)
		args[n++] = xstrdup(jis_str(&item) ? jstr(&item) : "");
	return args;
}

static char *read_waiting(const struct jval *obj)
{
	struct jval status, all, item, state, waiting;

	if (!child(obj, "status", &status) || !list(&status, "containerStatuses", &all))
		return xstrdup("");
	for (struct jiter it = jiter_of(&all); jiter_next(&it, &item);) {
		if (child(&item, "state", &state) && child(&state, "waiting", &waiting))
			return text(&waiting, "reason");
	}
	return xstrdup("");
}

int facts_add_pod(struct facts *f, const struct jval *obj, bool legacy, struct err *e)
{
	struct jval spec, status, containers, first = {0};
	struct api_pod *pod = NULL;
	struct facts_pod *p;

	if (api_pod_decode(obj, legacy, &pod, e) < 0)
		return -1;
	p = GROW(f->pods, f->n_pods);
	p->pod = pod;
	if (child(obj, "spec", &spec) && list(&spec, "containers", &containers))
		IGNORE(!jat(&containers, 0, &first), "a pod without containers");
	p->image = text(&first, "image");
	p->args = read_args(&first);
	p->waiting = read_waiting(obj);
	if (child(obj, "status", &status))
		read_conditions(&status, &p->conditions);
	return 0;
}

static bool has_taint(const struct jval *spec, const char *key)
{
	struct jval all, item;

	if (!list(spec, "taints", &all))
		return false;
	for (struct jiter it = jiter_of(&all); jiter_next(&it, &item);) {
		AUTO(free) char *is = text(&item, "key");

		if (str_eq(is, key))
			return true;
	}
	return false;
}

int facts_add_node(struct facts *f, const struct jval *obj, struct err *e)
{
	AUTO(free) char *labels = NULL;
	struct jval meta, spec, status, annotations;
	const char *name = NULL;
	struct facts_node *n;

	if (jneed_obj(obj, "metadata", &meta, e) < 0 || jneed_str(&meta, "name", &name, e) < 0 ||
	    api_labels_decode(&meta, "labels", &labels, e) < 0)
		return -1;
	n = GROW(f->nodes, f->n_nodes);
	n->name = xstrdup(name);
	n->labels = STEAL(labels);
	n->installed = child(&meta, "annotations", &annotations)
			       ? text(&annotations, ANNOTATION_NODE)
			       : xstrdup("");
	n->out_of_service = child(obj, "spec", &spec) &&
			    has_taint(&spec, "node.kubernetes.io/out-of-service");
	if (child(obj, "status", &status))
		read_conditions(&status, &n->conditions);
	return 0;
}

static int64_t when(const struct jval *obj, const char *key)
{
	AUTO(free) char *s = text(obj, key);
	int64_t at = 0;

	return *s && !clock_parse_rfc3339(s, &at) ? at : 0;
}

int facts_add_event(struct facts *f, const struct jval *obj, struct err *e)
{
	struct facts_event *v = GROW(f->events, f->n_events);
	struct jval source, series;

	(void)e;
	v->reason = text(obj, "reason");
	v->message = text(obj, "message");
	v->type = text(obj, "type");
	v->source = child(obj, "source", &source) ? text(&source, "component") : xstrdup("");
	if (!*v->source) {
		free(v->source);
		v->source = text(obj, "reportingComponent");
	}
	v->last = when(obj, "lastTimestamp");
	if (child(obj, "series", &series) && when(&series, "lastObservedTime") > v->last)
		v->last = when(&series, "lastObservedTime");
	if (!v->last)
		v->last = when(obj, "eventTime");
	return 0;
}

/* ------------------------------------------------------------------ looking up */

const struct facts_subnet *facts_subnet(const struct facts *f, const char *name)
{
	for (size_t i = 0; i < f->n_subnets; i++) {
		if (str_eq(f->subnets[i].meta.name, name))
			return &f->subnets[i];
	}
	return NULL;
}

const struct api_ip *facts_record(const struct facts *f, const char *ns, const char *name)
{
	for (size_t i = 0; i < f->n_records; i++) {
		if (str_eq(f->records[i]->meta.name, name) && str_eq(f->records[i]->meta.ns, ns))
			return f->records[i];
	}
	return NULL;
}

const struct facts_pod *facts_pod(const struct facts *f, const char *ns, const char *name)
{
	for (size_t i = 0; i < f->n_pods; i++) {
		const struct api_meta *meta = &f->pods[i].pod->meta;

		if (str_eq(meta->name, name) && str_eq(meta->ns, ns))
			return &f->pods[i];
	}
	return NULL;
}

const struct facts_node *facts_node(const struct facts *f, const char *name)
{
	for (size_t i = 0; i < f->n_nodes; i++) {
		if (str_eq(f->nodes[i].name, name))
			return &f->nodes[i];
	}
	return NULL;
}
