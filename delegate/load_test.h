/* SPDX-License-Identifier: Apache-2.0 */
/* A conf's text as a chain, for the tests of chains. */
#ifndef DELEGATE_LOAD_TEST_H
#define DELEGATE_LOAD_TEST_H

#include "lib/base/test.h"

#include <string.h>

#include "delegate/chain.h"
#include "lib/base/mem.h"

static inline __attribute__((unused)) struct chain *load_as(const char *text, const char *name)
{
	struct chain_source src = {.what = "delegate",
				   .text = jspan_of(text),
				   .fallback_name = name,
				   .own_type = "tandem"};
	struct chain *c = NULL;
	struct err e = {0};

	if (chain_load(&src, &c, &e) < 0)
		fail_msg("%s", e.msg);
	return c;
}

static inline __attribute__((unused)) struct chain *load(const char *text)
{
	return load_as(text, "cbr0");
}

static const char list[] __attribute__((unused)) =
	"{\"cniVersion\":\"1.0.0\",\"name\":\"cbr0\",\"cni.dev/top\":1,\"plugins\":[\n"
	" { \"type\" : \"one\" , \"big\":18446744073709551616,\"f\":1.50, \"capabilities\" : "
	"{\"portMappings\":true,\"dns\":false,\"vendor\":true,\"absent\":true} ,\"name\":\"other\","
	"\"cniVersion\":\"0.1.0\",\"cni.dev\\/x\":{},\"z\":[1, 2]},\n"
	" {\"type\":\"two\",\"runtimeConfig\":{\"static\":1},\"prevResult\":{\"old\":1}},\n"
	" {\"type\":\"three\"} ]}";

#endif
