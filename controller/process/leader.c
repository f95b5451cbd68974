/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/process/leader.h"

#include <stdlib.h>
#include <unistd.h>

#include "api/meta.h"
#include "controller/process/process.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/client.h"
#include "lib/kube/lease.h"

#define TELL_EVERY_MS 30000
#define RELEASE_MS    3000

struct leader {
	const struct leader_options *opt;
	struct kube_client *client;
	struct kube_lease *lease; /* NULL without election, or not begun */
	bool leading;
	int64_t told_ms; /* when a failure was last logged */
};

/* Nothing may be sent any more, not even what is under way when buffers are flushed. */
static void lost(void *ctx, const char *why)
{
	const struct leader *l = ctx;

	log_error("the lease is lost: exiting at once", "lease", l->opt->name, "why", why);
	_exit(3);
}

static void acquired(void *ctx)
{
	struct leader *l = ctx;

	log_info("leading", "lease", l->opt->name);
	l->leading = true;
}

static void holder(void *ctx, const char *identity)
{
	const struct leader *l = ctx;

	log_info("standing by", "lease", l->opt->name, "leader", *identity ? identity : "none");
}

static void failed(void *ctx, const struct err *why)
{
	struct leader *l = ctx;
	int64_t now = clock_now_ms();

	if (l->told_ms && now - l->told_ms < TELL_EVERY_MS)
		return;
	l->told_ms = now;
	log_warn("lease: request failed", "lease", l->opt->name, "error", why->msg);
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

int leader_options_check(struct leader_options *l, const char *system_ns, struct err *e)
{
	if (!l->ns)
		l->ns = system_ns;
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

struct leader *leader_new(const struct leader_options *o, struct kube_client *client)
{
	struct leader *l = xcalloc(1, sizeof(*l));

	l->opt = o;
	l->client = client;
	return l;
}

void leader_start(struct leader *l, const struct process *p)
{
	AUTO(free) char *identity = NULL;
	char host[65] = "";
	struct kube_lease_options opt = {.ns = l->opt->ns,
					 .name = l->opt->name,
					 .duration_ms = l->opt->duration_ms,
					 .renew_deadline_ms = l->opt->renew_deadline_ms,
					 .retry_ms = l->opt->retry_ms,
					 .ops = &lease_ops,
					 .ctx = l};

	if (!l->opt->elect) {
		l->leading = true;
		return;
	}
	IGNORE(gethostname(host, sizeof(host) - 1) < 0, "the random part is what tells us apart");
	identity = xasprintf("%s_%s", host, p->holder);
	opt.identity = identity;
	l->lease = kube_lease_new(l->client, &opt);
}

bool leader_leads(const struct leader *l)
{
	return !l || l->leading;
}

int leader_fd(const struct leader *l)
{
	return l->client ? kube_client_fd(l->client) : -1;
}

int leader_dispatch(struct leader *l, struct err *e)
{
	return l->client ? kube_client_dispatch(l->client, e) : 0;
}

void leader_check(const struct leader *l)
{
	if (l && l->lease && l->leading && !kube_lease_is_held(l->lease))
		lost((void *)l, "it could not be renewed in time");
}

void leader_doubt(struct leader *l)
{
	if (l && l->lease)
		kube_lease_doubt(l->lease);
}

bool leader_in_doubt(const struct leader *l)
{
	return l && l->lease && kube_lease_in_doubt(l->lease);
}

void leader_free(struct leader *l)
{
	struct err e = {0};

	if (!l)
		return;
	if (l->lease && kube_lease_release(l->lease, clock_now_ms() + RELEASE_MS, &e) < 0)
		log_warn("the lease could not be released: it has to run out", "error", e.msg);
	kube_lease_free(l->lease);
	kube_client_free(l->client);
	free(l);
}
