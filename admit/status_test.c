/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <string.h>

#include "admit/status.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/text_test.h"

#define NODES   "system:serviceaccount:kube-system:tandem-node"
#define FROM(n) "'authentication.kubernetes.io/node-name':[" n "]"

/* A review as the API server writes it, with single quotes, in parts: user, extra, the record's node before and now. */
#define RECORD(node)                                                                            \
	"{'apiVersion':'tandem-cni.io/v1','kind':'MacvlanIP','metadata':{'finalizers':["        \
	"'tandem-cni.io/address'],'labels':{'tandem-cni.io/node':'n1','tandem-cni.io/subnet':"  \
	"'vlan-100'},'name':'web-0','namespace':'team','resourceVersion':'257','uid':'r-1'},"   \
	"'spec':{'cidr':'10.1.0.5/24','linkType':'macvlan','mac':'0a:00:00:00:00:05','master':" \
	"'ens4','mode':'bridge','mtu':0," node "'podId':'p-1','subnet':'vlan-100','vlan':100}," \
	"'status':{'phase':'Attached'}}"
/* cppcheck-suppress preprocessorErrorDirective */
#define REVIEW(user, extra, was, now)                                                            \
	"{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1','request':{'uid':'u-1',"   \
	"'kind':{'group':'tandem-cni.io','version':'v1','kind':'MacvlanIP'},'resource':{'group'" \
	":'tandem-cni.io','version':'v1','resource':'macvlanips'},'subResource':'status',"       \
	"'requestKind':{'group':'tandem-cni.io','version':'v1','kind':'MacvlanIP'},"             \
	"'requestResource':{'group':'tandem-cni.io','version':'v1','resource':'macvlanips'},"    \
	"'requestSubResource':'status','name':'web-0','namespace':'team','operation':'UPDATE',"  \
	"'userInfo':{'username':'" user "','uid':'7','groups':['system:serviceaccounts',"        \
	"'system:authenticated']" extra "},'object':" RECORD(now) ",'oldObject':" RECORD(        \
		was) ",'dryRun':false,'options':{'kind':'PatchOptions','apiVersion':'meta.k8s.io/v1'}}}"
#define EXTRA(of) ",'extra':{'authentication.kubernetes.io/pod-name':['x-5w']," of "}"
#define N1        "'node':'n1',"
#define N2        "'node':'n2',"
#define REFUSED(sender, node)                                                                \
	"node \"" sender "\" may not write the status of MacvlanIP team/web-0, which is of " \
	"node \"" node "\""

static const struct {
	const char *review, *says;
} rows[] = {
	{REVIEW(NODES, EXTRA(FROM("'n1'")), N1, N1), ""},
	{REVIEW(NODES, EXTRA(FROM("'n2'")), N1, N1), REFUSED("n2", "n1")},
	/* What the request says of the spec is nobody's word, whichever way. */
	{REVIEW(NODES, EXTRA(FROM("'n2'")), N1, N2), REFUSED("n2", "n1")},
	{REVIEW(NODES, EXTRA(FROM("'n1'")), N1, N2), ""},
	/* A record of no node is not the sender's either; nor does a part of a name do. */
	{REVIEW(NODES, EXTRA(FROM("'n1'")), "", N1), REFUSED("n1", "")},
	{REVIEW(NODES, EXTRA(FROM("'n'")), N1, N1), REFUSED("n", "n1")},
	{REVIEW(NODES, EXTRA(FROM("'N1'")), N1, N1), REFUSED("N1", "n1")},
	/* One node, or none that counts. */
	{REVIEW(NODES, EXTRA(FROM("'n1','n2'")), N1, N1), REFUSED("", "n1")},
	{REVIEW(NODES, EXTRA(FROM("'n2','n1'")), N1, N1), REFUSED("", "n1")},
	{REVIEW(NODES, EXTRA(FROM("")), N1, N1), REFUSED("", "n1")},
	{REVIEW(NODES, EXTRA(FROM("''")), "", ""), REFUSED("", "")},
	{REVIEW(NODES, EXTRA(FROM("1")), N1, N1), REFUSED("", "n1")},
	{REVIEW(NODES, ",'extra':{'authentication.kubernetes.io/node-name':'n1'}", N1, N1),
	 REFUSED("", "n1")},
	/* Not told: an API server before 1.30, or a token that belongs to no node. */
	{REVIEW(NODES, "", N1, N1), ""},
	{REVIEW(NODES, EXTRA("'a':['n2']"), N1, N1), ""},
	{REVIEW(NODES, ",'extra':{'authentication.kubernetes.io/node-name':null}", N1, N1), ""},
	/* Other accounts have what RBAC gives them; the controller runs on a node, too. */
	{REVIEW("system:serviceaccount:kube-system:tandem-controller", EXTRA(FROM("'n2'")), N1, N1),
	 ""},
	{REVIEW("system:serviceaccount:other:tandem-node", EXTRA(FROM("'n2'")), N1, N1), ""},
	{REVIEW("admin", EXTRA(FROM("'n2'")), N1, N1), ""},
};

static void test_whose_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(admit_review_done) struct admit_review r = {0};
		AUTO(admit_answer_done) struct admit_answer a = {0};
		AUTO(free) char *text = xstrdup(rows[i].review);
		struct err e = {0};

		json_quotes(text);
		if (admit_review_parse(text, strlen(text), &r, &e) < 0)
			fail_msg("row %zu: %s", i, e.msg);
		admit_status_check(&r, "kube-system", &a);
		if (!str_eq(a.message, rows[i].says) || a.code != (*rows[i].says ? 403 : 0))
			fail_msg("row %zu: %d \"%s\", not \"%s\"", i, a.code, a.message,
				 rows[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
