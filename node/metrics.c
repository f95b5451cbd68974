/* SPDX-License-Identifier: Apache-2.0 */
#include "node/metrics.h"

#include <inttypes.h>

#include "lib/base/mem.h"
#include "lib/metrics/requests.h"
#include "lib/metrics/text.h"
#include "node/calls.h"
#include "node/files.h"

#define COUNTER "counter"
#define GAUGE   "gauge"

static void attachments(const struct files *files, struct sb *out)
{
	size_t cards = 0, plain = 0, unfinished = 0, ended = 0;

	for (size_t i = 0; i < files->n; i++) {
		const struct node_file *f = files->v[i];

		if (!f->this_boot)
			ended++;
		else if (!f->complete)
			unfinished++;
		else if (*f->card)
			cards++;
		else
			plain++;
	}
	metrics_family(out, "tandem_node_attachments", GAUGE,
		       "State files by what they are: card, plain (without one), unfinished, "
		       "earlier_boot.");
	sb_printf(out, "tandem_node_attachments{state=\"card\"} %zu\n", cards);
	sb_printf(out, "tandem_node_attachments{state=\"plain\"} %zu\n", plain);
	sb_printf(out, "tandem_node_attachments{state=\"unfinished\"} %zu\n", unfinished);
	sb_printf(out, "tandem_node_attachments{state=\"earlier_boot\"} %zu\n", ended);
}

static void requests(const struct node_numbers *n, struct sb *out)
{
	const struct kube_client *const clients[] = {n->client, n->door_client};

	metrics_requests(out, clients, ARRAY_SIZE(clients));
	/* Before the first sign there is no age. */
	metrics_family(out, "tandem_node_api_age_seconds", GAUGE,
		       "Since the API server last showed that it is there.");
	if (n->api_age_s >= 0)
		sb_printf(out, "tandem_node_api_age_seconds %" PRId64 "\n", n->api_age_s);
}

void metrics_write(const struct node_numbers *n, struct sb *out)
{
	metrics_build(out, TANDEM_VERSION);
	calls_write(n->calls, out);
	attachments(n->files, out);
	metrics_single(out, "tandem_node_ended_total", COUNTER, n->ended,
		       "Attachments of sandboxes that ended without a DEL, undone.");
	metrics_single(out, "tandem_node_announcements_total", COUNTER, n->announced,
		       "Cards announced on the LAN again.");
	metrics_single(
		out, "tandem_node_ready", GAUGE, n->ready,
		"1 while the conf is in front, where this daemon installs it, and plugins can "
		"ask.");
	metrics_single(out, "tandem_node_door_open", GAUGE, n->door_open,
		       "1 while plugins can ask at the socket.");
	metrics_single(out, "tandem_node_door_requests_total", COUNTER, n->asked,
		       "Questions of plugins.");
	metrics_single(out, "tandem_node_door_refused_total", COUNTER, n->refused,
		       "Questions that made no sense.");
	requests(n, out);
	metrics_process(out, n->start_s);
}
