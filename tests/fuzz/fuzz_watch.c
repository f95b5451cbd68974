/* SPDX-License-Identifier: Apache-2.0 */
/* The API server's stream of events, in pieces of the size that the first byte says, and the objects in it. */
#include "api/endpoints.h"
#include "api/ip.h"
#include "api/pod.h"
#include "api/service.h"
#include "api/subnet.h"
#include "ipam/allocation.h"
#include "lib/base/err.h"
#include "lib/json/jread.h"
#include "lib/kube/watch.h"
#include "tests/fuzz/fuzz.h"

/* Each as every kind: a server that is not ours may send anything. */
static void decode(const struct jval *object)
{
	AUTO(api_ip_free) struct api_ip *ip = NULL;
	AUTO(api_pod_free) struct api_pod *pod = NULL;
	AUTO(api_subnet_free) struct api_subnet *subnet = NULL;
	AUTO(api_service_free) struct api_service *service = NULL;
	AUTO(api_slice_free) struct api_slice *slice = NULL;
	AUTO(api_endpoints_free) struct api_endpoints *endpoints = NULL;
	AUTO(ipam_allocation_done) struct ipam_allocation record = {0};
	struct jval status = {0}, allocation = {0};
	struct err e = {0};

	FUZZ_ASSERT(api_ip_decode(object, &ip, &e) == 0 ? !!ip : !!e.kind);
	IGNORE(api_pod_decode(object, true, &pod, &e), "any answer will do, here and below");
	IGNORE(api_subnet_decode(object, &subnet, &e), "");
	IGNORE(api_service_decode(object, &service, &e), "");
	IGNORE(api_slice_decode(object, &slice, &e), "");
	IGNORE(api_endpoints_decode(object, &endpoints, &e), "");
	if (jget_obj(object, "status", &status, &e) > 0 &&
	    jget_obj(&status, "allocation", &allocation, &e) > 0)
		IGNORE(ipam_allocation_decode(&allocation, &record, &e), "");
}

static int events(struct kube_decoder *decoder)
{
	struct kube_event event;
	struct err e = {0};
	int rc;

	while ((rc = kube_decoder_next(decoder, &event, &e)) > 0) {
		FUZZ_ASSERT(*kube_event_name(event.type));
		if (!event.object)
			FUZZ_ASSERT(*event.key && event.why->msg[0]);
		else if (event.type != KUBE_EVENT_ERROR)
			decode(event.object);
	}
	FUZZ_ASSERT(rc == 0 || (e.kind && e.msg[0]));
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(kube_decoder_free) struct kube_decoder *decoder = kube_decoder_new();
	size_t piece = size ? data[0] + 1U : 1, at;

	for (at = 1; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		struct err e = {0};

		if (kube_decoder_feed(decoder, (const char *)data + at, n, &e) < 0 ||
		    events(decoder) < 0)
			return 0;
	}
	FUZZ_ASSERT(kube_decoder_pending(decoder) < size + 1);
	return 0;
}
