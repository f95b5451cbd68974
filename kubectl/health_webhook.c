/* SPDX-License-Identifier: Apache-2.0 */
/* The admission webhook: its configuration, and whether it answers. */
#include <string.h>

#include "api/network.h"
#include "kubectl/cli.h"
#include "kubectl/health.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/kube/wait.h"

#define NAME "tandem-controller"

/* A range outside of the network. Sent as a dry run, so that nothing is stored whatever happens. */
static const char wrong_subnet[] =
	"{\"apiVersion\":\"" API_GROUP_VERSION "\",\"kind\":\"" API_KIND_SUBNET
	"\",\"metadata\":{\"name\":\"kubectl-macvlan-status\"},\"spec\":{\"master\":\"none\","
	"\"cidr\":\"192.0.2.0/24\",\"ranges\":[{\"rangeStart\":\"198.51.100.1\",\"rangeEnd\":\"198.51.100.1\"}]}}";

static void judge(const struct err *e, struct health_lines *out)
{
	if (strstr(e->msg, "admission webhook \"") && strstr(e->msg, "denied the request"))
		health_add(out, "webhook", NULL, HEALTH_OK,
			   "it answers, and refuses what is wrong");
	else if (e->num == 403)
		health_add(out, "webhook", NULL, HEALTH_OK,
			   "it is configured; whether it answers was not tried, since you may not "
			   "create MacvlanSubnets");
	else
		health_add(out, "webhook", NULL, HEALTH_WRONG,
			   "it does not answer, so no MacvlanSubnet can be changed: %s", e->msg);
}

static void try_it(struct cli *cli, struct health_lines *out)
{
	AUTO(free)
	char *path =
		kube_path(API_GROUP_VERSION, cli->opt.system_ns, API_PLURAL_SUBNET, NULL, NULL);
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct kube_request req = kube_request_create(path, wrong_subnet, cli_deadline(cli));
	struct err e = {0};

	req.query = "dryRun=All";
	if (kube_do(cli->client, &req, &res, &e))
		judge(&e, out);
	else
		health_add(
			out, "webhook", NULL, HEALTH_WRONG,
			"it is configured, and the API server does not ask it: a wrong MacvlanSubnet "
			"would pass");
}

static bool has_authority(const struct jval *root)
{
	struct jval hooks, item, client;
	const char *ca = "";
	struct err ignored = {0};

	if (jget_arr(root, "webhooks", &hooks, &ignored) < 1)
		return false;
	for (struct jiter it = jiter_of(&hooks); jiter_next(&it, &item);) {
		if (jget_obj(&item, "clientConfig", &client, &ignored) < 1 ||
		    jget_str(&client, "caBundle", &ca, &ignored) < 1 || !*ca)
			return false;
	}
	return true;
}

void health_webhook(struct cli *cli, struct health_lines *out)
{
	AUTO(free)
	char *path = kube_path("admissionregistration.k8s.io/v1", NULL,
			       "validatingwebhookconfigurations", NAME, NULL);
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	if (!kube_get(cli->client, path, cli_deadline(cli), &doc, &e)) {
		root = jdoc_root(doc);
		if (has_authority(&root))
			try_it(cli, out);
		else
			health_add(
				out, "webhook", NULL, HEALTH_WRONG,
				"its configuration has no certificate authority; the controller's log "
				"says why");
		return;
	}
	if (e.kind == ERR_NOT_FOUND)
		health_add(out, "webhook", NULL, HEALTH_WRONG,
			   "ValidatingWebhookConfiguration " NAME
			   " is not there; the controller makes it once it serves");
	else
		health_add(out, "webhook", NULL, HEALTH_WARNING,
			   "its configuration cannot be read: %s", e.msg);
}
