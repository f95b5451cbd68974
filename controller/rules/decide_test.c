/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/decide.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/test.h"

#define NOW_MS 1000000
#define NOW_S  5000000

static const struct decide_rules rules = {.after_terminal_ms = 30000, .hold_s = 3600};

struct row {
	const char *name;
	const char *pod; /* its UID, NULL = there is none */
	const char *phase;
	bool holds, terminated, node_ready;
	enum decide_end end;
	int64_t end_ago_ms, over_ago_ms;
	int64_t deleted_ago_s; /* the record; -1 = not being deleted */
	enum decide_record_verdict verdict;
	int64_t wake_in_ms;
};

static const struct row rows[] = {
	{"lives", "u1", "Running", true, false, true, 0, 0, 0, -1, DECIDE_KEEP, 0},
	{"lives on a node that does not answer", "u1", "Running", true, false, false, 0, 0, 0, -1,
	 DECIDE_KEEP, 0},
	{"lives, record deleted by hand", "u1", "Running", true, false, true, 0, 0, 0, 9999,
	 DECIDE_KEEP, 0},
	{"waits", "u1", "Pending", false, false, true, 0, 0, 0, -1, DECIDE_KEEP, 0},
	{"waits, record deleted by hand", "u1", "Pending", false, false, true, 0, 0, 0, 1,
	 DECIDE_RENEW, 0},
	{"over a moment ago", "u1", "Succeeded", true, true, true, 0, 0, 0, -1, DECIDE_WAIT, 30000},
	{"over for 29 s", "u1", "Failed", true, false, true, 0, 0, 29000, -1, DECIDE_WAIT, 1000},
	{"over for 30 s", "u1", "Failed", true, false, true, 0, 0, 30000, -1, DECIDE_RELEASE, 0},
	{"over, its kubelet has told all before the node went", "u1", "Failed", true, true, false,
	 0, 0, 30000, -1, DECIDE_RELEASE, 0},
	{"called over by others, node away", "u1", "Failed", true, false, false, 0, 0, 30000, -1,
	 DECIDE_HOLD, 3570000},
	{"over without an address", "u1", "Failed", false, false, true, 0, 0, 0, -1, DECIDE_RELEASE,
	 0},
	{"not in the cache", NULL, "", true, false, true, DECIDE_END_UNKNOWN, 0, 0, -1, DECIDE_LOOK,
	 0},
	{"not in the cache, no address", NULL, "", false, false, true, DECIDE_END_UNKNOWN, 0, 0, -1,
	 DECIDE_LOOK, 0},
	{"another pod of its name", "u2", "Running", true, false, true, DECIDE_END_UNKNOWN, 0, 0,
	 -1, DECIDE_LOOK, 0},
	{"finished by the kubelet", NULL, "", true, false, false, DECIDE_END_FINISHED, 0, 0, -1,
	 DECIDE_RELEASE, 0},
	{"finished, name taken again", "u2", "Pending", true, false, true, DECIDE_END_FINISHED, 0,
	 0, -1, DECIDE_RELEASE, 0},
	{"not running, gone a moment ago", NULL, "", true, false, true, DECIDE_END_IDLE, 0, 0, -1,
	 DECIDE_WAIT, 30000},
	{"not running, gone for 30 s", NULL, "", true, false, true, DECIDE_END_IDLE, 30000, 0, -1,
	 DECIDE_RELEASE, 0},
	{"forced", NULL, "", true, false, true, DECIDE_END_LOST, 0, 0, -1, DECIDE_SUSPECT, 0},
	{"forced, its record deleted long before", NULL, "", true, false, true, DECIDE_END_LOST, 0,
	 0, 9999, DECIDE_SUSPECT, 0},
	{"forced, no address", NULL, "", false, false, true, DECIDE_END_LOST, 0, 0, -1,
	 DECIDE_RELEASE, 0},
};

static void records(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		char uid[8] = "", phase[16] = "", id[] = "u1";
		struct api_ip rec = {.pod_id = id};
		struct api_pod pod = {.phase = phase, .all_terminated = r->terminated};
		struct decide_record_in in = {
			.rec = &rec,
			.pod = r->pod ? &pod : NULL,
			.holds_address = r->holds,
			.node_ready = r->node_ready,
			.end = r->end,
			.end_ms = NOW_MS - r->end_ago_ms,
			.over_ms = NOW_MS - r->over_ago_ms,
			.now_ms = NOW_MS,
			.now_s = NOW_S,
		};
		int64_t wake = 0;

		assert_int_equal(str_copy(uid, sizeof(uid), r->pod ? r->pod : ""), 0);
		assert_int_equal(str_copy(phase, sizeof(phase), r->phase), 0);
		pod.meta.uid = uid;
		rec.meta.deletion = r->deleted_ago_s < 0 ? 0 : NOW_S - r->deleted_ago_s;
		print_message("%s\n", r->name);
		assert_int_equal(decide_record(&in, &rules, &wake), r->verdict);
		assert_int_equal(wake ? wake - NOW_MS : 0, r->wake_in_ms);
	}
}

/* What a node has reported, and when it is asked to. */
static const struct {
	const char *name;
	const char *phase; /* of the pod, NULL = it is gone */
	enum decide_end end;
	enum api_ip_phase card;
	const char *down;
	bool holds, deleted, unwitnessed, kept, heir;
	enum decide_record_verdict verdict;
} reported_rows[] = {
	{"lives, whatever is reported", "Running", 0, 0, "u1", true, true, true, false, false,
	 DECIDE_KEEP},
	{"over, its card up when last seen", "Succeeded", 0, API_IP_ATTACHED, "", true, false,
	 false, false, false, DECIDE_ASK},
	{"over, asked", "Succeeded", 0, API_IP_ATTACHED, "", true, true, false, false, false,
	 DECIDE_WAIT},
	{"over, no node has ever spoken", "Succeeded", 0, 0, "", true, false, false, false, false,
	 DECIDE_WAIT},
	{"over, kept", "Failed", 0, API_IP_ATTACHED, "", true, false, false, true, false,
	 DECIDE_WAIT},
	{"over, down", "Failed", 0, 0, "u1", true, true, false, false, false, DECIDE_RELEASE},
	{"over, a former pod's card down", "Failed", 0, 0, "u0", true, true, false, false, false,
	 DECIDE_WAIT},
	{"perhaps gone, down", NULL, DECIDE_END_UNKNOWN, 0, "u1", true, true, false, false, false,
	 DECIDE_LOOK},
	{"not running, gone, down", NULL, DECIDE_END_IDLE, 0, "u1", true, true, false, false, false,
	 DECIDE_RELEASE},
	{"forced, not told yet", NULL, DECIDE_END_LOST, API_IP_ATTACHED, "", true, true, true,
	 false, false, DECIDE_HOLD},
	{"forced, down", NULL, DECIDE_END_LOST, 0, "u1", true, true, true, false, false,
	 DECIDE_RELEASE},
	{"forced, down before the hold began", NULL, DECIDE_END_LOST, 0, "u1", true, true, false,
	 false, false, DECIDE_RELEASE},
	{"forced, a former pod's card down", NULL, DECIDE_END_LOST, 0, "u0", true, true, true,
	 false, false, DECIDE_HOLD},
	{"forced, kept, down", NULL, DECIDE_END_LOST, 0, "u1", true, false, true, true, false,
	 DECIDE_VACATE},
	{"forced, kept, down, the next one there", NULL, DECIDE_END_LOST, 0, "u1", true, false,
	 true, true, true, DECIDE_BIND},
};

static void reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reported_rows); i++) {
		char uid[] = "u1", phase[16] = "", down[4] = "";
		struct api_pod pod = {.meta = {.uid = uid}, .phase = phase, .all_terminated = true};
		struct api_ip rec = {
			.pod_id = uid,
			.card_down = down,
			.phase = reported_rows[i].card,
			.meta = {.deletion = reported_rows[i].deleted ? NOW_S - 5 : 0},
			.unwitnessed = reported_rows[i].unwitnessed ? NOW_S - 5 : 0,
		};
		struct decide_record_in in = {
			.rec = &rec,
			.pod = reported_rows[i].phase ? &pod : NULL,
			.holds_address = reported_rows[i].holds,
			.node_ready = true,
			.kept = reported_rows[i].kept,
			.heir = reported_rows[i].heir ? DECIDE_HEIR_FITS : DECIDE_HEIR_NONE,
			.end = reported_rows[i].end,
			.end_ms = NOW_MS,
			.over_ms = NOW_MS,
			.now_ms = NOW_MS,
			.now_s = NOW_S,
		};
		int64_t wake = 0;

		print_message("%s\n", reported_rows[i].name);
		assert_int_equal(str_copy(down, sizeof(down), reported_rows[i].down), 0);
		assert_int_equal(str_copy(phase, sizeof(phase),
					  reported_rows[i].phase ? reported_rows[i].phase : ""),
				 0);
		assert_int_equal(decide_record(&in, &rules, &wake), reported_rows[i].verdict);
	}
}

static void missing_cards(void **state)
{
	static const struct decide_rules r = {.missing_after_ms = 15000};
	static const struct {
		const char *name;
		bool reports, has_ip, ending;
		enum api_ip_phase phase;
		int64_t ip_ago_ms;
		bool missing;
		int64_t wake_in_ms;
	} t[] = {
		{"no IP yet", true, false, false, 0, 0, false, 0},
		{"an IP, a moment ago", true, true, false, 0, 1000, false, 14000},
		{"an IP for long", true, true, false, 0, 15000, true, 0},
		{"where no node reports", false, true, false, 0, 15000, false, 0},
		{"up", true, true, false, API_IP_ATTACHED, 15000, false, 0},
		{"in conflict", true, true, false, API_IP_CONFLICT, 15000, false, 0},
		{"said by the node", false, true, false, API_IP_MISSING, 0, true, 0},
		{"said by the node, no IP", true, false, false, API_IP_MISSING, 0, true, 0},
		{"being deleted", true, true, true, API_IP_MISSING, 15000, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct api_ip rec = {.phase = t[i].phase};
		struct decide_missing_in in = {
			.rec = &rec,
			.reports = t[i].reports,
			.has_ip = t[i].has_ip,
			.ending = t[i].ending,
			.ip_ms = NOW_MS - t[i].ip_ago_ms,
			.now_ms = NOW_MS,
		};
		int64_t wake = 1;

		print_message("%s\n", t[i].name);
		assert_int_equal(decide_missing(&in, &r, &wake), t[i].missing);
		assert_int_equal(wake ? wake - NOW_MS : 0, t[i].wake_in_ms);
	}
}

/* A pod that would be served, to be spoilt in one way at a time. */
struct world {
	char subnet[8], node[4], phase[12], empty[1], ns[4];
	struct api_pod pod;
	struct api_request request;
	struct api_subnet spec;
	struct err why;
	struct decide_new_in in;
};

static void fill(struct world *w)
{
	*w = (struct world){.subnet = "v", .node = "n1", .phase = "Pending", .ns = "d"};
	w->pod = (struct api_pod){.meta = {.ns = w->ns}, .node = w->node, .phase = w->phase};
	w->pod.annotations.text[API_ASKED_SUBNET] = w->subnet;
	w->request = (struct api_request){.wanted = true, .subnet = w->subnet};
	w->in = (struct decide_new_in){
		.pod = &w->pod,
		.request = &w->request,
		.request_err = &w->why,
		.subnet_found = true,
		.subnet = &w->spec,
		.subnet_why = "spec.cidr: is missing",
		.system_ns = "kube-system",
		.ns = {.known = true},
		.node = {.known = true},
	};
}

static void spoil(struct world *w, enum decide_reason how)
{
	static struct api_selector_term term = {.op = API_SELECTOR_EXISTS};
	static struct mac_addr macs[] = {{{2, 0, 0, 0, 0, 1}}, {{0, 0x1c, 0x42, 0, 0, 5}}};
	static char key[] = "x";

	term.key = key;
	switch (how) {
	case DECIDE_INVALID_ANNOTATION:
		w->in.request = NULL;
		err_set(&w->why, ERR_CONFIG, 0, "annotation a: b");
		break;
	case DECIDE_HOST_NETWORK:
		w->pod.host_network = true;
		break;
	case DECIDE_STATIC_POD:
		w->pod.is_static = true;
		break;
	case DECIDE_TOO_LATE:
		w->pod.has_ip = true;
		break;
	case DECIDE_NO_SUBNET:
		w->in.subnet_found = false;
		break;
	case DECIDE_SUBNET_INVALID:
		w->in.subnet = NULL;
		break;
	case DECIDE_SUBNET_TERMINATING:
		w->in.subnet_terminating = true;
		break;
	case DECIDE_NAMESPACE_NOT_ALLOWED:
		w->spec.allowed_namespaces = (struct api_selector){true, &term, 1};
		break;
	case DECIDE_MAC_NOT_ALLOWED:
		w->request.macs = macs;
		w->request.n_macs = ARRAY_SIZE(macs);
		break;
	case DECIDE_NODE_UNKNOWN:
		w->in.node.known = false;
		break;
	case DECIDE_NODE_NOT_SELECTED:
		w->spec.node_selector = (struct api_selector){true, &term, 1};
		break;
	default:
		break;
	}
}

static void new_pods(void **state)
{
	(void)state;
	for (int how = DECIDE_OK; how < DECIDE_EXHAUSTED; how++) {
		struct world w;
		char msg[512];

		if (how == DECIDE_NOTHING)
			continue;
		fill(&w);
		spoil(&w, (enum decide_reason)how);
		assert_int_equal(decide_new(&w.in, msg, sizeof(msg)), how);
		assert_int_equal(*msg == '\0', how == DECIDE_OK);
	}
}

static void pods_that_want_nothing(void **state)
{
	struct world w;
	char msg[512];

	(void)state;
	fill(&w);
	w.pod.node = w.empty;
	assert_int_equal(decide_new(&w.in, msg, sizeof(msg)), DECIDE_NOTHING);
	fill(&w);
	w.pod.annotations.text[API_ASKED_SUBNET] = NULL;
	assert_int_equal(decide_new(&w.in, msg, sizeof(msg)), DECIDE_NOTHING);
	fill(&w);
	w.pod.meta.deletion = 1;
	assert_int_equal(decide_new(&w.in, msg, sizeof(msg)), DECIDE_NOTHING);
	fill(&w);
	assert_int_equal(str_copy(w.phase, sizeof(w.phase), "Succeeded"), 0);
	assert_int_equal(decide_new(&w.in, msg, sizeof(msg)), DECIDE_NOTHING);
	/* A selector that cannot be answered yet is no refusal. */
	fill(&w);
	spoil(&w, DECIDE_NAMESPACE_NOT_ALLOWED);
	w.in.ns.known = false;
	assert_int_equal(decide_new(&w.in, msg, sizeof(msg)), DECIDE_NOTHING);
}

static void a_makers_mac_where_the_subnet_allows_it(void **state)
{
	struct world w;
	char msg[512];

	(void)state;
	fill(&w);
	spoil(&w, DECIDE_MAC_NOT_ALLOWED);
	assert_int_equal(decide_new(&w.in, msg, sizeof(msg)), DECIDE_MAC_NOT_ALLOWED);
	assert_string_equal(msg,
			    "annotation tandem-cni.io/mac: 00:1c:42:00:00:05 is not locally "
			    "administered (2, 6, a or e as its second digit), and MacvlanSubnet v "
			    "has no allowAnyMAC");
	w.request.n_macs = 1;
	assert_int_equal(decide_new(&w.in, msg, sizeof(msg)), DECIDE_OK);
	w.request.n_macs = 2;
	w.spec.allow_any_mac = true;
	assert_int_equal(decide_new(&w.in, msg, sizeof(msg)), DECIDE_OK);
}

static void no_grant_on_a_node_that_does_not_exist(void **state)
{
	struct world w;
	char msg[512];

	(void)state;
	for (int selector = 0; selector < 2; selector++) {
		fill(&w);
		if (selector)
			spoil(&w, DECIDE_NODE_NOT_SELECTED);
		spoil(&w, DECIDE_NODE_UNKNOWN);
		assert_int_equal(decide_new(&w.in, msg, sizeof(msg)), DECIDE_NODE_UNKNOWN);
		assert_string_equal(msg,
				    "the pod is bound to node n1, which does not exist; it gets an "
				    "address when the Node does");
	}
}

static void every_reason_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < DECIDE_REASONS; i++)
		assert_non_null(decide_reason_name((enum decide_reason)i));
}

/* Records of StatefulSets' pods: u1 is the pod that the record names, u2 the next of the name. */
struct kept_row {
	const char *name;
	const char *named; /* "" = the record is vacant */
	const char *pod;   /* present; NULL = none */
	bool kept;
	enum decide_heir heir;
	enum decide_end end;
	bool fenced;
	int64_t suspected_ago_s, deleted_ago_s; /* -1 = not */
	enum decide_record_verdict verdict;
	int64_t wake_in_ms;
};

static const struct kept_row kept_rows[] = {
	{"finished, none yet", "u1", NULL, true, DECIDE_HEIR_NONE, DECIDE_END_FINISHED, false, -1,
	 -1, DECIDE_VACATE, 0},
	{"finished, the next is there", "u1", "u2", true, DECIDE_HEIR_FITS, DECIDE_END_FINISHED,
	 false, -1, -1, DECIDE_BIND, 0},
	{"finished, the next asks for something else", "u1", "u2", true, DECIDE_HEIR_DIFFERS,
	 DECIDE_END_FINISHED, false, -1, -1, DECIDE_RELEASE, 0},
	{"finished, scaled down", "u1", NULL, false, DECIDE_HEIR_NONE, DECIDE_END_FINISHED, false,
	 -1, -1, DECIDE_RELEASE, 0},
	{"finished, but deleted by hand", "u1", NULL, true, DECIDE_HEIR_NONE, DECIDE_END_FINISHED,
	 false, -1, 5, DECIDE_RELEASE, 0},
	{"lives, scaled down", "u1", "u1", false, DECIDE_HEIR_NONE, DECIDE_END_UNKNOWN, false, -1,
	 -1, DECIDE_KEEP, 0},
	{"vacant", "", NULL, true, DECIDE_HEIR_NONE, DECIDE_END_UNKNOWN, false, -1, -1,
	 DECIDE_VACANT, 0},
	{"vacant, the next is there", "", "u2", true, DECIDE_HEIR_FITS, DECIDE_END_UNKNOWN, false,
	 -1, -1, DECIDE_BIND, 0},
	{"vacant, the next asks for something else", "", "u2", true, DECIDE_HEIR_DIFFERS,
	 DECIDE_END_UNKNOWN, false, -1, -1, DECIDE_RELEASE, 0},
	{"vacant, scaled down", "", NULL, false, DECIDE_HEIR_NONE, DECIDE_END_UNKNOWN, false, -1,
	 -1, DECIDE_RELEASE, 0},
	{"vacant, deleted by hand", "", NULL, true, DECIDE_HEIR_NONE, DECIDE_END_UNKNOWN, false, -1,
	 1, DECIDE_RELEASE, 0},
	{"not known, the next is there", "u1", "u2", true, DECIDE_HEIR_FITS, DECIDE_END_UNKNOWN,
	 false, -1, -1, DECIDE_LOOK, 0},
	{"unseen", "u1", "u2", true, DECIDE_HEIR_FITS, DECIDE_END_LOST, false, -1, -1,
	 DECIDE_SUSPECT, 0},
	{"unseen for 10 s", "u1", "u2", true, DECIDE_HEIR_FITS, DECIDE_END_LOST, false, 10, -1,
	 DECIDE_HOLD, 3590000},
	{"unseen for an hour", "u1", "u2", true, DECIDE_HEIR_FITS, DECIDE_END_LOST, false, 3600, -1,
	 DECIDE_BIND, 0},
	{"unseen for an hour, none yet", "u1", NULL, true, DECIDE_HEIR_NONE, DECIDE_END_LOST, false,
	 3600, -1, DECIDE_VACATE, 0},
	{"unseen, its node is fenced", "u1", "u2", true, DECIDE_HEIR_FITS, DECIDE_END_LOST, true,
	 -1, -1, DECIDE_BIND, 0},
	{"unseen for 3599 s, no StatefulSet", "u1", NULL, false, DECIDE_HEIR_NONE, DECIDE_END_LOST,
	 false, 3599, -1, DECIDE_HOLD, 1000},
	{"unseen for an hour, no StatefulSet", "u1", "u2", false, DECIDE_HEIR_NONE, DECIDE_END_LOST,
	 false, 3600, -1, DECIDE_RELEASE, 0},
	{"unseen, scaled down later: the hold goes on", "u1", NULL, false, DECIDE_HEIR_NONE,
	 DECIDE_END_LOST, false, 10, -1, DECIDE_HOLD, 3590000},
	{"no StatefulSet, its node is fenced", "u1", NULL, false, DECIDE_HEIR_NONE, DECIDE_END_LOST,
	 true, -1, -1, DECIDE_RELEASE, 0},
};

static void kept_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kept_rows); i++) {
		const struct kept_row *r = &kept_rows[i];
		char uid[8] = "", id[8] = "", phase[] = "Running";
		struct api_ip rec = {.pod_id = id};
		struct api_pod pod = {.phase = phase, .meta.uid = uid};
		struct decide_record_in in = {
			.rec = &rec,
			.pod = r->pod ? &pod : NULL,
			.holds_address = true,
			.node_ready = true,
			.node_fenced = r->fenced,
			.kept = r->kept,
			.heir = r->heir,
			.end = r->end,
			.now_ms = NOW_MS,
			.now_s = NOW_S,
		};
		int64_t wake = 0;

		assert_int_equal(str_copy(id, sizeof(id), r->named), 0);
		if (r->pod)
			assert_int_equal(str_copy(uid, sizeof(uid), r->pod), 0);
		if (r->suspected_ago_s >= 0)
			rec.unwitnessed = NOW_S - r->suspected_ago_s;
		if (r->deleted_ago_s >= 0)
			rec.meta.deletion = NOW_S - r->deleted_ago_s;
		if (decide_record(&in, &rules, &wake) != r->verdict)
			fail_msg("%s", r->name);
		assert_int_equal(wake ? wake - NOW_MS : 0, r->wake_in_ms);
	}
}

static void which_subnet(void **state)
{
	/* f: it fits, a: and has a free address, o: the record is in it, O: with an address */
	static const struct {
		const char *subnets;
		size_t chosen;
	} cases[] = {
		{"fa fa", 0}, {"f fa", 1},   {"- fa", 1},  {"- -", 0},   {"- f", 1},
		{"f f", 0},   {"fa fao", 1}, {"fa fo", 0}, {"f fo", 1},  {"fa fO", 1},
		{"fa -O", 0}, {"f f fa", 2}, {"fo fa", 1}, {"fO fa", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decide_subnet_in in[4] = {{0}};
		size_t n = 1;

		for (const char *c = cases[i].subnets; *c; c++) {
			n += *c == ' ';
			in[n - 1].fits |= *c == 'f';
			in[n - 1].has_free |= *c == 'a';
			in[n - 1].is_own |= *c == 'o' || *c == 'O';
			in[n - 1].has_address |= *c == 'O';
		}
		assert_int_equal(decide_subnet(in, n), cases[i].chosen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_subnet),
		cmocka_unit_test(records),
		cmocka_unit_test(kept_records),
		cmocka_unit_test(reports),
		cmocka_unit_test(missing_cards),
		cmocka_unit_test(new_pods),
		cmocka_unit_test(pods_that_want_nothing),
		cmocka_unit_test(a_makers_mac_where_the_subnet_allows_it),
		cmocka_unit_test(no_grant_on_a_node_that_does_not_exist),
		cmocka_unit_test(every_reason_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
