/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/records/records.h"

#include "controller/records/rooms_test.h"

#include "controller/records/internal.h"
#include "controller/subnets/internal.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

#define SUBNET                                                                         \
	"{\"metadata\":{\"namespace\":\"kube-system\",\"name\":\"net\",\"uid\":\"s\"," \
	"\"resourceVersion\":\"1\",\"generation\":1},\"spec\":{\"master\":\"ens4\","   \
	"\"cidr\":\"10.1.0.0/24\"}}"
#define NODE "{\"metadata\":{\"name\":\"n1\",\"uid\":\"n1-uid\",\"resourceVersion\":\"1\"}}"
#define POD_OF(phase)                                                                    \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"p1\",\"uid\":\"p1-uid\","         \
	"\"resourceVersion\":\"1\",\"annotations\":{\"tandem-cni.io/subnet\":\"net\"}}," \
	"\"spec\":{\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\"}]},\"status\":{"  \
	"\"phase\":\"" phase "\"}}"
/* cppcheck-suppress preprocessorErrorDirective */
#define POD POD_OF("Pending")
#define RECORD_OF(rest)                                                                 \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"p1\",\"uid\":\"r1\","            \
	"\"resourceVersion\":\"1\"},\"spec\":{\"subnet\":\"net\",\"podId\":\"p1-uid\"," \
	"\"node\":\"n1\",\"master\":\"ens4\"" rest "}}"
#define RECORD RECORD_OF("")
#define HELD   RECORD_OF(",\"cidr\":\"10.1.0.5/24\",\"mac\":\"0a:00:00:00:00:05\"")

struct fixture {
	struct rooms rooms;
	struct records *all;
	struct subnet *subnet;
};

static void begin(struct fixture *x)
{
	memset(x, 0, sizeof(*x));
	x->rooms.process.phase = PHASE_RUN;
	x->rooms.opt.rules = (struct decide_rules){.after_terminal_ms = 30000, .hold_s = 3600};
	rooms_begin(&x->rooms);
	x->all = x->rooms.records;
	rooms_feed(&x->rooms, CLUSTER_NODES, NODE);
	rooms_feed(&x->rooms, CLUSTER_SUBNETS, SUBNET);
	x->subnet = subnets_find(x->rooms.subnets, "net");
	assert_non_null(x->subnet);
}

static void end(struct fixture *x)
{
	rooms_end(&x->rooms, NULL);
}

/* The ten minutes are over. */
static void check(struct fixture *x)
{
	assert_int_not_equal(x->all->check_ms, 0);
	x->all->check_ms = 1;
	records_run(x->all);
	assert_true(x->all->check_ms > clock_now_ms() + 9 * 60 * 1000);
}

/* It waits for a subnet that is not settled, and looks at everything that is marked. */
static void begin_waiting(struct fixture *x)
{
	begin(x);
	rooms_feed(&x->rooms, CLUSTER_PODS, POD);
	rooms_feed(&x->rooms, CLUSTER_IPS, RECORD);
	records_run(x->all);
	assert_int_equal(subnet_n_waiting(x->subnet), 0);
	subnet_settle(x->subnet);
	records_run(x->all);
	assert_int_equal(subnet_n_waiting(x->subnet), 0);
}

static void a_mark_is_no_lost_mark(void **state)
{
	struct fixture x;

	(void)state;
	begin_waiting(&x);
	records_look_unserved(x.all);
	records_run(x.all);
	assert_int_equal(subnet_n_waiting(x.subnet), 1);
	check(&x);
	assert_int_equal(records_n_lost_marks(x.all), 0);
	end(&x);
}

/* Nobody says that the subnet is settled now. */
static void a_lost_mark_is_found_and_counted(void **state)
{
	struct fixture x;

	(void)state;
	begin_waiting(&x);
	check(&x);
	assert_int_equal(subnet_n_waiting(x.subnet), 1);
	assert_int_equal(records_n_lost_marks(x.all), 1);
	/* And once only. */
	check(&x);
	assert_int_equal(records_n_lost_marks(x.all), 1);
	end(&x);
}

/* Not in ten minutes from the start, but from when it leads. */
static void a_standby_checks_nothing(void **state)
{
	struct fixture x;

	(void)state;
	begin_waiting(&x);
	x.rooms.process.phase = PHASE_STANDBY;
	x.all->check_ms = 1;
	assert_int_equal(records_run(x.all), 0);
	assert_int_equal(subnet_n_waiting(x.subnet), 0);
	assert_int_equal(records_n_lost_marks(x.all), 0);
	assert_int_equal(x.all->check_ms, 1);
	end(&x);
}

static void take_away(struct fixture *x, enum cluster_kind kind, const char *text)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	assert_int_equal(jdoc_parse("test", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(kube_store_remove(cluster_store(x->rooms.cluster, kind), &root, &e), 0);
}

static void an_entry_goes_with_pod_and_record(void **state)
{
	static const enum phase phases[] = {PHASE_STANDBY, PHASE_IPS, PHASE_RUN};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		struct kube_queue_gauge g;
		struct fixture x;

		begin(&x);
		x.rooms.process.phase = phases[i];
		rooms_feed(&x.rooms, CLUSTER_IPS, RECORD);
		rooms_feed(&x.rooms, CLUSTER_PODS, POD);
		records_run(x.all);
		assert_non_null(records_find(x.all, "d/p1"));
		take_away(&x, CLUSTER_IPS, RECORD);
		x.rooms.process.phase = PHASE_STANDBY; /* nothing is sent */
		records_run(x.all);
		assert_non_null(records_find(x.all, "d/p1"));
		take_away(&x, CLUSTER_PODS, POD);
		records_run(x.all);
		assert_null(records_find(x.all, "d/p1"));
		records_gauge(x.all, &g);
		assert_int_equal(g.waiting + g.later + g.in_flight + g.retrying, 0);
		end(&x);
	}
}

/* It is looked at again when its time has come, and counts as reserved no longer than it is known. */
static void what_is_held_does_not_stay_reserved(void **state)
{
	struct kube_queue_gauge g;
	struct fixture x;

	(void)state;
	begin(&x);
	rooms_feed(&x.rooms, CLUSTER_IPS, HELD);
	rooms_feed(&x.rooms, CLUSTER_PODS, POD_OF("Failed"));
	records_run(x.all);
	assert_int_equal(x.subnet->n_held, 1);
	records_gauge(x.all, &g);
	assert_int_equal(g.later, 1);
	check(&x);
	assert_int_equal(records_n_lost_marks(x.all), 0);
	take_away(&x, CLUSTER_IPS, HELD);
	take_away(&x, CLUSTER_PODS, POD_OF("Failed"));
	records_run(x.all);
	assert_null(records_find(x.all, "d/p1"));
	assert_int_equal(x.subnet->n_held, 0);
	end(&x);
}

#define REPORTED(version, status)                                                          \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"p1\",\"uid\":\"r1\","               \
	"\"resourceVersion\":\"" version "\"},\"spec\":{\"subnet\":\"net\",\"podId\":"     \
	"\"p1-uid\",\"node\":\"n1\",\"master\":\"ens4\",\"cidr\":\"10.1.0.5/24\",\"mac\":" \
	"\"0a:00:00:00:00:05\"},\"status\":{" status "}}"

/* By who leads, and nothing else comes of it here. */
static void contradicting_reports_are_counted(void **state)
{
	struct fixture x;

	(void)state;
	begin(&x);
	rooms_feed(&x.rooms, CLUSTER_PODS, POD);
	rooms_feed(&x.rooms, CLUSTER_IPS, REPORTED("1", "\"phase\":\"Attached\""));
	rooms_feed(&x.rooms, CLUSTER_IPS, REPORTED("2", "\"phase\":\"Conflict\""));
	assert_int_equal(records_n_contradicting(x.all, CONTRADICT_CONFLICT), 1);
	rooms_feed(&x.rooms, CLUSTER_IPS, REPORTED("3", "\"cardDown\":\"p1-uid\""));
	x.rooms.process.phase = PHASE_STANDBY;
	rooms_feed(&x.rooms, CLUSTER_IPS, REPORTED("4", "\"phase\":\"Attached\""));
	assert_int_equal(records_n_contradicting(x.all, CONTRADICT_DOWN), 0);
	x.rooms.process.phase = PHASE_RUN;
	rooms_feed(&x.rooms, CLUSTER_IPS, REPORTED("5", "\"cardDown\":\"p1-uid\""));
	rooms_feed(&x.rooms, CLUSTER_IPS, REPORTED("6", "\"phase\":\"Attached\""));
	assert_int_equal(records_n_contradicting(x.all, CONTRADICT_DOWN), 1);
	assert_int_equal(records_n_contradicting(x.all, CONTRADICT_CONFLICT), 1);
	assert_int_equal(records_n_contradicting(x.all, CONTRADICT_CARD), 0);
	end(&x);
}

#define RUNNING                                                                          \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"p1\",\"uid\":\"p1-uid\","         \
	"\"resourceVersion\":\"1\",\"annotations\":{\"tandem-cni.io/subnet\":\"net\"}}," \
	"\"spec\":{\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\"}]},\"status\":{"  \
	"\"phase\":\"Running\",\"podIP\":\"10.42.0.7\"}}"
#define CARDLESS                                                                   \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"p1\",\"uid\":\"r1\","       \
	"\"resourceVersion\":\"2\",\"annotations\":{\"tandem-cni.io/tell-card\":"  \
	"\"p1-uid\"}},\"spec\":{\"subnet\":\"net\",\"podId\":\"p1-uid\",\"node\":" \
	"\"n1\",\"master\":\"ens4\"},\"status\":{\"card\":{\"podId\":\"p1-uid\"}}}"

/* The node may answer before the first write to the subnet is through; nobody says when it is. */
static void an_early_answer_is_looked_at_again(void **state)
{
	struct kube_queue_gauge g;
	struct fixture x;

	(void)state;
	begin(&x);
	subnet_settle(x.subnet);
	rooms_feed(&x.rooms, CLUSTER_PODS, RUNNING);
	rooms_feed(&x.rooms, CLUSTER_IPS, CARDLESS);
	records_run(x.all);
	records_gauge(x.all, &g);
	assert_int_equal(g.later, 1);
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_is_no_lost_mark),
		cmocka_unit_test(a_lost_mark_is_found_and_counted),
		cmocka_unit_test(a_standby_checks_nothing),
		cmocka_unit_test(an_entry_goes_with_pod_and_record),
		cmocka_unit_test(what_is_held_does_not_stay_reserved),
		cmocka_unit_test(contradicting_reports_are_counted),
		cmocka_unit_test(an_early_answer_is_looked_at_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
