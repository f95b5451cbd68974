/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/app.h"

#include "controller/addresses/holders.h"
#include "controller/addresses/reservations.h"
#include "controller/admission/webhook.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/owners.h"
#include "controller/doctor/doctor.h"
#include "controller/facts/facts.h"
#include "controller/metrics.h"
#include "controller/publish/netstatus.h"
#include "controller/publish/services.h"
#include "controller/subnets/subnet.h"
#include "controller/takeover.h"
#include "lib/kube/client.h"
#include "lib/kube/config.h"
#include "lib/metrics/server.h"

/* A leader that has slept in the middle of a round finds its queue still full. */
static void before_send(void *ctx)
{
	const struct app *app = ctx;

	leader_check(app->process.leader);
}

int app_connect(struct app *app, struct err *e)
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
	struct kube_client *lease_client = NULL;
	int rc = kube_config_of(app->opt.kubeconfig, &cfg, e);

	app->process.system_ns = app->opt.system_ns;
	if (rc < 0 || kube_client_new(cfg, &opt, &app->process.client, e) < 0)
		return -1;
	if (app->opt.leader.elect && kube_client_new(cfg, &lease_opt, &lease_client, e) < 0)
		return -1;
	app->process.leader = leader_new(&app->opt.leader, lease_client);
	return 0;
}

/* Who listens to the cluster is told in this order: an entry knows before what is published of it. */
void app_build(struct app *app)
{
	struct process *p = &app->process;
	struct cluster_options cluster = {p->client, p->system_ns, app->opt.legacy_annotations,
					  app->opt.default_subnet};
	struct facts_in facts;
	struct subnets_in subnets;
	struct records_in records;
	struct journal_in journal;
	struct publish_in publish;
	struct doctor_in doctor;
	struct takeover_in takeover;

	app->cluster = cluster_new(&cluster);
	facts = (struct facts_in){p, app->cluster};
	app->facts = facts_new(&facts);
	app->holders = holders_new();
	app->owners = owners_new(p);
	app->reservations = reservations_new(app->cluster, app->owners);
	subnets = (struct subnets_in){p,
				      app->cluster,
				      app->facts,
				      app->holders,
				      app->reservations,
				      app->owners,
				      app->opt.journal.parts != 0};
	app->subnets = subnets_new(&subnets);
	records = (struct records_in){&app->opt.records, p,
				      app->cluster,      app->holders,
				      app->reservations, app->subnets,
				      app->owners};
	app->records = records_new(&records);
	journal = (struct journal_in){&app->opt.journal, p, app->subnets};
	app->journal = journal_new(&journal);
	doctor = (struct doctor_in){p, app->cluster, app->subnets};
	app->doctor = doctor_new(&doctor);
	publish = (struct publish_in){p, app->cluster, app->records, app->opt.copy_labels};
	app->services = services_new(&publish);
	app->netstatus = netstatus_new(&publish);
	app->view = (struct admission_view){.system_ns = p->system_ns,
					    .legacy_annotations = app->opt.legacy_annotations,
					    .cluster = app->cluster,
					    .facts = app->facts,
					    .records = app->records,
					    .reservations = app->reservations};
	takeover = (struct takeover_in){p, app->cluster, app->subnets, app->records,
					app->opt.records.rules.hold_s * 1000};
	app->takeover = takeover_new(&takeover);
}

int app_serve(struct app *app, struct err *e)
{
	if (metrics_start(app, e) < 0)
		return -1;
	return webhook_new(&app->opt.webhook, &app->process, &app->view, &app->webhook, e);
}

void app_done(struct app *app)
{
	metrics_server_free(app->metrics);
	webhook_free(app->webhook);
	journal_free(app->journal);
	services_free(app->services);
	netstatus_free(app->netstatus);
	doctor_free(app->doctor);
	takeover_free(app->takeover);
	facts_free(app->facts);
	cluster_free(app->cluster);
	owners_free(app->owners);
	kube_client_free(app->process.client);
	/* Only now, when nothing of ours is under way any more. */
	leader_free(app->process.leader);
	records_free(app->records);
	subnets_free(app->subnets);
	reservations_free(app->reservations);
	holders_free(app->holders);
}
