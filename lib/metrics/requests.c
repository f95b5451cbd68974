/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/metrics/requests.h"

#include "lib/kube/client.h"
#include "lib/metrics/text.h"

void metrics_requests(struct sb *out, const struct kube_client *const *clients, size_t n)
{
	struct kube_client_stats all = {0};

	for (size_t i = 0; i < n; i++) {
		struct kube_client_stats s;

		kube_client_stats(clients[i], &s);
		all.requests += s.requests;
		all.retries += s.retries;
		all.failures += s.failures;
		all.connections += s.connections;
		all.queued += s.queued;
	}
	metrics_single(out, "tandem_api_requests_total", "counter", all.requests,
		       "Requests sent to the API server, repeats included.");
	metrics_single(out, "tandem_api_retries_total", "counter", all.retries,
		       "Requests that were repeated.");
	metrics_single(out, "tandem_api_failures_total", "counter", all.failures,
		       "Requests that ended with an error of transport or a status of 5xx.");
	metrics_single(out, "tandem_api_connections_total", "counter", all.connections,
		       "Connections opened to the API server.");
	metrics_single(out, "tandem_api_queued_requests", "gauge", all.queued,
		       "Requests that wait for the rate limit or a connection.");
}
