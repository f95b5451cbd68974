/* tandem-controller: gives pods that ask for a second card an address on the LAN. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "controller/app.h"
#include "controller/cache.h"
#include "controller/ent.h"
#include "controller/hook.h"
#include "controller/leader.h"
#include "controller/metrics.h"
#include "controller/loop.h"
#include "controller/netstatus.h"
#include "controller/options.h"
#include "controller/reserve.h"
#include "controller/sub.h"
#include "controller/svc.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"
#include "lib/kube/client.h"
#include "lib/kube/config.h"

/* A leader that has slept in the middle of a round finds its queue still full. */
static void before_send(void *ctx)
{
	leader_check(ctx);
}

static int connect_api(struct app *app, struct err *e)
{
	AUTO(kube_config_free) struct kube_config *cfg = NULL;
	struct kube_client_options opt = {
		.user_agent = "tandem-controller/" TANDEM_VERSION,
		.qps = app->opt.qps,
		.burst = app->opt.burst,
		.max_connections = 16,
		.before_send = before_send,
		.ctx = app,
	};
	struct kube_client_options lease_opt = {
		.user_agent = "tandem-controller/" TANDEM_VERSION " leader-election",
		.max_connections = 1,
	};
	int rc = app->opt.kubeconfig ? kube_config_load(app->opt.kubeconfig, &cfg, e)
				     : kube_config_in_cluster(&cfg, e);

	if (rc < 0 || kube_client_new(cfg, &opt, &app->client, e) < 0)
		return -1;
	if (!app->opt.leader.elect)
		return 0;
	return kube_client_new(cfg, &lease_opt, &app->lease_client, e);
}

static int random_holder(char out[40], struct err *e)
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return err_set(e, ERR_INTERNAL, 0, "no random bytes");
	for (size_t i = 0; i < sizeof(b); i++)
		snprintf(out + 2 * i, 3, "%02x", b[i]);
	return 0;
}

static void app_done(struct app *app)
{
	struct sub *sub;
	struct ent *ent;
	size_t pos;

	metrics_free(app->metrics);
	hook_free(app->hook);
	reserve_done(app);
	svc_done(app);
	netstatus_done(app);
	cache_done(app);
	kube_client_free(app->client);
	/* Only now, when nothing of ours is under way any more. */
	leader_done(app);
	while (pos = 0, (ent = map_each(&app->ents, &pos)))
		ent_free(ent);
	while (pos = 0, (sub = map_each(&app->subs, &pos))) {
		sub->call = NULL;
		sub_free(sub);
	}
	map_done(&app->ents);
	map_done(&app->subs);
	map_done(&app->claims);
	map_done(&app->macs);
	free(app->dirty);
}

static int uninstall(struct app *app)
{
	struct err e = {0};
	int rc = hook_uninstall(app->client, app->opt.system_ns, &e);

	kube_client_free(app->client);
	kube_client_free(app->lease_client);
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
	rc = options_read(argc, argv, &app.opt);
	if (rc >= 0)
		return rc;
	loop_init_clock(&app);
	if (random_holder(app.holder, &e) < 0 || connect_api(&app, &e) < 0) {
		log_error("cannot start", "error", e.msg);
		return 1;
	}
	if (app.opt.uninstall_hook)
		return uninstall(&app);
	log_info("started", "version", TANDEM_VERSION, "system-namespace", app.opt.system_ns,
		 "holder", app.holder);
	cache_init(&app);
	svc_init(&app);
	rc = loop_run(&app, &e);
	if (rc < 0)
		log_error("stopped", "error", e.msg);
	else
		log_info("stopped on request");
	app_done(&app);
	return rc < 0;
}
