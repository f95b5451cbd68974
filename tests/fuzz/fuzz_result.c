/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin of the primary prints, in every version, and what we make of it. */
#include "lib/base/err.h"
#include "lib/base/sb.h"
#include "lib/cni/result.h"
#include "tests/fuzz/fuzz.h"

static bool has_address(const struct cni_result *r, const struct ip_net *net)
{
	size_t i;

	for (i = 0; i < r->n_ips; i++) {
		if (ip_net_eq(&r->ips[i].address, net))
			return true;
	}
	return false;
}

/* An address of each family is all that the oldest versions have room for. */
static bool is_excerpt(const struct cni_result *again, const struct cni_result *r)
{
	size_t i;

	for (i = 0; i < again->n_ips; i++) {
		if (!has_address(r, &again->ips[i].address))
			return false;
	}
	return again->n_ips >= 1 && again->n_ips <= 2 && again->n_interfaces == 0 &&
	       again->n_routes <= r->n_routes;
}

/* What we write must be something that we can read, with the same addresses in it. */
static void write_and_read(const struct cni_result *r, enum cni_version version)
{
	AUTO(cni_result_free) struct cni_result *again = NULL;
	AUTO(sb_done) struct sb out = SB_INIT;
	struct err e = {0};
	size_t i;

	if (cni_result_write(r, version, &out, &e) < 0)
		return;
	FUZZ_ASSERT(cni_result_parse("again", (struct jspan){out.data, out.len}, version, &again,
				     &e) == 0);
	if (version < CNI_0_3_0) {
		FUZZ_ASSERT(is_excerpt(again, r));
		return;
	}
	FUZZ_ASSERT(again->n_ips == r->n_ips && again->n_interfaces == r->n_interfaces &&
		    again->n_routes == r->n_routes);
	for (i = 0; i < r->n_ips; i++)
		FUZZ_ASSERT(ip_net_eq(&again->ips[i].address, &r->ips[i].address));
}

static void as_version(struct jspan text, enum cni_version v)
{
	AUTO(cni_result_free) struct cni_result *r = NULL;
	struct err e = {0};

	if (cni_result_parse("plugin", text, v, &r, &e) < 0) {
		FUZZ_ASSERT(!r && e.kind && e.msg[0]);
		return;
	}
	FUZZ_ASSERT(cni_result_find_interface(r, "/proc/1/ns/net", "eth0") < (int)r->n_interfaces);
	write_and_read(r, v);
	write_and_read(r, CNI_1_1_0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum cni_version v;

	for (v = CNI_0_1_0; v <= CNI_1_1_0; v++)
		as_version((struct jspan){(const char *)data, size}, v);
	return 0;
}
