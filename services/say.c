/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/metrics/text.h"
#include "services/daemon_int.h"
#include "services/stat.h"

#define COMPONENT  "tandem-services"
#define TIMEOUT_MS 60000
#define NS         "default" /* of Events about objects without one */

static void done(void *ctx, struct kube_response *res, const struct err *e)
{
	(void)ctx;
	(void)res;
	if (e)
		log_debug("event not written", "error", e->msg);
}

static void write_event(struct jw *w, const char *node, const char *reason, const char *text)
{
	AUTO(free) char *name = xasprintf("%.200s.%llx", node, (unsigned long long)clock_now_us());
	char now[CLOCK_RFC3339_LEN];

	clock_rfc3339(clock_wall_s(), now);
	jw_obj(w);
	jw_kv_str(w, "apiVersion", "v1");
	jw_kv_str(w, "kind", "Event");
	jw_kv_obj(w, "metadata");
	jw_kv_str(w, "name", name);
	jw_kv_str(w, "namespace", NS);
	jw_end(w);
	jw_kv_obj(w, "involvedObject");
	jw_kv_str(w, "kind", "Node");
	jw_kv_str(w, "name", node);
	jw_kv_str(w, "uid", node); /* as the kubelet has it */
	jw_end(w);
	jw_kv_str(w, "type", "Warning");
	jw_kv_str(w, "reason", reason);
	jw_kv_str(w, "message", text);
	jw_kv_str(w, "firstTimestamp", now);
	jw_kv_str(w, "lastTimestamp", now);
	jw_kv_i64(w, "count", 1);
	jw_kv_obj(w, "source");
	jw_kv_str(w, "component", COMPONENT);
	jw_kv_str(w, "host", node);
	jw_end(w);
	jw_end(w);
}

void daemon_event(struct daemon *d, const char *reason, const char *text)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct jw w = jw_init(&body);
	struct kube_request req;

	write_event(&w, d->o->node, reason, text);
	req = kube_request_create("/api/v1/namespaces/" NS "/events", sb_get(&body),
				  clock_now_ms() + TIMEOUT_MS);
	req.priority = KUBE_IDLE;
	kube_submit(d->client, &req, done, NULL);
}

void daemon_tell(void *ctx, const char *reason, const char *text)
{
	daemon_event(ctx, reason, text);
}

/* ------------------------------------------------------------------------------- metrics */
static void counters(const struct daemon *d, struct sb *out)
{
	uint64_t v[SVC_COUNTERS] = {0};
	struct err e = {0};

	if (!d->sync || stat_read(d->dir, v, &e) < 0)
		return;
	metrics_family(
		out, "tandem_services_decisions_total", "counter",
		"connect() and sendmsg() by what became of them: translated, missed (no Service), "
		"refused (no endpoints), full.");
	for (int i = 0; i < SVC_COUNTERS; i++)
		sb_printf(out, "tandem_services_decisions_total{result=\"%s\"} %" PRIu64 "\n",
			  stat_name(i), v[i]);
}

void daemon_metrics(void *ctx, struct sb *out)
{
	const struct daemon *d = ctx;
	struct sync_numbers n = {0};

	metrics_build(out, TANDEM_VERSION);
	if (d->sync)
		sync_numbers(d->sync, &n);
	metrics_single(out, "tandem_services_attached", "gauge", d->sync != NULL,
		       "1 while the socket programs are attached.");
	counters(d, out);
	metrics_single(out, "tandem_services_entries", "gauge", n.services,
		       "Addresses and ports that are translated, those by hand apart.");
	metrics_single(out, "tandem_services_written_total", "counter", n.written,
		       "Entries made or changed.");
	metrics_single(out, "tandem_services_removed_total", "counter", n.removed,
		       "Entries removed.");
	metrics_single(out, "tandem_services_full_total", "counter", n.full,
		       "Services left out because a map was full.");
	metrics_single(out, "tandem_services_by_hand_total", "counter", n.conflicts,
		       "Services left out because their ClusterIP was made by hand.");
	metrics_single(out, "tandem_services_sockets_ended_total", "counter", n.ended,
		       "Connected UDP sockets ended because their backend had gone.");
	metrics_family(out, "tandem_services_sync_age_seconds", "gauge",
		       "Since the maps were last known to be as the API server has it.");
	if (d->synced_s)
		sb_printf(out, "tandem_services_sync_age_seconds %" PRId64 "\n",
			  clock_wall_s() - (int64_t)d->synced_s);
	metrics_process(out, d->start_s);
}
