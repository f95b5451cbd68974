/* SPDX-License-Identifier: Apache-2.0 */
/* tandem-controller: gives pods that ask for a second card an address on the LAN. */
#include "controller/admission/webhook.h"
#include "controller/app.h"
#include "controller/facts/facts.h"
#include "controller/loop.h"
#include "controller/options.h"
#include "controller/uninstall/uninstall.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/kube/client.h"

static int uninstall(struct app *app)
{
	struct err e = {0};
	int rc = webhook_uninstall(app->process.client, app->opt.system_ns, &e);

	kube_client_free(app->process.client);
	leader_free(app->process.leader);
	if (rc < 0)
		log_error("the webhook cannot be removed", "error", e.msg);
	return rc < 0;
}

/* What is read of the environment; all else is taken away. */
static const char *const kept[] = {"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", NULL};

int main(int argc, char **argv)
{
	struct app app = {.opt = options_defaults()};
	struct err e = {0};
	int rc;

	process_begin(kept);
	log_init("tandem-controller", LOG_LEVEL_INFO);
	if (argc > 1 && str_eq(argv[1], "uninstall"))
		return uninstall_run(argc - 1, argv + 1);
	rc = options_read(argc, argv, &app.opt);
	if (rc >= 0)
		return rc;
	if (process_init(&app.process, &e) < 0 || app_connect(&app, &e) < 0) {
		log_error("cannot start", "error", e.msg);
		return 1;
	}
	if (app.opt.uninstall_webhook)
		return uninstall(&app);
	facts_stand_aside(&app.process);
	log_info("started", "version", TANDEM_VERSION, "system-namespace", app.opt.system_ns,
		 "holder", app.process.holder);
	app_build(&app);
	rc = loop_run(&app, &e);
	if (rc < 0)
		log_error("stopped", "error", e.msg);
	else
		log_info("stopped on request");
	app_done(&app);
	return rc < 0;
}
