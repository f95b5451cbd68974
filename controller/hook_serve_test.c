/* The webhook's answers over real caches, fed by hand. */
#include "lib/base/test.h"

#include <string.h>

#include "controller/app.h"
#include "controller/cache.h"
#include "controller/ent.h"
#include "controller/hook_serve.h"
#include "controller/hook_view.h"
#include "controller/netstatus.h"
#include "controller/reserve.h"
#include "controller/sub.h"
#include "controller/svc.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/httpd/httpd.h"
#include "lib/json/jread.h"
#include "lib/kube/store.h"

/* Single quotes to double ones, in place. */
static char *quoted(char *text)
{
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	return text;
}

static void feed(struct app *app, int store, const char *object)
{
	AUTO(free) char *text = quoted(xstrdup(object));
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	if (jdoc_parse("test", text, strlen(text), &doc, &e) < 0)
		fail_msg("%s", e.msg);
	root = jdoc_root(doc);
	assert_int_equal(kube_store_set(app->store[store], &root, &e), 0);
}

#define SUBNET(name, spec)                                     \
	"{'metadata':{'namespace':'kube-system','name':'" name \
	"','uid':'u','resourceVersion':'1'},'spec':{" spec "}}"
#define NET "'master':'ens4','cidr':'10.1.0.0/24'"
#define RECORD                                                                                   \
	"{'metadata':{'namespace':'default','name':'web-5d-x','uid':'u','resourceVersion':'1'}," \
	"'spec':{'subnet':'net','podId':'u-web-5d-x','node':'n1','cidr':'10.1.0.5/24',"          \
	"'mac':'0a:00:00:00:00:05','master':'ens4','vlan':0,'linkType':'macvlan',"               \
	"'mode':'bridge','mtu':0,'routes':[],'podDefaultGateway':{'enable':false}}}"
#define POD                                                                                              \
	"{'metadata':{'namespace':'default','name':'web-5d-x','uid':'u-web-5d-x','resourceVersion':'1'," \
	"'labels':{'pod-template-hash':'5d'},'annotations':{'tandem-cni.io/subnet':'net'},"              \
	"'ownerReferences':[{'kind':'ReplicaSet','name':'web-5d','uid':'r','controller':true}]},"        \
	"'spec':{'nodeName':'n1'}}"

static void begin(struct app *app)
{
	memset(app, 0, sizeof(*app));
	app->opt.system_ns = "kube-system";
	cache_init(app);
	svc_init(app);
}

static void fill(struct app *app)
{
	for (int i = 0; i < STORES; i++)
		kube_store_list_begin(app->store[i]);
	feed(app, STORE_SUBNETS, SUBNET("net", NET));
	feed(app, STORE_PODS, POD);
	feed(app, STORE_IPS, RECORD);
	feed(app, STORE_NODES,
	     "{'metadata':{'name':'n1'},'status':{'addresses':[{'address':'10.1.0.9'}]}}");
	feed(app, STORE_NAMESPACES, "{'metadata':{'name':'default','labels':{'a':'b'}}}");
	feed(app, STORE_WORKLOADS + API_STATEFULSET,
	     "{'metadata':{'namespace':'default','name':'db','uid':'w','resourceVersion':'1'},"
	     "'spec':{'template':{'metadata':{'annotations':{'tandem-cni.io/subnet':'net',"
	     "'tandem-cni.io/ip':'10.1.0.7'}}}}}");
	for (int i = 0; i < STORES; i++)
		kube_store_list_end(app->store[i]);
}

static void end(struct app *app)
{
	struct ent *ent;
	struct sub *sub;
	size_t pos;

	svc_done(app);
	netstatus_done(app);
	reserve_done(app);
	cache_done(app);
	while (pos = 0, (ent = map_each(&app->ents, &pos)))
		ent_free(ent);
	while (pos = 0, (sub = map_each(&app->subs, &pos)))
		sub_free(sub);
	map_done(&app->ents);
	map_done(&app->subs);
	map_done(&app->claims);
	map_done(&app->macs);
	free(app->dirty);
}

/* The status, and the body in *body. */
static int ask(struct app *app, const char *method, const char *path, const char *text,
	       struct sb *body)
{
	struct http_request req = {.method = method, .path = path, .query = ""};
	struct httpd_response res = {200, "text/plain", SB_INIT};

	req.headers[req.n_headers++] =
		(struct http_header){"content-type", "application/json; charset=utf-8"};
	req.body = text ? text : "";
	req.body_len = strlen(req.body);
	hook_serve(app, &req, &res);
	sb_clear(body);
	sb_puts(body, sb_get(&res.body));
	sb_done(&res.body);
	return res.status;
}

static void test_paths(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct app app;

	(void)state;
	begin(&app);
	assert_int_equal(ask(&app, "GET", "/", NULL, &body), 404);
	assert_int_equal(ask(&app, "GET", "/healthz", NULL, &body), 200);
	assert_string_equal(sb_get(&body), "ok\n");
	assert_int_equal(ask(&app, "GET", "/readyz", NULL, &body), 503);
	fill(&app);
	assert_int_equal(ask(&app, "GET", "/readyz", NULL, &body), 200);
	assert_int_equal(ask(&app, "GET", "/admit", NULL, &body), 405);
	assert_int_equal(ask(&app, "POST", "/admit", "{", &body), 400);
	assert_int_equal(ask(&app, "POST", "/admit", "", &body), 400);
	end(&app);
}

/* "ok", or the refusal's code and message; warnings behind it. */
static const char *review(struct app *app, const char *request)
{
	AUTO(free)
	char *text =
		quoted(xasprintf("{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1',"
				 "'request':{'uid':'r1',%s}}",
				 request));
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	static char says[2048];
	struct jval root, response, status, warnings, item;
	struct err e = {0};
	const char *message = "", *uid = "";
	int64_t code = 0;
	int n;

	assert_int_equal(ask(app, "POST", "/admit", text, &body), 200);
	assert_int_equal(jdoc_parse("answer", sb_get(&body), body.len, &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(jneed_obj(&root, "response", &response, &e), 0);
	assert_int_equal(jneed_str(&response, "uid", &uid, &e), 0);
	assert_string_equal(uid, "r1");
	if (jget_obj(&response, "status", &status, &e) == 1) {
		assert_int_equal(jneed_str(&status, "message", &message, &e), 0);
		assert_int_equal(jneed_i64(&status, "code", JRANGE(400, 599), &code, &e), 0);
	}
	n = code ? snprintf(says, sizeof(says), "%d %s", (int)code, message)
		 : snprintf(says, sizeof(says), "ok");
	if (jget_arr(&response, "warnings", &warnings, &e) == 1) {
		for (struct jiter it = jiter_of(&warnings); jiter_next(&it, &item);)
			n += snprintf(says + n, sizeof(says) - (size_t)n, "; %s", jstr(&item));
	}
	return says;
}

#define ON_SUBNET(op, ns, name)                                                             \
	"'resource':{'group':'tandem-cni.io','resource':'macvlansubnets'},'namespace':'" ns \
	"','name':'" name "','operation':'" op "'"
#define SPEC_HEAD "{'metadata':{'namespace':'kube-system','name':'net','uid':'u'},'spec':{"
#define CREATE(spec)                                                                        \
	"'resource':{'group':'tandem-cni.io','resource':'macvlansubnets'},"                 \
	"'namespace':'kube-system','operation':'CREATE','object':{'metadata':{'namespace':" \
	"'kube-system','name':'new','uid':'u'},'spec':{" spec "}}"
#define UPDATE(was, now)                                                         \
	"'resource':{'group':'tandem-cni.io','resource':'macvlansubnets'},"      \
	"'namespace':'kube-system','operation':'UPDATE','object':" SPEC_HEAD now \
	"}},'oldObject':" SPEC_HEAD was "}}"
#define DELETE                                                              \
	"'resource':{'group':'tandem-cni.io','resource':'macvlansubnets'}," \
	"'namespace':'kube-system','operation':'DELETE','oldObject':" SPEC_HEAD NET "}}"
#define DEPLOYMENT(ns, name, notes)                                                             \
	"'resource':{'group':'apps','resource':'deployments'},'namespace':'" ns                 \
	"','operation':'CREATE','object':{'metadata':{'name':'" name                            \
	"'},'spec':{'template':{'metadata':{'annotations':{'tandem-cni.io/subnet':'net'," notes \
	"}}}}}"
#define STARTING \
	"503 tandem-controller has just started and is still reading the cluster; try again"

static void test_before_caches_are_filled(void **state)
{
	struct app app;

	(void)state;
	begin(&app);
	assert_string_equal(review(&app, CREATE(NET)), STARTING);
	assert_string_equal(review(&app, DELETE), STARTING);
	assert_string_equal(review(&app, UPDATE(NET, NET ",'vlan':7")), STARTING);
	/* What is wrong by itself needs no caches. */
	assert_string_equal(review(&app, CREATE("'master':'ens4','cidr':'10.1.0.0/33'")),
			    "403 spec.cidr: \"10.1.0.0/33\" is not a CIDR");
	/* Our own finalizer is such an update. */
	assert_string_equal(review(&app, UPDATE(NET, NET)), "ok");
	assert_string_equal(
		review(&app, DEPLOYMENT("default", "web", "'tandem-cni.io/ip':'1.2.3.4'")), "ok");
	fill(&app);
	assert_string_equal(review(&app, CREATE("'master':'ens5','cidr':'10.2.0.0/24'")), "ok");
	end(&app);
}

static void test_subnets(void **state)
{
	struct app app;

	(void)state;
	begin(&app);
	fill(&app);
	assert_string_equal(
		review(&app, CREATE(NET)),
		"403 spec.cidr: shares 253 addresses, from 10.1.0.2 on, with MacvlanSubnet net (10.1.0.0/24) on the same master ens4, untagged; set ranges that do not overlap");
	assert_string_equal(
		review(&app, UPDATE(NET, NET ",'vlan':7")),
		"403 spec.vlan: cannot change from \"0\" to \"7\" while pods have addresses of "
		"this subnet: default/web-5d-x (10.1.0.5)");
	assert_string_equal(review(&app, UPDATE(NET ",'mode':'l2'", NET ",'mtu':1400")), "ok");
	assert_string_equal(
		review(&app, DELETE),
		"403 MacvlanSubnet net is in use by pods default/web-5d-x (10.1.0.5); delete the pods first, then the subnet once their addresses are free");
	assert_string_equal(review(&app, ON_SUBNET("DELETE", "kube-system",
						   "x") ",'oldObject':" SUBNET("x", NET)),
			    "ok");
	assert_string_equal(
		review(&app, ON_SUBNET("CREATE", "default", "x") ",'object':" SUBNET("x", NET)),
		"ok; MacvlanSubnets are read in namespace kube-system only; default/x has no effect");
	assert_string_equal(
		review(&app, ON_SUBNET("UPDATE", "kube-system",
				       "net") ",'subResource':'status','object':{},'oldObject':{}"),
		"ok");
	end(&app);
}

static void test_workloads(void **state)
{
	struct app app;

	(void)state;
	begin(&app);
	fill(&app);
	assert_string_equal(
		review(&app, DEPLOYMENT("default", "web", "'tandem-cni.io/ip':'10.1.0.5'")), "ok");
	assert_string_equal(
		review(&app, DEPLOYMENT("default", "app", "'tandem-cni.io/ip':'10.1.0.5'")),
		"403 annotation tandem-cni.io/ip: 10.1.0.5 is in use by pod default/web-5d-x of "
		"Deployment default/web");
	assert_string_equal(
		review(&app, DEPLOYMENT("default", "app", "'tandem-cni.io/ip':'10.1.0.7'")),
		"403 annotation tandem-cni.io/ip: 10.1.0.7 is reserved by the pod template of StatefulSet default/db");
	assert_string_equal(review(&app,
				   DEPLOYMENT("default", "app", "'tandem-cni.io/ip':'10.1.0.9'")),
			    "403 annotation tandem-cni.io/ip: 10.1.0.9 is the address of node n1");
	assert_string_equal(
		review(&app, DEPLOYMENT("kube-system", "app", "'tandem-cni.io/ip':'x'")), "ok");
	end(&app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_before_caches_are_filled),
		cmocka_unit_test(test_subnets),
		cmocka_unit_test(test_workloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
