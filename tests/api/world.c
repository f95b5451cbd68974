/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hands and eyes of a test at a real API server: makes and ends pods as users, the scheduler and kubelets
 * would, 16 requests at a time, and watches every state of every pod, record and subnet.
 *
 *	world KUBECONFIG
 *
 * Commands come on stdin, a line each; each is answered by one line on stdout. Those that write are answered at
 * once and go on by themselves; drain waits for them.
 *
 *	come SUBNET NAME...	pods, bound to node n1; NAME=ADDRESS asks for that one, as a pod of Deployment fixed
 *	leave NAME...		as a kubelet ends them: grace, terminated containers, gone
 *	renew SUBNET NAME...	... and others of the same name come
 *	vanish NAME...		by force
 *	succeed NAME...		phase Succeeded; the object stays
 *	post PATH JSON		delete PATH
 *	lie KIND SUBNET ADDRESS...	pods and records that claim what is not theirs: late, ask or made, see world_lie.h
 *	unlie			the pods that lie go
 *	drain			"ok", or how many writes failed and the last one's error
 *
 *	live			"NAME:SUBNET:ADDRESS ..." of all pods that live; "-" = no address in a record of its own
 *	settled SUBNET SIZE	"yes" when all are served, or SIZE of those that ask SUBNET for any address
 *	served N		"yes" when N live, at least, and all are served
 *	pending			how many writes of pods are not answered yet
 *	records			how many there are, without those of liars
 *	lies			"N": pods that lie, and their records
 *	counts			"SUBNET:used,free,reserved,inflight,cooling ..." as the subnets' status says
 *	faults			"doubles N, moved N, lied N": addresses in two records at one time, pods with two addresses
 *				in turn, liars that got an address
 *	asked			how often a node was asked for a liar's card
 *	journal FILE		write into it which pod has which address from now on: "+|- ADDRESS POD-UID"; - ends it
 *	mark			forget faults, and times from bound to served
 *	times			"served N, p50 MS, p99 MS, max MS, span MS": of each from bound to served; the span
 *				begins with the first sign of a record
 *	rate N			how many MacvlanIPs the API server makes in a second, of N; they are deleted again
 *
 * NAME may be FIRST..LAST with the same letters before the numbers: p1..p1000.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/sb.h"
#include "lib/kube/config.h"
#include "tests/api/world_do.h"
#include "tests/api/world_lie.h"
#include "tests/api/world_see.h"

/* ------------------------------------------------------------------ answers */

static void drain(struct world *w)
{
	struct err e = {0};

	if (w->pending &&
	    kube_client_wait(w->client, &w->drained, clock_now_ms() + GIVE_UP, &e) < 0)
		printf("%zu pending: %s\n", w->pending, e.msg);
	else if (w->failed)
		printf("%zu failed: %s\n", w->failed, w->last.msg);
	else
		printf("ok\n");
	w->failed = 0;
}

/* The address in the record that is this pod's, or "-". */
static const char *address_of(const struct world *w, const struct seen *pod)
{
	const struct seen *ip = kube_store_get(w->store[SEE_IPS], "default", pod->name);

	return ip && str_eq(ip->pod_uid, pod->uid) && ip->address && *ip->address ? ip->address
										  : "-";
}

static void live(const struct world *w)
{
	const struct seen *s;
	size_t pos = 0;

	while ((s = kube_store_each(w->store[SEE_PODS], &pos, NULL))) {
		if (s->lives)
			printf("%s:%s:%s ", s->name, s->subnet, address_of(w, s));
	}
	printf("\n");
}

static bool all_served(const struct world *w, uint32_t n)
{
	const struct seen *s;
	size_t pos = 0;

	while ((s = kube_store_each(w->store[SEE_PODS], &pos, NULL))) {
		if (s->lives && str_eq(address_of(w, s), "-"))
			return false;
		n -= s->lives && n;
	}
	return !n;
}

/* Those that ask subnet for any address need not be served beyond size. */
static bool is_settled(const struct world *w, const char *subnet, uint32_t size)
{
	uint32_t waiting = 0, served = 0;
	const struct seen *s;
	size_t pos = 0;

	while ((s = kube_store_each(w->store[SEE_PODS], &pos, NULL))) {
		bool has = !str_eq(address_of(w, s), "-");

		if (!s->lives)
			continue;
		if (s->fixed || !str_eq(s->subnet, subnet)) {
			if (!has)
				return false;
			continue;
		}
		waiting += !has;
		served += has;
	}
	return !waiting || served >= size;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct seen *const *)a)->name,
		      (*(const struct seen *const *)b)->name);
}

static void counts(const struct world *w)
{
	const struct seen *all[64], *s;
	size_t pos = 0, n = 0;

	while (n < ARRAY_SIZE(all) && (s = kube_store_each(w->store[SEE_SUBNETS], &pos, NULL)))
		all[n++] = s;
	qsort(all, n, sizeof(all[0]), by_name);
	for (size_t i = 0; i < n; i++)
		printf("%s%s:%lld,%lld,%lld,%zu,%lld", i ? " " : "", all[i]->name,
		       (long long)all[i]->used, (long long)all[i]->free,
		       (long long)all[i]->reserved, all[i]->inflight, (long long)all[i]->cooling);
	printf("\n");
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void times(const struct world *w)
{
	int64_t last = 0, *took = xcalloc(w->lives.count + 1, sizeof(*took));
	size_t pos = 0, n = 0;
	const struct life *l;

	while ((l = map_each(&w->lives, &pos))) {
		if (!l->served_ms || !l->bound_ms || l->bound_ms < w->mark_ms)
			continue;
		took[n++] = l->served_ms > l->bound_ms ? l->served_ms - l->bound_ms : 0;
		if (l->served_ms > last)
			last = l->served_ms;
	}
	qsort(took, n, sizeof(*took), by_value);
	printf("served %zu, p50 %lld, p99 %lld, max %lld, span %lld\n", n,
	       (long long)(n ? took[n / 2] : 0), (long long)(n ? took[(n * 99 + 99) / 100 - 1] : 0),
	       (long long)(n ? took[n - 1] : 0), (long long)(n ? last - w->first_record_ms : 0));
	free(took);
}

static void rate(struct world *w, uint32_t n)
{
	int64_t began = clock_now_ms(), took;
	struct err e = {0};

	for (uint32_t i = 0; i < n; i++) {
		AUTO(free)
		char *body = xasprintf(
			"{\"apiVersion\":\"tandem-cni.io/v1\",\"kind\":\"MacvlanIP\",\"metadata\":{\"name\":\"rate-%u\","
			"\"labels\":{\"tandem-cni.io/node\":\"n1\",\"tandem-cni.io/subnet\":\"load\"},\"ownerReferences\":"
			"[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"rate-%u\",\"uid\":\"7a80621f-82d0-4fb4-9cd1-5728c9baf992\"}]},"
			"\"spec\":{\"subnet\":\"load\",\"podId\":\"7a80621f-82d0-4fb4-9cd1-5728c9baf992\",\"node\":\"n1\",\"master\":"
			"\"ens4\",\"vlan\":0,\"linkType\":\"macvlan\",\"mode\":\"bridge\",\"mtu\":0,\"gateway\":\"10.50.0.1\"}}",
			i, i);

		post(w, IPS, body);
	}
	IGNORE(kube_client_wait(w->client, &w->drained, began + GIVE_UP, &e), "told by the count");
	took = clock_now_ms() - began;
	for (uint32_t i = 0; i < n; i++) {
		AUTO(free) char *path = xasprintf(IPS "/rate-%u", i);

		delete (w, path, NULL);
	}
	IGNORE(kube_client_wait(w->client, &w->drained, clock_now_ms() + GIVE_UP, &e), "the same");
	printf("%lld\n", w->failed ? -1LL : (long long)n * 1000 / (took ? took : 1));
}

/* ------------------------------------------------------------------ commands */

static void write_journal(struct world *w, const char *file)
{
	if (w->journal)
		fclose(w->journal);
	w->journal = str_eq(file, "-") ? NULL : fopen(file, "we");
	printf("%s\n", w->journal || str_eq(file, "-") ? "ok" : "cannot be written");
}

static uint32_t number(const char *text)
{
	uint32_t n = 0;

	IGNORE(text && parse_u32(text, UINT32_MAX, &n) < 0, "0 then");
	return n;
}

/* Those that write; false = not one of them. */
static bool do_write(struct world *w, const char *verb, char **rest)
{
	const char *first, *subnet = NULL;
	char *name;

	if (str_eq(verb, "post") || str_eq(verb, "delete")) {
		first = strtok_r(NULL, " ", rest);
		if (str_eq(verb, "post"))
			post(w, first, *rest);
		else
			delete (w, first, NULL);
	} else if (str_eq(verb, "lie")) {
		first = strtok_r(NULL, " ", rest);
		subnet = strtok_r(NULL, " ", rest);
		while (first && subnet && (name = strtok_r(NULL, " ", rest)))
			lie(w, first, subnet, name);
	} else if (str_eq(verb, "unlie")) {
		unlie(w);
	} else if (str_eq(verb, "come") || str_eq(verb, "leave") || str_eq(verb, "renew") ||
		   str_eq(verb, "vanish") || str_eq(verb, "succeed")) {
		if (str_eq(verb, "come") || str_eq(verb, "renew"))
			subnet = strtok_r(NULL, " ", rest);
		while ((name = strtok_r(NULL, " ", rest)))
			about_range(w, verb, subnet, name);
	} else {
		return false;
	}
	printf("ok\n");
	return true;
}

static void do_command(struct world *w, char *line)
{
	char *rest = NULL;
	const char *verb = strtok_r(line, " ", &rest), *subnet;

	if (!verb || do_write(w, verb, &rest))
		return;
	if (str_eq(verb, "drain")) {
		drain(w);
	} else if (str_eq(verb, "live")) {
		live(w);
	} else if (str_eq(verb, "settled")) {
		subnet = strtok_r(NULL, " ", &rest);
		printf("%s\n",
		       is_settled(w, subnet, number(strtok_r(NULL, " ", &rest))) ? "yes" : "no");
	} else if (str_eq(verb, "served")) {
		printf("%s\n", all_served(w, number(strtok_r(NULL, " ", &rest))) ? "yes" : "no");
	} else if (str_eq(verb, "pending")) {
		printf("%zu\n", w->pending);
	} else if (str_eq(verb, "records")) {
		printf("%zu\n", count_lies(w, SEE_IPS, false));
	} else if (str_eq(verb, "lies")) {
		printf("%zu\n", count_lies(w, SEE_IPS, true) + count_lies(w, SEE_PODS, true));
	} else if (str_eq(verb, "asked")) {
		printf("%u\n", w->asked);
	} else if (str_eq(verb, "counts")) {
		counts(w);
	} else if (str_eq(verb, "faults")) {
		printf("doubles %u, moved %u, lied %u\n", w->doubles, w->moved, w->lied);
	} else if (str_eq(verb, "journal")) {
		write_journal(w, rest);
	} else if (str_eq(verb, "mark")) {
		w->doubles = w->moved = w->lied = 0;
		w->mark_ms = clock_now_ms();
		w->first_record_ms = 0;
		printf("ok\n");
	} else if (str_eq(verb, "times")) {
		times(w);
	} else if (str_eq(verb, "rate")) {
		rate(w, number(strtok_r(NULL, " ", &rest)));
	} else {
		printf("unknown: %s\n", verb);
	}
}

static void take_input(struct world *w, struct sb *in)
{
	char buf[4096];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));
	char *end;

	if (n <= 0) {
		w->over = true;
		return;
	}
	sb_add(in, buf, (size_t)n);
	while ((end = memchr(in->data, '\n', in->len))) {
		AUTO(free) char *line = xstrndup(in->data, (size_t)(end - in->data));
		size_t used = (size_t)(end + 1 - in->data);

		memmove(in->data, end + 1, in->len - used + 1);
		in->len -= used;
		do_command(w, line);
		fflush(stdout);
	}
}

static int start(struct world *w, const char *file, struct err *e)
{
	static const char *const paths[SEEN] = {API_V1 "/pods", API_OURS "/macvlanips",
						API_OURS "/namespaces/kube-system/macvlansubnets"};
	struct kube_client_options opt = {.max_connections = 16};
	AUTO(kube_config_free) struct kube_config *cfg = NULL;

	if (kube_config_load(file, &cfg, e) < 0 || kube_client_new(cfg, &opt, &w->client, e) < 0)
		return -1;
	for (int i = 0; i < SEEN; i++) {
		struct kube_reflector_options r = {.path = paths[i], .watch_s = 7200};

		w->store[i] = kube_store_new(&ops[i], w);
		w->reflector[i] = kube_reflector_new(w->client, w->store[i], &r);
	}
	return 0;
}

int main(int argc, char **argv)
{
	AUTO(sb_done) struct sb in = SB_INIT;
	static struct world w;
	struct err e = {0};

	log_init("world", LOG_LEVEL_INFO);
	if (argc != 2 || start(&w, argv[1], &e) < 0) {
		log_error("cannot start", "error", e.msg);
		return 2;
	}
	while (!w.over) {
		struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
				      {.fd = kube_client_fd(w.client), .events = POLLIN}};

		if (kube_client_dispatch(w.client, &e) < 0)
			return 1;
		poll(p, 2, -1);
		if (p[0].revents)
			take_input(&w, &in);
	}
	return 0;
}
