/* SPDX-License-Identifier: Apache-2.0 */
/* The controller's rooms, made and connected: the one place that knows them all. */
#ifndef CONTROLLER_APP_H
#define CONTROLLER_APP_H

#include "controller/admission/view.h"
#include "controller/journal/journal.h"
#include "controller/process/leader.h"
#include "controller/process/process.h"
#include "controller/records/records.h"
#include "controller/rules/webhook_options.h"
#include "lib/base/auto.h"

struct cluster;
struct doctor;
struct facts;
struct holders;
struct metrics_server;
struct netstatus;
struct owners;
struct reservations;
struct services;
struct subnets;
struct takeover;
struct webhook;

struct options {
	const char *kubeconfig; /* NULL = in-cluster */
	const char *system_ns;
	double qps;
	unsigned int burst;
	bool legacy_annotations;    /* the older product's count too */
	const char *default_subnet; /* of all pods that name none; NULL = none */
	const char *copy_labels;    /* of Services to their -macvlan halves; NULL = none */
	struct records_options records;
	struct journal_options journal;
	struct leader_options leader;
	struct webhook_options webhook;
	const char *metrics_bind; /* NULL = ":8080" in a pod, else nowhere */
	bool uninstall_webhook;   /* remove its objects and exit */
};

/* From the bottom room up. Each is lent those below it. */
struct app {
	struct options opt;
	struct process process;
	struct cluster *cluster;
	struct facts *facts;
	struct owners *owners;
	struct holders *holders;
	struct reservations *reservations;
	struct subnets *subnets;
	struct records *records;
	struct journal *journal;
	struct services *services;
	struct netstatus *netstatus;
	struct admission_view view;
	struct webhook *webhook;
	struct doctor *doctor;
	struct takeover *takeover;
	struct metrics_server *metrics; /* NULL = off */
};

/** app_connect - opt is there: read the kubeconfig, make the clients. ERR_CONFIG, ERR_IO. */
int app_connect(struct app *app, struct err *e) FN_MUST;
/** app_build - make the rooms, from the bottom up. */
void app_build(struct app *app);
/** app_serve - listen: the webhook, the metrics. ERR_CONFIG, ERR_IO. */
int app_serve(struct app *app, struct err *e) FN_MUST;
/** app_done - end all, from the top down; whatever has been made of it. */
void app_done(struct app *app);

#endif
