/* SPDX-License-Identifier: Apache-2.0 */
#include "node/reports.h"

#include <string.h>

#include "api/ip.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/test.h"
#include "meta/attachment/state.h"
#include "node/files.h"

#define BOOT "b1"
#define MAC  "02:00:00:00:00:01"

/* What lies in the state directory; NULL in a row's list ends it. */
struct lies {
	const char *uid; /* in the file itself; "" = only CNI_ARGS' name of the pod */
	const char *card, *mac, *boot;
	bool complete;
	const char *given_up;
};

static const struct lies card = {"u1", "eth1", MAC, BOOT, true, NULL};
static const struct lies of_other_pod = {"u2", "eth1", MAC, BOOT, true, NULL};
static const struct lies unfinished = {"u1", "eth1", NULL, BOOT, false, NULL};
static const struct lies given_up = {"", "eth1", NULL, BOOT, false, "r1"};
static const struct lies gave_another_up = {"u1", "eth1", NULL, BOOT, false, "r0"};
static const struct lies up_though_given_up = {"u1", "eth1", MAC, BOOT, true, "r1"};
static const struct lies unfinished_unnamed = {"", "eth1", NULL, BOOT, false, NULL};
static const struct lies unnamed = {"", "eth1", MAC, BOOT, true, NULL};
static const struct lies before_boot = {"u1", "eth1", MAC, "b0", true, NULL};
static const struct lies other_mac = {"u1", "eth1", "02:00:00:00:00:02", BOOT, true, NULL};
static const struct lies plain = {"u1", NULL, NULL, BOOT, true, NULL};

struct row {
	const char *name;
	const struct lies *file[3];
	enum api_ip_phase phase;
	const char *down;
	bool deleted, unwitnessed, settled;
	enum report report;
};

static const struct row rows[] = {
	{"up", {&card}, 0, "", false, false, false, REPORT_ATTACHED},
	{"up, told", {&card}, API_IP_ATTACHED, "", false, false, false, REPORT_NOTHING},
	{"up again", {&card}, API_IP_MISSING, "", false, false, false, REPORT_ATTACHED},
	{"up after a conflict", {&card}, API_IP_CONFLICT, "", false, false, false, REPORT_ATTACHED},
	{"up, said to be down", {&card}, API_IP_ATTACHED, "u1", true, false, false, REPORT_ATTACHED},
	{"up, a former pod's is down",
	 {&card},
	 API_IP_ATTACHED,
	 "u0",
	 false,
	 false,
	 false,
	 REPORT_NOTHING},
	{"up, and the old sandbox not ended",
	 {&before_boot, &card},
	 0,
	 "",
	 false,
	 false,
	 false,
	 REPORT_ATTACHED},
	{"the successor's", {&of_other_pod}, 0, "", false, false, true, REPORT_NOTHING},
	{"the successor's, and this one ends",
	 {&of_other_pod},
	 0,
	 "",
	 true,
	 false,
	 false,
	 REPORT_DOWN},
	{"of an earlier boot", {&before_boot}, 0, "", false, false, true, REPORT_NOTHING},
	{"of an earlier boot, ending",
	 {&before_boot},
	 API_IP_ATTACHED,
	 "",
	 true,
	 true,
	 true,
	 REPORT_NOTHING},
	{"of an earlier record", {&other_mac}, 0, "", false, false, true, REPORT_NOTHING},
	{"without a card", {&plain}, 0, "", false, false, true, REPORT_NOTHING},
	{"being made", {&unfinished}, 0, "", false, false, true, REPORT_NOTHING},
	{"being made, ending", {&unfinished}, 0, "", true, false, true, REPORT_NOTHING},
	{"given up in a conflict", {&given_up}, API_IP_CONFLICT, "", true, false, false, REPORT_DOWN},
	{"given up, nobody asks",
	 {&given_up},
	 API_IP_CONFLICT,
	 "",
	 false,
	 false,
	 true,
	 REPORT_NOTHING},
	{"given up, told", {&given_up}, API_IP_CONFLICT, "u1", true, false, false, REPORT_NOTHING},
	{"another one given up",
	 {&gave_another_up},
	 API_IP_CONFLICT,
	 "",
	 true,
	 false,
	 false,
	 REPORT_NOTHING},
	{"given up beside one being made",
	 {&given_up, &unfinished},
	 API_IP_CONFLICT,
	 "",
	 true,
	 false,
	 false,
	 REPORT_NOTHING},
	{"given up beside a card",
	 {&given_up, &card},
	 API_IP_CONFLICT,
	 "",
	 true,
	 false,
	 false,
	 REPORT_ATTACHED},
	{"a conflict said of a card that is up",
	 {&card},
	 API_IP_CONFLICT,
	 "",
	 true,
	 false,
	 false,
	 REPORT_ATTACHED},
	{"up after all",
	 {&up_though_given_up},
	 API_IP_CONFLICT,
	 "",
	 true,
	 false,
	 false,
	 REPORT_ATTACHED},
	{"being made for whom is not known",
	 {&unfinished_unnamed},
	 0,
	 "",
	 true,
	 false,
	 true,
	 REPORT_NOTHING},
	{"up for whom is not known", {&unnamed}, 0, "", false, false, true, REPORT_NOTHING},
	{"not yet", {NULL}, 0, "", false, false, true, REPORT_NOTHING},
	{"deleted by hand, not yet made", {NULL}, 0, "", true, false, false, REPORT_DOWN},
	{"down, nobody asks", {NULL}, API_IP_ATTACHED, "", false, false, false, REPORT_WAIT},
	{"down for a while", {NULL}, API_IP_ATTACHED, "", false, false, true, REPORT_MISSING},
	{"down for a while, told", {NULL}, API_IP_MISSING, "", false, false, true, REPORT_NOTHING},
	{"down, deleted", {NULL}, API_IP_ATTACHED, "", true, false, false, REPORT_DOWN},
	{"down, asked for", {NULL}, API_IP_ATTACHED, "", false, true, false, REPORT_DOWN},
	{"down, told", {NULL}, 0, "u1", true, true, true, REPORT_NOTHING},
	{"down, only a former pod's told", {NULL}, 0, "u0", true, false, false, REPORT_DOWN},
};

static void fill(struct files *files, const struct lies *const *list)
{
	files->boot_id = xstrdup(BOOT);
	for (size_t i = 0; i < 3 && list[i]; i++) {
		const struct lies *l = list[i];
		char name[] = "c0@eth0", id[] = "c0", ifname[] = "eth0";
		struct state s = {
			.container_id = id,
			.ifname = ifname,
			.cni_args = (char *)"K8S_POD_NAMESPACE=d;K8S_POD_NAME=p",
			.pod_uid = *l->uid ? (char *)l->uid : NULL,
			.card = (char *)l->card,
			.card_mac = (char *)l->mac,
			.boot_id = (char *)l->boot,
			.complete = l->complete,
			.given_up = (char *)l->given_up,
		};

		name[1] = (char)('0' + i);
		files_add(files, name, i, &s);
	}
}

static void fill_record(struct api_ip *rec, const struct row *r)
{
	*rec = (struct api_ip){
		.meta = {.ns = (char *)"d",
			 .name = (char *)"p",
			 .uid = (char *)"r1",
			 .resource_version = (char *)"7",
			 .deletion = r->deleted},
		.pod_id = (char *)"u1",
		.node = (char *)"n1",
		.phase = r->phase,
		.card_down = (char *)r->down,
		.nic = (char *)"",
		.unwitnessed = r->unwitnessed,
	};
	assert_int_equal(ip_net_parse("10.0.0.9/24", &rec->cidr), 0);
	assert_int_equal(mac_parse(MAC, &rec->mac), 0);
}

static void every_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(files_done) struct files files = {0};
		struct api_ip rec;

		print_message("%s\n", rows[i].name);
		fill(&files, rows[i].file);
		fill_record(&rec, &rows[i]);
		assert_int_equal(report_of(&rec, "n1", &files, rows[i].settled), rows[i].report);
		/* Another node's, nobody's and one without an address: never. */
		assert_int_equal(report_of(&rec, "n2", &files, rows[i].settled), REPORT_NOTHING);
		rec.pod_id = (char *)"";
		assert_int_equal(report_of(&rec, "n1", &files, rows[i].settled), REPORT_NOTHING);
		rec.pod_id = (char *)"u1";
		rec.cidr = (struct ip_net){0};
		assert_int_equal(report_of(&rec, "n1", &files, rows[i].settled), REPORT_NOTHING);
	}
}

/* An ipvlan bears its parent's MAC. */
static void ipvlan(void **state)
{
	const struct lies *const list[] = {&other_mac, NULL};
	AUTO(files_done) struct files files = {0};
	struct api_ip rec;

	(void)state;
	fill(&files, list);
	fill_record(&rec, &rows[0]);
	rec.network.link_type = NL_TYPE_IPVLAN;
	assert_int_equal(report_of(&rec, "n1", &files, false), REPORT_ATTACHED);
}

/* The NIC that a selector found: told once, again when it is another, and taken back where the name says it. */
static void which_nic(void **state)
{
	static const struct {
		const char *told, *nic; /* in the file; in the record */
		enum report report;
		const char *text;
	} cases[] = {
		{NULL, "", REPORT_NOTHING, ""},
		{"addressIn=192.168.100.0/24", "", REPORT_ATTACHED, ",\"master\":\"ens4\""},
		{"addressIn=192.168.100.0/24", "ens4", REPORT_NOTHING, ",\"master\":\"ens4\""},
		{"lan", "ens5", REPORT_ATTACHED, ",\"master\":\"ens4\""},
		{NULL, "ens4", REPORT_ATTACHED, ",\"master\":null"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(files_done) struct files files = {0};
		struct state s = {.container_id = (char *)"c",
				  .ifname = (char *)"eth0",
				  .pod_uid = (char *)"u1",
				  .card = (char *)"eth1",
				  .card_mac = (char *)MAC,
				  .master = (char *)"ens4",
				  .told_master = (char *)cases[i].told,
				  .boot_id = (char *)BOOT,
				  .complete = true};
		AUTO(sb_done) struct sb sb = SB_INIT;
		AUTO(free)
		char *want = xasprintf(
			"{\"metadata\":{\"uid\":\"r1\",\"resourceVersion\":\"7\"},\"status\":{"
			"\"phase\":\"Attached\",\"message\":null,\"cardDown\":null%s}}",
			cases[i].text);
		struct api_ip rec;

		files.boot_id = xstrdup(BOOT);
		files_add(&files, "c@eth0", 1, &s);
		fill_record(&rec, &rows[0]);
		rec.phase = API_IP_ATTACHED;
		rec.nic = (char *)cases[i].nic;
		assert_int_equal(report_of(&rec, "n1", &files, true), cases[i].report);
		report_write(REPORT_ATTACHED, &rec, "n1", &files, &sb);
		assert_string_equal(sb_get(&sb), want);
	}
}

/* The state file of pod u1, as an ADD has left it. */
static void add_file(struct files *files, const char *uid, const char *boot, bool complete,
		     const char *made)
{
	struct state s = {.container_id = (char *)"c",
			  .ifname = (char *)"eth0",
			  .pod_uid = (char *)uid,
			  .card = (char *)"eth1",
			  .card_mac = (char *)MAC,
			  .made = (char *)made,
			  .boot_id = (char *)boot,
			  .complete = complete};

	files->boot_id = xstrdup(BOOT);
	files_add(files, "c@eth0", 1, &s);
}

#define MADE                 \
	"link eth1 mac " MAC \
	"\naddress 10.0.0.9/24 dev eth1\naddress 10.0.0.7/24 dev eth10\naddress fd00::9/64 dev eth1\n"

static void which_card(void **state)
{
	static const struct {
		const char *uid, *boot, *made;
		bool complete, settled;
		enum report report;
	} cases[] = {
		{"u1", BOOT, MADE, true, false, REPORT_CARD},
		{"u1", BOOT, MADE, false, true, REPORT_NOTHING},
		{"u1", "b0", MADE, true, true, REPORT_NOTHING},
		{"u1", BOOT, "link eth1 mac " MAC "\n", true, true, REPORT_NOTHING},
		{"u2", BOOT, MADE, true, false, REPORT_WAIT},
		{"u2", BOOT, MADE, true, true, REPORT_NO_CARD},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(files_done) struct files files = {0};
		struct api_ip rec;

		add_file(&files, cases[i].uid, cases[i].boot, cases[i].complete, cases[i].made);
		fill_record(&rec, &rows[0]);
		rec.cidr = (struct ip_net){0};
		rec.told.pod_id = (char *)"";
		/* Nobody asks; asked of a former pod; asked; another node's; answered. */
		rec.tell_card = (char *)"";
		assert_int_equal(report_of(&rec, "n1", &files, cases[i].settled), REPORT_NOTHING);
		rec.tell_card = (char *)"u0";
		assert_int_equal(report_of(&rec, "n1", &files, cases[i].settled), REPORT_NOTHING);
		rec.tell_card = (char *)"u1";
		assert_int_equal(report_of(&rec, "n1", &files, cases[i].settled), cases[i].report);
		assert_int_equal(report_of(&rec, "n2", &files, cases[i].settled), REPORT_NOTHING);
		rec.told.pod_id = (char *)"u1";
		assert_int_equal(report_of(&rec, "n1", &files, cases[i].settled), REPORT_NOTHING);
	}
}

static void texts(void **state)
{
	static const struct {
		enum report report;
		const char *text;
	} patches[] = {
		{REPORT_ATTACHED, "\"phase\":\"Attached\",\"message\":null,\"cardDown\":null"},
		{REPORT_DOWN, "\"phase\":null,\"message\":null,\"cardDown\":\"u1\""},
		{REPORT_MISSING,
		 "\"phase\":\"Missing\",\"message\":\"node n1 has no card of this pod "
		 "any more\""},
		{REPORT_CARD,
		 "\"card\":{\"podId\":\"u1\",\"ips\":[\"10.0.0.9\",\"fd00::9\"],\"mac\":\"" MAC
		 "\"}"},
		{REPORT_NO_CARD, "\"card\":{\"podId\":\"u1\",\"ips\":[]}"},
	};
	AUTO(files_done) struct files files = {0};
	struct api_ip rec;

	(void)state;
	add_file(&files, "u1", BOOT, true, MADE);
	fill_record(&rec, &rows[0]);
	for (size_t i = 0; i < ARRAY_SIZE(patches); i++) {
		AUTO(sb_done) struct sb sb = SB_INIT;
		AUTO(free)
		char *want = xasprintf("{\"metadata\":{\"uid\":\"r1\",\"resourceVersion\":\"7\"},"
				       "\"status\":{%s}}",
				       patches[i].text);

		report_write(patches[i].report, &rec, "n1", &files, &sb);
		assert_string_equal(sb_get(&sb), want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case), cmocka_unit_test(ipvlan), cmocka_unit_test(which_nic),
		cmocka_unit_test(which_card), cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
