/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/metrics.h"

#include <inttypes.h>

#include "controller/app.h"
#include "controller/cluster/cluster.h"
#include "controller/doctor/doctor.h"
#include "controller/publish/netstatus.h"
#include "controller/publish/services.h"
#include "controller/records/entry.h"
#include "controller/subnets/subnet.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/queue.h"
#include "lib/metrics/histogram.h"
#include "lib/metrics/requests.h"
#include "lib/metrics/server.h"
#include "lib/metrics/text.h"

#define DEFAULT_BIND ":8080"

/* ------------------------------------------------------------------------------- subnets and records */

static void addresses(struct sb *out, const struct subnet *subnet)
{
	struct numbers n = subnet_numbers(subnet);
	const struct {
		const char *state;
		size_t n;
	} states[] = {
		{"total", n.total},       {"used", n.used},       {"free", n.free},
		{"reserved", n.reserved}, {"cooling", n.cooling}, {"quarantined", n.quarantined},
	};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		sb_printf(out, "tandem_subnet_addresses{subnet=\"%s\",state=\"%s\"} %zu\n",
			  subnet_name(subnet), states[i].state, states[i].n);
}

static void subnets(struct sb *out, const struct app *app)
{
	const struct subnet *subnet;
	size_t pos = 0;

	metrics_family(out, "tandem_subnet_addresses", "gauge",
		       "Addresses of a MacvlanSubnet, counted as in its status.");
	while ((subnet = subnets_each(app->subnets, &pos))) {
		if (subnet_object(subnet))
			addresses(out, subnet);
	}
	metrics_family(out, "tandem_subnet_waiting_pods", "gauge",
		       "Pods that wait for an address of a MacvlanSubnet.");
	pos = 0;
	while ((subnet = subnets_each(app->subnets, &pos))) {
		if (subnet_object(subnet))
			sb_printf(out, "tandem_subnet_waiting_pods{subnet=\"%s\"} %zu\n",
				  subnet_name(subnet), subnet_n_waiting(subnet));
	}
}

static void doctors(struct sb *out, const struct app *app)
{
	const struct subnet *subnet;
	size_t pos = 0;

	metrics_family(out, "tandem_subnet_nodes", "gauge",
		       "Nodes by what their LAN doctor has found of a MacvlanSubnet.");
	while ((subnet = subnets_each(app->subnets, &pos))) {
		struct doctor_numbers n = doctor_numbers(app->doctor, subnet_name(subnet));

		if (!subnet_object(subnet))
			continue;
		sb_printf(out, "tandem_subnet_nodes{subnet=\"%s\",result=\"ok\"} %zu\n",
			  subnet_name(subnet), n.ok);
		sb_printf(out, "tandem_subnet_nodes{subnet=\"%s\",result=\"failed\"} %zu\n",
			  subnet_name(subnet), n.failed);
		sb_printf(out, "tandem_subnet_nodes{subnet=\"%s\",result=\"untested\"} %zu\n",
			  subnet_name(subnet), n.untested);
	}
}

static void records(struct sb *out, const struct app *app)
{
	static const char *const phases[] = {"Pending", "Allocated", "Attached", "Missing",
					     "Conflict"};
	size_t n[ARRAY_SIZE(phases)] = {0}, pos = 0;
	const struct entry *entry;

	while ((entry = records_each(app->records, &pos))) {
		const struct api_ip *rec = entry_record(entry);

		for (size_t i = 0; rec && i < ARRAY_SIZE(phases); i++)
			n[i] += str_eq(api_ip_phase_name(rec), phases[i]);
	}
	metrics_family(out, "tandem_macvlanips", "gauge", "MacvlanIPs by their phase.");
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		sb_printf(out, "tandem_macvlanips{phase=\"%s\"} %zu\n", phases[i], n[i]);
}

static void lost_records(struct sb *out, const struct app *app)
{
	static const char *const results[RECORDS_LOST_RESULTS] = {
		[RECORDS_LOST_ASKED] = "asked",       [RECORDS_LOST_UNANSWERED] = "unanswered",
		[RECORDS_LOST_RESTORED] = "restored", [RECORDS_LOST_REFUSED] = "refused",
		[RECORDS_LOST_CARDLESS] = "cardless",
	};

	metrics_family(out, "tandem_lost_records_total", "counter",
		       "Records that were lost, by what has become of them.");
	for (int i = RECORDS_LOST_NONE + 1; i < RECORDS_LOST_RESULTS; i++)
		sb_printf(out, "tandem_lost_records_total{result=\"%s\"} %" PRIu64 "\n", results[i],
			  records_n_lost(app->records, (enum records_lost)i));
}

static void contradictions(struct sb *out, const struct app *app)
{
	metrics_family(
		out, "tandem_contradicting_reports_total", "counter",
		"Reports of nodes about a card that contradict each other or what the API shows.");
	for (int i = CONTRADICT_NONE + 1; i < CONTRADICT_KINDS; i++)
		sb_printf(out, "tandem_contradicting_reports_total{about=\"%s\"} %" PRIu64 "\n",
			  contradict_name((enum contradict)i),
			  records_n_contradicting(app->records, (enum contradict)i));
}

static void journal(struct sb *out, const struct app *app)
{
	const struct journal_numbers n = journal_numbers(app->journal);

	metrics_single(out, "tandem_journal_lines_total", "counter", n.lines,
		       "Changes of addresses written to the journal's ConfigMaps.");
	metrics_single(out, "tandem_journal_writes_total", "counter", n.writes,
		       "Writes that it took.");
	metrics_single(out, "tandem_journal_failures_total", "counter", n.failures,
		       "Requests about the journal that failed; what waits is kept.");
	metrics_single(out, "tandem_journal_waiting_lines", "gauge", n.waiting,
		       "Changes that wait in the status of their MacvlanSubnet.");
}

static void events(struct sb *out, const struct app *app)
{
	metrics_family(out, "tandem_pod_events_total", "counter",
		       "Events written about pods, by their reason.");
	for (int i = 0; i < DECIDE_REASONS; i++) {
		if (i != DECIDE_OK && i != DECIDE_NOTHING)
			sb_printf(out, "tandem_pod_events_total{reason=\"%s\"} %" PRIu64 "\n",
				  decide_reason_name((enum decide_reason)i),
				  records_n_told(app->records, (enum decide_reason)i));
	}
	metrics_single(out, "tandem_conflicts_total", "counter",
		       records_n_quarantined(app->records),
		       "Addresses put into quarantine since another machine uses them.");
	metrics_single(out, "tandem_holds_total", "counter", records_n_held(app->records),
		       "Addresses that began to be held since nobody saw their card go.");
	metrics_single(out, "tandem_takeovers_total", "counter", app->process.phase == PHASE_RUN,
		       "Takeovers that this process has completed.");
	metrics_single(out, "tandem_addresses_released_total", "counter",
		       records_n_released(app->records),
		       "Records that have ended with their addresses.");
	lost_records(out, app);
	contradictions(out, app);
	journal(out, app);
	metrics_single(
		out, "tandem_lost_marks_total", "counter", records_n_lost_marks(app->records),
		"What only the look at everything every ten minutes found undone: 0, or a defect.");
}

/* ------------------------------------------------------------------------------- requests, process */

static void durations(struct sb *out, const struct app *app)
{
	metrics_family(
		out, "tandem_bind_to_address_seconds", "histogram",
		"From the first look at a pod that is bound to a node until its record has the address.");
	histogram_write(out, "tandem_bind_to_address_seconds", "", records_granted(app->records));
	metrics_family(out, "tandem_webhook_answer_seconds", "histogram",
		       "What the answer to a review of the API server took.");
	histogram_write(out, "tandem_webhook_answer_seconds", "", &app->view.answers);
}

/* A kind that has not been listed yet has no age. */
static void caches(struct sb *out, const struct app *app)
{
	int64_t now_ms = clock_now_ms();

	metrics_family(
		out, "tandem_cache_age_seconds", "gauge",
		"How old what is known of a kind may be: since the API server last showed that it is there.");
	for (int i = 0; i < CLUSTER_KINDS; i++) {
		int64_t age_ms = cluster_age_ms(app->cluster, (enum cluster_kind)i, now_ms);

		if (age_ms >= 0)
			sb_printf(out, "tandem_cache_age_seconds{kind=\"%s\"} %.1f\n",
				  cluster_kind_name((enum cluster_kind)i), (double)age_ms / 1000);
	}
}

static void queue(struct sb *out, const char *name, const struct kube_queue_gauge *g)
{
	const struct {
		const char *state;
		size_t n;
	} states[] = {{"waiting", g->waiting},
		      {"later", g->later},
		      {"in_flight", g->in_flight},
		      {"retrying", g->retrying}};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		sb_printf(out, "tandem_queue_items{queue=\"%s\",state=\"%s\"} %zu\n", name,
			  states[i].state, states[i].n);
}

static void queues(struct sb *out, const struct app *app)
{
	static const char *const names[] = {"records", "services", "network-status"};
	struct kube_queue_gauge g[ARRAY_SIZE(names)];

	records_gauge(app->records, &g[0]);
	services_gauge(app->services, &g[1]);
	netstatus_gauge(app->netstatus, &g[2]);
	metrics_family(out, "tandem_queue_items", "gauge",
		       "What is to be looked at, by its place in the work queue.");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		queue(out, names[i], &g[i]);
	metrics_family(out, "tandem_queue_oldest_seconds", "gauge",
		       "How long the first of those waiting has been due.");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		sb_printf(out, "tandem_queue_oldest_seconds{queue=\"%s\"} %.3f\n", names[i],
			  (double)g[i].oldest_ms / 1000);
}

/* ------------------------------------------------------------------------------- the server */

static void write_all(void *ctx, struct sb *out)
{
	const struct app *app = ctx;
	const struct kube_client *client = app->process.client;

	metrics_build(out, TANDEM_VERSION);
	metrics_single(out, "tandem_leader", "gauge", app->process.phase == PHASE_RUN,
		       "1 while this replica gives addresses, 0 while it stands by or takes over.");
	if (app->process.phase == PHASE_RUN) {
		subnets(out, app);
		doctors(out, app);
		records(out, app);
		queues(out, app);
	}
	caches(out, app);
	events(out, app);
	durations(out, app);
	metrics_requests(out, &client, 1);
	metrics_process(out, app->process.wall_base_s);
}

int metrics_start(struct app *app, struct err *e)
{
	const char *bind = app->opt.metrics_bind;

	if (!bind)
		bind = app->opt.kubeconfig ? "0" : DEFAULT_BIND;
	return metrics_server_new(bind, write_all, app, &app->metrics, e);
}
