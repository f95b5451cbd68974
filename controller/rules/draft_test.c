/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define META                                                                           \
	"\"labels\":{\"tandem-cni.io/node\":\"n1\",\"tandem-cni.io/subnet\":\"lan\"}," \
	"\"finalizers\":[\"tandem-cni.io/address\"]"
#define OWNER \
	",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"p\",\"uid\":\"u-pod\"}]"
#define OBJECT(meta, spec)                                                                                \
	"{\"apiVersion\":\"tandem-cni.io/v1\",\"kind\":\"MacvlanIP\",\"metadata\":{\"name\":\"p\","       \
	"\"namespace\":\"ns\"," meta                                                                      \
	",\"managedFields\":[{}]},\"spec\":{\"subnet\":\"lan\",\"podId\":\"u-pod\",\"node\":\"n1\"," spec \
	"}}"
#define NETWORK \
	"\"master\":\"ens4\",\"vlan\":0,\"linkType\":\"macvlan\",\"mode\":\"bridge\",\"mtu\":0"
#define KNOWN  "\"uid\":\"u-rec\",\"resourceVersion\":\"77\""
#define GIVEN  "\"cidr\":\"10.0.0.5/24\",\"mac\":\"0a:00:00:00:00:05\","
#define GIVEN6 "\"cidr\":\"10.0.0.5/24\",\"cidr6\":\"fd00::5/64\",\"mac\":\"0a:00:00:00:00:05\","

static const struct mac_addr mac = {{0x0a, 0, 0, 0, 0, 5}};

static char ns[] = "ns", p[] = "p", u_pod[] = "u-pod", u_rec[] = "u-rec", v77[] = "77", n1[] = "n1",
	    lan[] = "lan", apps[] = "apps/v1", replica_set[] = "ReplicaSet",
	    stateful_set[] = "StatefulSet";

struct scene {
	struct api_pod pod;
	struct api_ip rec;
	struct draft_address a;
	struct sb sb;
};

static void scene(struct scene *s)
{
	*s = (struct scene){
		.pod = {.meta = {.ns = ns, .name = p, .uid = u_pod},
			.node = n1,
			.owner = {.api_version = apps, .kind = replica_set}},
		.rec = {.meta = {.ns = ns, .name = p, .uid = u_rec, .resource_version = v77},
			.subnet = lan,
			.network = {.master = "ens4"}},
		.a = {.mac = &mac},
		.sb = SB_INIT,
	};
	assert_int_equal(ip_net_parse("10.0.0.5/24", &s->a.cidr), 0);
}

static void is(struct scene *s, const char *text)
{
	assert_string_equal(sb_get(&s->sb), text);
	sb_clear(&s->sb);
}

static void a_record_is_made_for_its_pod(void **state)
{
	struct scene s;

	(void)state;
	scene(&s);
	draft_new(&s.sb, &s.pod, &(struct draft_record){"lan", &s.rec.network, NULL, false});
	is(&s, OBJECT(META OWNER, NETWORK));
	s.pod.owner.kind = stateful_set;
	draft_new(&s.sb, &s.pod, &(struct draft_record){"lan", &s.rec.network, NULL, false});
	is(&s, OBJECT(META, NETWORK));
	sb_done(&s.sb);
}

static void whole_it_is_what_was_made_and_the_address(void **state)
{
	struct scene s;

	(void)state;
	scene(&s);
	draft_whole(&s.sb, &s.rec, &s.pod, &s.a);
	is(&s, OBJECT(KNOWN "," META OWNER, GIVEN NETWORK));
	assert_int_equal(ip_net_parse("fd00::5/64", &s.a.cidr6), 0);
	s.a.probe = true;
	draft_whole(&s.sb, &s.rec, &s.pod, &s.a);
	is(&s, OBJECT(KNOWN "," META OWNER, GIVEN6 NETWORK ",\"conflictDetection\":true"));
	sb_done(&s.sb);
}

static void a_patch_has_the_network_only_where_it_is_another(void **state)
{
	struct api_network edited = {.master = "ens5"};
	struct scene s;

	(void)state;
	scene(&s);
	draft_patch(&s.sb, &s.rec, &s.a);
	is(&s, "{\"metadata\":{" KNOWN "},\"spec\":{\"cidr\":\"10.0.0.5/24\",\"cidr6\":null,"
	       "\"mac\":\"0a:00:00:00:00:05\"}}");
	s.a.network = &edited;
	draft_patch(&s.sb, &s.rec, &s.a);
	is(&s,
	   "{\"metadata\":{" KNOWN "},\"spec\":{\"cidr\":\"10.0.0.5/24\",\"cidr6\":null,"
	   "\"mac\":\"0a:00:00:00:00:05\",\"master\":\"ens5\",\"masterSelector\":null,\"vlan\":0,\"linkType\":\"macvlan\","
	   "\"mode\":\"bridge\",\"mtu\":0,\"gateway\":null,\"gateway6\":null,\"routes\":null,"
	   "\"podDefaultGateway\":null,\"hostAccess\":null,\"conflictDetection\":null,"
	   "\"forwarding\":null,\"acceptRA\":null,\"requireCarrier\":null}}");
	sb_done(&s.sb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_made_for_its_pod),
		cmocka_unit_test(whole_it_is_what_was_made_and_the_address),
		cmocka_unit_test(a_patch_has_the_network_only_where_it_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
