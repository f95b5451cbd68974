/* SPDX-License-Identifier: Apache-2.0 */
/* The webhook's answers over real caches, fed by hand. */
#include "controller/admission/serve.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "controller/admission/view.h"
#include "controller/records/rooms_test.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/httpd/httpd.h"
#include "lib/json/text_test.h"

struct fixture {
	struct rooms rooms;
	struct admission_view view;
};

/* Single quotes to double ones, in place. */
static char *quoted(char *text)
{
	return json_quotes(text);
}

static void feed(struct fixture *x, enum cluster_kind kind, const char *object)
{
	AUTO(free) char *text = quoted(xstrdup(object));

	rooms_feed(&x->rooms, kind, text);
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
#define POD                                                                                                              \
	"{'metadata':{'namespace':'default','name':'web-5d-x','uid':'u-web-5d-x','resourceVersion':'1',"                 \
	"'labels':{'pod-template-hash':'5d'},'annotations':{'tandem-cni.io/subnet':'net'},"                              \
	"'ownerReferences':[{'apiVersion':'apps/v1','kind':'ReplicaSet','name':'web-5d','uid':'r','controller':true}]}," \
	"'spec':{'nodeName':'n1'}}"

static void begin(struct fixture *x)
{
	memset(x, 0, sizeof(*x));
	rooms_begin(&x->rooms);
	x->view = (struct admission_view){.system_ns = "kube-system",
					  .cluster = x->rooms.cluster,
					  .records = x->rooms.records,
					  .reservations = x->rooms.reservations};
}

static void fill(struct fixture *x)
{
	for (int i = 0; i < CLUSTER_KINDS; i++)
		kube_store_list_begin(cluster_store(x->rooms.cluster, (enum cluster_kind)i));
	feed(x, CLUSTER_SUBNETS, SUBNET("net", NET));
	feed(x, CLUSTER_PODS, POD);
	feed(x, CLUSTER_IPS, RECORD);
	feed(x, CLUSTER_NODES,
	     "{'metadata':{'name':'n1'},'status':{'addresses':[{'address':'10.1.0.9'}]}}");
	feed(x, CLUSTER_NAMESPACES, "{'metadata':{'name':'default','labels':{'a':'b'}}}");
	feed(x, (enum cluster_kind)(CLUSTER_WORKLOADS + API_STATEFULSET),
	     "{'metadata':{'namespace':'default','name':'db','uid':'w','resourceVersion':'1'},"
	     "'spec':{'template':{'metadata':{'annotations':{'tandem-cni.io/subnet':'net',"
	     "'tandem-cni.io/ip':'10.1.0.7'}}}}}");
	for (int i = 0; i < CLUSTER_KINDS; i++)
		kube_store_list_end(cluster_store(x->rooms.cluster, (enum cluster_kind)i));
}

static void end(struct fixture *x)
{
	rooms_end(&x->rooms, NULL);
}

/* The status, and the body in *body. */
static int ask(struct fixture *x, const char *method, const char *path, const char *text,
	       struct sb *body)
{
	struct http_request req = {.method = method, .path = path, .query = ""};
	struct httpd_response res = {200, "text/plain", SB_INIT, NULL};

	req.headers[req.n_headers++] =
		(struct http_header){"content-type", "application/json; charset=utf-8"};
	req.body = text ? text : "";
	req.body_len = strlen(req.body);
	webhook_serve(&x->view, &req, &res);
	sb_clear(body);
	sb_puts(body, sb_get(&res.body));
	sb_done(&res.body);
	return res.status;
}

static void test_paths(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct fixture x;

	(void)state;
	begin(&x);
	assert_int_equal(ask(&x, "GET", "/", NULL, &body), 404);
	assert_int_equal(ask(&x, "GET", "/healthz", NULL, &body), 200);
	assert_string_equal(sb_get(&body), "ok\n");
	assert_int_equal(ask(&x, "GET", "/readyz", NULL, &body), 503);
	fill(&x);
	assert_int_equal(ask(&x, "GET", "/readyz", NULL, &body), 200);
	assert_int_equal(ask(&x, "GET", "/admit", NULL, &body), 405);
	assert_int_equal(ask(&x, "POST", "/admit", "{", &body), 400);
	assert_int_equal(ask(&x, "POST", "/admit", "", &body), 400);
	end(&x);
}

/* "ok", or the refusal's code and message; warnings behind it. */
static const char *review(struct fixture *x, const char *request)
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

	assert_int_equal(ask(x, "POST", "/admit", text, &body), 200);
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
#define DEPLOYMENT(ns, name, notes)                                                                                            \
	"'resource':{'group':'apps','resource':'deployments'},'namespace':'" ns                                                \
	"','operation':'CREATE','object':{'metadata':{'name':'" name                                                           \
	"'},'spec':{'strategy':{'type':'Recreate'},'template':{'metadata':{'annotations':{'tandem-cni.io/subnet':'net'," notes \
	"}}}}}"
#define STARTING \
	"503 tandem-controller has just started and is still reading the cluster; try again"

static void test_before_caches_are_filled(void **state)
{
	struct fixture x;

	(void)state;
	begin(&x);
	assert_string_equal(review(&x, CREATE(NET)), STARTING);
	assert_string_equal(review(&x, DELETE), STARTING);
	assert_string_equal(review(&x, UPDATE(NET, NET ",'vlan':7")), STARTING);
	/* What is wrong by itself needs no caches. */
	assert_string_equal(review(&x, CREATE("'master':'ens4','cidr':'10.1.0.0/33'")),
			    "403 spec.cidr: \"10.1.0.0/33\" is not a CIDR");
	/* Our own finalizer is such an update. */
	assert_string_equal(review(&x, UPDATE(NET, NET)), "ok");
	assert_string_equal(
		review(&x, DEPLOYMENT("default", "web", "'tandem-cni.io/ip':'1.2.3.4'")), "ok");
	fill(&x);
	assert_string_equal(review(&x, CREATE("'master':'ens5','cidr':'10.2.0.0/24'")), "ok");
	end(&x);
}

static void test_subnets(void **state)
{
	struct fixture x;

	(void)state;
	begin(&x);
	fill(&x);
	assert_string_equal(
		review(&x, CREATE(NET)),
		"403 spec.cidr: shares 253 addresses, from 10.1.0.2 on, with MacvlanSubnet net "
		"(10.1.0.0/24) on the same master ens4, untagged; set ranges that do not overlap");
	assert_string_equal(
		review(&x, UPDATE(NET, NET ",'vlan':7")),
		"403 spec.vlan: cannot change from \"0\" to \"7\" while pods have addresses of "
		"this subnet: default/web-5d-x (10.1.0.5)");
	assert_string_equal(review(&x, UPDATE(NET ",'mode':'l2'", NET ",'mtu':1400")), "ok");
	assert_string_equal(
		review(&x, DELETE),
		"403 MacvlanSubnet net is in use by pods default/web-5d-x (10.1.0.5); delete the "
		"pods first, then the subnet once their addresses are free");
	assert_string_equal(review(&x, ON_SUBNET("DELETE", "kube-system",
						 "x") ",'oldObject':" SUBNET("x", NET)),
			    "ok");
	assert_string_equal(
		review(&x, ON_SUBNET("CREATE", "default", "x") ",'object':" SUBNET("x", NET)),
		"ok; MacvlanSubnets are read in namespace kube-system only; default/x has no effect");
	assert_string_equal(
		review(&x, ON_SUBNET("UPDATE", "kube-system",
				     "net") ",'subResource':'status','object':{},'oldObject':{}"),
		"ok");
	end(&x);
}

static void test_workloads(void **state)
{
	struct fixture x;

	(void)state;
	begin(&x);
	fill(&x);
	assert_string_equal(
		review(&x, DEPLOYMENT("default", "web", "'tandem-cni.io/ip':'10.1.0.5'")), "ok");
	assert_string_equal(
		review(&x, DEPLOYMENT("default", "app", "'tandem-cni.io/ip':'10.1.0.5'")),
		"403 annotation tandem-cni.io/ip: 10.1.0.5 is in use by pod default/web-5d-x of "
		"Deployment default/web");
	assert_string_equal(
		review(&x, DEPLOYMENT("default", "app", "'tandem-cni.io/ip':'10.1.0.7'")),
		"403 annotation tandem-cni.io/ip: 10.1.0.7 is reserved by the pod template of "
		"StatefulSet default/db; choose another address or remove it there");
	assert_string_equal(review(&x,
				   DEPLOYMENT("default", "app", "'tandem-cni.io/ip':'10.1.0.9'")),
			    "403 annotation tandem-cni.io/ip: 10.1.0.9 is the address of node n1");
	assert_string_equal(review(&x, DEPLOYMENT("kube-system", "app", "'tandem-cni.io/ip':'x'")),
			    "ok");
	end(&x);
}

#define ON_RECORD(sub, node)                                                        \
	"'resource':{'group':'tandem-cni.io','resource':'macvlanips'}," sub         \
	"'namespace':'default','name':'web-5d-x','operation':'UPDATE','userInfo':{" \
	"'username':'system:serviceaccount:kube-system:tandem-node','extra':{"      \
	"'authentication.kubernetes.io/node-name':['" node "']}},'object':" RECORD  \
	",'oldObject':" RECORD

/* Asked of the request alone: before the caches are filled, too. */
static void test_records(void **state)
{
	struct fixture x;

	(void)state;
	begin(&x);
	assert_string_equal(review(&x, ON_RECORD("'subResource':'status',", "n1")), "ok");
	assert_string_equal(review(&x, ON_RECORD("'subResource':'status',", "n2")),
			    "403 node \"n2\" may not write the status of MacvlanIP "
			    "default/web-5d-x, which is of node \"n1\"");
	/* Not asked for by the configuration, and RBAC's. */
	assert_string_equal(review(&x, ON_RECORD("", "n2")), "ok");
	x.view.system_ns = "tandem";
	assert_string_equal(review(&x, ON_RECORD("'subResource':'status',", "n2")), "ok");
	end(&x);
}

static size_t count_lines(int fd)
{
	char buf[16384];
	ssize_t len = pread(fd, buf, sizeof(buf), 0);
	size_t n = 0;

	for (ssize_t i = 0; i < len; i++)
		n += buf[i] == '\n';
	return n;
}

/* Whoever reaches the port can send as many as it likes. */
static void test_few_log_lines(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(fd) int file = memfd_create("log", MFD_CLOEXEC);
	AUTO(fd) int before = dup(STDERR_FILENO);
	struct fixture x;

	(void)state;
	begin(&x);
	fill(&x);
	dup2(file, STDERR_FILENO);
	/* What is allowed has no line, and counts for none. */
	for (int i = 0; i < 20; i++)
		review(&x, DEPLOYMENT("default", "web", "'tandem-cni.io/ip':'10.1.0.5'"));
	for (int i = 0; i < 30; i++)
		review(&x, DEPLOYMENT("default", "app", "'tandem-cni.io/ip':'10.1.0.5'"));
	for (int i = 0; i < 30; i++)
		ask(&x, "POST", "/admit", "{", &body);
	dup2(before, STDERR_FILENO);
	assert_int_equal(count_lines(file), 10);
	/* The next minute begins with how many there were more. */
	x.view.refused.until_ms = 0;
	dup2(file, STDERR_FILENO);
	ask(&x, "POST", "/admit", "{", &body);
	dup2(before, STDERR_FILENO);
	assert_int_equal(count_lines(file), 12);
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),   cmocka_unit_test(test_before_caches_are_filled),
		cmocka_unit_test(test_subnets), cmocka_unit_test(test_workloads),
		cmocka_unit_test(test_records), cmocka_unit_test(test_few_log_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
