/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Against a real etcd and kube-apiserver, started on loopback and stopped again. Binaries: etcd in
 * PATH; kube-apiserver in $TANDEM_KUBE_BIN or the newest of
 * ${TANDEM_CACHE:-/var/cache/tandem}/kubernetes-*. Skipped where one is missing.
 */
#include "lib/base/time_test.h"
#include "lib/base/test.h"

#include <ftw.h>

#include "lib/base/sb.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/json.h"
#include "lib/kube/lease.h"
#include "lib/kube/path.h"
#include "lib/kube/real_test.h"
#include "lib/kube/reflector.h"
#include "lib/kube/store.h"
#include "lib/kube/wait.h"

#define MAPS "/api/v1/namespaces/t/configmaps"

static int do_it(struct real *r, struct kube_request req)
{
	return kube_do(r->client, &req, &r->res, &r->e);
}

static int create_map(struct real *r, const char *name, const char *label)
{
	AUTO(free)
	char *body = xasprintf("{\"metadata\":{\"name\":\"%s\",\"labels\":{\"l\":\"%s\"}}}", name,
			       label);

	return do_it(r, kube_request_create(MAPS, body, in_ms(test_ms(5000))));
}

static int patch_map(struct real *r, const char *name, const char *body)
{
	AUTO(free) char *path = kube_path("v1", "t", "configmaps", name, NULL);

	return do_it(r, kube_request_merge_patch(path, body, in_ms(test_ms(5000))));
}

static int delete_map(struct real *r, const char *name, const char *uid, const char *version)
{
	AUTO(free) char *path = kube_path("v1", "t", "configmaps", name, NULL);
	AUTO(sb_done) struct sb options = SB_INIT;
	struct jw w = jw_init(&options);

	jw_obj(&w);
	jw_kv_obj(&w, "preconditions");
	jw_kv_opt(&w, "uid", uid);
	jw_kv_opt(&w, "resourceVersion", version);
	jw_end(&w);
	jw_end(&w);
	return do_it(r, kube_request_delete(path, sb_get(&options), in_ms(test_ms(5000))));
}

/* A metadata string of the last answer; the caller frees it. */
static char *meta(struct real *r, const char *key)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root;

	assert_int_equal(kube_response_parse(&r->res, &doc, &r->e), 0);
	root = jdoc_root(doc);
	return xstrdup(kube_json_meta(&root, key));
}

static int setup(void **state)
{
	struct real *r = xcalloc(1, sizeof(*r));

	*state = r;
	r->apiserver = find_apiserver();
	if (!r->apiserver || access("/usr/bin/etcd", X_OK))
		return 0;
	snprintf(r->dir, sizeof(r->dir), "/tmp/kube-real-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	r->etcd_port = free_port();
	r->peer_port = free_port();
	r->port = free_port();
	make_certs(r);
	start_etcd(r);
	start_apiserver(r);
	r->client = client_of(r, &r->admin);
	/* Refused, then 500 for some seconds: the client's own repeats do the waiting. */
	if (do_it(r, kube_request_get("/readyz", NULL, in_ms(test_ms(120000))))) {
		print_message("not ready: %s\n", r->e.msg);
		show_end(r, "etcd");
		show_end(r, "apiserver");
		return -1;
	}
	return do_it(r, kube_request_create("/api/v1/namespaces", "{\"metadata\":{\"name\":\"t\"}}",
					    in_ms(test_ms(5000))));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

static int teardown(void **state)
{
	struct real *r = *state;

	kube_client_free(r->client);
	kube_response_done(&r->res);
	stop(&r->api_pid);
	stop(&r->etcd_pid);
	if (r->dir[0])
		nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	test_cert_done(&r->ca);
	test_cert_done(&r->server);
	test_cert_done(&r->admin);
	test_cert_done(&r->nobody);
	free(r->apiserver);
	free(r);
	return 0;
}

static struct real *need(void **state)
{
	struct real *r = *state;

	if (!r->client) {
		print_message("needs etcd and kube-apiserver (TANDEM_KUBE_BIN=folder)\n");
		skip();
	}
	return r;
}

/* ------------------------------------------------------------------ single objects */

static void test_life_of_an_object(void **state)
{
	struct real *r = need(state);
	AUTO(free) char *uid = NULL, *first = NULL, *second = NULL, *stale = NULL;

	assert_int_equal(create_map(r, "one", "x"), 0);
	assert_int_equal(r->res.status, 201);
	uid = meta(r, "uid");
	first = meta(r, "resourceVersion");
	assert_int_equal(create_map(r, "one", "x"), -1);
	assert_int_equal(r->e.kind, ERR_CONFLICT);
	assert_string_equal(r->res.reason, "AlreadyExists");
	assert_string_equal(r->e.msg, "POST " MAPS ": configmaps \"one\" already exists");
	assert_int_equal(patch_map(r, "one", "{\"data\":{\"a\":\"1\"}}"), 0);
	second = meta(r, "resourceVersion");
	assert_string_not_equal(first, second);
	stale = xasprintf("{\"metadata\":{\"resourceVersion\":\"%s\"},\"data\":{\"a\":\"2\"}}",
			  first);
	assert_int_equal(patch_map(r, "one", stale), -1);
	assert_int_equal(r->e.kind, ERR_CONFLICT);
	assert_string_equal(r->res.reason, "Conflict");
	assert_int_equal(delete_map(r, "one", "another-uid", NULL), -1);
	assert_int_equal(r->e.kind, ERR_CONFLICT);
	assert_string_equal(r->res.reason, "Conflict");
	assert_int_equal(delete_map(r, "one", uid, first), -1);
	assert_int_equal(r->e.kind, ERR_CONFLICT);
	assert_int_equal(delete_map(r, "one", uid, second), 0);
	assert_int_equal(delete_map(r, "one", uid, second), -1);
	assert_int_equal(r->e.kind, ERR_NOT_FOUND);
	assert_string_equal(r->res.reason, "NotFound");
}

static void test_refusals(void **state)
{
	struct real *r = need(state);
	AUTO(kube_client_free) struct kube_client *nobody = client_of(r, &r->nobody);
	AUTO(free) char *hostile = kube_path("v1", "t", "configmaps", "../secrets", NULL);
	struct kube_request req = kube_request_get(MAPS, NULL, in_ms(test_ms(5000)));

	assert_int_equal(kube_do(nobody, &req, &r->res, &r->e), -1);
	assert_int_equal(r->e.kind, ERR_API);
	assert_int_equal(r->e.num, 403);
	assert_string_equal(r->res.reason, "Forbidden");
	assert_string_equal(r->e.msg,
			    "GET " MAPS ": configmaps is forbidden: User \"nobody\" cannot list "
			    "resource \"configmaps\" in API group \"\" in the namespace \"t\"");
	assert_int_equal(do_it(r, kube_request_get(hostile, NULL, in_ms(test_ms(5000)))), -1);
	assert_int_equal(r->e.kind, ERR_NOT_FOUND);
	assert_int_equal(create_map(r, "Not_A_Name", "x"), -1);
	assert_int_equal(r->e.kind, ERR_API);
	assert_int_equal(r->e.num, 422);
	assert_string_equal(r->res.reason, "Invalid");
	assert_int_equal(
		do_it(r, kube_request_get("/apis/no.such/v1/things", NULL, in_ms(test_ms(5000)))),
		-1);
	assert_int_equal(r->e.kind, ERR_NOT_FOUND);
}

/* ------------------------------------------------------------------ collections */

struct listing {
	struct real *real;
	int begun, items;
	bool compact; /* at the first object, so that the next page's token is too old */
};

static void on_begin(void *ctx)
{
	struct listing *l = ctx;

	l->begun++;
	l->items = 0;
}

/* Forget etcd's history up to now, as it does by itself every five minutes. */
static void compact(struct real *r)
{
	AUTO(free) char *url = xasprintf("http://127.0.0.1:%d", r->etcd_port);
	AUTO(kube_client_free) struct kube_client *etcd = NULL;
	AUTO(free) char *version = NULL, *body = NULL;
	struct kube_config cfg = {.source = (char *)"test", .server = url};
	struct kube_request req;

	assert_int_equal(patch_map(r, "m-0", "{\"data\":{\"compacted\":\"y\"}}"), 0);
	assert_int_equal(patch_map(r, "m-0", "{\"data\":{\"compacted\":null}}"), 0);
	version = meta(r, "resourceVersion");
	body = xasprintf("{\"revision\":\"%s\",\"physical\":true}", version);
	assert_int_equal(kube_client_new(&cfg, NULL, &etcd, &r->e), 0);
	req = kube_request_create("/v3/kv/compaction", body, in_ms(test_ms(5000)));
	assert_int_equal(kube_do(etcd, &req, &r->res, &r->e), 0);
}

static int on_item(void *ctx, const struct jval *obj, struct err *e)
{
	struct listing *l = ctx;

	(void)e;
	assert_non_null(kube_json_meta(obj, "name"));
	l->items++;
	if (l->compact) {
		l->compact = false;
		compact(l->real);
	}
	return 0;
}

struct creations {
	int left;
	bool done;
};

static void on_created(void *ctx, struct kube_response *res, const struct err *e)
{
	struct creations *c = ctx;

	(void)res;
	assert_null(e);
	c->done = !--c->left;
}

static void test_pages(void **state)
{
	struct real *r = need(state);
	struct listing l = {.real = r};
	struct kube_list list = {.path = MAPS,
				 .query = "labelSelector=l%3Dpage",
				 .page = 7,
				 .begin = on_begin,
				 .item = on_item,
				 .ctx = &l};
	struct creations made = {.left = 50};
	struct kube_client_stats before, after;

	for (int i = 0; i < 50; i++) {
		AUTO(free)
		char *body = xasprintf(
			"{\"metadata\":{\"name\":\"m-%d\",\"labels\":{\"l\":\"page\"}}}", i);
		struct kube_request req = kube_request_create(MAPS, body, in_ms(test_ms(10000)));

		kube_submit(r->client, &req, on_created, &made);
	}
	assert_int_equal(kube_client_wait(r->client, &made.done, in_ms(test_ms(10000)), &r->e), 0);
	kube_client_stats(r->client, &before);
	assert_int_equal(kube_list_all(r->client, &list, &r->e), 0);
	kube_client_stats(r->client, &after);
	assert_int_equal(l.items, 50);
	assert_int_equal(l.begun, 1);
	assert_int_equal(after.requests - before.requests, 8);
	/* 410 in the middle. */
	l.compact = true;
	l.begun = 0;
	assert_int_equal(kube_list_all(r->client, &list, &r->e), 0);
	assert_int_equal(l.begun, 2);
	assert_int_equal(l.items, 50);
}

/* ------------------------------------------------------------------ reflector */

struct watched {
	struct sb log;
	size_t lists;
};

static int decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	(void)ctx;
	(void)e;
	*out = xstrdup(kube_json_meta(obj, "uid"));
	return 0;
}

static void changed(void *ctx, const char *key, const void *old, const void *obj)
{
	sb_printf(&((struct watched *)ctx)->log, "%c%s ", !old ? '+' : obj ? '~' : '-', key);
}

static void synced(void *ctx)
{
	((struct watched *)ctx)->lists++;
}

static const struct kube_store_ops ops = {
	.decode = decode, .free = free, .changed = changed, .synced = synced};

static void until(struct real *r, struct watched *w, const char *log)
{
	int64_t deadline = in_ms(test_ms(20000));
	bool never = false;

	while (!str_eq(sb_get(&w->log), log) && clock_now_ms() < deadline)
		IGNORE(kube_client_wait(r->client, &never, in_ms(10), &r->e), "a slice of time");
	assert_string_equal(sb_get(&w->log), log);
	sb_clear(&w->log);
}

static void until_watching(struct real *r, struct kube_reflector *f)
{
	int64_t deadline = in_ms(test_ms(20000));
	bool never = false;

	while (!kube_reflector_is_watching(f) && clock_now_ms() < deadline)
		IGNORE(kube_client_wait(r->client, &never, in_ms(10), &r->e), "a slice of time");
	assert_true(kube_reflector_is_watching(f));
}

static void test_reflector_over_a_restart(void **state)
{
	struct real *r = need(state);
	struct kube_reflector_options opt = {.path = MAPS, .query = "labelSelector=l%3Dw"};
	struct watched w = {0};
	struct kube_store *store = kube_store_new(&ops, &w);
	struct kube_reflector *f;

	assert_int_equal(create_map(r, "w-1", "w"), 0);
	f = kube_reflector_new(r->client, store, &opt);
	until(r, &w, "+t/w-1 ");
	until_watching(r, f);
	assert_int_equal(create_map(r, "w-2", "w"), 0);
	assert_int_equal(create_map(r, "not-this", "other"), 0);
	assert_int_equal(patch_map(r, "w-1", "{\"data\":{\"a\":\"1\"}}"), 0);
	/* Out of the selector is gone. */
	assert_int_equal(patch_map(r, "w-2", "{\"metadata\":{\"labels\":{\"l\":\"v\"}}}"), 0);
	until(r, &w, "+t/w-2 ~t/w-1 -t/w-2 ");
	stop(&r->api_pid);
	start_apiserver(r);
	assert_int_equal(do_it(r, kube_request_get("/readyz", NULL, in_ms(test_ms(120000)))), 0);
	assert_int_equal(delete_map(r, "w-1", NULL, NULL), 0);
	until(r, &w, "-t/w-1 ");
	until_watching(r, f);
	assert_int_equal(create_map(r, "w-3", "w"), 0);
	until(r, &w, "+t/w-3 ");
	kube_reflector_free(f);
	kube_store_free(store);
	sb_done(&w.log);
}

/* ------------------------------------------------------------------ wait */

static int has_data(void *ctx, const struct jval *obj, struct err *e)
{
	struct jval data;

	(void)ctx;
	return obj ? jget_obj(obj, "data", &data, e) : 0;
}

/* Another client, which makes the object and then its data. */
static void *make_it(void *ctx)
{
	struct real other = *(struct real *)ctx;

	memset(&other.res, 0, sizeof(other.res));
	other.client = client_of(&other, &other.admin);
	/* Time for the other to begin its watch. */
	poll(NULL, 0, 100);
	if (create_map(&other, "waited", "x") ||
	    patch_map(&other, "waited", "{\"data\":{\"a\":\"1\"}}"))
		abort();
	kube_client_free(other.client);
	kube_response_done(&other.res);
	return NULL;
}

static void test_wait(void **state)
{
	struct real *r = need(state);
	struct kube_wait w = {.collection = MAPS, .name = "waited", .ready = has_data};
	struct kube_client_stats before, after;
	pthread_t thread;

	w.deadline_ms = in_ms(test_ms(10000));
	pthread_create(&thread, NULL, make_it, r);
	assert_int_equal(kube_wait(r->client, &w, &r->e), 0);
	pthread_join(thread, NULL);
	kube_client_stats(r->client, &before);
	assert_int_equal(kube_wait(r->client, &w, &r->e), 0);
	kube_client_stats(r->client, &after);
	assert_int_equal(after.requests - before.requests, 1);
	w.name = "never";
	w.deadline_ms = in_ms(300);
	assert_int_equal(kube_wait(r->client, &w, &r->e), -1);
	assert_int_equal(r->e.kind, ERR_TIMEOUT);
	assert_string_equal(r->e.msg, MAPS "/never: deadline exceeded: it does not exist");
}

/* ------------------------------------------------------------------ lease */

#define LEASE "/apis/coordination.k8s.io/v1/namespaces/t/leases/leader"

struct candidate {
	struct kube_client *client;
	struct kube_lease *lease;
	struct sb log;
};

static void on_acquired(void *ctx)
{
	sb_puts(&((struct candidate *)ctx)->log, "acquired ");
}

static void on_lost(void *ctx, const char *why)
{
	sb_printf(&((struct candidate *)ctx)->log, "lost: %s ", why);
}

static void on_holder(void *ctx, const char *identity)
{
	sb_printf(&((struct candidate *)ctx)->log, "holder=%s ", identity);
}

static void stand(struct real *r, struct candidate *c, const char *identity)
{
	static const struct kube_lease_ops lease_ops = {
		.acquired = on_acquired, .lost = on_lost, .holder = on_holder};
	struct kube_lease_options opt = {.ns = "t",
					 .name = "leader",
					 .identity = identity,
					 .duration_ms = 3000,
					 .renew_deadline_ms = 2500,
					 .retry_ms = 200,
					 .ops = &lease_ops,
					 .ctx = c};

	memset(c, 0, sizeof(*c));
	c->client = client_of(r, &r->admin);
	c->lease = kube_lease_new(c->client, &opt);
}

static void withdraw(struct candidate *c)
{
	kube_lease_free(c->lease);
	kube_client_free(c->client);
	sb_done(&c->log);
	memset(c, 0, sizeof(*c));
}

static void turn(struct candidate *a, struct candidate *b)
{
	bool never = false;
	struct err e = {0};

	IGNORE(kube_client_wait(a->client, &never, in_ms(5), &e), "a slice of time");
	if (b)
		IGNORE(kube_client_wait(b->client, &never, in_ms(5), &e), "the same");
}

/* Run both (b may be NULL) until a's log reads so. */
static void until_told(struct candidate *a, struct candidate *b, const char *log)
{
	int64_t deadline = in_ms(test_ms(20000));

	while (!str_eq(sb_get(&a->log), log) && clock_now_ms() < deadline)
		turn(a, b);
	assert_string_equal(sb_get(&a->log), log);
	sb_clear(&a->log);
}

static void expect_lease(struct real *r, const char *holder, int64_t transitions,
			 int64_t duration_s)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	const char *is = "", *renewed = "";
	int64_t n = -1, s = -1;
	struct jval root, spec;

	assert_int_equal(do_it(r, kube_request_get(LEASE, NULL, in_ms(test_ms(5000)))), 0);
	assert_int_equal(kube_response_parse(&r->res, &doc, &r->e), 0);
	root = jdoc_root(doc);
	assert_int_equal(jget_obj(&root, "spec", &spec, &r->e), 1);
	assert_int_equal(jget_str(&spec, "holderIdentity", &is, &r->e), 1);
	assert_string_equal(is, holder);
	assert_int_equal(jget_i64(&spec, "leaseTransitions", JRANGE(0, 99), &n, &r->e), 1);
	assert_int_equal(n, transitions);
	assert_int_equal(jget_i64(&spec, "leaseDurationSeconds", JRANGE(0, 99), &s, &r->e), 1);
	assert_int_equal(s, duration_s);
	assert_int_equal(jget_str(&spec, "renewTime", &renewed, &r->e), 1);
	assert_int_equal(strlen(renewed), strlen("2006-01-02T15:04:05.000000Z"));
}

static void test_lease(void **state)
{
	struct real *r = need(state);
	struct candidate a, b;
	int64_t vanished;

	stand(r, &a, "a");
	until_told(&a, NULL, "holder= acquired ");
	expect_lease(r, "a", 0, 3);
	stand(r, &b, "b");
	until_told(&b, &a, "holder=a ");
	/* Over several of its durations. */
	for (int64_t stop = in_ms(7000); clock_now_ms() < stop;)
		turn(&a, &b);
	until_told(&b, &a, "");
	expect_lease(r, "a", 0, 3);
	/* Gone without a word. */
	vanished = clock_now_ms();
	withdraw(&a);
	until_told(&b, NULL, "acquired ");
	assert_true(clock_now_ms() - vanished >= 2000);
	expect_lease(r, "b", 1, 3);
	/* Handed on. */
	stand(r, &a, "a2");
	until_told(&a, &b, "holder=b ");
	assert_int_equal(kube_lease_release(b.lease, in_ms(test_ms(5000)), &r->e), 0);
	expect_lease(r, "", 1, 1);
	until_told(&a, &b, "holder= acquired ");
	expect_lease(r, "a2", 2, 3);
	/* Taken by a hand. */
	assert_int_equal(do_it(r, kube_request_merge_patch(LEASE,
							   "{\"spec\":{\"holderIdentity\":\"c\"}}",
							   in_ms(test_ms(5000)))),
			 0);
	until_told(&a, &b, "lost: c has it ");
	assert_false(kube_lease_is_held(a.lease));
	withdraw(&a);
	withdraw(&b);
	/* Deleted under its holder, it is made again. */
	assert_int_equal(do_it(r, kube_request_delete(LEASE, NULL, in_ms(test_ms(5000)))), 0);
	stand(r, &a, "a3");
	until_told(&a, NULL, "holder= acquired ");
	assert_int_equal(do_it(r, kube_request_delete(LEASE, NULL, in_ms(test_ms(5000)))), 0);
	for (int64_t stop = in_ms(test_ms(20000));
	     do_it(r, kube_request_get(LEASE, NULL, in_ms(test_ms(5000)))) &&
	     clock_now_ms() < stop;)
		turn(&a, NULL);
	expect_lease(r, "a3", 0, 3);
	assert_true(kube_lease_is_held(a.lease));
	withdraw(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life_of_an_object),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_reflector_over_a_restart),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_lease),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
