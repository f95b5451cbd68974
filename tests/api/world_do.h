/* SPDX-License-Identifier: Apache-2.0 */
/* The hands of world.c: pods as users, the scheduler and kubelets make and end them. */
#ifndef TESTS_API_WORLD_DO_H
#define TESTS_API_WORLD_DO_H

#include "lib/base/sb.h"
#include "tests/api/world_see.h"

#define PODS    API_V1 "/namespaces/default/pods"
#define IPS     API_OURS "/namespaces/default/macvlanips"
#define GIVE_UP 120000

/* A chain of writes about one pod. */
struct errand {
	struct world *w;
	char *path;
	int step;            /* of leave and of lies */
	char *subnet, *name; /* of renew */
	char *claim;         /* the address that a liar says is its own */
};

/* ------------------------------------------------------------------ writing */

static void errand_done(struct errand *a, const struct err *e)
{
	struct world *w = a->w;

	if (e) {
		w->failed++;
		w->last = *e;
	}
	w->drained = !--w->pending;
	free(a->path);
	free(a->subnet);
	free(a->name);
	free(a->claim);
	free(a);
}

static struct errand *errand_new(struct world *w, const char *path)
{
	struct errand *a = xcalloc(1, sizeof(*a));

	a->w = w;
	a->path = xstrdup(path);
	w->pending++;
	w->drained = false;
	return a;
}

/* What is gone already needs no ending. */
static void on_done(void *ctx, struct kube_response *res, const struct err *e)
{
	(void)res;
	errand_done(ctx, e && e->kind == ERR_NOT_FOUND ? NULL : e);
}

static void post(struct world *w, const char *path, const char *body)
{
	struct kube_request req = kube_request_create(path, body, clock_now_ms() + GIVE_UP);

	kube_submit(w->client, &req, on_done, errand_new(w, path));
}

static void delete (struct world *w, const char *path, const char *options)
{
	struct kube_request req = kube_request_delete(path, options, clock_now_ms() + GIVE_UP);

	kube_submit(w->client, &req, on_done, errand_new(w, path));
}

static void come(struct world *w, const char *subnet, const char *name, const char *address)
{
	AUTO(sb_done) struct sb body = SB_INIT;

	sb_printf(&body,
		  "{\"metadata\":{\"name\":\"%s\",\"annotations\":{\"tandem-cni.io/subnet\":\"%s\"",
		  name, subnet);
	if (address)
		sb_printf(
			&body,
			",\"tandem-cni.io/ip\":\"%s\"},\"labels\":{\"pod-template-hash\":\"1\"},"
			"\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\","
			"\"name\":\"fixed-1\",\"uid\":\"1\",\"controller\":true}]",
			address);
	else
		sb_puts(&body, "}");
	sb_puts(&body,
		"},\"spec\":{\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\",\"image\":\"none\"}]}}");
	post(w, PODS, sb_get(&body));
}

static void patch(struct world *w, const char *path, const char *body, kube_done_fn *done,
		  struct errand *a)
{
	struct kube_request req = kube_request_merge_patch(path, body, clock_now_ms() + GIVE_UP);

	kube_submit(w->client, &req, done, a);
}

static void succeed(struct world *w, const char *path, const char *body, kube_done_fn *done,
		    struct errand *a)
{
	AUTO(free) char *status = xasprintf("%s/status", path);

	patch(w, status, body, done, a);
}

static void left(struct errand *a, const struct err *e)
{
	if (a->subnet && !e)
		come(a->w, a->subnet, a->name, NULL);
	errand_done(a, e);
}

static void leave_step(void *ctx, struct kube_response *res, const struct err *e)
{
	static const char terminated[] =
		"{\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"c\",\"image\":\"i\","
		"\"imageID\":\"\",\"restartCount\":0,\"ready\":false,\"state\":{\"terminated\":{\"exitCode\":0}}}]}}";
	struct errand *a = ctx;
	struct kube_request req;

	(void)res;
	/* Already gone: all the same. */
	if (a->step == 3 || (e && e->kind == ERR_NOT_FOUND)) {
		left(a, e && e->kind != ERR_NOT_FOUND ? e : NULL);
		return;
	}
	if (++a->step == 2) {
		succeed(a->w, a->path, terminated, leave_step, a);
		return;
	}
	req = kube_request_delete(a->path,
				  a->step == 1 ? "{\"gracePeriodSeconds\":30}"
					       : "{\"gracePeriodSeconds\":0}",
				  clock_now_ms() + GIVE_UP);
	kube_submit(a->w->client, &req, leave_step, a);
}

/* One name of a command that takes several. */
static void about(struct world *w, const char *verb, const char *subnet, char *name)
{
	AUTO(free) char *path = xasprintf(PODS "/%s", name);
	char *address = strchr(name, '=');
	struct errand *a;

	if (address)
		*address++ = '\0';
	if (str_eq(verb, "come"))
		come(w, subnet, name, address);
	else if (str_eq(verb, "vanish"))
		delete (w, path, "{\"gracePeriodSeconds\":0}");
	else if (str_eq(verb, "succeed"))
		succeed(w, path, "{\"status\":{\"phase\":\"Succeeded\"}}", on_done,
			errand_new(w, path));
	else {
		a = errand_new(w, path);
		a->subnet = xstrdup(subnet);
		a->name = xstrdup(name);
		leave_step(a, NULL, NULL);
	}
}

/* "p1..p1000" or "p1". */
static void about_range(struct world *w, const char *verb, const char *subnet, char *names)
{
	char *last = strstr(names, "..");
	size_t letters = strcspn(names, "0123456789.=");
	uint32_t from, to;

	if (!last) {
		about(w, verb, subnet, names);
		return;
	}
	*last = '\0';
	last += 2 + letters;
	if (parse_u32(names + letters, UINT32_MAX, &from) < 0 ||
	    parse_u32(last, UINT32_MAX, &to) < 0)
		return;
	for (; from <= to; from++) {
		AUTO(free) char *name = xasprintf("%.*s%u", (int)letters, names, from);

		about(w, verb, subnet, name);
	}
}

#endif
