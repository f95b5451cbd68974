/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <string.h>

#include "api/clusterip.h"
#include "lib/base/sb.h"
#include "lib/json/jread.h"
#include "services/address.h"
#include "services/plan.h"

#define META_WEB "\"metadata\":{\"name\":\"web\",\"namespace\":\"d\",\"uid\":\"u\"}"
#define EP(ip, conditions) \
	"{\"addresses\":[\"" ip "\"],\"conditions\":{" conditions "},\"nodeName\":\"n1\"}"
#define READY "\"ready\":true"
#define DRAIN "\"ready\":false,\"serving\":true,\"terminating\":true"
#define SLICE(ports, eps)                                                                      \
	"{\"metadata\":{\"name\":\"s\",\"namespace\":\"d\",\"uid\":\"u\",\"labels\":"          \
	"{\"kubernetes.io/service-name\":\"web\"}},\"addressType\":\"IPv4\",\"ports\":[" ports \
	"],\"endpoints\":[" eps "]}"
#define WEB "{\"name\":\"web\",\"port\":8080}"

static const struct plan_lan lans[] = {
	{7, {{{AF_INET, {192, 168, 10}}, 24}, {{AF_INET6, {0xfd, 0, 0, 0x10}}, 64}}},
	{8, {{{AF_INET, {192, 168, 20}}, 24}, {{0}, 0}}},
	{9, {{{AF_INET, {192, 168, 20}}, 25}, {{0}, 0}}},
};

static struct api_cluster_service *service(const char *text)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct api_cluster_service *s = NULL;
	struct jval root;
	struct err e = {0};

	if (jdoc_parse("test", text, strlen(text), &doc, &e) < 0)
		fail_msg("%s", e.msg);
	root = jdoc_root(doc);
	if (api_cluster_service_decode(&root, &s, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

static struct api_backends *backends(const char *text, bool endpoints)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct api_backends *b = NULL;
	struct jval root;
	struct err e = {0};

	if (jdoc_parse("test", text, strlen(text), &doc, &e) < 0)
		fail_msg("%s", e.msg);
	root = jdoc_root(doc);
	if ((endpoints ? api_backends_decode_endpoints(&root, "n1", &b, &e)
		       : api_backends_decode_slice(&root, "n1", &b, &e)) < 0)
		fail_msg("%s", e.msg);
	return b;
}

/* "10.96.0.1:80/tcp scope 0: 10.0.0.1:8080" a line. */
static char *plan(const char *svc, const struct api_backends *own, const struct api_backends *cards)
{
	AUTO(api_cluster_service_free) struct api_cluster_service *s = service(svc);
	AUTO(plan_done) struct plan p = {0};
	struct sb out = SB_INIT;
	struct plan_in in = {.service = s,
			     .backends = &own,
			     .n_backends = own != NULL,
			     .cards = &cards,
			     .n_cards = cards != NULL,
			     .lans = lans,
			     .n_lans = 3};

	plan_make(&in, &p);
	for (size_t i = 0; i < p.n; i++) {
		address_print(&p.v[i].at, &out);
		sb_printf(&out, "/%d scope %u aff %u:", p.v[i].proto, p.v[i].scope,
			  p.v[i].affinity_s);
		for (size_t k = 0; k < p.v[i].n_backends; k++) {
			sb_putc(&out, ' ');
			address_print(&p.v[i].backends[k], &out);
		}
		sb_putc(&out, '\n');
	}
	return sb_take(&out);
}

#define SERVICE(spec) "{" META_WEB ",\"spec\":{" spec "}}"
#define PORTS         "\"ports\":[{\"name\":\"web\",\"port\":80}]"

static void check(const char *svc, const char *slice, const char *want)
{
	AUTO(api_backends_free) struct api_backends *b = slice ? backends(slice, false) : NULL;
	AUTO(free) char *got = plan(svc, b, NULL);

	assert_string_equal(got, want);
}

static void slices(void **state)
{
	(void)state;
	check(SERVICE("\"clusterIP\":\"10.96.0.1\"," PORTS),
	      SLICE(WEB, EP("10.0.0.2", READY) "," EP("10.0.0.1", READY) "," EP(
				 "10.0.0.1", READY) "," EP("10.0.0.3", DRAIN)),
	      "10.96.0.1:80/6 scope 0 aff 0: 10.0.0.1:8080 10.0.0.2:8080\n");
	/* Nobody is ready: who still serves. */
	check(SERVICE("\"clusterIP\":\"10.96.0.1\"," PORTS),
	      SLICE(WEB, EP("10.0.0.2", "\"ready\":false") "," EP("10.0.0.3", DRAIN)),
	      "10.96.0.1:80/6 scope 0 aff 0: 10.0.0.3:8080\n");
	check(SERVICE("\"clusterIP\":\"10.96.0.1\"," PORTS), NULL,
	      "10.96.0.1:80/6 scope 0 aff 0:\n");
	/* Another port's name; both families; two protocols; SCTP is left alone. */
	check(SERVICE("\"clusterIP\":\"10.96.0.1\",\"ports\":[{\"name\":\"x\",\"port\":80}]"),
	      SLICE(WEB, EP("10.0.0.2", READY)), "10.96.0.1:80/6 scope 0 aff 0:\n");
	check(SERVICE("\"clusterIPs\":[\"10.96.0.1\",\"fd96::1\"],\"sessionAffinity\":\"ClientIP\","
		      "\"ports\":[{\"name\":\"dns\",\"port\":53,\"protocol\":\"UDP\"},"
		      "{\"name\":\"s\",\"port\":9,\"protocol\":\"SCTP\"}]"),
	      SLICE("{\"name\":\"dns\",\"port\":5353,\"protocol\":\"UDP\"},"
		    "{\"name\":\"dns\",\"port\":1,\"protocol\":\"TCP\"}",
		    EP("10.0.0.2", READY)),
	      "10.96.0.1:53/17 scope 0 aff 10800: 10.0.0.2:5353\n"
	      "[fd96::1]:53/17 scope 0 aff 10800:\n");
}

static void local(void **state)
{
	(void)state;
	check(SERVICE("\"clusterIP\":\"10.96.0.1\",\"internalTrafficPolicy\":\"Local\"," PORTS),
	      SLICE(WEB,
		    EP("10.0.0.2", READY) ",{\"addresses\":[\"10.0.0.9\"],\"nodeName\":\"n2\"}"),
	      "10.96.0.1:80/6 scope 0 aff 0: 10.0.0.2:8080\n");
	/* None here is none, not all. */
	check(SERVICE("\"clusterIP\":\"10.96.0.1\",\"internalTrafficPolicy\":\"Local\"," PORTS),
	      SLICE(WEB, "{\"addresses\":[\"10.0.0.9\"],\"nodeName\":\"n2\"}"),
	      "10.96.0.1:80/6 scope 0 aff 0:\n");
}

static void not_ours(void **state)
{
	static const char *const rows[] = {
		SERVICE("\"clusterIP\":\"None\"," PORTS),
		SERVICE("\"type\":\"ExternalName\",\"externalName\":\"x\""),
		SERVICE(PORTS),
		"{\"metadata\":{\"name\":\"web\",\"namespace\":\"d\",\"uid\":\"u\",\"labels\":{"
		"\"service.kubernetes.io/service-proxy-name\":\"x\"}},"
		"\"spec\":{\"clusterIP\":\"10.96.0.1\"}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_null(service(rows[i]));
}

#define ETH1                                                                                   \
	"{\"metadata\":{\"name\":\"web\",\"namespace\":\"d\",\"uid\":\"u\",\"annotations\":{"  \
	"\"tandem-cni.io/cluster-ip\":\"eth1\"}},\"spec\":{\"clusterIP\":\"10.96.0.1\"," PORTS \
	"}}"

static void cards_of_a_lan(void **state)
{
	AUTO(api_backends_free)
	struct api_backends *own = backends(SLICE(WEB, EP("10.0.0.2", READY)), false);
	/* .20.9 is in two networks, .20.200 in one, .99.1 in none. */
	AUTO(api_backends_free)
	struct api_backends *cards =
		backends(SLICE(WEB, EP("192.168.10.4", READY) "," EP("192.168.20.9", READY) "," EP(
					    "192.168.20.200", READY) "," EP("192.168.99.1", READY)),
			 false);
	AUTO(free) char *got = plan(ETH1, own, cards);
	AUTO(free) char *without = plan(SERVICE("\"clusterIP\":\"10.96.0.1\"," PORTS), own, cards);

	(void)state;
	assert_string_equal(got, "10.96.0.1:80/6 scope 0 aff 0: 10.0.0.2:8080\n"
				 "10.96.0.1:80/6 scope 7 aff 0: 192.168.10.4:8080\n"
				 "10.96.0.1:80/6 scope 8 aff 0: 192.168.20.200:8080\n");
	assert_string_equal(without, "10.96.0.1:80/6 scope 0 aff 0: 10.0.0.2:8080\n");
}

static void endpoints(void **state)
{
	AUTO(api_backends_free)
	struct api_backends *b = backends(
		"{" META_WEB
		",\"subsets\":[{\"addresses\":[{\"ip\":\"10.0.0.1\",\"nodeName\":\"n1\"}],"
		"\"notReadyAddresses\":[{\"ip\":\"10.0.0.7\"}],\"ports\":[" WEB "]},"
		"{\"addresses\":[{\"ip\":\"10.0.0.2\"}],\"ports\":[{\"name\":\"web\",\"port\":81}]}]}",
		true);
	AUTO(free) char *got = plan(SERVICE("\"clusterIP\":\"10.96.0.1\"," PORTS), b, NULL);

	(void)state;
	assert_string_equal(got, "10.96.0.1:80/6 scope 0 aff 0: 10.0.0.1:8080 10.0.0.2:81\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices),    cmocka_unit_test(local),
		cmocka_unit_test(not_ours),  cmocka_unit_test(cards_of_a_lan),
		cmocka_unit_test(endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
