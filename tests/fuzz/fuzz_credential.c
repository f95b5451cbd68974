/* SPDX-License-Identifier: Apache-2.0 */
/* What a credential plugin prints. */
#include "lib/base/err.h"
#include "lib/kube/plugin.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(kube_credential_done) struct kube_credential c = {0};
	const struct kube_plugin p = {.command = (char *)"plugin",
				      .api_version = (char *)"client.authentication.k8s.io/v1"};
	struct err e = {0};

	if (kube_credential_parse(&p, (const char *)data, size, &c, &e) < 0) {
		FUZZ_ASSERT(e.kind && e.msg[0] && !c.token && !c.cert_pem && !c.key_pem);
		return 0;
	}
	FUZZ_ASSERT((c.token || c.cert_pem) && !c.cert_pem == !c.key_pem);
	return 0;
}
