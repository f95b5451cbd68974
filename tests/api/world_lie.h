/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Those that lie, for world.c. Whatever they name, they get nothing of it: their names begin with "liar-".
 *
 *	late	a pod that runs, and is annotated then with a card that it has made up; its labels, its owner and its
 *		finalizer are others'
 *	ask	a pod of another namespace that names an address, with the owner whose address that may be
 *	made	a MacvlanIP made by hand, by somebody who may: of a pod that there is not
 */
#ifndef TESTS_API_WORLD_LIE_H
#define TESTS_API_WORLD_LIE_H

#include "tests/api/world_do.h"

#define PODS_AWAY API_V1 "/namespaces/elsewhere/pods"

/* Of the Deployment fixed, by all that a pod says of itself. */
#define LIAR_META                                                                         \
	"\"finalizers\":[\"example.com/never\"],\"labels\":{\"app\":\"fixed\","           \
	"\"pod-template-hash\":\"1\",\"tandem-cni.io/node\":\"n1\","                      \
	"\"tandem-cni.io/subnet\":\"%s\",\"statefulset.kubernetes.io/pod-name\":\"p1\"}," \
	"\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\","       \
	"\"name\":\"fixed-1\",\"uid\":\"1\",\"controller\":true}]"
#define LIAR_SPEC \
	"\"spec\":{\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\",\"image\":\"none\"}]}"

static void late_step(void *ctx, struct kube_response *res, const struct err *e)
{
	struct errand *a = ctx;

	(void)res;
	if (e || a->step == 2) {
		errand_done(a, e);
	} else if (++a->step == 1) {
		succeed(a->w, a->path,
			"{\"status\":{\"phase\":\"Running\",\"podIP\":\"10.42.0.7\"}}", late_step,
			a);
	} else {
		AUTO(free)
		char *body = xasprintf(
			"{\"metadata\":{\"annotations\":{\"tandem-cni.io/subnet\":\"%s\","
			"\"k8s.v1.cni.cncf.io/network-status\":\"[{\\\"name\\\":\\\"kube-system/%s\\\","
			"\\\"interface\\\":\\\"eth1\\\",\\\"ips\\\":[\\\"%s\\\"],"
			"\\\"mac\\\":\\\"02:00:00:00:00:07\\\"}]\"}}}",
			a->subnet, a->subnet, a->claim);

		patch(a->w, a->path, body, late_step, a);
	}
}

static void lie_late(struct world *w, const char *subnet, const char *name, const char *address)
{
	AUTO(free) char *path = xasprintf(PODS "/%s", name);
	AUTO(free)
	char *body = xasprintf("{\"metadata\":{\"name\":\"%s\"," LIAR_META "}," LIAR_SPEC "}", name,
			       subnet);
	struct kube_request req = kube_request_create(PODS, body, clock_now_ms() + GIVE_UP);
	struct errand *a = errand_new(w, path);

	a->subnet = xstrdup(subnet);
	a->claim = xstrdup(address);
	kube_submit(w->client, &req, late_step, a);
}

static void lie_ask(struct world *w, const char *subnet, const char *name, const char *address)
{
	AUTO(free)
	char *body = xasprintf(
		"{\"metadata\":{\"name\":\"%s\",\"annotations\":{\"tandem-cni.io/subnet\":"
		"\"%s\",\"tandem-cni.io/ip\":\"%s\"}," LIAR_META "}," LIAR_SPEC "}",
		name, subnet, address, subnet);

	post(w, PODS_AWAY, body);
}

static void lie_made(struct world *w, const char *subnet, const char *name, const char *address)
{
	AUTO(free)
	char *body = xasprintf(
		"{\"apiVersion\":\"tandem-cni.io/v1\",\"kind\":\"MacvlanIP\",\"metadata\":{\"name\":\"%s\","
		"\"finalizers\":[\"tandem-cni.io/address\"],\"labels\":{\"tandem-cni.io/node\":\"n1\","
		"\"tandem-cni.io/subnet\":\"%s\"}},\"spec\":{\"subnet\":\"%s\",\"podId\":"
		"\"00000000-82d0-4fb4-9cd1-5728c9baf992\",\"node\":\"n1\",\"master\":\"ens4\",\"vlan\":0,"
		"\"linkType\":\"macvlan\",\"mode\":\"bridge\",\"cidr\":\"%s/24\",\"mac\":\"02:00:00:00:00:07\"}}",
		name, subnet, subnet, address);

	post(w, IPS, body);
}

/* lie KIND SUBNET ADDRESS: the name of whoever claims 10.80.0.12 so is "liar-late-10-80-0-12". */
static void lie(struct world *w, const char *kind, const char *subnet, const char *address)
{
	AUTO(free) char *name = xasprintf("liar-%s-%s", kind, address);

	for (char *c = name; *c; c++) {
		if (*c == '.')
			*c = '-';
	}
	if (str_eq(kind, "late"))
		lie_late(w, subnet, name, address);
	else if (str_eq(kind, "ask"))
		lie_ask(w, subnet, name, address);
	else
		lie_made(w, subnet, name, address);
}

static void unlie_step(void *ctx, struct kube_response *res, const struct err *e)
{
	struct errand *a = ctx;

	(void)res;
	if (e || a->step++) {
		errand_done(a, e && e->kind == ERR_NOT_FOUND ? NULL : e);
	} else {
		struct kube_request req = kube_request_delete(a->path, "{\"gracePeriodSeconds\":0}",
							      clock_now_ms() + GIVE_UP);

		kube_submit(a->w->client, &req, unlie_step, a);
	}
}

/* All pods that lie go. What was made by hand has to go by itself. */
static void unlie(struct world *w)
{
	const struct seen *s;
	size_t pos = 0;

	while ((s = kube_store_each(w->store[SEE_PODS], &pos, NULL))) {
		AUTO(free) char *path = NULL;

		if (!s->lies)
			continue;
		path = xasprintf("%s/%s", str_starts(s->name, "liar-ask-") ? PODS_AWAY : PODS,
				 s->name);
		patch(w, path, "{\"metadata\":{\"finalizers\":null}}", unlie_step,
		      errand_new(w, path));
	}
}

static size_t count_lies(const struct world *w, int kind, bool lies)
{
	const struct seen *s;
	size_t pos = 0, n = 0;

	while ((s = kube_store_each(w->store[kind], &pos, NULL)))
		n += s->lies == lies;
	return n;
}

/* The node n1 is honest. Of a liar it knows no card. */
static void tell_card(struct world *w, const struct seen *ip)
{
	AUTO(free) char *path = xasprintf(IPS "/%s/status", ip->name);
	AUTO(free)
	char *body = xasprintf("{\"status\":{\"card\":{\"podId\":\"%s\"}}}", ip->pod_uid);

	w->asked++;
	patch(w, path, body, on_done, errand_new(w, path));
}

#endif
