/* SPDX-License-Identifier: Apache-2.0 */
/* Policy rules: "from SRC lookup TABLE". */
#ifndef LIB_NL_RULE_H
#define LIB_NL_RULE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/ip.h"

struct nl;

struct nl_rule {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint32_t preference;
	struct ip_net from; /* unset = all */
	uint32_t table;
};

/** nl_rule_add - add it; one that stands already is a success. */
int nl_rule_add(struct nl *nl, const struct nl_rule *r, struct err *e) FN_MUST;
/** nl_rule_delete - the one with these values; success when it is not there. */
int nl_rule_delete(struct nl *nl, const struct nl_rule *r, struct err *e) FN_MUST;
/** nl_rule_list - both families, by preference within each; the caller frees *out. */
int nl_rule_list(struct nl *nl, struct nl_rule **out, size_t *out_n, struct err *e) FN_MUST;

#endif
