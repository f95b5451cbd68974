/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/metrics.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "controller/app.h"
#include "controller/cluster/cluster.h"
#include "controller/publish/netstatus.h"
#include "controller/publish/services.h"
#include "controller/records/entry.h"
#include "controller/subnets/subnet.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/httpd/httpd.h"
#include "lib/kube/client.h"
#include "lib/kube/queue.h"

#define DEFAULT_BIND ":8080"
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics {
	struct httpd *httpd;
};

static void family(struct sb *out, const char *name, const char *type, const char *help)
{
	sb_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(struct sb *out, const char *name, const char *type, uint64_t value,
		   const char *help)
{
	family(out, name, type, help);
	sb_printf(out, "%s %" PRIu64 "\n", name, value);
}

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

	family(out, "tandem_subnet_addresses", "gauge",
	       "Addresses of a MacvlanSubnet, counted as in its status.");
	while ((subnet = subnets_each(app->subnets, &pos))) {
		if (subnet_object(subnet))
			addresses(out, subnet);
	}
	family(out, "tandem_subnet_waiting_pods", "gauge",
	       "Pods that wait for an address of a MacvlanSubnet.");
	pos = 0;
	while ((subnet = subnets_each(app->subnets, &pos))) {
		if (subnet_object(subnet))
			sb_printf(out, "tandem_subnet_waiting_pods{subnet=\"%s\"} %zu\n",
				  subnet_name(subnet), subnet_n_waiting(subnet));
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
	family(out, "tandem_macvlanips", "gauge", "MacvlanIPs by their phase.");
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

	family(out, "tandem_lost_records_total", "counter",
	       "Records that were lost, by what has become of them.");
	for (int i = RECORDS_LOST_NONE + 1; i < RECORDS_LOST_RESULTS; i++)
		sb_printf(out, "tandem_lost_records_total{result=\"%s\"} %" PRIu64 "\n", results[i],
			  records_n_lost(app->records, (enum records_lost)i));
}

static void contradictions(struct sb *out, const struct app *app)
{
	family(out, "tandem_contradicting_reports_total", "counter",
	       "Reports of nodes about a card that contradict each other or what the API shows.");
	for (int i = CONTRADICT_NONE + 1; i < CONTRADICT_KINDS; i++)
		sb_printf(out, "tandem_contradicting_reports_total{about=\"%s\"} %" PRIu64 "\n",
			  contradict_name((enum contradict)i),
			  records_n_contradicting(app->records, (enum contradict)i));
}

static void events(struct sb *out, const struct app *app)
{
	family(out, "tandem_pod_events_total", "counter",
	       "Events written about pods, by their reason.");
	for (int i = 0; i < DECIDE_REASONS; i++) {
		if (i != DECIDE_OK && i != DECIDE_NOTHING)
			sb_printf(out, "tandem_pod_events_total{reason=\"%s\"} %" PRIu64 "\n",
				  decide_reason_name((enum decide_reason)i),
				  records_n_told(app->records, (enum decide_reason)i));
	}
	single(out, "tandem_addresses_released_total", "counter", records_n_released(app->records),
	       "Records that have ended with their addresses.");
	lost_records(out, app);
	contradictions(out, app);
	single(out, "tandem_lost_marks_total", "counter", records_n_lost_marks(app->records),
	       "What only the look at everything every ten minutes found undone: 0, or a defect.");
}

/* What waits to be looked at. */
/* ------------------------------------------------------------------------------- requests, process */

static void requests(struct sb *out, const struct app *app)
{
	struct kube_client_stats s;

	kube_client_stats(app->process.client, &s);
	single(out, "tandem_api_requests_total", "counter", s.requests,
	       "Requests sent to the API server, repeats included.");
	single(out, "tandem_api_retries_total", "counter", s.retries,
	       "Requests that were repeated.");
	single(out, "tandem_api_failures_total", "counter", s.failures,
	       "Requests that ended with an error of transport or a status of 5xx.");
	single(out, "tandem_api_connections_total", "counter", s.connections,
	       "Connections opened to the API server.");
	single(out, "tandem_api_queued_requests", "gauge", s.queued,
	       "Requests that wait for the rate limit or a connection.");
}

/* A kind that has not been listed yet has no age. */
static void caches(struct sb *out, const struct app *app)
{
	int64_t now_ms = clock_now_ms();

	family(out, "tandem_cache_age_seconds", "gauge",
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
	family(out, "tandem_queue_items", "gauge",
	       "What is to be looked at, by its place in the work queue.");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		queue(out, names[i], &g[i]);
	family(out, "tandem_queue_oldest_seconds", "gauge",
	       "How long the first of those waiting has been due.");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		sb_printf(out, "tandem_queue_oldest_seconds{queue=\"%s\"} %.3f\n", names[i],
			  (double)g[i].oldest_ms / 1000);
}

static double seconds_of(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

/* The second number of /proc/self/statm; 0 = not to be had. */
static uint64_t resident_bytes(void)
{
	AUTO(free) char *text = NULL;
	struct err ignored = {0};
	size_t len = 0;
	char *second;

	if (io_read_own(AT_FDCWD, "/proc/self/statm", 256, &text, &len, &ignored) < 0)
		return 0;
	second = strchr(text, ' ');
	return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* The names and units of Prometheus' own clients. */
static void process(struct sb *out, const struct app *app)
{
	struct rusage use;

	if (getrusage(RUSAGE_SELF, &use) == 0) {
		family(out, "process_cpu_seconds_total", "counter",
		       "User and system processor time.");
		sb_printf(out, "process_cpu_seconds_total %.2f\n",
			  seconds_of(&use.ru_utime) + seconds_of(&use.ru_stime));
	}
	single(out, "process_resident_memory_bytes", "gauge", resident_bytes(), "Resident memory.");
	single(out, "process_start_time_seconds", "gauge", (uint64_t)app->process.wall_base_s,
	       "When the process started, in seconds since 1970.");
}

/* ------------------------------------------------------------------------------- the server */

static void write_all(struct sb *out, const struct app *app)
{
	family(out, "tandem_build_info", "gauge", "The version that runs.");
	sb_printf(out, "tandem_build_info{version=\"%s\"} 1\n", TANDEM_VERSION);
	single(out, "tandem_leader", "gauge", app->process.phase == PHASE_RUN,
	       "1 while this replica gives addresses, 0 while it stands by or takes over.");
	if (app->process.phase == PHASE_RUN) {
		subnets(out, app);
		records(out, app);
		queues(out, app);
	}
	caches(out, app);
	events(out, app);
	requests(out, app);
	process(out, app);
}

static void serve(void *ctx, const struct http_request *req, struct httpd_response *res)
{
	if (!str_eq(req->method, "GET")) {
		res->status = 405;
	} else if (str_eq(req->path, "/metrics")) {
		res->content_type = CONTENT_TYPE;
		write_all(&res->body, ctx);
	} else if (str_eq(req->path, "/healthz")) {
		sb_puts(&res->body, "ok\n");
	} else {
		res->status = 404;
	}
}

int metrics_start(struct app *app, struct err *e)
{
	const char *bind = app->opt.metrics_bind;
	struct httpd_options opt = {.handler = serve, .ctx = app, .max_body = 1, .max_conns = 16};
	AUTO(metrics_free) struct metrics *m = xcalloc(1, sizeof(*m));

	if (!bind)
		bind = app->opt.kubeconfig ? "0" : DEFAULT_BIND;
	if (!*bind || str_eq(bind, "0"))
		return 0;
	opt.bind = bind;
	if (httpd_new(&opt, &m->httpd, e) < 0)
		return err_wrap(e, "--metrics-bind-address");
	log_info("metrics are served", "address", bind);
	app->metrics = STEAL(m);
	return 0;
}

int metrics_fd(const struct metrics *m)
{
	return m ? httpd_fd(m->httpd) : -1;
}

int metrics_dispatch(struct metrics *m, struct err *e)
{
	return m ? httpd_dispatch(m->httpd, e) : 0;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	httpd_free(m->httpd);
	free(m);
}
