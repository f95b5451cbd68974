/* SPDX-License-Identifier: Apache-2.0 */
/* Our own conf as it comes on standard input, and the primary's in it. */
#include "delegate/chain.h"
#include "lib/base/err.h"
#include "lib/cni/conf.h"
#include "tests/fuzz/fuzz.h"

static void load_delegate(const struct cni_conf *conf)
{
	struct chain_source source = {.what = "delegate",
				      .text = conf->delegate,
				      .fallback_name = conf->name,
				      .own_type = conf->type};
	AUTO(chain_free) struct chain *chain = NULL;
	struct err e = {0};
	size_t i;

	if (chain_load(&source, &chain, &e) < 0) {
		FUZZ_ASSERT(e.kind && e.msg[0]);
		return;
	}
	FUZZ_ASSERT(chain_len(chain) > 0 && *chain_name(chain));
	for (i = 0; i < chain_len(chain); i++)
		FUZZ_ASSERT(*chain_type(chain, i));
	FUZZ_ASSERT(!cni_conf_nests(conf->delegate, conf->type));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(cni_conf_free) struct cni_conf *conf = NULL;
	AUTO(free) char *subnet = NULL;
	struct err e = {0};

	if (cni_conf_parse("stdin", (const char *)data, size, &conf, &e) < 0) {
		FUZZ_ASSERT(!conf && e.kind && e.msg[0]);
		return 0;
	}
	FUZZ_ASSERT(*conf->name && !conf->delegate.p != !conf->delegate_file);
	IGNORE(cni_conf_annotation(conf, "tandem-cni.io/subnet", &subnet, &e), "either will do");
	if (conf->delegate.p)
		load_delegate(conf);
	return 0;
}
