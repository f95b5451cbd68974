#include "controller/leader.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/client.h"
#include "lib/kube/lease.h"

#define TELL_EVERY_MS 30000
#define RELEASE_MS    3000

/* Nothing may be sent any more, not even what is under way when buffers are flushed. */
static void lost(void *ctx, const char *why)
{
	const struct app *app = ctx;

	log_error("the lease is lost: exiting at once", "lease", app->opt.leader.name, "why", why);
	_exit(3);
}

static void acquired(void *ctx)
{
	struct app *app = ctx;

	log_info("leading", "lease", app->opt.leader.name);
	app->leading = true;
}

static void holder(void *ctx, const char *identity)
{
	const struct app *app = ctx;

	log_info("standing by", "lease", app->opt.leader.name, "leader",
		 *identity ? identity : "none");
}

static void failed(void *ctx, const struct err *why)
{
	struct app *app = ctx;
	int64_t now = clock_now_ms();

	if (app->lease_told_ms && now - app->lease_told_ms < TELL_EVERY_MS)
		return;
	app->lease_told_ms = now;
	log_warn("lease: request failed", "lease", app->opt.leader.name, "error", why->msg);
}

static const struct kube_lease_ops lease_ops = {
	.acquired = acquired, .lost = lost, .holder = holder, .failed = failed};

struct leader_options leader_defaults(void)
{
	return (struct leader_options){.elect = true,
				       .duration_ms = 15000,
				       .renew_deadline_ms = 10000,
				       .retry_ms = 2000,
				       .name = "tandem-controller"};
}

int leader_options_check(struct options *o, struct err *e)
{
	struct leader_options *l = &o->leader;

	if (!l->ns)
		l->ns = o->system_ns;
	if (!l->elect)
		return 0;
	if (!api_name_ok(l->ns) || !api_name_ok(l->name))
		return err_set(
			e, ERR_CONFIG, 0,
			"--leader-elect-resource-namespace and -name: \"%s\", \"%s\": not names",
			l->ns, l->name);
	if (l->duration_ms < 1000 || l->duration_ms % 1000)
		return err_set(e, ERR_CONFIG, 0,
			       "--leader-elect-lease-duration must be whole seconds, at least one");
	if (l->renew_deadline_ms >= l->duration_ms)
		return err_set(e, ERR_CONFIG, 0,
			       "--leader-elect-lease-duration must be longer than "
			       "--leader-elect-renew-deadline");
	if (l->retry_ms < 1 || l->retry_ms * 6 / 5 >= l->renew_deadline_ms)
		return err_set(e, ERR_CONFIG, 0,
			       "--leader-elect-renew-deadline must be longer than 1.2 times "
			       "--leader-elect-retry-period");
	return 0;
}

void leader_start(struct app *app)
{
	const struct leader_options *l = &app->opt.leader;
	AUTO(free) char *identity = NULL;
	char host[65] = "";
	struct kube_lease_options opt = {.ns = l->ns,
					 .name = l->name,
					 .duration_ms = l->duration_ms,
					 .renew_deadline_ms = l->renew_deadline_ms,
					 .retry_ms = l->retry_ms,
					 .ops = &lease_ops,
					 .ctx = app};

	if (!l->elect) {
		app->leading = true;
		return;
	}
	IGNORE(gethostname(host, sizeof(host) - 1) < 0, "the random part is what tells us apart");
	identity = xasprintf("%s_%s", host, app->holder);
	opt.identity = identity;
	app->lease = kube_lease_new(app->lease_client, &opt);
}

void leader_check(const struct app *app)
{
	if (app->lease && app->leading && !kube_lease_is_held(app->lease))
		lost((void *)app, "it could not be renewed in time");
}

void leader_doubt(struct app *app)
{
	if (app->lease)
		kube_lease_doubt(app->lease);
}

bool leader_in_doubt(const struct app *app)
{
	return app->lease && kube_lease_in_doubt(app->lease);
}

void leader_done(struct app *app)
{
	struct err e = {0};

	if (app->lease && kube_lease_release(app->lease, clock_now_ms() + RELEASE_MS, &e) < 0)
		log_warn("the lease could not be released: it has to run out", "error", e.msg);
	kube_lease_free(app->lease);
	app->lease = NULL;
	kube_client_free(app->lease_client);
	app->lease_client = NULL;
}
