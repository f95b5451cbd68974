/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/loop.h"

#include "controller/admission/webhook.h"
#include "controller/app.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/owners.h"
#include "controller/doctor/doctor.h"
#include "controller/facts/facts.h"
#include "controller/publish/netstatus.h"
#include "controller/publish/services.h"
#include "controller/subnets/subnet.h"
#include "controller/takeover.h"
#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/daemon/loop.h"
#include "lib/kube/client.h"
#include "lib/metrics/server.h"

#define IDLE_MS 60000

/* Everything that can be done now; the monotonic time of what comes next, 0 = nothing. */
static int64_t work(struct app *app)
{
	int64_t next = 0;

	leader_check(app->process.leader);
	cluster_follow_versions(app->cluster);
	takeover_advance(app->takeover);
	next = facts_run(app->facts);
	if (app->process.phase == PHASE_RUN)
		subnets_refresh(app->subnets);
	records_run(app->records);
	next = clock_earlier_ms(next, takeover_orphans(app->takeover, clock_now_ms()));
	next = clock_earlier_ms(next, owners_run(app->owners));
	next = clock_earlier_ms(next, doctor_run(app->doctor));
	next = clock_earlier_ms(next, subnets_run(app->subnets));
	next = clock_earlier_ms(next, journal_run(app->journal));
	next = clock_earlier_ms(next, webhook_run(app->webhook));
	next = clock_earlier_ms(next, services_run(app->services));
	next = clock_earlier_ms(next, netstatus_run(app->netstatus));
	/* What was marked on the way here is due at once. */
	return clock_earlier_ms(next, records_next_ms(app->records));
}

/* What the API server has said, and what is due to be sent. */
static int dispatch(struct app *app, struct err *e)
{
	leader_check(app->process.leader);
	if (leader_dispatch(app->process.leader, e) < 0 ||
	    kube_client_dispatch(app->process.client, e) < 0 ||
	    metrics_server_dispatch(app->metrics, e) < 0)
		return -1;
	return webhook_dispatch(app->webhook, e);
}

/* Whatever is readable, and whatever time has come: everybody has a look. */
static int nothing(void *ctx, struct err *e)
{
	(void)ctx;
	(void)e;
	return 0;
}

static int open_all(struct app *app, struct loop *loop, struct err *e)
{
	int fds[4] = {kube_client_fd(app->process.client), leader_fd(app->process.leader)};

	if (app_serve(app, e) < 0)
		return -1;
	fds[2] = metrics_server_fd(app->metrics);
	fds[3] = webhook_fd(app->webhook);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] >= 0 && loop_add(loop, fds[i], nothing, NULL, e) < 0)
			return -1;
	}
	return 0;
}

int loop_run(struct app *app, struct err *e)
{
	AUTO(loop_free) struct loop *loop = NULL;

	if (loop_new(&loop, e) < 0)
		return -1;
	leader_start(app->process.leader, &app->process);
	if (open_all(app, loop, e) < 0)
		return -1;
	for (;;) {
		enum phase phase = app->process.phase;
		int64_t next = leader_in_doubt(app->process.leader) ? 0 : work(app);
		int64_t idle = clock_now_ms() + IDLE_MS;
		int rc;

		if (app->process.phase != phase)
			continue;
		if (facts_is_uninstalling(app->facts)) {
			log_info("tandem is being removed from the cluster");
			return 0;
		}
		rc = loop_turn(loop, next && next < idle ? next : idle, e);
		if (rc <= 0)
			return rc;
		if (dispatch(app, e) < 0)
			return -1;
	}
}
