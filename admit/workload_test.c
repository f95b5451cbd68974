/* SPDX-License-Identifier: Apache-2.0 */
#include "admit/workload.h"
#include "admit/world_test.h"
#include "lib/json/text_test.h"

/* A review of that operation; texts with single quotes. old NULL = none. */
static const char *ask(struct lab *lab, const char *resource, const char *object, const char *old)
{
	AUTO(free)
	char *text = xasprintf(
		"{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1','request':{'uid':'u',"
		"'resource':{'group':'%s','resource':'%s'},'namespace':'%s','operation':'%s','object':%s,"
		"'oldObject':%s}}",
		str_eq(resource, "pods")   ? ""
		: strstr(resource, "jobs") ? "batch"
					   : "apps",
		resource, strstr(object, "'ns':") ? "b" : "a", old ? "UPDATE" : "CREATE", object,
		old ? old : "null");
	AUTO(admit_review_done) struct admit_review r = {0};
	AUTO(admit_workload_done) struct admit_workload w = {0};
	struct err e = {0};

	json_quotes(text);
	if (admit_review_parse(text, strlen(text), &r, &e) < 0)
		fail_msg("%s: %s", e.msg, text);
	if (!admit_workload_read(&r, false, &w, &lab->answer)) {
		AUTO(free) char *rest = xstrdup(lab_says(lab));
		static char skipped[1024];

		snprintf(skipped, sizeof(skipped), "not looked at%s", rest + 2);
		return skipped;
	}
	admit_workload_check(&lab->world, &w, &lab->answer);
	return lab_says(lab);
}

#define SUBNET        "'tandem-cni.io/subnet':'net'"
#define IP(list)      "'tandem-cni.io/subnet':'net','tandem-cni.io/ip':'" list "'"
#define TEMPLATE_HEAD "'template':{'metadata':{'annotations':{"
#define RECREATE      "'strategy':{'type':'Recreate'},"
#define DEPLOY(notes) "{'metadata':{'name':'web'},'spec':{" RECREATE TEMPLATE_HEAD notes "}}}}}"
#define DEPLOY_N(n, notes) \
	"{'metadata':{'name':'web'},'spec':{'replicas':" n "," RECREATE TEMPLATE_HEAD notes "}}}}}"
#define SURGE(n, strategy, notes)                                                   \
	"{'metadata':{'name':'web'},'spec':{'replicas':" n ",'strategy':{" strategy \
	"}," TEMPLATE_HEAD notes "}}}}}"
#define POD(notes) "{'metadata':{'name':'p','annotations':{" notes "}}}"
#define OWNED_POD(notes)                                                                               \
	"{'metadata':{'name':'p','ownerReferences':[{'kind':'ReplicaSet','name':'web-1','controller':" \
	"true}],'annotations':{" notes "}}}"
#define NS_POD(notes) "{'ns':1,'metadata':{'name':'p','annotations':{" notes "}}}"

#define BEGIN()              \
	struct lab lab;      \
	(void)state;         \
	lab_init(&lab);      \
	lab_add(&lab, "net", \
		"'master':'ens4','cidr':'10.1.0.0/24','exclude':['10.1.0.40-10.1.0.49']")
#define SAYS(want, ...) assert_string_equal(ask(&lab, __VA_ARGS__), want)

static void test_what_is_looked_at(void **state)
{
	BEGIN();
	SAYS("not looked at", "deployments", DEPLOY(""), NULL);
	SAYS("not looked at", "deployments", "{'metadata':{'name':'web'},'spec':{}}", NULL);
	SAYS("not looked at", "replicasets", DEPLOY(SUBNET), NULL);
	SAYS("not looked at", "pods", POD(""), NULL);
	SAYS("not looked at", "pods", OWNED_POD(IP("1.2.3.4")), NULL);
	SAYS("not looked at", "deployments", DEPLOY_N("1", IP("1.2.3.4")),
	     DEPLOY_N("1", IP("1.2.3.4")));
	SAYS("ok", "deployments", DEPLOY(SUBNET), NULL);
	SAYS("ok", "deployments", DEPLOY(SUBNET), DEPLOY(""));
	SAYS("ok", "pods", POD(SUBNET), NULL);
	SAYS("not looked at; annotation tandem-cni.io/subnet has no effect on a Deployment; set it in spec.template.metadata.annotations",
	     "deployments", "{'metadata':{'name':'web','annotations':{" SUBNET "}},'spec':{}}",
	     NULL);
	SAYS("ok; annotation tandem-cni.io/adress is unknown; known are subnet, ip, mac and interface",
	     "deployments", DEPLOY(SUBNET ",'tandem-cni.io/adress':'1','other.io/x':'y'"), NULL);
	SAYS("ok", "deployments", DEPLOY(SUBNET ",'tandem-cni.io/macvlan-service':'disabled'"),
	     NULL);
	lab_done(&lab);
}

static void test_every_kind(void **state)
{
	static const char refusal[] =
		"annotation tandem-cni.io/ip: 10.2.0.1 is outside the cidr 10.1.0.0/24 of MacvlanSubnet net";
	static const char *const kinds[] = {"deployments", "statefulsets", "daemonsets", "jobs"};

	BEGIN();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		SAYS(refusal, kinds[i], DEPLOY(IP("10.2.0.1")), NULL);
	SAYS(refusal, "pods", POD(IP("10.2.0.1")), NULL);
	SAYS(refusal, "cronjobs",
	     "{'metadata':{'name':'c'},'spec':{'jobTemplate':{'spec':{" TEMPLATE_HEAD IP(
		     "10.2.0.1") "}}}}}}}",
	     NULL);
	lab_done(&lab);
}

static void test_malformed(void **state)
{
	BEGIN();
	SAYS("annotation tandem-cni.io/ip: \"10.1.0.x\": must be \"auto\", an address, or addresses joined by "
	     "hyphens",
	     "deployments", DEPLOY(IP("10.1.0.x")), NULL);
	SAYS("annotation tandem-cni.io/ip also needs annotation tandem-cni.io/subnet",
	     "deployments", DEPLOY("'tandem-cni.io/ip':'auto'"), NULL);
	SAYS("annotation tandem-cni.io/mac: \"0a:00:00:00:00:01-0a:00:00:00:00:02\": a list of MACs needs a "
	     "list of as many addresses in tandem-cni.io/ip",
	     "deployments",
	     DEPLOY(IP("10.1.0.5") ",'tandem-cni.io/mac':'0a:00:00:00:00:01-0a:00:00:00:00:02'"),
	     NULL);
	lab_done(&lab);
}

static void test_addresses_that_no_pod_gets(void **state)
{
	BEGIN();
	lab_add(&lab, "ranged",
		"'master':'ens4','cidr':'10.3.0.0/24','ranges':[{'rangeStart':'10.3.0.5','rangeEnd':'10.3.0.9'}]");
	lab.node = "n1";
	lab.node_addr = "10.1.0.11";
	SAYS("annotation tandem-cni.io/ip: 10.1.0.1 is the gateway of MacvlanSubnet net", "pods",
	     POD(IP("10.1.0.1")), NULL);
	SAYS("annotation tandem-cni.io/ip: 10.1.0.0 is the network address of MacvlanSubnet net",
	     "pods", POD(IP("10.1.0.0")), NULL);
	SAYS("annotation tandem-cni.io/ip: 10.1.0.255 is the broadcast address of MacvlanSubnet net",
	     "pods", POD(IP("10.1.0.255")), NULL);
	SAYS("annotation tandem-cni.io/ip: 10.1.0.44 is an excluded address of MacvlanSubnet net",
	     "pods", POD(IP("10.1.0.5-10.1.0.44")), NULL);
	SAYS("annotation tandem-cni.io/ip: 10.1.0.11 is the address of node n1", "pods",
	     POD(IP("10.1.0.11")), NULL);
	SAYS("annotation tandem-cni.io/ip: 10.3.0.10 is outside the ranges of MacvlanSubnet ranged",
	     "pods", POD("'tandem-cni.io/subnet':'ranged','tandem-cni.io/ip':'10.3.0.10'"), NULL);
	SAYS("annotation tandem-cni.io/ip: fd00::1 is outside the cidr 10.1.0.0/24 of MacvlanSubnet net",
	     "pods", POD(IP("fd00::1")), NULL);
	SAYS("ok", "pods", POD(IP("10.1.0.5")), NULL);
	lab_done(&lab);
}

static void test_subnets_that_do_not_serve(void **state)
{
	BEGIN();
	lab_add(&lab, "bad", NULL);
	lab_add(&lab, "ipvlan", "'master':'ens5','cidr':'10.5.0.0/24','linkType':'ipvlan'");
	lab_add(&lab, "private",
		"'master':'ens6','cidr':'10.6.0.0/24','allowedNamespaces':{'matchLabels':{'team':'a'}}");
	SAYS("ok; MacvlanSubnet later does not exist in namespace kube-system yet; pods wait for it",
	     "pods", POD("'tandem-cni.io/subnet':'later','tandem-cni.io/ip':'1.2.3.4'"), NULL);
	SAYS("ok; MacvlanSubnet bad is invalid; pods wait until it is fixed: spec.cidr: is bad",
	     "pods", POD("'tandem-cni.io/subnet':'bad'"), NULL);
	lab.terminating[0] = true;
	SAYS("ok; MacvlanSubnet net is being deleted and gives no new addresses", "pods",
	     POD(SUBNET), NULL);
	SAYS("annotation tandem-cni.io/mac: MacvlanSubnet ipvlan is of type ipvlan, whose cards have their "
	     "master's MAC",
	     "pods", POD("'tandem-cni.io/subnet':'ipvlan','tandem-cni.io/mac':'0a:00:00:00:00:01'"),
	     NULL);
	lab.terminating[0] = false;
	lab_add(&lab, "any", "'master':'ens7','cidr':'10.7.0.0/24','allowAnyMAC':true");
	SAYS("annotation tandem-cni.io/mac: 00:1c:42:00:00:05 is not locally administered (2, 6, a or e as its "
	     "second digit), and MacvlanSubnet net has no allowAnyMAC",
	     "pods", POD(SUBNET ",'tandem-cni.io/mac':'00:1c:42:00:00:05'"), NULL);
	SAYS("ok", "pods",
	     POD("'tandem-cni.io/subnet':'any','tandem-cni.io/mac':'00:1c:42:00:00:05'"), NULL);
	SAYS("ok", "pods", POD("'tandem-cni.io/subnet':'private'"), NULL);
	SAYS("annotation tandem-cni.io/subnet: MacvlanSubnet private is for namespaces with team=a, which b "
	     "does not have",
	     "pods", NS_POD("'tandem-cni.io/subnet':'private'"), NULL);
	lab_done(&lab);
}

#define TAKEN    "10.1.0.5"
#define MAC_USED "0a:00:00:00:00:05"

static void test_who_has_it(void **state)
{
	BEGIN();
	lab_add(&lab, "twin", "'master':'ens4','cidr':'10.1.0.0/24'");
	lab_add(&lab, "far", "'master':'ens4','vlan':9,'cidr':'10.1.0.0/24'");
	lab_pod(&lab,
		(struct pod_row){"a/web-1-x", "Deployment a/web", "net", TAKEN, MAC_USED, false});
	lab_pod(&lab,
		(struct pod_row){"a/bare", NULL, "net", "10.1.0.6", "0a:00:00:00:00:06", false});
	lab_pod(&lab, (struct pod_row){"a/old", "Job a/old", "net", "10.1.0.7", NULL, true});
	/* Its own pods never count. */
	SAYS("ok", "deployments", DEPLOY(IP(TAKEN) ",'tandem-cni.io/mac':'" MAC_USED "'"),
	     DEPLOY(""));
	SAYS("annotation tandem-cni.io/ip: 10.1.0.5 is in use by pod a/web-1-x of Deployment a/web",
	     "statefulsets", DEPLOY(IP("10.1.0.8-" TAKEN)), NULL);
	SAYS("annotation tandem-cni.io/ip: 10.1.0.5 is in use by pod a/web-1-x of Deployment a/web",
	     "pods", POD("'tandem-cni.io/subnet':'twin','tandem-cni.io/ip':'" TAKEN "'"), NULL);
	SAYS("ok", "pods", POD("'tandem-cni.io/subnet':'far','tandem-cni.io/ip':'" TAKEN "'"),
	     NULL);
	SAYS("annotation tandem-cni.io/ip: 10.1.0.6 is in use by pod a/bare", "deployments",
	     DEPLOY(IP("10.1.0.6")), NULL);
	SAYS("ok; annotation tandem-cni.io/ip: 10.1.0.7 is still in use by pod a/old of Job a/old, which is ending",
	     "deployments", DEPLOY(IP("10.1.0.7")), NULL);
	SAYS("annotation tandem-cni.io/mac: 0a:00:00:00:00:06 is in use by pod a/bare",
	     "deployments", DEPLOY(SUBNET ",'tandem-cni.io/mac':'0a:00:00:00:00:06'"), NULL);
	lab_done(&lab);
}

static void test_who_names_it(void **state)
{
	BEGIN();
	lab.named[0].subnet = "net";
	lab.named[0].addr = "10.1.0.9";
	lab.named[0].by = "CronJob a/nightly";
	SAYS("annotation tandem-cni.io/ip: 10.1.0.9 is reserved by the pod template of CronJob a/nightly; choose another address or remove it there",
	     "pods", POD(IP("10.1.0.9")), NULL);
	/* The Jobs that it makes are its own. */
	SAYS("ok", "jobs",
	     "{'metadata':{'name':'nightly-1','ownerReferences':[{'kind':'CronJob','name':'nightly',"
	     "'controller':true}]},'spec':{" TEMPLATE_HEAD IP("10.1.0.9") "}}}}}",
	     NULL);
	lab_done(&lab);
}

static void test_warnings(void **state)
{
	BEGIN();
	SAYS("ok; 3 pods and 2 addresses in tandem-cni.io/ip: the others wait until one is free",
	     "deployments", DEPLOY_N("3", IP("10.1.0.5-10.1.0.6")), NULL);
	SAYS("ok", "daemonsets", DEPLOY(IP("10.1.0.5")), NULL);
	/* Two families, paired: one pod's. */
	lab_add(&lab, "dual",
		"'master':'ens4','vlan':5,'cidr':'10.5.0.0/24','ipv6':{'cidr':'fd00::/64'}");
	SAYS("ok", "deployments",
	     DEPLOY_N("1", "'tandem-cni.io/subnet':'dual','tandem-cni.io/ip':'10.5.0.5-fd00::5'"),
	     NULL);
	SAYS("annotation tandem-cni.io/ip: fd00:: is the network address of MacvlanSubnet dual",
	     "deployments",
	     DEPLOY("'tandem-cni.io/subnet':'dual','tandem-cni.io/ip':'10.5.0.5-fd00::'"), NULL);
	SAYS("ok; pods with hostNetwork get no card; the tandem-cni.io annotations have no effect",
	     "pods",
	     "{'metadata':{'name':'p','annotations':{" SUBNET "}},'spec':{'hostNetwork':true}}",
	     NULL);
	lab_done(&lab);
}

#define WAITS                                                                   \
	" more before it ends the old ones, and they wait for an address; set " \
	"spec.strategy.rollingUpdate.maxSurge to 0, or spec.strategy.type to Recreate"
/* cppcheck-suppress preprocessorErrorDirective */
#define TWO IP("10.1.0.5-10.1.0.6")

static void test_pods_over_the_number_of_addresses(void **state)
{
	BEGIN();
	SAYS("ok; 2 pods and 2 addresses in tandem-cni.io/ip: a change of the template makes 1" WAITS,
	     "deployments", SURGE("2", "", TWO), NULL);
	SAYS("ok; 1 pods and 2 addresses in tandem-cni.io/ip: a change of the template makes 2" WAITS,
	     "deployments", SURGE("1", "'rollingUpdate':{'maxSurge':2}", TWO), NULL);
	SAYS("ok; 2 pods and 2 addresses in tandem-cni.io/ip: a change of the template makes 2" WAITS,
	     "deployments", SURGE("2", "'rollingUpdate':{'maxSurge':'51%'}", TWO), NULL);
	SAYS("ok", "deployments", SURGE("1", "", TWO), NULL);
	SAYS("ok", "deployments", SURGE("2", "'type':'Recreate'", TWO), NULL);
	SAYS("ok", "deployments", SURGE("2", "'rollingUpdate':{'maxSurge':0}", TWO), NULL);
	SAYS("ok", "deployments", SURGE("2", "'rollingUpdate':{'maxSurge':'0%'}", TWO), NULL);
	SAYS("ok", "statefulsets", SURGE("2", "", TWO), NULL);
	/* The numbers have changed alone: nothing else is looked at again. */
	SAYS("ok; 2 pods and 2 addresses in tandem-cni.io/ip: a change of the template makes 1" WAITS,
	     "deployments", SURGE("2", "", TWO), SURGE("1", "", TWO));
	SAYS("ok; 9 pods and 1 addresses in tandem-cni.io/ip: the others wait until one is free",
	     "deployments", DEPLOY_N("9", IP("1.2.3.4")), DEPLOY_N("1", IP("1.2.3.4")));
	lab_done(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pods_over_the_number_of_addresses),
		cmocka_unit_test(test_what_is_looked_at),
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_addresses_that_no_pod_gets),
		cmocka_unit_test(test_subnets_that_do_not_serve),
		cmocka_unit_test(test_who_has_it),
		cmocka_unit_test(test_who_names_it),
		cmocka_unit_test(test_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
