/* SPDX-License-Identifier: Apache-2.0 */
/* The eyes of world.c: stores of pods, records and subnets, and what must not be seen in them. */
#ifndef TESTS_API_WORLD_SEE_H
#define TESTS_API_WORLD_SEE_H

#include <stdio.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/client.h"
#include "lib/kube/json.h"
#include "lib/kube/reflector.h"
#include "lib/kube/store.h"

#define API_V1   "/api/v1"
#define API_OURS "/apis/tandem-cni.io/v1"

enum { SEE_PODS, SEE_IPS, SEE_SUBNETS, SEEN };

/* One UID of a pod, over its whole life. */
struct life {
	char *uid;
	char *address; /* the first that it had, NULL = none yet */
	int64_t bound_ms, served_ms;
};

/* Which record has an address, as far as it was seen. */
struct owner {
	char *address, *record_uid;
};

/* An object of any of the three kinds. */
struct seen {
	char *name, *uid, *subnet, *address, *pod_uid;
	bool lives, fixed, lies, asked;
	int64_t used, free, reserved, cooling;
	size_t inflight;
};

struct world {
	struct kube_client *client;
	struct kube_store *store[SEEN];
	struct kube_reflector *reflector[SEEN];
	struct map lives, owners;
	unsigned int doubles, moved, lied, asked;
	size_t pending, failed;
	struct err last;
	bool drained;
	int64_t mark_ms, first_record_ms;
	bool over;
	FILE *journal; /* who had which address, as it was seen; NULL = nobody asks */
};

/* What the node answers to whoever asks for a pod's card. */
static void tell_card(struct world *w, const struct seen *ip);

static char *copy_str(const struct jval *obj, const char *key)
{
	const char *s = "";
	struct err ignored = {0};

	IGNORE(jget_str(obj, key, &s, &ignored) < 0, "empty then");
	return xstrdup(s);
}

static int64_t get_i64(const struct jval *obj, const char *key)
{
	struct err ignored = {0};
	int64_t n = -1;

	IGNORE(jget_i64(obj, key, JRANGE(0, INT32_MAX), &n, &ignored) < 0, "-1 then");
	return n;
}

static void seen_free(void *obj)
{
	struct seen *s = obj;

	free(s->name);
	free(s->uid);
	free(s->subnet);
	free(s->address);
	free(s->pod_uid);
	free(s);
}

static struct seen *seen_new(const struct jval *obj)
{
	struct seen *s = xcalloc(1, sizeof(*s));

	s->name = xstrdup(kube_json_meta(obj, "name"));
	s->uid = xstrdup(kube_json_meta(obj, "uid"));
	s->lies = str_starts(s->name, "liar-");
	return s;
}

static int pod_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct jval meta, annotations, status;
	struct seen *s = seen_new(obj);
	AUTO(free) char *phase = NULL;
	AUTO(free) char *fixed = NULL;

	(void)ctx;
	*out = s;
	s->lives = !kube_json_meta(obj, "deletionTimestamp");
	if (jget_obj(obj, "metadata", &meta, e) == 1 &&
	    jget_obj(&meta, "annotations", &annotations, e) == 1) {
		s->subnet = copy_str(&annotations, "tandem-cni.io/subnet");
		fixed = copy_str(&annotations, "tandem-cni.io/ip");
		s->fixed = *fixed != '\0';
	}
	if (jget_obj(obj, "status", &status, e) == 1)
		phase = copy_str(&status, "phase");
	s->lives &= s->subnet && *s->subnet && !str_eq(phase, "Succeeded") && !s->lies;
	return 0;
}

static int ip_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct seen *s = seen_new(obj);
	struct jval spec, meta, annotations;
	AUTO(free) char *tell = NULL;

	(void)ctx;
	*out = s;
	if (jget_obj(obj, "metadata", &meta, e) == 1 &&
	    jget_obj(&meta, "annotations", &annotations, e) == 1)
		tell = copy_str(&annotations, "tandem-cni.io/tell-card");
	if (jget_obj(obj, "spec", &spec, e) == 1) {
		s->address = copy_str(&spec, "cidr");
		s->pod_uid = copy_str(&spec, "podId");
	}
	s->asked = tell && *tell && str_eq(tell, s->pod_uid);
	return 0;
}

static int subnet_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct jval status, allocation, inflight;
	struct seen *s = seen_new(obj);

	(void)ctx;
	*out = s;
	s->used = s->free = s->reserved = s->cooling = -1;
	if (jget_obj(obj, "status", &status, e) != 1)
		return 0;
	s->used = get_i64(&status, "used");
	s->free = get_i64(&status, "free");
	s->reserved = get_i64(&status, "reserved");
	s->cooling = get_i64(&status, "cooling");
	if (jget_obj(&status, "allocation", &allocation, e) == 1 &&
	    jget_arr(&allocation, "inflight", &inflight, e) == 1)
		s->inflight = jlen(&inflight);
	return 0;
}

static struct life *life_of(struct world *w, const char *uid)
{
	struct life *l = map_get(&w->lives, uid);

	if (l)
		return l;
	l = xcalloc(1, sizeof(*l));
	l->uid = xstrdup(uid);
	map_put(&w->lives, l->uid, l);
	return l;
}

static void pod_changed(void *ctx, const char *key, const void *old, const void *obj)
{
	const struct seen *s = obj;

	(void)key;
	(void)old;
	if (s && s->subnet && !life_of(ctx, s->uid)->bound_ms)
		life_of(ctx, s->uid)->bound_ms = clock_now_ms();
}

static void give_up(struct world *w, const struct seen *s)
{
	struct owner *o = map_get(&w->owners, s->address);

	if (!o || !str_eq(o->record_uid, s->uid))
		return;
	map_remove(&w->owners, s->address);
	free(o->address);
	free(o->record_uid);
	free(o);
}

/* What a liar has; what was made by hand is nobody's card. */
static void take_lie(struct world *w, const struct seen *s)
{
	if (str_starts(s->name, "liar-made-"))
		return;
	w->lied++;
	log_error("a liar has an address", "address", s->address, "record", s->name);
}

static void take(struct world *w, const struct seen *s)
{
	struct owner *o = map_get(&w->owners, s->address);
	struct life *l = life_of(w, s->pod_uid);

	if (o && !str_eq(o->record_uid, s->uid)) {
		w->doubles++;
		log_error("an address in two records", "address", s->address, "record", s->name);
	}
	if (!o) {
		o = xcalloc(1, sizeof(*o));
		o->address = xstrdup(s->address);
		map_put(&w->owners, o->address, o);
	}
	free(o->record_uid);
	o->record_uid = xstrdup(s->uid);
	if (l->served_ms && !str_eq(l->address, s->address)) {
		w->moved++;
		log_error("another address", "record", s->name, "old", l->address, "new",
			  s->address);
	}
	if (!l->served_ms) {
		l->served_ms = clock_now_ms();
		l->address = xstrdup(s->address);
	}
}

/* "+|- ADDRESS POD-UID" */
static void write_down(struct world *w, char sign, const struct seen *s)
{
	if (w->journal)
		fprintf(w->journal, "%c %.*s %s\n", sign, (int)strcspn(s->address, "/"), s->address,
			s->pod_uid);
}

static void ip_changed(void *ctx, const char *key, const void *old_obj, const void *new_obj)
{
	const struct seen *old = old_obj, *s = new_obj;
	struct world *w = ctx;
	bool had = old && old->address && *old->address, has = s && s->address && *s->address;
	bool same = had && has && str_eq(old->uid, s->uid) && str_eq(old->address, s->address);

	(void)key;
	if (!w->first_record_ms)
		w->first_record_ms = clock_now_ms();
	if (had && !same)
		write_down(w, '-', old);
	if (has && !same)
		write_down(w, '+', s);
	if (had && !same)
		give_up(ctx, old);
	if (has && !same && s->lies)
		take_lie(ctx, s);
	else if (has && !same)
		take(ctx, s);
	if (s && s->asked && (!old || !old->asked || !str_eq(old->uid, s->uid)))
		tell_card(ctx, s);
}

static const struct kube_store_ops ops[SEEN] = {
	[SEE_PODS] = {pod_decode, seen_free, pod_changed, NULL, NULL},
	[SEE_IPS] = {ip_decode, seen_free, ip_changed, NULL, NULL},
	[SEE_SUBNETS] = {subnet_decode, seen_free, NULL, NULL, NULL},
};

#endif
