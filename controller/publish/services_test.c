/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kind of object is written where, and the switch between the two, at a scripted server: the API server
 * that is at hand (1.20) cannot serve EndpointSlices of v1.
 */
#include "controller/publish/services.h"

#include "lib/base/test.h"

#include "controller/publish/internal.h"
#include "controller/publish/netstatus.h"
#include "controller/records/rooms_test.h"
#include "lib/base/sb.h"
#include "lib/kube/fake_test.h"

#define LIST(items) "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" items "]}"
#define APP2                                                                                        \
	"{\"metadata\":{\"name\":\"app2\",\"namespace\":\"d\",\"uid\":\"1\",\"resourceVersion\":"   \
	"\"1\"},\"spec\":{\"selector\":{\"app\":\"app2\"},\"clusterIP\":\"10.43.0.1\",\"ports\":[{" \
	"\"port\":43}]}}"
#define HEAD                                                                                               \
	"{\"metadata\":{\"name\":\"app2-macvlan\",\"namespace\":\"d\",\"uid\":\"9\","                      \
	"\"resourceVersion\":\"2\",\"labels\":{\"tandem-cni.io/service\":\"app2\"},\"ownerReferences\":[{" \
	"\"kind\":\"Service\",\"name\":\"app2\",\"uid\":\"1\"}]},\"spec\":{\"clusterIP\":\"None\","        \
	"\"ports\":[{\"port\":43}]}}"
/* The rest of metadata of what belongs to app2-macvlan. */
#define OWNED                                                                                            \
	"\"namespace\":\"d\",\"resourceVersion\":\"20\",\"labels\":{\"tandem-cni.io/service\":\"app2\"," \
	"\"kubernetes.io/service-name\":\"app2-macvlan\",\"endpointslice.kubernetes.io/managed-by\":"    \
	"\"tandem-controller.tandem-cni.io\"},\"ownerReferences\":[{\"kind\":\"Service\",\"name\":"      \
	"\"app2-macvlan\",\"uid\":\"9\"}]}"
#define REF                                                                                        \
	"\"nodeName\":\"n1\",\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"d\",\"name\":\"p1\"," \
	"\"uid\":\"p1-uid\"}"
#define ENDPOINTS                                                                      \
	"{\"metadata\":{\"name\":\"app2-macvlan\",\"uid\":\"app2-macvlan-uid\"," OWNED \
	",\"subsets\":[{\"addresses\":[{\"ip\":\"192.168.100.10\"," REF                \
	"}],\"ports\":[{\"name\":\"\","                                                \
	"\"port\":43,\"protocol\":\"TCP\"}]}]}"
#define SLICE                                                                                           \
	"{\"metadata\":{\"name\":\"app2-macvlan-0\",\"uid\":\"app2-macvlan-0-uid\"," OWNED              \
	",\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":[\"192.168.100.10\"],\"conditions\":{" \
	"\"ready\":true}," REF "}],\"ports\":[{\"name\":\"\",\"port\":43,\"protocol\":\"TCP\"}]}"
#define SERVED "{\"resources\":[{\"name\":\"endpointslices\"}]}"
#define V1     "/apis/discovery.k8s.io/v1/"
#define OLD    "/apis/discovery.k8s.io/v1beta1/"

struct fixture {
	struct fake fake;
	struct rooms rooms;
	struct services *services;
	struct netstatus *netstatus;
};

static void free_client(struct rooms *r)
{
	kube_client_free(r->process.client);
}

/* One pod with a card that is up, and a Service for it. */
static void begin(struct fixture *x, struct fake_reply *replies, size_t n)
{
	struct publish_in in;

	*x = (struct fixture){.fake = {.replies = replies, .n_replies = n}};
	fake_start(&x->fake);
	/* One request at a time of those that are in no hurry: the log has the order in which they were begun. */
	x->rooms.process.client =
		fake_client(&x->fake, &(struct kube_client_options){.max_connections = 8});
	x->rooms.process.phase = PHASE_RUN;
	x->rooms.opt.attached_by_pod_ip = true;
	rooms_begin(&x->rooms);
	in = (struct publish_in){&x->rooms.process, x->rooms.cluster, x->rooms.records, NULL};
	x->services = services_new(&in);
	x->netstatus = netstatus_new(&in);
	rooms_feed(
		&x->rooms, CLUSTER_IPS,
		"{\"metadata\":{\"name\":\"p1\",\"namespace\":\"d\",\"uid\":\"r1\",\"resourceVersion\":\"1\"},"
		"\"spec\":{\"subnet\":\"v\",\"podId\":\"p1-uid\",\"node\":\"n1\",\"master\":\"ens4\",\"cidr\":"
		"\"192.168.100.10/24\",\"mac\":\"e6:56:1c:96:94:09\"}}");
	rooms_feed(
		&x->rooms, CLUSTER_PODS,
		"{\"metadata\":{\"name\":\"p1\",\"namespace\":\"d\",\"uid\":\"p1-uid\",\"resourceVersion\":"
		"\"1\",\"labels\":{\"app\":\"app2\"},\"annotations\":{\"tandem-cni.io/subnet\":\"v\"}},"
		"\"spec\":{\"nodeName\":\"n1\",\"containers\":[{}]},\"status\":{\"phase\":\"Running\","
		"\"podIP\":\"10.42.0.9\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}");
}

#define BEGIN(x, ...)                                 \
	struct fake_reply replies_[] = {__VA_ARGS__}; \
	struct fixture x;                             \
	begin(&x, replies_, sizeof(replies_) / sizeof(replies_[0]))

static void end(struct fixture *x)
{
	services_free(x->services);
	netstatus_free(x->netstatus);
	rooms_end(&x->rooms, free_client);
	fake_stop(&x->fake);
}

/* The requests, when a test has failed. */
static void show(const struct fixture *x)
{
	for (size_t i = 0; i < x->fake.n_log; i++)
		print_message("%.*s\n", (int)strcspn(x->fake.log[i], "\r\n"), x->fake.log[i]);
}

/* Until the server has been asked for this so many times. */
static void until(struct fixture *x, const char *what, size_t n)
{
	int64_t deadline = in_ms(test_ms(30000));

	while (fake_count(&x->fake, what) < n) {
		int64_t next = services_run(x->services);
		int wait = next ? clock_left_ms(next) : 50;
		struct pollfd p = {.fd = kube_client_fd(x->rooms.process.client), .events = POLLIN};
		struct err e = {0};

		if (clock_now_ms() > deadline)
			show(x);
		if (clock_now_ms() > deadline)
			fail_msg("not asked for: %s", what);
		poll(&p, 1, wait < 50 ? wait : 50);
		assert_int_equal(kube_client_dispatch(x->rooms.process.client, &e), 0);
	}
}

/* Did the first come before the second? */
static bool came_before(struct fixture *x, const char *first, const char *second)
{
	size_t i;

	for (i = 0; i < x->fake.n_log && !strstr(x->fake.log[i], first); i++) {
		if (strstr(x->fake.log[i], second))
			return false;
	}
	return i < x->fake.n_log;
}

static void slices_where_they_are_served(void **state)
{
	BEGIN(x, {.match = "GET /apis/discovery.k8s.io/v1 ", .body = SERVED},
	      {.match = "/services?limit", .body = LIST(APP2)},
	      {.match = "POST /api/v1/namespaces/d/services ", .status = 201, .body = HEAD},
	      {.match = "/services?",
	       .kind = FAKE_HOLD,
	       .delay_ms = 2000,
	       .body = "{\"type\":\"ADDED\",\"object\":" HEAD "}\n"},
	      {.match = "/endpoints?label", .body = LIST("")},
	      {.match = "/endpoints?label", .kind = FAKE_HOLD},
	      {.match = V1 "endpointslices?label", .body = LIST("")},
	      {.match = V1 "endpointslices?label", .kind = FAKE_HOLD},
	      {.match = "POST " V1 "namespaces/d/endpointslices", .status = 201, .body = SLICE});

	(void)state;
	until(&x, "POST " V1 "namespaces/d/endpointslices ", 1);
	assert_int_equal(fake_count(&x.fake, "POST /api/v1/namespaces/d/services "), 1);
	assert_int_equal(fake_count(&x.fake, "POST /api/v1/namespaces/d/endpoints "), 0);
	assert_int_equal(fake_count(&x.fake, "\"addresses\":[\"192.168.100.10\"]"), 1);
	assert_int_equal(fake_count(&x.fake, OLD), 0);
	end(&x);
}

/* The server is upgraded: its watches end, and it has slices from now on. */
static void from_endpoints_to_slices(void **state)
{
	BEGIN(x, {.match = "GET /apis/discovery.k8s.io/v1 ", .status = 404, .body = "{}"},
	      {.match = "GET /apis/discovery.k8s.io/v1 ", .body = SERVED},
	      {.match = "/services?limit", .body = LIST(APP2 "," HEAD)},
	      {.match = "/services?", .kind = FAKE_STREAM, .body = "", .delay_ms = 500},
	      {.match = "/services?", .kind = FAKE_HOLD},
	      {.match = "/endpoints?label", .body = LIST(ENDPOINTS)},
	      {.match = "/endpoints?label", .kind = FAKE_HOLD},
	      {.match = OLD "endpointslices?label", .status = 404, .body = "{}"},
	      {.match = V1 "endpointslices?label", .body = LIST("")},
	      {.match = V1 "endpointslices?label",
	       .kind = FAKE_HOLD,
	       .delay_ms = 2000,
	       .body = "{\"type\":\"ADDED\",\"object\":" SLICE "}\n"},
	      {.match = "POST " V1 "namespaces/d/endpointslices", .status = 201, .body = SLICE},
	      {.match = "DELETE /api/v1/namespaces/d/endpoints/app2-macvlan", .body = "{}"});

	(void)state;
	until(&x, "DELETE /api/v1/namespaces/d/endpoints/app2-macvlan ", 1);
	/* Never a moment without either; with UID and version. */
	assert_true(came_before(&x, "POST " V1 "namespaces/d/endpointslices ", "DELETE "));
	assert_int_equal(fake_count(&x.fake, "\"preconditions\":{\"uid\":\"app2-macvlan-uid\","
					     "\"resourceVersion\":\"20\"}"),
			 1);
	assert_int_equal(fake_count(&x.fake, "POST /api/v1/namespaces/d/endpoints "), 0);
	end(&x);
}

/* Slices answer 404 all at once: an older server. */
static void from_slices_to_endpoints(void **state)
{
	BEGIN(x, {.match = "GET /apis/discovery.k8s.io/v1 ", .body = SERVED},
	      {.match = "GET /apis/discovery.k8s.io/v1 ", .status = 404, .body = "{}"},
	      {.match = "/services?limit", .body = LIST(APP2 "," HEAD)},
	      {.match = "/services?", .kind = FAKE_HOLD},
	      {.match = "/endpoints?label", .body = LIST("")},
	      {.match = "/endpoints?label",
	       .kind = FAKE_HOLD,
	       .delay_ms = 2500,
	       .body = "{\"type\":\"ADDED\",\"object\":" ENDPOINTS "}\n"},
	      {.match = V1 "endpointslices?label", .body = LIST(SLICE)},
	      {.match = V1 "endpointslices?label", .status = 404, .body = "{}"},
	      {.match = V1 "endpointslices?label", .status = 404, .body = "{}"},
	      {.match = OLD "endpointslices?label", .body = LIST(SLICE)},
	      {.match = OLD "endpointslices?label", .kind = FAKE_HOLD},
	      {.match = "POST /api/v1/namespaces/d/endpoints ", .status = 201, .body = ENDPOINTS},
	      {.match = "DELETE " OLD "namespaces/d/endpointslices/app2-macvlan-0", .body = "{}"});

	(void)state;
	until(&x, "DELETE " OLD "namespaces/d/endpointslices/app2-macvlan-0 ", 1);
	assert_true(came_before(&x, "POST /api/v1/namespaces/d/endpoints ", "DELETE "));
	end(&x);
}

/* What stands is right: a new leader writes nothing. */
static void nothing_is_written_anew(void **state)
{
	BEGIN(x, {.match = "GET /apis/discovery.k8s.io/v1 ", .body = SERVED},
	      {.match = "GET /apis/discovery.k8s.io/v1 ", .body = SERVED},
	      {.match = "/services?limit", .body = LIST(APP2 "," HEAD)},
	      {.match = "/services?", .kind = FAKE_STREAM, .body = "", .delay_ms = 1000},
	      {.match = "/services?", .kind = FAKE_HOLD},
	      {.match = "/endpoints?label", .body = LIST("")},
	      {.match = "/endpoints?label", .kind = FAKE_HOLD},
	      {.match = V1 "endpointslices?label", .body = LIST(SLICE)},
	      {.match = V1 "endpointslices?label", .kind = FAKE_HOLD});

	(void)state;
	/* The second question comes a second later: all has been looked at by then. */
	until(&x, "GET /apis/discovery.k8s.io/v1 ", 2);
	assert_int_equal(fake_count(&x.fake, "POST "), 0);
	assert_int_equal(fake_count(&x.fake, "PATCH "), 0);
	assert_int_equal(fake_count(&x.fake, "DELETE "), 0);
	end(&x);
}

/* ------------------------------------------------------------------------------- who goes first */

#define PER_NS 50

/* A pod with a card, and PER_NS Services that select it, or nothing. */
static void crowd(struct fixture *x, struct sb *list, const char *ns, const char *app)
{
	AUTO(free)
	char *ip = xasprintf(
		"{\"metadata\":{\"name\":\"q\",\"namespace\":\"%s\",\"uid\":\"rq\",\"resourceVersion\":"
		"\"1\"},\"spec\":{\"subnet\":\"v\",\"podId\":\"q-uid\",\"node\":\"n1\",\"master\":\"ens4\","
		"\"cidr\":\"192.168.100.%d/24\",\"mac\":\"e6:56:1c:96:94:%s\"}}",
		ns, *ns, *ns == 'a' ? "0a" : "0b");
	AUTO(free)
	char *pod = xasprintf(
		"{\"metadata\":{\"name\":\"q\",\"namespace\":\"%s\",\"uid\":\"q-uid\",\"resourceVersion\":"
		"\"1\",\"labels\":{\"app\":\"q\"},\"annotations\":{\"tandem-cni.io/subnet\":\"v\"}},"
		"\"spec\":{\"nodeName\":\"n1\",\"containers\":[{}]},\"status\":{\"phase\":\"Running\","
		"\"podIP\":\"10.42.0.9\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
		ns);

	rooms_feed(&x->rooms, CLUSTER_IPS, ip);
	rooms_feed(&x->rooms, CLUSTER_PODS, pod);
	for (int i = 0; i < PER_NS; i++)
		sb_printf(list,
			  "%s{\"metadata\":{\"name\":\"s%d\",\"namespace\":\"%s\",\"uid\":\"%s%d\","
			  "\"resourceVersion\":\"1\"},\"spec\":{\"selector\":{\"app\":\"%s\"},"
			  "\"clusterIP\":\"10.43.0.1\",\"ports\":[{\"port\":43}]}}",
			  list->data[list->len - 1] == '[' ? "" : ",", i, ns, ns, i, app);
}

static void turn(struct fixture *x)
{
	struct pollfd p = {.fd = kube_client_fd(x->rooms.process.client), .events = POLLIN};
	struct err e = {0};

	poll(&p, 1, 5);
	assert_int_equal(kube_client_dispatch(x->rooms.process.client, &e), 0);
}

/* The server has been asked for everything, and all Services wait: nobody has been looked at. */
static void until_all_wait(struct fixture *x, size_t n)
{
	int64_t deadline = in_ms(test_ms(30000));
	struct kube_queue_gauge g = {0};

	until(x, "/services?limit", 1);
	while (g.waiting < n) {
		turn(x);
		services_gauge(x->services, &g);
		assert_true(clock_now_ms() < deadline);
	}
	assert_int_equal(g.waiting, n);
	/* The namespaces' lists and what is served. */
	while (fake_count(&x->fake, "/endpointslices?") < 1) {
		turn(x);
		assert_true(clock_now_ms() < deadline);
	}
}

/* Two namespaces with many Services each; all of the first came before any of the second. */
/* cppcheck-suppress preprocessorErrorDirective */
#define BEGIN_CROWDS(x, app)                                                                     \
	AUTO(sb_done) struct sb list = SB_INIT;                                                  \
	BEGIN(x, {.match = "GET /apis/discovery.k8s.io/v1 ", .body = SERVED, .keep = true},      \
	      {.match = "/services?limit"}, {.match = "/services?", .kind = FAKE_HOLD},          \
	      {.match = "/endpoints?label", .body = LIST("")},                                   \
	      {.match = "/endpoints?label", .kind = FAKE_HOLD},                                  \
	      {.match = V1 "endpointslices?label", .body = LIST("")},                            \
	      {.match = V1 "endpointslices?label", .kind = FAKE_HOLD},                           \
	      {.match = "POST /api/v1/namespaces/", .status = 201, .body = HEAD, .keep = true}); \
	sb_puts(&list, "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[");                 \
	crowd(&x, &list, "a", app);                                                              \
	crowd(&x, &list, "b", app);                                                              \
	sb_puts(&list, "]}");                                                                    \
	replies_[1].body = sb_get(&list);                                                        \
	until_all_wait(&x, 2 * (size_t)PER_NS)

/* All of one namespace came before any of the other. */
static void namespaces_take_turns(void **state)
{
	struct kube_queue_gauge g;
	size_t n = 0;

	(void)state;
	BEGIN_CROWDS(x, "q");
	while (fake_count(&x.fake, "POST ") < PER_NS) {
		services_run(x.services);
		services_gauge(x.services, &g);
		assert_true(g.in_flight <= 4);
		n = g.in_flight > n ? g.in_flight : n;
		turn(&x);
	}
	assert_int_equal(n, 4);
	n = 0;
	for (size_t i = 0; i < x.fake.n_log && n < PER_NS; i++) {
		char want[64];

		if (strncmp(x.fake.log[i], "POST ", 5) != 0)
			continue;
		snprintf(want, sizeof(want), "POST /api/v1/namespaces/%s/services ",
			 n % 2 ? "b" : "a");
		assert_memory_equal(x.fake.log[i], want, strlen(want));
		n++;
	}
	end(&x);
}

/* Nothing has to be written, and still the loop gets its turn in between. */
static void a_turn_is_bounded(void **state)
{
	struct kube_queue_gauge g = {0};
	int64_t deadline = in_ms(test_ms(30000));

	(void)state;
	BEGIN_CROWDS(x, "nobody");
	do {
		turn(&x);
		assert_true(clock_now_ms() < deadline);
		assert_true(services_run(x.services) <= clock_now_ms());
		services_gauge(x.services, &g);
	} while (g.waiting == 2 * (size_t)PER_NS);
	for (size_t left = 2 * (size_t)PER_NS - 20; left; left -= 20) {
		assert_int_equal(g.waiting, left);
		services_run(x.services);
		services_gauge(x.services, &g);
	}
	assert_int_equal(g.waiting, 0);
	assert_int_equal(fake_count(&x.fake, "POST "), 0);
	end(&x);
}

/* Who does not lead neither asks nor writes. */
static void a_standby_does_nothing(void **state)
{
	BEGIN(x, {.match = "none"});

	(void)state;
	x.rooms.process.phase = PHASE_REST;
	assert_int_equal(services_run(x.services), 0);
	assert_int_equal(netstatus_run(x.netstatus), 0);
	assert_int_equal(fake_count(&x.fake, ""), 0);
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_where_they_are_served),
		cmocka_unit_test(from_endpoints_to_slices),
		cmocka_unit_test(from_slices_to_endpoints),
		cmocka_unit_test(nothing_is_written_anew),
		cmocka_unit_test(namespaces_take_turns),
		cmocka_unit_test(a_turn_is_bounded),
		cmocka_unit_test(a_standby_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
